"""Expressions: their plain meaning against the generated Python, their domains, and what they read and create."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelcheck import Model, SpecError, assign, check, ite, shared
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.expression import (
    BOOL,
    FALSE,
    TRUE,
    Const,
    Domain,
    Fresh,
    Op,
    Self,
    Slot,
    conjunction,
    enum_domain,
    evaluate,
    range_domain,
    rebuild,
    slots_of,
    sorts_of,
    to_python,
    to_text,
)

FULL = Options(without=frozenset(REDUCTIONS))
NUMBERS = tuple(Slot(f"n{i}", range_domain(-3, 3)) for i in range(3))
FLAGS = tuple(Slot(f"f{i}", BOOL) for i in range(2))
PLACE = {slot: f"s[{i}]" for i, slot in enumerate((*NUMBERS, *FLAGS))}


def numbers(depth: int) -> st.SearchStrategy:
    leaves = st.one_of(st.sampled_from(NUMBERS), st.integers(-3, 3).map(Const))
    if not depth:
        return leaves
    inner = numbers(depth - 1)
    return st.one_of(
        leaves,
        st.builds(lambda n, a, b: Op(n, (a, b)), st.sampled_from(("add", "sub")), inner, inner),
        st.builds(ite, flags(depth - 1), inner, inner),
    )


def flags(depth: int) -> st.SearchStrategy:
    leaves = st.one_of(st.sampled_from(FLAGS), st.sampled_from((TRUE, FALSE)))
    if not depth:
        return leaves
    inner, number = flags(depth - 1), numbers(depth - 1)
    return st.one_of(
        leaves,
        st.builds(lambda a: ~a, inner),
        st.builds(
            lambda n, parts: Op(n, tuple(parts)),
            st.sampled_from(("and", "or")),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda n, a, b: Op(n, (a, b)), st.sampled_from(("eq", "ne", "lt", "le")), number, number),
        st.builds(
            lambda a, values: Op("in", (a, *map(Const, values))), number, st.lists(st.integers(-3, 3), max_size=3)
        ),
    )


STATES = st.tuples(*[st.integers(-3, 3)] * 3, *[st.integers(0, 1)] * 2)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.one_of(numbers(3), flags(3)), STATES)
def test_generated_python_has_the_plain_meaning(expr, state):
    text = to_python(expr, PLACE, lambda sort: "99")
    assert eval(text, {"s": state}) == evaluate(expr, dict(zip(PLACE, state, strict=True)))


def test_generated_python_has_the_plain_meaning_of_and_and_or_of_numbers():
    for expr in (NUMBERS[0] | NUMBERS[1], NUMBERS[0] & NUMBERS[1]):
        for a in (0, 2):
            for b in (0, 3):
                assert eval(to_python(expr, PLACE, str), {"s": (a, b)}) == evaluate(
                    expr, {NUMBERS[0]: a, NUMBERS[1]: b}
                )


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("eq", operator.eq),
        ("ne", operator.ne),
        ("lt", operator.lt),
        ("le", operator.le),
        ("add", operator.add),
        ("sub", operator.sub),
    ],
)
def test_every_binary_operator_means_pythons(name, meaning):
    for a in range(-2, 3):
        for b in range(-2, 3):
            assert evaluate(Op(name, (Const(a), Const(b))), {}) == int(meaning(a, b))


def test_operators_build_the_operators_they_read_as():
    a, b = NUMBERS[:2]
    assert [e.name for e in (a.eq(b), a.ne(b), a.lt(b), a.le(b), a + b, a - b, a & b, a | b, ~a, ite(a, b, 1))] == [
        "eq",
        "ne",
        "lt",
        "le",
        "add",
        "sub",
        "and",
        "or",
        "not",
        "ite",
    ]
    assert a.eq(1) == Op("eq", (a, Const(1)))
    assert (a == b, a == Slot("n0", range_domain(-3, 3))) == (False, True)


def test_conjunction_drops_what_is_trivially_true():
    a = FLAGS[0]
    assert conjunction(()) == TRUE
    assert conjunction((TRUE, a, TRUE)) == a
    assert TRUE & a == a
    assert conjunction((a, a)) == Op("and", (a, a))


def test_slots_of_and_sorts_of_list_every_mention():
    a, b = NUMBERS[:2]
    expr = ite(a.eq(b), a + 1, Const(0))
    assert list(slots_of(expr)) == [a, b, a]
    assert list(sorts_of(expr)) == []
    assert list(sorts_of(Op("add", (Fresh("time"), Op("not", (Fresh("seq"),)))))) == ["time", "seq"]
    assert list(slots_of(Fresh("time"))) == list(slots_of(Const(1))) == list(slots_of(Self())) == []


def test_rebuild_puts_answers_in_and_leaves_the_rest():
    a, b = NUMBERS[:2]
    assert rebuild(a.eq(b) & ~b, lambda e: Const(7) if e == b else None) == a.eq(7) & ~Const(7)
    assert rebuild(a + b, lambda e: None) == a + b


def test_unlinked_expressions_have_no_value():
    for expr in (Self(), Fresh("time"), Self().eq(1)):
        with pytest.raises(SpecError, match="has no value here; link the model first"):
            evaluate(expr, {})
    with pytest.raises(SpecError, match="has no value here; link the model first"):
        to_python(Self(), {}, str)
    with pytest.raises(SpecError, match="unknown operator 'xor'"):
        evaluate(Op("xor", (TRUE, TRUE)), {})
    assert evaluate(Fresh("time"), {}, lambda sort: {"time": 4}[sort]) == 4


def test_domains_show_values_as_a_person_would():
    assert [BOOL.show(v) for v in (0, 1)] == ["false", "true"]
    assert [enum_domain("idle", "busy").show(v) for v in (0, 1)] == ["idle", "busy"]
    assert range_domain(2, 5).show(3) == "3"
    assert Domain("stamp", sort="update").show(2) == "update#2"
    assert (enum_domain("a", "b", "c").lo, enum_domain("a", "b", "c").hi) == (0, 2)


def test_texts_read_as_c():
    a, f = NUMBERS[0], FLAGS[0]
    assert to_text(ite(f, a + 1, a - 1)) == "(f0 ? (n0 + 1) : (n0 - 1))"
    assert to_text(~a.le(2) | f) == "(!(n0 <= 2) or f0)"
    assert to_text(Op("in", (a, Const(1), Const(2)))) == "(n0 in {1, 2})"
    assert to_text(Fresh("time")) == "a new time"


def test_empty_ranges_and_outside_starts_are_refused():
    with pytest.raises(SpecError, match=r"a range from 3 to 2 is empty; give the smaller end first"):
        range_domain(3, 2)
    with pytest.raises(SpecError, match=r"x starts at 9, outside 0\.\.3; start inside the range"):
        Model("m").range("x", 0, 3, 9)


def leaving(update) -> Model:
    m = Model("range")
    x, big = m.range("x", 0, 3), m.range("big", 0, 9, 7)

    def sets():
        yield update(x, big)
        yield check(x.le(3) & big.le(9), "inside")

    m.process("sets", sets)
    m.assertion("inside")
    return m


def test_a_sum_that_leaves_its_range_is_an_error_of_the_spec():
    with pytest.raises(SpecError, match=r"x became 4, outside 0\.\.3; widen its range or guard the step"):
        verify(leaving(lambda x, big: assign(x, x + 4)), "inside", options=FULL)


@pytest.mark.parametrize(
    "update",
    [lambda x, big: assign(x, 7), lambda x, big: assign(x, big), lambda x, big: assign(x, ite(big.eq(7), x + 4, 0))],
    ids=["constant", "copy", "conditional"],
)
def test_no_update_leaves_the_range(update):
    with pytest.raises(SpecError, match=r"x became \d, outside 0\.\.3"):
        verify(leaving(update), "inside", options=FULL)


@pytest.mark.parametrize(
    "use",
    [
        lambda s, n: check(s.lt(2), "small"),
        lambda s, n: shared("s + 1", (s, s + 1)),
        lambda s, n: assign(n, s),
        lambda s, n: assign(s, 1),
    ],
    ids=["compared", "added to", "copied out", "set"],
)
def test_a_stamp_is_only_copied_and_compared_with_its_sort(use):
    m = Model("stamp")
    s, n = m.stamp("s"), m.range("n", 0, 9)

    def process():
        yield use(s, n)

    m.process("process", process)
    m.assertion("small")
    with pytest.raises(SpecError, match="stamp"):
        verify(m, "small", options=FULL)


def test_two_slots_of_one_name_must_agree():
    m = Model("names")

    def process():
        yield assign(m_range, 1)
        yield assign(m_bool, 1)

    m_range, m_bool = m.range("x", 0, 3), m.bool("x")
    m.process("process", process)
    m.deadlock()
    with pytest.raises(SpecError, match="two slots are named 'x' and differ in domain or start; rename one"):
        verify(m, "deadlock", options=FULL)

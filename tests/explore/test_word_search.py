"""The search for properties of words, on models small enough to know the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from modelcheck import (
    OLD,
    Action,
    Branch,
    Expr,
    Model,
    Slot,
    SpecError,
    UsageError,
    any_word,
    assign,
    check,
    choose,
    decide,
    reach,
    shared,
    wait,
)  # fmt: skip
from modelcheck import (
    test as ask,
)
from modelcheck.explore import symbolic
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.data import solves_again
from modelcheck.explore.run import Run, replay
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.smt.words import WordSolver
from modelcheck.system.link import System

Body = Callable[[Slot, Slot], Iterator[Action]]


def one(body: Body, bits: int = 64, witnesses: tuple[str, ...] = (), equal: bool = False) -> Model:
    """A model of one process over the arbitrary words x and y."""
    m = Model("words")
    x, y = m.word("x", bits), m.word("y", bits)
    if equal:
        m.assume("x is y", x.eq(y))
    m.process("p", body, x, y)
    m.data("p", "what is checked", witnesses)
    return m


def words(outcome: Outcome) -> dict[tuple[int, str], int]:
    return {(step, name): value for step, name, value in outcome.words}


def rerun(model: Model, outcome: Outcome) -> Run:
    system = System(model, frozenset({"p"}))
    run = replay(system, list(outcome.steps), words(outcome))
    assert run.steps[-1].edge.breaks == "p"
    assert solves_again(system, run)
    return run


def test_a_sum_that_wraps_is_smaller_than_its_parts_and_the_least_values_show_it() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield check(x.le(x + y), "p")

    outcome = verify(one(body), "p")
    assert (outcome.verdict, outcome.states, outcome.transitions, outcome.depth) == ("violated", 2, 2, 1)
    assert words(outcome) == {(-1, "x"): 1, (-1, "y"): 2**64 - 1}
    rerun(one(body), outcome)


def test_an_assumption_makes_a_check_hold_and_is_listed() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield assign(x, x + 1)
        yield assign(y, y + 1)
        yield check(x.eq(y), "p")

    model = one(body, equal=True)
    assert verify(model, "p").verdict == "holds"
    assert model.assumptions == ["x is y"]
    assert verify(one(body), "p").verdict == "violated"


def test_signed_and_unsigned_order_differ() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        if (yield ask(x.slt(y) & y.lt(x))):
            yield reach("differ")
        yield check(x.lt(y) | y.le(x), "p")

    assert verify(one(body, witnesses=("differ",)), "p").verdict == "holds"


def test_both_ways_of_a_branch_are_followed_and_no_third() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        if (yield ask(x.lt(y))):
            if (yield decide(y.lt(x))):
                yield reach("never")
            yield reach("less")
        else:
            yield check(y.le(x), "p")
            yield reach("not less")

    outcome = verify(one(body, witnesses=("less", "not less")), "p")
    assert (outcome.verdict, outcome.reached) == ("holds", {"less", "not less"})
    assert verify(one(body, witnesses=("never",)), "p").verdict == "vacuous"


def test_what_a_path_implies_tells_no_states_apart() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        way = yield choose("way", 1, 2)
        yield wait(x.lt(y))
        yield wait(x.le(y) if way == 1 else x.ne(y))
        way = 0
        yield check(x.lt(y), "p")

    outcome = verify(one(body), "p")
    assert (outcome.verdict, outcome.states) == ("holds", 1 + 2 + 2 + 1 + 1)


def test_a_wait_that_no_values_pass_ends_its_path() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield wait(x.lt(y))
        yield wait(y.lt(x))
        yield check(x.eq(1), "p")

    assert verify(one(body), "p").verdict == "holds"


def reading(x: Slot, y: Slot) -> Iterator[Action]:
    yield any_word(x, "x = clock()", OLD.lt(x) & x.lt(100), prefer=(x.eq(OLD + 10),))
    yield any_word(x, "x = clock()", OLD.lt(x), also=(y,), prefer=(x.eq(OLD + 10),))
    yield check(x.lt(y), "p")


def test_an_arbitrary_word_satisfies_its_condition_and_sets_all_its_slots_alike() -> None:
    model = one(reading)
    model.prefer(next(iter(model.words.values())).eq(5))
    outcome = verify(model, "p")
    assert words(outcome) == {(-1, "x"): 5, (-1, "y"): 0, (0, "x"): 15, (1, "x"): 25}
    run = rerun(model, outcome)
    assert [(slot.name, new) for slot, _, new in run.steps[1].changes] == [("x", 25), ("y", 25)]


def test_slots_that_are_set_together_hold_one_value() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield any_word(x, "x = y = clock()", also=(y,))
        yield check(x.eq(y), "p")

    assert verify(one(body), "p").verdict == "holds"


def test_a_run_refuses_a_value_its_condition_forbids_and_one_that_is_missing() -> None:
    model = one(reading)
    outcome = verify(model, "p")
    system, steps = System(model, frozenset({"p"})), list(outcome.steps)
    with pytest.raises(UsageError, match=r"step 0: x = 100 does not satisfy \(\(old < x\) and \(x < 100\)\)"):
        replay(system, steps, words(outcome) | {(0, "x"): 100})
    with pytest.raises(UsageError, match=r"step 1: x becomes an arbitrary word, and no value is given for it"):
        replay(system, steps, {key: value for key, value in words(outcome).items() if key != (1, "x")})
    with pytest.raises(UsageError, match=r"the word y starts with any value"):
        replay(system, steps, {key: value for key, value in words(outcome).items() if key != (-1, "y")})


def test_a_run_refuses_initial_values_that_break_an_assumption() -> None:
    model = one(reading, equal=True)
    outcome = verify(model, "p")
    with pytest.raises(UsageError, match=r"the words' initial values break the assumption: x is y"):
        replay(System(model, frozenset({"p"})), list(outcome.steps), words(outcome) | {(-1, "y"): 7})


def test_the_shortest_violation_is_found_and_of_these_the_one_with_least_labels() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        way = yield choose("way", "long", "b", "a")
        if way == "long":
            yield assign(x, 3)
        yield check(x.eq(y), "p", f"check {way}")

    assert verify(one(body), "p").steps == ((0, "way -> a"), (0, "check a -> None"))


def test_a_loop_that_makes_unknowns_for_ever_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbolic, "MOST_STEPS", 20)

    def body(x: Slot, y: Slot) -> Iterator[Action]:
        while True:
            yield any_word(x, "x = clock()", OLD.le(x))
            yield check(x.eq(x), "p")

    outcome = verify(one(body), "p")
    assert (outcome.verdict, outcome.bound, outcome.depth) == ("incomplete", "paths of 20 steps", 20)


def test_a_loop_that_comes_back_to_a_state_ends() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        while True:
            yield assign(x, x + y)
            yield assign(x, x - y)
            yield check(x.eq(x), "p")

    outcome = verify(one(body), "p")
    assert (outcome.verdict, outcome.states) == ("holds", 3)


def test_a_bound_is_incomplete() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        for _ in range(5):
            yield assign(x, x + y)
        yield check(x.eq(y), "p")

    outcome = verify(one(body), "p", Bounds(states=3))
    assert (outcome.verdict, outcome.bound) == ("incomplete", "3 states")


def test_a_question_z3_gives_up_is_incomplete_and_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield check(x.le(y) | y.le(x), "p")

    def gives_up(self: WordSolver, conditions: object) -> dict[str, int]:
        self.unknown += bool(conditions)
        return {}

    monkeypatch.setattr(WordSolver, "values", gives_up)
    outcome = verify(one(body), "p")
    assert (outcome.verdict, outcome.steps) == ("incomplete", ())
    assert outcome.bound.startswith("z3 gave up ")


def test_dead_locals_tell_no_states_apart() -> None:
    def model() -> Model:
        m = Model("dead")
        x, seen = m.word("x"), m.local(m.word("seen", initial=0))

        def body() -> Iterator[Action]:
            way = yield choose("way", 1, 2)
            yield assign(seen, x + way)
            yield check(seen.eq(seen), "p")
            way = 0
            yield assign(x, 0)

        m.process("p", body)
        m.data("p")
        return m

    assert verify(model(), "p").states == 7
    assert verify(model(), "p", options=Options(frozenset({"dead"}))).states == 9


def nested(times: int) -> Model:
    """A host that adds one in two steps, with a nested process that adds one between or beside them."""
    m = Model("nested")
    x, seen = m.word("x", initial=0), m.local(m.word("seen", initial=0))

    def add() -> Iterator[Action]:
        yield assign(seen, x)
        yield shared("x = seen + 1", (x, seen + 1))

    def host() -> Iterator[Action]:
        yield from add()
        yield check(x.lt(2 + times), "p")

    m.process("host", host)
    m.process("guest", add, host="host", times=times)
    m.data("p")
    return m


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_nested_process_starts_as_often_as_it_may(times: int) -> None:
    assert verify(nested(times), "p").verdict == "holds"
    m = Model("reached")
    x = m.word("x", initial=0)

    def host() -> Iterator[Action]:
        yield reach("point")
        yield check(x.lt(times), "p")

    def guest() -> Iterator[Action]:
        yield assign(x, x + 1)

    m.process("host", host)
    m.process("guest", guest, host="host", times=times)
    m.data("p")
    assert verify(m, "p").verdict == "violated"


def test_interrupts_off_keep_a_nested_process_out() -> None:
    def model(off: bool) -> Model:
        m = Model("irq")
        x = m.word("x")

        def host() -> Iterator[Action]:
            yield Action("local", "save", (Branch(irq="off" if off else ""),))
            yield assign(x, 0)
            yield check(x.eq(0), "p")

        def guest() -> Iterator[Action]:
            yield assign(x, 1)

        m.process("host", host)
        m.process("guest", guest, host="host", times=1)
        m.data("p")
        return m

    assert verify(model(True), "p").verdict == "holds"
    assert verify(model(False), "p").verdict == "violated"


def broken(*build: Callable[[Model, Slot], object], body: Body | None = None) -> Model:
    def nothing(x: Slot, y: Slot) -> Iterator[Action]:
        yield check(x.eq(y), "p")

    model = one(body or nothing)
    for each in build:
        each(model, model.words["x"])
    return model


def test_what_a_spec_does_wrong_with_words_is_named() -> None:
    r = Model("r").range("r", 0, 3)

    def range_of_word(x: Slot, y: Slot) -> Iterator[Action]:
        yield assign(r, x)
        yield check(r.eq(0), "p")

    def leaves(x: Slot, y: Slot) -> Iterator[Action]:
        yield assign(r, 4)
        yield check(r.eq(0), "p")

    never: Expr = Slot("x", Model("m").word("x").domain).lt(0)
    cases = [
        (broken(lambda m, x: m.assume("no", never)), "no values satisfy the assumptions of model 'words': no"),
        (broken(lambda m, x: m.assume("no", x.eq(1) & x.eq(2))), "no values satisfy the assumptions"),
        (broken(body=range_of_word), "r is no word and would depend on one"),
        (broken(body=leaves), r"r became 4, outside 0\.\.3"),
    ]
    for model, sentence in cases:
        with pytest.raises(SpecError, match=sentence):
            verify(model, "p")
    with pytest.raises(SpecError, match=r"declare it with Model\.word"):
        any_word(Model("m").bool("b"), "b")
    with pytest.raises(SpecError, match="word 'x' is declared twice"):
        broken(lambda m, x: m.word("x"))


def test_a_search_that_enumerates_refuses_words() -> None:
    model = broken()
    model.deadlock()
    with pytest.raises(SpecError, match=r"model 'words' has words \(x, y\), which are never enumerated"):
        verify(model, "deadlock")


def test_stamps_have_no_place_beside_words() -> None:
    def body(x: Slot, y: Slot) -> Iterator[Action]:
        yield assign(Model("s").stamp("s"), Model("s").stamp("s"))
        yield check(x.eq(y), "p")

    with pytest.raises(SpecError, match="s: a model with words has no stamps"):
        verify(one(body), "p")

"""The key of a suspended generator: what tells two apart, and what does not."""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import operator

import pytest
from process_samples import a

from modelcheck.action import Access, Register
from modelcheck.process.frame_key import FrameKeys, chain_of, frame_key
from modelcheck.process.frozen import Freezer, NotFrozen, advice
from modelcheck.process.run import close

ACCESS = Access("area", 0, 8, False)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Number(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass(frozen=True)
class Point:
    x: object
    y: object = 0

    @functools.cached_property
    def length(self) -> float:
        return 5.0

    def method(self) -> None: ...


@dataclasses.dataclass
class Unfrozen:
    x: int = 0


class Plain:
    def method(self) -> None: ...


def add(n):
    return lambda x: x + n


def add_default(n):
    return lambda x, n=n: x + n


def recursive(n):
    def down(x):
        return down(x - n) if x else 0
    return down


SAME = {
    "int": lambda: 1000003,
    "tuple": lambda: (1, ("a", 2.5)),
    "frozenset": lambda: frozenset(((3, 1), "a")),
    "dataclass": lambda: Point((1, 2), "z"),
    "register": lambda: Register(2, Access("area", 0, 8, False)),
    "range": lambda: range(3),
    "nan": lambda: float("nan"),
    "closure": lambda: add(1),
    "default": lambda: add_default(1),
    "recursive closure": lambda: recursive(2),
    "partial": lambda: functools.partial(add(1), 2, k=Point(1)),
    "bound method": lambda: Point(1).method,
    "builtin": lambda: len,
    "method of a str": lambda: "abc".startswith,
    "method descriptor": lambda: str.upper,
    "type": lambda: Point,
    "module": lambda: math,
    "action": lambda: a("same"),
    "enum": lambda: Colour.RED,
}

DIFFERENT = {
    "True and 1": (True, 1),
    "0 and False": (0, False),
    "1 and 1.0": (1, 1.0),
    "1 and ONE": (1, Number.ONE),
    "0.0 and -0.0": (0.0, -0.0),
    "'a' and b'a'": ("a", b"a"),
    "members": (Colour.RED, Colour.GREEN),
    "nested True": ((1, (True,)), (1, (1,))),
    "in a frozenset": (frozenset((True,)), frozenset((1,))),
    "in a dataclass": (Point(True), Point(1)),
    "None and 0": (None, 0),
    "tuple and range": ((0, 1), range(2)),
    "empty ranges": (range(0), range(1, 1)),
    "registers": (Register(0, ACCESS), Register(1, ACCESS)),
    "register and int": (Register(0, ACCESS), 0),
    "closures": (add(1), add(2)),
    "closures by type": (add(1), add(True)),
    "defaults": (add_default(1), add_default(2)),
    "lambdas of one line": (lambda: 1, lambda: 2),
    "partials": (functools.partial(add, 1), functools.partial(add, 2)),
    "bound methods": (Point(1).method, Point(2).method),
    "builtins": (len, operator.add),
    "types": (Point, Plain),
    "actions": (a("one"), a("two")),
}

REFUSED = {
    "list": ([1], "", "use a tuple"),
    "dict": ({1: 2}, "", "use a tuple of pairs or a frozen dataclass"),
    "set": ({1}, "", "use a frozenset"),
    "bytearray": (bytearray(b"a"), "", "use bytes"),
    "unfrozen dataclass": (Unfrozen(), "", "declare Unfrozen with @dataclass(frozen=True)"),
    "object": (Plain(), "", "keep only numbers"),
    "iterator": (iter((1, 2)), "", "loop over the range, tuple or str itself"),
    "generator": ((x for x in ()), "", "yield from"),
    "in a tuple": ((1, ([],)), "[1][0]", "use a tuple"),
    "in a dataclass": (Point(1, (2, {})), ".y[1]", "use a tuple of pairs"),
    "in a closure": (add([]), " closure `n`", "use a tuple"),
    "in a default": (add_default([]), ".__defaults__[0]", "use a tuple"),
    "in a partial": (functools.partial(len, []), ".args[0]", "use a tuple"),
    "in a bound method": (Plain().method, ".__self__", "keep only numbers"),
    "method of a list": ([].append, ".__self__", "use a tuple"),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_equal_values_have_one_key(make):
    freezer = Freezer()
    assert freezer.freeze(make(), set()) == freezer.freeze(make(), set())


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT)
def test_values_that_may_behave_differently_have_different_keys(left, right):
    freezer = Freezer()
    assert freezer.freeze(left, set()) != freezer.freeze(right, set())


@pytest.mark.parametrize(("value", "path", "fix"), REFUSED.values(), ids=REFUSED)
def test_what_can_change_is_refused(value, path, fix):
    with pytest.raises(NotFrozen) as caught:
        Freezer().freeze(value, set())
    assert caught.value.path == path
    assert fix in advice(caught.value.value)


def test_registers_are_found_at_any_depth():
    r0, r3, r5, r7 = (Register(i, ACCESS) for i in (0, 3, 5, 7))
    found: set[int] = set()
    Freezer().freeze((1, (r3, Point(r5, frozenset((r0,)))), lambda: r7), found)
    assert found == {0, 3, 5, 7}


def test_registers_of_a_known_value_are_found_again():
    freezer, point, found = Freezer(), Point(Register(4, ACCESS)), set()
    freezer.freeze(point, set())
    freezer.freeze(point, found)
    assert found == {4}


def test_a_cached_property_does_not_change_a_key():
    freezer, cold, warm = Freezer(), Point(1), Point(1)
    assert warm.length
    assert freezer.freeze(cold, set()) == freezer.freeze(warm, set())


def test_a_closure_that_changes_changes_the_key():
    n = 1

    def function():
        return n

    freezer, holder = Freezer(), Point(function)
    before = freezer.freeze(holder, set())
    n = 2
    assert freezer.freeze(holder, set()) != before


def test_f_locals_is_copied_at_once():
    def process():
        x = yield a()
        yield a()
        x += 1
        yield a()
        return x

    keys = FrameKeys("P")
    running = process()
    next(running)
    running.send(1)
    key = keys.key(running)
    kept = repr(key)
    next(running)
    assert repr(key) == kept
    other = process()
    next(other)
    other.send(1)
    assert keys.key(other) == key
    assert keys.key(running) != key


def test_unbound_and_bound_locals_differ():
    def process(b):
        if b:
            x = 1
        b = 0
        yield a()
        yield x

    keys = FrameKeys("P")
    left, right = process(0), process(1)
    next(left), next(right)
    assert keys.key(left) != keys.key(right)


def test_the_chain_is_keyed_from_the_process_inwards():
    def inner(x):
        yield a()
        yield x

    def middle(x):
        yield from inner(x)

    def process(x):
        yield from middle(x)

    keys = FrameKeys("P")
    one, same, other = process(1), process(1), process(True)
    for running in (one, same, other):
        next(running)
    assert [member.gi_code.co_name for member in chain_of(one)] == ["process", "middle", "inner"]
    assert keys.key(one) == keys.key(same) != keys.key(other)


def test_loops_are_keyed_by_what_they_still_give():
    def process(over):
        for _ in over:
            yield a()

    def key(over, steps):
        running = process(over)
        for _ in range(steps):
            next(running)
        return keys.key(running)[0]

    keys = FrameKeys("P")
    assert key(range(3), 1) == key(range(3), 1)
    assert len({key(range(3), n) for n in (1, 2, 3)}) == 3
    assert len({key((0, 0, 0), n) for n in (1, 2, 3)}) == 3
    assert len({key("aaa", n) for n in (1, 2, 3)}) == 3
    assert len({key("\u00e9\u00e9", n) for n in (1, 2)}) == 2
    assert len({key(range(1 << 80, (1 << 80) + 2), n) for n in (1, 2)}) == 2
    assert key((True, True), 1) != key((1, 1), 1)
    assert key((1, 2, 9), 1) != key((1, 3, 9), 1)
    assert key((1, 9), 1) == key((2, 9), 1)  # what a loop gave already cannot matter


def test_registers_waiting_in_a_loop_are_live():
    def process(over):
        for _ in over:
            yield a()

    running = process((Register(0, ACCESS), Register(1, ACCESS), Register(2, ACCESS)))
    next(running)
    assert frame_key(running)[1] == (1, 2)


def test_nested_loops_and_a_yield_from_a_tuple():
    def process():
        for _ in range(2):
            for _ in "ab":
                yield from (a("one"), a("two"))

    keys = FrameKeys("P")
    running = process()
    found = [keys.key(running)[0] for _ in running]
    assert len(set(found)) == len(found) == 8
    close(running)

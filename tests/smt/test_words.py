"""Words: terms and z3 against every value of small words, one by one."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest
import z3

from modelcheck.errors import SpecError
from modelcheck.expression import Const, Expr, Op, Slot, evaluate, ite, operate, word_domain
from modelcheck.smt.terms import Linear, fold, negation, solution, unknown, value_of
from modelcheck.smt.words import WordSolver, _least

BITS = 3
SLOTS = tuple(Slot(name, word_domain(BITS)) for name in "abc")
COMPARES = ("eq", "ne", "lt", "le", "slt", "sle")


def word(rng: random.Random, depth: int) -> Expr:
    if depth == 0:
        return rng.choice([*SLOTS, Const(rng.randrange(8))])
    if rng.random() < 0.15:
        return ite(condition(rng, 0), rng.choice(SLOTS) + 0, word(rng, depth - 1) + SLOTS[0])
    left, right = rng.choice(SLOTS), word(rng, depth - 1)
    return left + right if rng.random() < 0.5 else left - right


def condition(rng: random.Random, depth: int) -> Expr:
    if depth and rng.random() < 0.4:
        left, right = condition(rng, depth - 1), condition(rng, depth - 1)
        return rng.choice([left & right, left | right, ~left])
    return Op(rng.choice(COMPARES), (rng.choice(SLOTS) + word(rng, 1), word(rng, 1)))


def every_value() -> list[dict[Slot, int]]:
    return [dict(zip(SLOTS, values, strict=True)) for values in product(range(1 << BITS), repeat=len(SLOTS))]


def test_terms_mean_what_expressions_mean_for_every_value_of_three_small_words() -> None:
    rng = random.Random(1)
    for _ in range(150):
        expr = condition(rng, 1) if rng.random() < 0.5 else SLOTS[0] + word(rng, 2)
        term = fold(expr, unknown)
        for values in every_value():
            assert value_of(term, {slot.name: value for slot, value in values.items()}) == evaluate(expr, values)


def test_z3_finds_values_exactly_where_there_are_some() -> None:
    rng = random.Random(2)
    found = {True: 0, False: 0}
    for _ in range(120):
        wanted = [condition(rng, 1) for _ in range(rng.randint(1, 4))]
        terms = [fold(expr, unknown) for expr in wanted]
        if any(isinstance(term, int) for term in terms):
            continue
        conditions = [term for term in terms if isinstance(term, Expr)]
        numbers = WordSolver().values(conditions)
        possible = any(all(evaluate(expr, values) for expr in wanted) for values in every_value())
        assert (numbers is not None) == possible
        if numbers is not None:
            assert all(value_of(term, numbers) for term in conditions)
        found[possible] += 1
    assert min(found.values()) >= 10


def test_values_to_show_keep_wishes_in_order_and_are_the_least_beside() -> None:
    a, b, _ = SLOTS
    at_least = [fold(expr, unknown) for expr in (Const(2).le(a), a.lt(b))]
    wishes = [fold(expr, unknown) for expr in (b.eq(6), b.eq(5), a.eq(7))]
    solver = WordSolver()
    assert solver.concrete(at_least, wishes, SLOTS) == {"a": 2, "b": 6, "c": 0}  # type: ignore[arg-type]
    assert solver.concrete([*at_least, negation(at_least[0])], wishes, SLOTS) is None  # type: ignore[arg-type,list-item]


@pytest.mark.parametrize("least", [0, 3, 100, 1000, 2**63 + 5, 2**64 - 1])
def test_the_least_value_is_found_wherever_z3_starts(least: int) -> None:
    x, y = Slot("x", word_domain(64)), Slot("y", word_domain(64))
    some = [fold(expr, unknown) for expr in (Const(least).le(x), (x - 7).eq(y))]
    found = WordSolver().concrete([each for each in some if isinstance(each, Expr)], [], [x])
    assert found == {"x": least}
    assert _least(_Fixed(least), _Term()) == least


class _Term:
    """Stands for an integer of z3's: a limit on it is the number."""

    def __le__(self, limit: int) -> Any:  # type: ignore[override]
        return limit


class _Fixed:
    """A z3 solver whose every answer is the largest it may give, so that the search for the least has work to do."""

    def __init__(self, least: int) -> None:
        self.least, self.most = least, 2**64 - 1

    def check(self, *limits: Any) -> Any:
        if limits:
            self.most = max(limits[0], self.least)
        return z3.sat if not limits or limits[0] >= self.least else z3.unsat

    def model(self) -> _Fixed:
        return self

    def eval(self, term: object, model_completion: bool) -> _Fixed:
        return self

    def as_long(self) -> int:
        return self.most

    def add(self, formula: object) -> None:
        pass


def test_what_is_added_and_taken_away_is_gone() -> None:
    a, b, _ = SLOTS
    assert fold((a + b) - a, unknown) == unknown(b)
    assert fold((a + b) - a - b, unknown) == 0
    assert fold((a + b).eq(b + a), unknown) == 1
    assert fold((a + 1).eq(a), unknown) == 0
    assert fold(a.lt(b), unknown) == negation(fold(b.le(a), unknown))


def test_a_sum_that_is_equal_to_a_word_gives_the_last_word_of_it() -> None:
    a, b, c = SLOTS
    equal = fold((a + b + c).eq(5), unknown)
    assert isinstance(equal, Expr)
    found = solution(equal, SLOTS)
    assert found is not None
    assert found[0] == c
    assert isinstance(found[1], Linear)
    for values in every_value():
        if (values[a] + values[b] + values[c]) % 8 == 5:
            assert value_of(found[1], {slot.name: value for slot, value in values.items()}) == values[c]
    assert solution(fold((a + a).eq(4), unknown), SLOTS) is None  # type: ignore[arg-type]


def test_words_of_two_widths_are_not_mixed() -> None:
    with pytest.raises(SpecError, match=r"mixes words of 3 and 4 bits"):
        fold(SLOTS[0] + Slot("d", word_domain(4)), unknown)


def test_numbers_wrap_and_compare_as_words_do() -> None:
    assert operate("sub", [1, 2], 64) == 2**64 - 1
    assert operate("add", [2**64 - 1, 3], 64) == 2
    assert operate("slt", [2**64 - 1, 0], 64) == 1
    assert operate("lt", [2**64 - 1, 0], 64) == 0
    assert operate("sle", [-1, 0], 64) == 1
    assert operate("sub", [1, 2]) == -1
    assert word_domain(64).show(2**64 - 10) == "2^64-10"

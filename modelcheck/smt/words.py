"""What z3 says of conditions over words: values for which they hold together, or that there are none.

Words are put to z3 as integers: an unknown is one from 0 to 2^bits - 1, and a sum of unknowns is its integer sum less
2^bits times a further integer that brings it into that range, which is what wrapping means.  Coefficients are small, so
that integer has few values.  The same questions over bit-vectors took seconds each where a sum must be compared, and
some none at all within a minute; over integers they take milliseconds.

Each question is put to a new solver, so an answer depends on the question alone.  The one invariant: None is z3's proof
that no values exist.  Where z3 gives up, the question is counted in `unknown` and answered as if there were values,
which nobody may take for a violation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from modelcheck.expression import Const, Expr, Op, Slot
from modelcheck.smt.solver import TIMEOUT_MS
from modelcheck.smt.terms import Linear, conjuncts

Numbers = dict[str, int]  # values of unknowns by name; one that is not named may have any value
Made = tuple[Any, tuple[Any, ...]]  # z3's term or formula, and the formulas that define the integers in it


@dataclass(slots=True)
class WordSolver:
    """Answers to questions, kept; `queries` are those z3 got, `unknown` those it gave up, `seconds` what they took."""

    clock: Callable[[], float] = time.monotonic
    timeout: int = TIMEOUT_MS
    queries: int = 0
    unknown: int = 0
    seconds: float = 0.0
    _known: dict[tuple[Expr, ...], Numbers | None] = field(default_factory=dict)
    _integers: _Integers = field(default_factory=lambda: _Integers())

    def values(self, conditions: Sequence[Expr]) -> Numbers | None:
        """Values for which all conditions hold, None where there are none; {} where z3 gave up (see `unknown`)."""
        question = tuple(conditions)
        if question not in self._known:
            with self._timed():
                self._known[question] = self._ask(question)
        return self._known[question]

    def concrete(self, conditions: Sequence[Expr], wishes: Sequence[Expr], unknowns: Sequence[Slot]) -> Numbers | None:
        """The values to show: wishes are kept in order where an answer remains, what they leave open is the least.

        None where z3 finds no values, or gives up.
        """
        import z3

        with self._timed():
            solver, defined = self._solver(conditions)
            self.queries += 1
            if solver.check() != z3.sat:
                return None
            for wish in wishes:
                formula, definitions = self._integers.condition(wish)
                _define(solver, defined, definitions)
                if solver.check(formula) == z3.sat:
                    solver.add(formula)
            found = {}
            for slot in unknowns:
                term, definitions = self._integers.word(slot)
                _define(solver, defined, definitions)
                found[slot.name] = _least(solver, term)
            return found

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - started

    def _solver(self, conditions: Sequence[Expr]) -> tuple[Any, set[int]]:
        """A new solver with these conditions, and the ids of the definitions it has."""
        import z3

        solver, defined = z3.SimpleSolver(), set[int]()
        solver.set("timeout", self.timeout)
        solver.set("random_seed", 0)
        for condition in conditions:
            for part in conjuncts(condition):
                formula, definitions = self._integers.condition(part)
                _define(solver, defined, definitions)
                solver.add(formula)
        return solver, defined

    def _ask(self, conditions: tuple[Expr, ...]) -> Numbers | None:
        import z3

        self.queries += 1
        solver, _ = self._solver(conditions)
        answer = solver.check()
        if answer == z3.unsat:
            return None
        if answer == z3.unknown:
            self.unknown += 1
            return {}
        model = solver.model()
        return {each.name(): model[each].as_long() for each in model.decls()}


def _define(solver: Any, defined: set[int], definitions: tuple[Any, ...]) -> None:
    """Adds the definitions that the solver does not have yet."""
    for each in definitions:
        if each.get_id() not in defined:
            defined.add(each.get_id())
            solver.add(each)


def _least(solver: Any, term: Any) -> int:
    """The least value of an integer, which it is then held at; the solver has an answer."""
    import z3

    low = 0
    solver.check()
    high: int = solver.model().eval(term, model_completion=True).as_long()
    while low < high:
        middle = (low + high) // 2
        if solver.check(term <= middle) == z3.sat:
            high = solver.model().eval(term, model_completion=True).as_long()
        else:
            low = middle + 1
    solver.add(term == low)
    return low


class _Integers:
    """Words and conditions over them as z3 has them, made once; each comes with what defines the integers in it."""

    def __init__(self) -> None:
        self._words: dict[Expr, Made] = {}
        self._conditions: dict[Expr, Made] = {}

    def condition(self, expr: Expr) -> Made:
        """A condition."""
        known = self._conditions.get(expr)
        if known is None:
            known = self._conditions[expr] = self._decided(expr)
        return known

    def word(self, expr: Expr) -> Made:
        """The integer that a word is."""
        known = self._words.get(expr)
        if known is None:
            known = self._words[expr] = self._made(expr)
        return known

    def _decided(self, expr: Expr) -> Made:
        import z3

        if isinstance(expr, Const):
            return z3.BoolVal(bool(expr.value)), ()
        assert isinstance(expr, Op), expr
        if expr.name in ("not", "and", "or"):
            parts = [self.condition(arg) for arg in expr.args]
            combine = {"not": z3.Not, "and": z3.And, "or": z3.Or}[expr.name]
            return combine(*(formula for formula, _ in parts)), _joined(parts)
        parts = [self.word(arg) for arg in expr.args]
        left, right = (term for term, _ in parts)
        if expr.name == "slt":
            left, right = (_signed(arg, term) for arg, term in zip(expr.args, (left, right), strict=True))
        return left == right if expr.name == "eq" else left < right, _joined(parts)

    def _made(self, expr: Expr) -> Made:
        import z3

        if isinstance(expr, Slot):
            found = z3.Int(expr.name)
            return found, (found >= 0, found <= expr.domain.hi)
        if isinstance(expr, Op) and expr.name == "ite":
            condition, then, other = self.condition(expr.args[0]), self.word(expr.args[1]), self.word(expr.args[2])
            return z3.If(condition[0], then[0], other[0]), _joined([condition, then, other])
        assert isinstance(expr, Linear), expr
        size = 1 << expr.bits
        words = [self.word(part) for part, _ in expr.parts]
        counts = [count if count <= size >> 1 else count - size for _, count in expr.parts]
        if not words:
            return z3.IntVal(expr.const), ()
        if expr.const == 0 and counts == [1]:
            return words[0]
        total = z3.Sum(*(count * term for count, (term, _) in zip(counts, words, strict=True)), z3.IntVal(expr.const))
        wraps, word = z3.Int(f"wraps {len(self._words)}"), z3.Int(f"word {len(self._words)}")
        below, above = sum(count for count in counts if count < 0), sum(count for count in counts if count > 0)
        range_ = z3.And(word >= 0, word < size, wraps >= below, wraps <= above)
        return word, (*_joined(words), word == total - size * wraps, range_)


def _joined(parts: Sequence[Made]) -> tuple[Any, ...]:
    return tuple(definition for _, definitions in parts for definition in definitions)


def _signed(expr: Expr, term: Any) -> Any:
    import z3

    assert isinstance(expr, Linear)
    return z3.If(term >= 1 << (expr.bits - 1), term - (1 << expr.bits), term)

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


@dataclass(slots=True)
class WordSolver:
    """Answers to questions, kept; `queries` are those z3 got, `unknown` those it gave up, `seconds` what they took."""

    clock: Callable[[], float] = time.monotonic
    timeout: int = TIMEOUT_MS
    queries: int = 0
    unknown: int = 0
    seconds: float = 0.0
    _known: dict[tuple[Expr, ...], Numbers | None] = field(default_factory=dict)

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
            question = _Question(self.timeout, conditions)
            self.queries += 1
            if question.solver.check() != z3.sat:
                return None
            for wish in wishes:
                formula = question.condition(wish)
                if question.solver.check(formula) == z3.sat:
                    question.solver.add(formula)
            return {slot.name: _least(question.solver, question.term(slot)) for slot in unknowns}

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - started

    def _ask(self, conditions: tuple[Expr, ...]) -> Numbers | None:
        import z3

        self.queries += 1
        question = _Question(self.timeout, conditions)
        answer = question.solver.check()
        if answer == z3.unsat:
            return None
        if answer == z3.unknown:
            self.unknown += 1
            return {}
        model = question.solver.model()
        return {
            name: model.eval(term, model_completion=True).as_long() for name, term in question.unknowns.items()
        }


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


class _Question:
    """A z3 solver with some conditions, and the integers that stand for their words."""

    def __init__(self, timeout: int, conditions: Sequence[Expr]) -> None:
        import z3

        self.solver = z3.SimpleSolver()
        self.solver.set("timeout", timeout)
        self.solver.set("random_seed", 0)
        self.unknowns: dict[str, Any] = {}
        self._terms: dict[Expr, Any] = {}
        for condition in conditions:
            for part in conjuncts(condition):
                self.solver.add(self.condition(part))

    def condition(self, expr: Expr) -> Any:
        """A condition as z3 has it."""
        import z3

        if isinstance(expr, Const):
            return z3.BoolVal(bool(expr.value))
        assert isinstance(expr, Op), expr
        if expr.name in ("not", "and", "or"):
            args = [self.condition(arg) for arg in expr.args]
            return z3.Not(args[0]) if expr.name == "not" else z3.And(*args) if expr.name == "and" else z3.Or(*args)
        left, right = (self.term(arg) for arg in expr.args)
        if expr.name == "slt":
            left, right = (self._signed(arg, term) for arg, term in zip(expr.args, (left, right), strict=True))
        return left == right if expr.name == "eq" else left < right

    def term(self, expr: Expr) -> Any:
        """The integer that a word is."""
        known = self._terms.get(expr)
        if known is None:
            known = self._terms[expr] = self._made(expr)
        return known

    def _made(self, expr: Expr) -> Any:
        import z3

        if isinstance(expr, Slot):
            found = self.unknowns[expr.name] = z3.Int(expr.name)
            self.solver.add(found >= 0, found <= expr.domain.hi)
            return found
        if isinstance(expr, Op) and expr.name == "ite":
            condition, then, other = expr.args
            return z3.If(self.condition(condition), self.term(then), self.term(other))
        assert isinstance(expr, Linear), expr
        size = 1 << expr.bits
        parts = [(self.term(part), count if count <= size >> 1 else count - size) for part, count in expr.parts]
        if not parts:
            return z3.IntVal(expr.const)
        if expr.const == 0 and len(parts) == 1 and parts[0][1] == 1:
            return parts[0][0]
        total = z3.Sum(*(count * term for term, count in parts), z3.IntVal(expr.const))
        wraps = z3.Int(f"wraps {len(self._terms)}")
        word = z3.Int(f"word {len(self._terms)}")
        below, above = sum(count for _, count in parts if count < 0), sum(count for _, count in parts if count > 0)
        self.solver.add(word == total - size * wraps, word >= 0, word < size, wraps >= below, wraps <= above)
        return word

    @staticmethod
    def _signed(expr: Expr, term: Any) -> Any:
        import z3

        assert isinstance(expr, Linear)
        return z3.If(term >= 1 << (expr.bits - 1), term - (1 << expr.bits), term)

"""What z3 says of conditions over words: values for which they hold together, or that there are none.

Each question is put to a new solver, so an answer depends on the question alone; terms are turned into z3's once.  Its
one invariant: None is z3's proof that no values exist.  Where z3 gives up, the question is counted in `unknown` and
answered as if there were values, which nobody may take for a violation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from modelcheck.expression import Const, Expr, Op, Slot
from modelcheck.smt.solver import TIMEOUT_MS, least
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
    _terms: dict[Expr, Any] = field(default_factory=dict)
    _known: dict[tuple[Expr, ...], Numbers | None] = field(default_factory=dict)

    def values(self, conditions: Sequence[Expr]) -> Numbers | None:
        """Values for which all conditions hold, None where there are none; {} where z3 gave up (see `unknown`)."""
        question = tuple(conditions)
        if question not in self._known:
            with self._timed():
                self._known[question] = self._ask(question)
        return self._known[question]

    def concrete(self, conditions: Sequence[Expr], wishes: Sequence[Expr], unknowns: Sequence[Slot]) -> Numbers | None:
        """The values to show: wishes are kept in order where an answer remains, what they leave open is the least."""
        import z3

        with self._timed():
            solver = self._solver(conditions)
            self.queries += 1
            if solver.check() != z3.sat:
                return None
            for wish in wishes:
                formula = self._term(wish)
                if solver.check(formula) == z3.sat:
                    solver.add(formula)
            found = least(z3, solver, [self._term(slot) for slot in unknowns])
            return dict(zip([slot.name for slot in unknowns], found, strict=True))

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - started

    def _solver(self, conditions: Sequence[Expr]) -> Any:
        import z3

        solver = z3.SimpleSolver()
        solver.set("timeout", self.timeout)
        solver.set("random_seed", 0)
        solver.add(*(self._term(part) for condition in conditions for part in conjuncts(condition)))
        return solver

    def _ask(self, conditions: tuple[Expr, ...]) -> Numbers | None:
        import z3

        self.queries += 1
        solver = self._solver(conditions)
        answer = solver.check()
        if answer == z3.unsat:
            return None
        if answer == z3.unknown:
            self.unknown += 1
            return {}
        model = solver.model()
        return {each.name(): model[each].as_long() for each in model.decls()}

    def _term(self, expr: Expr) -> Any:
        known = self._terms.get(expr)
        if known is None:
            known = self._terms[expr] = self._translated(expr)
        return known

    def _translated(self, expr: Expr) -> Any:
        import z3

        if isinstance(expr, Slot):
            return z3.BitVec(expr.name, expr.domain.hi.bit_length())
        if isinstance(expr, Linear):
            parts = [self._times(self._term(part), count, expr.bits) for part, count in expr.parts]
            total = z3.BitVecVal(expr.const, expr.bits)
            return sum(parts[1:], parts[0]) + total if parts and expr.const else sum(parts[1:], parts[0]) if parts else total
        if isinstance(expr, Const):
            return z3.BoolVal(bool(expr.value))
        assert isinstance(expr, Op)
        args = [self._term(arg) for arg in expr.args]
        match expr.name:
            case "not":
                return z3.Not(args[0])
            case "and":
                return z3.And(*args)
            case "or":
                return z3.Or(*args)
            case "ite":
                return z3.If(*args)
            case "eq":
                return args[0] == args[1]
            case "lt":
                return z3.ULT(args[0], args[1])
        assert expr.name == "slt", expr.name
        return args[0] < args[1]

    @staticmethod
    def _times(term: Any, count: int, bits: int) -> Any:
        if count == 1:
            return term
        return -term if count == (1 << bits) - 1 else term * count

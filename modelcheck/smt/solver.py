"""Every question put to z3: whether an observation is a violation for some values, and concrete values for a path.

z3 is imported when the first question is asked.  Its one invariant: UNSAT of an observation is final for all
64-bit values under the spec's named assumptions; SAT of a projected one is only a question, to be asked again for
the whole path (design.md section 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from modelcheck.errors import InternalError
from modelcheck.smt.values import Observation, Seen, SeenFact, Values

TIMEOUT_MS = 60_000


@dataclass(slots=True)
class Solver:
    """Answers, cached by the observation's canonical form; counts the questions z3 got."""

    values: Values
    queries: int = 0
    unknown: int = 0
    _known: dict[Observation, bool] = field(default_factory=dict)
    _versions: dict[int, tuple[Any, list[dict[str, Any]]]] = field(default_factory=dict)
    _bytes: dict[tuple[int, int, int, str], Any] = field(default_factory=dict)

    def possible(self, observation: Observation) -> bool:
        """Whether values exist for which the observation is a violation; an undecided question counts as possible."""
        known = self._known.get(observation)
        if known is None:
            known = self._known[observation] = self._ask(observation)
        return known

    def _ask(self, observation: Observation) -> bool:
        import z3

        solver, versions = self._base(observation.versions)
        solver.push()
        try:
            for formula in self._formulas(observation, versions):
                solver.add(formula)
            self.queries += 1
            answer = solver.check()
        finally:
            solver.pop()
        if answer == z3.unknown:
            self.unknown += 1
        return bool(answer != z3.unsat)

    def _base(self, count: int) -> tuple[Any, list[dict[str, Any]]]:
        """A solver that holds the assumptions on `count` versions, and those versions' variables."""
        known = self._versions.get(count)
        if known is None:
            import z3

            versions = [{name: z3.BitVec(f"{name}_{k}", 8 * (hi - lo)) for name, lo, hi in self.values.fields}
                        for k in range(count)]
            solver = z3.SolverFor("QF_BV")
            solver.set("timeout", TIMEOUT_MS)
            for _, formula in self.values.assume(z3, versions):
                solver.add(formula)
            known = self._versions[count] = (solver, versions)
        return known

    def _byte(self, count: int, versions: list[dict[str, Any]]) -> Callable[[int, int, str], Any]:
        import z3

        def byte(version: int, offset: int, form: str) -> Any:
            key = (count, version, offset, form)
            if key not in self._bytes:
                self._bytes[key] = self.values.byte(z3, versions[version], offset, form)
            return self._bytes[key]
        return byte

    def _formulas(self, observation: Observation, versions: list[dict[str, Any]]) -> list[Any]:
        import z3

        byte = self._byte(observation.versions, versions)
        formulas = [formula for fact in observation.facts for formula in _fact(z3, fact, byte)]
        formulas.append(self.values.violated(z3, versions, observation, byte))
        return formulas

    def solves(self, observation: Observation) -> bool:
        """Whether the whole path that `observation` tells of is a violation for some values; asked anew each time."""
        import z3

        return bool(self._whole(observation).check() == z3.sat)

    def _whole(self, observation: Observation) -> Any:
        """A new solver that holds the assumptions and the whole path: earlier questions must not change its answers."""
        import z3

        versions = self._base(observation.versions)[1]
        solver = z3.SolverFor("QF_BV")
        solver.set("timeout", TIMEOUT_MS)
        for formula in (*(f for _, f in self.values.assume(z3, versions)), *self._formulas(observation, versions)):
            solver.add(formula)
        self.queries += 1
        return solver

    def concrete(self, observation: Observation) -> list[dict[str, int]] | None:
        """Values of every version for which the whole path is a violation, None where there are none.

        Preferences of the spec are kept one by one where an answer remains, so the values read well; what they leave
        open is the least there is, so the values do not depend on what z3 was asked before.
        """
        import z3

        versions = self._base(observation.versions)[1]
        solver = self._whole(observation)
        if solver.check() != z3.sat:
            return None
        for wish in self.values.prefer(z3, versions):
            if solver.check(wish) == z3.sat:
                solver.add(wish)
        variables = [variable for version in versions for variable in version.values()]
        found = iter(_least(z3, solver, variables))
        return [{name: next(found) for name in version} for version in versions]

    def assumptions(self) -> tuple[str, ...]:
        """The names of the assumptions every answer rests on."""
        import z3

        return tuple(dict.fromkeys(name for name, _ in self.values.assume(z3, self._base(2)[1])))


def _least(z3: Any, solver: Any, variables: list[Any]) -> list[int]:
    """The values of bit-vectors that are least in order, each bit by bit from the top; the solver has an answer."""
    if solver.check() != z3.sat:
        raise InternalError("z3 lost an answer it had; please report this")
    model = solver.model()
    values = []
    for variable in variables:
        for bit in reversed(range(variable.size())):
            clear = z3.Extract(bit, bit, variable) == 0
            possible = z3.is_true(model.eval(clear, model_completion=True))
            if not possible and solver.check(clear) == z3.sat:
                possible, model = True, solver.model()
            solver.add(clear if possible else z3.Not(clear))
        values.append(model.eval(variable, model_completion=True).as_long())
    return values


def _fact(z3: Any, fact: SeenFact, byte: Callable[[int, int, str], Any]) -> list[Any]:
    """What a comparison's outcome says of the bytes; bytes not carried say nothing."""
    if fact.test != "equal":
        return []  # which form a byte has is in the observation itself
    left, right = fact.values
    pairs = list(zip(left.bytes, right.bytes, strict=False))
    known = [(a, b) for a, b in pairs if a[1] >= 0 and b[1] >= 0]
    whole = len(left.bytes) == len(right.bytes) == len(known)
    if not fact.outcome and not whole:
        return []
    same = [byte(a[1], a[0], a[2]) == byte(b[1], b[0], b[2]) for a, b in known if a != b]
    if fact.outcome:
        return same
    return [z3.Not(z3.And(same)) if same else z3.BoolVal(False)]


def word(z3: Any, seen: Seen, byte: Callable[[int, int, str], Any]) -> Any:
    """The value of a loaded word, little endian; every byte must be carried."""
    parts = [byte(version, offset, form) for offset, version, form in reversed(seen.bytes)]
    return parts[0] if len(parts) == 1 else z3.Concat(*parts)


class ConcreteBytes:
    """Bytes of versions with known values: `bytes(version, offset, form)`, -1 where no values are known."""

    def __init__(self, values: Values | None, numbers: tuple[dict[str, int], ...]) -> None:
        self._values = values
        self._numbers = numbers
        self._known: dict[tuple[int, int, str], int] = {}

    def __call__(self, version: int, offset: int, form: str) -> int:
        if self._values is None or not 0 <= version < len(self._numbers):
            return -1
        key = (version, offset, form)
        if key not in self._known:
            import z3

            sizes = {name: 8 * (hi - lo) for name, lo, hi in self._values.fields}
            fields = {name: z3.BitVecVal(value, sizes[name]) for name, value in self._numbers[version].items()}
            self._known[key] = z3.simplify(self._values.byte(z3, fields, offset, form)).as_long()
        return self._known[key]

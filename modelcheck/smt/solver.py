"""Every question put to z3: whether an observation is a violation for some values, and concrete values for a path.

z3 is imported when the first question is asked.  Its one invariant: UNSAT of an observation is final for all
64-bit values under the spec's named assumptions; SAT of a projected one is only a question, to be asked again for
the whole path (design.md section 2).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from modelcheck.errors import InternalError
from modelcheck.smt.cores import Cores
from modelcheck.smt.guarded import GuardedFormulas
from modelcheck.smt.values import Observation, Seen, Values

TIMEOUT_MS = 60_000
Bytes = tuple[tuple[int, int, str], ...]


@dataclass(slots=True)
class Solver:
    """Answers, cached by the observation's canonical form, and what they cost.

    An observation is a set of formulas: the assumptions on its number of versions, what each fact says of single
    bytes, and the parts of `violated`.  Observations share most of them, so z3 keeps every formula it was given, and a
    set it refuted refutes every observation that has it (`cores`).  The assumptions are formulas like the others: a
    core found among five versions holds among seven if they have what it needs, and a number of versions that cannot
    exist refutes no smaller one.

    `asked` counts the distinct observations that `possible` decided, `spared` those of them that z3 did not see
    because a core refuted them.  `queries` are the questions z3 got: the others of `asked`, and one for each `solves`
    and `concrete`.  `unknown` are those of `possible` that it gave up.  `seconds` is the time spent on all three,
    formulas included, by `clock`.  An answer that z3 gives depends on the observation alone; which questions it got,
    or gave up in time, depends also on what was asked before.
    """

    values: Values
    clock: Callable[[], float] = time.monotonic
    asked: int = 0
    spared: int = 0
    queries: int = 0
    unknown: int = 0
    seconds: float = 0.0
    _known: dict[Observation, bool] = field(default_factory=dict)
    _variables: list[dict[str, Any]] = field(default_factory=list)  # of every version, the oldest first
    _bytes: dict[tuple[int, int, str], Any] = field(default_factory=dict)
    _assumed: dict[int, frozenset[int]] = field(default_factory=dict)  # formulas by number of versions
    _facts: dict[tuple[Bytes, Bytes, bool], frozenset[int]] = field(default_factory=dict)
    _formulas: GuardedFormulas = field(default_factory=lambda: GuardedFormulas(TIMEOUT_MS))
    _cores: Cores = field(default_factory=Cores)

    def possible(self, observation: Observation) -> bool:
        """Whether values exist for which the observation is a violation; an undecided question counts as possible."""
        known = self._known.get(observation)
        if known is None:
            with self._timed():
                known = self._known[observation] = self._decide(observation)
            self.asked += 1
        return known

    def _decide(self, observation: Observation) -> bool:
        question = self._without_violation(observation)
        if not self._cores.refute(question):  # most are refuted here, before `violated` is built
            question |= {self._formulas.number(part) for part in _parts(self._violated(observation))}
            if not self._cores.refute(question):
                return self._ask(question)
        self.spared += 1
        return False

    def _ask(self, question: frozenset[int]) -> bool:
        import z3

        self.queries += 1
        answer, core = self._formulas.check(question)
        if answer == z3.unsat:
            self._cores.add(core)
        elif answer == z3.unknown:
            self.unknown += 1
        return bool(answer != z3.unsat)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - started

    # -- formulas -----------------------------------------------------------------------------------------------

    def _versions(self, count: int) -> list[dict[str, Any]]:
        """The variables of `count` versions; version k has the same ones whatever the count."""
        import z3

        for k in range(len(self._variables), count):
            sizes = [(name, 8 * (hi - lo)) for name, lo, hi in self.values.fields]
            self._variables.append({name: z3.BitVec(f"{name}_{k}", size) for name, size in sizes})
        return self._variables[:count]

    def _byte(self, version: int, offset: int, form: str) -> Any:
        key = (version, offset, form)
        if key not in self._bytes:
            import z3

            self._bytes[key] = self.values.byte(z3, self._variables[version], offset, form)
        return self._bytes[key]

    def _assumptions(self, count: int) -> list[Any]:
        import z3

        return [formula for _, formula in self.values.assume(z3, self._versions(count))]

    def _violated(self, observation: Observation) -> Any:
        import z3

        return self.values.violated(z3, self._versions(observation.versions), observation, self._byte)

    def _without_violation(self, observation: Observation) -> frozenset[int]:
        """The formulas of the assumptions and of the facts."""
        count, number = observation.versions, self._formulas.number
        if count not in self._assumed:
            self._assumed[count] = frozenset(number(formula) for formula in self._assumptions(count))
        found = [self._assumed[count]]
        for fact in observation.facts:
            if fact.test == "equal":
                key = (fact.values[0].bytes, fact.values[1].bytes, fact.outcome)
                if key not in self._facts:
                    self._facts[key] = frozenset(number(formula) for formula in _comparison(*key, self._byte))
                found.append(self._facts[key])
        return frozenset().union(*found)

    # -- whole paths --------------------------------------------------------------------------------------------

    def solves(self, observation: Observation) -> bool:
        """Whether the whole path that `observation` tells of is a violation for some values; asked anew each time."""
        import z3

        with self._timed():
            return bool(self._whole(observation).check() == z3.sat)

    def _whole(self, observation: Observation) -> Any:
        """A new solver that holds the assumptions and the whole path: earlier questions must not change its answers."""
        import z3

        solver = z3.SimpleSolver()  # half the time of the QF_BV solver, for `solves` and for `concrete`
        solver.set("timeout", TIMEOUT_MS)
        solver.add(*self._assumptions(observation.versions))
        for fact in observation.facts:
            if fact.test == "equal":
                solver.add(*_comparison(fact.values[0].bytes, fact.values[1].bytes, fact.outcome, self._byte))
        solver.add(self._violated(observation))
        self.queries += 1
        return solver

    def concrete(self, observation: Observation) -> list[dict[str, int]] | None:
        """Values of every version for which the whole path is a violation, None where there are none.

        Preferences of the spec are kept one by one where an answer remains, so the values read well; what they leave
        open is the least there is, so the values do not depend on what z3 was asked before.
        """
        with self._timed():
            return self._concrete(observation)

    def _concrete(self, observation: Observation) -> list[dict[str, int]] | None:
        import z3

        versions = self._versions(observation.versions)
        solver = self._whole(observation)
        if solver.check() != z3.sat:
            return None
        for wish in self.values.prefer(z3, versions):
            if solver.check(wish) == z3.sat:
                solver.add(wish)
        variables = [variable for version in versions for variable in version.values()]
        found = iter(least_values(z3, solver, variables))
        return [{name: next(found) for name in version} for version in versions]

    def assumptions(self) -> tuple[str, ...]:
        """The names of the assumptions every answer rests on."""
        import z3

        return tuple(dict.fromkeys(name for name, _ in self.values.assume(z3, self._versions(2))))


def least_values(z3: Any, solver: Any, variables: list[Any]) -> list[int]:
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


def _parts(formula: Any) -> list[Any]:
    """Formulas that hold together exactly where `formula` holds: the children of a conjunction."""
    import z3

    return list(formula.children()) if z3.is_and(formula) else [formula]


def _comparison(left: Bytes, right: Bytes, outcome: bool, byte: Callable[[int, int, str], Any]) -> list[Any]:
    """What the outcome of a comparison for equality says of the bytes; bytes not carried say nothing.

    Other tests ask which form a byte has, and that is in the observation itself.
    """
    import z3

    known = [(a, b) for a, b in zip(left, right, strict=False) if a[1] >= 0 and b[1] >= 0]
    whole = len(left) == len(right) == len(known)
    if not outcome and not whole:
        return []
    pairs = [(min(a, b), max(a, b)) for a, b in known if a != b]  # in one order: x == y and y == x are one formula
    same = [byte(a[1], a[0], a[2]) == byte(b[1], b[0], b[2]) for a, b in pairs]
    if outcome:
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

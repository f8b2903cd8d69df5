"""Observations with known values: whether one is a violation, and values that further versions may have.

What z3 found for a counterexample is asked again of another schedule with the same updates.  Its one invariant: with
every value known there is nothing left to search for, so the answer is that of the spec's formula and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from modelcheck.errors import InternalError
from modelcheck.smt.solver import TIMEOUT_MS, ConcreteBytes, least_values
from modelcheck.smt.values import Observation, Values

Numbers = tuple[dict[str, int], ...]


def violates(values: Values, observation: Observation, numbers: Numbers) -> bool:
    """Whether an observation over versions with these numbers is a violation; all its bytes must be known."""
    import z3

    known = ConcreteBytes(values, numbers)

    def byte(version: int, offset: int, form: str) -> Any:
        return z3.BitVecVal(known(version, offset, form), 8)

    versions = _fixed(values, numbers[: observation.versions])
    answer = z3.simplify(values.violated(z3, versions, observation, byte))
    if not z3.is_true(answer) and not z3.is_false(answer):
        raise InternalError("a property of known values is neither true nor false; please report this")
    return bool(z3.is_true(answer))


def looks_at_makers(values: Values, observation: Observation, texts: Iterable[str]) -> bool:
    """Whether it makes a difference to a spec which of these steps made the versions of an observation."""
    import z3

    fields = [(name, 8 * (hi - lo)) for name, lo, hi in values.fields]
    count = observation.versions
    versions = [{name: z3.BitVec(f"{name}_of_{k}", size) for name, size in fields} for k in range(count)]

    def byte(version: int, offset: int, form: str) -> Any:
        return values.byte(z3, versions[version], offset, form)

    formulas = []
    for text in texts:
        made = (("", -1), *((text, k) for k in range(count - 1)))
        formulas.append(values.violated(z3, versions, replace(observation, made=made[:count]), byte))
    return any(not z3.eq(formulas[0], formula) for formula in formulas[1:])


def further(values: Values, numbers: Numbers, count: int, failed: Observation | None = None) -> Numbers:
    """Values of `count` versions after those given, under the spec's assumptions; () where there are none.

    `failed` is an observation over all of them that is a violation, which tells what a spec knows of their history.

    As in `Solver.concrete`: the spec's preferences where they cost no answer, and what they leave open is least.
    """
    import z3

    fresh = [
        {name: z3.BitVec(f"{name}_next_{k}", 8 * (hi - lo)) for name, lo, hi in values.fields} for k in range(count)
    ]
    versions = [*_fixed(values, numbers), *fresh]
    solver = z3.SimpleSolver()
    solver.set("timeout", TIMEOUT_MS)
    solver.add(*(formula for _, formula in values.assume(z3, versions)))
    if failed is not None:
        known = ConcreteBytes(values, numbers)

        def byte(version: int, offset: int, form: str) -> Any:
            if version < len(numbers):
                return z3.BitVecVal(known(version, offset, form), 8)
            return values.byte(z3, versions[version], offset, form)

        solver.add(values.violated(z3, versions, failed, byte))
    if solver.check() != z3.sat:
        return ()
    for wish in map(z3.simplify, values.prefer(z3, versions)):
        if not z3.is_true(wish) and not z3.is_false(wish) and solver.check(wish) == z3.sat:
            solver.add(wish)
    found = iter(least_values(z3, solver, [variable for version in fresh for variable in version.values()]))
    return tuple({name: next(found) for name in version} for version in fresh)


def _fixed(values: Values, numbers: Numbers) -> list[dict[str, Any]]:
    import z3

    sizes = {name: 8 * (hi - lo) for name, lo, hi in values.fields}
    return [{name: z3.BitVecVal(value, sizes[name]) for name, value in version.items()} for version in numbers]

"""Side conditions of a spec that z3 proves for all parameter values at once: the geometry, say.

Its one invariant: an obligation is stated as what must never hold, and UNSAT proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Obligation:
    """`never(z3)` builds the negation of what `name` says; it must be unsatisfiable."""

    name: str
    never: Callable[[Any], Any]


def prove(obligation: Obligation) -> str:
    """"" where z3 proves it, else the counterexample or the reason as text."""
    import z3

    solver = z3.Solver()
    solver.set("timeout", 60_000)
    solver.add(obligation.never(z3))
    answer = solver.check()
    if answer == z3.unsat:
        return ""
    return f"not proved: {solver.model()}" if answer == z3.sat else f"z3 gave up: {solver.reason_unknown()}"

"""Asking one property of a spec, whole or without a piece, by the projections that prove it.

What does not look at memory (a property of words, a model without areas) is asked once for all memory models.  Parts of
models that come out equal are searched once; so a piece that a property cannot see costs nothing but the making of the
model.  Its one invariant: what is known is keyed by all that an answer depends on, the bounds apart, which stay as they
are.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import Engine
from modelcheck.explore.verdict import Options, Outcome, Searched
from modelcheck.explore.verify import verify
from modelcheck.smt.solver import Solver
from modelcheck.spec import Setting, Spec
from modelcheck.system.model import Model

Reached = tuple[frozenset[str], frozenset[tuple[str, int]]]  # witnesses, and source lines


@dataclass(slots=True)
class Known:
    """What is known of the whole spec, or of it without one piece: parts that were searched, answers without memory."""

    parts: dict[Hashable, Searched] = field(default_factory=dict)
    anywhere: dict[Setting, list[Outcome]] = field(default_factory=dict)


class Asker:
    """Asks within one set of bounds; z3's answers are shared by all models of one account of values."""

    def __init__(self, bounds: Bounds, engine: Engine) -> None:
        self.bounds, self.engine = bounds, engine
        self.solvers: dict[Hashable, Solver] = {}

    def outcomes(self, spec: Spec, setting: Setting, known: Known) -> list[Outcome]:
        """What each projection came to, up to the first that is violated; the last is INCOMPLETE where time is up."""
        if bare(setting) in known.anywhere:
            return known.anywhere[bare(setting)]
        found: list[Outcome] = []
        for projection in self._projections(spec, setting):
            bound = self.bounds.reached(0)
            if bound:
                return [*found, Outcome("incomplete", bound=bound)]
            found.append(self.verify(spec, setting, projection, known))
            if found[-1].verdict == "violated":
                break
        if not found:
            return [Outcome("incomplete", bound=self.bounds.reached(0))]
        whole = "incomplete" not in {outcome.verdict for outcome in found}
        if whole and _without_memory(spec.model(setting, None), setting.property):
            known.anywhere[bare(setting)] = found
        return found

    def _projections(self, spec: Spec, setting: Setting) -> tuple[Hashable, ...]:
        return () if self.bounds.reached(0) else spec.projections(setting)  # no models are built in vain

    def verify(
        self, spec: Spec, setting: Setting, projection: Hashable, known: Known, polish: bool = False
    ) -> Outcome:
        """One projection; `polish` makes a counterexample canonical and gives it values."""
        model = spec.model(setting, projection)
        solver = self._solver(model) if model.properties[setting.property].kind == "observation" else None
        return verify(
            model, setting.property, self.bounds, Options(polish=polish, engine=self.engine), solver,
            lambda: spec.model(setting, None), known=known.parts,
        )  # fmt: skip

    def _solver(self, model: Model) -> Solver | None:
        if model.values is None:
            return None
        return self.solvers.setdefault(model.values.key, Solver(model.values))


def _without_memory(model: Model, name: str) -> bool:
    return not model.areas or model.properties[name].kind == "data"


def reached(outcomes: list[Outcome]) -> Reached:
    """The witnesses and source lines that some projection reached."""
    names = frozenset[str]().union(*(outcome.reached for outcome in outcomes))
    return names, frozenset[tuple[str, int]]().union(*(outcome.covered for outcome in outcomes))


def union(one: Reached | None, other: Reached) -> Reached:
    """What either reached."""
    return other if one is None else (one[0] | other[0], one[1] | other[1])


def bare(setting: Setting) -> Setting:
    """A setting, whatever the memory model."""
    return replace(setting, memory="")

"""What is shown of a violation: a run of the full model, how much of its end repeats, and how it ranks among others.

Its one invariant: the steps are those of a run that the reference semantics took.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.errors import InternalError
from modelcheck.explore.analysis import Finding
from modelcheck.explore.canonical import Rank, rank_of
from modelcheck.explore.confirm import Confirmer
from modelcheck.explore.lasso import UNROLLED, lasso_of
from modelcheck.explore.run import Run
from modelcheck.system.local_space import Edge
from modelcheck.system.model import Property


class Shown:
    """A run of the full model to show, with concrete values, the length of its loop, and how short it is."""

    def __init__(
        self,
        run: Run | None = None,
        numbers: list[dict[str, int]] | None = None,
        loop: int = 0,
        how: str = "",
        finding: Finding | None = None,
        length: int | None = None,
    ) -> None:
        taken = run.steps[:length] if run is not None else []
        self.steps = tuple((step.edge.process, step.edge.choice) for step in taken)
        self.numbers = numbers or []
        self.loop = loop
        self.how = how
        self.finding = finding

    @property
    def rank(self) -> tuple[int, Rank]:
        """What is shown of several parts' violations is the least of them all."""
        return rank_of(self.steps)


def starved(
    confirmer: Confirmer, prop: Property, edges: list[Edge], loop: list[Edge], finding: Finding
) -> Shown:
    """A run whose loop closes on the full model too, which may take a few turns to come to what repeats."""
    for turns in UNROLLED if loop else (1,):
        for run in confirmer.runs(edges + turns * loop):
            lasso = lasso_of(run, prop)
            if lasso is not None:
                fair = [i for i, process in enumerate(run.system.processes) if process.name in prop.fair]
                found = replace(finding, stuck=() if lasso.loop else tuple(fair))
                how = f"shortest way to a {'loop' if lasso.loop else 'standstill'} of the reduced graph"
                return Shown(run, None, lasso.loop, how, found, lasso.steps)
    raise InternalError(f"the counterexample to {prop.name} does not repeat on the full model; please report this")

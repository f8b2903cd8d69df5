"""What is shown of a violation: a run of the full model, how much of its end repeats, and how it ranks among others.

Its one invariant: the steps are those of a run that the reference semantics took.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelcheck.errors import InternalError
from modelcheck.explore.analysis import Finding
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import Rank, canonical_paths, rank_of
from modelcheck.explore.confirm import Confirmed, Confirmer, edges_of
from modelcheck.explore.found import Found
from modelcheck.explore.lasso import UNROLLED, lasso_of
from modelcheck.explore.reduce import Part
from modelcheck.explore.run import Run
from modelcheck.explore.verdict import Options
from modelcheck.expression import Expr
from modelcheck.system.edge import Edge
from modelcheck.system.model import Property


@dataclass(slots=True)
class Violation:
    """A violation in one part: the path or what was found on the graph, and the confirmed run where values matter."""

    part: Part
    found: Found
    finding: Finding | None
    confirmed: Confirmed | None


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


def shown_of(
    violation: Violation, confirmer: Confirmer, prop: Property, options: Options, bounds: Bounds
) -> Shown:
    """The run that is shown for a violation: canonical, with concrete values, where that was asked for."""
    if violation.confirmed is None:
        return _replayed(violation, confirmer, prop, options, bounds)
    run, observation = violation.confirmed
    if not options.polish:
        return Shown(run)
    (run, observation), how = confirmer.best(
        violation.part, violation.found.path or (), violation.confirmed, options.canonical_states, bounds,
        options.engine,
    )  # fmt: skip
    return Shown(run, confirmer.numbers(observation), how=how)


def _replayed(
    violation: Violation, confirmer: Confirmer, prop: Property, options: Options, bounds: Bounds
) -> Shown:
    finding, found, part = violation.finding, violation.found, violation.part
    path = finding.path if finding is not None else found.path or ()
    loop = finding.loop if finding is not None else ()
    how = "shortest of the reduced graph"
    edges = edges_of(part, [taken.step(found.tables) for taken in path])
    if finding is None and prop.kind != "invariant" and options.polish:
        paths = canonical_paths(
            part.plain,
            lambda _, step: step.breaks == prop.name,
            len(edges),
            options.canonical_states,
            bounds,
            options.engine,
        )
        better = next(paths, None)
        if better is not None:
            edges, how = [step.moves[0].edge for step in better], "shortest, then fewest switches"
    repeated = [m.edge for taken in loop for m in taken.step(found.tables).moves]
    if prop.kind == "eventually" and finding is not None:
        return _starved(confirmer, prop, edges, repeated, finding)
    whole = edges + repeated
    ends = finding is not None or prop.kind == "invariant"

    def accept(run: Run) -> bool:
        return ends or bool(run.steps) and run.steps[-1].edge.breaks == prop.name

    run = confirmer.replayed(whole, accept, prop.name)
    length = _first_broken(run, prop.condition) if prop.kind == "invariant" and prop.condition is not None else None
    return Shown(run, loop=len(whole) - len(edges), how=how, finding=finding, length=length)


def _first_broken(run: Run, invariant: Expr) -> int:
    """After how many steps of the run the invariant is false: a merged step may have gone on from there."""
    again = Run(run.system, words=run.words)
    for number, taken in enumerate(run.steps):
        if not again.value(invariant):
            return number
        again.take(taken.edge)
    return len(run.steps)


def _starved(
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

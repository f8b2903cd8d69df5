"""Confirming a violation on the full model: no run is shown that the reference semantics did not take step by step.

A path of reduced tables is told as single moves, lifted to the full model with every byte of every access, and where
values matter the whole path is put to z3 as one query.  Its one invariant: what is confirmed is a run of the full
model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from modelcheck.errors import InternalError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.engine import Engine
from modelcheck.explore.found import Path, State
from modelcheck.explore.lift import lifts
from modelcheck.explore.observing import Observer
from modelcheck.explore.reduce import Part
from modelcheck.explore.run import Run
from modelcheck.explore.table import Step
from modelcheck.smt.solver import Solver
from modelcheck.smt.values import Observation
from modelcheck.system.link import System
from modelcheck.system.local_space import Edge
from modelcheck.system.model import Model

MOST_TRIES = 8  # paths tried for one observation before its question is left open
Confirmed = tuple[Run, Observation]


class Confirmer:
    """Lifts paths to the full model that `full` makes, and asks z3 about whole paths; counts them in `paths`."""

    def __init__(self, full: Callable[[], Model], watched: frozenset[str], solver: Solver | None) -> None:
        self._full = full
        self._watched = watched
        self.solver = solver
        self.paths = 0
        self._target: System | None = None

    @property
    def target(self) -> System:
        """The full model, linked when it is first needed."""
        if self._target is None:
            self._target = System(self._full(), self._watched)
        return self._target

    def confirm(self, part: Part, steps: list[Step]) -> Confirmed | None:
        """A run of the full model along `steps` that ends in an observation z3 finds a violation, and what it is."""
        assert self.solver is not None
        for run in lifts(self.target, edges_of(part, steps)):
            observation = whole_observation(run)
            if observation is None:
                continue
            self.paths += 1
            if self.solver.solves(observation):
                return run, observation
        return None

    def best(
        self, part: Part, path: Path, first: Confirmed, most_states: int, bounds: Bounds, engine: Engine
    ) -> tuple[Confirmed, str]:
        """A canonical confirmed run where one is found, else the first one; and how short it is known to be."""
        assert self.solver is not None
        solver, observer = self.solver, Observer(part.unmerged.index)
        longest = sum(len(taken.step(part.tables).moves) for taken in path)

        def goal(state: State, step: Step) -> bool:
            return step.observes is not None and solver.possible(observer.observation(step.observes, state))

        for steps in islice(canonical_paths(part.unmerged, goal, longest, most_states, bounds, engine), MOST_TRIES):
            confirmed = self.confirm(part, list(steps))
            if confirmed is not None:
                whole = "shortest" if part.summary is None else "shortest beside the summary of the other processes"
                return confirmed, f"{whole}, then fewest switches"
        return first, "shortest of the reduced graph"

    def numbers(self, observation: Observation) -> list[dict[str, int]]:
        """Concrete values for the run that is shown."""
        assert self.solver is not None
        numbers = self.solver.concrete(observation)
        if numbers is None:
            raise InternalError("z3 lost an answer it had; please report this")
        return numbers

    def runs(self, edges: list[Edge]) -> Iterator[Run]:
        """The runs of the full model along `edges`, one for each way to order what they leave open."""
        return lifts(self.target, edges)

    def replayed(self, edges: list[Edge], accept: Callable[[Run], bool], name: str) -> Run:
        """The run of the full model along `edges`; a path of reduced tables that has none is an error of ours."""
        run = next((run for run in self.runs(edges) if accept(run)), None)
        if run is None:
            raise InternalError(f"the counterexample to {name} does not replay on the full model; please report this")
        return run


def edges_of(part: Part, steps: list[Step]) -> list[Edge]:
    """A path of a part, as the edges of the whole system that it stands for."""
    moves = [move for step in steps for move in step.moves]
    return [move.edge for move in (part.summary.undo(moves) if part.summary is not None else moves)]


def whole_observation(run: Run) -> Observation | None:
    """The observation that the last step of a run makes, over all versions of the run; None where it makes none."""
    if not run.steps:
        return None
    edge = run.steps[-1].edge
    action = run.system.spaces[edge.process].machine.nodes[edge.node].action
    if action is None or not action.observes or edge.piece is not None:
        return None
    seen = tuple(
        run.seen(edge.process, register.index, register.access.lo, register.access.hi, name)
        for name, register in zip(action.names, action.registers, strict=True)
    )
    sorts = {run.system.model.areas[register.access.area].sort for register in action.registers}
    newest = max((run.newest.get(sort, 0) for sort in sorts), default=0)
    sort = min(sorts, default="")
    made = tuple(run.made.get((sort, version), ("", -1)) for version in range(newest + 1))
    return Observation(action.observes, seen, tuple(fact for _, fact in run.facts), newest + 1, whole=True, made=made)

"""The reference search: breadth first, exact, over the states of a table.

Whole states are stored; nothing is hashed away.  Its one invariant: a state's number is its place in breadth-first
order, so the first violation found is one of fewest steps of the graph searched.  What is looked for comes in as a
value (`Goals`); the loop stands here once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modelcheck.explore.ample_set import AmpleSets
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.successors import State, Successors
from modelcheck.explore.table import Step, Tables
from modelcheck.expression import evaluate

CHECK_EVERY = 256  # states between two looks at bounds and progress


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of a path: which process took which of the steps out of its local state."""

    process: int
    pc: int
    number: int

    def step(self, tables: Tables) -> Step:
        """The step itself."""
        return tables.processes[self.process].steps[self.pc][self.number]


Path = tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Goals:
    """What ends a search: a step that breaks a property, or an observation that `decide` calls a violation.

    `decide(state, step, path)` is asked about every observing step; it answers whether this is a violation.
    """

    decide: Callable[[State, Step, Callable[[], Path]], bool] | None = None
    keep_graph: bool = False


@dataclass(slots=True)
class Found:
    """The outcome of a search: the graph's size, and the violation if there is one.

    `bound` says in words what ended the search early ("" if it is complete).  `graph`, where asked for, has for each
    state the list of (process, step number, next state).
    """

    tables: Tables
    states: dict[State, int]
    parents: list[tuple[int, int, int]]  # (parent, process, step number) by state number
    transitions: int = 0
    depth: int = 0
    bound: str = ""
    violated: str = ""
    path: Path | None = None
    graph: list[list[tuple[int, int, int]]] = field(default_factory=list)
    taken: set[tuple[int, int, int]] = field(default_factory=set)

    def path_to(self, number: int) -> Path:
        """The steps from the initial state to the state of that number."""
        order = list(self.states)
        steps: list[Taken] = []
        while number:
            parent, process, step = self.parents[number]
            steps.append(Taken(process, order[parent][process], step))
            number = parent
        return tuple(reversed(steps))


Report = Callable[[int, int, int], None]


def search(
    tables: Tables, bounds: Bounds, goals: Goals = Goals(), ample: bool = True, report: Report | None = None
) -> Found:
    """Explores the table's states; `ample` reduces by partial order; `report` gets states, depth and frontier."""
    run = _Run(tables, bounds, goals, ample, report)
    return run.explore()


class _Run:
    def __init__(self, tables: Tables, bounds: Bounds, goals: Goals, ample: bool, report: Report | None) -> None:
        self.successors = Successors(tables)
        self.goals = goals
        self.bounds = bounds
        self.report = report
        self.count = len(tables.processes)
        self.ample = AmpleSets(tables) if ample and self.count > 1 else None
        self.found = Found(tables, {self.successors.initial: 0}, [(0, -1, -1)])
        self.special = [
            [[bool(step.breaks) or step.observes is not None for step in steps] for steps in table.steps]
            for table in tables.processes
        ]

    def explore(self) -> Found:
        found = self.found
        frontier = [self.successors.initial]
        number = 0
        if self._invariant(self.successors.initial, 0):
            return found
        while frontier:
            following: list[State] = []
            for state in frontier:
                if number % CHECK_EVERY == 0 or len(found.states) >= self.bounds.states > 0:
                    found.bound = self.bounds.reached(len(found.states))
                    if found.bound:
                        return found
                    if self.report is not None:
                        self.report(len(found.states), found.depth, len(frontier))
                if self._expand(state, number, following):
                    return found
                number += 1
            frontier = following
            if following:
                found.depth += 1
        return found

    def _expand(self, state: State, number: int, following: list[State]) -> bool:
        """Adds the successors of a state; answers whether a violation was found."""
        found = self.found
        states, parents = found.states, found.parents
        out_edges: list[tuple[int, int, int]] = []
        for p, outs in self._chosen(state):
            pc = state[p]
            special = self.special[p][pc]
            for which, after in outs:
                found.transitions += 1
                found.taken.add((p, pc, which))
                if special[which] and self._violates(state, number, p, which):
                    return True
                known = states.get(after)
                if known is None:
                    known = states[after] = len(parents)
                    parents.append((number, p, which))
                    following.append(after)
                    if self._invariant(after, known):
                        return True
                out_edges.append((p, which, known))
        if self.goals.keep_graph:
            found.graph.append(out_edges)
        return False

    def _chosen(self, state: State) -> list[tuple[int, list[tuple[int, State]]]]:
        functions = self.successors.steps
        if self.ample is not None:
            for cluster in self.ample.clusters(state[: self.count]):
                outs = [(p, functions[p][state[p]](state)) for p in cluster]
                if any(out for _, out in outs):
                    return outs
        return [(p, functions[p][state[p]](state)) for p in range(self.count)]

    def _violates(self, state: State, number: int, process: int, which: int) -> bool:
        step = self.found.tables.processes[process].steps[state[process]][which]
        last = Taken(process, state[process], which)
        if step.breaks:
            self.found.violated = step.breaks
        elif step.observes is not None and self.goals.decide is not None:
            if not self.goals.decide(state, step, lambda: (*self.found.path_to(number), last)):
                return False
            self.found.violated = step.observes.property
        else:
            return False
        self.found.path = (*self.found.path_to(number), last)
        return True

    def _invariant(self, state: State, number: int) -> bool:
        tables = self.found.tables
        for name, condition in tables.invariants:
            values = dict(zip(tables.slots, state, strict=True))
            if not evaluate(condition, values):
                self.found.violated = name
                self.found.path = self.found.path_to(number)
                return True
        return False

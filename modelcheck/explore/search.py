"""The reference search: breadth first, exact, over the states of a table.

Whole states are stored; nothing is hashed away.  Its one invariant: a state's number is its place in breadth-first
order, so the first violation found is one of fewest steps of the graph searched.  What is looked for comes in as a
value (`Goals`); the loop stands here once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from modelcheck.explore.ample_set import AmpleSets
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.found import Answer, Edge, Found, Goals, Path, Report, State, Taken
from modelcheck.explore.successors import Successors
from modelcheck.explore.table import Tables
from modelcheck.expression import evaluate

CHECK_EVERY = 256  # states between two looks at bounds and progress


class PythonFound(Found):
    """What the reference search found: `states` numbers them in order, `parents` has (parent, process, step)."""

    def __init__(self, tables: Tables, initial: State) -> None:
        self.tables = tables
        self.states: dict[State, int] = {initial: 0}
        self.parents: list[tuple[int, int, int]] = [(0, -1, -1)]
        self.taken = set()
        self.edges: list[list[Edge]] = []
        self._order: list[State] = []

    @property
    def size(self) -> int:
        return len(self.parents)

    def state(self, number: int) -> State:
        if number >= len(self._order):
            self._order = list(self.states)
        return self._order[number]

    def out(self, number: int) -> Sequence[Edge]:
        return self.edges[number] if number < len(self.edges) else ()

    def path_to(self, number: int) -> Path:
        steps: list[Taken] = []
        while number:
            parent, process, step = self.parents[number]
            steps.append(Taken(process, self.state(parent)[process], step))
            number = parent
        return tuple(reversed(steps))

    def alive(self, process: int) -> bytes:
        before: list[list[int]] = [[] for _ in self.parents]
        for number, out in enumerate(self.edges):
            for _, _, after in out:
                before[after].append(number)
        moving = [number for number, out in enumerate(self.edges) if any(edge[0] == process for edge in out)]
        alive = bytearray(self.size)
        for number in moving:
            alive[number] = 1
        todo = deque(moving)
        while todo:
            for number in before[todo.popleft()]:
                if not alive[number]:
                    alive[number] = 1
                    todo.append(number)
        return bytes(alive)

    def distinct(self, slots: Sequence[int], condition: int = -1) -> Iterator[int]:
        seen = set()
        for number, state in enumerate(self.states):
            key = tuple(state[i] for i in slots)
            if key in seen:
                continue
            if condition >= 0:
                values = dict(zip(self.tables.slots, state, strict=True))
                if not evaluate(self.tables.conditions[condition], values):
                    continue
            seen.add(key)
            yield number

    def loops(self, process: int, condition: int, slots: Sequence[int]) -> bool:
        return True  # the analysis looks for itself


def search(
    tables: Tables, bounds: Bounds, goals: Goals = Goals(), ample: bool = True, report: Report | None = None
) -> PythonFound:
    """Explores the table's states; `ample` reduces by partial order; `report` gets states, depth and frontier."""
    run = _Run(tables, bounds, goals, ample, report)
    return run.explore()


def expand(tables: Tables, state: State, ample: bool) -> None:
    """Runs the steps that a search expands a state by; raises what they raise."""
    _Run(tables, Bounds(), Goals(), ample, None).chosen(state)


class _Run:
    def __init__(self, tables: Tables, bounds: Bounds, goals: Goals, ample: bool, report: Report | None) -> None:
        self.successors = Successors(tables)
        self.goals = goals
        self.bounds = bounds
        self.report = report
        self.count = len(tables.processes)
        self.ample = AmpleSets(tables) if ample and self.count > 1 else None
        self.found = PythonFound(tables, self.successors.initial)
        self.special = [
            [[bool(step.breaks) or step.observes is not None for step in steps] for steps in table.steps]
            for table in tables.processes
        ]

    def explore(self) -> PythonFound:
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
        out_edges: list[Edge] = []
        for p, outs in self.chosen(state):
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
            found.edges.append(out_edges)
        return False

    def chosen(self, state: State) -> list[tuple[int, list[tuple[int, State]]]]:
        """What each process that is expanded leads to."""
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
            answer = self.goals.decide(state, step, lambda: (*self.found.path_to(number), last))
            if answer != Answer.VIOLATED:
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

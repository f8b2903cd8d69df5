"""A search by the native engine: what `explore.search` does, with the same numbers for the same states."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property

from modelcheck.errors import InternalError
from modelcheck.explore.bounds import Bounds, held_memory
from modelcheck.explore.found import Answer, Edge, Found, Goals, Path, Report, State, Taken
from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import Program, program_of
from modelcheck.explore.search import expand
from modelcheck.explore.table import Step, Tables


class NativeFound(Found):
    """What the native engine found; states and edges are read from it when they are asked for."""

    def __init__(self, tables: Tables, program: Program, search: _engine.Search) -> None:
        self.tables = tables
        self.taken = set()
        self._steps = program.steps
        self._search = search
        self.size_now = 0

    @property
    def size(self) -> int:
        return self.size_now

    @cached_property
    def bytes_per_state(self) -> float:
        """Bytes held for each state, its packed words included."""
        return self._search.figures()["bytes"] / max(self.size, 1)

    @property
    def packed_bytes(self) -> int:
        """Bytes of one packed state."""
        return 8 * self._search.figures()["words"]

    def state(self, number: int) -> State:
        return self._search.state(number)

    def out(self, number: int) -> Sequence[Edge]:
        found = []
        for step, after in self._search.edges(number):
            p, _, which = self._steps[step]
            found.append((p, which, after))
        return found

    def steps(self, number: int) -> Sequence[tuple[tuple[int, int, int], int]]:
        places = self._steps
        return [(places[step], after) for step, after in self._search.edges(number)]

    def path_to(self, number: int) -> Path:
        return tuple(Taken(*self._steps[step]) for step in self._search.path(number))

    def alive(self, process: int) -> bytes:
        return self._search.alive(process)

    def distinct(self, slots: Sequence[int], condition: int = -1) -> Iterator[int]:
        yield from array("I", self._search.distinct(slots, condition))

    def loops(self, process: int, condition: int, slots: Sequence[int]) -> bool:
        try:
            return self._search.loops(process, condition, slots)
        except MemoryError:
            return True  # not found out


def native_search(
    tables: Tables, bounds: Bounds, goals: Goals = Goals(), ample: bool = True, report: Report | None = None,
    threads: int = 1,
) -> NativeFound:
    """Explores the table's states; raises Untakeable where the engine cannot take the tables."""
    program = program_of(tables, ample, goals.decide is not None)
    search = program.search(keep_graph=goals.keep_graph)
    found = NativeFound(tables, program, search)
    calls = Calls(found, program, search, goals, bounds, report, ample)
    if calls.reason:
        found.bound, found.size_now = calls.reason, 1
        return found
    outcome = search.run(calls.decide, calls.tick, threads, bounds.states, calls.most_bytes())
    figures = search.figures()
    found.size_now, found.transitions, found.depth = figures["states"], figures["transitions"], figures["depth"]
    found.taken = {program.steps[i] for i, taken in enumerate(search.taken()) if taken}
    last = Taken(*program.steps[figures["end_step"]]) if outcome in (_engine.BROKEN, _engine.VIOLATED) else None
    if last is not None:
        step = last.step(tables)
        found.violated = step.breaks or (step.observes.property if step.observes else "")
        found.path = (*found.path_to(figures["end_state"]), last)
    elif outcome == _engine.INVARIANT:
        found.violated = tables.invariants[figures["end_condition"]][0]
        found.path = found.path_to(figures["end_state"])
    elif outcome in (_engine.STATES, _engine.MEMORY, _engine.STOPPED):
        found.bound = calls.bound(outcome)
    elif outcome == _engine.FAILED:
        calls.fail(figures["end_state"])
    return found


class Calls:
    """What the engine asks while it runs: whether an observation is a violation, and whether to stop."""

    def __init__(
        self, found: NativeFound, program: Program, search: _engine.Search, goals: Goals, bounds: Bounds,
        report: Report | None, ample: bool = False,
    ) -> None:
        self.found = found
        self.program = program
        self.search = search
        self.goals = goals
        self.bounds = bounds
        self.report = report
        self.ample = ample
        self.reason = bounds.reached(0)

    def decide(self, number: int, step: int) -> int:
        """What `Goals.decide` says of a step out of a state."""
        if self.goals.decide is None:
            return int(Answer.NEVER)
        last = Taken(*self.program.steps[step])
        state = self.search.state(number)
        return int(self.goals.decide(state, self._step(last), lambda: (*self.found.path_to(number), last)))

    def _step(self, taken: Taken) -> Step:
        return taken.step(self.found.tables)

    def tick(self, states: int, depth: int, frontier: int) -> bool:
        """Whether a bound is reached or a signal came; tells the reporter."""
        self.reason = self.bounds.reached(states)
        if self.report is not None:
            self.report(states, depth, frontier)
        return bool(self.reason)

    def most_bytes(self) -> int:
        """What is left of the memory bound for the engine's own states, at least something; 0 is no bound."""
        return max(self.bounds.memory - held_memory(), 1) if self.bounds.memory else 0

    def bound(self, outcome: int) -> str:
        """Which bound ended the search, in words."""
        if outcome == _engine.STATES:
            return f"{self.bounds.states:,} states"
        if outcome == _engine.MEMORY and not self.bounds.memory:
            return "the memory of this machine"
        if outcome == _engine.MEMORY:
            return f"{self.bounds.memory / 2**20:,.0f} MiB of memory"
        return self.reason

    def fail(self, number: int) -> None:
        """Raises what the reference search raises where a step leaves a slot's domain."""
        state = self.search.state(number)
        expand(self.found.tables, state, self.ample)
        raise InternalError("the native engine refused a step that the reference search takes; please report this")

"""The nearest schedule that passes: the trace's own with one context switch moved by as few steps as it takes.

To move a switch from A to B later is to let A take its next steps before B goes on, earlier to let A take them when it
next runs.  What A does now it does not do then, so no switch comes, and one goes only where nothing is left between
two; where A does not run again in the trace it goes on by its first enabled step each time.  All else is the trace's:
each process takes its own steps in its own order while they are enabled, and where an answer differs (the values
dictate it) the step with that answer.  After the last step the failing process runs on alone, or who it waits for,
until it has passed its deciding point; and what the others have then still to do of the trace must violate nothing.

Its one invariant: what is answered is a run of the world that violates nothing and passes.  Candidates come in one
order: by the number of steps, then the switch nearest to the end of the trace, then later before earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from modelcheck.explain.schedule import Schedule
from modelcheck.explain.turn import Turn
from modelcheck.explain.ways import State, Way
from modelcheck.explain.world import World

BEYOND = 24  # steps that a process takes beyond its own in the trace
TAIL = 200  # steps after the trace's
MOST_STEPS = 60_000  # over all candidates

Goal = Callable[[State], bool]


@dataclass(frozen=True, slots=True)
class Moved:
    """A candidate: the switch before step `at` of the schedule, moved `by` steps later (negative: earlier)."""

    at: int
    by: int


@dataclass(slots=True)
class Passed:
    """A run that passes: what was moved, its steps, how it passed, and where the failing process got another answer.

    `how` is that of `Turn.passes`, or "goal".  `other` is (label, answer).
    """

    moved: Moved
    ways: list[Way]
    how: str
    other: tuple[str, str] | None


def nearest(schedule: Schedule, turn: Turn, goal: Goal | None = None) -> Passed | None:
    """The first candidate that passes; with `goal`, one that comes to a state where it holds."""
    room = MOST_STEPS
    before = schedule.passed(turn, len(schedule.ways))
    for moved in candidates(schedule.word):
        start = moved.at + min(moved.by, 0)
        attempt = _Attempt(schedule, turn, goal, moved, start, schedule.passed(turn, start) - before)
        passed = attempt.run()
        if passed is not None:
            return passed
        room -= len(attempt.ways) - start
        if room <= 0:
            return None
    return None


def candidates(word: list[int]) -> Iterator[Moved]:
    """Every way to move one switch, in order."""
    ends = [at for at in range(1, len(word)) if word[at] != word[at - 1]]
    for steps in range(1, max(len(word), BEYOND) + 1):
        for at in reversed(ends):
            following = _run_of(word, at, word[at - 1])
            if steps <= following or not following and steps <= BEYOND:
                yield Moved(at, steps)
            first = max([0, *(end for end in ends if end < at)])
            if steps <= at - first:
                yield Moved(at, -steps)


def _run_of(word: list[int], start: int, process: int) -> int:
    """How many steps the process takes in a row when it next runs, 0 where it does not."""
    if process not in word[start:]:
        return 0
    first = at = word.index(process, start)
    while at < len(word) and word[at] == process:
        at += 1
    return at - first


def word_of(word: list[int], moved: Moved) -> list[int]:
    """Whose turn it is at each step, with the switch moved."""
    process, rest = word[moved.at - 1], word[moved.at :]
    if moved.by > 0:
        for _ in range(min(moved.by, rest.count(process))):
            rest.remove(process)
        return [*word[: moved.at], *(moved.by * [process]), *rest]
    if process in rest:
        place = rest.index(process)
        rest[place:place] = -moved.by * [process]
    return [*word[: moved.at + moved.by], *rest]


@dataclass(slots=True)
class _Attempt:
    schedule: Schedule
    turn: Turn
    goal: Goal | None
    moved: Moved
    start: int
    passes: int  # so far, less those of the trace: one more passes
    state: State = ()
    ways: list[Way] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)  # steps of each process's lane that are done
    other: tuple[str, str] | None = None

    @property
    def world(self) -> World:
        return self.schedule.world

    def run(self) -> Passed | None:
        """The run, None where it does not pass."""
        done = self.schedule.word[: self.start]
        self.state = self.schedule.states[self.start]
        self.ways = self.schedule.ways[: self.start]
        self.taken = [done.count(place) for place in range(len(self.world.processes))]
        word = word_of(self.schedule.word, self.moved)
        for number in range(self.start, len(word)):
            how = self._step(word[number])
            if how is None or how:
                return self._passed(how, word[number + 1 :])
        last = self.ways[-1].process
        for _ in range(TAIL):
            ready = [p for p in self._order(last) if self.world.enabled(self.state, p)]
            how = self._step(ready[0]) if ready else None
            if how is None or how:
                return self._passed(how, [])
            last = self.ways[-1].process
        return None

    def _passed(self, how: str | None, rest: list[int]) -> Passed | None:
        """What passed, unless it only left the failure to another: what the others have still to do is done too."""
        if how is None:
            return None
        word, ways = self.schedule.word, list(self.ways)
        late = self.moved.by < 0 and word[self.moved.at - 1] not in word[self.moved.at :]
        rest = [*rest, *([word[self.moved.at - 1]] * -self.moved.by if late else [])]
        for place in rest if self.goal is None else []:
            way = self._choose(place) if self.world.processes[place] != self.turn.process else None
            after = self.world.after(self.state, way) if way is not None else None
            if way is not None and self.turn.fails(self.world, self.state, way):
                return None
            self.state = after or self.state
        return Passed(self.moved, ways, how, self.other)

    def _order(self, last: int) -> list[int]:
        """Who runs after the trace: the failing process, else who ran last, else the first that can."""
        failing = self.world.place[self.turn.process]
        return list(dict.fromkeys([failing, last, *range(len(self.world.processes))]))

    def _step(self, place: int) -> str | None:
        """One step of a process: how it passes, "" where it does not yet, None where it cannot step or fails."""
        world, turn = self.world, self.turn
        way = self._choose(place)
        if way is None or turn.fails(world, self.state, way):
            return None
        after = world.after(self.state, way)
        if after is None:
            return None
        self.state = after
        self.ways.append(way)
        if self.goal is not None:
            return "goal" if self.goal(after) else ""
        how = turn.passes(world, way)
        if not how or turn.guesses(way):
            return ""
        self.passes += 1
        return how if self.passes > 0 else ""

    def _choose(self, place: int) -> Way | None:
        """The process's next step in the trace, else the same action with another answer, else its first."""
        ways = self.world.enabled(self.state, place)
        lane, number = self.schedule.lanes[place], self.taken[place]
        if not ways or number >= len(lane):
            return ways[0] if ways else None
        wanted = lane[number].edge
        for way in ways:
            if way.edge.choice == wanted.choice:
                self.taken[place] += 1
                return way
        for way in ways:
            if way.edge.node == wanted.node and way.edge.piece is None and wanted.piece is None:
                self.taken[place] += 1
                if way.edge.process == self.turn.process and " -> " in way.edge.choice:
                    label, answer = way.edge.choice.rsplit(" -> ", 1)
                    self.other = label, answer
                return way
        return ways[0]

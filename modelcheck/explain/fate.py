"""When a failure was decided: the first step of a trace after which every schedule ends in it.

Precisely: a schedule *avoids* the failure if from some state on it violates the property nowhere and the failing
process passes its deciding point (`turn`).  The prefixes of the trace are taken from the last to the first, and from
the state after each a schedule that avoids the failure is looked for, among all that the model can do with the trace's
values (`given`); for an order of locks only once all the others of its cycle were asked for, since before that the
cycle can be left open by them.  What one prefix can do a longer one cannot do more, so the first prefix that has such
a schedule ends the search: the step after it is the answer.  A process that never goes on avoids nothing.

First a few schedules are tried, where another process runs for a while and then the failing one alone; else all are
searched, breadth first.  Of a process whose every next step is its own business only the steps of that process are
taken (ample sets, as in explore.ample_set; the proviso is that one of them leads to a new state).  A step of the
failing process that is its own business and a failure cannot be averted by anyone else.  What one process observes is
taken as its own business, though a version that another makes meanwhile counts as published.

Its one invariant: no bound is taken for an answer.  Where one ends a search, `open` says so, and the step is the first
after which all schedules were seen to fail.
"""

from __future__ import annotations

from collections import deque

from modelcheck.explain.nearest import Goal
from modelcheck.explain.schedule import Schedule
from modelcheck.explain.turn import Turn
from modelcheck.explain.world import State, Way, World
from modelcheck.trace.trace import Fate

MOST_STATES = 20_000  # from one prefix
AHEAD = 80  # steps that another process runs ahead
ALONE = 200  # steps that the failing process then runs alone


class Search:
    """A search over the prefixes of one schedule; with `goal` it is avoided by a state where that holds.

    `states` counts those stored, `doomed` are the ones that no schedule saves.
    """

    def __init__(self, world: World, turn: Turn, goal: Goal | None = None, most: int = MOST_STATES) -> None:
        self.world, self.turn, self.goal, self.most = world, turn, goal, most
        self.states = 0
        self.doomed: set[State] = set()
        self.failing = world.place[turn.process]
        self._order = [self.failing, *(p for p in range(len(world.processes)) if p != self.failing)]
        self._names, self._stamps = _renamed(world)

    # -- one prefix ---------------------------------------------------------------------------------------------

    def avoidable(self, state: State) -> bool | None:
        """Whether some schedule from here avoids the failure; None where a bound ended the search."""
        first = self.renamed(state)
        if first in self.doomed:
            return False
        if self._quickly(state):
            return True
        self.world.short = False  # from here on: what was only tried leaves nothing out
        seen, todo = {first}, deque([first])
        while todo:
            at = todo.popleft()
            following = self._following(at, seen)
            if following is None:
                self.states += len(seen)
                return True
            for after in following:
                if after not in seen and after not in self.doomed:
                    seen.add(after)
                    todo.append(after)
            if len(seen) > self.most:
                self.states += len(seen)
                return None
        self.states += len(seen)
        if self.world.short:
            return None
        self.doomed |= seen
        return False

    def _following(self, state: State, seen: set[State]) -> list[State] | None:
        """The states that one step leads to, without a failure; None where a step passes."""
        enabled = [self.world.enabled(state, place) for place in range(len(self.world.processes))]
        for place in self._order:
            ways = self._own_business(state, place, enabled[place])
            if not ways:
                continue
            found = self._steps(state, ways)
            if found is None:
                return None
            if not found and place == self.failing:
                return []  # it fails whatever the others do
            if any(after not in seen for after in found):
                return found
        following: list[State] = []
        for ways in enabled:
            found = self._steps(state, ways)
            if found is None:
                return None
            following += found
        return following

    def _steps(self, state: State, ways: list[Way]) -> list[State] | None:
        found = []
        for way in ways:
            if self.turn.fails(self.world, state, way):
                continue
            after = self.world.after(state, way)
            if after is None:
                continue
            if self._avoids(way, after):
                return None
            found.append(self.renamed(after))
        return found

    def _avoids(self, way: Way, after: State) -> bool:
        return bool(self.turn.passes(self.world, way)) if self.goal is None else self.goal(after)

    def _own_business(self, state: State, place: int, enabled: list[Way]) -> list[Way]:
        """The steps of a process that may be taken first, since no other process takes notice; none where some may.

        They are all of its steps, or one that performs a piece of which nothing matters and that hinders nothing.
        """
        idle = [way for way in enabled if way.idle][:1]
        if idle:
            return idle
        ways = self.world.ways(place, state[place])
        if not all(way.private for way in ways) or self.world.preempted(place, state[place]):
            return []
        if place != self.failing and any(way.edge.breaks for way in ways):
            return []
        return enabled if all(self.world.after(state, way) is not None for way in enabled) else []

    # -- a few schedules ----------------------------------------------------------------------------------------

    def _quickly(self, state: State) -> bool:
        """Whether the failing process avoids the failure alone, or after another has run for a while."""
        if self._alone(state):
            return True
        for place in range(len(self.world.processes)):
            at, met = state, set[State]()
            for _ in range(AHEAD if place != self.failing else 0):
                after = self._default(at, place)
                if after is None or after in met:
                    break
                if self.goal is not None and self.goal(after) or self._alone(after):
                    return True
                met.add(after)
                at = after
        return False

    def _alone(self, state: State) -> bool:
        """Whether the failing process passes when it alone goes on, by its first step each time."""
        met = set()
        for _ in range(ALONE):
            met.add(state)
            way = self._first(state, self.failing)
            after = self.world.after(state, way) if way is not None else None
            if way is None or after is None:
                return False
            if self._avoids(way, after):
                return True
            if after in met:
                return False
            state = after
        return False

    def _default(self, state: State, place: int) -> State | None:
        way = self._first(state, place)
        return None if way is None else self.world.after(state, way)

    def _first(self, state: State, place: int) -> Way | None:
        """The first step of a process that is no failure."""
        return next(
            (way for way in self.world.enabled(state, place) if not self.turn.fails(self.world, state, way)), None
        )

    # -- states -------------------------------------------------------------------------------------------------

    def renamed(self, state: State) -> State:
        """The state with names by first place and stamps without values by rank."""
        if not self._names and not self._stamps:
            return state
        found = list(state)
        for places in self._names:
            met = {-1: -1}
            for place in places:
                found[place] = met.setdefault(found[place], len(met) - 1)
        for places in self._stamps:
            held = sorted({found[place] for place in places if found[place] >= 0})
            rank = dict(zip(held, range(len(held)), strict=True))
            for place in places:
                found[place] = rank.get(found[place], -1)
        return tuple(found)


def _renamed(world: World) -> tuple[list[list[int]], list[list[int]]]:
    """Where the slots of each sort lie: of names, and of stamps that have no values."""
    names: dict[str, list[int]] = {}
    stamps: dict[str, list[int]] = {}
    for slot, place in world.index.items():
        if slot.domain.kind == "name":
            names.setdefault(slot.domain.sort, []).append(place)
        elif slot.domain.kind == "stamp" and slot.domain.sort not in world.versions:
            stamps.setdefault(slot.domain.sort, []).append(place)
    return list(names.values()), list(stamps.values())


def fate(search: Search, schedule: Schedule, last: int, first: int = 0) -> Fate | None:
    """When the failure was decided, of which it is known (or asked here, for a goal) that `last` steps brought it.

    With fewer than `first` steps it can be avoided.  None where even then it can be.
    """
    if search.goal is not None and search.avoidable(schedule.states[last]) is not False:
        return None
    for steps in range(last - 1, -1, -1):
        avoidable = True if steps < first else search.avoidable(schedule.states[steps])
        if avoidable is not False:
            return Fate(schedule.numbers[steps], search.states, "" if avoidable else _told(search))
    return Fate(-1, search.states)


def _told(search: Search) -> str:
    if search.world.short:
        return "there are no values for more updates than were tried from before it"
    return f"{search.most:,} states from before it showed no way out"

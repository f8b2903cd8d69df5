"""When a failure was decided: the first step of a trace after which every schedule ends in it.

Precisely: a schedule *avoids* the failure if from some state on it violates the property nowhere and the failing
process passes its deciding point (`turn`).  The prefixes of the trace are taken from the last to the first, and from
the state after each a schedule that avoids the failure is looked for, among all that the model can do with the trace's
values (`given`); for an order of locks only once all the others of its cycle were asked for, since before that the
cycle can be left open by them.  What one prefix can do a longer one cannot do more, so the first prefix that has such
a schedule ends the search: the step after it is the answer.  A process that never goes on avoids nothing.

All are searched, breadth first; once that is many, a few are tried first, in which another process runs ahead and then
the failing one alone.  Of a process whose every next step is its own business only the steps of that process are
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
from modelcheck.explain.ways import State, Way
from modelcheck.explain.world import World
from modelcheck.trace.trace import Fate

MOST_STATES = 20_000  # from one prefix
FEW = 300  # states after which a few schedules are tried before all the others
AHEAD = 300  # states that another process goes through ahead of the failing one
ALONE = 200  # steps that the failing process then runs alone


class Search:
    """A search over the prefixes of one schedule; with `goal` it is avoided by a state where that holds.

    `states` counts those stored, `doomed` are the ones that no schedule saves.
    """

    def __init__(self, world: World, turn: Turn, goal: Goal | None = None, most: int = MOST_STATES) -> None:
        self.world, self.turn, self.goal, self.most = world, turn, goal, most
        self.states = 0
        self.guessed = False  # whether a process passed while a branch was guessed
        self.doomed: set[State] = set()
        self._losing: dict[int, bool] = {}
        self.failing = world.place[turn.process]
        self._order = [self.failing, *(p for p in range(len(world.processes)) if p != self.failing)]
        self._names, self._stamps = _renamed(world)

    # -- one prefix ---------------------------------------------------------------------------------------------

    def avoidable(self, state: State) -> bool | None:
        """Whether some schedule from here avoids the failure; None where a bound ended the search."""
        first = self.renamed(state)
        if first in self.doomed:
            return False
        self.world.short, self.guessed, tried = False, False, False
        seen, todo = {first}, deque([first])
        while todo:
            if len(seen) > FEW and not tried:
                short, tried = self.world.short, True
                if self._quickly(state):
                    self.states += len(seen)
                    return True
                self.world.short = short  # what was only tried leaves nothing out
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
        if self.world.short or self.guessed:
            return None
        self.doomed |= seen
        return False

    def _following(self, state: State, seen: set[State]) -> list[State] | None:
        """The states that one step leads to, without a failure; None where a step passes."""
        if self._hopeless(state):
            return []
        enabled = [
            [way for way in self.world.enabled(state, place) if not way.spare]
            for place in range(len(self.world.processes))
        ]
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
        if self.goal is not None:
            return self.goal(after)
        passes = bool(self.turn.passes(self.world, way))
        self.guessed = self.guessed or passes and self.turn.guesses(way)
        return passes and not self.turn.guesses(way)

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

    def _hopeless(self, state: State) -> bool:
        """Whether the failing process stands where nobody else can bring about what any step but a failure waits for.

        What others can bring about is told from the constants that they set slots to.
        """
        if self.goal is None and self._lost(state[self.failing]):
            return True
        ways = self.world.ways(self.failing, state[self.failing])
        if self.turn.arriving or not ways or self.world.preempted(self.failing, state[self.failing]):
            return False
        return all(way.edge.breaks == self.world.name or self.world.never(state, way) for way in ways)

    def _lost(self, local: int) -> bool:
        """Whether no steps of the failing process bring it past its deciding point, whatever the others do meanwhile.

        Guards are taken to hold, but for what violates the property there is no way round: a piece of which each step
        does is never performed.  Pieces do not hinder each other, so the first that can be performed is.
        """
        if local not in self._losing:
            seen, todo, passes = {local}, [local], False
            while todo and not passes:
                for way in self._possible(todo.pop()):
                    passes = passes or bool(self.turn.passes(self.world, way))
                    if way.target not in seen:
                        seen.add(way.target)
                        todo.append(way.target)
            self._losing |= dict.fromkeys([local] if passes else seen, not passes)
        return self._losing[local]

    def _possible(self, local: int) -> list[Way]:
        """The steps of the failing process that are not always failures: one piece, and all branches."""
        ways = [
            way
            for way in self.world.ways(self.failing, local)
            if way.edge.breaks != self.world.name and not (self.turn.arriving and self.turn.fails(self.world, (), way))
        ]
        pieces = [way for way in ways if way.edge.piece is not None]
        done = [way for way in pieces if self.turn.passes(self.world, way)]
        return [*(done or pieces)[:1], *(way for way in ways if way.edge.piece is None)]

    # -- a few schedules ----------------------------------------------------------------------------------------

    def _quickly(self, state: State) -> bool:
        """Whether the failing process avoids the failure alone, or after another has run ahead."""
        if self._alone(state):
            return True
        others = [place for place in range(len(self.world.processes)) if place != self.failing]
        return any(self._after(state, place, free) for free in (False, True) for place in others)

    def _after(self, state: State, leader: int, free: bool) -> bool:
        """Whether it does after some steps of the leader; who that waits for, or spins for, steps in its place.

        The leader takes its first step each time, and where it is `free` chooses among all it may choose.
        """
        helpers = [p for p in range(len(self.world.processes)) if p not in (leader, self.failing)]
        met, todo = {state}, deque([state])
        while todo:
            at = todo.popleft()
            for after in self._ahead(at, leader, met, free) or self._helped(at, helpers, met):
                if len(met) > AHEAD:
                    return False
                met.add(after)
                todo.append(after)
                if self.goal is not None and self.goal(after) or self._alone(after):
                    return True
        return False

    def _ahead(self, state: State, leader: int, met: set[State], free: bool) -> list[State]:
        """The new states that the leader's step leads to, or each of its choices."""
        ways = self._harmless(state, leader)
        return self._new(state, ways if free and ways and ways[0].edge.kind == "choose" else ways[:1], met)

    def _helped(self, state: State, helpers: list[int], met: set[State]) -> list[State]:
        """The new state that the first step of a helper leads to which does not begin to nest."""
        steps = (self._harmless(state, place)[:1] for place in helpers)
        found = (self._new(state, [way for way in ways if not way.edge.preempts], met) for ways in steps)
        return next((new for new in found if new), [])

    def _new(self, state: State, ways: list[Way], met: set[State]) -> list[State]:
        found = [self.world.after(state, way) for way in ways]
        return [after for after in found if after is not None and after not in met]

    def _harmless(self, state: State, place: int) -> list[Way]:
        """The steps of a process that are no failure."""
        return [way for way in self.world.enabled(state, place) if not self.turn.fails(self.world, state, way)]

    def _alone(self, state: State) -> bool:
        """Whether the failing process passes when it alone goes on, by its first step each time."""
        met = set()
        for _ in range(ALONE):
            met.add(state)
            way = next(iter(self._harmless(state, self.failing)), None)
            after = self.world.after(state, way) if way is not None else None
            if way is None or after is None:
                return False
            if self._avoids(way, after):
                return True
            if after in met:
                return False
            state = after
        return False

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
    if search.guessed:
        return "what was guessed ahead of its loads may yet come out otherwise"
    if search.world.short:
        return "there are no values for more updates than were tried from before it"
    return f"{search.most:,} states from before it showed no way out"

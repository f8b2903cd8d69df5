"""Explaining a trace: its conjunct, fate and passing, from the trace and the model alone.

The values are those the trace has: of its updates, and of its words.  Its one invariant: where something cannot be
told, the trace says nothing of it.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.errors import UsageError
from modelcheck.explain.conjunct import Conjunct, claim_at, conjunct
from modelcheck.explain.fate import Search, fate
from modelcheck.explain.given import Given
from modelcheck.explain.nearest import Goal, Passed, nearest
from modelcheck.explain.schedule import Schedule, follow
from modelcheck.explain.touched import matters
from modelcheck.explain.turn import turn_of
from modelcheck.explain.ways import State
from modelcheck.explain.world import World
from modelcheck.expression import Slot, slots_of
from modelcheck.smt.concrete import looks_at_makers
from modelcheck.system.link import System
from modelcheck.system.model import Model, Property
from modelcheck.trace.trace import Fate, Passing, Trace

MOST_TEXT = 4000  # characters of a trace's field
ATTEMPT = "attempt: "  # how the choice of a step begins that is asked for and never taken


def explained(trace: Trace, model: Model, name: str) -> Trace:
    """The trace with its conjunct, and with fate and passing where they are known; `name` is its property."""
    one = _Explanation(trace, model, name)
    false = one.conjunct()
    return replace(trace, conjunct=false.text[:MOST_TEXT], fate=one.fate(), passing=one.passing(false))


def passes_again(trace: Trace, model: Model, name: str) -> None:
    """Raises UsageError unless the schedule that a trace says passes is one of the model, and does pass."""
    if trace.passing is None:
        return
    one = _Explanation(trace, model, name)
    world, turn = one.whole.world, one.turn
    places = {world.system.processes[p].name: place for place, p in enumerate(world.processes)}
    state, passed, reached = world.initial, 0, False
    before = one.whole.passed(turn, len(one.whole.ways))
    for number, (process, choice) in enumerate(trace.passing.steps):
        ways = world.enabled(state, places[process]) if process in places else []
        way = next((way for way in ways if way.edge.choice == choice), None)
        after = world.after(state, way) if way is not None else None
        if way is None or after is None:
            raise UsageError(f"damaged: {process} cannot do step {number} of the schedule that is said to pass")
        if turn.fails(world, state, way):
            raise UsageError(f"damaged: the schedule that is said to pass fails at step {number}")
        state = after
        passed += bool(turn.passes(world, way)) and not turn.guesses(way)
        reached = one.goal is not None and one.goal(state)
    if not (reached if one.goal is not None else passed > before):
        raise UsageError(f"damaged: the schedule that is said to pass does not bring {one.name} past its deciding step")


class _Explanation:
    def __init__(self, trace: Trace, model: Model, name: str) -> None:
        self.trace = trace
        self.system = System(model, frozenset({name}))
        self.prop: Property = model.properties[name]
        numbers = {process.name: i for i, process in enumerate(self.system.processes)}
        self.places = [numbers[process.name] for process in trace.processes]
        self.steps = [
            (self.places[step.process], step.choice) for step in trace.steps if not step.choice.startswith(ATTEMPT)
        ]
        self.given = Given(model.values, tuple(dict(update.fields) for update in trace.updates), trace.words)
        failing = self.places[trace.steps[trace.deciding].process] if trace.steps else 0
        taking = frozenset({failing, *(process for process, _ in self.steps)})
        self.whole = self._schedule(taking)
        failing, node = self._nesting(failing) if self.prop.kind == "deadlock" else (failing, self._node(failing))
        arriving = self.prop.kind == "lock-order"
        self.turn = turn_of(self.system.spaces[failing].machine, failing, node, arriving)
        self.name = self.system.processes[failing].name
        self._one_way = self._know()

    def _know(self) -> bool:
        """Notes what the trace ends with, and who made its versions where that counts; False where several did."""
        world, values = self.whole.world, self.given.values
        observation = world.observed(self.whole.states[-2], self.whole.ways[-1]) if self.whole.ways else None
        if values is None or observation is None:
            return True
        self.given.failed = observation
        if not looks_at_makers(values, observation, world.steps.makers()):
            return True
        makers = list(dict.fromkeys(way.makes for way in self.whole.ways if way.makes))
        self.given.maker = makers[0] if makers else ""
        return len(makers) == 1

    @property
    def goal(self) -> Goal | None:
        """For `eventually`, what passes; None for others."""
        condition, world = self.prop.goal, self.whole.world
        if self.prop.kind != "eventually" or condition is None:
            return None
        return lambda state: bool(world.value(condition, state))

    @property
    def _open(self) -> bool:
        """Whether values are left open that would decide: nothing but the conjunct is told then."""
        unknown = self.prop.kind == "observation" and not self.given.known
        return self.prop.kind == "terminates" or unknown or not self._one_way

    def _slots(self) -> tuple[Slot, ...]:
        conditions = [c for c in (self.prop.condition, self.prop.goal) if c is not None]
        return tuple(slot for condition in conditions for slot in slots_of(condition))

    def _schedule(self, roots: frozenset[int]) -> Schedule:
        invariant = self.prop.condition if self.prop.kind == "invariant" else None
        found = matters(self.system, roots, self._slots(), self.given.known)
        return follow(World(self.system, found, self.given, self.prop.name, invariant), self.steps)

    def _node(self, failing: int) -> int:
        """The node of the deciding action: that of the last step, or where the failing process stands at the end."""
        world = self.whole.world
        if self.prop.kind in ("deadlock", "lock-order") or not self.whole.ways:
            return world.local(self.whole.states[-1], world.place[failing]).node
        number = min(self.trace.deciding, len(self.steps) - 1)
        return next((w.edge.node for n, w in zip(self.whole.numbers, self.whole.ways, strict=True) if n == number), 0)

    def _nesting(self, stuck: int) -> tuple[int, int]:
        """Of a process that is stuck, and perhaps stands still for a nested one that is: the inmost, and its node.

        A nested one that still runs will never come to its end, which is its deciding point: its node is -1.
        """
        world, state, node = self.whole.world, self.whole.states[-1], self._node(stuck)
        for inner in world.processes:
            if self.system.host[inner] == stuck and state[world.index[self.system.active(inner)]]:
                return self._nesting(inner)[0], -1
        return stuck, node

    # -- what is told -------------------------------------------------------------------------------------------

    def conjunct(self) -> Conjunct:
        """The false part of the property."""
        return conjunct(self.whole, self.turn, self.prop, self.trace)

    def fate(self) -> Fate | None:
        """When it was decided."""
        if self._open or not self.steps:
            return None
        schedule = self._schedule(frozenset({self.turn.process}))
        world, goal = schedule.world, self.prop.goal if self.prop.kind == "eventually" else None
        met: Goal | None = None if goal is None else (lambda state: bool(world.value(goal, state)))
        search = Search(world, self.turn, goal=met)
        first = self._asked() if self.prop.kind == "lock-order" else 0
        return fate(search, schedule, len(schedule.ways), sum(number < first for number in schedule.numbers))

    def _asked(self) -> int:
        """After how many steps all but the last of the locks in a cycle have been asked for, in turn."""
        world, wanted, at = self.whole.world, list(self.trace.lock_order[:-1]), 0
        for count, state in enumerate(self.whole.states):
            while wanted and self._asks(world, state, wanted[0].process, wanted[0].acquired):
                wanted.pop(0)
                at = self.whole.numbers[count - 1] + 1 if count else 0
        return at

    def _asks(self, world: World, state: State, process: int, lock_class: str) -> bool:
        place = world.place.get(self.places[process])
        local = world.local(state, place) if place is not None else None
        if local is None or place is None:
            return False
        action = self.system.spaces[world.processes[place]].node(local).action
        return action is not None and action.lock is not None and action.lock.lock_class == lock_class

    def passing(self, false: Conjunct) -> Passing | None:
        """The nearest schedule that passes."""
        if self._open or self.prop.kind == "lock-order" or not self.steps:
            return None
        found = nearest(self.whole, self.turn, self.goal)
        if found is None:
            return None
        names = [self.system.processes[p].name for p in self.whole.world.processes]
        at, by = self.whole.numbers[found.moved.at], found.moved.by
        steps = tuple((names[way.process], way.edge.choice) for way in found.ways)
        return Passing(at, by, self._told(found, names, false), steps)

    def _told(self, found: Passed, names: list[str], false: Conjunct) -> str:
        word, at, by = self.whole.word, found.moved.at, found.moved.by
        count = "one step" if abs(by) == 1 else f"{_word(abs(by))} steps"
        moved = (
            f"Moving the switch from {names[word[at - 1]]} to {names[word[at]]} before step "
            f"{self.whole.numbers[at] + 1} {count} {'later' if by > 0 else 'earlier'}"
        )
        return f"{moved}: {self._becomes(found, false)}."

    def _becomes(self, found: Passed, false: Conjunct) -> str:
        world, last = self.whole.world, found.ways[-1].edge
        if found.how == "goal":
            return false.claim
        if found.how == "done":
            if self.prop.kind == "deadlock":
                return false.claim
            return claim_at(world, last, false)
        what = "starts over" if found.how == "over" else "ends"
        if found.other is not None:
            return f"{self.name} gets {found.other[1]} from {found.other[0]!r} and {what}"
        return f"{self.name} {what} before it comes to that step"


def _word(number: int) -> str:
    words = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[number - 2] if 2 <= number <= 12 else str(number)

"""The part of a property that is false, in words: a claim, and what is there instead.

Of a condition it is the first conjunct that does not hold, with the values of its slots, or the words the spec has for
it (`Model.say`); of an observation what the spec's Values says of the concrete bytes; of locks and goals their own
condition.  It is text only: nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explain.schedule import Schedule
from modelcheck.explain.turn import Turn
from modelcheck.explain.ways import State, Way
from modelcheck.explain.world import World
from modelcheck.expression import TRUE, Const, Expr, Op, Slot, slots_of, to_text
from modelcheck.smt.terms import conjuncts
from modelcheck.system.edge import Edge
from modelcheck.system.model import Property
from modelcheck.trace.trace import Trace

MOST_VALUES = 5  # slots of a conjunct whose values are told


@dataclass(frozen=True, slots=True)
class Conjunct:
    """What should hold, and what is the case instead, "" where that says nothing more."""

    claim: str
    instead: str = ""

    @property
    def text(self) -> str:
        """Both, as a trace has it."""
        return f"{self.claim}: {self.instead}" if self.instead else self.claim


def conjunct(schedule: Schedule, turn: Turn, prop: Property, trace: Trace) -> Conjunct:
    """The false part of the property that a trace violates."""
    world = schedule.world
    name = world.system.processes[turn.process].name
    if prop.kind == "deadlock":
        return _stuck(world, schedule.states[-1], turn)
    if prop.kind == "lock-order":
        edge = trace.lock_order[-1]
        return Conjunct(f"nobody asks for {edge.acquired} while holding {edge.held}", f"{name} does")
    if prop.kind == "eventually" and prop.goal is not None:
        return Conjunct(f"{said(world, prop.goal, turn.process)} in the end")
    if prop.kind == "terminates":
        when = f" while {said(world, prop.condition, turn.process)}" if prop.condition not in (None, TRUE) else ""
        return Conjunct(f"{prop.process} alone comes to an end{when}")
    if prop.kind == "invariant" and prop.condition is not None:
        return _first_false(world, prop.condition, schedule.states[-1], turn.process)
    if not schedule.ways:
        return Conjunct(prop.help)
    return of_step(world, schedule.states[-2], schedule.ways[-1], prop)


def of_step(world: World, state: State, way: Way, prop: Property) -> Conjunct:
    """The false part that a step shows which violates a property in a state."""
    edge, action = way.edge, world.action(way)
    if action is None:
        return Conjunct(prop.help)
    if edge.breaks and action.sleeps and edge.piece is None:
        held = world.system.spaces[edge.process].node(edge.source).context
        why = [f"{hold.lock} is held" for hold in held.held if hold.spins] + ["interrupts are off"] * held.irq_off
        return Conjunct(f"{action.label} runs where it may sleep", ", ".join(why))
    if not edge.breaks:
        observation, values = world.observed(state, way), world.given.values
        if observation is not None and values is not None and values.conjunct is not None:
            text = values.conjunct(observation, list(world.given.numbers), world.given.byte)
            claim, _, instead = text.partition(": ")
            return Conjunct(claim, instead)
        return Conjunct(prop.help)
    if edge.piece is not None:
        area = world.system.model.areas[edge.piece.access.area]
        outside = edge.piece.lo < 0 or edge.piece.hi > area.size
        if edge.guard == TRUE and outside:
            where = f"bytes {edge.piece.lo}-{edge.piece.hi - 1} are outside it"
            return Conjunct(f"the store stays in the {area.size} bytes of {area.name}", where)
        return _first_false(world, opposite(edge.guard), state, edge.process, action.label)
    guard = world.system.spaces[edge.process].link(action.branches[edge.branch].guard)
    return _first_false(world, opposite(guard), state, edge.process, action.label)


def _stuck(world: World, state: State, turn: Turn) -> Conjunct:
    """What a process waits for in the end, and who has it."""
    place, met = world.place[turn.process], set[State]()
    name = world.system.processes[turn.process].name
    while state not in met:  # one that nests may have steps to go
        met.add(state)
        way = next(iter(world.enabled(state, place)), None)
        state = (world.after(state, way) or state) if way is not None else state
    action = world.system.spaces[turn.process].node(world.local(state, place)).action
    if action is None or action.lock is None:
        return Conjunct(f"{name} goes on", f"no schedule lets it do {action.label!r}" if action is not None else "")
    lock, holders = action.lock.lock, []
    for other, process in enumerate(world.processes):
        held = world.system.spaces[process].node(world.local(state, other)).context.held
        if any(hold.lock == lock for hold in held):
            who = f"{name} itself" if process == turn.process else world.system.processes[process].name
            holders.append(f"{who} holds it")
    return Conjunct(f"{name} gets {lock}", " and ".join(holders) or "nobody lets it")


def opposite(condition: Expr) -> Expr:
    """What does not hold where the condition does."""
    return condition.args[0] if isinstance(condition, Op) and condition.name == "not" else ~condition


def _first_false(world: World, condition: Expr, state: State, process: int, label: str = "") -> Conjunct:
    false = next((part for part in conjuncts(condition) if not world.value(part, state)), condition)
    slots = list(dict.fromkeys(slots_of(false)))
    if isinstance(false, Const) or not slots:
        return Conjunct(label.removesuffix("?") or to_text(false))
    if len(slots) > MOST_VALUES:
        return Conjunct(said(world, false, process))
    claim = said(world, false, process)
    told = [f"{slot.name} is {_shown(world, slot, state)}" for slot in slots]
    same = len(slots) == 1 and claim.startswith(f"{slots[0].name} is ")
    return Conjunct(claim, f"it is {_shown(world, slots[0], state)}" if same else ", ".join(told))


def _shown(world: World, slot: Slot, state: State) -> str:
    return slot.domain.show(world.value(slot, state))


def said(world: World, condition: Expr, process: int) -> str:
    """The spec's words for a condition, else the condition as a person would write it."""
    link, model = world.system.spaces[process].link, world.system.model
    for known, text in (*model.said, *((condition, text) for text, condition in model.assumed)):
        if link(known) == condition:
            return text
    return _plain(condition)


def _plain(condition: Expr) -> str:
    """As `to_text`, with words where one slot is compared with a known value."""
    if isinstance(condition, Slot) and condition.domain.kind == "bool":
        return f"{condition.name} is true"
    if isinstance(condition, Op):
        inner = condition.args[0]
        if condition.name == "not" and isinstance(inner, Slot) and inner.domain.kind == "bool":
            return f"{inner.name} is false"
        if condition.name in ("eq", "ne") and isinstance(inner, Slot) and isinstance(condition.args[1], Const):
            return f"{inner.name} is {'not ' * (condition.name == 'ne')}{inner.domain.show(condition.args[1].value)}"
        return to_text(condition).removeprefix("(").removesuffix(")")
    return to_text(condition)


def claim_at(world: World, edge: Edge, conjunct: Conjunct) -> str:
    """The claim, at a step that shows it to hold."""
    action = world.system.spaces[edge.process].machine.nodes[edge.node].action
    label = action.label if action is not None else edge.choice
    return f"{world.system.processes[edge.process].name} comes to {label!r}, and {conjunct.claim}"

"""The part of a property that is false, in words: a claim, and what is there instead.

Of a condition it is the first conjunct that does not hold, with the values of its slots, or the words the spec has for
it (`Model.say`); of an observation what the spec's Values says of the concrete bytes; of locks and goals their own
condition.  It is text only: nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explain.schedule import Schedule
from modelcheck.explain.turn import Turn
from modelcheck.explain.world import State, Way, World
from modelcheck.expression import TRUE, Const, Expr, Op, Slot, slots_of, to_text
from modelcheck.system.local_space import Edge
from modelcheck.system.model import Property
from modelcheck.trace.trace import Trace

MOST_VALUES = 4  # slots of a conjunct whose values are told


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
        return _stuck(trace, name)
    if prop.kind == "lock-order":
        edge = trace.lock_order[-1]
        return Conjunct(f"nobody asks for {edge.acquired} while holding {edge.held}", f"{name} does")
    if prop.kind == "eventually" and prop.goal is not None:
        return Conjunct(f"{said(world, prop.goal, turn.process)} comes")
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
            claim, _, instead = values.conjunct(observation, list(world.given.numbers), world.given.byte).partition(": ")
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


def _stuck(trace: Trace, name: str) -> Conjunct:
    """What a process waits for, and who has it."""
    last = trace.steps[trace.deciding]
    if last.lock is None:
        return Conjunct(f"{name} can go on with {last.label}", "no schedule lets it")
    held: dict[int, list[str]] = {}
    for step in trace.steps[: trace.deciding]:
        if step.lock is not None and step.lock.lock == last.lock.lock:
            if step.lock.op == "acquire":
                held.setdefault(step.process, []).append(step.lock.mode)
            elif step.lock.op == "release" and held.get(step.process):
                held[step.process].pop()
    holders = [f"{trace.processes[p].name} holds it ({modes[-1]})" for p, modes in held.items() if modes]
    return Conjunct(f"{name} gets {last.lock.lock}", " and ".join(holders) or "nobody can let it")


def opposite(condition: Expr) -> Expr:
    """What does not hold where the condition does."""
    return condition.args[0] if isinstance(condition, Op) and condition.name == "not" else ~condition


def parts(condition: Expr) -> tuple[Expr, ...]:
    """The conjuncts of a condition, in order."""
    if isinstance(condition, Op) and condition.name == "and":
        return tuple(part for arg in condition.args for part in parts(arg))
    return (condition,)


def _first_false(world: World, condition: Expr, state: State, process: int, label: str = "") -> Conjunct:
    false = next((part for part in parts(condition) if not world.value(part, state)), condition)
    slots = list(dict.fromkeys(slots_of(false)))
    if isinstance(false, Const) or not slots:
        return Conjunct(label.removesuffix("?") or to_text(false))
    told = ", ".join(f"{slot.name} is {_shown(world, slot, state)}" for slot in slots)
    return Conjunct(said(world, false, process), told if len(slots) <= MOST_VALUES else "")


def _shown(world: World, slot: Slot, state: State) -> str:
    return slot.domain.show(world.value(slot, state))


def said(world: World, condition: Expr, process: int) -> str:
    """The spec's words for a condition, else the condition as a person would write it."""
    link = world.system.spaces[process].link
    for known, text in world.system.model.said:
        if link(known) == condition:
            return text
    text = to_text(condition)
    return text[1:-1] if text.startswith("(") and text.endswith(")") and isinstance(condition, Op) else text


def claim_at(world: World, edge: Edge, conjunct: Conjunct) -> str:
    """The claim, at a step that shows it to hold."""
    action = world.system.spaces[edge.process].machine.nodes[edge.node].action
    label = action.label.removesuffix("?") if action is not None else edge.choice
    return f"at {label!r} of {world.system.processes[edge.process].name}, {conjunct.claim}"

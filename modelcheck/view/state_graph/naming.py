"""What states and steps of a search are called: what differs from the initial state, and who does what.

Its one invariant: text comes from the spec's own names and nothing else; numbers of local states never show.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from modelcheck.expression import Slot

if TYPE_CHECKING:
    from modelcheck.explore.found import State
    from modelcheck.explore.state_graph import Explored


class Names:
    """The texts of one search."""

    def __init__(self, one: Explored) -> None:
        self._one = one
        self.count = len(one.tables.processes)
        self.slots = one.tables.slots
        self.initial = one.found.state(0)
        self.at = cache(self._at)
        self.step = cache(self._step)
        self.witnesses = cache(self._witnesses)

    def differences(self, state: State) -> tuple[str, ...]:
        """Each process that stands elsewhere and each slot that holds another value than in the initial state."""
        return tuple(self.text(place, value) for place, value in enumerate(state) if value != self.initial[place])

    def text(self, place: int, value: int) -> str:
        """What it means that a slot of the state holds a value."""
        if place < self.count:
            return self.at(place, value)
        return f"{self.slots[place].name} = {self._value(place, value)}"

    def _value(self, place: int, value: int) -> str:
        slot: Slot = self.slots[place]
        if slot.domain.kind == "process":
            return self._one.system.processes[value - 1].name if value else "nobody"
        if slot.domain.kind in ("stamp", "name") and value < 0:
            return "nothing"
        return slot.domain.show(value)

    def _at(self, process: int, pc: int) -> str:
        """Where a process stands: the action it waits to do, with its kernel name where it has one."""
        table = self._one.tables.processes[process]
        if pc == self._one.ends[process]:
            return f"{table.name} has violated the property"
        if table.process < 0:
            return f"the others in control state {pc}"
        local = table.locals[pc]
        space = self._one.system.spaces[table.process]
        action = space.node(local).action
        issued = [space.machine.nodes[entry.node].action for entry in local.window if entry.pending]
        pending = ", ".join(one.label for one in issued if one is not None)
        behind = f", pending: {pending}" if pending else ""
        if action is None:
            return f"{table.name} has finished{behind}"
        place = " ".join(part for part in (action.function, action.step) if part)
        doing = "waits in" if local.queued else "before"
        return f"{table.name} {doing} {action.label}{f' ({place})' if place else ''}{behind}"

    def _step(self, process: int, pc: int, which: int) -> tuple[str, str]:
        """Who takes a step and what is done in it."""
        table = self._one.tables.processes[process]
        moves = table.steps[pc][which].moves
        if table.process >= 0:
            who = table.name
        else:
            names = (self._one.system.processes[move.edge.process].name for move in moves)
            who = ", ".join(dict.fromkeys(names))
        return who, "; ".join(move.edge.choice for move in moves)

    def _witnesses(self, process: int, pc: int, which: int) -> tuple[str, ...]:
        moves = self._one.tables.processes[process].steps[pc][which].moves
        return tuple(dict.fromkeys(name for move in moves for name in move.reaches))

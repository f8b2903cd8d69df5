"""Dead-slot reset: a private slot that will be written before it is read again holds nothing, and is set so.

Liveness by backward data flow over a process's local states (the usual equations; Aho et al., Compilers, section
9.2.5). Only slots no other process touches are reset, and only by control flow: a loaded value is never called dead
because its stamp differs from another (that would hide every torn snapshot, design.md section 5).  Exact: the reset
value is never read, so states that differ only in dead slots have the same continuations.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.explore.effects import private_slots
from modelcheck.explore.table import Move, ProcessTable, Step, Tables
from modelcheck.expression import Const, Slot, slots_of


def reset_dead_slots(tables: Tables) -> Tables:
    """The same tables with an update that resets each private slot where it dies; visible slots are not private."""
    private = private_slots(tables)
    return replace(
        tables,
        processes=tuple(
            _reset(table, frozenset(s for s in mine if isinstance(s, Slot) and s != table.pc))
            for table, mine in zip(tables.processes, private, strict=True)
        ),
    )


def reset_value(slot: Slot) -> int:
    """What a dead slot holds: -1 for stamps and names, which keeps it out of the ranking; else its start."""
    return -1 if slot.domain.kind in ("stamp", "name") else slot.initial


def _uses(move: Move) -> set[Slot]:
    shown = set(move.observes.slots()) if move.observes is not None else set()
    return shown.union(slots_of(move.guard), *(slots_of(value) for _, value in move.updates))


def _before(step: Step, live: frozenset[Slot], private: frozenset[Slot]) -> frozenset[Slot]:
    for move in reversed(step.moves):
        live = (live - {slot for slot, _ in move.updates}) | (_uses(move) & private)
    return live


def live_slots(table: ProcessTable, private: frozenset[Slot]) -> list[frozenset[Slot]]:
    """For each local state, the private slots that may be read before they are written."""
    live = [frozenset[Slot]()] * len(table.locals)
    changed = True
    while changed:
        changed = False
        for i in range(len(live) - 1, -1, -1):
            now = live[i].union(*(_before(step, live[step.target], private) for step in table.steps[i]))
            if now != live[i]:
                live[i], changed = now, True
    return live


def _reset(table: ProcessTable, private: frozenset[Slot]) -> ProcessTable:
    if not private:
        return table
    live = live_slots(table, private)
    order = sorted(private, key=lambda slot: slot.name)
    steps = []
    for i, out in enumerate(table.steps):
        steps.append(tuple(_with_resets(step, live[i], live[step.target], order) for step in out))
    return replace(table, steps=tuple(steps))


def _with_resets(step: Step, before: frozenset[Slot], after: frozenset[Slot], order: list[Slot]) -> Step:
    """Slots live before or written here and not live after are reset by the last move."""
    written = {slot for move in step.moves for slot, _ in move.updates}
    dying = [slot for slot in order if (slot in before or slot in written) and slot not in after]
    if not dying:
        return step
    last = step.moves[-1]
    kept = tuple(update for update in last.updates if update[0] not in dying)
    resets = tuple((slot, Const(reset_value(slot))) for slot in dying)
    return Step((*step.moves[:-1], replace(last, updates=kept + resets)), step.target)

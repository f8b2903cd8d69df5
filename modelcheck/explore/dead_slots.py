"""Dead-slot reset: a private slot that will be written before it is read again holds nothing, and is set so.

Liveness by backward data flow over a process's local states (the usual equations; Aho et al., Compilers, section
9.2.5). Only slots no other process touches are reset, and only by control flow: a loaded value is never called dead
because its stamp differs from another (that would hide every torn snapshot, design.md section 5).  Exact: the reset
value is never read, so states that differ only in dead slots have the same continuations.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.explore.effects import private_slots
from modelcheck.explore.table import ProcessTable, Step, Tables, Touched
from modelcheck.expression import Const, Slot


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


def live_slots(table: ProcessTable, private: frozenset[Slot]) -> list[frozenset[Slot]]:
    """For each local state, the private slots that may be read before they are written; over bit sets."""
    order = sorted(private, key=lambda slot: slot.name)
    bit: dict[Touched, int] = {slot: 1 << i for i, slot in enumerate(order)}

    def bits(touched: frozenset[Touched]) -> int:
        return sum(bit[each] for each in touched if each in bit)

    masks: dict[tuple[frozenset[Touched], frozenset[Touched]], tuple[int, int]] = {}
    out = []
    for steps in table.steps:
        found = []
        for step in steps:
            kept, read = -1, 0  # what is live before the step: `read`, and of what is live after it `kept`
            for move in reversed(step.moves):
                touched = move.reads(), move.writes()
                if touched not in masks:
                    masks[touched] = bits(touched[0]), ~bits(touched[1])
                reads, keeps = masks[touched]
                kept, read = kept & keeps, read & keeps | reads
            found.append((kept, read, step.target))
        out.append(found)
    live = [0] * len(table.locals)
    changed = True
    while changed:
        changed = False
        for i in range(len(live) - 1, -1, -1):
            now = live[i]
            for kept, read, target in out[i]:
                now |= live[target] & kept | read
            if now != live[i]:
                live[i], changed = now, True
    known = {one: frozenset(slot for i, slot in enumerate(order) if one >> i & 1) for one in dict.fromkeys(live)}
    return [known[one] for one in live]


def _reset(table: ProcessTable, private: frozenset[Slot]) -> ProcessTable:
    if not private:
        return table
    live = live_slots(table, private)
    order = sorted(private, key=lambda slot: slot.name)

    def reset(step: Step, before: frozenset[Slot], after: frozenset[Slot]) -> Step:
        """Slots live before or written here and not live after are reset by the last move."""
        dead = before.union(*[move.writes() for move in step.moves]) & private - after
        if not dead:
            return step
        dying = [slot for slot in order if slot in dead]
        last = step.moves[-1]
        kept = tuple(update for update in last.updates if update[0] not in dead)
        resets = tuple((slot, Const(reset_value(slot))) for slot in dying)
        return Step((*step.moves[:-1], replace(last, updates=kept + resets)), step.target)

    steps = [tuple([reset(step, live[i], live[step.target]) for step in out]) for i, out in enumerate(table.steps)]
    return replace(table, steps=tuple(steps))

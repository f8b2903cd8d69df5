"""Slicing: drop the processes and slots that cannot matter to a property.

A process that writes nothing the others read, and is not itself what the property is about, changes no reachable
violation: its steps commute with everything and disable nothing, so removing them from a path leaves a path.  A slot
that is never read decides nothing.  (The "one reader suffices" and "readers write nothing shared" arguments of
design.md section 5 are instances.)  Its invariant: every guard of a kept process is kept whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from modelcheck.explore.table import Move, ProcessTable, Step, Tables
from modelcheck.expression import TRUE, Slot, slots_of

MoveChange = Callable[[Move], Move]


def slice_tables(tables: Tables, roots: frozenset[int]) -> Tables:
    """Only the processes in `roots` and those they depend on; only slots that are read somewhere, or visible.

    `roots` are positions in `tables.processes`.
    """
    kept = influencing(tables, roots)
    processes = tuple(table for i, table in enumerate(tables.processes) if i in kept)
    return drop_unread(replace(tables, processes=processes))


def influencing(tables: Tables, roots: frozenset[int]) -> frozenset[int]:
    """The roots and, transitively, every process that writes a slot one of them reads, or a visible slot."""
    reads = [_reads(table) for table in tables.processes]
    writes = [_writes(table) for table in tables.processes]
    kept = set(roots)
    wanted: set[Slot | str] = set(tables.visible)
    while True:
        needed = wanted.union(*(reads[i] for i in kept))
        more = {i for i in range(len(writes)) if i not in kept and not writes[i].isdisjoint(needed)}
        if not more:
            return frozenset(kept)
        kept |= more


def drop_unread(tables: Tables) -> Tables:
    """The same tables without updates of slots whose value never reaches a guard, an observation or a visible slot."""
    moves = [move for table in tables.processes for move in table.all_moves()]
    needed = set(tables.visible)
    for move in moves:
        needed.update(slots_of(move.guard))
        if move.observes is not None:
            needed.update(move.observes.slots())
    while True:
        before = len(needed)
        for move in moves:
            for slot, value in move.updates:
                if slot in needed:
                    needed.update(slots_of(value))
        if len(needed) == before:
            break

    def trim(move: Move) -> Move:
        if all(slot in needed for slot, _ in move.updates):
            return move
        return replace(move, updates=tuple(u for u in move.updates if u[0] in needed))

    return map_moves(tables, trim)


def map_moves(tables: Tables, change: MoveChange) -> Tables:
    """The same tables with every move changed."""

    def table(old: ProcessTable) -> ProcessTable:
        steps = tuple(
            tuple(Step(tuple(change(move) for move in step.moves), step.target) for step in steps)
            for steps in old.steps
        )
        return replace(old, steps=steps)

    return replace(tables, processes=tuple(table(old) for old in tables.processes))


def _reads(table: ProcessTable) -> set[Slot | str]:
    found: set[Slot | str] = set()
    for move in table.all_moves():
        found |= move.reads()
    return found


def _writes(table: ProcessTable) -> set[Slot | str]:
    found: set[Slot | str] = {table.pc}
    for move in table.all_moves():
        found |= move.writes()
    return found


def may_block(table: ProcessTable) -> bool:
    """Whether the process may ever wait: some local state has neither a free step nor two that exclude each other."""
    for steps in table.steps:
        guards = [step.moves[0].guard for step in steps]
        free = any(guard == TRUE for guard in guards) or any(~guard in guards for guard in guards)
        if steps and not free:
            return True
    return False

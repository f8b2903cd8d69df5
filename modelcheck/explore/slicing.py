"""Slicing: drop the processes and slots that cannot matter to a property.

A process that writes nothing the others read, and is not itself what the property is about, changes no reachable
violation: its steps commute with everything and disable nothing, so removing them from a path leaves a path.  A slot
that is never read decides nothing.  (The "one reader suffices" and "readers write nothing shared" arguments of
design.md section 5 are instances.)  Its invariant: every guard of a kept process is kept whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from modelcheck.explore.table import Move, ProcessTable, Step, Tables, Touched
from modelcheck.expression import TRUE, Const, Slot, slots_of

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
    processes = tables.processes
    kept = set(roots)
    wanted: set[Touched] = set(tables.visible)
    while True:
        needed = wanted.union(*(processes[i].reads for i in kept))
        more = {i for i, table in enumerate(processes)
                if i not in kept and (table.pc in needed or not table.writes.isdisjoint(needed))}
        if not more:
            return frozenset(kept)
        kept |= more


def left_out(tables: Tables, kept: frozenset[int]) -> Iterator[tuple[str, str]]:
    """The processes that are not among `kept`, as the model numbers them, and why nothing there depends on them."""
    for table in tables.processes:
        if table.process in kept:
            continue
        others = [other for other in tables.processes if other is not table]
        read = frozenset[Touched](tables.visible).union(*(other.reads for other in others))
        alone = table.pc not in read and table.writes.isdisjoint(read)
        yield table.name, "reads only" if alone else "writes nothing that this property depends on"


def drop_unread(tables: Tables) -> Tables:
    """The same tables without updates of slots whose value never reaches a guard, an observation or a visible slot."""
    feeds: dict[Slot, set[Slot]] = {}  # for each slot that is set, what it is set from
    todo: list[Slot] = list(tables.visible)
    for table in tables.processes:
        for move in table.all_moves():
            todo += slots_of(move.guard)
            if move.observes is not None:
                todo += move.observes.slots()
            for slot, value in move.updates:
                if not isinstance(value, Const):
                    feeds.setdefault(slot, set()).update(slots_of(value))
    needed: set[Slot] = set()
    while todo:
        slot = todo.pop()
        if slot not in needed:
            needed.add(slot)
            todo += feeds.get(slot, ())

    def trim(move: Move) -> Move:
        if all(slot in needed for slot, _ in move.updates):
            return move
        return replace(move, updates=tuple(u for u in move.updates if u[0] in needed))

    return map_moves(tables, trim)


def map_moves(tables: Tables, change: MoveChange) -> Tables:
    """The same tables with every move changed; steps and processes none of whose moves changes are handed on."""

    def changed_step(old: Step) -> Step:
        moves = tuple([change(move) for move in old.moves])
        same = all(new is move for new, move in zip(moves, old.moves, strict=True))
        return old if same else Step(moves, old.target)

    def changed_table(old: ProcessTable) -> ProcessTable:
        steps = tuple([tuple([changed_step(step) for step in out]) for out in old.steps])
        same = all(new is step for out, known in zip(steps, old.steps, strict=True)
                   for new, step in zip(out, known, strict=True))
        return old if same else replace(old, steps=steps)

    return replace(tables, processes=tuple(changed_table(old) for old in tables.processes))


def may_block(table: ProcessTable) -> bool:
    """Whether the process may ever wait: some local state has neither a free step nor two that exclude each other."""
    return any(steps and not never_waits(steps) for steps in table.steps)


def never_waits(steps: tuple[Step, ...]) -> bool:
    """Whether one of these steps can always be taken: a free one, or one of two that exclude each other."""
    guards = [step.moves[0].guard for step in steps]
    return any(guard == TRUE for guard in guards) or any(~guard in guards for guard in guards)

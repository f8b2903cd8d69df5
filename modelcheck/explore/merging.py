"""Merging of local steps: a step that touches only what no other process touches is done at once with the one before.

Such a step commutes with every step of the others and cannot be disabled by them, so doing it immediately reaches, up
to the order of independent steps, every state where it would have been done later (the ample set of that one process:
Clarke, Grumberg, Peled, Model Checking, section 10.3).  Three conditions, all static: it breaks and observes nothing;
one of the steps out of its local state can always be taken; and it lies on no cycle of merged steps.  Deadlocks and all
transitions stay reachable; intermediate states are not stored.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.explore.effects import feedback, private_slots
from modelcheck.explore.slicing import map_moves, never_waits
from modelcheck.explore.table import Move, ProcessTable, Step, Tables, Touched, member
from modelcheck.expression import Const, Expr, Op, Slot, rebuild

MOST_JOINED = 64  # steps out of one local state after merging; past it a local state keeps its own steps


def merge_local_steps(tables: Tables) -> Tables:
    """The same tables with local steps joined to the steps that lead to them, and local states renumbered."""
    private = private_slots(tables)
    merged = []
    renamed: Renamed = {}
    for table, mine in zip(tables.processes, private, strict=True):
        new, numbers = _merge(table, mine, watched(tables, table))
        merged.append(new)
        renamed[table.pc] = (new.pc, numbers)
    return renumber_watchers(replace(tables, processes=tuple(merged)), renamed)


Renamed = dict[Expr, tuple[Slot, dict[int, int]]]  # old program counter -> new one, and new numbers of local states


def renumber_watchers(tables: Tables, renamed: Renamed) -> Tables:
    """The same tables with every guard that asks about a program counter rewritten to its new numbers."""

    def change(expr: Expr) -> Expr | None:
        if isinstance(expr, Op) and expr.name == "in" and expr.args[0] in renamed:
            pc, numbers = renamed[expr.args[0]]
            old = [arg.value for arg in expr.args[1:] if isinstance(arg, Const)]
            return member(pc, sorted(numbers[value] for value in old if value in numbers))
        return None

    def asks(expr: Expr) -> bool:
        return isinstance(expr, Op) and (expr.name == "in" and expr.args[0] in renamed or any(map(asks, expr.args)))

    def renumbered(move: Move) -> Move:
        return replace(move, guard=rebuild(move.guard, change)) if asks(move.guard) else move

    return map_moves(tables, renumbered)


def watched(tables: Tables, table: ProcessTable) -> list[frozenset[int]]:
    """The sets of local states of `table` that guards of other processes ask about."""
    found: dict[frozenset[int], None] = {}

    def note(expr: Expr) -> Expr | None:
        if isinstance(expr, Op) and expr.name == "in" and expr.args[0] == table.pc:
            found[frozenset(arg.value for arg in expr.args[1:] if isinstance(arg, Const))] = None
        return None

    for other in tables.processes:
        if table.pc in other.reads:
            for move in other.all_moves():
                rebuild(move.guard, note)
    return list(found)


def _is_local(table: ProcessTable, local: int, private: frozenset[Touched]) -> bool:
    steps = table.steps[local]
    if not steps:
        return False
    for step in steps:
        for move in step.moves:
            if move.edge.breaks or move.observes is not None:
                return False
            if not (move.reads() <= private and move.writes() <= private):
                return False
    return never_waits(steps)


def _merge(
    table: ProcessTable, private: frozenset[Touched], watched_places: list[frozenset[int]]
) -> tuple[ProcessTable, dict[int, int]]:
    # a local state where another process may start on top of this one is left only for one where it still may
    local = [
        _is_local(table, i, private)
        and not any(i in places and step.target not in places for places in watched_places for step in table.steps[i])
        for i in range(len(table.locals))
    ]
    inner = [[s.target for s in steps if local[s.target]] if local[i] else [] for i, steps in enumerate(table.steps)]
    for i in feedback(inner):
        local[i] = False
    joined: dict[int, tuple[Step, ...]] = {}

    def expand(step: Step) -> tuple[Step, ...]:
        if not local[step.target] or step.breaks:
            return (step,)
        return tuple(Step(step.moves + more.moves, more.target) for more in out(step.target))

    def out(i: int) -> tuple[Step, ...]:
        if i not in joined:
            found = tuple(longer for step in table.steps[i] for longer in expand(step))
            joined[i] = found if len(found) <= MOST_JOINED else table.steps[i]
        return joined[i]

    numbers = {table.start: 0}
    order = [table.start]
    steps: list[tuple[Step, ...]] = []
    for i in order:
        for step in out(i):
            if step.target not in numbers:
                numbers[step.target] = len(order)
                order.append(step.target)
        steps.append(tuple([Step(step.moves, numbers[step.target]) for step in out(i)]))
    return ProcessTable(table.name, table.process, tuple(table.locals[i] for i in order), tuple(steps)), numbers

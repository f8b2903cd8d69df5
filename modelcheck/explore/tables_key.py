"""A key that is equal for tables that are equal up to the names of their processes and slots.

Equal keys mean equal graphs, state for state, with the same observations, witnesses and source lines: interchangeable
processes (two readers that run one function), interchangeable cells (two bytes that are stored and loaded alike) and
settings whose models come out the same give one key, and one of them is searched.  Slots and processes are named by
their place, so the order of processes and slots must agree too; what has another order is searched again.

Which bytes the cells of an observation are, and what was compared before, is part of what z3 is asked and of no guard.
So tables that differ in that alone have equal graphs too (`graph_key`), and what one observes the other does, with
bytes of its own: `observing` lists the steps that observe, and equal keys mean that those in one place correspond.
"""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck.explore.observing import observing
from modelcheck.explore.table import Move, Observes, Tables
from modelcheck.expression import Expr, Fresh, Op, Slot


def tables_key(tables: Tables) -> Hashable:
    """The key of `tables`; hashable, and made of plain data."""
    return _Keys(tables).key(), tuple(_told(observes) for observes in observing(tables))


def graph_key(tables: Tables) -> Hashable:
    """The same, but for the bytes and facts that observations tell of."""
    return _Keys(tables).key()


def _told(observes: Observes) -> Hashable:
    """What is told of an observation beside where it lies in a state."""
    values = tuple(
        (value.name, value.lo, value.hi, tuple((cell.bytes, cell.forms) for cell in value.cells))
        for value in observes.values
    )
    return observes.property, values, observes.facts


class _Keys:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.sorts: dict[str, int] = {}
        self.known: dict[Expr, Hashable] = {}
        self.observing = {observes: i for i, observes in enumerate(observing(tables))}

    def key(self) -> Hashable:
        tables = self.tables
        slots = tuple((s.domain.kind, s.domain.lo, s.domain.hi, self._sort(s.domain.sort), s.initial)
                      for s in tables.slots)
        steps = tuple(
            tuple(
                tuple((tuple(self._move(move) for move in step.moves), step.target) for step in out)
                for out in table.steps
            )
            for table in tables.processes
        )
        conditions = tuple(self._expression(condition) for condition in tables.conditions)
        return slots, tuple(table.start for table in tables.processes), steps, len(tables.invariants), conditions

    def _sort(self, sort: str) -> int:
        return self.sorts.setdefault(sort, len(self.sorts))

    def _move(self, move: Move) -> Hashable:
        updates = tuple((self.tables.index[slot], self._expression(value)) for slot, value in move.updates)
        observes = self._observes(move.observes) if move.observes is not None else None
        return (
            self._expression(move.guard),
            updates,
            bool(move.edge.breaks),
            move.edge.preempts,
            move.progress,
            observes,
            move.reaches,
            move.lines,
        )

    def _expression(self, expr: Expr) -> Hashable:
        known = self.known.get(expr)
        if known is None:
            if isinstance(expr, Slot):
                known = ("slot", self.tables.index[expr])
            elif isinstance(expr, Fresh):
                known = ("fresh", self._sort(expr.sort))
            elif isinstance(expr, Op):
                known = (expr.name, *(self._expression(arg) for arg in expr.args))
            else:
                known = expr  # a constant
            self.known[expr] = known
        return known

    def _observes(self, observes: Observes) -> Hashable:
        index = self.tables.index
        return self.observing[observes], tuple(
            tuple((index[cell.slot], None if cell.form is None else index[cell.form]) for cell in value.cells)
            for value in observes.values
        )

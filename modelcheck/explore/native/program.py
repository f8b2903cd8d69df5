"""From tables to the native engine's program: arrays of 32-bit numbers, laid out as program.c reads them.

Its one invariant: the meaning of the code is that of `successors`, step by step.  What the engine cannot take is
refused here in one sentence, and the reference search runs it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.errors import InternalError
from modelcheck.explore.ample_set import AmpleSets
from modelcheck.explore.effects import Effect
from modelcheck.explore.native import _engine as ops
from modelcheck.explore.successors import renamed_sorts
from modelcheck.explore.table import Move, Observes, Step, Tables
from modelcheck.expression import TRUE, Const, Expr, Fresh, Op, Slot, slots_of, sorts_of

MOST_NUMBER = 1 << 30
MOST_SET = 1 << 16  # bits of one set of values
MOST_PROCESS = 63  # the largest value of the process domain
_PLAIN = {"eq": ops.EQ, "ne": ops.NE, "lt": ops.LT, "le": ops.LE, "add": ops.ADD, "sub": ops.SUB}


class Untakeable(Exception):
    """The native engine cannot take these tables; the text says why."""


@dataclass(frozen=True)
class Program:
    """The parts of a program, and which step of the tables each of its steps is: (process, local state, which)."""

    parts: dict[str, array[int]]
    invariants: int
    steps: tuple[tuple[int, int, int], ...]

    def search(self, keep_graph: bool = False, layered: bool = False) -> ops.Search:
        """A search of it, not yet run; raises Untakeable."""
        try:
            return ops.Search(**self.parts, invariants=self.invariants, keep_graph=keep_graph, layered=layered)
        except ValueError as why:
            raise Untakeable(f"the native engine refuses the tables: {why}") from None


def program_of(tables: Tables, ample: bool = False, decides: bool = True) -> Program:
    """The program of `tables`; raises Untakeable.  Without `decides` observations are not asked about."""
    return _Writer(tables, decides).program(ample)


class _Writer:
    def __init__(self, tables: Tables, decides: bool) -> None:
        self.tables = tables
        self.decides = decides
        self.code = array("i")
        self.observations = array("i")
        self.observed: dict[Observes, int] = {}
        self.written: dict[object, int] = {}  # where the code of equal moves begins
        self.sorts: dict[str, int] = {}
        self.places: dict[str, list[int]] = {}

    def program(self, ample: bool) -> Program:
        tables = self.tables
        if len(tables.processes) > ops.MOST_PROCESSES or len(tables.slots) > ops.MOST_SLOTS:
            raise Untakeable(
                f"{len(tables.processes)} processes and {len(tables.slots)} slots; "
                f"the native engine takes {ops.MOST_PROCESSES} and {ops.MOST_SLOTS}"
            )
        sorts = self._sorts()
        slots = array("i", [number for slot in tables.slots for number in self._domain(slot)])
        locals_, steps, places = array("i"), array("i"), []
        for p, table in enumerate(tables.processes):
            locals_.append(len(table.steps))
            for pc, out in enumerate(table.steps):
                locals_.append(len(out))
                for which, step in enumerate(out):
                    steps.extend(self._step(step))
                    places.append((p, pc, which))
        conditions = array("i")
        for condition in tables.conditions:
            conditions.append(len(self.code))
            self._expression(condition)
            self.code.append(ops.END)
        parts = {
            "slots": slots,
            "sorts": sorts,
            "locals": locals_,
            "steps": steps,
            "code": self.code,
            "observations": self.observations,
            "conditions": conditions,
            "ample": _ample(tables) if ample and len(tables.processes) > 1 else array("i"),
        }
        return Program(parts, len(tables.invariants), tuple(places))

    # -- slots --------------------------------------------------------------------------------------------------

    def _sorts(self) -> array[int]:
        numbers = array("i")
        for (kind, sort), places in renamed_sorts(self.tables).items():
            if sort in self.sorts:
                raise Untakeable(f"the sort {sort!r} has both stamps and names")
            self.sorts[sort] = len(self.sorts)
            self.places[sort] = places
            numbers.extend((int(kind == "name"), len(places), *places))
        return numbers

    def _domain(self, slot: Slot) -> tuple[int, int, int, int]:
        kind, lo, hi = slot.domain.kind, slot.domain.lo, slot.domain.hi
        if kind in ("stamp", "name"):
            places = self.places[slot.domain.sort]
            found = {self.tables.initial[place] for place in places} - {-1}  # a sort may be sliced: close the gaps
            first = sorted(found).index(slot.initial) if slot.initial >= 0 else -1
            return -1, len(places) - 1, first, self.sorts[slot.domain.sort]
        if kind == "process":
            lo, hi = 0, MOST_PROCESS
        if not -MOST_NUMBER <= lo <= hi <= MOST_NUMBER:
            raise Untakeable(f"{slot.name} ranges over {lo}..{hi}; the native engine takes numbers up to 2^30")
        return lo, hi, slot.initial, -1

    # -- code ---------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> tuple[int, int, int, int]:
        flags, observation = 0, -1
        if step.breaks:
            flags |= ops.BREAKS
        elif step.observes is not None and self.decides:
            flags |= ops.OBSERVES
            observation = self._observation(step.observes)
        if step.progress:
            flags |= ops.PROGRESS
        key = tuple((move.guard, move.updates) for move in step.moves)
        at = self.written.get(key)
        if at is None:
            at = self.written[key] = len(self.code)
            self._moves(step.moves)
        return at, step.target, flags, observation

    def _observation(self, observes: Observes) -> int:
        known = self.observed.get(observes)
        if known is None:
            known = self.observed[observes] = len(self.observed)
            index = self.tables.index
            cells = [cell for value in observes.values for cell in value.cells]
            stamps = list(dict.fromkeys(index[cell.slot] for cell in cells))
            forms = list(dict.fromkeys(index[cell.form] for cell in cells if cell.form is not None))
            self.observations.extend((len(stamps), len(forms), *stamps, *forms))
        return known

    def _moves(self, moves: tuple[Move, ...]) -> None:
        for position, move in enumerate(moves):
            self._guard(move.guard)
            if position == 0:
                self.code.append(ops.BEGIN)
            self._updates(dict(move.updates))
        self.code.append(ops.END)

    def _guard(self, guard: Expr) -> None:
        if isinstance(guard, Op) and guard.name == "and":
            for part in guard.args:
                self._guard(part)
            return
        if guard == TRUE:
            return
        short = self._short(guard)
        if short is not None:
            self.code.extend(short)
        else:
            self._expression(guard)
            self.code.append(ops.GUARD)

    def _short(self, guard: Expr) -> tuple[int, int, int] | None:
        """The one operation of a test of a slot against a constant or another slot."""
        index = self.tables.index
        if isinstance(guard, Slot):
            return ops.GUARD_NE, index[guard], 0
        if not isinstance(guard, Op):
            return None
        if guard.name == "not" and isinstance(guard.args[0], Slot):
            return ops.GUARD_EQ, index[guard.args[0]], 0
        if guard.name == "not" and isinstance(guard.args[0], Op) and guard.args[0].name in ("eq", "ne"):
            inner = guard.args[0]
            return self._short(Op("ne" if inner.name == "eq" else "eq", inner.args))
        if guard.name not in ("eq", "ne"):
            return None
        left, right = guard.args
        if isinstance(left, Const):
            left, right = right, left
        if isinstance(left, Slot) and isinstance(right, Const):
            return (ops.GUARD_EQ if guard.name == "eq" else ops.GUARD_NE), index[left], _number(right.value)
        if isinstance(left, Slot) and isinstance(right, Slot) and guard.name == "eq":
            return ops.GUARD_SAME, index[left], index[right]
        return None

    def _updates(self, updates: dict[Slot, Expr]) -> None:
        """Assignments done at once: one by one where none reads what an earlier one wrote, else by the stack."""
        written: set[Slot | str] = set()
        clash = False
        for slot, value in updates.items():
            clash = clash or not written.isdisjoint((*slots_of(value), *sorts_of(value)))
            written |= {slot, slot.domain.sort} if slot.domain.sort else {slot}
        index = self.tables.index
        if clash:
            for value in updates.values():
                self._expression(value)
            for slot in reversed(updates):
                self.code.extend((ops.STORE, index[slot]))
            return
        for slot, value in updates.items():
            if isinstance(value, Const):
                self.code.extend((ops.SET, index[slot], _number(value.value)))
            elif isinstance(value, Slot):
                self.code.extend((ops.COPY, index[slot], index[value]))
            else:
                self._expression(value)
                self.code.extend((ops.STORE, index[slot]))

    def _expression(self, expr: Expr) -> None:
        if _depth(expr) > ops.MOST_STACK:
            raise Untakeable(f"an expression needs more than {ops.MOST_STACK} values at once")
        for number in self._postfix(expr):
            self.code.append(number)

    def _postfix(self, expr: Expr) -> Iterator[int]:
        if isinstance(expr, Const):
            yield from (ops.CONST, _number(expr.value))
        elif isinstance(expr, Slot):
            yield from (ops.SLOT, self.tables.index[expr])
        elif isinstance(expr, Fresh):
            yield from (ops.FRESH, self.sorts[expr.sort])
        elif isinstance(expr, Op) and expr.name == "in":
            yield from self._postfix(expr.args[0])
            yield from _set([arg.value for arg in expr.args[1:] if isinstance(arg, Const)], len(expr.args) - 1)
        elif isinstance(expr, Op) and expr.name in ("and", "or"):
            for i, arg in enumerate(expr.args):
                yield from self._postfix(arg)
                if i:
                    yield ops.AND if expr.name == "and" else ops.OR
        elif isinstance(expr, Op):
            for arg in expr.args:
                yield from self._postfix(arg)
            yield {"not": ops.NOT, "ite": ops.ITE, **_PLAIN}[expr.name]
        else:
            raise InternalError(f"{expr!r} is not linked; please report this")


def _number(value: int) -> int:
    if not -MOST_NUMBER <= value <= MOST_NUMBER:
        raise Untakeable(f"the number {value}; the native engine takes numbers up to 2^30")
    return int(value)


def _set(values: list[int], count: int) -> Iterator[int]:
    if len(values) != count:
        raise Untakeable("a set with a member that is no constant")
    low = min(values, default=0)
    if max(values, default=0) - low >= MOST_SET:
        raise Untakeable(f"a set of values more than {MOST_SET} apart")
    bits = [0] * ((max(values, default=0) - low) // 32 + 1)
    for value in values:
        bits[(value - low) // 32] |= 1 << (value - low) % 32
    yield from (ops.IN, _number(low), len(bits))
    for word in bits:
        yield word - (1 << 32) if word >> 31 else word


def _depth(expr: Expr) -> int:
    """The most values its code has on the stack."""
    if not isinstance(expr, Op):
        return 1
    if expr.name in ("and", "or"):
        return max(_depth(arg) + min(i, 1) for i, arg in enumerate(expr.args))
    args = expr.args[:1] if expr.name == "in" else expr.args
    return max(_depth(arg) + i for i, arg in enumerate(args))


def _ample(tables: Tables) -> array[int]:
    """What decides the clusters of `ample_set`: equal effects numbered, and which of them depend on which."""
    sets = AmpleSets(tables)
    numbers = array("i")
    classes: list[tuple[list[Effect], list[Effect]]] = []
    for p, table in enumerate(tables.processes):
        now, future = _numbered(sets.now[p]), _numbered(sets.future[p])
        numbers.extend((len(now), len(future)))
        for pc in range(len(table.steps)):
            numbers.extend((now[sets.now[p][pc]], future[sets.future[p][pc]], int(pc in sets.sticky[p])))
        classes.append((list(now), list(future)))
    for p, (mine, _) in enumerate(classes):
        for q, (_, theirs) in enumerate(classes):
            if p != q:
                numbers.extend(int(a.dependent(b)) for a in mine for b in theirs)
    return numbers


def _numbered(effects: list[Effect]) -> dict[Effect, int]:
    found: dict[Effect, int] = {}
    for effect in effects:
        found.setdefault(effect, len(found))
    return found

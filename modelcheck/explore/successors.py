"""The Python successor function of a table: generated source, compiled once per system.

States are tuples of ints.  After a step the stamps of each sort are renamed to their rank and the names to the order of
their first place, so that a writer that updates for ever has finitely many states (design.md section 2).  Its one
invariant: the meaning is that of `expression.evaluate`, move by move; a test compares the two on random systems.
"""

from __future__ import annotations

from collections.abc import Callable

from modelcheck.errors import OutOfRange
from modelcheck.explore.found import State
from modelcheck.explore.table import Move, Step, Tables
from modelcheck.expression import TRUE, Const, Expr, Op, Slot, is_truth, slots_of, to_python

Out = list[tuple[int, State]]


def needs_order(tables: Tables) -> bool:
    """Whether the order of stamps can matter: something observes them, or some guard compares them by order.

    Where it cannot, stamps are renamed as names are, which is exact for the same reason (design.md section 2).
    """
    def compares(expr: Expr) -> bool:
        if not isinstance(expr, Op):
            return False
        if expr.name in ("lt", "le") and any(slot.domain.kind == "stamp" for slot in slots_of(expr)):
            return True
        return any(compares(arg) for arg in expr.args)

    moves = [move for table in tables.processes for move in table.all_moves()]
    return (any(move.observes is not None or compares(move.guard) or any(compares(v) for _, v in move.updates)
                for move in moves) or any(compares(c) for c in tables.conditions))


def renamed_sorts(tables: Tables) -> dict[tuple[str, str], list[int]]:
    """Where the slots of each sort lie, by how they are renamed ("stamp" by rank, "name" by first place) and sort."""
    unordered = not needs_order(tables)
    found: dict[tuple[str, str], list[int]] = {}
    for i, slot in enumerate(tables.slots):
        if slot.domain.kind in ("stamp", "name"):
            kind = "name" if unordered else slot.domain.kind
            found.setdefault((kind, slot.domain.sort), []).append(i)
    return found


def _may_leave(slot: Slot, value: Expr) -> bool:
    """Whether an update may set a slot of finite domain to what is outside it."""
    domain = slot.domain
    if domain.kind not in ("bool", "range", "enum"):
        return False
    if isinstance(value, Const):
        return not domain.lo <= value.value <= domain.hi
    if isinstance(value, Slot):
        return value.domain.lo < domain.lo or value.domain.hi > domain.hi
    if is_truth(value):
        return domain.lo > 0 or domain.hi < 1
    return isinstance(value, Op) and value.name in ("add", "sub", "ite")


class Successors:
    """`steps[p][pc](state)` lists (number of the step, next state), next states renamed."""

    def __init__(self, tables: Tables, rename: bool = True) -> None:
        self.tables = tables
        self._places = {source: {slot: f"{source}[{i}]" for slot, i in tables.index.items()} for source in "sn"}
        self._by_sort = renamed_sorts(tables)
        lines = [self._canon_source() if rename else "def canon(n):\n    return tuple(n)"]
        for p, table in enumerate(tables.processes):
            for pc, steps in enumerate(table.steps):
                lines.append(self._function(p, pc, steps))
            lines.append(f"f{p} = [{', '.join(f'f{p}_{pc}' for pc in range(len(table.steps)))}]")
        namespace: dict[str, object] = {"out_of_range": self._out_of_range}
        exec(compile("\n".join(lines), f"<steps of {len(tables.processes)} processes>", "exec"), namespace)
        self.canon: Callable[[list[int]], State] = namespace["canon"]  # type: ignore[assignment]
        self.steps: list[list[Callable[[State], Out]]] = [
            namespace[f"f{p}"] for p in range(len(tables.processes))]  # type: ignore[misc]
        self.initial = self.canon(list(tables.initial))

    def _canon_source(self) -> str:
        lines = ["def canon(n):"]
        for (kind, _), places in sorted(self._by_sort.items()):
            values = ", ".join(f"n[{i}]" for i in places)
            if kind == "stamp":
                lines += [f"    u = sorted({{{values}}})",
                          "    low = -1 if u[0] < 0 else 0",
                          "    if u[-1] != len(u) - 1 + low:",
                          "        m = dict(zip(u, range(low, len(u) + low)))"]
                lines += [f"        n[{i}] = m[n[{i}]]" for i in places]
            else:
                lines += ["    m = {-1: -1}"]
                lines += [f"    n[{i}] = m.setdefault(n[{i}], len(m) - 1)" for i in places]
        lines.append("    return tuple(n)")
        return "\n".join(lines)

    def _function(self, p: int, pc: int, steps: tuple[Step, ...]) -> str:
        lines = [f"def f{p}_{pc}(s):", "    out = []"]
        for number, step in enumerate(steps):
            lines += self._step(p, number, step)
        lines.append("    return out")
        return "\n".join(lines)

    def _step(self, p: int, number: int, step: Step) -> list[str]:
        lines = []
        pad, source = "    ", "s"
        for position, move in enumerate(step.moves):
            if move.guard != TRUE:
                lines.append(f"{pad}if {self._text(move.guard, source)}:")
                pad += "    "
            if position == 0:
                lines.append(f"{pad}n = list(s)")
                source = "n"
            lines += [pad + text for text in self._updates(move)]
        lines.append(f"{pad}n[{p}] = {step.target}")
        lines.append(f"{pad}out.append(({number}, canon(n)))")
        return lines

    def _updates(self, move: Move) -> list[str]:
        index = self.tables.index
        if not move.updates:
            return []
        left = ", ".join(f"n[{index[slot]}]" for slot, _ in move.updates)
        right = ", ".join(self._text(value, "n") for _, value in move.updates)
        lines = [f"{left} = {right}"]
        for slot, value in move.updates:
            if _may_leave(slot, value):
                i = index[slot]
                where = "{}:{}".format(*move.lines[0]) if move.lines else ""
                inside = f"{slot.domain.lo} <= n[{i}] <= {slot.domain.hi}"
                lines.append(f"if not {inside}: out_of_range({i}, int(n[{i}]), {where!r})")
        return lines

    def _text(self, expr: Expr, source: str) -> str:
        return to_python(expr, self._places[source], self._fresh)

    def _fresh(self, sort: str) -> str:
        places = [i for (_, name), found in self._by_sort.items() if name == sort for i in found]
        return f"max({', '.join(f'n[{i}]' for i in places)}, 0) + 1"

    def _out_of_range(self, place: int, value: int, where: str) -> None:
        slot = self.tables.slots[place]
        raise OutOfRange(
            f"{slot.name} became {value}, outside {slot.domain.lo}..{slot.domain.hi}; "
            "widen its range or guard the step",
            where,
        )

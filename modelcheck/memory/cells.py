"""Cells: the coarsest partition of an area's carried bytes in which every piece of every access is a union of cells.

Computed from the accesses of all processes, never chosen by hand (design.md section 4).  A cell holds the stamp of
the update that wrote it and, where stores of several forms reach it, a form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelcheck.action import Access
from modelcheck.expression import Domain, Slot, range_domain
from modelcheck.memory.area import Area


@dataclass(frozen=True, slots=True)
class Cell:
    """Some bytes of an area that always move together.  `forms` are the forms ("" first) that stores may give them."""

    area: str
    bytes: tuple[int, ...]
    sort: str
    forms: tuple[str, ...]
    numbers: Domain | None = None
    initial: int = 0

    @property
    def name(self) -> str:
        """`area[lo:hi]` when the bytes are adjacent, else the list of bytes; the area's own where it is one number."""
        if self.numbers is not None:
            return self.area
        lo, hi = self.bytes[0], self.bytes[-1] + 1
        return f"{self.area}[{lo}:{hi}]" if hi - lo == len(self.bytes) else f"{self.area}{list(self.bytes)}"

    def slot(self, prefix: str = "") -> Slot:
        """The slot with the stamp; with a prefix, that of a register's copy, which starts out dead (-1)."""
        if self.numbers is not None:
            return Slot(prefix + self.name, self.numbers, self.numbers.lo if prefix else self.initial, own=bool(prefix))
        domain = Domain("stamp", sort=self.sort)
        return Slot(prefix + self.name, domain, -1 if prefix else 0, own=bool(prefix))

    def form_slot(self, prefix: str = "") -> Slot | None:
        """The slot with the form, None where the cell has only one."""
        if len(self.forms) == 1:
            return None
        return Slot(f"{prefix}{self.name}.form", range_domain(0, len(self.forms) - 1), 0, own=bool(prefix))


class CellMap:
    """The cells of one area, found from all accesses to it; `natural` is that of `Area.pieces`."""

    def __init__(self, area: Area, accesses: Iterable[Access], natural: bool = False) -> None:
        self.area = area
        unique = sorted(set(accesses), key=lambda a: (a.lo, a.hi, a.store, a.mode, a.variant, a.text))
        pieces = {(piece, access.store, access.variant) for access in unique for piece in area.pieces(access, natural)}
        ranges = sorted({piece for piece, _, _ in pieces})
        groups: dict[tuple[int, ...], list[int]] = {}
        for offset in range(area.size):
            inside = tuple(i for i, (lo, hi) in enumerate(ranges) if lo <= offset < hi)
            if inside and area.carries(offset):
                groups.setdefault(inside, []).append(offset)
        self.cells = tuple(self._cell(tuple(group), pieces) for group in sorted(groups.values()))
        self._of = {offset: cell for cell in self.cells for offset in cell.bytes}

    def _cell(self, group: tuple[int, ...], pieces: set[tuple[tuple[int, int], bool, str]]) -> Cell:
        marked = self.area.marked
        if self.area.domain is not None:
            return Cell(self.area.name, group, self.area.sort, ("",), self.area.domain, self.area.initial)
        if marked is not None and marked.isdisjoint(group):
            return Cell(self.area.name, group, self.area.sort, ("",))
        forms = {variant for (lo, hi), store, variant in pieces if store and lo <= group[0] < hi}
        return Cell(self.area.name, group, self.area.sort, ("", *sorted(forms - {""})))

    def of(self, offset: int) -> Cell | None:
        """The cell a byte is in, None when the state does not carry it."""
        return self._of.get(offset)

    def within(self, lo: int, hi: int) -> tuple[Cell, ...]:
        """The cells with bytes in `lo` to `hi` (excluded), in address order."""
        return tuple(cell for cell in self.cells if any(lo <= offset < hi for offset in cell.bytes))

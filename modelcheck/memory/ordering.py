"""Which pairs of accesses of one process keep their program order: the memory model's table.

Sequential consistency keeps all; independently, the compiler may reorder plain accesses and copies between two
compiler barriers (design.md section 4).  Its one invariant: accesses that overlap keep their order when one of them
stores, so a process always reads its own latest store.  Other models join as further functions of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelcheck.action import Access


@dataclass(frozen=True, slots=True)
class Piece:
    """One atomic part of an access: bytes `lo` to `hi` (excluded)."""

    access: Access
    lo: int
    hi: int

    def overlaps(self, other: Piece) -> bool:
        """Whether both touch a common byte."""
        return self.access.area == other.access.area and self.lo < other.hi and other.lo < self.hi


Ordered = Callable[[Piece, Piece], bool]


def sc_program_order(earlier: Piece, later: Piece) -> bool:
    """Sequential consistency with the compiler held to program order: everything stays in order."""
    return True


def sc_free_compiler(earlier: Piece, later: Piece) -> bool:
    """Sequential consistency, the compiler free between barriers: only marked or conflicting accesses are ordered."""
    if earlier.overlaps(later) and (earlier.access.store or later.access.store):
        return True
    return earlier.access.mode == "once" and later.access.mode == "once"


ORDERINGS: dict[tuple[str, str], Ordered] = {
    ("sc", "free"): sc_free_compiler,
    ("sc", "program"): sc_program_order,
}

"""What a memory model is: which pairs of accesses of one process keep their program order, and forwarding.

A model is a table (design.md section 4): `keeps` for pairs of accesses with nothing between, and for each fence the
pairs it orders.  The compiler is a knob of its own: free to move plain accesses between its barriers, or held to
program order.  Each kind of fence is a barrier to the compiler whatever it is to the machine.  The one invariant: what
overlaps keeps its order when one stores, except that a load may take its bytes from a store of its own process that
has not been performed yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelcheck.action import Access

Pairs = frozenset[tuple[str, str]]

COMPILER: Pairs = frozenset()
LOADS: Pairs = frozenset({("load", "load")})
STORES: Pairs = frozenset({("store", "store")})
FULL: Pairs = frozenset({(a, b) for a in ("load", "store") for b in ("load", "store")})

FENCES = (
    "smp_mb", "mb", "mfence", "smp_rmb", "rmb", "lfence", "smp_wmb", "wmb", "sfence", "barrier",
    "smp_mb__before_atomic", "smp_mb__after_atomic", "smp_mb__after_spinlock", "smp_mb__after_unlock_lock",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One atomic part of an access: bytes `lo` to `hi` (excluded)."""

    access: Access
    lo: int
    hi: int

    def overlaps(self, other: Piece) -> bool:
        """Whether both touch a common byte."""
        return self.access.area == other.access.area and self.lo < other.hi and other.lo < self.hi


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """A machine: `keeps` and `fences` as above, and what it does.

    `forwards`: loads take bytes from own pending stores.  `guesses`: a branch may be guessed before its loads are
    performed.  `natural`: accesses are cut at natural alignment.  `splits`: an update that is not fully ordered is
    performed as a load and a store.
    """

    name: str
    keeps: Callable[[Access, Access], bool]
    fences: Mapping[str, Pairs]
    forwards: bool
    guesses: bool = False
    natural: bool = False
    splits: bool = False

    def passes(self, kind: str) -> bool:
        """Whether later accesses may be issued while something before the fence is pending."""
        return self.forwards and self.fences[kind] != FULL


def compiled_in_order(earlier: Access, later: Access) -> bool:
    """Whether a free compiler keeps two accesses with no barrier between in order, wherever they lie.

    Marked accesses are volatile and stay in order among themselves; acquire, release and full contain a barrier.
    """
    if earlier.mode in ("acquire", "full") or later.mode in ("release", "full"):
        return True
    return marked(earlier) and marked(later)


def marked(access: Access) -> bool:
    """Whether it is READ_ONCE(), WRITE_ONCE() or an atomic; else it is the compiler's."""
    return access.mode not in ("plain", "copy")


def kinds(access: Access) -> tuple[str, ...]:
    """What an access does, as the pairs of a fence name it."""
    return ("load", "store") if access.update else ("store",) if access.store else ("load",)

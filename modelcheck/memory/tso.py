"""x86-TSO: all but store to load keep their order, and a process reads its own buffered stores.

Sewell, Sarkar, Owens, Zappa Nardelli, Myreen: x86-TSO, CACM 53(7), 2010; protocol.md 9.1 for what the kernel's barriers
are.  The `smp_` ones but smp_mb() order the compiler only.  rmb() and wmb() are LFENCE and SFENCE, which order nothing
of write-back memory that the table does not keep; smp_mb(), mb() and every locked instruction drain the store buffer.
"""

from modelcheck.action import Access
from modelcheck.memory.ordering import COMPILER, FENCES, FULL, MemoryModel

DRAIN = ("smp_mb", "mb", "mfence")


def keeps(earlier: Access, later: Access) -> bool:
    """All pairs but a store and a later load; a locked access is both and more."""
    return earlier.update or later.update or not (earlier.store and not later.store)


TSO = MemoryModel("tso", keeps, {name: FULL if name in DRAIN else COMPILER for name in FENCES}, forwards=True)

"""A weak host, other-multi-copy-atomic as arm64: only fences, dependencies, acquire and release keep an order.

Pulte, Flur, Deacon, French, Sarkar, Sewell: Simplifying ARM Concurrency, POPL 2018, for the shape: one memory, which
all see alike, and accesses performed out of order.  Where arm64 and the kernel's own model (Alglave, Maranget,
McKenney, Parri, Stern: Frightening Small Children, ASPLOS 2018) differ in what they keep, the weaker is taken: an
smp_rmb() orders loads with loads only (a DMB ISHLD also with later stores), a release store and a later acquire load
are not ordered (LDAPR, not LDAR), and a control dependency is as wide as the process says.  An acquiring
read-modify-write does keep its place after a release (CASA is ordered after STLR), so that what was done before an
unlock is seen after the next lock.  A read-modify-write that is not fully ordered is a load and a store with no other
store between, of which acquire is the load's and release the store's.

Stronger than arm64 in three points: two loads of one location stay in order even where they read the same store; no
load takes its value from the store of a read-modify-write that is not performed yet; and no read-modify-write takes
what it reads from an own store that is not.
"""

from modelcheck.action import Access
from modelcheck.memory.ordering import COMPILER, FULL, LOADS, STORES, MemoryModel


def keeps(earlier: Access, later: Access) -> bool:
    """What acquire, release and fully ordered read-modify-writes keep."""
    if earlier.mode == "full" or later.mode == "full":
        return True
    if earlier.mode == "acquire":
        return True
    if later.mode == "release":
        return True
    return earlier.mode == "release" and later.mode == "acquire" and (later.update or later.part == "load")


WEAK = MemoryModel(
    "weak",
    keeps,
    {
        "smp_mb": FULL,
        "mb": FULL,
        "mfence": FULL,
        "smp_mb__before_atomic": FULL,
        "smp_mb__after_atomic": FULL,
        "smp_mb__after_spinlock": FULL,
        "smp_mb__after_unlock_lock": FULL,
        "smp_rmb": LOADS,
        "rmb": LOADS,
        "lfence": LOADS,
        "smp_wmb": STORES,
        "wmb": STORES,
        "sfence": STORES,
        "barrier": COMPILER,
    },
    forwards=True,
    guesses=True,
    natural=True,
    splits=True,
)

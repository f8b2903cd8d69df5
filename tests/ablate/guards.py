"""What protocol.md calls necessary and what it calls redundant: two lists, each entry with where it says so.

An entry is a piece (kind, step, the beginning of its text, and its function where the step does not tell it), the
property that is lost without it or the properties that are not, and where that is asked; what is not named has the
spec's default, and the version is the newest.  What breaks is the property, or else `breaks`.  `argument` is for
entries where the checker contradicts protocol.md, or where the piece is less, or more, than what is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.ablate.campaign import RANGE
from modelcheck.spec import Value

Values = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Guard:
    """One piece, what it is asked for, where, and why protocol.md says that it is needed, or not."""

    kind: str
    step: str
    text: str
    properties: tuple[str, ...]
    source: str
    where: Values
    memory: str = "tso"
    function: str = ""
    spec: str = "runstate"
    version: str = ""
    breaks: tuple[str, ...] = ()
    argument: str = ""

    @property
    def broken(self) -> tuple[str, ...]:
        """What breaks without a necessary one: the property, unless `breaks` says otherwise."""
        return self.breaks or self.properties

    def __str__(self) -> str:
        return f"{self.spec} {self.version} {self.step or self.function} {self.kind} {self.text} ({self.memory})"


def at(**values: Value) -> Values:
    """A setting."""
    return tuple(values.items())


# Where things are asked: an aligned area in one page, an area across two, while nothing else happens to them
ALIGNED, SPLIT = at(offset=0), at(offset=4072, ioctls="none", vmm="moves", preemption="full")
IN_ORDER = at(offset=0, compiler="program")  # plain accesses stay where they are: the machine alone reorders
MOVING = at(offset=0, ioctls="usual", vmm="moves", preemption="voluntary")
MEMSLOTS = at(offset=0, ioctls="usual", vmm="memslots", preemption="full")
MIGRATION = at(offset=0, ioctls="usual")
ACCOUNTING = at(fix="accounting", clock="increasing", steal="exact")
TORN, STALE, ORDER, DIRTY = ("torn-read",), ("stale-mapping",), ("lock-order",), ("lost-dirty",)
CHECK1, CHECK2, QUIET = "kvm_gpc_check(gpc1)", "kvm_gpc_check(gpc2)", "no invalidation since H2"

READERS = "2.4: the contract is to compare state_entry_time before and after, and to test XEN_RUNSTATE_UPDATE"
BARRIERS = "10: without G8's or G11's wmb a weak-store model must fail P1; 9.3: flag-set | data | flag-clear"
LOADS = "9.3: a reader on a weak machine needs load-load order at S2 and S4"
COMPILER = "9.2: plain stores between two barrier()s may be reordered; what protects is a barrier() before and after"
WAITS = "3.6, N2: write_lock waits for every reader, so that no update is inside G3..G13 after it"
CHECKS = "3.1, 3.2: the cache holds no page reference, so safety rests on check() under the lock, and on the notifier"
AGAIN = "2.3, G3 and G6: after a refresh or an activation the lock is taken again and the check made again"
RETRIED = "3.4, why H7 is right: the count is raised before the lock is taken, or the sequence has changed"
H1 = "3.4, H1: valid is false before the lock is dropped, or other checkers see a generation that matches already"
TRYLOCK = "7.3: the reference is still dropped under the lock, so the trylock remains necessary; 12.1 item 1: by class"
GRACE = "3.7 (ii): when the ioctl returns no SRCU reader that passed check() with the old generation still runs"
HARVEST = "5.6: only the order 'store, then set bit' protects the page from a harvest"
D2 = "6.3 D2: preempted between the clock reading and the store of the entry time, the time is counted twice"
NEGATIVE = "2.3, 36a85200643e, and B23: a negative delta, or more steal than delta, is not to reach the times"

NECESSARY = (
    # flag, barriers and the reader
    Guard("store", "G8", "*update_bit", TORN, "6.3 D11: without the flag a reader accepts new and old parts", ALIGNED),
    Guard("store", "G12", "*update_bit", ("reader-terminates",), "4.1: a reader spins while U stays set", ALIGNED),
    Guard("barrier", "G8", "smp_wmb", TORN, BARRIERS, IN_ORDER, "weak"),
    Guard("barrier", "G11", "smp_wmb", TORN, BARRIERS, IN_ORDER, "weak"),
    Guard("barrier", "S2", "rmb", TORN, LOADS, IN_ORDER, "weak"),
    Guard("barrier", "S4", "rmb", TORN, LOADS, IN_ORDER, "weak"),
    Guard("barrier", "G8", "smp_wmb", TORN, COMPILER, ALIGNED),
    Guard("barrier", "G11", "smp_wmb", TORN, COMPILER, ALIGNED),
    Guard("barrier", "S2", "rmb", TORN, COMPILER, ALIGNED, argument="a volatile copy is several loads (4.1, S3)"),
    Guard("barrier", "S4", "rmb", TORN, COMPILER, ALIGNED, argument="as at S2"),
    Guard("order", "S1", "*res = *state moved before", TORN, LOADS, ALIGNED),
    Guard("order", "S3", "e2 = READ_ONCE(state_entry_time) moved before", TORN, LOADS, ALIGNED),
    Guard("test", "S6", "e1 == e2 taken as true", TORN, READERS, ALIGNED),
    Guard("test", "S6", "e1 & XEN_RUNSTATE_UPDATE taken as false", TORN, READERS, ALIGNED),
    # locks and checks of the writer
    Guard("lock", "G2", "read_lock", STALE, WAITS, SPLIT),
    Guard("lock", "G2", "read_trylock", STALE, WAITS, SPLIT),
    Guard("lock", "G3", "read_lock", STALE, AGAIN, SPLIT),
    Guard("lock", "G5", "read_lock", STALE, WAITS, SPLIT),
    Guard("lock", "G5", "read_trylock", STALE, WAITS, SPLIT),
    Guard("test", "G3", f"{CHECK1} taken as true", STALE, CHECKS, SPLIT),
    Guard("test", "G6", f"{CHECK2} taken as true", STALE, CHECKS, SPLIT),
    Guard("retry", "G3", f"{CHECK1} not asked again after it", STALE, AGAIN, SPLIT),
    Guard("retry", "G3", f"{CHECK1} not asked again after {CHECK2}", STALE, AGAIN, SPLIT),
    Guard("retry", "G6", f"{CHECK2} not asked again after it", STALE, AGAIN, SPLIT),
    Guard("trylock", "G2", "read_trylock", ORDER, TRYLOCK, SPLIT),
    Guard("trylock", "G5", "read_trylock", ORDER, TRYLOCK, SPLIT),
    # refresh and notifier
    Guard("lock", "H6", "write_lock", STALE, RETRIED, SPLIT),
    Guard("test", "H7", f"{QUIET} taken as true", STALE, RETRIED, SPLIT),
    Guard("clause", "H7", f"{QUIET} without asking (mn_active_invalidate_count", STALE, RETRIED, SPLIT),
    Guard("clause", "H7", f"{QUIET} without asking (gpc_invalidate_seq", STALE, RETRIED, SPLIT),
    Guard("retry", "H7", f"{QUIET} not asked again", STALE, RETRIED, SPLIT),
    Guard("store", "N1", "mn_active_invalidate_count++", STALE, RETRIED, SPLIT, breaks=(RANGE,), argument=
          "the count that nobody raised is lowered below 0 at E2, before any store can be stale; that a refresh looks "
          "at it is the condition at H7"),
    Guard("lock", "N2", "read_lock", STALE, "3.4: a notifier that gets the lock after H8 sees valid and clears it",
          SPLIT),
    Guard("lock", "N2", "write_lock", STALE, WAITS, SPLIT),
    Guard("store", "N2", "gpc{1,2}->valid = false", STALE, WAITS, SPLIT),
    Guard("store", "E2", "gpc_invalidate_seq in", STALE, RETRIED, SPLIT),
    Guard("store", "H2", "gpc{1,2}->valid in", STALE, H1, MOVING, version="4438355e", argument=
          "the other checker is sched_out in the ioctl, so until 118964562969 (see REDUNDANT)"),
    # memslots
    Guard("lock", "", "srcu_read_lock", STALE, "2.3, 9c1a07442c95, and B2: memslots are looked at under SRCU", MEMSLOTS,
          function="kvm_sched_out"),
    Guard("lock", "", "srcu_read_lock", STALE, GRACE, MEMSLOTS, function="kvm_arch_vcpu_ioctl_run"),
    Guard("wait", "M1", "synchronize_srcu", STALE, GRACE, MEMSLOTS),
    Guard("clause", "G3", f"{CHECK1} without asking (gpc1->generation", STALE, GRACE, MEMSLOTS),
    # what preempts, and migration
    Guard("test", "", "wants_to_run taken as true", ("out-of-area",), "6.3 D1: 118964562969 closed the gate",
          at(offset=4072, ioctls="usual", vmm="moves", preemption="voluntary"), function="kvm_sched_out"),
    Guard("test", "", "wants_to_run taken as true", DIRTY, "2.3, 118964562969, and B22: an ioctl that is preempted "
          "after the final harvest would dirty the page", MIGRATION, "sc", function="kvm_sched_out"),
    Guard("store", "G13", "dirty_bitmap", DIRTY, HARVEST, MIGRATION, "sc"),
    Guard("order", "G12", "dirty_bitmap", DIRTY, HARVEST, MIGRATION, "sc"),
    Guard("wait", "", "the vCPU has stopped", DIRTY, "6.3 D9: safe only if the writer is quiescent at the final copy",
          MIGRATION, "sc", function="vm_stop"),
    # accounting, and the vCPU that reads its own area
    *(Guard("irq", "A0", "local_irq_save()", (name,), D2, ACCOUNTING, "sc", argument=
            "D2 is there in every version: asked of the accounting with the fix, which is this piece")
      for name in ("time-sum", "monotonic", "steal-booked")),
    Guard("test", "A6", "delta < 0 taken as false", ("monotonic",), NEGATIVE,
          at(fix="accounting", clock="may-step-back", steal="exact"), "sc"),
    Guard("test", "A7", "steal = min(steal, delta) taken as false", ("monotonic",), NEGATIVE,
          at(fix="accounting", clock="increasing", steal="free"), "sc"),
    Guard("test", "", "kvm_vcpu_exit_request taken as false", ("own-read",), "2.1: vcpu_enter_guest looks at pending "
          "requests again with preemption off, so guest code never runs with a last state 'runnable'", ALIGNED),
    Guard("irq", "", "local_irq_save()", ("own-read",), "2.1: with preemption off", ALIGNED,
          function="vcpu_enter_guest"),
    # the cache by itself, used from any thread
    Guard("test", "R4", "gpc->active taken as true", ("inactive-valid",), "3.8, ecbcf030b456, and B16",
          at(actors="owner-config-notifier", invalidations="unending"), spec="pfncache"),
    Guard("lock", "R1", "mutex_lock(gpc->refresh_lock)", ("inactive-valid",), "3.8, 93984f19e7bc and 6addfcf27139",
          at(actors="owner-config-keeping", invalidations="unending"), spec="pfncache"),
    Guard("store", "R8", "gpc->khva", ("out-of-area",), "3.8, 8332f0ed4f18, and B14: stores go to the old offset",
          at(actors="same-page-move", invalidations="unending"), spec="pfncache"),
)  # fmt: skip

EVERYWHERE = ("torn-read", "flag-clears", "reader-terminates", "stale-mapping", "deadlock", "lock-order")
LOCKS = ("stale-mapping", "deadlock", "lock-order", "sleep-in-atomic")
ON_X86 = "10: on TSO G8's and G11's wmb must not be missed; 9.1: on x86 both sides are ordered at instruction level"
ONE_TASK = "12.1 item 1: a runstate cache is refreshed, activated and deactivated by one task only"
FIRST_LOOK = "3.6 and 3.8, 9fa336e343b2: the look under the read lock is there against contention only"
INSTANCES = "12.1 item 1, 7.1: by instance, with the owners that there are, there is no deadlock"

REDUNDANT = (
    Guard("barrier", "G12", "smp_wmb", EVERYWHERE, "9.3: flag-set | data | flag-clear are two barriers; 2.3: V0 had no "
          "third", SPLIT, "weak"),
    *(Guard("barrier", step, "", TORN, ON_X86, IN_ORDER) for step in ("G8", "G11", "S2", "S4")),
    Guard("test", "N2", "gpc{1,2}->valid taken as true", EVERYWHERE, FIRST_LOOK, SPLIT, "weak"),
    Guard("order", "G13", "read_unlock", DIRTY, "6.1 B18: for runstate caches only one task exists, so expect no "
          "counterexample", MIGRATION, "sc"),
    Guard("trylock", "G2", "read_trylock", ("deadlock",), INSTANCES, SPLIT),
    Guard("trylock", "G5", "read_trylock", ("deadlock",), INSTANCES, SPLIT),
    Guard("lock", "R1", "mutex_lock(gpc1->refresh_lock)", LOCKS, ONE_TASK, SPLIT),
    Guard("test", "R4", "gpc{1,2}->active taken as true", ("stale-mapping", "deadlock"), ONE_TASK, MOVING),
    Guard("store", "H2", "gpc{1,2}->valid in", ("stale-mapping",), f"not as {H1}", MOVING, argument=
          "a cache that is valid moves in an ioctl alone, and since 118964562969 sched_out does nothing there, so that "
          "nobody else checks it (12.1 item 1); other caches are checked from any thread"),
    Guard("test", "", "KVM_BUG_ON(gpc{1,2}->valid) taken as false", ("stale-mapping", "deadlock"), "3.5: KVM_BUG if "
          "valid, which an inactive cache is not", MOVING, function="kvm_gpc_activate"),
)  # fmt: skip

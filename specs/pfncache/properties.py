"""The properties of one cache, their witnesses, and what its fields are to each other (the type invariant)."""

from __future__ import annotations

from modelcheck import Expr, Model, PropertyInfo, Slot
from specs.kvm.gpc import Gpc, Kvm
from specs.pfncache.scenarios import Actors

ASSERTIONS = (
    PropertyInfo("stale-mapping", "no store goes through a mapping whose page was taken away (P6)"),
    PropertyInfo("out-of-area", "no store goes to an offset that is not the registered one (P7)"),
    PropertyInfo("inactive-valid", "a cache that is activated was not valid (KVM_BUG_ON since 6.2)"),
    PropertyInfo("half-refresh", "a refresh that trusts a valid cache finds khva there"),
    PropertyInfo("lock-init", "no lock is initialised while somebody has it or waits for it"),
)
DEADLOCK = PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (P9)")
LOCK_ORDER = PropertyInfo("lock-order", "no cycle in the order of lock classes, as lockdep sees it (P9)")
SLEEPS = PropertyInfo("sleep-in-atomic", "nothing sleeps under a spinning lock or with interrupts off (P10)")
TYPE = PropertyInfo("type", "valid, active, khva, uhva and gpc_list fit together, as far as a version promises")
ENDS = PropertyInfo("refresh-ends", "a refresh that has begun ends, while its task and the notifier run on")
PROPERTIES = (*ASSERTIONS, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE, ENDS)


def declare(model: Model, actors: Actors, gpc: Gpc, kvm: Kvm) -> None:
    """Declares all but `refresh-ends`."""
    seen = witnesses(actors, kvm)
    for info in ASSERTIONS:
        model.assertion(info.name, info.help, seen)
    model.deadlock(DEADLOCK.name, DEADLOCK.help, seen)
    model.sleep_in_atomic(SLEEPS.name, SLEEPS.help, seen)
    model.lock_order(LOCK_ORDER.name, LOCK_ORDER.help, seen)
    model.invariant(TYPE.name, type_invariant(gpc, kvm), TYPE.help, seen)


def declare_end(model: Model, actors: Actors, kvm: Kvm, busy: Slot) -> None:
    """Declares `refresh-ends`: the goal is that no refresh is under way, from where one is.

    Fair to the notifier too: one that stops between its start and its end keeps the count up for ever.
    """
    fair = ("owner1", "notifier")
    model.eventually(ENDS.name, busy.eq(0), ENDS.help, witnesses(actors, kvm), (), fair, busy.eq(1))


def witnesses(actors: Actors, kvm: Kvm) -> tuple[str, ...]:
    """What the actors must be seen to do; until 58cd407ca4c6 only overlaps of a memslot make a refresh retry."""
    found = []
    if actors.owners or actors.users:
        found.append("stored")
    if actors.notifier and actors.owners and (actors.in_memslot or kvm.cache.late_valid):
        found.append("refresh retried")
    if actors.memslots:
        found += ["memslot deleted", "memslot created"]
    if actors.config:
        found.append("activated again")
    if actors.moves:
        found.append("moved")
    return tuple(found)


def type_invariant(gpc: Gpc, kvm: Kvm) -> Expr:
    """What the fields are to each other while nobody has the lock for writing, as far as this version promises it."""
    version, good = kvm.cache, gpc.lock.readers.eq(0) | gpc.lock.writer.eq(0)
    if version.late_valid and gpc.mapping is not None:
        good = good & (~gpc.valid | gpc.mapping.khva.ne(0))
    if version.moves_khva and gpc.gpa is not None and gpc.mapping is not None:
        good = good & (~gpc.valid | gpc.mapping.khva.eq(gpc.gpa))
    if version.late_valid and gpc.uhva is not None:
        good = good & (~gpc.valid | gpc.uhva.ne(0))
    if version.rejects_inactive and gpc.active is not None and gpc.listed is not None:
        good = good & (~gpc.active | gpc.listed)
    if version.self_contained and gpc.active is not None:
        good = good & (~gpc.valid | gpc.active)
    if version.own_seq:
        good = good & (~gpc.valid | gpc.mapped())
    return gpc.lock.writer.ne(0) | good

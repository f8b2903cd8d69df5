"""gfn_to_pfn_cache: check, refresh, activate, invalidation, at the grain of the R, H, N and E steps of protocol.md 3.

Source: virt/kvm/pfncache.c and virt/kvm/kvm_main.c (Linux 6.1.192 to 7.3.4, by way of protocol.md 3.2 to 3.6).  A pfn
is a name: fresh when the page is freed, compared for equality only.  The same holds of mmu_invalidate_seq.

No actor here changes the gpa, the memslots or `active`: both caches stay active once RUNSTATE_ADDR has run, so
kvm_gpc_check() is the valid bit, kvm_gpc_activate() on the active gpc2 is its refresh, and generation and uhva never
differ.  (Those actors and their bugs, D1 among them, are the next part's.)
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from modelcheck import (
    Action,
    Expr,
    Model,
    Mutex,
    RwLock,
    Slot,
    SpinLock,
    assign,
    choose,
    reach,
    shared,
    sleep_point,
    test,
)

Steps = Generator[Action, Any, Any]


@dataclass(frozen=True, slots=True)
class Kvm:
    """Per-VM state of the notifier: mn_active_invalidate_count, mmu_invalidate_seq and their locks; a run queue.

    `new_pfn` and `mmu_seq` are the locals of hva_to_pfn_retry(), one of each for every task.
    """

    count: Slot
    seq: Slot
    gpc_lock: SpinLock
    rq_lock: SpinLock
    new_pfn: Slot
    mmu_seq: Slot


@dataclass(frozen=True, slots=True)
class Gpc:
    """One gfn_to_pfn_cache: its two locks, `valid`, the pfn behind khva, and the pfn its page has now."""

    name: str
    lock: RwLock
    refresh_lock: Mutex
    valid: Slot
    pfn: Slot
    page_pfn: Slot

    def mapped(self) -> Expr:
        """khva still leads to the page (P6): its pfn was not freed since it was looked up."""
        return self.pfn.eq(self.page_pfn)

    def check(self, step: str) -> Action:
        """kvm_gpc_check(): pure reads under the lock, no comparison of addresses (protocol.md 3.2)."""
        return test(self.valid, f"kvm_gpc_check({self.name})").at(step, "kvm_gpc_check")


def make_kvm(model: Model) -> Kvm:
    """The state all caches share; `count` can only reach the number of notifiers."""
    return Kvm(
        model.range("mn_active_invalidate_count", 0, 3),
        model.name_of("mmu_invalidate_seq", "seq"),
        SpinLock("kvm->gpc_lock"),
        SpinLock("rq->__lock"),
        model.local(model.name_of("new_pfn", "pfn")),
        model.local(model.name_of("mmu_seq", "seq")),
    )


def make_gpc(model: Model, name: str) -> Gpc:
    """A cache that is active and valid, as RUNSTATE_ADDR left it."""
    return Gpc(
        name,
        RwLock(f"{name}->lock", "gpc->lock"),
        Mutex(f"{name}->refresh_lock", "gpc->refresh_lock"),
        model.bool(f"{name}->valid", True),
        model.name_of(f"{name}->pfn", "pfn"),
        model.name_of(f"{name}'s page", "pfn"),
    )


def refresh(gpc: Gpc, kvm: Kvm) -> Steps:
    """__kvm_gpc_refresh() and hva_to_pfn_retry(); answers whether the cache is valid (protocol.md 3.3, 3.4)."""
    fn, retry = "__kvm_gpc_refresh", "hva_to_pfn_retry"
    yield gpc.refresh_lock.lock().at("R1", fn)
    yield gpc.lock.write_lock(irq="off").at("R3", fn)
    if (yield test(gpc.valid, f"{gpc.name}->valid?").at("R8", fn)):
        yield gpc.lock.write_unlock(irq="on").at("R11", fn)
        yield gpc.refresh_lock.unlock().at("R12", fn)
        return True
    again = False
    while True:
        yield shared("mmu_seq = mmu_invalidate_seq", (kvm.mmu_seq, kvm.seq)).at("H2", retry)
        yield gpc.lock.write_unlock(irq="on").at("H2", retry)
        if again:
            yield sleep_point("cond_resched()", preemptible=True).at("H3", retry)
        yield sleep_point("hva_to_pfn() may sleep").at("H4", retry)
        if (yield choose("hva_to_pfn()", "pfn", "error").at("H4", retry)) == "error":
            yield gpc.lock.write_lock(irq="off").at("H4", retry)
            yield gpc.lock.write_unlock(irq="on").at("R11", fn)
            yield gpc.refresh_lock.unlock().at("R12", fn)
            yield reach("refresh failed")
            return False
        yield shared(f"new_pfn = the pfn of {gpc.name}'s page", (kvm.new_pfn, gpc.page_pfn)).at("H4", retry)
        yield gpc.lock.write_lock(irq="off").at("H6", retry)
        if (yield test(kvm.count.eq(0) & kvm.seq.eq(kvm.mmu_seq), "no invalidation since H2?").at("H7", retry)):
            break
        yield reach("refresh retried")
        again = True
    yield shared(f"{gpc.name}->valid = true, pfn = new_pfn", (gpc.valid, 1), (gpc.pfn, kvm.new_pfn)).at("H8", retry)
    yield from release_pfn(kvm)
    yield gpc.lock.write_unlock(irq="on").at("R11", fn)
    yield gpc.refresh_lock.unlock().at("R12", fn)
    return True


def release_pfn(kvm: Kvm) -> Steps:
    """kvm_release_pfn_clean() under gpc->lock: lru drain, queue_work, wakeup: a run-queue lock (protocol.md 7.3).

    The chain lru -> pool->lock -> pi_lock -> rq->__lock is one acquisition here, of the run queue that sched_out holds:
    the instance least kind to the protocol.
    """
    yield kvm.rq_lock.lock().at("H8", "kvm_release_pfn_clean")
    yield kvm.rq_lock.unlock().at("H8", "kvm_release_pfn_clean")


def invalidate(gpc: Gpc, read_first: bool) -> Steps:
    """gfn_to_pfn_cache_invalidate_start() for one overlapping cache (N2)."""
    fn = "gfn_to_pfn_cache_invalidate_start"
    if read_first:
        yield gpc.lock.read_lock(irq="off").at("N2", fn)
        valid = yield test(gpc.valid, f"{gpc.name}->valid?").at("N2", fn)
        yield gpc.lock.read_unlock(irq="on").at("N2", fn)
        if not valid:
            return
    yield gpc.lock.write_lock(irq="off").at("N2", fn)
    yield assign(gpc.valid, 0).as_(f"{gpc.name}->valid = false").at("N2", fn)
    yield gpc.lock.write_unlock(irq="on").at("N2", fn)

"""gfn_to_pfn_cache: refresh and invalidation, at the grain of the R, H and N steps of protocol.md 3.3, 3.4 and 3.6.

Source: virt/kvm/pfncache.c (Linux 5.17 to 7.3.4).  The state is in `gpc`, the single steps in `refresh_steps`.
Simplified: a mapping that no cache holds (H3's, or the old one at R12, which no user can have any more) is not tracked
once it is unmapped.
"""

from __future__ import annotations

from modelcheck import Expr, Fresh, assign, check, choose, ite, reach, shared, sleep_point, test
from specs.kvm.gpc import Gpc, Kvm, Mapping, Page, Place, Steps
from specs.kvm.making import make_gpc, make_kvm, make_page, make_place
from specs.kvm.refresh_steps import (
    REFRESH,
    RETRY,
    get_page,
    install,
    invalid,
    look_at_seq,
    look_up_again,
    map_pfn,
    unmapped,
)

__all__ = [
    "Gpc", "Kvm", "Mapping", "Page", "Place", "Steps", "invalidate", "make_gpc", "make_kvm", "make_page", "make_place",
    "refresh", "refresh_locked", "release_pfn",
]  # fmt: skip


def refresh(gpc: Gpc, kvm: Kvm) -> Steps:
    """kvm_gpc_refresh(): makes the cache valid again where it is; answers whether it did (protocol.md 3.3, 3.4)."""
    if kvm.cache.serialized:
        yield gpc.refresh_lock.lock().at("R1", REFRESH)
    done = yield from refresh_locked(gpc, kvm)
    if kvm.cache.serialized:
        yield gpc.refresh_lock.unlock().at("R12", REFRESH)
    return done


def refresh_locked(gpc: Gpc, kvm: Kvm, place: int = 0) -> Steps:
    """__kvm_gpc_refresh() with the refresh_lock held; `place` is the one to move to, 0 for where the cache is."""
    yield gpc.lock.write_lock(irq="off").at("R3", REFRESH)
    active = gpc.active if kvm.cache.rejects_inactive else None
    if active is not None and not (yield test(active, f"{gpc.name}->active?").at("R4", REFRESH)):
        yield gpc.lock.write_unlock(irq="on").at("R4", REFRESH)
        return False
    found = "same"
    if gpc.uhva is not None:
        found = yield look_up_again(gpc, kvm, place)
    if found == "error":
        if kvm.cache.late_valid:
            yield invalid(gpc).at("R10", REFRESH)
        yield gpc.lock.write_unlock(irq="on").at("R11", REFRESH)
        if not kvm.cache.late_valid and gpc.mapping is not None:  # unmapped, and still the cache's
            yield unmapped(gpc, gpc.mapping).at("R12", REFRESH)
        yield reach("no slot")
        return False
    if found == "same" and (yield test(gpc.valid, f"{gpc.name}->valid?").at("R8", REFRESH)):
        if gpc.mapping is not None:
            yield from stays(gpc, kvm)
        yield gpc.lock.write_unlock(irq="on").at("R11", REFRESH)
        return True
    return (yield from (hva_to_pfn_retry(gpc, kvm) if kvm.cache.late_valid else speculative(gpc, kvm)))


def stays(gpc: Gpc, kvm: Kvm) -> Steps:
    """R8: the page is the same; khva goes to the new offset in it (since 8332f0ed4f18)."""
    assert gpc.mapping is not None
    trusted = f"{gpc.name}->khva is there"
    yield check(gpc.mapping.khva.ne(0), "half-refresh", trusted).at("R8", REFRESH)
    if kvm.cache.moves_khva and gpc.gpa is not None:
        yield shared(f"{gpc.name}->khva = old khva + offset", (gpc.mapping.khva, gpc.gpa)).at("R8", REFRESH)


def hva_to_pfn_retry(gpc: Gpc, kvm: Kvm) -> Steps:
    """3.4 since 58cd407ca4c6: invalid from before the lock is dropped until the pfn is there."""
    again = False
    while True:
        yield look_at_seq(gpc, kvm, first=not again).at("H2", RETRY)
        yield gpc.lock.write_unlock(irq="on").at("H2", RETRY)
        if again:
            yield sleep_point("cond_resched()", preemptible=True).at("H3", RETRY)
        yield sleep_point("hva_to_pfn() may sleep").at("H4", RETRY)
        if kvm.faults and (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":
            yield gpc.lock.write_lock(irq="off").at("H4", RETRY)
            if gpc.mapping is not None:
                yield invalid(gpc).at("R10", RETRY)
            yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)
            yield reach("refresh failed")
            return False
        yield get_page(gpc, kvm).at("H4", RETRY)
        if gpc.mapping is not None:
            yield map_pfn(gpc, kvm, gpc.pfn).at("H5", RETRY)
        yield gpc.lock.write_lock(irq="off").at("H6", RETRY)
        if (yield test(kvm.count.eq(0) & kvm.seq.eq(kvm.mmu_seq), "no invalidation since H2?").at("H7", RETRY)):
            break
        yield reach("refresh retried")
        again = True
    yield install(gpc, kvm).at("H8", RETRY)
    yield from release_pfn(kvm)
    yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)
    return True


def speculative(gpc: Gpc, kvm: Kvm) -> Steps:
    """5.17 to 58cd407ca4c6: marked valid before the pfn is known; the loop looks at mmu_invalidate_in_progress."""
    assert kvm.old_pfn is not None and kvm.in_progress is not None
    fn, mapping = "kvm_gfn_to_pfn_cache_refresh", gpc.mapping
    assert mapping is not None and kvm.old_map is not None
    yield shared(
        f"{gpc.name}->valid = true, pfn = error, khva = NULL",
        (kvm.old_pfn, gpc.pfn), (kvm.old_map, mapping.map), (gpc.valid, 1), (gpc.pfn, Fresh("pfn")), (mapping.khva, 0),
    ).at("H1", fn)  # fmt: skip
    yield gpc.lock.write_unlock(irq="on").at("H2", fn)
    while True:
        yield shared("mmu_seq = mmu_notifier_seq", (kvm.mmu_seq, kvm.seq)).at("H2", RETRY)
        yield sleep_point("hva_to_pfn() may sleep").at("H4", RETRY)
        if kvm.faults and (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":
            yield gpc.lock.write_lock(irq="off").at("H4", fn)
            yield invalid(gpc).at("R10", fn)
            yield gpc.lock.write_unlock(irq="on").at("R11", fn)
            yield reach("refresh failed")
            return False
        yield get_page(gpc, kvm).at("H4", RETRY)
        quiet = kvm.in_progress.eq(0) & kvm.seq.eq(kvm.mmu_seq)
        if (yield test(quiet, "mmu_notifier_retry_hva()?").at("H7", RETRY)):
            break
        yield reach("refresh retried")
        yield sleep_point("cond_resched()", preemptible=True).at("H3", RETRY)
    yield map_pfn(gpc, kvm, kvm.old_pfn).at("H5", fn)
    yield gpc.lock.write_lock(irq="off").at("H6", fn)
    yield install(gpc, kvm, valid=False).at("H8", fn)
    yield gpc.lock.write_unlock(irq="on").at("R11", fn)
    yield from release_pfn(kvm)
    return True


def release_pfn(kvm: Kvm) -> Steps:
    """kvm_release_pfn_clean() under gpc->lock: lru drain, queue_work, wakeup: a run-queue lock (protocol.md 7.3).

    The chain lru -> pool->lock -> pi_lock -> rq->__lock is one acquisition here, of the run queue that sched_out holds:
    the instance least kind to the protocol.
    """
    yield kvm.rq_lock.lock().at("H8", "kvm_release_pfn_clean")
    yield kvm.rq_lock.unlock().at("H8", "kvm_release_pfn_clean")


def invalidate(gpc: Gpc, read_first: bool, pages: tuple[Page, ...] = ()) -> Steps:
    """gfn_to_pfn_cache_invalidate_start() for one cache (N2); `pages` are those of the range, empty for all."""
    fn = "gfn_to_pfn_cache_invalidate_start"
    hit: Expr = gpc.valid
    text = f"{gpc.name}->valid?"
    if pages and gpc.uhva is not None:
        inside = [gpc.uhva.eq(number) for number, page in enumerate(gpc.pages, 1) if page in pages]
        if not inside:
            return
        any_of = inside[0]
        for each in inside[1:]:
            any_of = any_of | each
        hit, text = hit & any_of, f"{gpc.name} is valid and in the range?"
    if read_first:
        yield gpc.lock.read_lock(irq="off").at("N2", fn)
        valid = yield test(hit, text).at("N2", fn)
        yield gpc.lock.read_unlock(irq="on").at("N2", fn)
        if not valid:
            return
    yield gpc.lock.write_lock(irq="off").at("N2", fn)
    cleared = assign(gpc.valid, 0) if hit is gpc.valid else shared("", (gpc.valid, ite(hit, 0, gpc.valid)))
    yield cleared.as_(f"{gpc.name}->valid = false").at("N2", fn)
    yield gpc.lock.write_unlock(irq="on").at("N2", fn)

"""gfn_to_pfn_cache: refresh and invalidation, at the grain of the R, H and N steps of protocol.md 3.3, 3.4 and 3.6.

Source: virt/kvm/pfncache.c (Linux 5.17 to 7.3.4).  The state is in `gpc`.  Simplified: the memslots are looked up at
R6, under the lock, where older versions fetch the pointer at entry; a mapping that no cache holds (H3's, or the old
one at R12, which no user can have any more) is not tracked once it is unmapped.
"""

from __future__ import annotations

from modelcheck import Action, Branch, Expr, Fresh, Slot, assign, check, choose, ite, reach, shared, sleep_point, test
from specs.runstate.gpc import Gpc, Kvm, Mapping, Page, Place, Steps, make_gpc, make_kvm, make_page, make_place

__all__ = [
    "Gpc", "Kvm", "Mapping", "Page", "Place", "Steps", "invalidate", "lookup", "make_gpc", "make_kvm", "make_page",
    "make_place", "refresh", "refresh_locked", "release_pfn", "unmapped",
]  # fmt: skip

REFRESH, RETRY = "__kvm_gpc_refresh", "hva_to_pfn_retry"


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


def look_up_again(gpc: Gpc, kvm: Kvm, place: int) -> Action:
    """R6: gpa, generation and uhva from the memslots where they are out of date; `error`, `changed` or `same`.

    The memslots are those at this step.  Before 3ba2c95ea180 uhva had the offset, so another place in the same page is
    a change.
    """
    assert gpc.uhva is not None
    page = lookup(gpc, place)
    stale, change = gpc.uhva.eq(0), gpc.uhva.ne(page)
    updates: list[tuple[Slot, Expr | int]] = [(gpc.uhva, page)]
    if gpc.gpa is not None and place:
        stale = stale | gpc.gpa.ne(place)
        updates.append((gpc.gpa, place))
        if kvm.cache.offset_in_uhva:
            change = change | gpc.gpa.ne(place)
    if gpc.generation is not None and kvm.generation is not None:
        stale = stale | gpc.generation.ne(kvm.generation)
        updates.append((gpc.generation, kvm.generation))
    good = gpc.valid.eq(gpc.valid) if isinstance(page, int) else page.ne(0)
    found = shared("", *updates).branches[0].updates
    branches = (
        Branch("error", stale & ~good, found),
        Branch("changed", stale & good & change, found),
        Branch("same", stale & good & ~change, found),
        Branch("same", ~stale),
    )
    return Action("shared", f"look {gpc.name} up again?", branches).at("R6", REFRESH)


def lookup(gpc: Gpc, place: int) -> Expr | int:
    """gfn_to_hva_memslot(): the page that the memslots have at a place (0: at its own), 0 for an error."""
    if place or gpc.gpa is None:
        return slot_page(gpc, gpc.places[(place or 1) - 1])
    found = slot_page(gpc, gpc.places[-1])
    for number, each in reversed(list(enumerate(gpc.places[:-1], 1))):
        found = ite(gpc.gpa.eq(number), slot_page(gpc, each), found)
    return found


def slot_page(gpc: Gpc, place: Place) -> Expr | int:
    """The page that the memslots have at a place now, as a number of this cache."""
    numbers = [gpc.pages.index(page) + 1 for page in place.pages]
    if gpc.generation is None or place.slot is None or place.invalid is None:
        return numbers[0]
    found: Expr | int = 0
    for which, number in enumerate(numbers, 1):
        found = ite(place.slot.eq(which), number, found)
    return ite(place.invalid, 0, found)


def invalid(gpc: Gpc) -> Action:
    """valid = false, pfn an error, khva NULL."""
    updates: list[tuple[Slot, Expr | int]] = [(gpc.valid, 0), (gpc.pfn, Fresh("pfn"))]
    if gpc.mapping is not None:
        updates.append((gpc.mapping.khva, 0))
    return shared(f"{gpc.name} is invalid", *updates)


def stays(gpc: Gpc, kvm: Kvm) -> Steps:
    """R8: the page is the same; khva goes to the new offset in it (since 8332f0ed4f18)."""
    assert gpc.mapping is not None
    trusted = f"{gpc.name}->khva is there"
    yield check(gpc.mapping.khva.ne(0), "half-refresh", trusted).at("R8", REFRESH)
    if kvm.cache.moves_khva and gpc.gpa is not None:
        yield shared(f"{gpc.name}->khva = old khva + offset", (gpc.mapping.khva, gpc.gpa)).at("R8", REFRESH)


def unmapped(gpc: Gpc, mapping: Mapping, old: Slot | None = None) -> Action:
    """gpc_unmap_khva() of what was taken, or of what the cache has: who still has it writes to nothing mapped."""
    had = mapping.map if old is None else old
    again = mapping.map.eq(had) & mapping.khva.ne(0)
    updates = (mapping.unmapped, had), (mapping.gone, mapping.gone | again)
    return shared(f"gpc_unmap_khva({gpc.name}'s old mapping)", *updates)


def hva_to_pfn_retry(gpc: Gpc, kvm: Kvm) -> Steps:
    """3.4 since 58cd407ca4c6: invalid from before the lock is dropped until the pfn is there."""
    again = False
    while True:
        yield look_at_seq(gpc, kvm, first=not again).at("H2", RETRY)
        yield gpc.lock.write_unlock(irq="on").at("H2", RETRY)
        if again:
            yield sleep_point("cond_resched()", preemptible=True).at("H3", RETRY)
        yield sleep_point("hva_to_pfn() may sleep").at("H4", RETRY)
        if (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":
            yield gpc.lock.write_lock(irq="off").at("H4", RETRY)
            if gpc.mapping is not None:
                yield invalid(gpc).at("R10", RETRY)
            yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)
            yield reach("refresh failed")
            return False
        yield look_at_page(gpc, kvm)
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


def look_at_page(gpc: Gpc, kvm: Kvm) -> Action:
    """H4: what hva_to_pfn() finds behind uhva."""
    branches = tuple(Branch(None, here, ((kvm.new_pfn, page.pfn),)) for here, page in gpc.behind())
    return Action("shared", f"new_pfn = the pfn of {gpc.name}'s page", branches).at("H4", RETRY)


def look_at_seq(gpc: Gpc, kvm: Kvm, first: bool) -> Action:
    """H1 and H2 under one hold of the lock; where the cache cannot be moved it is invalid already."""
    updates: list[tuple[Slot, Expr | int]] = [(kvm.mmu_seq, kvm.seq)]
    text = f"mmu_seq = {kvm.seq.name}"
    if first and gpc.uhva is not None:
        updates.append((gpc.valid, 0))
        text = f"{gpc.name}->valid = false, {text}"
    if first and gpc.mapping is not None and kvm.old_map is not None:
        updates.append((kvm.old_map, gpc.mapping.map))
    return shared(text, *updates)


def map_pfn(gpc: Gpc, kvm: Kvm, old_pfn: Expr) -> Action:
    """H5: the old mapping again where the pfn is the old one, else a new one."""
    assert kvm.new_map is not None and kvm.old_map is not None
    same = kvm.new_pfn.eq(old_pfn)
    branches = (
        Branch("old", same, ((kvm.new_map, kvm.old_map),)),
        Branch("new", ~same, ((kvm.new_map, Fresh("mapping")),)),
    )
    return Action("shared", "new_khva", branches)


def install(gpc: Gpc, kvm: Kvm, valid: bool = True) -> Action:
    """H8: pfn and khva of this lookup, and before 58cd407ca4c6 not valid, which is set since long."""
    updates: list[tuple[Slot, Expr | int]] = [(gpc.pfn, kvm.new_pfn)]
    if valid:
        updates.insert(0, (gpc.valid, 1))
    if gpc.mapping is not None and kvm.new_map is not None:
        updates += [
            (gpc.mapping.khva, gpc.gpa if gpc.gpa is not None else 1),
            (gpc.mapping.map, kvm.new_map),
            (gpc.mapping.gone, kvm.new_map.eq(gpc.mapping.unmapped)),
        ]
    text = f"{gpc.name}->valid = true, pfn = new_pfn" if valid else f"{gpc.name}->pfn = new_pfn"
    return shared(text, *updates)


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
        if (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":
            yield gpc.lock.write_lock(irq="off").at("H4", fn)
            yield invalid(gpc).at("R10", fn)
            yield gpc.lock.write_unlock(irq="on").at("R11", fn)
            yield reach("refresh failed")
            return False
        yield look_at_page(gpc, kvm)
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

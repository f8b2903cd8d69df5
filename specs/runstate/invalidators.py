"""The MMU notifier: invalidate_range_start() and _end() around an unmap, for ever (protocol.md 3.6, steps N and E).

N1 and E2 are one step each: they hold mn_invalidate_lock, which nothing else here takes, around one change (the
memslot updater's wait for the count is one step with what it does next, for the same reason).  N3 and the in_progress
count are left out where the caches look at mn_active_invalidate_count instead (protocol.md 3.4).
"""

from __future__ import annotations

from modelcheck import Action, choose, fresh, shared, test
from modelcheck import Fresh as New
from specs.runstate.pfncache import Gpc, Kvm, Page, Steps, invalidate

START, END = "kvm_mmu_notifier_invalidate_range_start", "kvm_mmu_notifier_invalidate_range_end"


def ranges_of(caches: tuple[Gpc, ...]) -> tuple[tuple[Page, ...], ...]:
    """What an invalidation may be of: any one page, all of them, or none that a cache has."""
    pages = tuple(dict.fromkeys(page for gpc in caches for page in gpc.pages))
    return tuple((page,) for page in pages) + ((pages,) if len(pages) > 1 else ()) + ((),)


def mmu_notifier(
    kvm: Kvm,
    caches: tuple[Gpc, ...],
    read_first: bool | None = None,
    ranges: tuple[tuple[Page, ...], ...] | None = None,
    once: bool = False,
) -> Steps:
    """One invalidator: any of the pages, all, or a range that holds none (which still makes refreshes retry).

    `ranges` are other choices than `ranges_of`; a range without pages overlaps a memslot, one of pages that no memslot
    covers does not.  `once` makes one invalidation and ends.
    """
    if read_first is None:
        read_first = kvm.cache.read_first
    chosen = ranges_of(caches) if ranges is None else ranges
    while True:
        which = 0
        if len(chosen) > 1:
            which = yield choose("invalidate", *range(len(chosen))).at("", "mmu_notifier_invalidate_range_start")
        pages = chosen[which]
        overlaps = not pages or any(page.in_memslot for page in pages)
        yield shared("mn_active_invalidate_count++", (kvm.count, kvm.count + 1)).at("N1", START)
        yield kvm.gpc_lock.lock().at("N2", "gfn_to_pfn_cache_invalidate_start")
        for gpc in caches:
            if not any(page in pages for page in gpc.pages):
                continue
            if gpc.listed is not None:
                listed = test(gpc.listed, f"{gpc.name} on gpc_list?")
                if not (yield listed.at("N2", "gfn_to_pfn_cache_invalidate_start")):
                    continue
            yield from invalidate(gpc, read_first, pages)
        yield kvm.gpc_lock.unlock().at("N2", "gfn_to_pfn_cache_invalidate_start")
        if overlaps and kvm.in_progress is not None:
            yield shared("mmu_invalidate_in_progress++", (kvm.in_progress, kvm.in_progress + 1)).at("N3", START)
        for page in pages:
            yield fresh(page.pfn).as_(f"{page.name} is freed, another takes its place").at("", "zap_pte_range")
        if overlaps and not kvm.cache.own_seq:
            yield seq_moves(kvm).at("E1", END)
        yield invalidation_ends(kvm).at("E2", END)
        if once:
            return


def seq_moves(kvm: Kvm) -> Action:
    """E1, under mmu_lock: mmu_invalidate_seq++, and in_progress-- where that is there."""
    updates = ((kvm.seq, New("seq")),)
    if kvm.in_progress is None:
        return shared("mmu_invalidate_seq++", *updates)
    return shared("mmu_invalidate_seq++, in_progress--", *updates, (kvm.in_progress, kvm.in_progress - 1))


def invalidation_ends(kvm: Kvm) -> Action:
    """E2, under mn_invalidate_lock: the count, and since da260bcb56fe the caches' own sequence."""
    down = (kvm.count, kvm.count - 1)
    if kvm.cache.own_seq:
        return shared("gpc_invalidate_seq++, mn_active_invalidate_count--", (kvm.seq, New("seq")), down)
    return shared("mn_active_invalidate_count--", down)

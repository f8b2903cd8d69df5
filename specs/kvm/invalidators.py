"""The MMU notifier: invalidate_range_start() and _end() around an unmap, for ever (protocol.md 3.6, steps N and E).

N1 and E2 are one step each: they hold mn_invalidate_lock, which nothing else here takes, around one change (the
memslot updater's wait for the count is one step with what it does next, for the same reason).  N3 and the in_progress
count are left out where the caches look at mn_active_invalidate_count instead (protocol.md 3.4).
"""

from __future__ import annotations

from modelcheck import Action, Branch, Expr, Slot, choose, fresh, shared, test
from modelcheck import Fresh as New
from specs.kvm.pfncache import Gpc, Kvm, Page, Steps, invalidate

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
    frees: bool = True,
) -> Steps:
    """One invalidator: any of the pages, all, or a range that holds none (which still makes refreshes retry).

    `ranges` are other choices than `ranges_of`; a range without pages overlaps a memslot.  `once` makes one
    invalidation and ends.  Without `frees` the pages stay (mprotect, NUMA hinting): what is mapped then is as good as
    before, and a refresh finds the same pfn.
    """
    if read_first is None:
        read_first = kvm.cache.read_first
    chosen = ranges_of(caches) if ranges is None else ranges
    while True:
        which = 0
        if len(chosen) > 1:
            which = yield choose("invalidate", *range(len(chosen))).at("", "mmu_notifier_invalidate_range_start")
        pages = chosen[which]
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
        if kvm.in_progress is not None and overlaps(pages, caches) is not False:
            yield in_progress(kvm, overlaps(pages, caches)).at("N3", START)
        for page in pages if frees else ():
            yield fresh(page.pfn).as_(f"{page.name} is freed, another takes its place").at("", "zap_pte_range")
        if not kvm.cache.own_seq and overlaps(pages, caches) is not False:
            yield seq_moves(kvm, overlaps(pages, caches)).at("E1", END)
        yield invalidation_ends(kvm).at("E2", END)
        if once:
            return


def overlaps(pages: tuple[Page, ...], caches: tuple[Gpc, ...]) -> Expr | bool:
    """Whether some memslot overlaps the range now (kvm_handle_hva_range): known, or what memslot updates say."""
    covering = [
        True if place.slot is None else place.slot.eq(number)
        for gpc in caches
        for place in gpc.places
        for number, page in enumerate(place.pages, 1)
        if page in pages and page.in_memslot
    ]
    if not pages or True in covering:
        return True
    found: Expr | bool = False
    for each in covering:
        found = each if isinstance(found, bool) or isinstance(each, bool) else found | each
    return found


def in_progress(kvm: Kvm, overlap: Expr | bool) -> Action:
    """N3, under mmu_lock: mmu_invalidate_in_progress++ if a memslot overlaps."""
    assert kvm.in_progress is not None
    return where_overlaps("mmu_invalidate_in_progress++", overlap, (kvm.in_progress, kvm.in_progress + 1))


def seq_moves(kvm: Kvm, overlap: Expr | bool) -> Action:
    """E1, under mmu_lock: mmu_invalidate_seq++, and in_progress-- where that is there, if a memslot overlaps."""
    new = (kvm.seq, New("seq"))
    if kvm.in_progress is None:
        return where_overlaps("mmu_invalidate_seq++", overlap, new)
    return where_overlaps("mmu_invalidate_seq++, in_progress--", overlap, new, (kvm.in_progress, kvm.in_progress - 1))


def where_overlaps(text: str, overlap: Expr | bool, *updates: tuple[Slot, Expr]) -> Action:
    """The updates where a memslot overlaps, else nothing."""
    if isinstance(overlap, bool):
        return shared(text, *updates)
    return Action("shared", text, (Branch("overlap", overlap, updates), Branch("none", ~overlap)))


def invalidation_ends(kvm: Kvm) -> Action:
    """E2, under mn_invalidate_lock: the count, and since da260bcb56fe the caches' own sequence."""
    down = (kvm.count, kvm.count - 1)
    if kvm.cache.own_seq:
        return shared("gpc_invalidate_seq++, mn_active_invalidate_count--", (kvm.seq, New("seq")), down)
    return shared("mn_active_invalidate_count--", down)

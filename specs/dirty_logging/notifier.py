"""The MMU notifier as stage 2 sees it: an invalidation unmaps under mmu_lock, the page is freed, the sequence moves.

Steps N3 and E1 of protocol.md 3.6, with the counts of `specs.kvm.invalidators`; N1, N2 and E2 are about the
gfn_to_pfn caches, of which there are none here.  An invalidation may be of all pages (the host's huge page goes, and
one takes its place) or, where `splits`, of one (a huge page is split, and KSM may put a shared page there by
->change_pte(); pgtable.c's map without a memcache changes no block, so that is asked of the versions before it).
"""

from __future__ import annotations

from modelcheck import Action, Expr, Slot, check, choose, reach
from modelcheck import Fresh as New
from specs.dirty_logging.slots import Vm
from specs.dirty_logging.stage2 import FLUSH_IPA, READ, Stage2, Steps
from specs.kvm.invalidators import END, START, in_progress, seq_moves


def invalidator(vm: Vm, splits: bool, changes: bool) -> Steps:
    """Invalidations for ever; `changes`: with ->change_pte()."""
    kvm, s2 = vm.kvm, vm.s2
    while True:
        which: int | str = "all"
        if splits:
            which = yield choose("invalidate", "all", *s2.pages).at("", "mmu_notifier_invalidate_range_start")
        pages = tuple(s2.pages) if isinstance(which, str) else (which,)
        yield s2.lock.lock().at("N3", START)
        yield in_progress(kvm, True).at("N3", START)
        for page in pages:
            yield s2.unmap(page).at("N3", "unmap_stage2_range")
            yield s2.flush_page(page).at("N3", FLUSH_IPA)
        yield s2.lock.unlock().at("N3", START)
        yield freed(s2, pages).at("", "zap_pte_range")
        if changes and not isinstance(which, str):
            yield from change_pte(vm, which)
        yield s2.lock.lock().at("E1", END)
        yield seq_moves(kvm, True).at("E1", END)
        yield s2.lock.unlock().at("E1", END)
        yield reach("page freed")


def freed(s2: Stage2, pages: tuple[int, ...]) -> Action:
    """The host's page is freed, of which no translation may be left; another takes its place."""
    clean: Expr = s2.unmapped(pages[0])
    for page in pages[1:]:
        clean = clean & s2.unmapped(page)
    updates: list[tuple[Slot, Expr | int]] = [(s2.host, New("pfn"))]
    if s2.huge is not None:
        updates.append((s2.huge, int(len(pages) > 1)))
    text = f"page {pages[0]} is freed" if len(pages) == 1 else "the pages are freed"
    return check(clean, "stale-mapping", f"{text}, another takes its place", tuple(updates))


def change_pte(vm: Vm, page: int) -> Steps:
    """kvm_set_spte_hva(): stage2_set_pte() without a cache and without the logging flag, read-only (L5)."""
    s2, fn = vm.s2, "kvm_set_spte_handler"
    if (yield choose("->change_pte()", True, False).at("", "set_pte_at_notify")):
        yield s2.lock.lock().at("", "kvm_mmu_notifier_change_pte")
        yield check(~s2.block(), "block-intact", "pmd is no block?").at("", fn)
        entry = yield s2.look().at("", fn)
        if entry == "table":
            yield s2.set_pte(page, READ).at("", fn)
            yield s2.flush_page(page).at("", FLUSH_IPA)
            yield reach("pte changed")
        yield s2.lock.unlock().at("", "kvm_mmu_notifier_change_pte")

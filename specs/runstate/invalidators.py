"""The MMU notifier: invalidate_range_start() and _end() around an unmap, for ever (protocol.md 3.6, steps N and E).

N1 and E2 are one step each: they hold mn_invalidate_lock, which nothing else here takes, around one change.  N3 and
the in_progress count are left out: the caches look at mn_active_invalidate_count instead (protocol.md 3.4).
"""

from __future__ import annotations

from modelcheck import choose, fresh, shared
from specs.runstate.pfncache import Gpc, Kvm, Steps, invalidate


def mmu_notifier(kvm: Kvm, caches: tuple[Gpc, ...], read_first: bool) -> Steps:
    """One invalidator: any of the pages, all, or a range that holds none (which still makes refreshes retry)."""
    ranges = tuple((gpc,) for gpc in caches) + ((caches,) if len(caches) > 1 else ()) + ((),)
    while True:
        which = yield choose("invalidate", *range(len(ranges))).at("", "mmu_notifier_invalidate_range_start")
        yield shared("mn_active_invalidate_count++", (kvm.count, kvm.count + 1)).at(
            "N1", "kvm_mmu_notifier_invalidate_range_start"
        )
        yield kvm.gpc_lock.lock().at("N2", "gfn_to_pfn_cache_invalidate_start")
        for gpc in ranges[which]:
            yield from invalidate(gpc, read_first)
        yield kvm.gpc_lock.unlock().at("N2", "gfn_to_pfn_cache_invalidate_start")
        for gpc in ranges[which]:
            yield (
                fresh(gpc.page_pfn).as_(f"{gpc.name}'s page is freed, another takes its place").at("", "zap_pte_range")
            )
        yield fresh(kvm.seq).as_("mmu_invalidate_seq++").at("E1", "kvm_mmu_notifier_invalidate_range_end")
        yield shared("mn_active_invalidate_count--", (kvm.count, kvm.count - 1)).at(
            "E2", "kvm_mmu_notifier_invalidate_range_end"
        )

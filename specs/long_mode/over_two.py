"""One cache over two pages, as the mail of protocol.md 8.4 weighs it: vmap() of both, one check, one lock.

The pages are looked up one after the other in one turn of hva_to_pfn_retry() and may be invalidated one by one; either
invalidation makes the whole mapping invalid.  A mapping of one page (a compat area that ends with its page) is made
anew once an update needs both.  vmap() takes struct pages, which IOMEM has none of.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck import Fresh, check, choose, lift, reach, shared, sleep_point, test
from specs.kvm.activation import ACTIVATE, enlist
from specs.kvm.pfncache import Gpc, Kvm, Steps, release_pfn
from specs.kvm.refresh_steps import REFRESH, RETRY, get_page, install, invalid, look_at_seq, look_up_again
from specs.long_mode.scene import Twin

REGISTERED = "an area that lies where a guest may put it is mapped"


def check_both(gpc: Gpc, twin: Twin, both: bool) -> Steps:
    """kvm_gpc_check(len) for an area that needs both pages, or the first alone."""
    good = yield gpc.check("G3")
    if good and both:
        good = yield test(twin.both, "does the mapping have both pages?").at("G3", "kvm_gpc_check")
    return good


def refresh_both(gpc: Gpc, twin: Twin, kvm: Kvm, both: bool, iomem: bool) -> Steps:
    """kvm_gpc_refresh(len): both pages where the length needs them."""
    yield gpc.refresh_lock.lock().at("R1", REFRESH)
    done = yield from both_locked(gpc, twin, kvm, 0, both, iomem)
    yield gpc.refresh_lock.unlock().at("R12", REFRESH)
    return done


def activate_both(gpc: Gpc, twin: Twin, kvm: Kvm, place: int, both: bool, iomem: bool) -> Steps:
    """kvm_gpc_activate(gpa, len)."""
    assert gpc.active is not None
    early = kvm.cache.self_contained
    if early:
        yield gpc.refresh_lock.lock().at("R1", ACTIVATE)
    if not (yield test(gpc.active, f"{gpc.name}->active?").at("", ACTIVATE)):
        yield from enlist(gpc, kvm)
    if not early:
        yield gpc.refresh_lock.lock().at("R1", ACTIVATE)
    done = yield from both_locked(gpc, twin, kvm, place, both, iomem)
    yield gpc.refresh_lock.unlock().at("R12", ACTIVATE)
    return done


def both_locked(gpc: Gpc, twin: Twin, kvm: Kvm, place: int, both: bool, iomem: bool) -> Steps:
    """R3 to R11: the first page alone, or both, under one look at the sequence."""
    assert gpc.active is not None and kvm.new_map is not None
    yield gpc.lock.write_lock(irq="off").at("R3", REFRESH)
    if not (yield test(gpc.active, f"{gpc.name}->active?").at("R4", REFRESH)):
        yield gpc.lock.write_unlock(irq="on").at("R4", REFRESH)
        return False
    found = yield look_up_again(gpc, kvm, place)
    enough = gpc.valid & twin.both if both else gpc.valid
    if found == "same" and (yield test(enough, f"{gpc.name}->valid, and long enough?").at("R8", REFRESH)):
        yield gpc.lock.write_unlock(irq="on").at("R11", REFRESH)
        return True
    again = False
    while True:
        yield look_at_seq(gpc, kvm, first=not again).at("H2", RETRY)
        yield gpc.lock.write_unlock(irq="on").at("H2", RETRY)
        yield sleep_point("hva_to_pfn() may sleep").at("H4", RETRY)
        if (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":
            yield reach("refresh failed")
            break
        yield get_page(gpc, kvm).at("H4", RETRY)
        if both:
            yield sleep_point("hva_to_pfn() of the second page may sleep").at("H4", RETRY)
            yield get_page(twin.page, replace(kvm, new_pfn=twin.new_pfn)).at("H4", RETRY)
            yield check(lift(int(not iomem)), "registered", REGISTERED).at("H5", RETRY)
            if iomem:
                break
        yield shared("new_khva = vmap()", (kvm.new_map, Fresh("mapping"))).at("H5", RETRY)
        yield gpc.lock.write_lock(irq="off").at("H6", RETRY)
        if (yield test(kvm.count.eq(0) & kvm.seq.eq(kvm.mmu_seq), "no invalidation since H2?").at("H7", RETRY)):
            second = twin.new_pfn if both else twin.page.pfn
            yield shared("second pfn = second new_pfn", (twin.both, int(both)), (twin.page.pfn, second)).at("H8", RETRY)
            yield install(gpc, kvm).at("H8", RETRY)
            yield from release_pfn(kvm)
            yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)
            return True
        yield reach("refresh retried")
        again = True
    yield gpc.lock.write_lock(irq="off").at("H4", RETRY)
    yield invalid(gpc).at("R10", RETRY)
    yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)
    return False

"""The single steps of a refresh, as actions: what is looked up, mapped and installed (protocol.md 3.3, 3.4).

They say what one step reads and writes; in which order, and under which lock, `pfncache` says.  Simplified: the
memslots are looked up at R6, under the lock, where older versions fetch the pointer at entry.
"""

from __future__ import annotations

from modelcheck import Action, Branch, Expr, Fresh, Slot, ite, shared
from specs.kvm.gpc import Gpc, Kvm, Mapping, Place

REFRESH, RETRY = "__kvm_gpc_refresh", "hva_to_pfn_retry"


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


def get_page(gpc: Gpc, kvm: Kvm) -> Action:
    """H4: the pfn of the page that uhva says now, an error pfn where it says none.

    As 6.0 to 6.12 read it, in each turn anew; others take uhva once, which is the same while the refresh_lock is held.
    """
    text = f"new_pfn = the pfn of {gpc.name}'s page"
    if gpc.uhva is None:
        return shared(text, (kvm.new_pfn, gpc.pages[0].pfn))
    uhva, pages = gpc.uhva, enumerate(gpc.pages, 1)
    branches = [Branch(guard=uhva.eq(number), updates=((kvm.new_pfn, page.pfn),)) for number, page in pages]
    gone = Branch(guard=uhva.eq(0), updates=((kvm.new_pfn, Fresh("pfn")),))
    return Action("shared", text, (*branches, gone))


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


def invalid(gpc: Gpc) -> Action:
    """valid = false, pfn an error, khva NULL."""
    updates: list[tuple[Slot, Expr | int]] = [(gpc.valid, 0), (gpc.pfn, Fresh("pfn"))]
    if gpc.mapping is not None:
        updates.append((gpc.mapping.khva, 0))
    return shared(f"{gpc.name} is invalid", *updates)


def unmapped(gpc: Gpc, mapping: Mapping, old: Slot | None = None) -> Action:
    """gpc_unmap_khva() of what was taken, or of what the cache has: who still has it writes to nothing mapped."""
    had = mapping.map if old is None else old
    again = mapping.map.eq(had) & mapping.khva.ne(0)
    updates = (mapping.unmapped, had), (mapping.gone, mapping.gone | again)
    return shared(f"gpc_unmap_khva({gpc.name}'s old mapping)", *updates)

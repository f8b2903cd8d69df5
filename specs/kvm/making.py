"""Makes the state of a gfn_to_pfn_cache and of what it works on: no more slots than the model's actors write.

A cache that stays where it is, active, in memslots that do not change, is two locks, `valid` and a pfn.
"""

from __future__ import annotations

from modelcheck import Model, Mutex, RwLock, Slot, SpinLock, Srcu
from specs.kvm.cache_versions import Cache
from specs.kvm.gpc import PLAIN, Gpc, Kvm, Mapping, Page, Place


def make_kvm(
    model: Model,
    version: Cache = PLAIN,
    memslots: bool = False,
    tracked: bool = False,
    notifiers: int = 3,
    sleeping: bool = False,
) -> Kvm:
    """The state all caches share; `count` can only reach the number of notifiers.

    `memslots`: a memslot updater runs.  `tracked`: some cache moves or is deactivated (`make_gpc`).  `sleeping`: the
    locks are those of PREEMPT_RT.
    """
    tracked = tracked or not version.late_valid

    def local(name: str, sort: str) -> Slot:
        return model.local(model.name_of(name, sort))

    return Kvm(
        model.range("mn_active_invalidate_count", 0, notifiers),
        model.name_of("gpc_invalidate_seq" if version.own_seq else "mmu_invalidate_seq", "seq"),
        SpinLock("kvm->gpc_lock", sleeps=sleeping),
        SpinLock("rq->__lock"),
        local("new_pfn", "pfn"),
        local("mmu_seq", "seq"),
        version,
        None if version.late_valid else model.range("mmu_invalidate_in_progress", 0, notifiers),
        model.name_of("slots->generation", "generation") if memslots else None,
        Srcu("kvm->srcu") if memslots else None,
        old_pfn=None if version.late_valid else local("old_pfn", "pfn"),
        old_map=local("old_khva", "mapping") if tracked else None,
        new_map=local("new_khva", "mapping") if tracked else None,
    )


def make_page(model: Model, name: str, number: int = 0, in_memslot: bool = True) -> Page:
    """A page of the VMM's memory; pages that one cache may be moved between need different numbers, from 1."""
    return Page(name, model.name_of(name, "pfn", number), in_memslot)


def make_place(
    model: Model, name: str, pages: tuple[Page, ...], offset: int = 0, memslots: bool = False, slot: int = 1
) -> Place:
    """A place; with `memslots` its slot may change, and starts at `slot`."""
    if not memslots:
        return Place(name, pages, offset)
    retired = tuple(model.bool(f"{name}: {page.name} was taken away") for page in pages)
    invalid = model.bool(f"memslot of {name} is INVALID")
    return Place(name, pages, offset, model.range(f"memslot of {name}", 0, len(pages), slot), invalid, retired)


def make_gpc(
    model: Model,
    name: str,
    places: tuple[Place, ...] = (),
    kvm: Kvm | None = None,
    deactivates: bool = False,
    valid: bool = True,
    active: bool = True,
    hva: bool = False,
) -> Gpc:
    """A cache at the first of its places (one of its own where none is given), active or not, and valid or not.

    `deactivates`: some process deactivates it.  `hva`: it was activated with a user address, so memslots do not matter.
    A cache with several places or that `deactivates` needs a `kvm` made with `tracked`.
    """
    places = places or (Place(name, (make_page(model, f"{name}'s page"),)),)
    slotted = any(place.slot is not None for place in places) and not hva
    tracked = kvm is not None and kvm.new_map is not None
    pages = tuple(dict.fromkeys(page for place in places for page in place.pages))
    moves = len(places) > 1
    uhva = model.range(f"{name}->uhva", 0, len(pages), 1) if moves or slotted or len(pages) > 1 else None
    sleeping = kvm is not None and kvm.gpc_lock.sleeps
    return Gpc(
        name,
        RwLock(f"{name}->lock", "gpc->lock", sleeping),
        Mutex(f"{name}->refresh_lock", "gpc->refresh_lock"),
        model.bool(f"{name}->valid", valid),
        model.name_of(f"{name}->pfn", "pfn", pages[0].pfn.initial if valid else 0),
        places,
        model.range(f"{name}->gpa", 0, len(places), 1) if moves else None,
        uhva,
        model.name_of(f"{name}->generation", "generation") if slotted else None,
        model.bool(f"{name}->active", active) if deactivates else None,
        model.bool(f"{name} on gpc_list", active) if deactivates else None,
        model.bool(f"{name} was deactivated") if deactivates else None,
        Mapping(
            model.range(f"{name}->khva", 0, len(places), int(valid)),
            model.name_of(f"{name}->khva's mapping", "mapping", int(valid)),
            model.bool(f"{name}->khva was unmapped"),
            model.name_of(f"mapping of {name} unmapped last", "mapping"),
        )
        if tracked
        else None,
        kvm.generation if kvm is not None else None,
        kvm is not None and not kvm.cache.rejects_inactive,
    )

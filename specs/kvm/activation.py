"""kvm_gpc_activate() and kvm_gpc_deactivate() of every version, and kvm_gfn_to_pfn_cache_unmap() (protocol.md 3.5).

The lengths are checked at activation; here every place fits.  `closed` is the ghost of P6 (iii): no store after
deactivation has returned.
"""

from __future__ import annotations

from modelcheck import Action, Expr, Fresh, Slot, assign, check, shared, test
from specs.kvm.pfncache import Gpc, Kvm, Steps, refresh_locked
from specs.kvm.refresh_steps import unmapped

ACTIVATE, DEACTIVATE, UNMAP = "kvm_gpc_activate", "kvm_gpc_deactivate", "kvm_gpc_unmap"


def activate(gpc: Gpc, kvm: Kvm, place: int = 1) -> Steps:
    """Registers the cache at a place and refreshes it; answers whether it is valid."""
    version = kvm.cache
    if version.self_contained:
        yield gpc.refresh_lock.lock().at("", ACTIVATE)
    if gpc.active is not None and not (yield test(gpc.active, f"{gpc.name}->active?").at("", ACTIVATE)):
        yield check(~gpc.valid, "inactive-valid", f"{gpc.name} is inactive and not valid").at("", ACTIVATE)
        if resets(kvm):
            yield from enlist(gpc, kvm)
        elif (yield test(gpc.valid, f"KVM_BUG_ON({gpc.name}->valid)").at("", ACTIVATE)):
            if version.self_contained:
                yield gpc.refresh_lock.unlock().at("", ACTIVATE)
            return False
        else:
            yield from enlist(gpc, kvm)
    if version.serialized and not version.self_contained:
        yield gpc.refresh_lock.lock().at("R1", ACTIVATE)
    done = yield from refresh_locked(gpc, kvm, place if gpc.gpa is not None else 0)
    if version.serialized:
        yield gpc.refresh_lock.unlock().at("R12", ACTIVATE)
    return done


def enlist(gpc: Gpc, kvm: Kvm) -> Steps:
    """An inactive cache becomes active: on gpc_list before it is active, since ecbcf030b456."""
    assert gpc.active is not None and gpc.listed is not None
    version = kvm.cache
    if not version.lock_once:
        idle = gpc.lock.readers.eq(0) & gpc.lock.writer.eq(0) & gpc.lock.waiting.eq(0)
        yield check(idle, "lock-init", f"rwlock_init({gpc.name}->lock)").at("", ACTIVATE)
    if resets(kvm):
        yield reset(gpc).at("", ACTIVATE)
    if not version.rejects_inactive:
        yield shared(f"{gpc.name}->active = true", *reopened(gpc), (gpc.active, 1)).at("", ACTIVATE)
    yield kvm.gpc_lock.lock().at("", ACTIVATE)
    yield assign(gpc.listed, 1).as_(f"list_add({gpc.name})").at("", ACTIVATE)
    yield kvm.gpc_lock.unlock().at("", ACTIVATE)
    if version.rejects_inactive:
        yield gpc.lock.write_lock(irq="off").at("", ACTIVATE)
        yield shared(f"{gpc.name}->active = true", *reopened(gpc), (gpc.active, 1)).at("", ACTIVATE)
        yield gpc.lock.write_unlock(irq="on").at("", ACTIVATE)


def resets(kvm: Kvm) -> bool:
    """Whether activation starts from nothing, as it did until 5762cb102357 (6.2, beside 9f87791d686d)."""
    return kvm.cache.unmap_serialized or not kvm.cache.rejects_inactive


def reopened(gpc: Gpc) -> list[tuple[Slot, int]]:
    """The ghost of a deactivation that has returned, cleared."""
    return [(gpc.closed, 0)] if gpc.closed is not None else []


def reset(gpc: Gpc) -> Action:
    """khva, pfn, uhva and valid as of a new cache, without the lock (until 5762cb102357)."""
    updates: list[tuple[Slot, Expr | int]] = [(gpc.valid, 0), (gpc.pfn, Fresh("pfn"))]
    if gpc.mapping is not None:
        updates.append((gpc.mapping.khva, 0))
    if gpc.uhva is not None:
        updates.append((gpc.uhva, 0))
    return shared(f"{gpc.name}->khva = NULL, pfn = error, valid = false", *updates)


def deactivate(gpc: Gpc, kvm: Kvm) -> Steps:
    """Takes the cache off: when it returns nobody may use it (P6 iii)."""
    assert gpc.active is not None and gpc.closed is not None
    version = kvm.cache
    if version.self_contained:
        yield gpc.refresh_lock.lock().at("", DEACTIVATE)
    if (yield test(gpc.active, f"{gpc.name}->active?").at("", DEACTIVATE)):
        if not version.rejects_inactive:
            yield from unlist(gpc, kvm)
            yield from unmap(gpc, kvm)
            yield assign(gpc.active, 0).as_(f"{gpc.name}->active = false").at("", DEACTIVATE)
        elif version.unmap_serialized:
            yield gpc.lock.write_lock(irq="off").at("", DEACTIVATE)
            yield assign(gpc.active, 0).as_(f"{gpc.name}->active = false").at("", DEACTIVATE)
            yield gpc.lock.write_unlock(irq="on").at("", DEACTIVATE)
            yield from unlist(gpc, kvm)
            yield from unmap(gpc, kvm)
        else:
            yield gpc.lock.write_lock(irq="off").at("", DEACTIVATE)
            yield taken(gpc, kvm, (gpc.active, 0)).at("", DEACTIVATE)
            yield gpc.lock.write_unlock(irq="on").at("", DEACTIVATE)
            yield from unlist(gpc, kvm)
            assert gpc.mapping is not None
            yield unmapped(gpc, gpc.mapping, kvm.old_map).at("", DEACTIVATE)
    if version.self_contained:
        yield gpc.refresh_lock.unlock().at("", DEACTIVATE)
    yield assign(gpc.closed, 1).as_("deactivate returns").at("", DEACTIVATE)


def unlist(gpc: Gpc, kvm: Kvm) -> Steps:
    """list_del() under gpc_lock: no notifier sees the cache any more."""
    assert gpc.listed is not None
    yield kvm.gpc_lock.lock().at("", DEACTIVATE)
    yield assign(gpc.listed, 0).as_(f"list_del({gpc.name})").at("", DEACTIVATE)
    yield kvm.gpc_lock.unlock().at("", DEACTIVATE)


def unmap(gpc: Gpc, kvm: Kvm) -> Steps:
    """kvm_gfn_to_pfn_cache_unmap(), which 9f87791d686d dropped: under the refresh_lock since 93984f19e7bc."""
    if kvm.cache.serialized:
        yield gpc.refresh_lock.lock().at("", UNMAP)
    yield gpc.lock.write_lock(irq="off").at("", UNMAP)
    yield taken(gpc, kvm).at("", UNMAP)
    yield gpc.lock.write_unlock(irq="on").at("", UNMAP)
    if kvm.cache.serialized:
        yield gpc.refresh_lock.unlock().at("", UNMAP)
    assert gpc.mapping is not None
    yield unmapped(gpc, gpc.mapping, kvm.old_map).at("", UNMAP)


def taken(gpc: Gpc, kvm: Kvm, *more: tuple[Slot, Expr | int]) -> Action:
    """valid = false, khva taken and cleared, pfn an error; uhva and the generation stay."""
    assert gpc.mapping is not None and kvm.old_map is not None
    updates: list[tuple[Slot, Expr | int]] = [
        *more,
        (gpc.valid, 0),
        (kvm.old_map, gpc.mapping.map),
        (gpc.mapping.khva, 0),
        (gpc.pfn, Fresh("pfn")),
    ]
    what = f"{gpc.name}->active = false, " if more else ""
    return shared(f"{what}valid = false, khva = NULL, pfn = error", *updates)

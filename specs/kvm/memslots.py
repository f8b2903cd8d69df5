"""kvm_set_memslot(): delete, create and flags-only updates of the slot behind a place, for ever (protocol.md 3.7).

Each publication waits for mn_active_invalidate_count to be 0 and is one step with it (both under mn_invalidate_lock),
with a generation that is in progress; then synchronize_srcu(), then the final generation.  Generations are names.
A MOVE is a delete and a create at another page.  `retired` is the ghost of P6 (ii): no store through the page that
the place lost, once the ioctl has returned.
"""

from __future__ import annotations

from modelcheck import Fresh, Slot, choose, fresh, reach, shared
from specs.kvm.pfncache import Kvm, Place, Steps

SET = "kvm_set_memslot"


def memslot_updater(kvm: Kvm, place: Place, kinds: tuple[str, ...] = ("delete", "flags", "create")) -> Steps:
    """The ioctls KVM_SET_USER_MEMORY_REGION on one slot: deleted and made again (at any of its pages), or its flags."""
    assert place.slot is not None and place.invalid is not None
    gone = False
    while True:
        kind = "create" if gone else (yield choose("ioctl", *(k for k in kinds if k != "create")).at("", SET))
        yield kvm.slots_lock.lock().at("", SET)
        if kind == "flags":
            yield from publish(kvm, "flags")
        elif kind == "delete":
            yield from publish(kvm, "an INVALID copy", (place.invalid, 1))
            yield from publish(kvm, "without the slot", (place.slot, 0), (place.invalid, 0))
            yield shared("the ioctl returns", *((ghost, 1) for ghost in place.retired)).at("", SET)
            yield reach("memslot deleted")
        else:
            page = 1
            if len(place.pages) > 1:
                page = yield choose("new page", *range(1, len(place.pages) + 1)).at("", SET)
            yield shared("the slot is about to be there", (place.retired[page - 1], 0)).at("", SET)
            yield from publish(kvm, "with the slot", (place.slot, page))
            yield reach("memslot created")
        yield kvm.slots_lock.unlock().at("", SET)
        if "create" in kinds:
            gone = kind == "delete"
        elif kind == "delete":
            return


def publish(kvm: Kvm, what: str, *changes: tuple[Slot, int], step: str = "M1") -> Steps:
    """kvm_swap_active_memslots(): wait for the notifiers, publish, wait for the readers, final generation."""
    assert kvm.generation is not None and kvm.srcu is not None
    fn = "kvm_swap_active_memslots"
    yield shared(
        f"kvm->memslots = {what}", *changes, (kvm.generation, Fresh("generation")), when=kvm.count.eq(0)
    ).at(step, fn)
    yield from kvm.srcu.synchronize(step, fn)
    yield fresh(kvm.generation).as_("slots->generation = the final one").at(step, fn)

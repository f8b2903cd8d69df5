"""The VMM: KVM_SET_USER_MEMORY_REGION from another thread, or from what handles an exit in the vCPU's own.

A slot that has become read-only was deleted and made again: the flag cannot be changed (-EINVAL, protocol.md 3.7).
"""

from __future__ import annotations

from modelcheck import choose, reach, shared, test
from specs.kvm.gpc import Place, Steps
from specs.kvm.memslots import SET, memslot_updater, publish
from specs.memslot_access.machine import READONLY, WRITABLE, Machine


def handles_exit(machine: Machine) -> Steps:
    """A device model that may change a memslot before it answers the exit (a flash chip that leaves ROM mode)."""
    places = machine.changing
    which = yield choose("the device model changes", "no memslot", *range(1, len(places) + 1)).at("", "KVM_EXIT_MMIO")
    if which != "no memslot":
        place = places[which - 1]
        assert place.slot is not None
        if (yield test(place.slot.eq(0), f"no memslot of {place.name}?").at("", "KVM_EXIT_MMIO")):
            yield from create(machine, place)
        else:
            yield from memslot_updater(machine.kvm, place, ("delete",))


def create(machine: Machine, place: Place) -> Steps:
    """One KVM_SET_USER_MEMORY_REGION that makes the slot again, writable or not, as `memslot_updater` does it."""
    assert place.slot is not None
    kind = yield choose("new slot", WRITABLE, READONLY).at("", SET)
    yield machine.kvm.slots_lock.lock().at("", SET)
    yield shared("the slot is about to be there", (place.retired[kind - 1], 0)).at("", SET)
    yield from publish(machine.kvm, "with the slot", (place.slot, kind))
    yield reach("memslot created")
    yield machine.kvm.slots_lock.unlock().at("", SET)

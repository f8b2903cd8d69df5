"""The VMM: it moves the overlay, disables and enables shared_info, switches the mode (protocol.md 8.1, M1 to M3).

The vCPUs are paused meanwhile; events are not.  One thread does all of it: what takes xen_lock is serialised anyway,
and a VMM does not move the overlay while it disables it.
"""

from __future__ import annotations

from modelcheck import Slot, choose, reach, shared, test
from specs.kvm.activation import activate, deactivate
from specs.kvm.gpc import Place
from specs.kvm.memslots import publish
from specs.kvm.pfncache import Steps, refresh
from specs.shared_info.scene import SHARED, Scene, in_layout, read_section, read_section_ends, stores

SET_ATTR, INIT, SET_SLOT = "kvm_xen_hvm_set_attr", "kvm_xen_shared_info_init", "kvm_set_memslot"


def vmm(scene: Scene, kinds: tuple[str, ...], owed: tuple[Slot, ...]) -> Steps:
    """Any of `kinds`, in any order, for ever."""
    here = 1
    while True:
        kind = kinds[0]
        if len(kinds) > 1:
            kind = yield choose("the VMM", *kinds).at("", "kvm_vm_ioctl")
        match kind:
            case "moves":
                here = yield from move(scene, here, owed)
            case "disables":
                yield from disable(scene, owed)
                yield from enable(scene, here, owed)
            case "switches":
                yield from switch(scene, owed)
            case "other-slots":
                yield from change_other_slot(scene)


# -- the overlay ----------------------------------------------------------------------------------------------------


def move(scene: Scene, here: int, owed: tuple[Slot, ...]) -> Steps:
    """XENMEM_add_to_physmap: the overlay leaves one frame for the other; answers where it is then.

    A cache by user address does not look at frames: of the memslots it matters only whether one has its page.
    """
    places = scene.gpc.places
    if scene.hva:
        yield from delete_slot(scene, places[0], "M1")
        yield reach("overlay absent")
        yield from create_slot(scene, places[0], SHARED, "M2")
        return here
    there = 3 - here
    yield from delete_slot(scene, places[here - 1], "M1")
    yield reach("overlay absent")
    yield from delete_slot(scene, places[there - 1], "M1")
    yield from create_slot(scene, places[here - 1], 2, "M2")
    yield from create_slot(scene, places[there - 1], SHARED, "M2")
    yield from enable(scene, there, owed)
    return there


def delete_slot(scene: Scene, place: Place, step: str) -> Steps:
    """KVM_SET_USER_MEMORY_REGION with size 0: an INVALID copy, then none."""
    assert place.slot is not None and place.invalid is not None
    kvm = scene.kvm
    yield kvm.slots_lock.lock().at(step, SET_SLOT)
    yield from publish(kvm, f"an INVALID copy at {place.name}", (place.invalid, 1), step=step)
    yield from publish(kvm, f"nothing at {place.name}", (place.slot, 0), (place.invalid, 0), step=step)
    yield kvm.slots_lock.unlock().at(step, SET_SLOT)


def create_slot(scene: Scene, place: Place, page: int, step: str) -> Steps:
    """KVM_SET_USER_MEMORY_REGION: the shared_info page, or the guest's memory, at a frame."""
    assert place.slot is not None
    kvm, what = scene.kvm, place.pages[page - 1].name
    yield kvm.slots_lock.lock().at(step, SET_SLOT)
    yield from publish(kvm, f"{what} at {place.name}", (place.slot, page), step=step)
    yield kvm.slots_lock.unlock().at(step, SET_SLOT)


def change_other_slot(scene: Scene) -> Steps:
    """KVM_SET_USER_MEMORY_REGION of a slot that the overlay is not in: all caches by guest frame are out of date."""
    yield scene.kvm.slots_lock.lock().at("M1", SET_SLOT)
    yield from publish(scene.kvm, "another slot's change", step="M1")
    yield scene.kvm.slots_lock.unlock().at("M1", SET_SLOT)
    yield reach("memslots changed")


# -- the attributes -------------------------------------------------------------------------------------------------


def enable(scene: Scene, place: int, owed: tuple[Slot, ...]) -> Steps:
    """KVM_XEN_ATTR_TYPE_SHARED_INFO (gfn) or _HVA (M3); where it fails the VMM is told, and events owe nothing."""
    yield scene.xen_lock.lock().at("M3", SET_ATTR)
    done = yield from (set_up_apart if scene.form.hva else set_up)(scene, place)
    if done:
        yield shared("the ioctl returns 0", (scene.enabled, 1)).at("M3", SET_ATTR)
        yield reach("enabled")
    else:
        gone = [(each, 0) for each in owed]
        yield shared("the ioctl returns an error", (scene.enabled, 0), *gone).at("M3", SET_ATTR)
    yield scene.xen_lock.unlock().at("M3", SET_ATTR)


def set_up_apart(scene: Scene, place: int) -> Steps:
    """Since 6.9: the cache is activated, then the content written through it."""
    yield from read_section(scene.kvm, SET_ATTR)
    done = yield from activate(scene.gpc, scene.kvm, place)
    yield from read_section_ends(scene.kvm, SET_ATTR)
    if done:
        done = yield from shared_info_init(scene)
    return done


def set_up(scene: Scene, place: int) -> Steps:
    """Until 6.8, in one function: activated again and again until it is valid under the lock."""
    yield from read_section(scene.kvm, INIT)
    while True:
        done = yield from activate(scene.gpc, scene.kvm, place)
        if not done:
            break
        yield scene.gpc.lock.read_lock(irq="off").at("M3", INIT)
        if (yield test(scene.gpc.valid, f"{scene.gpc.name}->valid?").at("M3", INIT)):
            yield from wall_clock(scene)
            break
        yield scene.gpc.lock.read_unlock(irq="on").at("M3", INIT)
    yield from read_section_ends(scene.kvm, INIT)
    return done


def shared_info_init(scene: Scene) -> Steps:
    """Since 6.9: checked and refreshed like any other use, then the wall clock is written."""
    done = True
    yield from read_section(scene.kvm, INIT)
    yield scene.gpc.lock.read_lock(irq="off").at("M3", INIT)
    while not (yield scene.gpc.check("M3")):
        yield scene.gpc.lock.read_unlock(irq="on").at("M3", INIT)
        done = yield from refresh(scene.gpc, scene.kvm)
        if not done:
            break
        yield scene.gpc.lock.read_lock(irq="off").at("M3", INIT)
    if done:
        yield from wall_clock(scene)
    yield from read_section_ends(scene.kvm, INIT)
    return done


def wall_clock(scene: Scene) -> Steps:
    """The wall clock, under the lock and in the layout of the mode, and the lock released."""
    yield from stores(scene, "wc->version, sec, nsec", INIT)
    if scene.long_mode is not None and scene.clock is not None:
        mode = yield test(scene.long_mode, "kvm->arch.xen.long_mode?").at("M3", INIT)
        yield in_layout(scene, mode, "wc->version, sec, nsec", INIT)
        yield shared("the wall clock is written", (scene.clock, int(mode))).at("M3", INIT)
    yield scene.gpc.lock.read_unlock(irq="on").at("M3", INIT)


def disable(scene: Scene, owed: tuple[Slot, ...]) -> Steps:
    """The attribute with gfn INVALID, or hva 0: events on their way owe nothing from where it begins."""
    gone = [(each, 0) for each in owed]
    yield shared("the VMM disables shared_info", (scene.enabled, 0), *gone).at("", SET_ATTR)
    yield scene.xen_lock.lock().at("", SET_ATTR)
    yield from read_section(scene.kvm, SET_ATTR)
    yield from deactivate(scene.gpc, scene.kvm)
    yield from read_section_ends(scene.kvm, SET_ATTR)
    yield scene.xen_lock.unlock().at("", SET_ATTR)
    yield reach("disabled")


def switch(scene: Scene, owed: tuple[Slot, ...]) -> Steps:
    """KVM_XEN_ATTR_TYPE_LONG_MODE, and the guest's write of the hypercall MSR: of the active flavour."""
    assert scene.long_mode is not None and scene.switching is not None
    yield scene.xen_lock.lock().at("", SET_ATTR)
    other = scene.long_mode.eq(0)
    yield shared("kvm->arch.xen.long_mode = the other", (scene.long_mode, other), (scene.switching, 1)).at("", SET_ATTR)
    done = True
    if scene.form.reinit:
        done = yield from shared_info_init(scene)
    gone = [] if done else [(scene.enabled, 0), *((each, 0) for each in owed)]
    yield shared("the ioctl returns", (scene.switching, 0), *gone).at("", SET_ATTR)
    yield scene.xen_lock.unlock().at("", SET_ATTR)
    yield reach("switched")

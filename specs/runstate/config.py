"""The ioctls on the vCPU that touch the runstate area, steps C0 to C5 of protocol.md 5.1, and those of the VM.

Each runs on the vCPU's task with vcpu->mutex, and takes kvm->arch.xen.xen_lock (kvm->lock before 310bc39546a4) and
kvm->srcu.  Before 5ec3289b none of them writes the area.  A registration that moves the area goes between two places,
A and B; the gap between C3 and C4, where gpc1 is at the new one and gpc2 still at the old one, is protocol.md's D1.
"""

from __future__ import annotations

from collections.abc import Callable

from modelcheck import Action, assign, check, choose, fresh, lift, reach, shared, sleep_point, test
from specs.kvm.activation import activate, deactivate
from specs.kvm.pfncache import Steps
from specs.runstate.setup import Call, Scene, enter, leave, lock, unlock
from specs.runstate.values import ADJUSTED
from specs.runstate.writer import update_runstate, update_runstate_guest

SET_ATTR = "kvm_xen_vcpu_set_attr"


def locked(scene: Scene, body: Callable[[Scene], Steps]) -> Steps:
    """The locks around every attribute."""
    locks = scene.locks
    yield from lock(locks.attributes, SET_ATTR)
    yield from enter(locks.srcu, SET_ATTR)
    yield from body(scene)
    yield from leave(locks.srcu)
    yield from unlock(locks.attributes, SET_ATTR)


def runstate_addr(scene: Scene) -> Steps:
    """KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR."""
    yield from locked(scene, set_address)


def set_address(scene: Scene) -> Steps:
    """C0 to C5."""
    kvm, gpc1, gpc2 = scene.kvm, scene.gpc1, scene.gpc2
    options = tuple(range(1, len(scene.places) + 1)) + (("INVALID_GPA",) if gpc1.active is not None else ())
    place = yield choose("gpa", *options).at("C0", SET_ATTR)
    if place == "INVALID_GPA":
        yield from forget(scene)
        return
    mode = 0
    if scene.long_mode is not None and not (yield test(scene.long_mode, "long_mode?").at("C1", SET_ATTR)):
        mode = 1
    parts = scene.places[place - 1].parts[mode]
    if scene.fix == "address" and scene.version.two_caches:  # the second page goes before the first comes
        yield from deactivate(gpc2, kvm)
    if not (yield from activate(gpc1, kvm, place)):
        yield from forget(scene)
        return
    if scene.version.two_caches:
        if not parts.split:
            if gpc2.active is not None:
                yield from deactivate(gpc2, kvm)
        elif not (yield from activate(gpc2, kvm, place)):
            yield from forget(scene)
            return
    yield reach("area registered")
    if scene.ghosts.stored is not None:
        yield assign(scene.ghosts.stored, 0).as_("the update begins")
    outcome = "stored"
    if scene.version.ioctls_write:
        outcome = yield from update_runstate_guest(scene, Call("none"))
    yield from published(scene, outcome, "C5")


def forget(scene: Scene) -> Steps:
    """Both caches deactivated: no area is registered.  Where nobody deactivates, the area stays as it was."""
    if scene.gpc1.active is None:
        return
    yield from deactivate(scene.gpc1, scene.kvm)
    if scene.version.two_caches:
        yield from deactivate(scene.gpc2, scene.kvm)
    yield reach("area unregistered")


def destroy(scene: Scene) -> Steps:
    """kvm_xen_destroy_vcpu(), by whoever drops the last reference to the VM (protocol.md 5.3).

    Each file of a vCPU holds a reference, so no ioctl of it runs any more, and none will.  kvm_destroy_vm() has
    unregistered the MMU notifier by then; here it may still run, and so may memslot updates and sched_out, which is
    more than there is.  No lock is held around it.
    """
    yield from deactivate(scene.gpc1, scene.kvm)
    if scene.version.two_caches:
        yield from deactivate(scene.gpc2, scene.kvm)
    yield reach("vCPU destroyed")


def published(scene: Scene, outcome: str, step: str) -> Steps:
    """P11 where an ioctl answers 0: the shadow has reached the guest, unless a refresh failed or there is no area."""
    if scene.ghosts.stored is not None and outcome in ("stored", "gave up"):
        yield check(scene.ghosts.stored.eq(1), "published", "did the ioctl reach the guest?").at(step, SET_ATTR)


def runstate_current(scene: Scene) -> Steps:
    """RUNSTATE_CURRENT, and ADJUST with a valid state: a full update, atomic where the value is runnable (D7)."""
    yield from locked(scene, set_current)


def set_current(scene: Scene) -> Steps:
    """The value is the VMM's: any state; of those but runnable one speaks for all."""
    values = ("blocked", "runnable") if scene.runnable else ("blocked",)
    value = yield choose("value", *values).at("", SET_ATTR)
    outcome = yield from update_runstate(scene, Call(value), guest=scene.version.ioctls_write)
    yield from published(scene, outcome, "")


def runstate_adjust(scene: Scene) -> Steps:
    """RUNSTATE_ADJUST with state -1 and no change of the entry time: times move, then the guest half alone (D5)."""
    yield from locked(scene, adjust)


def adjust(scene: Scene) -> Steps:
    """The sum of the times stays what it was, so the ioctl accepts it.

    Before 5ec3289b that is all: the next update makes the version that has these times.
    """
    if not scene.version.ioctls_write:
        yield shared(ADJUSTED).at("ADJUST", SET_ATTR)
        return
    yield fresh(scene.shadow).as_(ADJUSTED).at("ADJUST", SET_ATTR)
    if (yield active(scene).at("", SET_ATTR)):
        yield from update_runstate_guest(scene, Call("none"))


def runstate_data(scene: Scene) -> Steps:
    """RUNSTATE_DATA: the shadow becomes what the VMM passes; by contract it never writes guest memory.

    The next update, or RUNSTATE_ADDR, publishes it.  What its stores do one by one is in `shadow_ioctls`.
    """
    yield from locked(scene, set_data)


def set_data(scene: Scene) -> Steps:
    """One step, since nothing nests here where somebody looks at the shadow (`refuse` of the spec)."""
    yield fresh(scene.shadow).as_("runstate and times = what the VMM passes").at("DATA", SET_ATTR)


def active(scene: Scene) -> Action:
    """Whether an area is registered."""
    registered = scene.gpc1.active
    return test(lift(1) if registered is None else registered, "runstate_cache.active?")


def other(scene: Scene) -> Steps:
    """Any other ioctl on the vCPU: it may be preempted, and writes nothing itself."""
    yield sleep_point("another ioctl", preemptible=True).at("", "kvm_arch_vcpu_ioctl")


IOCTLS = (  # no dict: a process that can reach what may change is extracted each time
    ("RUNSTATE_ADDR", runstate_addr),
    ("RUNSTATE_CURRENT", runstate_current),
    ("RUNSTATE_ADJUST", runstate_adjust),
    ("RUNSTATE_DATA", runstate_data),
    ("other", other),
)


def ioctl(scene: Scene, name: str) -> Steps:
    """One ioctl by its name."""
    for known, body in IOCTLS:
        if known == name:
            yield from body(scene)

"""Who takes part (protocol.md 8.4): the vCPU task with its ioctls, its sched_out, and whoever switches the mode.

The vCPU task is the only one that moves and refreshes its caches, until it destroys them (protocol.md 12.1 item 1).
A second `writer` is one: a class of locks seen as an instance, to ask for deadlocks between the two read locks.
"""

from __future__ import annotations

from modelcheck import assign, check, choose, ite, lift, reach, shared, sleep_point, test
from specs.kvm.activation import activate
from specs.kvm.pfncache import Steps
from specs.long_mode.over_two import REGISTERED, activate_both
from specs.long_mode.scene import COMPAT, NATIVE, World
from specs.long_mode.update import sleeping_update, update_guest
from specs.runstate.config import SET_ATTR, destroy, forget, register
from specs.runstate.setup import Call, lock, unlock
from specs.runstate.stores import GUEST
from specs.runstate.writer import lock_first, read_lock, read_unlock

HVM = "kvm_xen_hvm_set_attr"


def vcpu(world: World) -> Steps:
    """The thread of one vCPU: KVM_RUN and RUNSTATE_ADDR in any order, and the end of the vCPU."""
    while True:
        called = yield choose("the VMM calls", "KVM_RUN", "RUNSTATE_ADDR", "close()").at("", "kvm_vcpu_ioctl")
        if called == "KVM_RUN":
            yield from kvm_run(world)
        elif called == "RUNSTATE_ADDR":
            yield from runstate_addr(world)
        else:
            yield from destroy(world.scene)
            return


def kvm_run(world: World) -> Steps:
    """record_steal_time(): the sleeping update, if an area is registered (A10)."""
    yield assign(world.scene.in_run, 1).as_("wants_to_run = true").at("", "kvm_arch_vcpu_ioctl_run")
    yield sleep_point("vcpu_run()", preemptible=True).at("", "vcpu_run")
    if (yield test(world.active, "runstate_cache.active?").at("A10", "kvm_xen_update_runstate")):
        yield from sleeping_update(world, "running")
    yield assign(world.scene.in_run, 0).as_("wants_to_run = false").at("", "kvm_arch_vcpu_ioctl_run")


def sched_out(world: World) -> Steps:
    """kvm_sched_out() from __schedule(), nested on the vCPU task: the atomic update."""
    scene = world.scene
    rq = scene.kvm.rq_lock
    yield rq.lock(irq="off").at("", "__schedule")
    counts = world.active & scene.in_run if scene.version.only_in_run else world.active
    if (yield test(counts, "runstate_cache.active, and preempted?").at("A10", "kvm_xen_update_runstate")):
        yield from update_guest(world, Call("runnable", nested=True))
    yield rq.unlock(irq="on").at("", "finish_task_switch")


def runstate_addr(world: World) -> Steps:
    """KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, C0 to C5."""
    scene = world.scene
    yield from lock(scene.locks.attributes, SET_ATTR)
    place = yield choose("gpa", 1, 2, "INVALID_GPA").at("C0", SET_ATTR)
    if place == "INVALID_GPA":
        yield from forget(scene)
    elif (yield from registered(world, place)) and scene.version.ioctls_write:
        yield from sleeping_update(world, "none")
    yield from unlock(scene.locks.attributes, SET_ATTR)


def registered(world: World, place: int) -> Steps:
    """C1 to C4 of the form; answers whether the area is registered."""
    scene, form, twin = world.scene, world.form, world.twin
    if form.caches == "two":
        yield check(lift(1), "registered", REGISTERED).at("C3", SET_ATTR)  # each part is in its page: `geometry`
        return (yield from register(scene, place))
    mode = NATIVE if (yield test(world.long_mode, "long_mode?").at("C1", SET_ATTR)) else COMPAT
    parts = scene.places[place - 1].parts
    if twin is None:
        fits = not parts[NATIVE if form.most else mode].split
        yield check(lift(int(fits)), "registered", REGISTERED).at("C3", SET_ATTR)
        if not fits:
            yield reach("refused for its length")
            return False
        made = yield from activate(scene.gpc1, scene.kvm, place)
    else:
        made = yield from activate_both(scene.gpc1, twin, scene.kvm, place, parts[mode].split, form.iomem)
    if not made:
        yield from forget(scene)
        return False
    yield reach("area registered")
    return True


def mode_switch(world: World) -> Steps:
    """KVM_XEN_ATTR_TYPE_LONG_MODE, or the guest's write of the hypercall page: at any time (protocol.md 5.2).

    A latched mode does not change while something is mapped, which is looked at under the lock that registrations take.
    """
    locks, other = world.scene.locks, ite(world.long_mode, 0, 1)
    if world.form.latched:
        other = ite(world.active, world.long_mode, other)
    steady = ((world.ghosts.steady, 0),) if world.ghosts is not None else ()
    while True:
        yield from lock(locks.attributes, HVM)
        yield shared("long_mode is the other one", (world.long_mode, other), *steady).at("", HVM)
        yield reach("mode switched")
        yield from unlock(locks.attributes, HVM)


def writer(world: World) -> Steps:
    """Another task that updates the same area, in both ways, as far as locks go: a fiction, see the module."""
    scene, gpc1, gpc2 = world.scene, world.scene.gpc1, world.scene.gpc2
    while True:
        state = yield choose("an update that", "running", "runnable").at("", "kvm_xen_update_runstate")
        call = Call(state)
        if not (yield from lock_first(scene, call)):
            continue
        if not (call.atomic and scene.version.trylock):
            yield from read_lock(scene, gpc2, "G5")
        elif not (yield gpc2.lock.read_trylock().at("G5", GUEST)):
            yield from read_unlock(scene, gpc1, "G5", call.on)
            continue
        yield from read_unlock(scene, gpc2, "G13")
        yield from read_unlock(scene, gpc1, "G13", call.on)

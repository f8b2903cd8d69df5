"""The writer: kvm_xen_update_runstate() and kvm_xen_update_runstate_guest(), steps G0 to G13 of protocol.md 2.3.

One yield is one step, with the kernel's names.  The vCPU task updates for ever; sched_out runs nested on it, with the
run-queue lock held and interrupts off, wherever the task may be scheduled out (protocol.md 2.1).  The accounting half
(A1..A9) is one step here, which makes a new version of the struct; the guest half publishes the newest version.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Area, Irq, Slot, assign, fresh, reach, sleep_point, smp_wmb
from specs.runstate.layout import UPDATE, Parts
from specs.runstate.pfncache import Gpc, Kvm, Steps, refresh
from specs.runstate.versions import Writer

GUEST = "kvm_xen_update_runstate_guest"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the writer works on.  `without` names a guard left out: "check", "lock", "retry" or "update-bit",
    or a barrier: "first-wmb" (G8), "second-wmb" (G11), and of the reader "first-rmb" (S2), "second-rmb" (S4).

    No more than it looks at, so that the writers of all areas with equal parts are one process (see `scene`).
    """

    version: Writer
    layout: Parts
    area: Area
    kvm: Kvm
    gpc1: Gpc
    gpc2: Gpc
    shadow: Slot
    idle: Slot | None
    flag: bool
    without: str


def vcpu(scene: Scene) -> Steps:
    """The vCPU task in KVM_RUN: after each sched-in, record_steal_time() makes a sleeping update (protocol.md 2.1)."""
    while True:
        yield sleep_point("vcpu_run()", preemptible=True).at("", "vcpu_run")
        yield from update_runstate(scene, atomic=False)


def sched_out(scene: Scene) -> Steps:
    """kvm_sched_out() from __schedule(): the atomic update, under the run-queue lock with interrupts off."""
    rq = scene.kvm.rq_lock
    yield rq.lock(irq="off").at("", "__schedule")
    yield from update_runstate(scene, atomic=True)
    yield rq.unlock(irq="on").at("", "finish_task_switch")


def update_runstate(scene: Scene, atomic: bool) -> Steps:
    """kvm_xen_update_runstate(): the accounting makes a new version (A1..A9), then the guest half (A10)."""
    yield fresh(scene.shadow).as_("runstate_entry_time = now, times[] += delta").at("A9", "kvm_xen_update_runstate")
    if not (yield from lock_and_check(scene, atomic)):
        return
    yield from store(scene)
    yield from unlock(scene, atomic)


def lock_and_check(scene: Scene, atomic: bool) -> Steps:
    """G2 to G6: both locks held and both caches valid, or False with no lock held."""
    gpc1, gpc2, version = scene.gpc1, scene.gpc2, scene.version
    off: Irq = "" if atomic else "off"
    on: Irq = "" if atomic else "on"
    trylock = atomic and version.trylock
    while True:  # the retry label
        if scene.without == "lock":
            pass
        elif not trylock:
            yield gpc1.lock.read_lock(irq=off).at("G2", GUEST)
        elif not (yield gpc1.lock.read_trylock().at("G2", GUEST)):
            yield reach("trylock failed")
            return False
        while scene.without != "check" and not (yield gpc1.check("G3")):
            if scene.without != "lock":
                yield gpc1.lock.read_unlock(irq=on).at("G3", GUEST)
            if atomic:
                yield reach("atomic path gave up")
                return False
            if not (yield from refresh(gpc1, scene.kvm)):
                return False
            if scene.without != "lock":
                yield gpc1.lock.read_lock(irq=off).at("G3", GUEST)
        if not scene.layout.split:
            return True
        if scene.without == "lock":
            pass
        elif not trylock:
            yield gpc2.lock.read_lock().at("G5", GUEST)
        elif not (yield gpc2.lock.read_trylock().at("G5", GUEST)):
            yield gpc1.lock.read_unlock(irq=on).at("G5", GUEST)
            yield reach("trylock failed")
            return False
        if scene.without == "check" or (yield gpc2.check("G6")):
            return True
        if scene.without != "lock":
            yield gpc2.lock.read_unlock().at("G6", GUEST)
            yield gpc1.lock.read_unlock(irq=on).at("G6", GUEST)
        if atomic:
            yield reach("atomic path gave up")
            return False
        yield reach("second cache activated")
        if not (yield from refresh(gpc2, scene.kvm)):
            return False
        if scene.without == "retry":
            yield gpc1.lock.read_lock(irq=off).at("G6", GUEST)
            yield gpc2.lock.read_lock().at("G6", GUEST)
            return True


def store(scene: Scene) -> Steps:
    """G7 to G12: the stores, in the order and of the sizes of this version."""
    layout, version = scene.layout, scene.version
    flag = UPDATE if scene.flag and scene.without != "update-bit" else ""
    if scene.idle is not None:
        yield assign(scene.idle, 0).as_("the writer is at work")
    if layout.split:
        yield reach("split path ran")
    if not version.byte_flag:
        yield from store_v2(scene, flag)
    else:
        if flag:
            byte = (layout.update_byte, layout.update_byte + 1)
            yield put(scene, *byte, flag, "*update_bit = (entry_time | XEN_RUNSTATE_UPDATE) >> 56").at("G8", GUEST)
            if scene.without != "first-wmb":
                yield smp_wmb().at("G8", GUEST)
        yield from (store_split(scene, flag) if layout.split else store_single(scene, flag))
        if scene.without != "second-wmb":
            yield smp_wmb().at("G11", GUEST)
        if flag:
            yield put(scene, *byte, "", "*update_bit = entry_time >> 56").at("G12", GUEST)
            yield smp_wmb().at("G12", GUEST)
    yield reach("update published")
    if scene.idle is not None:
        yield assign(scene.idle, 1).as_("the writer is done")


def store_v2(scene: Scene, flag: str) -> Steps:
    """V2: the whole word with the flag, state, times, then `entry &= ~XEN_RUNSTATE_UPDATE` as a store of the word.

    The read-modify-write reads back what this same task stored under the same lock, so it is modelled as a store.
    """
    entry, times = scene.layout.entry, scene.layout.times
    yield put(scene, entry, entry + 8, flag, "*user_times = entry_time | XEN_RUNSTATE_UPDATE").at("G8", GUEST)
    if scene.without != "first-wmb":
        yield smp_wmb().at("G8", GUEST)
    yield put(scene, 0, 4, flag, "*user_state = current_runstate").at("G9", GUEST)
    yield put(scene, times, times + 32, flag, "memcpy(user_times + 1, runstate_times)", copy=True).at("G9", GUEST)
    if scene.without != "second-wmb":
        yield smp_wmb().at("G11", GUEST)
    yield put(scene, entry, entry + 8, "", "*user_times &= ~XEN_RUNSTATE_UPDATE").at("G12", GUEST)
    yield smp_wmb().at("G12", GUEST)


def store_single(scene: Scene, flag: str) -> Steps:
    """G9, one page: the fields go straight to the guest."""
    entry, times = scene.layout.entry, scene.layout.times
    yield put(scene, 0, 4, flag, "*rs_state = current_runstate").at("G9", GUEST)
    yield put(scene, entry, entry + 8, flag, "rs_times[0] = entry_time").at("G9", GUEST)
    yield put(scene, times, times + 32, flag, "memcpy(rs_times + 1, runstate_times)", copy=True).at("G9", GUEST)


def store_split(scene: Scene, flag: str) -> Steps:
    """G10, two pages: the struct assembled on the stack is copied to each page."""
    cut, size = scene.layout.user_len1, scene.layout.size
    yield put(scene, 0, cut, flag, "memcpy(gpc1->khva, &rs, user_len1)", copy=True).at("G10", GUEST)
    yield put(scene, cut, size, flag, "memcpy(gpc2->khva, &rs + user_len1, user_len2)", copy=True).at("G10", GUEST)


def put(scene: Scene, lo: int, hi: int, form: str, text: str, copy: bool = False):  # type: ignore[no-untyped-def]
    """A store of the newest version through the cache that maps its page; it needs that mapping to be current."""
    gpc = scene.gpc1 if lo < scene.layout.user_len1 else scene.gpc2
    return scene.area.store(
        lo, hi, scene.shadow, form, "copy" if copy else "plain", ((gpc.mapped(), "stale-mapping"),), text
    )


def storing() -> tuple[object, ...]:
    """The code that store() runs: what is known of its stores holds while this is the same."""
    return store, store_v2, store_single, store_split, put


def leaves(scene: Scene) -> bool:
    """Whether a store reaches outside the area: all stores are what store() yields, which branches on no answer."""
    accesses = [action.access for action in store(scene) if action.access is not None]
    return any(access.lo < 0 or access.hi > scene.area.size for access in accesses)


def unlock(scene: Scene, atomic: bool) -> Steps:
    """G13: release both locks; marking the pages dirty (before or after) touches nothing that is modelled here."""
    if scene.without == "lock":
        return
    if scene.layout.split:
        yield scene.gpc2.lock.read_unlock().at("G13", GUEST)
    yield scene.gpc1.lock.read_unlock(irq="" if atomic else "on").at("G13", GUEST)

"""An event: kvm_xen_set_evtchn_fast() where it must not sleep, then kvm_xen_set_evtchn() in a workqueue.

Source: arch/x86/kvm/xen.c.  Simplified: an event that is pending already, or masked, ends after the first half; here
each goes on to the second (a process that may end early has fewer steps).  The lock and the check of vcpu_info_cache
are left out: nothing that is asked here depends on it but whether vcpu_info is there.  A caller that is told of an
error (KVM_XEN_HVM_EVTCHN_SEND) loses nothing by it; irqfd_inject() and kvm_xen_inject_timer_irqs() drop it.
"""

from __future__ import annotations

from modelcheck import Action, Branch, Slot, assign, check, choose, lift, reach, shared, test, wait
from specs.kvm.pfncache import Steps, refresh
from specs.shared_info.scene import Scene, in_layout, read_section, read_section_ends, stores

FAST, SLOW, INJECT = "kvm_xen_set_evtchn_fast", "kvm_xen_set_evtchn", "kvm_xen_inject_pending_events"
ONE_LAYOUT = "one-layout"


def source(scene: Scene, owed: Slot) -> Steps:
    """An irqfd that is raised again and again; `owed` is a ghost: this event must not get lost."""
    while True:
        yield shared("an event is raised", (owed, scene.enabled)).at("E", "irqfd_wakeup")
        if (yield from set_evtchn_fast(scene, owed)):
            continue
        yield reach("-EWOULDBLOCK")
        yield from set_evtchn(scene, owed)


def set_evtchn(scene: Scene, owed: Slot) -> Steps:
    """The slow path: look again, refresh, start over; an error of the refresh is the end of the event."""
    locks = scene.form.slow_lock and scene.without != "xen-lock"
    if locks:
        yield scene.xen_lock.lock().at("E", SLOW)
    while True:
        if (yield from set_evtchn_fast(scene, owed)):
            yield reach("delivered after a refresh")
            break
        yield from read_section(scene.kvm, SLOW)
        done = yield from refresh(scene.gpc, scene.kvm)
        yield from read_section_ends(scene.kvm, SLOW)
        if not done:
            what = "kvm_gpc_refresh() fails: the event is given up"
            yield check(owed.eq(0), "lost", what, then=((owed, 0),)).at("E", SLOW)
            yield reach("given up")
            break
    if locks:
        yield scene.xen_lock.unlock().at("E", SLOW)


def set_evtchn_fast(scene: Scene, owed: Slot) -> Steps:
    """Both halves of an event, or -EWOULDBLOCK; answers whether it was delivered."""
    gpc, locks = scene.gpc, scene.without != "lock"
    yield from read_section(scene.kvm, FAST)
    if locks:
        yield gpc.lock.read_lock(irq="off").at("E", FAST)
    good = yield always(gpc.check("E")) if scene.without == "check" else gpc.check("E")
    if good:
        mode = False
        if scene.long_mode is not None:
            mode = yield test(scene.long_mode, "kvm->arch.xen.long_mode?").at("E", FAST)
        yield from stores(scene, "test_and_set_bit(port, shinfo->evtchn_pending)", FAST)
        if scene.long_mode is not None:
            yield in_layout(scene, mode, "test_bit(port, shinfo->evtchn_mask)", FAST)
        yield assign(owed, 0).as_("the pending bit is set").at("E", FAST)
        yield reach("delivered")
        if locks:
            yield gpc.lock.read_unlock(irq="on").at("E", FAST)
        if scene.long_mode is not None:
            yield from set_vcpu_info(scene, mode)
    elif locks:
        yield gpc.lock.read_unlock(irq="on").at("E", FAST)
    yield from read_section_ends(scene.kvm, FAST)
    return good


def always(action: Action) -> Action:
    """The check left out: it answers yes."""
    return Action("shared", "no kvm_gpc_check()", (Branch(True),), step=action.step, function=action.function)


def set_vcpu_info(scene: Scene, mode: bool) -> Steps:
    """The second half: bit port / 64 (or / 32) of evtchn_pending_sel in vcpu_info, or in the kernel until later.

    `mode` is the layout that the word was counted in.
    """
    assert scene.long_mode is not None
    if scene.selector and not (yield choose("kvm_gpc_check(vcpu_info)", True, False).at("E", FAST)):
        what = "test_and_set_bit(word, &vcpu->arch.xen.evtchn_pending_sel)"
        yield assign(scene.selector[mode], 1).as_(what).at("E", FAST)
        yield reach("left to the vCPU")
        return
    now = mode
    if not scene.form.latch:
        now = yield test(scene.long_mode, "kvm->arch.xen.long_mode?").at("E", FAST)
    what = "test_and_set_bit(word, vcpu_info->evtchn_pending_sel)"
    yield check(lift(int(now == mode)), ONE_LAYOUT, what).at("E", FAST)
    yield in_layout(scene, now, what, FAST)


def inject(scene: Scene) -> Steps:
    """kvm_xen_inject_pending_events() on the vCPU: what was left to it goes into vcpu_info, in the layout of now."""
    assert scene.long_mode is not None
    compat, long = scene.selector
    while True:
        yield wait(compat | long, "evtchn_pending_sel != 0").at("E", INJECT)
        what = "vcpu_info->evtchn_pending_sel |= evtchn_pending_sel"
        if (yield test(scene.long_mode, "kvm->arch.xen.long_mode?").at("E", INJECT)):
            yield check(compat.eq(0), ONE_LAYOUT, what, then=((compat, 0), (long, 0))).at("E", INJECT)
        else:
            yield check(long.eq(0), ONE_LAYOUT, what, then=((compat, 0), (long, 0))).at("E", INJECT)
        yield reach("injected")

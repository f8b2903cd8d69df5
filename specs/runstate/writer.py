"""The writer: kvm_xen_update_runstate() and kvm_xen_update_runstate_guest(), steps A and G of protocol.md 2.2 and 2.3.

One yield is one step, with the kernel's names.  Of the accounting half this module has what readers can see: the clock
is read (A1), and the entry time, and with it a new version of the struct, is stored (A9); what A2 to A8 compute is in
`accounting`.  A sched_out may come between the two, and then a newer entry time is published before an older one
(protocol.md D2).  What that means for readers depends on how they compare entry times:

- Where a reader loads the entry time in two words, the order of two entry times decides whether a word of the one and a
  word of the other make a third.  A version is then a clock reading, and the stamps are in the order of readings.
- A reader that loads it at once only asks whether two are equal.  A version is then made at A9, in one step, and
  nothing is assumed of entry times but that they differ: more schedules than there are, and a hundredth of the states.

Whether a reading was overtaken (A6) is left open in both: to leave the shadow alone is to publish the same version once
more, which RUNSTATE_ADDR may do at any time.
"""

from __future__ import annotations

from modelcheck import (
    Irq,
    assign,
    choose,
    fresh,
    local_irq_restore,
    local_irq_save,
    preempt_disable,
    preempt_enable,
    reach,
    shared,
    test,
)
from specs.kvm.activation import activate
from specs.kvm.pfncache import Gpc, Steps, refresh
from specs.runstate.layout import RUNSTATES, Parts
from specs.runstate.setup import Call, Scene
from specs.runstate.stores import GUEST, lengths, mapped, store

ACCOUNTING = "kvm_xen_update_runstate"


def update_runstate(scene: Scene, call: Call, guest: bool = True) -> Steps:
    """kvm_xen_update_runstate(): the accounting makes a new version, then the guest half, if an area is registered.

    Answers "inactive", or what the guest half answers; "stored" where it was not called for (`guest`).
    """
    if scene.ghosts.stored is not None:
        yield assign(scene.ghosts.stored, 0).as_("the update begins")
    yield from accounting(scene, call)
    if scene.ghosts.state is not None:
        yield assign(scene.ghosts.state, RUNSTATES.index(call.state)).at("A8", ACCOUNTING)
    active = scene.gpc1.active
    if active is not None and not (yield test(active, "runstate_cache.active?").at("A10", ACCOUNTING)):
        return "inactive"
    return (yield from update_runstate_guest(scene, call)) if guest else "stored"


def accounting(scene: Scene, call: Call) -> Steps:
    """A1 to A9, as far as readers can see them.

    Since 36a85200 a call whose clock reading is older than the entry time stored meanwhile leaves that alone (A6).
    """
    alone = scene.fix == "accounting" and not call.nested
    if alone:
        yield preempt_disable().at("A1", ACCOUNTING)
    late, made = False, "runstate_entry_time = now, times[] += delta"
    split = scene.interrupted and not call.nested and not alone  # else nothing comes between A1 and A9
    if split and scene.readings:
        yield fresh(scene.now).as_("now = get_kvmclock_ns()").at("A1", ACCOUNTING)
    if split and scene.version.clamped:
        late = yield choose("now - runstate_entry_time < 0?", False, True).at("A6", ACCOUNTING)
    if late:
        yield reach("clock reading overtaken")
    elif split and scene.readings:
        yield shared(made, (scene.shadow, scene.now)).at("A9", ACCOUNTING)
    else:
        yield fresh(scene.shadow).as_(made).at("A9", ACCOUNTING)
    if alone:
        yield preempt_enable().at("A11", ACCOUNTING)


def update_runstate_guest(scene: Scene, call: Call) -> Steps:
    """G0 to G13; answers "stored", "gave up" or "refresh failed"."""
    target = yield from lengths(scene)
    outcome = yield from lock_and_check(scene, call, target.parts)
    if outcome != "stored":
        return outcome
    target = yield from mapped(scene, target)
    yield from store(scene, target)
    yield from unlock(scene, call, target.parts)
    return outcome


def lock_and_check(scene: Scene, call: Call, parts: Parts) -> Steps:
    """G2 to G6: both locks held and both caches valid ("stored"), or why not, with no lock held."""
    while True:  # the retry label
        outcome = yield from first_cache(scene, call)
        if outcome == "stored" and parts.split:
            outcome = yield from second_cache(scene, call)
        if outcome != "retry":
            return outcome


def first_cache(scene: Scene, call: Call) -> Steps:
    """G2 and G3: gpc1 is locked and valid; the sleeping path refreshes it until it is."""
    gpc1 = scene.gpc1
    if not (yield from lock_first(scene, call)):
        return "gave up"
    while not (yield from valid(scene, gpc1, "G3")):
        yield from read_unlock(scene, gpc1, "G3", call.on)
        if call.atomic:
            yield reach("atomic path gave up")
            return "gave up"
        if not (yield from refresh(gpc1, scene.kvm)):
            return "refresh failed"
        yield from read_lock(scene, gpc1, "G3", call.off)
    return "stored"


def lock_first(scene: Scene, call: Call) -> Steps:
    """G2; answers whether it has the lock: the atomic path may not, since bbe17c62."""
    if scene.without == "lock" or not (call.atomic and scene.version.trylock):
        yield from read_lock(scene, scene.gpc1, "G2", call.off)
        return True
    if not call.nested:
        yield local_irq_save().at("G2", GUEST)
    if (yield scene.gpc1.lock.read_trylock().at("G2", GUEST)):
        return True
    if not call.nested:
        yield local_irq_restore().at("G2", GUEST)
    yield reach("trylock failed")
    return False


def second_cache(scene: Scene, call: Call) -> Steps:
    """G5 and G6: gpc2 is locked and valid too; where it is not, the sleeping path activates it and has to "retry"."""
    gpc1, gpc2 = scene.gpc1, scene.gpc2
    if scene.without == "lock" or not (call.atomic and scene.version.trylock):
        yield from read_lock(scene, gpc2, "G5")
    elif not (yield gpc2.lock.read_trylock().at("G5", GUEST)):
        yield from read_unlock(scene, gpc1, "G5", call.on)
        yield reach("trylock failed")
        return "gave up"
    if (yield from valid(scene, gpc2, "G6")):
        return "stored"
    yield from read_unlock(scene, gpc2, "G6")
    yield from read_unlock(scene, gpc1, "G6", call.on)
    if call.atomic:
        yield reach("atomic path gave up")
        return "gave up"
    yield reach("second cache activated")
    if not (yield from activate_second(scene)):
        return "refresh failed"
    if scene.without == "retry":
        return (yield from no_retry(scene, call))
    return "retry"


def no_retry(scene: Scene, call: Call) -> Steps:
    """The sibling that takes both locks again, and does not look at the caches again."""
    yield from read_lock(scene, scene.gpc1, "G6", call.off)
    yield from read_lock(scene, scene.gpc2, "G6")
    return "stored"


def valid(scene: Scene, gpc: Gpc, step: str) -> Steps:
    """kvm_gpc_check(), where it is not left out."""
    return scene.without == "check" or (yield gpc.check(step))


def read_lock(scene: Scene, gpc: Gpc, step: str, irq: Irq = "") -> Steps:
    """read_lock() or read_lock_irqsave(), where it is not left out."""
    if scene.without != "lock":
        yield gpc.lock.read_lock(irq=irq).at(step, GUEST)


def read_unlock(scene: Scene, gpc: Gpc, step: str, irq: Irq = "") -> Steps:
    """read_unlock() or read_unlock_irqrestore(): on PREEMPT_RT it may wake a writer, and restores nothing (D4)."""
    if scene.without == "lock":
        return
    if scene.rt:
        yield from gpc.lock.read_unlock_rt(scene.kvm.rq_lock, step, GUEST)
    else:
        yield gpc.lock.read_unlock(irq=irq).at(step, GUEST)


def activate_second(scene: Scene) -> Steps:
    """G6: kvm_gpc_activate(gpc2, gpc1->gpa + user_len1, user_len2); a sibling only refreshes it."""
    if scene.without == "activation":
        return (yield from refresh(scene.gpc2, scene.kvm))
    place, gpa = 1, scene.gpc1.gpa
    if gpa is not None and not (yield test(gpa.eq(1), "gpc1->gpa is A?").at("G6", GUEST)):
        place = 2
    return (yield from activate(scene.gpc2, scene.kvm, place))


def unlock(scene: Scene, call: Call, parts: Parts) -> Steps:
    """G13: release both locks and mark the pages dirty: with the locks held since 4438355e, before that after."""
    inside = scene.version.dirty_inside
    if inside:
        yield from mark_dirty(scene, parts)
    if parts.split:
        yield from read_unlock(scene, scene.gpc2, "G13")
    yield from read_unlock(scene, scene.gpc1, "G13", call.on)
    if not inside:
        yield from mark_dirty(scene, parts)


def mark_dirty(scene: Scene, parts: Parts) -> Steps:
    """mark_page_dirty_in_slot() for each page of the area."""
    dirty = scene.ghosts.dirty
    if dirty is not None:
        for page in range(2 if parts.split else 1):
            yield assign(dirty.bits[page], 1).at("G13", "mark_page_dirty_in_slot")

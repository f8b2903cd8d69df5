"""The properties of event delivery (protocol.md 8.1, I1 to I3), their witnesses, and the type invariant."""

from __future__ import annotations

from modelcheck import Expr, Model, PropertyInfo, Setting, Slot
from specs.pfncache.properties import type_invariant
from specs.shared_info.scene import Scene, in_shared_page, sound

LOST = PropertyInfo("lost", "an event that is raised while shared_info is enabled is not given up (I1)")
ONE_PAGE = PropertyInfo("one-page", "the pending bit is set in the one shared_info page (I1)")
STALE = PropertyInfo("stale-mapping", "no store goes through a mapping whose page was taken away (I2)")
AFTER = PropertyInfo("after-disable", "nothing is stored after disabling has returned (I3)")
INACTIVE = PropertyInfo("inactive-valid", "a cache that is activated was not valid (KVM_BUG_ON since 6.2)")
ONE_LAYOUT = PropertyInfo("one-layout", "an event counts its word and sets its selector bit in one layout")
OLD_LAYOUT = PropertyInfo("old-layout", "nothing is stored in the old layout after a switch has returned")
CLOCK = PropertyInfo("wall-clock", "the wall clock is in the layout of the mode once a switch has returned")
DELIVERED = PropertyInfo("delivered", "an event that is raised is delivered, while its task and the notifier run on")
DEADLOCK = PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (P9)")
LOCK_ORDER = PropertyInfo("lock-order", "no cycle in the order of lock classes, as lockdep sees it (P9)")
SLEEPS = PropertyInfo("sleep-in-atomic", "nothing sleeps under a spinning lock or with interrupts off (P10)")
TYPE = PropertyInfo("type", "valid, active, khva, uhva, gpc_list and the memslots fit together")
ASSERTIONS = (LOST, ONE_PAGE, STALE, AFTER, INACTIVE, ONE_LAYOUT, OLD_LAYOUT)
PROPERTIES = (*ASSERTIONS, CLOCK, DELIVERED, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE)
PAUSED = "the page of shared_info stays mapped where it is in the VMM: hva_to_pfn() finds a page"
DISABLED = "an event that is raised while shared_info is disabled, or on its way when that begins, is owed nothing"
ONE_THREAD = "the VMM moves the overlay, disables and switches in one thread; of the overlay there are two frames"


def declare(model: Model, scene: Scene, setting: Setting, owed: tuple[Slot, ...], kinds: tuple[str, ...]) -> None:
    """Declares all of them, as far as something in the model could break them."""
    seen, gpc = witnesses(kinds, setting), scene.gpc
    for info in ASSERTIONS:
        model.assertion(info.name, info.help, seen)
    if scene.long_mode is not None and scene.switching is not None and scene.clock is not None:
        right = scene.clock.eq(scene.long_mode) | scene.switching | ~scene.enabled
        model.invariant(CLOCK.name, right, CLOCK.help, seen)
        model.say(scene.clock.eq(scene.long_mode), "the wall clock is in the layout of the mode")
    fair = ("event1", "notifier", *(("vmm",) if kinds else ()))
    model.eventually(DELIVERED.name, owed[0].eq(0), DELIVERED.help, seen, (), fair, owed[0].eq(1))
    model.deadlock(DEADLOCK.name, DEADLOCK.help, seen)
    model.lock_order(LOCK_ORDER.name, LOCK_ORDER.help, seen)
    model.sleep_in_atomic(SLEEPS.name, SLEEPS.help, seen)
    model.invariant(TYPE.name, type_of(scene), TYPE.help, seen)
    model.assumptions += assumptions(setting, kinds)
    model.say(sound(gpc), "the page that shinfo->khva leads to was not taken away")
    model.say(in_shared_page(gpc), "shinfo->khva leads to the shared_info page")
    if gpc.closed is not None:
        model.say(gpc.closed.eq(0), "shared_info was not disabled")
    ends = "it was delivered" if setting.property == DELIVERED.name else "it may be given up"
    for each in owed:
        model.say(each.eq(0), f"nothing is owed to the event: {ends}, or shared_info was disabled since")


def witnesses(kinds: tuple[str, ...], setting: Setting) -> tuple[str, ...]:
    """What the actors must be seen to do."""
    found = ["delivered"]
    if setting.text("without") != "check":
        found += ["delivered after a refresh", "refresh retried"]
    if "moves" in kinds:
        found.append("overlay absent")
    if "other-slots" in kinds:
        found.append("memslots changed")
    if "disables" in kinds:
        found += ["disabled", "enabled"]
    if "switches" in kinds:
        found.append("switched")
        if setting.text("vcpu_info") == "may-be-invalid":
            found += ["left to the vCPU", "injected"]
    return tuple(found)


def assumptions(setting: Setting, kinds: tuple[str, ...]) -> list[str]:
    """What is bounded, and what is taken for granted."""
    sources = setting.number("sources")
    how_many = f"{sources} source{'s' * (sources > 1)} of events, each raised again and again"
    once = setting.text("invalidations") == "once"
    found = [how_many, "there is one invalidation alone" if once else "one invalidation at a time"]
    if kinds:
        found.append(ONE_THREAD)
    if "disables" in kinds:
        found.append(DISABLED)
    if setting.text("gup") == "works":
        found.append(PAUSED)
    return found


def type_of(scene: Scene) -> Expr:
    """The cache's own invariant, and that at most one frame has the overlay."""
    good, places = type_invariant(scene.gpc, scene.kvm), scene.gpc.places
    slots = [place.slot for place in places if place.slot is not None]
    if len(slots) > 1:
        good = good & ~(slots[0].eq(1) & slots[1].eq(1))
    return good

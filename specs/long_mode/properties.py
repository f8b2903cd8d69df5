"""The properties of protocol.md 8.4 (I1 to I4) and what must be reachable for each to mean anything."""

from __future__ import annotations

from modelcheck import Model, PropertyInfo, Setting
from specs.long_mode.forms import crosses
from specs.long_mode.scene import World
from specs.long_mode.update import type_of
from specs.runstate.stores import CHECKED_LESS

ASSERTIONS = (
    PropertyInfo("inside", "every store stays inside the area, in the layout used (I1)"),
    PropertyInfo("second-page", "what is stored through gpc2 goes to the page after gpc1's (I3)"),
    PropertyInfo("checked", "no more bytes are stored than kvm_gpc_check() was asked about"),
    PropertyInfo("overrun", "the 64-bit layout is not stored once the guest has left long mode (D10)"),
    PropertyInfo("converted", "a sleeping update after a switch leaves the whole area in the new layout (I2)"),
    PropertyInfo("registered", "no area is refused for where it lies or what it lies in (B5)"),
    PropertyInfo("stale-mapping", "no store goes through a mapping whose page was taken away (P6)"),
)
DEADLOCK = PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (I4)")
LOCK_ORDER = PropertyInfo("lock-order", "no cycle in the order of locks, each by itself: any number of writers (I4)")
SLEEPS = PropertyInfo("sleep-in-atomic", "nothing sleeps under a spinning lock or with interrupts off")
TYPE = PropertyInfo("type", "a valid cache leads where it is registered, and an active one is on gpc_list")
PROPERTIES = (*ASSERTIONS, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE)

SLOTS = "memslots stay as they are: an update of them fails checks and refreshes, as invalidations and lost pages do"
EXCUSED = "an update owes nothing where hva_to_pfn() finds no page, or where the mode changes before it ends"


def declare(model: Model, setting: Setting, world: World) -> None:
    """Declares all of them."""
    seen = witnesses(setting, world) if world.form.without == "none" else ()
    model.assumptions.append(SLOTS)
    if setting.property == "converted":
        model.assumptions.append(EXCUSED)
    for info in ASSERTIONS:
        model.assertion(info.name, info.help, seen)
    model.deadlock(DEADLOCK.name, DEADLOCK.help, seen)
    model.lock_order(LOCK_ORDER.name, LOCK_ORDER.help, seen)
    model.sleep_in_atomic(SLEEPS.name, SLEEPS.help, seen)
    types = type_of(world.scene.gpc1, world.twin)
    if world.form.caches == "two":
        types = types & type_of(world.scene.gpc2, None)
    model.invariant(TYPE.name, types, TYPE.help, seen)


def registers(setting: Setting, world: World) -> bool:
    """Whether the form registers an area there at all, in some mode."""
    area, form = setting.text("area"), world.form
    if form.iomem and area == "across":
        return False
    return form.caches != "one" or area == "inside" or area == "between" and not form.most


def witnesses(setting: Setting, world: World) -> tuple[str, ...]:
    """What must be seen to happen; an area that no update can reach in long mode has no such update."""
    form, area = world.form, setting.text("area")
    found = ["mode switched", "vCPU destroyed"]
    if not registers(setting, world):
        return tuple(found)
    found += ["area registered", "updated in compat mode", "refresh retried", "refresh failed"]
    longer = form.caches == "one" and area == "between" or form.iomem
    found.append("refused for its length" if longer and not form.iomem else "atomic path gave up")
    if not longer:
        found.append("updated in long mode")
        if crosses(area):
            found.append("split path ran")
    if form.caches == "two" and crosses(area):
        found += ["second cache activated", "atomic path skipped an area over two pages"]
    if world.scene.version.trylock:
        found.append("trylock failed")
    if form.twice and not form.latched:
        found.append(CHECKED_LESS)
    return tuple(found)

"""The properties (P1 to P13 of protocol.md 10 and 12) and what must be reachable for each to mean anything.

`published` is about ioctls that are to write.  RUNSTATE_DATA sets the shadow alone, by contract: the guest sees that at
the next update or RUNSTATE_ADDR, and an old copy after it is no violation.

A model with a guard left out on purpose (`without`) asks for no witnesses.
"""

from __future__ import annotations

from modelcheck import Model, PropertyInfo, Setting
from specs.runstate.data import DATA
from specs.runstate.layout import Layout
from specs.runstate.setup import Scene
from specs.runstate.stores import CHECKED_LESS
from specs.runstate.values import adjusted, make_values, relation
from specs.runstate.versions import writer

PROPERTIES = (
    PropertyInfo("torn-read", "an accepted snapshot equals one published update (P1)"),
    PropertyInfo("own-read", "the vCPU itself sees the state running, no flag, and one whole update (P2)"),
    PropertyInfo("flag-clears", "a set update flag is cleared in the end (P5)"),
    PropertyInfo("stale-mapping", "no store goes through a mapping whose page or slot was taken away (P6)"),
    PropertyInfo("out-of-area", "every store stays inside the registered area (P7)"),
    PropertyInfo("lost-dirty", "migration misses no store to the area (P8)"),
    PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (P9)"),
    PropertyInfo("lock-order", "no cycle in the order of lock classes, as lockdep sees it (P9)"),
    PropertyInfo("sleep-in-atomic", "nothing sleeps under a spinning lock or with interrupts off (P10)"),
    PropertyInfo(
        "published", "an update or ioctl that answers success has reached the guest; RUNSTATE_DATA never writes (P11)"
    ),
    PropertyInfo("reader-terminates", "a reader ends when the writer is idle (P12)"),
    *DATA,
)

LOCKING = ("deadlock", "lock-order", "sleep-in-atomic")
SLOTS = (*LOCKING, "stale-mapping")  # where memslots change
CAUGHT = "stores never wait on migration: the dirty bit is set after they are visible (a locked instruction on x86)"


NOT_RT = ("none", "voluntary", "full")
LEFT_OUT = (  # what would break a property, and is no default: the properties, parameter and values that assume so
    (("torn-read",), "flag", ("on",), "the guest asked for the update flag before it reads (else flag=switches: N1)"),
    (
        ("torn-read",),
        "ioctls",
        ("none", "usual", "runnable", "data"),
        "the VMM does not adjust times with RUNSTATE_ADJUST(-1) while a guest reads them (else ioctls=adjust: D5)",
    ),
    (
        ("published",),
        "ioctls",
        ("none", "usual", "data"),
        "the VMM does not set the state runnable (else ioctls=runnable: D7)",
    ),
    (("out-of-area",), "mode", ("fixed",), "the guest does not switch long mode (else mode=switches: D10)"),
    (("torn-read",), "preemption", NOT_RT, "the kernel is not PREEMPT_RT (else preemption=rt: D3)"),
    (("deadlock", "sleep-in-atomic"), "preemption", NOT_RT, "the kernel is not PREEMPT_RT (else preemption=rt: D4)"),
    (SLOTS, "refresher", ("own",), "no other task refreshes this vCPU's caches (else refresher=second)"),
)


def left_out(setting: Setting) -> list[str]:
    """What a check of this setting takes for granted that another value of a parameter does not."""
    asked, published = setting.property, writer(setting.version).ioctls_write
    if asked == "torn-read" and setting.text("reader") == "state-only":
        return []  # it takes one byte of one word, which none of these tears
    found = [text for names, name, values, text in LEFT_OUT if asked in names and setting.text(name) in values]
    return [text for text in found if published or "RUNSTATE_ADJUST" not in text]


def declare(model: Model, setting: Setting, layout: Layout, scene: Scene) -> None:
    """Declares the setting's property on the model, with the witnesses that the setting must reach."""
    whole = setting.text("without") == "none"
    writes = writer_witnesses(setting, layout, scene) if whole else ()
    help_of = {info.name: info.help for info in PROPERTIES}
    ghosts, name = scene.ghosts, setting.property
    about = help_of[name]
    values = make_values(layout, relation(setting), adjusted(setting))
    if name in SLOTS and setting.text("vmm") != "both":
        model.assumptions.append("the VMM does not call ioctls of the vCPU and change memslots at the same time")
    model.assumptions += left_out(setting)
    say(model, scene)
    match name:
        case "torn-read":
            reads = ("update published", *reader_witnesses(setting)) if whole else ()
            model.observation(name, values, about, reads)
            if "RUNSTATE_DATA" in scene.ioctls:
                model.assumptions.append("RUNSTATE_DATA gets a later entry time than was published, or changes no time")
        case "own-read":
            model.observation(name, values, about, ("own snapshot used", "update published") if whole else ())
            model.assumptions.append("the last update of a guest that reads its own area did not fail to refresh")
        case "stale-mapping" | "out-of-area" | "published":
            model.assertion(name, about, writes)
        case "lost-dirty":
            model.assertion(name, about, ("update published", "dirty page copied", "last pass done") if whole else ())
            model.assumptions.append(CAUGHT)
        case "deadlock":
            model.deadlock(name, about, writes)
        case "lock-order":
            model.lock_order(name, about, writes)
        case "sleep-in-atomic":
            model.sleep_in_atomic(name, about, writes)
        case "reader-terminates":
            assert ghosts.idle is not None
            ends = ("update published", "snapshot accepted") if whole else ()
            model.terminates(name, "reader", ghosts.idle.eq(1), about, ends, ("the writer is idle",))
        case "flag-clears":
            assert ghosts.flagged is not None
            seen = ("update published",) if whole else ()
            model.eventually(name, ghosts.flagged.eq(0), about, seen, fair=("vcpu", "sched_out"))


def say(model: Model, scene: Scene) -> None:
    """Words for the conditions that a counterexample may show to be false."""
    ghosts = scene.ghosts
    for gpc in (scene.gpc1, scene.gpc2):
        for condition, text in gpc.words():
            model.say(condition, text)
    if scene.long_mode is not None:
        model.say(scene.long_mode.eq(1), "the guest is in long mode")
    if ghosts.stored is not None:
        model.say(ghosts.stored.eq(1), "the update has reached the guest")
    if ghosts.flagged is not None:
        model.say(ghosts.flagged.eq(0), "the update flag is clear")
    for page, unsaved in enumerate(ghosts.dirty.unsaved if ghosts.dirty is not None else ()):
        model.say(unsaved.eq(0), f"every store to page {page} was saved")


def writer_witnesses(setting: Setting, layout: Layout, scene: Scene) -> tuple[str, ...]:
    """What the writer and the notifier must be seen to do."""
    found = ["update published", "atomic path gave up", "refresh retried", "refresh failed"]
    if any(parts.split for place in scene.places for parts in place.parts):
        found += ["split path ran", "second cache activated"]
    if writer(setting.version).trylock:
        found.append("trylock failed")
    if scene.version.mode_twice and scene.long_mode is not None:
        found.append(CHECKED_LESS)
    if "RUNSTATE_ADDR" in scene.ioctls:
        found.append("area registered")
    if scene.gpc1.active is not None:
        found.append("area unregistered")
    if scene.destroys:
        found.append("vCPU destroyed")
    return tuple(found)


def reader_witnesses(setting: Setting) -> tuple[str, ...]:
    """What the reader must be seen to do."""
    if setting.text("reader") == "state-only":
        return ("snapshot accepted",)
    found = ["snapshot accepted", "retry after a changed entry time"]
    if setting.text("flag") != "off" and setting.text("reader") != "ignores-flag":
        found.append("retry after a set flag")
    return tuple(found)

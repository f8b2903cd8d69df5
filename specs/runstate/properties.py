"""The properties of this part (P1, P6, P7, P9 in two forms, P10, P12 of protocol.md 10 and 12), and how each is proved.

Each has witnesses: what must be reachable for the verdict to mean anything.  A model with a guard left out on purpose
(`without`) asks for none.
"""

from __future__ import annotations

from modelcheck import Model, PropertyInfo, Setting, Slot
from specs.runstate.data import DATA
from specs.runstate.layout import Layout
from specs.runstate.values import make_values
from specs.runstate.versions import writer

PROPERTIES = (
    PropertyInfo("torn-read", "an accepted snapshot equals one published update (P1)"),
    PropertyInfo("stale-mapping", "no store goes through a mapping whose page was taken away (P6)"),
    PropertyInfo("out-of-area", "every store stays inside the registered area (P7)"),
    PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (P9)"),
    PropertyInfo("lock-order", "no cycle in the order of lock classes, as lockdep sees it (P9)"),
    PropertyInfo("sleep-in-atomic", "nothing sleeps under a spinning lock or with interrupts off (P10)"),
    PropertyInfo("reader-terminates", "a reader ends when the writer is idle (P12)"),
    *DATA,
)


def declare(model: Model, setting: Setting, layout: Layout, idle: Slot | None) -> None:
    """Declares every property on the model, with the witnesses that this setting must reach."""
    whole = setting.text("without") == "none"
    writes = writer_witnesses(setting, layout) if whole else ()
    reads = reader_witnesses(setting) if whole else ()
    help_of = {info.name: info.help for info in PROPERTIES}
    model.observation("torn-read", make_values(layout, setting.text("clock")), help_of["torn-read"],
                      ("update published", *reads))
    model.assertion("stale-mapping", help_of["stale-mapping"], writes)
    model.assertion("out-of-area", help_of["out-of-area"], writes)
    model.deadlock("deadlock", help_of["deadlock"], writes)
    model.lock_order("lock-order", help_of["lock-order"], writes)
    model.sleep_in_atomic("sleep-in-atomic", help_of["sleep-in-atomic"], writes)
    if idle is not None:
        model.terminates("reader-terminates", "reader", idle.eq(1), help_of["reader-terminates"],
                         ("update published", "snapshot accepted") if whole else (),
                         ("the writer is idle",))


def writer_witnesses(setting: Setting, layout: Layout) -> tuple[str, ...]:
    """What the writer and the notifier must be seen to do."""
    found = ["update published", "atomic path gave up", "refresh retried", "refresh failed"]
    if layout.split:
        found += ["split path ran", "second cache activated"]
    if writer(setting.version).trylock:
        found.append("trylock failed")
    return tuple(found)


def reader_witnesses(setting: Setting) -> tuple[str, ...]:
    """What the reader must be seen to do."""
    if setting.text("reader") == "state-only":
        return ("snapshot accepted",)
    found = ["snapshot accepted", "retry after a changed entry time"]
    if setting.text("flag") == "on" and setting.text("reader") != "ignores-flag":
        found.append("retry after a set flag")
    return tuple(found)

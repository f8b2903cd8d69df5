"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.long_mode.forms import crosses, form_of
from specs.runstate.versions import writer

RIGHT = "protocol.md 8.4: the invariant of the merged form"
ONE_TASK = """\
protocol.md B9, 12.1 item 1: sched_out waits for gpc1->lock, whose holder may need a run-queue lock.  That is a cycle of
lock instances too, not of classes alone; both ends are one task, so that nothing is stuck (`deadlock` holds)
"""


def expected(setting: Setting) -> Expectation:
    """The expectation of one setting."""
    case, source = _broken(setting)
    return Expectation("violated" if source else "holds", case, source or RIGHT)


def _broken(setting: Setting) -> tuple[str, str]:
    """The case that a setting shows ("" for none) and the source; no source where it holds."""
    form, area, version = form_of(setting), setting.text("area"), writer(setting.version)
    between = area == "between"
    match setting.property:
        case "converted" if form.without == "activation" and not form.latched:
            return "", "broken sibling: a second cache that was never activated is refreshed"
        case "stale-mapping" if form.without == "second-range" and crosses(area):
            return "", "broken sibling: the notifier looks at the first page's user address alone"
        case "registered" if form.iomem:
            return "T6", "SEED4: vmap() takes a list of pages not PFNs"
        case "registered" if form.caches == "one" and crosses(area):
            return "T1", "protocol.md B5; SEED4: the compat version may not split where the 64-bit one does"
        case "converted" if form.caches == "one" and between and not form.latched:
            return "T2", "SEED4: KVM needs to precisely handle the correct struct size"
        case "overrun" if not form.latched:
            return "T3", "protocol.md D10"
        case "checked" if form.twice and not form.latched:
            return "T4", "protocol.md 12.1 item 10"
        case "inside" | "second-page" if form.caches == "two" and crosses(area) and not version.only_in_run:
            return "T5", "protocol.md D1, 12.1 item 3"
        case "lock-order" if not version.trylock:
            return "", ONE_TASK
    return "", ""

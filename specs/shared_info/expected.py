"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.shared_info.forms import Form, form
from specs.shared_info.model import KINDS

RACELESS = """\
protocol.md 3.8, ecbcf030b456: refresh and check look at `active` since then.  For shared_info it takes no race: the
slow path of an event refreshes a cache that was disabled before it began (found by this checker)
"""
UNSEEN = """\
protocol.md 3.5: inactive before off the list, since ecbcf030b456.  Until then a cache that is being deactivated is off
gpc_list while it still passes check()
"""
SERIALISED = """\
found by this checker: until 7a36d680658b kvm_xen_set_evtchn() refreshed under the lock that SET_ATTR takes, so that no
refresh of this cache ran beside its deactivation; without that lock B19 is there
"""
DROPPED = "found by this checker: irqfd_inject() drops the error, and nobody raises the event again"
LATER = """\
found by this checker: a word counted in the layout of then is put into the vcpu_info of now, whether long_mode is read
once or twice; KVM has no note of the layout beside vcpu->arch.xen.evtchn_pending_sel
"""
OUTDATED = """\
found by this checker: the refresh of the slow path and the check that follows it are two SRCU read sections, and any
change of memslots in between, of whatever slot, has a cache by guest frame out of date again
"""
NOT_WAITED = """\
found by this checker: a switch waits for no event on its way (they hold kvm->srcu and not xen_lock), so that one may
look at the mask, and set the selector bit, where the old layout has them after the ioctl has returned
"""


def expected(setting: Setting) -> Expectation:
    """The expectation of one setting."""
    if setting.property == "delivered":
        if setting.text("invalidations") == "elsewhere":
            return Expectation("violated", "B28", "protocol.md 3.8, not merged: H7 retries on any invalidation")
        if setting.text("vmm") == "other-slots":
            return Expectation("violated", "X8", OUTDATED)
        return Expectation("holds", "", "derived: the last turn of the loop sees no invalidation and the same memslots")
    if setting.text("without") in ("check", "lock"):
        return Expectation("violated", "", "broken on purpose")
    case, source = _bug(setting, form(setting.version), KINDS[setting.text("vmm")])
    return Expectation("violated" if source else "holds", case, source or "protocol.md 8.1, I1 to I3")


def _bug(setting: Setting, version: Form, kinds: tuple[str, ...]) -> tuple[str, str]:
    """The case that a property shows and the source; no source where it holds."""
    gpa, may_fail = setting.text("flavour") == "gpa", setting.text("gup") == "may-fail"
    match setting.property:
        case "lost" if may_fail:
            return "X3", DROPPED
        case "lost" if gpa and "moves" in kinds:
            return "X1", "protocol.md 8.1: E between M1 and M3"
        case "one-page" if gpa:
            return "X2", "protocol.md 8.1: between M2 and M3 the refresh still uses GFN a"
        case "one-layout" if not version.latch:
            return "X4", "protocol.md 8.1: double fetch of long_mode, 5831fb3e6b39"
        case "one-layout" if setting.text("vcpu_info") != "valid":
            return "X5", LATER
        case "old-layout":
            return "X6", NOT_WAITED
        case "wall-clock" if not version.reinit:
            return "X7", "18b99e4d6db6: the content is initialised again whenever the mode is set"
        case "stale-mapping" | "one-page" if not gpa and "moves" in kinds and not version.cache.own_seq:
            return "B24", "protocol.md 3.8, da260bcb56fe"
    return _disabled(setting, version, kinds)


def _disabled(setting: Setting, version: Form, kinds: tuple[str, ...]) -> tuple[str, str]:
    """What disabling breaks, in old versions."""
    name, cache = setting.property, version.cache
    if "disables" not in kinds:
        return "", ""
    if not cache.rejects_inactive:
        match name:
            case "stale-mapping":
                return "B16", UNSEEN
            case "after-disable" | "inactive-valid":
                return "B16", RACELESS
    broken = setting.text("without") == "xen-lock" and not cache.unmap_serialized
    if broken and name in ("stale-mapping", "inactive-valid"):
        return "", SERIALISED
    return "", ""

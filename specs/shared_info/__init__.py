"""shared_info in KVM: events that are delivered while the VMM moves the page's overlay, disables it, or switches mode.

Encodes protocol.md 8.1 (the patch "KVM: xen: allow shared_info to be mapped by fixed HVA").  The cache, the memslots
and the notifier are those of `specs.kvm`; here are the `forms` (versions), the `scene`, the processes (`events`,
`vmm`), the `model`, the `properties`, what is `expected`, and which bugs (`cases`).

The bits of the page are not modelled: a bitmap is only ever set bit by bit, atomically, so that what matters of a store
is whether it goes to the right page, in the right layout, and happens at all.  Every memory model gives one answer.
"""

from __future__ import annotations

from modelcheck import Parameter, Setting, Spec, Version
from specs.shared_info.cases import CASES
from specs.shared_info.expected import expected
from specs.shared_info.forms import FORMS, form
from specs.shared_info.model import KINDS, build
from specs.shared_info.properties import PROPERTIES
from specs.shared_info.unreached import unreached

VERSIONS = tuple(Version(each.name, each.releases, each.subject) for each in FORMS)
ONCE, SWITCHING = ("delivered",), ("one-layout", "old-layout", "wall-clock")

PARAMETERS = (
    Parameter("flavour", "what the cache is activated with: a guest frame or a user address", ("hva", "gpa"),
              default=("hva", "gpa")),
    Parameter("vmm", "what the VMM does meanwhile, again and again",
              tuple(KINDS), default=("all", "idle")),
    Parameter("sources", "how many sources of events", lo=1, hi=2, default=(1,)),
    Parameter("invalidations", "whether the MMU notifier goes on for ever, or ends after one invalidation",
              ("unending", "once"), default=("unending", "once"), only=ONCE),
    Parameter("gup", "whether hva_to_pfn() may fail for the page of shared_info", ("works", "may-fail"),
              default=("works",)),
    Parameter("vcpu_info", "whether vcpu_info is there for the second half of an event, or may be invalid",
              ("valid", "may-be-invalid"), default=("valid", "may-be-invalid"), only=("one-layout",)),
    Parameter("without", "a guard left out on purpose: kvm_gpc_check(), the read lock, or the slow path's xen_lock",
              ("none", "check", "lock", "xen-lock"), default=("none",)),
)  # fmt: skip


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does: a property that nothing in it could break says nothing."""
    kinds, name = KINDS[setting.text("vmm")], setting.property
    if setting.text("flavour") == "hva" and not form(setting.version).hva:
        return "flavour=hva came with b9220d32799a in 6.9; take that or later"
    if setting.text("without") == "xen-lock" and not form(setting.version).slow_lock:
        return f"without=xen-lock: {setting.version} does not take it in kvm_xen_set_evtchn()"
    if setting.text("vcpu_info") != "valid" and "switches" not in kinds:
        return "vcpu_info=may-be-invalid where no mode switches: the second half of an event is not modelled then"
    if name not in ("stale-mapping", "after-disable") and setting.text("without") in ("check", "lock"):
        return f"{name} with without={setting.text('without')}: take stale-mapping or after-disable"
    if name == "delivered" and setting.number("sources") > 1:
        return "delivered with sources=2: it is about one event, and a second source need not go on"
    if name == "delivered" and kinds:
        return f"delivered with vmm={setting.text('vmm')}: it is about events and a notifier; take vmm=idle"
    if name == "delivered" and setting.text("gup") != "works":
        return "delivered with gup=may-fail: see lost"
    if name != "delivered" and setting.text("vmm") == "idle":
        return f"{name} with vmm=idle: nothing changes; take moves, disables, switches or all"
    if name != "delivered" and setting.text("invalidations") == "once":
        return f"{name} with invalidations=once: take unending, which has every schedule of one"
    if name == "one-page" and ("moves" not in kinds or setting.text("flavour") == "hva"):
        return "one-page where the cache cannot leave its page; take flavour=gpa and vmm=moves"
    if name in ("after-disable", "inactive-valid") and "disables" not in kinds:
        return f"{name} with vmm={setting.text('vmm')}: nobody disables shared_info; take vmm=disables"
    if name in SWITCHING and "switches" not in kinds:
        return f"{name} with vmm={setting.text('vmm')}: the mode stays; take vmm=switches"
    return ""


def label(setting: Setting) -> str:
    """The actors in words."""
    sources = setting.number("sources")
    doing = "no VMM" if setting.text("vmm") == "idle" else f"VMM that {setting.text('vmm').replace('all', 'does all')}"
    return f"{sources} event source{'s' * (sources > 1)}, {doing}, notifier"


SPEC = Spec(
    name="shared_info",
    summary="event delivery through shared_info in KVM, its overlay moved, disabled, or its mode switched",
    build=build,
    versions=VERSIONS,
    parameters=PARAMETERS,
    properties=PROPERTIES,
    refuse=refuse,
    label=label,
    expected=expected,
    unreached=unreached,
    cases=CASES,
)

"""shared_info in KVM: events that are delivered while the VMM moves the page's overlay, disables it, or switches mode.

Encodes protocol.md 8.1 (the patch "KVM: xen: allow shared_info to be mapped by fixed HVA").  The cache, the memslots
and the notifier are those of `specs.kvm`; here are the `forms` (versions), the `scene`, the processes (`events`,
`vmm`), the `model`, the `properties`, what is `expected`, and which bugs (`cases`).

The bits of the page are not modelled: a bitmap is only ever set bit by bit, atomically, so that what matters of a store
is whether it goes to the right page, in the right layout, and happens at all.  Every memory model gives one answer.
"""

from __future__ import annotations

from modelcheck import Parameter, Setting, Spec, Version
from specs.shared_info.ablating import ablate_settings
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
    Parameter("vmm", "what the VMM does meanwhile, again and again; other-slots changes slots that are not the "
              "overlay's", tuple(KINDS), default=("all", "idle", "moves", "other-slots"), only=ONCE),
    Parameter("sources", "how many sources of events", lo=1, hi=2, default=(1,)),
    Parameter("invalidations", "of the cache's pages, for ever; of pages elsewhere that no cache has, for ever (and "
              "shared_info is invalid at first); or one alone",
              ("unending", "elsewhere", "once"), default=("unending", "elsewhere", "once"), only=ONCE),
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
    if name == "delivered":
        return refuse_delivered(setting, kinds)
    if setting.text("vmm") in ("idle", "other-slots"):
        return f"{name} with vmm={setting.text('vmm')}: nothing of shared_info changes; take moves, disables, switches"
    if setting.text("invalidations") != "unending":
        return f"{name} with invalidations={setting.text('invalidations')}: take unending, which has all that it shows"
    if name == "one-page" and "moves" not in kinds:
        return f"one-page with vmm={setting.text('vmm')}: the overlay stays; take vmm=moves"
    if name in ("after-disable", "inactive-valid") and "disables" not in kinds:
        return f"{name} with vmm={setting.text('vmm')}: nobody disables shared_info; take vmm=disables"
    if name in SWITCHING and "switches" not in kinds:
        return f"{name} with vmm={setting.text('vmm')}: the mode stays; take vmm=switches"
    return ""


def refuse_delivered(setting: Setting, kinds: tuple[str, ...]) -> str:
    """Why `delivered` says nothing of a setting, "" where it does: who else is there, and what goes on for ever."""
    if setting.number("sources") > 1:
        return "delivered with sources=2: it is about one event, and a second source need not go on"
    if setting.text("gup") != "works":
        return "delivered with gup=may-fail: see lost"
    if setting.text("invalidations") == "unending":
        return "delivered with invalidations=unending: its own page is taken away each time; take elsewhere or once"
    if setting.text("invalidations") == "elsewhere" and kinds:
        return f"delivered with invalidations=elsewhere and vmm={setting.text('vmm')}: it takes no VMM; take vmm=idle"
    if "disables" in kinds:
        return f"delivered with vmm={setting.text('vmm')}: disabling ends what an event is owed; take moves or idle"
    if "switches" in kinds:
        return "delivered with vmm=switches: a mutex that is taken again and again is not fair here; take moves or idle"
    if setting.text("flavour") == "gpa" and "moves" in kinds:
        return f"delivered with flavour=gpa and vmm={setting.text('vmm')}: see lost, or take vmm=other-slots"
    if setting.text("flavour") == "hva" and "other-slots" in kinds:
        return "delivered with flavour=hva and vmm=other-slots: a cache by user address looks at no memslot; take moves"
    return ""


DOING = {"idle": "no VMM", "all": "VMM that does all", "other-slots": "VMM that changes other memslots"}


def label(setting: Setting) -> str:
    """The actors in words."""
    sources, kind = setting.number("sources"), setting.text("vmm")
    doing = DOING.get(kind, f"VMM that {kind}")
    notifier = "notifier elsewhere" if setting.text("invalidations") == "elsewhere" else "notifier"
    return f"{sources} event source{'s' * (sources > 1)}, {doing}, {notifier}"


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
    ablate_settings=ablate_settings,
)

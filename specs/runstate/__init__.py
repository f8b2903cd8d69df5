"""The Xen runstate update protocol in KVM (arch/x86/kvm/xen.c): writer, MMU notifier, guest readers.

Encodes protocol.md sections 1 to 7 and 12 for versions V2 to V7p, at the grain of its step labels.  The actors are in
`vcpu` (with `writer`, `stores`, `config`), `readers`, `migration` and `others`; the cache, memslots and the notifier
are in `specs.kvm`; `scene` puts them together.  `properties`, `projections`, `values` and `geometry` say what is
checked and how a proof covers every offset; `accounting` is the arithmetic, over 64-bit values, with
`accounting_round` and `shadow_ioctls` around it, and `data` its properties; `expected` says what should come out,
`cases` which bugs.
"""

from __future__ import annotations

from modelcheck import Obligation, Parameter, Setting, Spec
from specs.runstate import data, geometry
from specs.runstate.ablating import ablate_projections, ablate_settings
from specs.runstate.cases import CASES
from specs.runstate.expected import expected
from specs.runstate.layout import PAGE_SIZE
from specs.runstate.projections import equivalence, projections
from specs.runstate.properties import PROPERTIES, SLOTS
from specs.runstate.scene import build, layout_of
from specs.runstate.unreached import unreached
from specs.runstate.versions import VERSIONS, writer

PARAMETERS = (
    Parameter("abi", "the guest's ABI: 64-bit or compat layout", ("64", "32"), default=("64", "32")),
    Parameter("offset", "byte offset of the area in its page", lo=0, hi=PAGE_SIZE - 1, default=tuple(range(PAGE_SIZE))),
    Parameter(
        "reader",
        "how the guest reads; by default linux64 for abi 64, linux32 for abi 32",
        ("linux64", "linux32", "state-only", "ignores-flag"),
    ),
    Parameter(
        "preemption",
        "where sched_out may nest on the vCPU task",
        ("none", "voluntary", "full", "rt"),
        default=("full",),
    ),
    Parameter(
        "flag",
        "whether the guest asked for XEN_RUNSTATE_UPDATE, or asks for it while updates run",
        ("on", "off", "switches"),
        default=("on",),
    ),
    Parameter(
        "clock",
        "what kvmclock does from reading to reading",
        ("increasing", "may-repeat", "may-step-back"),
        default=("increasing",),
    ),
    Parameter(
        "tear",
        "where the compiler may tear: copies at words, copies at every byte (rep movsb), every plain access",
        ("none", "copies", "bytes", "plain"),
        default=("copies",),
    ),
    Parameter(
        "compiler",
        "whether plain accesses between two barriers may be reordered",
        ("free", "program"),
        default=("free",),
    ),
    Parameter(
        "without",
        "a guard or barrier left out on purpose: the broken siblings",
        ("none", "check", "lock", "retry", "update-bit", "first-wmb", "second-wmb", "first-rmb", "second-rmb",
         "mapping", "pause"),
        default=("none",),
    ),
    Parameter(
        "fix",
        "a repair: preemption off around the accounting (D2, D12); gpc2 taken down first (D1); the flag's ioctl waits",
        ("none", "accounting", "address", "flag"),
        default=("none",),
    ),
    Parameter(
        "ioctls",
        "what the VMM calls beside KVM_RUN: RUNSTATE_ADDR and CURRENT; CURRENT(runnable), ADJUST(-1) or DATA too",
        ("none", "usual", "runnable", "adjust", "data"),
        default=("usual",),
    ),
    Parameter(
        "to",
        "where RUNSTATE_ADDR moves the area: to the last byte of its page, or to the same offset",
        ("last", "same"),
        default=("last",),
    ),
    Parameter(
        "vmm",
        "what the VMM does meanwhile: moves and unregisters the area, or changes memslots, or both at once",
        ("moves", "memslots", "both"),
        default=("moves", "memslots"),
        only=SLOTS,
    ),
    Parameter(
        "refresher",
        "who refreshes the vCPU's caches: its own task, or (a fiction) a second one too",
        ("own", "second"),
        default=("own",),
    ),
    Parameter("mode", "whether the guest may switch long mode", ("fixed", "switches"), default=("fixed",)),
    Parameter("steal", "whether run_delay and kvmclock have one time base", ("exact", "free"), default=("exact",)),
)


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does."""
    version, layout = writer(setting.version), layout_of(setting)
    nested = data.WHERE[setting.text("preemption")] == "anywhere" and not version.only_in_run
    if setting.text("ioctls") == "data" and setting.property == "torn-read" and nested:
        return (
            f"ioctls=data is not decided for {setting.property} where sched_out may come between the stores of "
            "RUNSTATE_DATA, before 11896456; take preemption=none or voluntary, or --property time-sum"
        )
    if setting.text("mode") == "switches" and setting.property in ("torn-read", "own-read", "reader-terminates"):
        return (
            f"mode=switches is not decided for {setting.property}: the bytes of an area that is stored in one layout "
            "and read in the other have no meaning; take out-of-area"
        )
    flag = setting.text("flag")
    if flag != "on" and not version.flag_optional:
        return f"flag={flag} needs d8ba8ba4 or later, {setting.version} always uses the flag; take flag=on"
    if not version.two_caches and layout.offset + 48 > PAGE_SIZE:
        return (
            f"offset={layout.offset}: {setting.version} refuses an area that is not 48 bytes before its page's end "
            f"(-EINVAL, protocol.md B5); there are 0..{PAGE_SIZE - 48}"
        )
    return ""


def defaults(name: str, chosen: tuple[tuple[str, int | str], ...]) -> tuple[int | str, ...]:
    """The reader of the guest's own ABI."""
    if name == "reader":
        return ("linux64",) if dict(chosen)["abi"] == "64" else ("linux32",)
    return ()


def label(setting: Setting) -> str:
    """The group of an offset in a table: what matters to the property."""
    if setting.property in data.NAMES:
        return "accounting, any 64-bit values"
    layout = layout_of(setting)
    if setting.property in ("torn-read", "reader-terminates"):
        return layout.describe()
    return "area across a page" if layout.split else "area in one page"


def obligations(settings: tuple[Setting, ...]) -> tuple[Obligation, ...]:
    """The geometry, for all offsets and both ABIs."""
    return geometry.obligations()


SPEC = Spec(
    name="runstate",
    summary="the Xen runstate update protocol in KVM: a host writer, an MMU notifier, guest readers",
    build=build,
    versions=VERSIONS,
    parameters=PARAMETERS,
    properties=PROPERTIES,
    projections=projections,
    refuse=refuse,
    equivalence=equivalence,
    label=label,
    expected=expected,
    obligations=obligations,
    defaults=defaults,
    unreached=unreached,
    cases=CASES,
    ablate_settings=ablate_settings,
    ablate_projections=ablate_projections,
)

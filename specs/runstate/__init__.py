"""The Xen runstate update protocol in KVM (arch/x86/kvm/xen.c): writer, MMU notifier, guest readers.

Encodes protocol.md sections 1 to 5 and 12 for versions V2 to V6 of the writer, at the grain of its step labels.
`writer`, `pfncache`, `invalidators` and `readers` are the actors; `scene` puts them together; `properties`,
`projections`, `values` and `geometry` say what is checked and how a proof covers every offset; `expected` says what
should come out.
"""

from __future__ import annotations

from modelcheck import Obligation, Parameter, Setting, Spec
from specs.runstate import geometry
from specs.runstate.ablating import ablate_projections, ablate_settings
from specs.runstate.expected import expected
from specs.runstate.layout import PAGE_SIZE
from specs.runstate.projections import equivalence, projections
from specs.runstate.properties import PROPERTIES
from specs.runstate.scene import build, layout_of
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
        default=("none",),
    ),
    Parameter("flag", "whether the guest asked for XEN_RUNSTATE_UPDATE", ("on", "off"), default=("on",)),
    Parameter(
        "clock",
        "what is assumed of the entry time from update to update",
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
        ("none", "check", "lock", "retry", "update-bit", "first-wmb", "second-wmb", "first-rmb", "second-rmb"),
        default=("none",),
    ),
)


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does."""
    version, layout = writer(setting.version), layout_of(setting)
    if setting.text("preemption") == "rt":
        return (
            "preemption=rt needs PREEMPT_RT lock semantics, which are not modelled yet; there are none, voluntary, full"
        )
    if setting.text("flag") == "off" and not version.flag_optional:
        return f"flag=off needs d8ba8ba4 or later, {setting.version} always uses the flag; take flag=on"
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
    ablate_settings=ablate_settings,
    ablate_projections=ablate_projections,
)

"""A store across two guest pages, emulated by KVM: in pieces as today, and translated as a whole first.

Encodes protocol.md 8.2 and the seed document 002 (read-only memslots, and Avi Kivity's two entries).  `machine` has the
state, `emulator` the two schemes, `guest` the vCPUs, `vmm` what the VMM does; memslots with SRCU are `specs.kvm`'s.

There are no areas of memory in it, so every memory model gives one answer.  Each write of a piece is one step.
"""

from __future__ import annotations

from modelcheck import Parameter, Setting, Spec, Version
from specs.memslot_access.ablating import ablate_settings
from specs.memslot_access.cases import CASES
from specs.memslot_access.expected import expected
from specs.memslot_access.machine import BOUNDARY, FRAGMENTS, ONE_EXIT, PV_FLUSH, TWO_PHASE
from specs.memslot_access.model import build
from specs.memslot_access.properties import PROPERTIES
from specs.memslot_access.unreached import unreached

VERSIONS = (
    Version(ONE_EXIT, ("3.4",), "each page translated and written in turn; room for one MMIO exit"),
    Version(FRAGMENTS, ("3.5",), "KVM: Fix page-crossing MMIO: up to two fragments leave"),
    Version(PV_FLUSH, ("4.16",), "PV help for TLB shootdowns, which do not wait for preempted vCPUs"),
    Version(BOUNDARY, ("5.19", "7.3"), "do not report a vCPU as preempted outside instruction boundaries"),
    Version(TWO_PHASE, ("2012-06-18",), "Avi Kivity's scheme, not merged: translate both pages, then write"),
)
SEEN, LOCKS = ("seen-whole", "seen-outside"), ("deadlock", "lock-order")
WRITES = ("live-slot", "stale-translation", "not-overwritten", "seen-outside")

PARAMETERS = (
    Parameter("first", "the memslot of the first page; readonly is as none: writes leave as MMIO",
              ("rw", "readonly", "changes"), default=("changes", "rw"),
              only=SEEN),
    Parameter("second", "the memslot of the second page", ("rw", "readonly", "changes"), default=("changes", "rw"),
              only=SEEN),
    Parameter("srcu", "held from lookup to write, or dropped in between, or held over exits to userspace too",
              ("held", "dropped", "across-exit"), default=("held",)),
    Parameter("order", "two-phase: entries in RAM are written before any exit, or all run by address",
              ("ram-first", "by-address"), default=("ram-first",)),
    Parameter("intent", "whether memslots are looked up for writing", ("write", "read"), default=("write",)),
    Parameter("vmm", "who changes memslots: another thread, or what handles an exit, in the vCPU's own",
              ("thread", "handler"), default=("thread", "handler")),
)  # fmt: skip


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does: a property that nothing in it could break says nothing."""
    kinds = setting.text("first"), setting.text("second")
    changes, name = "changes" in kinds, setting.property
    if setting.text("order") == "by-address" and setting.version != TWO_PHASE:
        return f"order=by-address with {setting.version}: pieces that leave are always last; take two-phase"
    if setting.text("vmm") == "handler" and not changes:
        return "vmm=handler where no memslot changes; set first or second to changes"
    if setting.text("vmm") == "handler" and setting.text("intent") == "read":
        return "intent=read with vmm=handler: a slot that is there is written, so there is no exit to handle"
    if setting.text("vmm") == "handler" and setting.text("srcu") == "across-exit" and name not in LOCKS:
        return f"{name} with srcu=across-exit and vmm=handler, which is stuck at the first exit; ask {LOCKS[0]}"
    if name in SEEN and kinds != ("rw", "rw"):
        return f"{name} is about two pages of RAM: what a device is told is in no page; set first=rw and second=rw"
    if name in ("published-slot", "mmio-route") and not changes:
        return f"{name} where no memslot changes; set first or second to changes"
    if name in WRITES and kinds == ("readonly", "readonly") and setting.text("intent") == "write":
        return f"{name} of two read-only pages: nothing is written; set first or second to rw"
    return ""


SPEC = Spec(
    name="memslot_access",
    summary="a store across two pages that KVM emulates: faults, read-only and deleted memslots, exits",
    build=build,
    versions=VERSIONS,
    parameters=PARAMETERS,
    properties=PROPERTIES,
    refuse=refuse,
    expected=expected,
    unreached=unreached,
    cases=CASES,
    ablate_settings=ablate_settings,
)

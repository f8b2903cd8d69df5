"""Stage-2 dirty logging on arm and arm64: the fault path, harvests and invalidations of one huge page, by version.

Encodes protocol.md 8.3: F0 to F9 and L1 to L6.  `versions` has what changed in user_mem_abort() and below, `forms` what
is done otherwise on purpose; `stage2` is the state of the tables and TLBs, `slots` the bitmap and the ghosts, `faults`
and `mapping` the fault path, `harvest` migration, `notifier` the MMU notifier.  Memslots, SRCU and the notifier's
counts are those of `specs.kvm`.

What it found beside L1, with the traces in traces/: L7 (a real bug, fixed in 5.1) and two refutations of the sheet.
L8: its invariant at harvests is not kept by 6.12, and need not be.  L9: that blocks while logging are "avoided by
force_pte" (L6) is not so since 5.10, where a permission fault may make a whole block writable as logging begins; not
known to be reported, and with a confidence of 90 % (its case says why).  And L3 is needed for pages alone only since
marks go to the memslot of the fault.

There are no areas of memory in it, so every memory model gives one answer: locks and the flags under them are in
program order.  What ARM adds to that is taken for granted, and a limit: smp_rmb() between the sequence and GUP (F2, F3)
and its pair in the notifier; TLBI and DSB, after which no store through the old translation is under way; set_bit(),
which is relaxed, before the last harvest, which comes after the vCPUs have told that they stopped.  Not here either:
KVM_CLEAR_DIRTY_LOG, the dirty ring, eager splitting (6.4), and execute permission.
"""

from __future__ import annotations

from modelcheck import Parameter, Setting, Spec, Version
from specs.dirty_logging.ablating import ablate_settings
from specs.dirty_logging.cases import CASES
from specs.dirty_logging.expected import expected
from specs.dirty_logging.forms import FORMS
from specs.dirty_logging.model import build
from specs.dirty_logging.properties import ASSERTIONS, PROPERTIES
from specs.dirty_logging.scenarios import SCENARIOS
from specs.dirty_logging.unreached import unreached
from specs.dirty_logging.versions import PATHS, path

VERSIONS = tuple(Version(each.name, (each.release,) if each.release else (), each.subject) for each in PATHS)

PARAMETERS = (
    Parameter(
        "actors",
        "who works on the huge page; by default two vCPUs beside a migration, and one beside a notifier for what "
        "the fault path is asked",
        tuple(SCENARIOS),
        default=("two-vcpus-block", "block-notifier", "split"),
        only=tuple(info.name for info in ASSERTIONS),
    ),
    Parameter(
        "form",
        "what is done otherwise than the version does it, for lost-dirty; no-seq for stale-mapping",
        tuple(FORMS),
        default=("kernel",),
    ),
)


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does: a property that nothing in it could break says nothing."""
    name, form, how = setting.text("actors"), setting.text("form"), path(setting.version)
    actors, asked = SCENARIOS[name], setting.property
    if form != "kernel" and asked != ("stale-mapping" if form == "no-seq" else "lost-dirty"):
        return f"form={form} is about {'stale-mapping' if form == 'no-seq' else 'lost-dirty'}, not {asked}"
    if form == "relax-checked" and not how.walker:
        return f"form={form}: permissions are relaxed since pgtable.c; take 509552e65ae8 or later"
    if form == "block-logging" and not actors.blocks:
        return f"form={form} with actors={name}: there are no blocks; take block"
    if form == "no-srcu" and not actors.toggles:
        return f"form={form} with actors={name}: logging is not switched on; take toggled or block"
    match asked:
        case "lost-dirty" | "harvest-marked" if not actors.migrates:
            return f"{asked} with actors={name}: there are no harvests; take page or block"
        case "stale-mapping" if not actors.invalidates:
            return f"stale-mapping with actors={name}: no page goes away; take notifier or block-notifier"
        case "break-before-make" | "block-intact" if not actors.blocks:
            return f"{asked} with actors={name}: there are no blocks; take block"
        case "block-intact" if how.walker:
            return "block-intact: stage2_set_pte() went with pgtable.c; take 3c3736cd32bf or earlier"
    return ""


def label(setting: Setting) -> str:
    """The actors in words, and the form where it is not the kernel's."""
    form = FORMS[setting.text("form")]
    actors = SCENARIOS[setting.text("actors")].describe()
    return actors if setting.text("form") == "kernel" else f"{actors}; {form.text}"


SPEC = Spec(
    name="dirty_logging",
    summary="stage-2 dirty logging on ARM: faults beside harvests, huge pages dissolved, invalidations",
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

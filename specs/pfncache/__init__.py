"""gfn_to_pfn_cache (virt/kvm/pfncache.c) by itself, used from any thread: its own bugs, version by version.

Encodes protocol.md 3 and the bugs of 3.8 and 6.1.  The cache is the one that the runstate spec uses (`specs.kvm`), with
every field; here are the `scenarios`, their `actors`, the `model`, the `properties`, what is `expected`, and which bugs
(`cases`).

Of the table in 3.8 one row is no version of the cache: aa8ad943f242 (7.3.4) makes a caller, __kvm_xen_has_interrupt(),
take kvm->srcu around check() and store.  Every user here does; that one which does not stores after the ioctl that took
its slot has returned is shown by a test (test_pfncache_guards).

There are no areas of memory in it, so every memory model gives one answer: the locks order all that is modelled.
"""

from __future__ import annotations

from modelcheck import Parameter, Setting, Spec, Version
from specs.kvm.cache_versions import CACHES, cache
from specs.pfncache.ablating import ablate_settings
from specs.pfncache.cases import CASES
from specs.pfncache.expected import expected
from specs.pfncache.model import build
from specs.pfncache.properties import PROPERTIES
from specs.pfncache.scenarios import SCENARIOS
from specs.pfncache.unreached import unreached

_RELEASES = {
    "982ed0de4753": ("5.17",),
    "58cd407ca4c6": ("6.0",),
    "8332f0ed4f18": ("6.1",),
    "9f87791d686d": ("6.2",),
    "6addfcf27139": ("6.9",),
    "da260bcb56fe": ("7.3.3",),
}
VERSIONS = tuple(Version(each.name, _RELEASES.get(each.name, ()), each.subject) for each in CACHES)

PARAMETERS = (
    Parameter(
        "actors",
        "who works on the cache; by default all at one place, for out-of-area one that moves, for refresh-ends one "
        "owner beside invalidations of pages that no cache has",
        tuple(SCENARIOS),
        default=("all", "same-page-move", "owner-elsewhere"),
        only=("out-of-area", "refresh-ends"),
    ),
    Parameter(
        "invalidations",
        "whether the MMU notifier goes on for ever, or ends after one invalidation",
        ("unending", "once"),
        default=("unending", "once"),
        only=("refresh-ends",),
    ),
)


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does: a property that nothing in it could break says nothing."""
    name, actors = setting.text("actors"), SCENARIOS[setting.text("actors")]
    if actors.hva and not cache(setting.version).read_first:
        return f"actors={name} is an HVA cache, which came with 721f5b0dda78 in 6.9; take 9fa336e343b2 or later"
    if setting.text("invalidations") == "once" and not actors.notifier:
        return f"invalidations=once with actors={name}: there is no notifier"
    match setting.property:
        case "out-of-area" if len(actors.places) == 1:
            return f"out-of-area with actors={name}: the cache stays where it is; take same-page-move or all-moving"
        case "lock-init" | "inactive-valid" if not actors.config:
            return f"{setting.property} with actors={name}: nobody deactivates the cache; take user-config or all"
        case "half-refresh" if actors.tasks < 2:
            return f"half-refresh with actors={name}: one task alone refreshes it; take two-owners or all"
        case "refresh-ends" if not actors.alone:
            return f"refresh-ends with actors={name}: it is about one owner and a notifier; take owner-elsewhere"
    return ""


def label(setting: Setting) -> str:
    """The actors in words."""
    return SCENARIOS[setting.text("actors")].describe()


SPEC = Spec(
    name="pfncache",
    summary="gfn_to_pfn_cache in KVM, used from any thread: refresh, invalidation, activation, memslot updates",
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

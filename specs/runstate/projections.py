"""Which projections prove which property, and which settings have equal models.

torn-read: one byte of the copy at a time beside both entry-time loads (argued in `values`), one byte for each class of
alike ones; two where entry times may repeat.  The reader starts over once it has seen the flag (argued in `readers`).

stale-mapping: a store piece violates it by itself, whatever the others do: stores write only memory, which no guard
reads. So one byte at a time, each class of alike ones.  out-of-area, deadlock, lock-order, sleep-in-atomic: no byte at
all; bytes outside the area always count.  reader-terminates: the entry time alone, since the loop's tests read nothing
else, and no facts for z3.

Equal models: with the entry time and one byte carried, a cut elsewhere than in the entry time separates nothing, and
the stores to both pages lie between the same two barriers, so only where the entry time is cut and whether there are
two pages matters.  With one byte carried, only which cache its stores go through.  A test compares the tables of
settings that this module calls equal.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import astuple

from modelcheck import Setting, witness_classes
from specs.runstate.geometry import offset_class
from specs.runstate.scene import Projection, build, layout_of
from specs.runstate.versions import writer


def projections(setting: Setting) -> tuple[Projection, ...]:
    """The projections whose proofs together prove the property of a setting."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    match setting.property:
        case "torn-read" if setting.text("reader") == "state-only":
            return (Projection(frozenset(range(4))),)
        case "torn-read":
            early = setting.text("reader") != "ignores-flag"
            return tuple(Projection(entry | set(chosen), chosen, early) for chosen in witnesses(setting))
        case "stale-mapping":
            groups = witness_classes(build(setting), "runstate", range(layout.size), frozenset())
            return tuple(Projection(frozenset({group[0]})) for group in groups)
        case "reader-terminates":
            carried = frozenset(range(4)) if setting.text("reader") == "state-only" else entry
            return (Projection(carried, facts=False),)
    return (Projection(frozenset()),)


def witnesses(setting: Setting) -> list[tuple[int, ...]]:
    """The bytes of the copy to carry: one of each class, or each pair of classes where entry times may repeat."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    data = [o for _, lo, hi in layout.fields for o in range(lo, hi)]
    field = {o: name.split("[")[0] for name, lo, hi in layout.fields for o in range(lo, hi)}
    groups = witness_classes(build(setting), "runstate", sorted(data), entry, field.__getitem__)
    if setting.text("clock") == "increasing":
        return [(group[0],) for group in groups]
    pairs = [(a[0], b[0]) for i, a in enumerate(groups) for b in groups[i + 1 :]]
    return sorted(pairs + [(group[0], group[1]) for group in groups if len(group) > 1])


def equivalence(setting: Setting) -> Hashable:
    """Equal for settings whose models are equal up to names; see the module."""
    layout = layout_of(setting)
    version = astuple(writer(setting.version))[1:]
    rest = tuple((name, value) for name, value in setting.values if name not in ("offset", "abi"))
    match setting.property:
        case "torn-read" | "reader-terminates":
            where: Hashable = (layout.split, layout.entry_cut)
            if setting.text("reader") == "state-only":
                where = (layout.split, next((byte for byte, _ in layout.cuts if byte < 4), 0))
        case "stale-mapping":
            where = (layout.split, layout.update_byte < layout.user_len1)
        case "out-of-area":
            where = offset_class(layout)
        case _:
            where = layout.split
    if setting.property not in ("torn-read", "reader-terminates"):
        rest = tuple((name, value) for name, value in rest if name not in ("reader", "clock"))
    return version, setting.property, layout.abi, where, rest

"""Where the pieces of the protocol are left out one by one, and which projections prove that nothing needs one.

Settings: 64-bit areas at 0 (one page) and at 4072 (two), with the entry time in one line and 8-byte aligned, so that
every property of the newest version holds with nothing left out.  Beside KVM_RUN the VMM calls ioctls, or changes
memslots, where a property is about that.  While the area moves sched_out nests at sleeping points alone, which is
enough for D1, and the searches are a third; it nests anywhere where the area stays.  The data properties are asked with
the accounting repaired (D2, D12), as without that they do not hold; `monotonic` also where the clock steps back and
where there may be more steal than time, which is what A6 and A7 are there for since 36a85200.

Projections, beside what `projections` argues.  The reader starts over early only because its load of the flag is done
before the copy, which the first rmb() sees to: so here it never does.  Two bytes are alike only where the very same
accesses cover them: of two stores that are alike one may be left out.  One byte beside the entry time is enough
whatever is left out (`values`: the argument is about entry times alone), but for the assumption on entry times: without
that there are two.

Where memory is read by nobody (all but torn-read, own-read and reader-terminates), a store matters for what it
requires alone.  stale-mapping: a task runs on undisturbed from a store through a stale mapping to its last store
through that cache, so only those need be steps, also when one of them, or the order of two, is left out.  Byte 15 is in
the first and the last store of an update, 0 and 47 are at the two ends of the struct: of the stores to each page, and
of all but any one of them, one of these bytes is in the last.  out-of-area: a byte outside of each store that leaves
its area.  The others look at no byte: what is stored is told by ghosts, beside the stores.
"""

from __future__ import annotations

from modelcheck import Setting, witness_classes, witness_pairs
from specs.runstate import data
from specs.runstate.projections import outside
from specs.runstate.properties import LOCKING
from specs.runstate.scene import Projection, build, layout_of

CLOCK = ("clock readings strictly increase", "entry times of distinct updates differ, in any order")
Values = tuple[tuple[str, int | str], ...]
ONE, TWO = 0, 4072  # offsets in one page, and over two: the cut lies between time[0] and time[1]


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked."""
    if name in data.NAMES:
        backwards = ({"clock": "may-step-back"}, {"steal": "free"}) if name == "monotonic" else ()
        return tuple(at(ONE, fix="accounting", **each) for each in ({}, *backwards))
    moving = at(ONE, ioctls="usual", preemption="voluntary")
    found = {
        "stale-mapping": (at(ONE), at(TWO), at(ONE, ioctls="usual", vmm="memslots"), moving),
        "out-of-area": (at(TWO, ioctls="usual", preemption="voluntary"),),
        "published": (at(ONE, ioctls="usual"), at(TWO, ioctls="usual")),
        "lost-dirty": (at(ONE, ioctls="usual"),),
        "own-read": (at(ONE),),
        **dict.fromkeys(LOCKING, (at(ONE), at(TWO), at(ONE, ioctls="usual", vmm="memslots"))),
        "deadlock": (at(ONE), at(TWO), at(ONE, ioctls="usual", vmm="memslots"), moving),
    }
    return found.get(name, (at(ONE), at(TWO)))


def at(offset: int, **values: str) -> Values:
    """The values of one setting."""
    found = {"abi": "64", "vmm": "moves", "ioctls": "none"} | values
    return (("offset", offset), *found.items())


def ablate_projections(setting: Setting, dropped: str) -> tuple[Projection | None, ...]:
    """The projections that prove a property whichever piece is missing, or without the assumption `dropped`."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    match setting.property:
        case name if name in data.NAMES:
            return (None,)
        case "torn-read" if setting.text("reader") == "state-only":
            return (Projection(frozenset(range(4))),)
        case "torn-read" | "own-read":
            pairs = dropped in CLOCK or setting.text("clock") != "increasing"
            return tuple(Projection(entry | set(chosen), chosen) for chosen in _bytes(setting, pairs))
        case "stale-mapping":
            return (Projection(frozenset({0, layout.update_byte, layout.size - 1}), (0,)),)
        case "out-of-area":
            return (Projection(frozenset(), (0,), beyond=outside(setting)),)
        case "reader-terminates":
            carried = frozenset(range(4)) if setting.text("reader") == "state-only" else entry
            return (Projection(carried, (0,), facts=False),)
    return (Projection(frozenset(), (0,)),)


def _bytes(setting: Setting, pairs: bool) -> list[tuple[int, ...]]:
    """Bytes, or pairs of them, that the same accesses cover and that are of one kind of field."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    field = {o: name.split("[")[0] for name, lo, hi in layout.fields for o in range(lo, hi)}
    about = (build(setting), "runstate", sorted(field), entry, field.get)
    if pairs:
        return list(witness_pairs(*about, same=True))
    return [(group[0],) for group in witness_classes(*about, same=True)]

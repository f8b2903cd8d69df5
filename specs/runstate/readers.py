"""The readers: guests that copy the area of a running vCPU, steps S1 to S6 of protocol.md 4.1 and 4.2.

Source: xen_get_runstate_snapshot_cpu_delta() and get64() in drivers/xen/time.c; xen_vcpu_stolen() for the reader of the
state alone.  Each retries for ever.

A projected reader copies only the bytes in `witnesses`, and with `early` starts over as soon as a completed entry-time
load has the flag (design.md section 5): such a snapshot can never be accepted, and starting over earlier only reaches
the states that starting over later with no step of another in between would reach.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Area, equal, has_variant, observe, reach, rmb
from specs.kvm.pfncache import Steps
from specs.runstate.layout import UPDATE, Struct

SNAPSHOT = "xen_get_runstate_snapshot_cpu_delta"


@dataclass(frozen=True, slots=True)
class View:
    """What a reader sees: the area, and for a projection the bytes of the copy that are carried (None for all).

    `early`: start over as soon as a completed entry-time load has the flag.  `facts`: hold on to the second load of the
    high word, so that its comparison is known where the snapshot is judged; nothing but z3 looks at it.
    """

    area: Area
    layout: Struct
    witnesses: tuple[int, ...] | None = None
    early: bool = False
    facts: bool = True
    without: str = ""  # a barrier left out on purpose: "first-rmb" or "second-rmb"


def linux64(view: View) -> Steps:
    """A 64-bit guest: the entry time in one load, the struct, the entry time again."""
    yield from snapshot(view, words=False, test_flag=True)


def linux32(view: View) -> Steps:
    """A 32-bit guest: get64() loads hi, lo, hi again until both hi agree."""
    yield from snapshot(view, words=True, test_flag=True)


def ignores_flag(view: View) -> Steps:
    """A guest that compares the two entry times and never looks at XEN_RUNSTATE_UPDATE."""
    yield from snapshot(view, words=view.layout.abi == 32, test_flag=False)


def state_only(view: View) -> Steps:
    """xen_vcpu_stolen(): one plain load of the state of any vCPU."""
    while True:
        state = yield view.area.load(0, 4, "plain", "state = runstate->state").at("", "xen_vcpu_stolen")
        yield observe("torn-read", state=state).as_("state used").reaching("snapshot accepted")


def snapshot(view: View, words: bool, test_flag: bool) -> Steps:
    """S1 to S6, for ever."""
    early = view.early and test_flag
    while True:
        first = yield from get64(view, "e1", "S1", words)
        if view.without != "first-rmb":
            yield rmb().at("S2", SNAPSHOT)
        if early and (yield has_variant(first[0], UPDATE).as_("e1 & XEN_RUNSTATE_UPDATE?")):
            yield reach("retry after a set flag")
            continue
        copy = yield from copies(view)
        if view.without != "second-rmb":
            yield rmb().at("S4", SNAPSHOT)
        second = yield from get64(view, "e2", "S5", words)
        if early and (yield has_variant(second[0], UPDATE).as_("e2 & XEN_RUNSTATE_UPDATE?")):
            continue
        same = True
        for i in range(2 if words else 1):
            if not (yield equal(first[i], second[i]).as_("e1 == e2?").at("S6", SNAPSHOT)):
                same = False
                break
        if not same:
            yield reach("retry after a changed entry time")
            continue
        if test_flag and (yield has_variant(first[0], UPDATE).as_("e1 & XEN_RUNSTATE_UPDATE?").at("S6", SNAPSHOT)):
            yield reach("retry after a set flag")
            continue
        named = {f"e1.{i}": register for i, register in enumerate(first)}
        named |= {f"e2.{i}": register for i, register in enumerate(second)}
        named |= {f"copy.{i}": register for i, register in enumerate(copy)}
        yield observe("torn-read", **named).as_("snapshot accepted").at("S6", SNAPSHOT).reaching("snapshot accepted")


def get64(view: View, name: str, step: str, words: bool) -> Steps:
    """state_entry_time: one READ_ONCE, or hi, lo, hi again until equal; the high part first in what it answers."""
    area, entry = view.area, view.layout.entry
    if not words:
        whole = yield area.load(entry, entry + 8, "once", f"{name} = READ_ONCE(state_entry_time)").at(step, SNAPSHOT)
        return (whole,)
    while True:
        high = yield area.load(entry + 4, entry + 8, "once", f"{name}: h = READ_ONCE(p[1])").at(step, "get64")
        low = yield area.load(entry, entry + 4, "once", f"{name}: l = READ_ONCE(p[0])").at(step, "get64")
        again = yield area.load(entry + 4, entry + 8, "once", f"{name}: h again = READ_ONCE(p[1])").at(step, "get64")
        if (yield equal(high, again).as_(f"{name}: h == h again?").at(step, "get64")):
            return (high, low, again) if view.facts else (high, low)


def copies(view: View) -> Steps:
    """S3: the struct copy, several loads in any order."""
    if view.witnesses is None:
        whole = yield view.area.load(0, view.layout.size, "copy", "*res = *state").at("S3", SNAPSHOT)
        return (whole,)
    if len(view.witnesses) == 0:
        return ()
    if len(view.witnesses) == 1:
        only = yield view.area.load(view.witnesses[0], view.witnesses[0] + 1, "copy", "*res = *state").at(
            "S3", SNAPSHOT
        )
        return (only,)
    one = yield view.area.load(view.witnesses[0], view.witnesses[0] + 1, "copy", "*res = *state").at("S3", SNAPSHOT)
    two = yield view.area.load(view.witnesses[1], view.witnesses[1] + 1, "copy", "*res = *state").at("S3", SNAPSHOT)
    return (one, two)


READERS = {"linux64": linux64, "linux32": linux32, "state-only": state_only, "ignores-flag": ignores_flag}

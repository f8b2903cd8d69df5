"""What the bytes of a version are, and when an accepted snapshot is torn: property P1 of protocol.md 10, 12.

A version is {state, state_entry_time, time[4]}.  P1 compares the two loaded entry times and masks XEN_RUNSTATE_UPDATE
in the copy's own entry field.  On a whole path a snapshot is torn when it equals no version published along the path.

In a projection (design.md section 5, "one witness byte suffices") a snapshot carries both entry-time loads whole and
one byte w of the copy, and it is torn when no version seen has that entry time and that byte.  Why that is enough: let
a torn snapshot be accepted with entry time e1.  Entry times differ between versions, so at most one version k has e1;
the snapshot is not k, so some byte w of it differs from k's (any byte, if there is no k).  The projection on w sees
the same loads and the same w, and none of its versions has both e1 and w.  Where entry times may repeat, two bytes are
carried; two versions with the same entry time that were mixed differ in two bytes taken from different ones.

That entry times are published in the order of clock readings is not assumed: an update that sched_out interrupts
publishes its own, older reading after the newer one (protocol.md D2, and `writer` on the order of versions).
An update that leaves the entry time alone (36a85200, an overtaken reading) publishes the same version again with
another state; a snapshot that has the one state or the other equals a published struct either way (12.1 item 2).

RUNSTATE_ADJUST with state -1 makes a version of another kind: times move, state and entry time stay (protocol.md D5).
A projection does not tell which version is one; a whole path does, and there the clock speaks of the others alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any, Literal

from modelcheck import Observation, Setting, Values
from specs.runstate.layout import RUNSTATES, UPDATE, Layout
from specs.runstate.versions import writer

Byte = Callable[[int, int, str], Any]
Version = dict[str, Any]
Relation = Literal["increasing", "distinct", "state-only", "steal", "repeat", "free"]
"""How the fields of two versions, the older first, are related; see `relation`."""
ADJUSTED = "runstate_times[] += deltas that cancel out"  # the step of RUNSTATE_ADJUST that makes a version
ADJUSTS = "an entry time repeats only by RUNSTATE_ADJUST with state -1, which keeps the state and the sum of the times"


def relation(setting: Setting) -> Relation:
    """What is known of versions: from the clock, the accounting's form, and what the VMM does.

    increasing: entry times are in the order of clock readings.  "distinct": versions are in the order in which they are
    made, and an interrupted update makes an older entry time late (`writer`).  A reading may repeat: "state-only" where
    then nothing but the state moves (a difference of 0 is added to the times), "steal" where run_delay may have moved
    though the clock did not, "repeat" where an interrupted update may add what was added before.  "free": the
    clock steps back; since 36a85200 such an update leaves times and entry time alone.  What RUNSTATE_ADJUST makes is
    beside these (`adjusted`).
    """
    clock, clamped, between = setting.text("clock"), writer(setting.version).clamped, interrupted(setting)
    if clock == "increasing":
        return "distinct" if between and not by_readings(setting) else "increasing"
    if between:
        return "repeat" if clock == "may-repeat" else "free"
    if clamped or clock == "may-repeat" and setting.text("steal") == "exact":
        return "state-only"
    return "steal" if clock == "may-repeat" else "free"


def interrupted(setting: Setting) -> bool:
    """Whether sched_out may come in the middle of the accounting, where that matters: to readers."""
    reads = setting.property in ("torn-read", "own-read")
    return reads and setting.text("preemption") in ("full", "rt") and setting.text("fix") != "accounting"


def adjusted(setting: Setting) -> bool:
    """Whether RUNSTATE_ADJUST publishes, which moves times under an unchanged entry time.

    In a795cd43 no ioctl writes the area: what ADJUST does to the times the guest sees with the next update's own entry
    time.  The guest reads its own area only after an update in KVM_RUN, so there no ioctl takes part (`scene`).
    """
    able = setting.property == "torn-read" and writer(setting.version).ioctls_write
    return able and setting.text("ioctls") == "adjust"


def by_readings(setting: Setting) -> bool:
    """Whether versions are in the order of clock readings (see `writer`): the reader takes the entry time in parts."""
    words = setting.property == "torn-read" and setting.number("abi") == 32 and setting.text("reader") != "state-only"
    return words or setting.text("clock") != "increasing"


def make_values(layout: Layout, known: Relation, adjusts: bool = False) -> Values:
    """The account of values for one layout and what is known of versions; `adjusts` if RUNSTATE_ADJUST makes some."""
    fields = layout.fields
    place = {offset: (name, lo) for name, lo, hi in fields for offset in range(lo, hi)}

    def byte(z3: Any, version: Version, offset: int, form: str) -> Any:
        if offset not in place:
            return z3.BitVecVal(0, 8)  # padding, zeroed or never written
        name, lo = place[offset]
        shift = 8 * (offset - lo)
        value = z3.Extract(shift + 7, shift, version[name])
        return value | 0x80 if form == UPDATE and offset == layout.update_byte else value

    def assume(z3: Any, versions: list[Version]) -> list[tuple[str, Any]]:
        found = []
        for v in versions:
            found.append(
                (
                    "entry times and times have their top bit clear",
                    z3.And(*(z3.Extract(63, 63, v[name]) == 0 for name, _, _ in fields[1:])),
                )
            )
            found.append(("state is in 0..3", z3.ULE(v["state"], 3)))
        if not adjusts:
            return found + related(z3, versions, known)
        found += [(name, z3.BoolVal(True)) for name, _ in related(z3, versions, known)]  # of updates: see `violated`
        if known in ("increasing", "distinct"):
            found += [(ADJUSTS, z3.Implies(same_entry(a, b), kept(z3, a, b))) for a, b in combinations(versions, 2)]
        return found

    def entry_of(z3: Any, observation: Observation, load: str, byte: Byte) -> Any:
        """The loaded entry time, with the flag masked, from the bytes of one or two words."""
        found = {}
        for seen in observation.seen:
            if seen.name.startswith(load + ".") and seen.name != load + ".2":
                found.update({offset: byte(version, offset, "") for offset, version, _ in seen.bytes})
        parts = [found[offset] for offset in sorted(found, reverse=True)]
        return z3.Concat(*parts)

    def copied(observation: Observation) -> list[tuple[int, int]]:
        """(offset, version) of the copied bytes that are part of a snapshot."""
        return [
            (offset, version)
            for seen in observation.seen
            if seen.name.startswith("copy.")
            for offset, version, _ in seen.bytes
            if version >= 0 and offset in place
        ]

    def violated(z3: Any, versions: list[Version], observation: Observation, byte: Byte) -> Any:
        if observation.seen[0].name == "state":
            value = z3.Concat(
                *(byte(version, offset, "") for offset, version, _ in reversed(observation.seen[0].bytes))
            )
            return z3.And(*(value != v["state"] for v in versions))
        copy = copied(observation)
        history = []
        if adjusts and observation.whole:
            updates = [v for v, (text, _) in zip(versions, observation.made, strict=True) if text != ADJUSTED]
            history = [formula for _, formula in related(z3, updates, known)]
            for version, (text, before) in zip(versions, observation.made, strict=True):
                if text == ADJUSTED:
                    older = versions[before]
                    history.append(z3.And(same_entry(version, older), kept(z3, version, older)))
        entry = None if observation.whole else entry_of(z3, observation, "e1", byte)
        clauses = []
        for k, version in enumerate(versions):
            differs = [byte(j, offset, "") != byte(k, offset, "") for offset, j in copy if j != k]
            if entry is not None:
                differs.append(version["state_entry_time"] != entry)
            clauses.append(z3.Or(*differs) if differs else z3.BoolVal(False))
        return z3.And(*clauses, *history)

    def prefer(z3: Any, versions: list[Version]) -> list[Any]:
        wishes = []
        for k, v in enumerate(versions):
            entry = v["state_entry_time"]
            wishes.append(z3.ULT(entry, 1 << 40))
            wishes.append(z3.And(z3.ULT(entry, 0x10000), entry != 0))
            times = sum((v[f"time[{i}]"] for i in range(1, 4)), v["time[0]"])
            wishes.append(z3.And(times == entry, *(z3.ULE(v[f"time[{i}]"], entry) for i in range(4))))
            wishes.append(v["state"] == k % 2)
            wishes.append(v["time[3]"] == 0)
            wishes.append(v["time[2]"] == 0)
        if known in ("increasing", "distinct"):
            wishes += [
                z3.ULT(b["state_entry_time"] - a["state_entry_time"], 0x1000)
                for a, b in zip(versions, versions[1:], strict=False)
            ]
        wishes += [v["state_entry_time"] == 1000 * (k + 1) for k, v in enumerate(versions)]
        return wishes

    said = partial(explain, layout), partial(false_part, layout)
    return Values((layout.abi, known, adjusts), fields, byte, assume, violated, prefer, *said)


def related(z3: Any, versions: list[Version], known: Relation) -> list[tuple[str, Any]]:
    """What is assumed of versions that updates made, the oldest clock reading first."""
    found = [each for a, b in zip(versions, versions[1:], strict=False) for each in between(z3, a, b, known)]
    if known == "distinct":
        entries = [v["state_entry_time"] for v in versions]
        found.append(("entry times of distinct updates differ, in any order", z3.Distinct(*entries)))
    return found


def same_entry(one: Version, other: Version) -> Any:
    """Whether two versions have one entry time."""
    return one["state_entry_time"] == other["state_entry_time"]


def kept(z3: Any, one: Version, other: Version) -> Any:
    """Whether two versions differ as RUNSTATE_ADJUST makes them: state and the sum of the times stay."""
    total, before = (v["time[0]"] + v["time[1]"] + v["time[2]"] + v["time[3]"] for v in (one, other))
    return z3.And(one["state"] == other["state"], total == before)


def between(z3: Any, early: Version, late: Version, known: Relation) -> list[tuple[str, Any]]:
    """What is assumed of two versions, the older clock reading first, with any others between them."""
    entry = early["state_entry_time"], late["state_entry_time"]
    moved = [early[f"time[{i}]"] != late[f"time[{i}]"] for i in range(4)]
    if known == "increasing":
        return [("clock readings strictly increase", z3.ULT(*entry))]
    if known in ("free", "distinct"):
        return [("entry times may step back", z3.BoolVal(True))] if known == "free" else []
    ordered = [("clock readings never step back, and may repeat", z3.ULE(*entry))]
    repeats = entry[0] == entry[1]
    if known == "state-only":
        same = z3.Implies(repeats, z3.Not(z3.Or(moved)))
        ordered.append(("nothing but the state moves while the clock stands", same))
    if known == "steal":
        booked = [v["time[0]"] + v["time[1]"] for v in (early, late)]
        only = z3.And(booked[0] == booked[1], z3.Not(moved[2]), z3.Not(moved[3]))
        ordered.append(("run_delay may move while the clock stands", z3.Implies(repeats, only)))
    return ordered


def explain(
    layout: Layout, observation: Observation, numbers: list[dict[str, int]], byte: Callable[[int, int, str], int]
) -> tuple[str, tuple[str, ...]]:
    """The consequence in one sentence, and why the reader's own test passed."""
    if observation.seen[0].name == "state":
        return "the state in use is that of no update", ()
    origin = {
        offset: version
        for seen in observation.seen
        if seen.name.startswith("copy.")
        for offset, version, _ in seen.bytes
    }
    parts: dict[int, list[str]] = {}
    for name, lo, hi in layout.fields:
        for version in sorted({origin[o] for o in range(lo, hi)}):
            here = [o - lo for o in range(lo, hi) if origin[o] == version]
            text = name if len(here) == hi - lo else f"{name} {_bytes(here)}"
            parts.setdefault(version, []).append(text)
    mixed = " with ".join(
        f"{_join(names)} of update {version}" for version, names in sorted(parts.items(), reverse=True)
    )
    loads = {}
    for load in ("e1", "e2"):
        values = {}
        for seen in observation.seen:
            if seen.name.startswith(load + ".") and seen.name != load + ".2":
                values.update({offset: byte(version, offset, form) for offset, version, form in seen.bytes})
        loads[load] = sum(values[offset] << 8 * (offset - layout.entry) for offset in values)
    why = [f"The two loaded entry times are equal: 0x{loads['e1']:x} == 0x{loads['e2']:x}."]
    if loads["e1"] >> 63:
        why.append(f"{UPDATE} is set in both, and this reader does not look at it.")
    else:
        why.append(f"{UPDATE} is clear in both.")
    by = {k: " (RUNSTATE_ADJUST)" for k, (text, _) in enumerate(observation.made) if text == ADJUSTED}
    why.append(
        "Every update along the way: "
        + "; ".join(
            f"{k}{by.get(k, '')} = {{state {RUNSTATES[n['state']]}, entry time 0x{n['state_entry_time']:x}, "
            f"time[] {', '.join(hex(n[f'time[{i}]']) for i in range(4))}}}"
            for k, n in enumerate(numbers)
        )
        + "."
    )
    return f"an accepted snapshot mixes {mixed}, and equals no update", tuple(why)


def _bytes(places: list[int]) -> str:
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    text = ", ".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in runs)
    return f"byte {text}" if len(places) == 1 else f"bytes {text}"


def _join(names: list[str]) -> str:
    times = [n for n in names if n.startswith("time[") and " " not in n]
    if len(times) == 4:
        names = [n for n in names if n not in times] + ["time[]"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def false_part(
    layout: Layout, observation: Observation, numbers: list[dict[str, int]], byte: Callable[[int, int, str], int]
) -> str:
    """That the copy equals an update, and how it differs from the one that it differs from in the fewest bytes."""
    if observation.seen[0].name == "state":
        copy, claim = observation.seen[:1], "the state in use is that of an update"
    else:
        copy = tuple(seen for seen in observation.seen if seen.name.startswith("copy."))
        claim = "the copy equals an update"
    place = {offset: (name, lo) for name, lo, hi in layout.fields for offset in range(lo, hi)}
    read = {offset: byte(version, offset, "") for seen in copy for offset, version, _ in seen.bytes if offset in place}
    differs = [[o for o in read if byte(k, o, "") != read[o]] for k in range(len(numbers))]
    nearest = min(reversed(range(len(numbers))), key=lambda k: len(differs[k]))
    told = []
    for name in dict.fromkeys(place[offset][0] for offset in differs[nearest]):
        there = sum(read[o] << 8 * (o - place[o][1]) for o in read if place[o][0] == name)
        at = _bytes([o - place[o][1] for o in differs[nearest] if place[o][0] == name])
        told.append(f"{name} {at} ({_value(name, there)} for {_value(name, numbers[nearest][name])})")
    return f"{claim}: from the nearest, update {nearest}, it differs in {_join(told)}"


def _value(name: str, value: int) -> str:
    return RUNSTATES[value] if name == "state" and value < len(RUNSTATES) else hex(value)

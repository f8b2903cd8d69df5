"""The bench's workloads W-inf-a and W-inf-s: any number of updates, invalidations and snapshots.

The runstate update in the small form of `w`, with versions as stamps, so that a writer that updates for ever has
finitely many states.  Three cells: the low seven bytes of the entry time, its high byte with the flag, and one witness
byte for the rest of the struct (two updates never have one entry time, so a torn copy differs in one byte from the
update whose entry time it has; specs/runstate/values.py argues it).  Both orders of stores and of copies are free.

- W-inf-a: the entry time is loaded whole.  Holds.
- W-inf-s: the area lies 7 bytes before the end of a cache line, so that load falls into two pieces that perform in any
  order: the flag's byte may be from before an update and the rest from within it.  Violated, as soon as two entry times
  share their high byte (protocol.md D6).

The flag has a byte of its own here, byte 8, which is stored and loaded in one piece with byte 7, of which it is the top
bit: a copy of byte 7 is compared without the flag, and what it carries of it would be state that nothing looks at.

A step here is a step of the bench's own step semantics (unbounded.cpp beside the peers' models, K=3), those that only
find a loop complete included, and what that keeps in its state is a slot.  So the whole graph, nothing reduced, has
exactly its states and transitions: W-inf-a 263,121 and 850,591, W-inf-s 2,428,425 and 7,863,738 (it counts the initial
state as one transition more).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, replace
from typing import Any

from modelcheck import (
    Action,
    Area,
    Branch,
    Expectation,
    Expr,
    Fresh,
    Model,
    Observation,
    Parameter,
    PropertyInfo,
    Setting,
    Slot,
    Spec,
    Values,
    has_variant,
    observe,
    rmb,
    shared,
    smp_wmb,
)

Steps = Generator[Action, Any, Any]
Bytes = tuple[int, int]

ENTRY: Bytes = (0, 9)  # the entry time and its flag, as a reader loads them
LOW: Bytes = (0, 7)
HIGH: Bytes = (7, 8)
FLAGGED: Bytes = (7, 9)  # the high byte and its flag, as the writer stores them
WITNESS: Bytes = (9, 10)
FLAG_BYTE = 8
FLAG = "update"
LINE = 64
BASES = {"W-inf-a": 0, "W-inf-s": LINE - HIGH[0]}
FREE, READ, WRITTEN = 0, 1, 2
EARLY = "early"


@dataclass(frozen=True, slots=True)
class Cache:
    """One gfn_to_pfn cache: whether it is valid, and its lock: FREE, READ by the writer or WRITTEN by the invalidator.

    The refresh, which writes, is one step and leaves no trace in the lock.
    """

    name: str
    valid: Slot
    lock: Slot


@dataclass(frozen=True, slots=True)
class Scene:
    """The shared state: the newest update's version, and whether that update is atomic (it gives up, never sleeps)."""

    area: Area
    gpc1: Cache
    gpc2: Cache
    newest: Slot
    at: Slot

    def store(self, where: Bytes, text: str, form: str = "") -> Action:
        """Stores some bytes of the newest update; both caches must be valid."""
        mapped = ((self.gpc1.valid & self.gpc2.valid, "stale"),)
        return self.area.store(*where, self.newest, form, requires=mapped, text=text)


def way(response: Hashable, *updates: tuple[Slot, Expr | int], **when: Expr) -> Branch:
    """One way a step can go."""
    return replace(shared("", *updates, **when).branches[0], response=response)


# -- the writer -----------------------------------------------------------------------------------------------------


def writer(scene: Scene) -> Steps:
    """Updates for ever, each atomic or not."""
    made = (scene.newest, Fresh("update"))
    while True:
        yield Action(
            "shared", "update", (way("may sleep", made, (scene.at, 0)), way("atomic", made, (scene.at, 1)))
        )
        if (yield from lock_and_check(scene)):
            yield from publish(scene)


def lock_and_check(scene: Scene) -> Steps:
    """Both locks held and both caches valid, or False with no lock held."""
    gpc1, gpc2 = scene.gpc1, scene.gpc2
    while True:
        yield read_lock(gpc1)
        if not (yield check_or_unlock(gpc1, (gpc1,))):
            if (yield refresh_or_give_up(scene, gpc1)):
                return False
            continue
        yield read_lock(gpc2)
        if (yield check_or_unlock(gpc2, (gpc1, gpc2))):
            return True
        if (yield refresh_or_give_up(scene, gpc2)):
            return False


def read_lock(cache: Cache) -> Action:
    """Waits for the invalidator."""
    return shared(f"read_lock {cache.name}", (cache.lock, READ), when=cache.lock.ne(WRITTEN))


def check_or_unlock(cache: Cache, held: tuple[Cache, ...]) -> Action:
    """Answers whether the cache is valid; where not, drops the locks held in the same step."""
    dropped = ((each.lock, FREE) for each in held)
    return Action(
        "shared", f"check {cache.name}", (way(True, when=cache.valid), way(False, *dropped, when=~cache.valid))
    )


def refresh_or_give_up(scene: Scene, cache: Cache) -> Action:
    """Makes the cache valid once nobody holds its lock; an atomic update ends here instead."""
    refreshes = way(False, (cache.valid, 1), when=~scene.at & cache.lock.eq(FREE))
    return Action("shared", f"refresh {cache.name}, or give up", (way(True, when=scene.at), refreshes))


def publish(scene: Scene) -> Steps:
    """Sets the flag, stores all cells in any order, clears the flag, unlocks."""
    yield scene.store(FLAGGED, "set update byte", FLAG)
    yield smp_wmb()
    yield scene.store(LOW, "store entry_lo")
    yield scene.store(FLAGGED, "store entry_hi", FLAG)
    yield scene.store(WITNESS, "store witness")
    yield complete("smp_wmb()")
    yield scene.store(FLAGGED, "clear update byte")
    yield shared("read_unlock gpc2, gpc1", (scene.gpc1.lock, FREE), (scene.gpc2.lock, FREE)).reaching(
        "update published"
    )


def complete(label: str) -> Action:
    """A barrier that is a step of its own, once all accesses before it are performed."""
    return shared(label)


# -- the invalidator ------------------------------------------------------------------------------------------------


def invalidator(scene: Scene) -> Steps:
    """Takes the page of one of the two caches away, for ever."""
    caches = scene.gpc1, scene.gpc2
    while True:
        taken = tuple(
            way(i, (cache.lock, WRITTEN), when=cache.lock.eq(FREE)) for i, cache in enumerate(caches, start=1)
        )
        which = yield Action("shared", "invalidate: write_lock gpc", taken)
        cache = caches[which - 1]
        yield shared(f"{cache.name}->valid = false, write_unlock", (cache.valid, 0), (cache.lock, FREE)).reaching(
            "page taken away"
        )


# -- the reader -----------------------------------------------------------------------------------------------------


def reader(scene: Scene, whole: bool, early: bool) -> Steps:
    """Snapshots for ever: the entry time, the copy, the entry time again; z3 decides which of them are accepted.

    Where the entry time is loaded in two pieces, finding both performed is a step.  With `early` it starts over as soon
    as a completed entry-time load has the flag: that snapshot cannot be accepted, and starting over earlier only
    reaches the states that starting over later with no step of another in between would reach.
    """
    area = scene.area
    while True:
        first = yield area.load(*ENTRY, text="e1 = entry time")
        yield rmb() if whole else complete("rmb() after e1")
        if early and (yield has_variant(first, FLAG).as_("e1 has the flag?")):
            continue
        low = yield area.load(*LOW, "plain", "copy entry_lo")
        high = yield area.load(*HIGH, "plain", "copy entry_hi")
        witness = yield area.load(*WITNESS, "plain", "copy witness")
        yield complete("rmb() after the copy")
        second = yield area.load(*ENTRY, text="e2 = entry time")
        if not whole:
            yield complete("rmb() after e2")
        if early and (yield has_variant(second, FLAG).as_("e2 has the flag?")):
            continue
        tested = observe("torn", first=first, second=second, low=low, high=high, witness=witness)
        tested = tested.as_("snapshot tested").reaching("snapshot tested")
        yield tested.forgetting(first, second, low, high, witness)


# -- what the bytes are, and when a snapshot is torn ----------------------------------------------------------------

Byte = Callable[[int, int, str], Any]
Version = dict[str, Any]
FIELDS = (("entry_time", 0, 8), ("witness", *WITNESS))
TOP_BIT = "entry times have their top bit clear: it is the flag's"
INCREASING = "entry time strictly increases from update to update"


def byte_of(z3: Any, version: Version, offset: int, form: str) -> Any:
    """The bytes of an update; byte 8 is the flag."""
    if offset == FLAG_BYTE:
        return z3.BitVecVal(int(form == FLAG), 8)
    if offset == WITNESS[0]:
        return version["witness"]
    return z3.Extract(8 * offset + 7, 8 * offset, version["entry_time"])


def assume(z3: Any, versions: list[Version]) -> list[tuple[str, Any]]:
    """What is assumed of the updates, oldest first."""
    found = [(TOP_BIT, z3.Extract(63, 63, v["entry_time"]) == 0) for v in versions]
    pairs = zip(versions, versions[1:], strict=False)
    return found + [(INCREASING, z3.ULT(a["entry_time"], b["entry_time"])) for a, b in pairs]


def violated(z3: Any, versions: list[Version], observation: Observation, byte: Byte) -> Any:
    """The reader accepts (both entry times equal in all 64 bits, no flag in them), and the copy is of no update.

    Both halves are told from the stamps alone where they can be, so that z3 gets only what needs values.
    """
    first, second = observation.named("first"), observation.named("second")
    if any(form == FLAG for seen in (first, second) for _, _, form in seen.bytes):
        return z3.BoolVal(False)
    copy = [place for name in ("low", "high", "witness") for place in observation.named(name).bytes]
    if len({version for _, version, _ in copy}) == 1:
        return z3.BoolVal(False)
    equal = [
        byte(a, offset, "") == byte(b, offset, "")
        for (offset, a, _), (_, b, _) in zip(first.bytes, second.bytes, strict=True)
        if a != b and offset != FLAG_BYTE
    ]
    differs = [
        z3.Or(*(byte(version, offset, "") != byte(k, offset, "") for offset, version, _ in copy if version != k))
        for k in range(len(versions))
    ]
    return z3.And(*equal, *differs)


def prefer(z3: Any, versions: list[Version]) -> list[Any]:
    """Small numbers that tell the updates apart."""
    small = [v["entry_time"] == 0x1000 * (k + 1) for k, v in enumerate(versions)]
    return [*small, *(v["witness"] == k for k, v in enumerate(versions))]


def explain(observation: Observation, numbers: list[dict[str, int]], byte: Callable[[int, int, str], int]) -> tuple[
    str, tuple[str, ...]
]:
    """Which updates the copy mixes, and the entry times that the reader compared."""
    mixed = [f"{name} of update {observation.named(name).bytes[0][1]}" for name in ("low", "high", "witness")]
    loaded = {}
    for name in ("first", "second"):
        places = [place for place in observation.named(name).bytes if place[0] != FLAG_BYTE]
        loaded[name] = sum(byte(version, offset, form) << 8 * offset for offset, version, form in places)
    times = ", ".join(f"{k}: 0x{values['entry_time']:x}" for k, values in enumerate(numbers))
    return (
        f"an accepted snapshot mixes {', '.join(mixed)}, and equals no update",
        (
            f"Both loaded entry times are without the flag, and equal: 0x{loaded['first']:x}, 0x{loaded['second']:x}.",
            f"Entry times of the updates along the way: {times}.",
        ),
    )


VALUES = Values("winf", FIELDS, byte_of, assume, violated, prefer, explain)


# -- the model and the spec -----------------------------------------------------------------------------------------

PROPERTIES = (
    PropertyInfo("torn", "an accepted snapshot is of one update"),
    PropertyInfo("stale", "no store while either cache is invalid"),
)
HELP = {info.name: info.help for info in PROPERTIES}


def build_workload(workload: str, early: bool) -> Model:
    """The model of a workload, with a reader that starts over early or not."""
    m = Model("winf", compiler="free")
    area = m.area(
        Area(
            "area",
            WITNESS[1],
            BASES[workload],
            line=LINE,
            fields=(("entry_lo", *LOW), ("entry_hi", *HIGH), ("flag", FLAG_BYTE, FLAG_BYTE + 1), ("witness", *WITNESS)),
            marked=frozenset({FLAG_BYTE}),
        )
    )
    gpc1, gpc2 = (
        Cache(name, m.bool(f"{name}->valid", True), m.range(f"{name}->lock", FREE, WRITTEN))
        for name in ("gpc1", "gpc2")
    )
    scene = Scene(area, gpc1, gpc2, m.stamp("newest"), m.bool("at"))
    m.process("writer", writer, scene)
    m.process("invalidator", invalidator, scene)
    m.process("reader", reader, scene, workload == "W-inf-a", early)
    m.observation("torn", VALUES, HELP["torn"], ("update published", "snapshot tested"))
    m.assertion("stale", HELP["stale"], ("update published", "page taken away"))
    return m


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; the projection EARLY has the reader that starts over early."""
    return build_workload(setting.text("workload"), projection == EARLY)


def projections(setting: Setting) -> tuple[Hashable, ...]:
    """The reader that starts over once it has seen the flag (argued at `reader`; for safety only)."""
    return (EARLY,)


def expected(setting: Setting) -> Expectation:
    """The bench's README, column "expected"."""
    if setting.property == "torn" and setting.text("workload") == "W-inf-s":
        return Expectation("violated", "", "the bench's README, and protocol.md D6: a load that crosses a line")
    return Expectation("holds", "", "the bench's README")


SPEC = Spec(
    name="winf",
    summary="workloads W-inf-a and W-inf-s of the bench: any number of updates, invalidations and snapshots",
    build=build,
    parameters=(Parameter("workload", "the bench's workload", tuple(BASES), default=tuple(BASES)),),
    properties=PROPERTIES,
    projections=projections,
    expected=expected,
)

"""The bench's workloads W1 to W5: the runstate update in the small form that every checker of the comparison gets.

Two pages behind two read-write locks, a writer, an invalidator and readers; versions are plain counters, so updates and
invalidations are bounded (`winf` has the unbounded form).  A step here is a step of the bench's own step semantics
(reference.py and reference.cpp beside the peers' models), and what that keeps in its state is a slot here, also where
it is dead (`atom` after the check, `v` between updates); only program counters and the sets of an any-order loop are
control.  So the whole graph, nothing reduced, has exactly its states and transitions: W1 1,693,326 and 4,573,213, depth
59 (recorded in the bench's README from reference.cpp, and again by tests/bench/test_workloads.py on small variants).

The step semantics finds a bad state, this model a step that breaks a property:
- `torn`: bad is a state in which the reader is about to test and would accept.  Here the load that completes the
  snapshot breaks the property, which is the step into that state, so both count the same steps (W4 17, W5a and W5b 25).
- `stale`: bad is a state in which the writer is about to store and a cache is invalid.  Here that store breaks it.

W1 to W4: `entry_hi` holds the version and the flag, so that cell alone tells two versions apart.  W5: it holds the flag
only, which is the form closer to the real layout (the top byte of an entry time stays the same for 2^56 ns).
"""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass, replace
from typing import Any

from modelcheck import (
    Action,
    Branch,
    Expectation,
    Expr,
    Model,
    Parameter,
    PropertyInfo,
    Setting,
    Slot,
    Spec,
    assign,
    shared,
    test,
)

Steps = Generator[Action, Any, Any]

CELLS = ("state", "entry_lo", "entry_hi", "time0", "time1", "time2", "time3")
STATE, LOW, HIGH, TIMES = 0, 1, 2, 3
LOW_HIGH, HIGH_LOW = (LOW, HIGH), (HIGH, LOW)


@dataclass(frozen=True, slots=True)
class Workload:
    """What tells the workloads apart: sizes, orders, what `entry_hi` holds (the bench's README, its first table)."""

    updates: int = 2
    invalidations: int = 2
    readers: int = 1
    any_order: bool = False
    update_bit: bool = True
    flag_only: bool = False
    first: tuple[int, int] = LOW_HIGH
    second: tuple[int, int] = LOW_HIGH


WORKLOADS = {
    "W1": Workload(),
    "W2": Workload(updates=3, invalidations=3, readers=2),
    "W3": Workload(any_order=True),
    "W4": Workload(update_bit=False),
    "W5a": Workload(flag_only=True),
    "W5b": Workload(flag_only=True, first=HIGH_LOW, second=HIGH_LOW),
    "W5c": Workload(flag_only=True, second=HIGH_LOW),
}


@dataclass(frozen=True, slots=True)
class Projection:
    """What a projected model carries: that many readers, and of the cells these.

    *One reader.* Readers write nothing that another process reads, so leaving out all but one of them leaves a run.
    *One time cell.* A snapshot that is accepted and torn has a cell that is not of the update of `state`: entry_lo,
    entry_hi or one of the four time cells.  So it is torn already in state, entry_lo, entry_hi and that one.  The
    steps on the other three touch only these three and the locals they are copied to, so leaving them out leaves a
    run.  The four time cells are alike: stored and copied one after the other with nothing between, or in any order,
    so with one of them carried the four models are equal up to its name, and one of them speaks for all.
    A store through an invalid mapping violates `stale` by itself, whatever it stores, so the same holds there.

    The steps of these models are no memory accesses, so a counterexample found in a projection could not be lifted to
    the whole model; no workload that has one is violated, and where that is wrong the check ends in an error.
    """

    readers: int
    cells: tuple[int, ...]


PROJECTION = Projection(1, (STATE, LOW, HIGH, TIMES))
PROJECTED = ("W1", "W2", "W3", "W5c")


@dataclass(frozen=True, slots=True)
class Cache:
    """One gfn_to_pfn cache: whether it is valid, and its lock as who holds it (one reader at most, the writer)."""

    name: str
    valid: Slot
    read: Slot
    written: Slot


@dataclass(frozen=True, slots=True)
class Scene:
    """The shared state.  `cells` are those carried, by number; `v` counts updates, `atom`: this one may not sleep."""

    work: Workload
    carried: tuple[int, ...]
    cells: tuple[Slot, ...]
    gpc1: Cache
    gpc2: Cache
    v: Slot
    atom: Slot
    dirty: Slot
    k: Slot

    def cell(self, number: int) -> Slot:
        """The cell of that number."""
        return self.cells[self.carried.index(number)]

    def value(self, cell: int, flag: int) -> Expr | int:
        """What update v stores in a cell."""
        if cell != HIGH:
            return self.v
        return flag if self.work.flag_only else self.v + self.v + flag

    @property
    def mapped(self) -> Expr:
        """Whether both caches are valid: what every store needs."""
        return self.gpc1.valid & self.gpc2.valid


@dataclass(frozen=True, slots=True)
class Locals:
    """A reader's locals: the two loads of entry_lo and entry_hi, and the copy of the cells carried."""

    first: tuple[Slot, Slot]
    second: tuple[Slot, Slot]
    copy: tuple[Slot, ...]

    def cleared(self) -> tuple[tuple[Slot, int], ...]:
        """The updates that clear them all."""
        return tuple((slot, 0) for slot in (*self.first, *self.second, *self.copy))


def way(response: Hashable, *updates: tuple[Slot, Expr | int], **when: Expr) -> Branch:
    """One way a step can go."""
    return replace(shared("", *updates, **when).branches[0], response=response)


def breaking(name: str, when: Expr) -> Branch:
    """The way that breaks a property."""
    return replace(way(name, when=when), breaks=name)


# -- the writer: kvm_xen_update_runstate_guest() with both caches split --------------------------------------------


def writer(scene: Scene) -> Steps:
    """Publishes `updates` updates, each either atomic (it gives up where it would sleep) or not."""
    v, atom = scene.v, scene.atom
    more = v.lt(scene.work.updates)
    while True:
        yield Action(
            "shared",
            "update",
            (way("atomic", (v, v + 1), (atom, 1), when=more), way("may sleep", (v, v + 1), (atom, 0), when=more)),
        )
        if not (yield from lock_and_check(scene)):
            continue
        if scene.work.update_bit:
            yield store(scene, "set update byte", ((HIGH, 1),))
        yield from store_all(scene)
        if scene.work.update_bit:
            yield store(scene, "clear update byte", ((HIGH, 0),))
        yield assign(scene.gpc2.read, 0).as_("read_unlock gpc2")
        yield assign(scene.gpc1.read, 0).as_("read_unlock gpc1")
        yield shared("mark dirty", (scene.dirty, 1), (atom, 0)).reaching("update published")


def lock_and_check(scene: Scene) -> Steps:
    """Both locks held and both caches valid, or False with no lock held."""
    gpc1, gpc2 = scene.gpc1, scene.gpc2
    while True:
        yield read_lock(gpc1)
        if not (yield test(gpc1.valid, "check gpc1")):
            if (yield unlock_or_give_up(scene)):
                return False
            yield from refresh(gpc1)
            continue
        yield read_lock(gpc2)
        if (yield test(gpc2.valid, "check gpc2")):
            return True
        yield assign(gpc2.read, 0).as_("read_unlock gpc2")
        if (yield unlock_or_give_up(scene)):
            return False
        yield from refresh(gpc2)


def read_lock(cache: Cache) -> Action:
    """Waits for the cache's writer; the reader of the lock is always the same task."""
    return shared(f"read_lock {cache.name}", (cache.read, 1), when=~cache.written)


def write_lock(cache: Cache) -> Action:
    """Waits until nobody holds the lock."""
    return shared(f"write_lock {cache.name}", (cache.written, 1), when=~cache.written & ~cache.read)


def unlock_or_give_up(scene: Scene) -> Action:
    """Drops gpc1's lock, in one step with the decision: an atomic update ends here, another refreshes the cache."""
    read, atom = scene.gpc1.read, scene.atom
    ways = way(True, (read, 0), (atom, 0), when=atom), way(False, (read, 0), when=~atom)
    return Action("shared", "read_unlock gpc1, give up", ways)


def refresh(cache: Cache) -> Steps:
    """Makes a cache valid under its write lock."""
    yield write_lock(cache)
    yield assign(cache.valid, 1).as_(f"{cache.name}->valid = true")
    yield assign(cache.written, 0).as_(f"write_unlock {cache.name}")


def store_all(scene: Scene) -> Steps:
    """One store for each cell, in program order or in any."""
    flag = int(scene.work.update_bit)
    if not scene.work.any_order:
        for cell in scene.carried:
            yield store(scene, "store", ((cell, flag),))
        return
    left = scene.carried
    while left:
        stored = yield store(scene, "store", tuple((cell, flag) for cell in left))
        left = without(left, stored)


def store(scene: Scene, label: str, options: tuple[tuple[int, int], ...]) -> Action:
    """Stores one of the cells given, as (cell, flag); answers its name.

    Breaks `stale` where a cache is invalid; where that is not asked, the first cell counts as stored then.
    """
    ways = (
        way(CELLS[cell], (scene.cell(cell), scene.value(cell, flag)), when=scene.mapped) for cell, flag in options
    )
    stale = replace(breaking("stale", ~scene.mapped), response=CELLS[options[0][0]])
    return Action("check", label, (*ways, stale))


def without(left: tuple[int, ...], name: str) -> tuple[int, ...]:
    """What is left of the cells once the one of that name is done."""
    return tuple(cell for cell in left if CELLS[cell] != name)


# -- the invalidator: an MMU notifier that takes a page away --------------------------------------------------------


def invalidator(scene: Scene) -> Steps:
    """Takes the page of one of the two caches away, `invalidations` times."""
    k, caches = scene.k, (scene.gpc1, scene.gpc2)
    more = k.lt(scene.work.invalidations)
    while True:
        which = yield Action("shared", "invalidate gpc", tuple(way(i, (k, k + 1), when=more) for i in (1, 2)))
        cache = caches[which - 1]
        yield write_lock(cache)
        yield assign(cache.valid, 0).as_(f"{cache.name}->valid = false")
        yield assign(cache.written, 0).as_(f"write_unlock {cache.name}").reaching("page taken away")


# -- the readers: entry time, copy, entry time again ----------------------------------------------------------------


def reader(scene: Scene, mine: Locals) -> Steps:
    """Tries until a snapshot is accepted: both entry times equal, and no flag in them."""
    while True:
        for cell in scene.work.first:
            yield assign(mine.first[cell - LOW], scene.cell(cell)).as_(f"read {CELLS[cell]}")
        yield from copies(scene, mine)
        cell = scene.work.second[0]
        yield assign(mine.second[cell - LOW], scene.cell(cell)).as_(f"re-read {CELLS[cell]}")
        yield last_load(scene, mine)
        if (yield accept(scene, mine)):
            return


def accept(scene: Scene, mine: Locals) -> Action:
    """Tests the snapshot and drops it: answers whether it was accepted."""
    accepts = mine.first[0].eq(mine.second[0]) & mine.first[1].eq(mine.second[1]) & clear(scene, mine.first[1])
    ways = way(True, *mine.cleared(), when=accepts), way(False, *mine.cleared(), when=~accepts)
    return Action("shared", "accept", ways).reaching("snapshot tested")


def copies(scene: Scene, mine: Locals) -> Steps:
    """The copy of the struct, in program order or in any."""
    if not scene.work.any_order:
        for cell in scene.carried:
            yield assign(mine.copy[scene.carried.index(cell)], scene.cell(cell)).as_(f"copy {CELLS[cell]}")
        return
    left = scene.carried
    while left:
        copied = yield copy_one(scene, mine, left)
        left = without(left, copied)


def copy_one(scene: Scene, mine: Locals, left: tuple[int, ...]) -> Action:
    """Copies one of the cells that are left; answers its name."""
    place = scene.carried.index
    return Action("shared", "copy", tuple(way(CELLS[c], (mine.copy[place(c)], scene.cell(c))) for c in left))


def last_load(scene: Scene, mine: Locals) -> Action:
    """The load that completes the snapshot; breaks `torn` where the test after it accepts and the copy is of no update.

    Its last operand is compared as it is loaded, so the step that breaks the property is the step into the bad state.
    """
    (one, other), cell = scene.work.second, scene.work.second[1]
    source = scene.cell(cell)
    same = mine.first[one - LOW].eq(mine.second[one - LOW]) & mine.first[other - LOW].eq(source)
    bad = same & clear(scene, mine.first[1]) & torn(scene, mine)
    load = way("loaded", (mine.second[cell - LOW], source), when=~bad)
    return Action("check", f"re-read {CELLS[cell]}", (load, breaking("torn", bad)))


def clear(scene: Scene, high: Slot) -> Expr:
    """Whether a loaded entry_hi has no flag."""
    if scene.work.flag_only:
        return high.eq(0)
    found = high.eq(0)
    for version in range(1, scene.work.updates + 1):
        found |= high.eq(2 * version)
    return found


def torn(scene: Scene, mine: Locals) -> Expr:
    """Whether some copied cell is not of the update whose state was copied."""
    copied = dict(zip(scene.carried, mine.copy, strict=True))
    state = copied[STATE]
    found = state.ne(copied[LOW])
    for cell in scene.carried:
        if cell >= TIMES:
            found |= state.ne(copied[cell])
    if not scene.work.flag_only:
        high = copied[HIGH]
        found |= high.ne(state + state) & high.ne(state + state + 1)
    return found


# -- the model ------------------------------------------------------------------------------------------------------


def build_workload(work: Workload, carried: tuple[int, ...] = tuple(range(len(CELLS)))) -> Model:
    """The model of a workload on the cells carried."""
    m = Model("w", compiler="program")
    top = [work.updates] * len(CELLS)
    top[HIGH] = 1 if work.flag_only else 2 * work.updates + 1
    gpc1, gpc2 = (
        Cache(name, m.bool(f"{name}->valid", True), m.bool(f"{name}->lock.read"), m.bool(f"{name}->lock.written"))
        for name in ("gpc1", "gpc2")
    )
    scene = Scene(
        work,
        carried,
        tuple(m.range(CELLS[cell], 0, top[cell]) for cell in carried),
        gpc1,
        gpc2,
        m.range("v", 0, work.updates),
        m.bool("atom"),
        m.bool("dirty"),
        m.range("k", 0, work.invalidations),
    )
    m.process("writer", writer, scene)
    m.process("invalidator", invalidator, scene)
    for r in range(work.readers):
        name = f"reader{r}"
        entry = [
            tuple(m.range(f"{name}.{load}.{CELLS[cell]}", 0, top[cell]) for cell in (LOW, HIGH))
            for load in ("first", "second")
        ]
        copy = tuple(m.range(f"{name}.copy.{CELLS[cell]}", 0, top[cell]) for cell in carried)
        m.process(name, reader, scene, Locals((entry[0][0], entry[0][1]), (entry[1][0], entry[1][1]), copy))
    help_of = {info.name: info.help for info in PROPERTIES}
    m.assertion("torn", help_of["torn"], ("update published", "snapshot tested"))
    m.assertion("stale", help_of["stale"], ("update published", "page taken away"))
    return m


# -- the spec -------------------------------------------------------------------------------------------------------

PROPERTIES = (
    PropertyInfo("torn", "an accepted snapshot is of one update"),
    PropertyInfo("stale", "no store while either cache is invalid"),
)
SIZES = ("updates", "invalidations", "readers")
PARAMETERS = (
    Parameter("workload", "the bench's workload", tuple(WORKLOADS), default=("W1",)),
    *(
        Parameter(name, f"how many {name}; by default as many as the workload has", tuple(map(str, range(1, 9))))
        for name in SIZES
    ),
)


def work_of(setting: Setting) -> Workload:
    """The workload of a setting, with the sizes set."""
    work = WORKLOADS[setting.text("workload")]
    updates, invalidations, readers = (int(setting.text(name)) for name in SIZES)
    return replace(work, updates=updates, invalidations=invalidations, readers=readers)


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting, whole or projected."""
    work = work_of(setting)
    if projection is None:
        return build_workload(work)
    assert isinstance(projection, Projection)
    return build_workload(replace(work, readers=projection.readers), projection.cells)


def projections(setting: Setting) -> tuple[Hashable, ...]:
    """The workloads that hold are proved in a projection, which argues for itself; the others are searched whole."""
    return (PROJECTION,) if setting.text("workload") in PROJECTED else (None,)


def defaults(name: str, chosen: tuple[tuple[str, int | str], ...]) -> tuple[int | str, ...]:
    """The workload's own sizes."""
    return (str(getattr(WORKLOADS[str(dict(chosen)["workload"])], name)),)


def expected(setting: Setting) -> Expectation:
    """The bench's README, column "expected"; SPIN, Harmony, Rumur and TLC agree on W1 and W4."""
    workload = setting.text("workload")
    if setting.property == "torn" and workload == "W4":
        return Expectation("violated", "", "the bench's README: W4 has no update bit; 17 steps")
    if setting.property == "torn" and workload in ("W5a", "W5b"):
        return Expectation("violated", "", f"the bench's README: {workload}, entry_hi tells no version; 25 steps")
    return Expectation("holds", "", "the bench's README")


SPEC = Spec(
    name="w",
    summary="workloads W1 to W5 of the bench: the runstate update with plain counters",
    build=build,
    parameters=PARAMETERS,
    properties=PROPERTIES,
    projections=projections,
    expected=expected,
    defaults=defaults,
)

"""Each entry of each model's table by the smallest litmus test that tells it apart, and the compiler's freedom.

A case asks for one outcome; beside it are the models that allow it.  In the outcome two accesses of process 0 or 1 are
seen out of order while the other side is in order, so a table that lost the entry allows it, and one that has an entry
too many forbids it.
"""

from __future__ import annotations

import pytest
from memory.axioms import executions
from memory.programs import Copy, Fence, If, Load, Rmw, Store, finals, names

from modelcheck import Model, check, decide, shared, smp_rmb, smp_wmb, value
from modelcheck.explore.outcomes import outcomes
from modelcheck.explore.verify import verify

MB, WMB, RMB = Fence("smp_mb"), Fence("smp_wmb"), Fence("smp_rmb")


def stores(*between, first=Store("x", 1), last=Store("y", 1)):
    """Message passing, decided by the writer of data x and flag y."""
    return (first, *between, last), (Load("a", "y"), MB, Load("b", "x"))


def loads(*between, first=Load("a", "y"), last=Load("b", "x")):
    """Message passing, decided by the reader of flag y and data x."""
    return (Store("x", 1), MB, Store("y", 1)), (first, *between, *((last,) if last else ()))


def store_load(*between, first=Store("x", 1), last=Load("a", "y")):
    """Store buffering, decided by process 0."""
    return (first, *between, last), (Store("y", 1), MB, Load("b", "x"))


def load_store(*between, first=Load("a", "x"), last=Store("y", 1)):
    """Load buffering, decided by process 0."""
    return (first, *between, *((last,) if last else ())), (Load("b", "y"), MB, Store("x", 1))


def through(*middle):
    """Message passing whose reader comes to the data by an address taken from z."""
    return loads(*middle, Load("c", "z"), last=Load("b", "x", addr=("c",)))


STALE = {"1:a": 1, "1:b": 0}
BOTH_OLD = {"0:a": 0, "1:b": 0}
BOTH_NEW = {"0:a": 1, "1:b": 1}
PAIRS = {
    "store-store": (stores, STALE),
    "load-load": (loads, STALE),
    "load-store": (load_store, BOTH_NEW),
    "store-load": (store_load, BOTH_OLD),
}
NEVER, WEAK, BUFFERED = (), ("weak",), ("tso", "weak")
EVERY = tuple(PAIRS)


def fenced(kind, orders, drains):
    """The cases of one fence: the pairs it orders on weak, and whether it drains the store buffer of tso."""
    for pair, (shape, asked) in PAIRS.items():
        allowed = () if pair in orders else ("weak",)
        if pair == "store-load" and not drains:
            allowed = ("tso", *allowed)
        yield f"{pair} with {kind}", shape(Fence(kind)), asked, allowed


def updated(mode):
    """The cases of a read-modify-write, of its load for what comes later and of its store for what came before."""
    later = WEAK if mode in ("relaxed", "release") else NEVER
    before = WEAK if mode in ("relaxed", "acquire") else NEVER
    yield f"{mode} update before a load", loads(first=Rmw("a", "y", "bump", mode=mode)), STALE, later
    yield f"{mode} update before a store", load_store(first=Rmw("a", "x", "bump", mode=mode)), BOTH_NEW, later
    yield f"{mode} update after a load", load_store(last=Rmw("r", "y", mode=mode)), BOTH_NEW, before
    yield f"{mode} update after a store", stores(last=Rmw("r", "y", mode=mode)), STALE, before


CORR = (Store("x", 1),), (Load("a", "x"), Load("b", "x"))
READERS = (Store("x", 1),), (Store("y", 1),)
IRIW = {"2:a": 1, "2:b": 0, "3:a": 1, "3:b": 0}
DEPENDING = Load("b", "x", addr=("a",))
CASES = [
    *((pair, shape(), asked, BUFFERED if pair == "store-load" else WEAK) for pair, (shape, asked) in PAIRS.items()),
    *(case for kind in ("smp_mb", "mb", "mfence") for case in fenced(kind, EVERY, True)),
    *(case for kind in ("smp_wmb", "wmb", "sfence") for case in fenced(kind, ("store-store",), False)),
    *(case for kind in ("smp_rmb", "rmb", "lfence") for case in fenced(kind, ("load-load",), False)),
    *fenced("barrier", (), False),
    *(
        case  # beside an atomic, which on x86 is the fence
        for kind in ("before_atomic", "after_atomic", "after_spinlock", "after_unlock_lock")
        for case in fenced(f"smp_mb__{kind}", EVERY, False)
    ),
    ("two fences", stores(RMB, Fence("barrier")), STALE, WEAK),
    ("acquire before a load", loads(first=Load("a", "y", "acquire")), STALE, NEVER),
    ("acquire before a store", load_store(first=Load("a", "x", "acquire")), BOTH_NEW, NEVER),
    ("acquire after a load", loads(last=Load("b", "x", "acquire")), STALE, WEAK),
    ("acquire after a store", store_load(last=Load("a", "y", "acquire")), BOTH_OLD, BUFFERED),
    ("release after a store", stores(last=Store("y", 1, "release")), STALE, NEVER),
    ("release after a load", load_store(last=Store("y", 1, "release")), BOTH_NEW, NEVER),
    ("release before a store", stores(first=Store("x", 1, "release")), STALE, WEAK),
    ("release before a load", store_load(first=Store("x", 1, "release")), BOTH_OLD, BUFFERED),
    (
        "release before an acquire",
        store_load(first=Store("x", 1, "release"), last=Load("a", "y", "acquire")),
        BOTH_OLD,
        BUFFERED,
    ),
    *(
        (
            f"release before an update that is {mode}",
            store_load(first=Store("x", 1, "release"), last=Rmw("a", "y", mode=mode)),
            BOTH_OLD,
            WEAK if mode == "relaxed" else NEVER,
        )
        for mode in ("relaxed", "acquire", "full")
    ),
    ("once before an update that is acquire", store_load(last=Rmw("a", "y", mode="acquire")), BOTH_OLD, WEAK),
    *(case for mode in ("relaxed", "acquire", "release", "full") for case in updated(mode)),
    ("full update between", store_load(Rmw("r", "z")), BOTH_OLD, NEVER),
    ("two updates of one", ((Rmw("a", "x", "bump"),), (Rmw("a", "x", "bump", mode="relaxed"),)), {"x": 1}, NEVER),
    ("store into an update", ((Rmw("a", "x", "bump", mode="relaxed"),), (Store("x", 2),)), {"0:a": 0, "x": 1}, NEVER),
    # dependencies
    ("data", load_store(last=Store("y", Copy("a"))), BOTH_NEW, NEVER),
    ("data that changes nothing", load_store(last=Store("y", Copy("a", 1))), BOTH_NEW, NEVER),
    ("data into an update", load_store(last=Rmw("r", "y", number=Copy("a", 1), mode="relaxed")), BOTH_NEW, NEVER),
    ("address of a load", loads(last=DEPENDING), STALE, NEVER),
    ("address of a store", load_store(last=Store("y", 1, addr=("a",))), BOTH_NEW, NEVER),
    ("address of one between", load_store(Load("c", "z", addr=("a",))), BOTH_NEW, WEAK),
    ("control of a store", load_store(If("a", 1, (Store("y", 1, ctrl=("a",)),)), last=None), BOTH_NEW, NEVER),
    ("control that is not said", load_store(If("a", 1, (Store("y", 1),)), last=None), BOTH_NEW, WEAK),
    ("control of an update", load_store(last=Rmw("r", "y", mode="relaxed", ctrl=("a",))), BOTH_NEW, NEVER),
    ("branch before a load", loads(If("a", 1, (Load("b", "x"),)), last=None), STALE, WEAK),
    ("branch and smp_rmb", loads(If("a", 1, (RMB, Load("b", "x"))), last=None), STALE, NEVER),
    # one location, and taking from an own store
    ("CoRR", CORR, STALE, NEVER),
    ("CoWW", ((Store("x", 1), Store("x", 2)),), {"x": 1}, NEVER),
    ("CoWR", ((Store("x", 1), Load("a", "x")), (Store("x", 2),)), {"0:a": 0}, NEVER),
    ("CoRW1", ((Load("a", "x"), Store("x", 1)),), {"0:a": 1}, NEVER),
    ("CoRW2", ((Load("a", "x"), Store("x", 1)), (Store("x", 2),)), {"0:a": 2, "x": 2}, NEVER),
    ("own stores are read early", store_load(Load("c", "x"), last=DEPENDING._replace(reg="a", loc="y", addr=("c",))),
     {"0:c": 1, **BOTH_OLD}, BUFFERED),
    ("own store supplies", through(Store("z", 1)), {**STALE, "1:c": 1}, WEAK),
    ("its control does not count", through(Store("z", 1, ctrl=("a",))), {**STALE, "1:c": 1}, WEAK),
    ("its data does", through(Store("z", Copy("a"))), {**STALE, "1:c": 1}, NEVER),
    ("data that changes nothing does", through(Store("z", Copy("a", 1))), {**STALE, "1:c": 1}, NEVER),
    ("its address does", through(Store("z", 1, addr=("a",))), {**STALE, "1:c": 1}, NEVER),
    ("two loads of one location", through(Load("d", "z", addr=("a",))), STALE, NEVER),
    ("with a store between", through(Load("d", "z", addr=("a",)), Store("z", 1)), {**STALE, "1:c": 1}, WEAK),
    # one memory, which all see alike
    ("2+2W", ((Store("x", 1), Store("y", 2)), (Store("y", 1), Store("x", 2))), {"x": 1, "y": 1}, WEAK),
    ("IRIW", (*READERS, (Load("a", "x"), Load("b", "y")), (Load("a", "y"), Load("b", "x"))), IRIW, WEAK),
    ("IRIW with addresses", (*READERS, (Load("a", "x"), DEPENDING._replace(loc="y")), (Load("a", "y"), DEPENDING)),
     IRIW, NEVER),
    ("WRC", ((Store("x", 1),), (Load("a", "x"), Store("y", Copy("a"))), (Load("a", "y"), DEPENDING)),
     {"1:a": 1, "2:a": 1, "2:b": 0}, NEVER),
]  # fmt: skip


def shows(rows, program, asked) -> bool:
    """Whether some final state has what is asked for."""
    return any(all(dict(zip(names(program), row, strict=True))[at] == v for at, v in asked.items()) for row in rows)


@pytest.mark.parametrize(("name", "program", "asked", "allowed"), CASES, ids=[case[0] for case in CASES])
def test_an_entry_allows_and_forbids_what_its_litmus_test_shows(name, program, asked, allowed):
    found = tuple(model for model in ("sc", "tso", "weak") if shows(finals(program, model), program, asked))
    assert found == allowed
    assert shows(executions(program), program, asked) is ("weak" in allowed)


# -- the compiler -----------------------------------------------------------------------------------------------

X, Y, A, B = Store("x", 1, "plain"), Store("y", 1, "plain"), Load("a", "y", "plain"), Load("b", "x", "plain")
LA = Load("a", "x", "plain")
ALL = "sc", "tso", "weak"
COMPILED = [
    ("plain stores", stores(first=X, last=Y), STALE, ALL),
    ("plain loads", loads(first=A, last=B), STALE, ALL),
    ("plain load and store", load_store(first=LA, last=Y), BOTH_NEW, ALL),
    ("plain store and load", store_load(first=X, last=Load("a", "y", "plain")), BOTH_OLD, ALL),
    ("plain loads of one location", ((Store("x", 1),), (LA, B)), STALE, ALL),
    ("plain stores to one location", ((X, Store("x", 2, "plain")),), {"x": 1}, NEVER),
    ("plain then marked store", stores(first=X), STALE, ALL),
    ("marked then plain store", stores(last=Y), STALE, ALL),
    ("marked stores", stores(), STALE, WEAK),
    ("marked loads", loads(), STALE, WEAK),
    ("marked load and store", load_store(), BOTH_NEW, WEAK),
    ("marked store and load", store_load(), BOTH_OLD, BUFFERED),
    ("plain stores around a marked load", stores(Load("c", "z"), first=X, last=Y), STALE, ALL),
    ("plain store before a release", stores(first=X, last=Store("y", 1, "release")), STALE, NEVER),
    ("plain store after a release", stores(first=Store("x", 1, "release"), last=Y), STALE, ALL),
    ("plain load after an acquire", loads(first=Load("a", "y", "acquire"), last=B), STALE, NEVER),
    ("plain load before an acquire", loads(first=A, last=Load("b", "x", "acquire")), STALE, ALL),
    ("plain accesses around a full update", store_load(Rmw("r", "z"), first=X, last=A), BOTH_OLD, NEVER),
    ("plain stores around a relaxed update", stores(Rmw("r", "z", mode="relaxed"), first=X, last=Y), STALE, ALL),
    ("a load is hoisted above a branch", loads(If("a", 1, (B,)), first=A, last=None), STALE, ALL),
    ("above one that asks a marked load", loads(If("a", 1, (B,)), last=None), STALE, ALL),
    ("a marked load above one that does", loads(If("a", 1, (Load("b", "x"),)), last=None), STALE, WEAK),
    ("not above a barrier behind it", loads(If("a", 1, (RMB, B)), first=A, last=None), STALE, NEVER),
    ("a store never", load_store(If("a", 1, (Y._replace(ctrl=("a",)),)), first=LA, last=None), BOTH_NEW, NEVER),
    *(
        (f"plain stores with {kind}", stores(Fence(kind), first=X, last=Y), STALE, allowed)
        for kind, allowed in (("smp_wmb", NEVER), ("smp_rmb", WEAK), ("smp_mb", NEVER), ("barrier", WEAK))
    ),
    ("plain loads with barrier", loads(Fence("barrier"), first=A, last=B), STALE, WEAK),
    ("plain loads with smp_rmb", loads(RMB, first=A, last=B), STALE, NEVER),
    ("plain store and load with smp_wmb", store_load(WMB, first=X, last=A), BOTH_OLD, BUFFERED),
    ("only one side of a barrier", stores(Fence("barrier"), X, first=Store("z", 1), last=Y), STALE, ALL),
]


@pytest.mark.parametrize(("name", "program", "asked", "allowed"), COMPILED, ids=[case[0] for case in COMPILED])
def test_a_free_compiler_moves_plain_accesses_between_its_barriers_only(name, program, asked, allowed):
    assert tuple(m for m in ALL if shows(finals(program, m, "free"), program, asked)) == allowed


# -- updates in two parts, and limits ------------------------------------------------------------------------------

RELAXED = Rmw("d", "z", mode="relaxed")
OF_C, Y_OF_C = Load("b", "x", addr=("c",)), Load("a", "y", addr=("c",))
PARTS = [
    ("acquire update: its store after a later load", store_load(first=Rmw("r", "x", mode="acquire")), BOTH_OLD, True),
    ("acquire update: its store after a later store", stores(first=Rmw("r", "x", mode="acquire")), STALE, True),
    ("full update: not its store after a later load", store_load(first=Rmw("r", "x")), BOTH_OLD, False),
    # the load may come early, but no store comes between it and the update's own, which comes late
    ("release update: its load before an earlier load", loads(last=Rmw("b", "x", mode="release")), STALE, False),
    ("data of an update", loads(last=Rmw("b", "x", number=Copy("a", 1), mode="relaxed")), STALE, False),
    ("smp_wmb before an update", store_load(WMB, last=Rmw("a", "y", mode="relaxed")), BOTH_OLD, False),
    # but an address that comes of the update tells that its load came early
    ("address of a release update", loads(Rmw("c", "z", mode="release"), last=OF_C), STALE, True),
    ("address of an update with data", loads(RELAXED._replace(reg="c", number=Copy("a", 1)), last=OF_C), STALE, True),
    ("address of an update with a control", loads(RELAXED._replace(reg="c", ctrl=("a",)), last=OF_C), STALE, True),
    ("address of an update with one", loads(RELAXED._replace(reg="c", addr=("a",)), last=OF_C), STALE, False),
    ("address of an update after smp_wmb", store_load(WMB, RELAXED._replace(reg="c"), last=Y_OF_C), BOTH_OLD, True),
    ("smp_rmb behind an update", stores(RMB, first=Rmw("r", "x", mode="relaxed")), STALE, True),
]


def test_a_newer_store_supplies_a_load_whatever_update_is_pending_before_it():
    program, asked = through(RELAXED._replace(ctrl=("a",)), Store("z", 1)), {**STALE, "1:c": 1}
    assert shows(finals(program, "weak"), program, asked)
    assert shows(executions(program), program, asked)


@pytest.mark.parametrize(("name", "program", "asked", "allowed"), PARTS, ids=[case[0] for case in PARTS])
def test_a_weak_host_performs_an_update_in_two_parts_with_no_store_between(name, program, asked, allowed):
    assert shows(finals(program, "weak"), program, asked) is allowed
    assert shows(executions(program), program, asked) is allowed
    assert not shows(finals(program, "tso"), program, asked)


LIMITS = [
    ("the store of an update supplies no later load", "after an update",
     through(RELAXED._replace(ctrl=("a",))), {**STALE, "1:c": 1}),
    ("no store supplies an update", "into an update",
     store_load(RELAXED._replace(reg="c", loc="x"), last=Y_OF_C), {"0:c": 1, **BOTH_OLD}),
    ("two loads of one store stay in order", "same-location loads", through(Load("d", "z", addr=("a",))), STALE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "program", "asked"), LIMITS, ids=[case[0] for case in LIMITS])
def test_limit_weak_is_stronger_here_than_arm64_and_the_kernels_model(name, rule, program, asked):
    """May miss bugs on a host that has one of these (RSW for the last); each is one rule of the axioms."""
    assert not shows(finals(program, "weak"), program, asked)
    assert not shows(executions(program), program, asked)
    assert shows(executions(program, frozenset({rule})), program, asked)


@pytest.mark.parametrize("stores_wait", [True, False])
def test_a_store_on_one_way_of_a_branch_waits_for_it_unless_the_process_says_what_it_depends_on(stores_wait):
    """Else another process could see what never happens, and a property be broken by it."""
    m = Model("guess", memory="weak", compiler="program")
    x, y = m.number("x", 0, 1), m.number("y", 0, 1)

    def guesses():
        seen = yield x.read()
        if (yield decide(value(seen).eq(1), stores_wait=stores_wait)):
            yield y.write(1)

    def sees():
        seen = yield y.read()
        yield check(value(seen).eq(0), "never")

    m.process("guesses", guesses)
    m.process("sees", sees)
    m.assertion("never")
    assert verify(m, "never").verdict == ("holds" if stores_wait else "violated")


@pytest.mark.parametrize("bare", [True, False])
def test_a_load_behind_two_ways_of_a_branch_is_early_by_the_way_without_a_fence(bare):
    """Both ways lead to one place: that nothing can be early by the one says nothing of the other."""
    m = Model("ways", memory="weak", compiler="program")
    x, y, a, b = m.number("x", 0, 1), m.number("y", 0, 1), m.range("a", 0, 1), m.range("b", 0, 1)

    def writes():
        yield x.write(1)
        yield smp_wmb()
        yield y.write(1)

    def reads():
        seen = yield y.read()
        if (yield decide(value(seen).eq(int(bare)))) is bare:
            pass
        else:
            yield smp_rmb()
        data = yield x.read()
        yield shared("final", (a, value(seen)), (b, value(data)))

    m.process("writes", writes)
    m.process("reads", reads)
    assert (1, 0) in outcomes(m, ["a", "b"]).states

"""Final states: the same for every reduction and either engine, of ended executions only, and bounds are named."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory.programs import NUMBERS, Fence, Grammar, If, Load, Rmw, Store, finals, model_of, names, systems

from modelcheck import Area, Model, Slot, SpinLock, assign, shared, wait
from modelcheck.action import decide, value
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import Engine, native_missing
from modelcheck.explore.outcomes import outcomes
from modelcheck.expression import Const

REDUCTIONS = ("dead", "merge", "ample")
SUBSETS = [frozenset(some) for count in range(4) for some in combinations(REDUCTIONS, count)]
NONE, ALL = frozenset(REDUCTIONS), frozenset()
ENGINES = [Engine("python"), *([] if native_missing() else [Engine("native"), Engine("native", 2)])]
MODELS = ("sc", "tso", "weak")
QUICK = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
MIXED = Grammar(
    ("plain", "once", "acquire"),
    ("plain", "once", "release"),
    ("relaxed", "acquire", "full"),
    ("smp_mb", "smp_wmb", "smp_rmb", "barrier"),
    dependent=True,
    length=3,
    accesses=3,
)
SB = (Store("x", 1), Load("a", "y")), (Store("y", 1), Load("a", "x"))


@pytest.mark.parametrize("memory", MODELS)
@QUICK
@given(processes=systems(MIXED, (2, 2, 3)), compiler=st.sampled_from(("free", "program")))
def test_reductions_and_engines_keep_the_final_states(memory, processes, compiler):
    full = outcomes(model_of(processes, memory, compiler), names(processes), without=NONE)
    for without in SUBSETS:
        reduced = outcomes(model_of(processes, memory, compiler), names(processes), without=without)
        assert (sorted(without), reduced.states, reduced.bound) == (sorted(without), full.states, "")
    for engine in ENGINES:
        for without in (NONE, ALL):
            twin = outcomes(model_of(processes, memory, compiler), names(processes), engine=engine, without=without)
            assert (engine, twin.states, twin.bound) == (engine, full.states, "")
            assert without == ALL or twin.searched == full.searched


@pytest.mark.parametrize("asked", [["0:a"], ["x"], ["1:a", "y"], []])
def test_reductions_keep_what_is_asked_where_that_is_less_than_all(asked):
    whole = outcomes(model_of(SB, "tso"), names(SB), without=NONE).states
    places = [names(SB).index(name) for name in asked]
    expected = tuple(sorted({tuple(state[place] for place in places) for state in whole}))
    for without in SUBSETS:
        assert outcomes(model_of(SB, "tso"), asked, without=without).states == expected


def test_each_reduction_stores_fewer_states_of_some_program():
    full = outcomes(model_of(SB, "tso"), ["x"], without=NONE).searched
    for one in REDUCTIONS:
        assert outcomes(model_of(SB, "tso"), ["x"], without=NONE - {one}).searched < full


@pytest.mark.parametrize(("memory", "compiler", "guessed"), [("sc", "program", False), ("sc", "free", True),
                                                             ("tso", "free", True), ("weak", "program", True)])
def test_a_wrong_guess_is_no_execution(memory, compiler, guessed):
    mode = "plain" if compiler == "free" else "once"
    arm = If("a", 1, (Load("b", "x", mode),), (Load("c", "x", mode),))
    program = (Store("x", 1), Fence("smp_mb"), Store("y", 1)), (Load("a", "y", mode), arm)
    rows = [dict(zip(names(program), state, strict=True)) for state in finals(program, memory, compiler)]
    assert ({"1:a": 1, "1:b": 0, "1:c": 0, "x": 1, "y": 1} in rows) is guessed  # the load of x came before that of y
    assert not any(row["1:c"] for row in rows if row["1:a"] == 1)
    assert not any(row["1:b"] for row in rows if row["1:a"] == 0)


def test_a_guess_that_no_value_fulfils_is_no_execution():
    program = ((Load("a", "y"), If("a", 2, (Load("b", "x"), Store("x", 3)))), (Store("y", 1),))
    assert {state[-2] for state in finals(program, "weak")} == {0}


@pytest.mark.parametrize("memory", MODELS)
def test_an_execution_that_waits_for_ever_is_none(memory):
    never = (Load("a", "x", when=2),), (Store("x", 1),)
    assert finals(never, memory) == set()
    lock = (Rmw("a", "x", when=0),), (Rmw("b", "x", when=0),)  # nobody unlocks
    assert finals(lock, memory) == set()
    once = (Load("a", "x", when=1),), (Store("x", 1), Fence("smp_mb"), Store("x", 2))
    assert finals(once, memory) == {(1, 2)}


def test_an_execution_that_waits_for_a_lock_or_a_condition_is_none():
    def model(unlocks: bool, sets: bool) -> Model:
        m = Model("waits")
        lock, flag = SpinLock("lock"), m.bool("flag")

        def one():
            yield lock.lock()
            yield assign(flag, int(sets))
            if unlocks:
                yield lock.unlock()

        def two():
            yield lock.lock()
            yield wait(flag)
            yield lock.unlock()

        m.process("one", one)
        m.process("two", two)
        return m

    found = [[outcomes(model(a, b), ["flag"], without=w).states for w in SUBSETS] for a in (0, 1) for b in (0, 1)]
    assert found == [[()] * 8, [()] * 8, [()] * 8, [((1,),)] * 8]


def spinning(memory: str, kind: str = "") -> Model:
    """A process that loads y until it finds 1, then x; the other stores x, then y."""
    m = Model("spins", memory=memory, compiler="program")
    x, y = (m.area(Area(name, 4, domain=NUMBERS)) for name in "xy")

    def waits():
        while True:
            a = yield y.load(0, 4, kind or "once")
            if (yield decide(value(a).eq(1), stores_wait=False)):
                break
            a = None
        b = yield x.load(0, 4)
        yield shared("final", (Slot("b", NUMBERS), value(b)))

    def stores():
        yield x.store(0, 4, Const(1), mode="once")
        yield y.store(0, 4, Const(1), mode="release")
        yield shared("end")

    m.process("waits", waits)
    m.process("stores", stores)
    return m


def test_a_bound_is_named():
    for engine in ENGINES:
        assert outcomes(model_of(SB, "tso"), ["x"], Bounds(states=4), engine).bound == "4 states"
    spins = outcomes(spinning("weak"), ["b"])
    assert spins.bound.startswith("the window of waits: an access is pending at most 2 times at once, and the loop at ")
    assert [outcomes(spinning(memory, "acquire"), ["b"]).bound for memory in MODELS] == ["", "", ""]
    assert outcomes(spinning("weak", "acquire"), ["b"]).states == ((1,),)


def test_what_nobody_touches_keeps_its_initial_value():
    m = model_of(SB, "sc")
    m.area(Area("z", 4, domain=NUMBERS, initial=2))
    assert {state[1:] for state in outcomes(m, ["x", "z", "nothing"]).states} == {(2, 0)}


@pytest.mark.parametrize("memory", MODELS)
def test_a_process_that_has_not_performed_its_stores_has_not_ended(memory):
    m = Model("ends", memory=memory, compiler="program")
    x = m.area(Area("x", 4, domain=NUMBERS))

    def stores():
        yield x.store(0, 4, Const(1), mode="once")

    m.process("stores", stores)
    assert outcomes(m, ["x"]).states == ((1,),)


@pytest.mark.parametrize("memory", ["tso", "weak"])
def test_a_register_loaded_twice_is_no_loop(memory):
    m = Model("again", memory=memory, compiler="program")
    x, y, z = (m.area(Area(name, 4, domain=NUMBERS)) for name in "xyz")

    def copies():
        a = yield x.load(0, 4)
        yield z.store(0, 4, value(a), mode="once")
        a = yield y.load(0, 4)
        yield shared("final", (Slot("a", NUMBERS), value(a)))

    m.process("copies", copies)
    assert outcomes(m, ["a"]).bound == ""

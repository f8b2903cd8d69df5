"""Bounds, signals and errors end a native search as they end the reference one; none of them ends it in HOLDS."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from grids import grid, stamped_grid
from twins import ENGINES, NATIVE, Asked, Engine, outcome

from modelcheck import Model, check, shared
from modelcheck.explore.bounds import Bounds, Stop, peak_memory, stop_on_signals
from modelcheck.explore.engine import REFERENCE, run_search
from modelcheck.explore.found import Goals
from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import program_of
from modelcheck.explore.verify import REDUCTIONS, Options
from modelcheck.explore.whole import search_whole

FULL = Options(without=frozenset(REDUCTIONS))
HUGE = grid(8, 9)  # a hundred million states: something ends each search of it
MIB = 1 << 20


def model(n: int, top: int) -> Model:
    """`n` counters that count up for as long as they can, and one process that looks at the first."""
    m = Model("counters")

    def counts(slot):
        while True:
            yield shared(f"{slot.name}++", (slot, slot + 1), when=slot.lt(top))

    slots = [m.range(f"c{i}", 0, top) for i in range(n)]
    for i, slot in enumerate(slots):
        m.process(f"counts{i}", counts, slot)

    def looks(slot):
        while True:
            yield check(slot.le(top), "small")

    m.process("looks", looks, slots[0])
    m.assertion("small")
    return m


# -- states ---------------------------------------------------------------------------------------------------------


def figures(engine: Engine, most: int) -> tuple[object, ...]:
    tables = stamped_grid(5, 3)
    asked = Asked(tables)
    found = run_search(tables, Bounds(states=most), Goals(asked.decide), False, None, engine)
    return found.size, found.transitions, found.depth, found.bound, found.taken, len(asked.paths)


@pytest.mark.parametrize("most", [1, 2, 7, 500, 1_999, 2_049])
def test_the_bound_on_states_is_the_reference_engines(most):
    expected = figures(REFERENCE, most)
    assert expected[3] == f"{most:,} states"
    assert [figures(engine, most) for engine in ENGINES] == [expected] * len(ENGINES)


@pytest.mark.parametrize("most", [*range(3_000, 40_000, 5_003), 40_695, 40_696, 40_697])
def test_the_bound_on_states_is_the_same_for_any_number_of_threads(most):
    expected = figures(NATIVE, most)
    assert expected[3] == (f"{most:,} states" if most <= 40_696 else "")
    assert [figures(engine, most) for engine in ENGINES[1:]] == [expected] * len(ENGINES[1:])


def test_a_bound_on_states_is_incomplete():
    for engine in ENGINES:
        found = outcome(model(6, 6), "small", engine, Bounds(states=90_000), FULL)
        assert (found["verdict"], found["bound"]) == ("incomplete", "90,000 states")


# -- memory ---------------------------------------------------------------------------------------------------------


def never(*arguments: int) -> int:
    return 0


@pytest.mark.parametrize(
    ("threads", "mib"), [*((1, mib) for mib in (4, 5, 6, 7, 9, 12, 16, 21)), (2, 4), (2, 13), (3, 9), (4, 5), (4, 8)]
)
def test_states_take_no_more_than_the_memory_they_may(threads, mib):
    search = program_of(HUGE).search()
    assert search.run(never, never, threads, 0, mib * MIB) == _engine.MEMORY
    found = search.figures()
    assert found["bytes"] <= mib * MIB
    assert found["states"] > 8_000 * mib  # it is used: tables double, and the old ones are there meanwhile
    assert len(search.state(found["states"] - 1)) == 16


def test_a_bound_on_memory_that_is_below_what_the_engine_starts_with_ends_it_at_once():
    search = program_of(HUGE).search()
    assert search.run(never, never, 2, 0, 1) == _engine.MEMORY
    assert search.figures()["states"] == 1


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"{engine.threads} threads")
def test_a_bound_on_memory_is_incomplete(engine):
    bounds = Bounds(memory=peak_memory() + 8 * MIB)
    found = outcome(model(7, 9), "small", engine, bounds, FULL)
    assert (found["verdict"], found["bound"]) == ("incomplete", f"{bounds.memory / 2**20:,.0f} MiB of memory")


def test_a_bound_on_memory_that_is_reached_before_the_start_is_incomplete():
    found = outcome(model(7, 9), "small", NATIVE, Bounds(memory=MIB), FULL)
    assert (found["verdict"], found["bound"], found["states"]) == ("incomplete", "1 MiB of memory", 1)


def test_a_state_takes_32_bytes_beside_its_packed_words():
    found = search_whole(model(6, 9), "small", Bounds(), NATIVE)
    assert (found.states, found.transitions) == (10**6, 6 * 9 * 10**5 + 10**6)
    assert found.packed_bytes == 8
    assert found.bytes_per_state - found.packed_bytes <= 32


# -- time, signals, errors ------------------------------------------------------------------------------------------


def ended(engine: Engine, stop: Stop, report: Callable[[int, int, int], None]) -> str:
    return run_search(HUGE, Bounds(stop=stop), Goals(), False, report, engine).bound


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"{engine.threads} threads")
def test_a_stop_ends_the_search_at_the_next_report(engine):
    stop, reports, used = Stop(), [], []

    def report(states: int, depth: int, frontier: int) -> None:
        reports.append((states, depth, frontier))
        if len(reports) == 3:
            stop.note(signal.SIGTERM)
            used.append(time.process_time())

    assert ended(engine, stop, report) == "stopped by SIGTERM"
    # the flag is looked at before the report: one more comes
    assert len(reports) == 4
    assert reports == sorted(reports)
    # the time of all threads: on a busy machine they may wait, but they do not work on
    assert time.process_time() - used[0] < 0.2 * engine.threads


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"{engine.threads} threads")
def test_a_signal_ends_the_search_with_its_name(engine):
    stop = Stop()
    with stop_on_signals(stop):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        signal.signal(signal.SIGALRM, lambda number, frame: signal.raise_signal(signal.SIGINT))
        assert ended(engine, stop, lambda *figures: None) == "stopped by SIGINT"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"{engine.threads} threads")
def test_an_interrupt_is_raised_out_of_the_search_and_of_one_that_calls_no_python(engine):
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            ended(engine, Stop(), lambda *figures: None)
        search = program_of(HUGE).search()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):  # range(states, depth, frontier) is empty: nothing stops it
            search.run(never, range, engine.threads, 0, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"{engine.threads} threads")
def test_what_a_report_raises_is_raised(engine):
    def report(states: int, depth: int, frontier: int) -> None:
        raise OSError("the pipe is closed")

    with pytest.raises(OSError, match="the pipe is closed"):
        ended(engine, Stop(), report)


def test_what_is_asked_about_an_observation_raises_out_of_the_search():
    def decide(*asked: object) -> None:
        raise ZeroDivisionError

    for engine in ENGINES:
        with pytest.raises(ZeroDivisionError):
            run_search(stamped_grid(5, 3), Bounds(), Goals(decide), False, None, engine)  # type: ignore[arg-type]


def test_the_time_bound_ends_the_search():
    started = time.monotonic()
    found = run_search(HUGE, Bounds(deadline=started + 0.1, clock=time.monotonic), Goals(), False, None, NATIVE)
    assert found.bound == "the time bound"

"""Bounds and signals: each ends a search INCOMPLETE with its own text, and never in HOLDS."""

from __future__ import annotations

import os
import signal

import pytest

from modelcheck import Model, assign, check
from modelcheck.explore.bounds import Bounds, Stop, peak_memory, stop_on_signals
from modelcheck.explore.verify import REDUCTIONS, Options, verify

FULL = Options(without=frozenset(REDUCTIONS))


def counters(n: int = 3, top: int = 9) -> Model:
    """`n` counters up to `top` and one that looks at all: (top+1)**n * 2 states, and the property holds."""
    m = Model("counters")
    slots = tuple(m.range(f"c{i}", 0, top) for i in range(n))

    def counts(slot):
        for _ in range(top):
            yield assign(slot, slot + 1)

    condition = slots[0].le(top)
    for each in slots[1:]:
        condition = condition & each.le(top)

    def looks():
        yield check(condition, "small")

    for i, slot in enumerate(slots):
        m.process(f"counts{i}", counts, slot)
    m.process("looks", looks)
    m.assertion("small")
    return m


def test_without_a_bound_the_system_is_exhausted():
    outcome = verify(counters(), "small", options=FULL)
    assert (outcome.verdict, outcome.states, outcome.bound) == ("holds", 2000, "")


@pytest.mark.parametrize("most", [1, 10, 300, 1000, 1999])
def test_the_bound_on_states_is_incomplete_and_close(most):
    outcome = verify(counters(), "small", Bounds(states=most), FULL)
    assert (outcome.verdict, outcome.bound) == ("incomplete", f"{most:,} states")
    assert most <= outcome.states <= most + 4  # a state adds at most one state for each process


def test_the_bound_on_memory_is_incomplete():
    outcome = verify(counters(), "small", Bounds(memory=2**20), FULL)
    assert (outcome.verdict, outcome.bound) == ("incomplete", "1 MiB of memory")
    assert peak_memory() > 2**20


def test_the_deadline_is_read_off_the_clock_that_is_handed_in():
    ticks = iter(range(100))
    outcome = verify(counters(), "small", Bounds(deadline=3, clock=lambda: next(ticks)), FULL)
    assert (outcome.verdict, outcome.bound) == ("incomplete", "the time bound")
    assert 256 < outcome.states < 2000  # looked at every 256 states: at 0, 1, 2 and then 3
    assert verify(counters(), "small", Bounds(deadline=100, clock=lambda: 99.0), FULL).verdict == "holds"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_search_with_its_name(number):
    stop = Stop()
    before = signal.getsignal(number)
    with stop_on_signals(stop):
        outcome = verify(
            counters(),
            "small",
            Bounds(stop=stop),
            FULL,
            report=lambda states, depth, frontier: os.kill(os.getpid(), number),
        )
    assert (outcome.verdict, outcome.bound) == ("incomplete", f"stopped by {number.name}")
    assert signal.getsignal(number) is before


def test_a_signal_in_the_summary_or_in_a_reduced_search_never_holds():
    stop = Stop()
    stop.note(signal.SIGINT)
    for prop in ("small",):
        for options in (Options(), FULL):
            assert verify(counters(), prop, Bounds(stop=stop), options).verdict == "incomplete"


def test_a_violation_found_before_the_bound_is_still_a_violation():
    m = Model("early")
    x, y = m.range("x", 0, 1), m.range("y", 0, 1000)

    def breaks():
        yield check(x.eq(1), "set")

    def counts():
        for _ in range(1000):
            yield assign(y, y + 1)

    m.process("breaks", breaks)
    m.process("counts", counts)
    m.assertion("set")
    assert verify(m, "set", Bounds(states=50), FULL).verdict == "violated"


@pytest.mark.parametrize("kind", ["deadlock", "lock-order", "invariant"])
def test_no_kind_of_property_holds_on_a_graph_that_was_cut_short(kind):
    m = counters()
    m.deadlock()
    m.lock_order()
    m.invariant("invariant", m.range("c0", 0, 9).le(9))
    assert verify(m, kind, Bounds(states=20), FULL).verdict == "incomplete"

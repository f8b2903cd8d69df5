"""SRCU: a grace period waits for the readers there are, for no later one, and sleeps."""

from __future__ import annotations

import pytest

from modelcheck import Model, Mutex, SpinLock, Srcu, assign, check, reach
from modelcheck import test as ask
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

S = Srcu("srcu")
OPTIONS = [Options(), Options(without=frozenset(REDUCTIONS))]


def two_readers() -> Run:
    m = Model("grace")

    def reads():
        yield S.read_lock()
        yield S.read_unlock()

    def updates():
        yield from S.synchronize()

    m.process("before", reads)
    m.process("after", reads)
    m.process("updates", updates)
    m.deadlock()
    return Run(System(m, frozenset({"deadlock"})))


def take(run: Run, process: int, *choices: str) -> None:
    for choice in choices:
        run.take(run.find(process, choice))


def can(run: Run, process: int) -> list[str]:
    return [edge.choice for edge in run.enabled(process)]


ENTER, LEAVE, WAITED = "srcu_read_lock(srcu)", "srcu_read_unlock(srcu)", "synchronize_srcu(srcu)"


def test_a_reader_before_is_waited_for_and_one_after_is_not():
    run = two_readers()
    take(run, 0, ENTER)
    take(run, 2, "mutex_lock(srcu.gp_mutex)", "srcu: new readers are counted apart")
    take(run, 1, ENTER)
    assert can(run, 2) == []
    take(run, 0, LEAVE)
    assert can(run, 2) == [WAITED]


def test_a_reader_after_that_leaves_does_not_stand_for_one_before():
    run = two_readers()
    take(run, 0, ENTER)
    take(run, 2, "mutex_lock(srcu.gp_mutex)", "srcu: new readers are counted apart")
    take(run, 1, ENTER, LEAVE)
    assert can(run, 2) == []


def published(grace: bool, updaters: int = 1) -> Model:
    """Readers that look at the newest version twice, and updaters that retire it."""
    m = Model("published")
    retired, held = m.bool("retired"), m.bool("published", True)

    def reads():
        while True:
            yield S.read_lock()
            if (yield ask(held)):
                yield check(retired.eq(0), "no use after free")
                yield reach("read")
            yield S.read_unlock()

    def updates():
        yield assign(held, 0)
        if grace:
            yield from S.synchronize()
        yield assign(retired, 1)
        yield reach("retired")

    m.process("one", reads)
    m.process("two", reads)
    for number in range(updaters):
        m.process(f"updates{number}", updates)
    m.assertion("no use after free", witnesses=("read", "retired"))
    m.deadlock()
    return m


@pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full"])
@pytest.mark.parametrize("updaters", [1, 2])
def test_nothing_is_retired_under_a_reader(updaters, options):
    assert verify(published(True, updaters), "no use after free", options=options).verdict == "holds"
    assert verify(published(True, updaters), "deadlock", options=options).verdict == "holds"
    assert verify(published(False, updaters), "no use after free", options=options).verdict == "violated"


def lone(*wrap) -> Model:
    m = Model("lone")

    def updates():
        for number in range(len(wrap)):
            yield wrap[number]
        yield from S.synchronize()

    m.process("updates", updates)
    m.deadlock()
    m.sleep_in_atomic()
    return m


def test_a_grace_period_inside_a_read_section_waits_for_itself():
    assert verify(lone(S.read_lock()), "deadlock").stuck == (0,)
    assert verify(lone(S.read_lock(), S.read_unlock()), "deadlock").verdict == "holds"


def test_a_grace_period_sleeps_and_readers_may_sleep():
    assert verify(lone(SpinLock("s").lock()), "sleep-in-atomic").verdict == "violated"
    assert verify(lone(S.read_lock(), Mutex("m").lock()), "sleep-in-atomic").verdict == "holds"
    assert [action.label for action in S.synchronize() if action.sleeps] == ["mutex_lock(srcu.gp_mutex)", WAITED]


def test_a_mutex_held_over_a_grace_period_and_taken_by_readers_is_a_cycle_and_a_deadlock():
    m, mutex = Model("cycle"), Mutex("m")

    def reads():
        yield S.read_lock()
        yield mutex.lock()
        yield mutex.unlock()
        yield S.read_unlock()

    def updates():
        yield mutex.lock()
        yield from S.synchronize()
        yield mutex.unlock()

    m.process("reads", reads)
    m.process("updates", updates)
    m.deadlock()
    m.lock_order()
    assert verify(m, "deadlock").stuck == (0,)  # the updater has a step left when the reader has none
    assert {(a.held.lock, a.wanted.lock) for a in verify(m, "lock-order").attempts} == {("srcu", "m"), ("m", "srcu")}

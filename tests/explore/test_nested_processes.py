"""Nesting: a process that preempts a host runs on top of it, and only where the host may be preempted."""

from __future__ import annotations

import pytest

from modelcheck import Area, Model, Mutex, RwLock, SpinLock, assign, check, reach, sleep_point, wait
from modelcheck.explore.run import Run
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))


def hosts(*actions, where: str) -> list[str]:
    """The labels of the host's actions before which a nested process may start."""
    m = Model("nested")

    def host():
        yield from actions

    def guest():
        yield reach("guest")

    m.process("host", host)
    m.process("guest", guest, host="host", where=where)
    m.deadlock()
    system = System(m, frozenset({"deadlock"}))
    table = build_tables(system).processes[0]
    found = []
    for local in table.locals:
        action = system.spaces[0].node(local).action
        if system.preemptible(0, local, where):
            found.append(action.label + (" queued" if local.queued else ""))
    return found


SPIN, MUTEX, RW = SpinLock("spin"), Mutex("mutex"), RwLock("rw")
BODY = (
    reach("a"),
    sleep_point("sleeps"),
    sleep_point("point", preemptible=True),
    MUTEX.lock(),
    reach("b"),
    MUTEX.unlock(),
    SPIN.lock(),
    reach("c"),
    SPIN.unlock(irq="off"),
    reach("d"),
    SPIN.lock(),
    SPIN.unlock(irq="on"),
    reach("e"),
)


def test_anywhere_is_where_no_spinning_lock_is_held_and_interrupts_are_on():
    assert hosts(*BODY, where="anywhere") == [
        "reach a",
        "sleeps",
        "point",
        "mutex_lock(mutex)",
        "reach b",
        "mutex_unlock(mutex)",
        "spin_lock(spin)",
        "reach e",
    ]


def test_sleeps_is_where_the_host_may_sleep():
    assert hosts(*BODY, where="sleeps") == ["sleeps", "point", "mutex_lock(mutex)"]


def test_points_are_the_hosts_own():
    assert hosts(*BODY, where="points") == ["point"]


def test_a_queued_writer_and_a_reader_are_not_preempted():
    assert hosts(
        RW.write_lock(), RW.write_unlock(), RW.read_lock(), reach("held"), RW.read_unlock(), where="anywhere"
    ) == ["write_lock(rw)", "read_lock(rw)"]


def test_a_task_is_preempted_between_two_stores_and_does_the_rest_when_it_is_back():
    """On PREEMPT_RT a writer that holds a sleeping lock is; the compiler may put its two stores in any order."""
    m = Model("stores", compiler="free")
    area = m.area(Area("area", 2, word=1))
    shadow = m.stamp("shadow")

    def host():
        yield area.store(0, 1, shadow, text="store a")
        yield area.store(1, 2, shadow, text="store b")
        yield sleep_point("sleeps")

    def guest():
        yield reach("guest")

    m.process("host", host)
    m.process("guest", guest, host="host")
    m.deadlock()
    for first, second in (("store a", "store b"), ("store b", "store a")):
        run = Run(System(m, frozenset({"deadlock"})))

        def take(process: int, text: str, run: Run = run) -> None:
            (edge,) = [edge for edge in run.enabled(process) if text in edge.choice]
            run.take(edge)

        take(0, first)
        take(1, "preempt")
        assert run.enabled(0) == []
        take(1, "guest")
        take(1, "resume")
        take(0, second)


def test_where_it_sleeps_a_task_has_nothing_pending():
    m = Model("stores", compiler="free")
    area = m.area(Area("area", 1, word=1))
    shadow = m.stamp("shadow")

    def host():
        yield area.store(0, 1, shadow)
        yield sleep_point("sleeps", preemptible=True)

    def guest():
        yield reach("guest")

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.deadlock()
    system = System(m, frozenset({"deadlock"}))
    table = build_tables(system).processes[0]
    found = {bool(local.window): system.preemptible(0, local, "points") for local in table.locals[:2]}
    assert found == {True: False, False: True}


def test_interrupts_off_from_the_start_forbid_it_everywhere():
    m = Model("irq")

    def host():
        yield reach("a")

    def guest():
        yield reach("guest")

    m.process("host", host, irq_off=True)
    m.process("guest", guest, host="host")
    m.assertion("never", witnesses=("guest",))
    assert verify(m, "never", options=FULL).verdict == "vacuous"


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_the_host_stands_still_until_the_guest_is_done(options):
    m = Model("still")
    inside = m.bool("inside")

    def host():
        while True:
            yield check(inside.eq(0), "alone")

    def guest():
        yield assign(inside, 1)
        yield assign(inside, 0)

    def elsewhere():
        yield check(inside.eq(0), "parallel")

    m.process("host", host)
    m.process("guest", guest, host="host")
    m.process("elsewhere", elsewhere)
    m.assertion("alone")
    m.assertion("parallel")
    assert verify(m, "alone", options=options).verdict == "holds"
    assert verify(m, "parallel", options=options).verdict == "violated"


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_a_guest_that_wants_its_hosts_mutex_deadlocks_both(options):
    m = Model("self")
    lock = Mutex("lock")

    def host():
        yield lock.lock()
        yield reach("held")
        yield lock.unlock()

    def guest():
        yield lock.lock()
        yield lock.unlock()

    m.process("host", host)
    m.process("guest", guest, host="host")
    m.deadlock()
    outcome = verify(m, "deadlock", options=options)
    assert (outcome.verdict, outcome.stuck) == ("violated", (0, 1))
    assert [choice for _, choice in outcome.steps] == ["mutex_lock(lock)", "preempt"]


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_a_guest_that_does_not_run_or_never_gets_to_run_is_no_deadlock(options):
    m = Model("rest")

    def host():
        yield reach("a")

    def guest():
        yield reach("b")

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.deadlock()
    assert verify(m, "deadlock", options=options).verdict == "holds"


def test_a_guest_may_start_again_after_it_is_done():
    m = Model("again")
    n = m.range("n", 0, 3)

    def host():
        while True:
            yield sleep_point("point", preemptible=True)

    def guest():
        yield wait(n.lt(3))
        yield assign(n, n + 1)

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.invariant("few", n.lt(3))
    outcome = verify(m, "few", options=FULL)
    assert [choice for _, choice in outcome.steps].count("preempt") == 3


def held_under(guests: int) -> Model:
    """The host holds `a`, the innermost of its guests takes `b`; another process takes `b`, then `a`."""
    m = Model("order")
    a, b = Mutex("a"), Mutex("b")

    def host():
        yield a.lock()
        yield reach("held")
        yield a.unlock()

    def between():
        yield reach("between")

    def innermost():
        yield b.lock()
        yield b.unlock()

    def other():
        yield b.lock()
        yield a.lock()
        yield a.unlock()
        yield b.unlock()

    m.process("host", host)
    if guests == 2:
        m.process("between", between, host="host")
    m.process("innermost", innermost, host="between" if guests == 2 else "host")
    m.process("other", other)
    m.lock_order()
    return m


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_what_a_guest_asks_for_it_asks_while_its_hosts_locks_are_held(options):
    outcome = verify(held_under(1), "lock-order", options=options)
    assert outcome.verdict == "violated"
    assert {(a.held.lock, a.wanted.lock) for a in outcome.attempts} == {("a", "b"), ("b", "a")}


def test_the_locks_of_a_hosts_host_count_too():
    assert verify(held_under(2), "lock-order").verdict == "violated"


def test_limit_two_guests_of_one_host_interleave_as_if_in_parallel():
    """One task has one stack, so one should run on top of the other; here they may raise a false alarm."""
    m = Model("two")
    inside = m.bool("inside")

    def host():
        yield sleep_point("point", preemptible=True)

    def enters():
        yield assign(inside, 1)
        yield assign(inside, 0)

    def looks():
        yield check(inside.eq(0), "alone")

    m.process("host", host)
    m.process("enters", enters, host="host", where="points")
    m.process("looks", looks, host="host", where="points")
    m.assertion("alone")
    assert verify(m, "alone").verdict == "violated"

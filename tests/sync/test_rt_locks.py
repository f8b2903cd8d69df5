"""PREEMPT_RT's locks: who sleeps, who may be preempted, what interrupts do, and what the last reader wakes."""

from __future__ import annotations

import pytest
from queued_writer import behind_a_queued_writer, choices

from modelcheck import Model, RwLock, SpinLock, assign, check, local_irq_save, sleep_point
from modelcheck.explore.run import Run
from modelcheck.system.link import System
from modelcheck.system.model import Where

RT, SPINS = RwLock("r", sleeps=True), RwLock("r")
SPIN_RT, RAW = SpinLock("s", sleeps=True), SpinLock("rq")


def straight(*actions) -> Model:
    """One process that yields the actions in turn."""
    m = Model("straight")

    def runs():
        for number in range(len(actions)):
            yield actions[number]

    m.process("runs", runs)
    m.sleep_in_atomic()
    m.deadlock()
    return m


@pytest.mark.parametrize(
    "lock",
    [RT.read_lock(), RT.write_lock(), SPIN_RT.lock()],
    ids=["read", "write", "spin"],
)
def test_a_sleeping_lock_may_not_be_waited_for_under_a_raw_spinlock(decide, lock):
    assert decide(straight(lock), "sleep-in-atomic").verdict == "holds"
    outcome = decide(straight(RAW.lock(), lock), "sleep-in-atomic")
    assert outcome.steps[-1] == (0, f"{lock.label} sleeps")


def test_a_trylock_of_a_sleeping_lock_is_allowed_while_atomic(decide):
    assert decide(straight(RAW.lock(irq="off"), RT.read_trylock()), "sleep-in-atomic").verdict == "holds"


@pytest.mark.parametrize(
    "lock",
    [RT.read_lock(irq="off"), RT.write_lock(irq="off"), RT.read_trylock(irq="off"), SPIN_RT.lock(irq="off")],
    ids=["read", "write", "try", "spin"],
)
def test_holders_of_a_sleeping_lock_may_sleep_since_it_leaves_interrupts_on(decide, lock):
    assert decide(straight(lock, sleep_point("copies")), "sleep-in-atomic").verdict == "holds"


@pytest.mark.parametrize(
    ("take", "give"),
    [(RT.read_lock(), RT.read_unlock(irq="on")), (RT.write_lock(), RT.write_unlock(irq="on")),
     (SPIN_RT.lock(), SPIN_RT.unlock(irq="on"))],
    ids=["read", "write", "spin"],
)  # fmt: skip
def test_an_unlock_that_ignores_its_flags_leaves_interrupts_off(decide, take, give):
    off = RAW.lock(irq="off"), RAW.unlock()
    assert decide(straight(take, *off, give, sleep_point("copies")), "sleep-in-atomic").verdict == "violated"


def nested(lock: RwLock, where: Where) -> Model:
    """A task that reads under a lock, and what preempts it, which looks whether the task is inside."""
    m = Model("nested")
    inside = m.bool("inside")

    def reads():
        yield lock.read_lock(irq="off")
        yield assign(inside, 1)
        yield assign(inside, 0)
        yield lock.read_unlock(irq="on")

    def preempts():
        yield check(inside.eq(0), "alone")

    m.process("reads", reads)
    m.process("preempts", preempts, host="reads", where=where)
    m.assertion("alone")
    return m


def test_a_holder_of_a_sleeping_lock_may_be_preempted_anywhere_and_of_a_spinning_one_not(decide):
    assert decide(nested(RT, "anywhere"), "alone").verdict == "violated"
    assert decide(nested(SPINS, "anywhere"), "alone").verdict == "holds"
    assert decide(nested(RT, "sleeps"), "alone").verdict == "holds"


@pytest.mark.parametrize(
    ("wanted", "left"),
    [(RT.read_trylock(), ["read_trylock(r) -> False"]), (RT.read_lock(), []), (RT.read_lock(in_interrupt=True), [])],
    ids=["try", "read", "read in an interrupt"],
)
def test_a_writer_that_removed_the_bias_makes_trylocks_fail_and_readers_sleep(wanted, left):
    run, _ = behind_a_queued_writer(RT, wanted)
    assert choices(run, 2) == left


def waking(holds_rq: bool, writer: bool = True) -> Model:
    """A reader that leaves, with or without its run queue's lock held, and a writer that comes."""
    m = Model("waking")

    def reads():
        if holds_rq:
            yield RAW.lock(irq="off")
        if (yield RT.read_trylock()):
            yield from RT.read_unlock_rt(RAW)
        if holds_rq:
            yield RAW.unlock(irq="on")

    def writes():
        yield RT.write_lock()
        yield RT.write_unlock()

    m.process("reads", reads)
    if writer:
        m.process("writes", writes)
    m.deadlock()
    m.lock_order()
    return m


def test_the_last_reader_that_wakes_a_writer_under_its_run_queue_lock_waits_for_itself(decide):
    outcome = decide(waking(holds_rq=True), "deadlock")
    assert (outcome.verdict, outcome.stuck) == ("violated", (0,))
    assert [choice for _, choice in outcome.steps] == [
        "spin_lock(rq)",
        "read_trylock(r) -> True",
        "write_lock(r) -> queues",
        "read_unlock(r), last? -> True",
    ]


def test_the_last_reader_wakes_nobody_where_no_writer_waits(decide):
    assert decide(waking(holds_rq=True, writer=False), "deadlock").verdict == "holds"


def test_the_last_reader_wakes_a_writer_without_harm_where_it_holds_no_run_queue_lock(decide):
    assert decide(waking(holds_rq=False), "deadlock").verdict == "holds"


def test_a_reader_that_is_not_the_last_wakes_nobody():
    m = waking(holds_rq=True)

    def stays():
        yield RT.read_lock()
        yield RT.read_unlock()

    m.process("stays", stays)
    run = Run(System(m, frozenset({"deadlock"})))
    for process, choice in (
        (0, "spin_lock(rq)"), (0, "read_trylock(r) -> True"), (2, "read_lock(r)"), (1, "write_lock(r) -> queues"),
    ):  # fmt: skip
        run.take(run.find(process, choice))
    assert choices(run, 0) == ["read_unlock(r), last? -> False"]
    run.take(run.find(2, "read_unlock(r)"))
    assert choices(run, 0) == ["read_unlock(r), last? -> True"]


def test_the_slow_unlock_enables_interrupts_again_and_the_fast_one_does_not():
    def reads():
        yield RT.read_lock()
        yield local_irq_save()
        yield from RT.read_unlock_rt(RAW)
        yield sleep_point("copies")

    def writes():
        yield RT.write_lock()

    def sleeps(*steps: tuple[int, str]) -> list[str]:
        m = Model("irq")
        m.process("reads", reads)
        m.process("writes", writes)
        m.sleep_in_atomic()
        run = Run(System(m, frozenset({"sleep-in-atomic"})))
        for process, choice in ((0, "read_lock(r)"), (0, "local_irq_save()"), *steps):
            run.take(run.find(process, choice))
        return choices(run, 0)

    assert sleeps((0, "read_unlock(r), last? -> False")) == ["copies sleeps"]
    queued, last = (1, "write_lock(r) -> queues"), (0, "read_unlock(r), last? -> True")
    assert sleeps(queued, last, (0, "spin_lock(rq)"), (0, "spin_unlock(rq)")) == ["copies"]

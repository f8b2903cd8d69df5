"""Locks: who waits for whom, what may sleep under them, and the order of their classes; reduced and full search."""

from __future__ import annotations

import pytest
from queued_writer import behind_a_queued_writer, choices

from modelcheck import Model, Mutex, RwLock, SpecError, SpinLock, assign, check, reach, shared, sleep_point, wait
from modelcheck.explore.verify import verify


def exclusive(*takes) -> Model:
    """Processes that enter under `takes[i] = (lock, unlock, alone)`; whoever is alone sees nobody else inside."""
    m = Model("exclusion")
    readers, writers = m.range("readers", 0, len(takes)), m.range("writers", 0, len(takes))

    def enters(take, give, writes):
        mine = writers if writes else readers
        while True:
            yield take
            yield assign(mine, mine + 1)
            yield check((readers.eq(0) & writers.eq(1)) if writes else writers.eq(0), "exclusion")
            yield assign(mine, mine - 1)
            yield give

    for i, (take, give, writes) in enumerate(takes):
        m.process(f"p{i}", enters, take, give, writes)
    m.assertion("exclusion")
    m.deadlock()
    m.invariant("together", readers.le(1))
    return m


S, M, R = SpinLock("s"), Mutex("m"), RwLock("r")
SPIN, MUTEX = (S.lock(), S.unlock(), True), (M.lock(), M.unlock(), True)
READ, WRITE = (R.read_lock(), R.read_unlock(), False), (R.write_lock(), R.write_unlock(), True)
IRQ_READ = (R.read_lock(in_interrupt=True), R.read_unlock(), False)


@pytest.mark.parametrize(
    "takes",
    [(SPIN,) * 3, (MUTEX,) * 3, (WRITE,) * 3, (READ, WRITE, READ), (READ, WRITE, WRITE), (IRQ_READ, WRITE, READ)],
)
def test_locks_exclude_and_nobody_is_stuck(decide, takes):
    assert decide(exclusive(*takes), "exclusion").verdict == "holds"
    assert decide(exclusive(*takes), "deadlock").verdict == "holds"


@pytest.mark.parametrize("takes", [(SPIN, MUTEX), (READ, SPIN), (WRITE, MUTEX)])
def test_different_locks_do_not_exclude(decide, takes):
    assert decide(exclusive(*takes), "exclusion").verdict == "violated"


def test_readers_are_inside_together(decide):
    assert decide(exclusive(READ, READ), "together").verdict == "violated"
    assert decide(exclusive(WRITE, WRITE), "together").verdict == "holds"


def test_a_queued_writer_blocks_new_readers_of_tasks():
    run, before = behind_a_queued_writer(R, R.read_lock())
    assert before == ["read_lock(r)"]
    assert run.enabled(2) == []


def test_a_queued_writer_does_not_block_readers_in_interrupts():
    run, before = behind_a_queued_writer(R, R.read_lock(in_interrupt=True))
    assert before == ["read_lock(r)"]
    assert choices(run, 2) == ["read_lock(r)"]


def test_a_read_trylock_fails_on_a_writer_that_merely_waits():
    run, before = behind_a_queued_writer(R, R.read_trylock())
    assert before == ["read_trylock(r) -> True"]
    assert choices(run, 2) == ["read_trylock(r) -> False"]


def test_a_second_writer_waits_for_the_queue_and_not_in_it():
    run, before = behind_a_queued_writer(R, R.write_lock())
    assert before == ["write_lock(r) -> queues"]
    assert run.enabled(2) == []
    run.take(run.find(0, "read_unlock(r)"))
    assert run.enabled(2) == []  # free, but the queue has a first
    assert choices(run, 1) == ["write_lock(r) -> None"]
    run.take(run.enabled(1)[0])
    assert choices(run, 2) == ["write_lock(r) -> queues"]


def test_a_writer_queues_once():
    run, _ = behind_a_queued_writer(R, R.read_lock())
    assert run.enabled(1) == []


def test_an_interrupt_reader_still_waits_for_a_writer_that_holds_the_lock():
    m = Model("held")

    def writes():
        yield R.write_lock()

    def reads():
        yield R.read_lock(in_interrupt=True)

    m.process("writes", writes)
    m.process("reads", reads)
    m.deadlock()
    assert verify(m, "deadlock").stuck == (1,)


def test_trylocks_answer_and_never_wait(decide):
    m = Model("try")
    got = m.range("got", 0, 2)

    def tries():
        if (yield S.trylock()):
            yield shared("got++", (got, got + 1))
            yield wait(got.lt(0))

    m.process("a", tries)
    m.process("b", tries)
    m.invariant("both", got.le(1))
    m.deadlock()
    assert decide(m, "both").verdict == "holds"
    assert decide(m, "deadlock").stuck in ((0,), (1,))


def twice(first, again, give_again, give) -> Model:
    """One process takes a lock twice while a writer comes."""
    m = Model("recursive")

    def recursive():
        yield first
        yield again
        yield give_again
        yield give

    def writes():
        yield R.write_lock()
        yield R.write_unlock()

    m.process("recursive", recursive)
    m.process("writes", writes)
    m.deadlock()
    return m


def test_a_recursive_read_behind_a_waiting_writer_deadlocks(decide):
    outcome = decide(twice(R.read_lock(), R.read_lock(), R.read_unlock(), R.read_unlock()), "deadlock")
    assert (outcome.verdict, outcome.stuck) == ("violated", (0, 1))
    assert [choice for _, choice in outcome.steps] == ["read_lock(r)", "write_lock(r) -> queues"]


def test_a_recursive_read_from_an_interrupt_passes_the_writer(decide):
    assert (
        decide(
            twice(R.read_lock(), R.read_lock(in_interrupt=True), R.read_unlock(), R.read_unlock()), "deadlock"
        ).verdict
        == "holds"
    )


def test_a_recursive_read_that_lets_go_at_the_end_of_the_model_deadlocks(decide):
    m = Model("recursive")

    def recursive():
        yield R.read_lock()
        yield R.read_lock()
        yield shared("drop both", (R.readers, R.readers - 2))

    def writes():
        yield R.write_lock()
        yield R.write_unlock()

    m.process("recursive", recursive)
    m.process("writes", writes)
    m.deadlock()
    assert decide(m, "deadlock").stuck == (0, 1)


def two_locks(orders, make=Mutex, classes: tuple[str, str] = ("", "")) -> Model:
    m = Model("order")
    locks = (make("a", classes[0]), make("b", classes[1]))

    def takes(order):
        for i in order:
            yield locks[i].lock()
        for i in order:
            yield locks[i].unlock()

    for number, order in enumerate(orders):
        m.process(f"p{number}", takes, order)
    m.deadlock()
    m.lock_order()
    return m


@pytest.mark.parametrize("make", [Mutex, SpinLock])
def test_abba_is_a_cycle_of_classes_and_a_deadlock(decide, make):
    model = two_locks([(0, 1), (1, 0)], make)
    assert decide(model, "deadlock").verdict == "violated"
    outcome = decide(model, "lock-order")
    assert outcome.verdict == "violated"
    assert {(a.held.lock, a.wanted.lock) for a in outcome.attempts} == {("a", "b"), ("b", "a")}


def test_one_fixed_order_is_neither(decide):
    model = two_locks([(0, 1), (0, 1)])
    assert decide(model, "deadlock").verdict == "holds"
    assert decide(model, "lock-order").verdict == "holds"


def test_two_read_locks_in_one_fixed_order_do_not_deadlock_beside_writers(decide):
    m = Model("reads")
    first, second = RwLock("one", "class"), RwLock("two", "class")

    def reads():
        while True:
            yield first.read_lock()
            yield second.read_lock()
            yield second.read_unlock()
            yield first.read_unlock()

    def writes(lock):
        while True:
            yield lock.write_lock()
            yield lock.write_unlock()

    m.process("reads", reads)
    m.process("more", reads)
    m.process("writes-first", writes, first)
    m.process("writes-second", writes, second)
    m.deadlock()
    m.lock_order()
    assert decide(m, "deadlock").verdict == "holds"
    assert decide(m, "lock-order").verdict == "holds"


def test_two_read_locks_in_both_orders_deadlock_with_two_writers(decide):
    m = Model("reads")
    one, two = RwLock("one"), RwLock("two")

    def reads(first, second):
        yield first.read_lock()
        yield second.read_lock()
        yield second.read_unlock()
        yield first.read_unlock()

    def writes(lock):
        yield lock.write_lock()
        yield lock.write_unlock()

    m.process("p", reads, one, two)
    m.process("q", reads, two, one)
    m.process("v", writes, one)
    m.process("w", writes, two)
    m.deadlock()
    assert decide(m, "deadlock").stuck == (0, 1, 2, 3)


def test_abba_is_found_by_class_where_no_two_instances_meet(decide):
    m = Model("instances")
    a, b = (SpinLock("a1", "A"), SpinLock("a2", "A")), (SpinLock("b1", "B"), SpinLock("b2", "B"))

    def takes(first, second):
        yield first.lock()
        yield second.lock()
        yield second.unlock()
        yield first.unlock()

    m.process("p", takes, a[0], b[0])
    m.process("q", takes, b[1], a[1])
    m.deadlock()
    m.lock_order()
    assert decide(m, "deadlock").verdict == "holds"
    outcome = decide(m, "lock-order")
    assert (outcome.verdict, {(t.held.lock_class, t.wanted.lock_class) for t in outcome.attempts}) == (
        "violated",
        {("A", "B"), ("B", "A")},
    )


def test_limit_a_class_nested_in_itself_is_no_cycle(decide):
    assert decide(two_locks([(0, 1), (1, 0)], classes=("C", "C")), "lock-order").verdict == "holds"


def test_a_trylock_adds_no_edge_into_its_class_and_one_out_of_it(decide):
    def model(inner_first: bool):
        m = Model("try")
        a, b = SpinLock("a"), SpinLock("b")

        def takes():
            yield a.lock()
            yield b.lock()
            yield b.unlock()
            yield a.unlock()

        def tries():
            outer, inner = (b, a)
            if inner_first:
                if (yield outer.trylock()):
                    yield inner.lock()
                    yield inner.unlock()
                    yield outer.unlock()
            else:
                yield outer.lock()
                if (yield inner.trylock()):
                    yield inner.unlock()
                yield outer.unlock()

        m.process("takes", takes)
        m.process("tries", tries)
        m.lock_order()
        return m

    assert decide(model(inner_first=False), "lock-order").verdict == "holds"
    assert decide(model(inner_first=True), "lock-order").verdict == "violated"


def test_three_classes_in_a_ring_are_a_cycle(decide):
    m = Model("ring")
    locks = (Mutex("a"), Mutex("b"), Mutex("c"))

    def takes(first, second):
        yield first.lock()
        yield second.lock()
        yield second.unlock()
        yield first.unlock()

    for i in range(3):
        m.process(f"p{i}", takes, locks[i], locks[(i + 1) % 3])
    m.lock_order()
    assert len(decide(m, "lock-order").attempts) == 3


def sleeper(before, after=None) -> Model:
    m = Model("sleep")

    def sleeps():
        if before is not None:
            yield before
        yield sleep_point("copies")
        if after is not None:
            yield after

    m.process("sleeps", sleeps)
    m.sleep_in_atomic()
    return m


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        (None, "holds"),
        (M.lock(), "holds"),
        (S.lock(), "violated"),
        (R.read_lock(), "violated"),
        (R.write_lock(), "violated"),
    ],
)
def test_holders_of_spinning_locks_may_not_sleep(decide, before, verdict):
    outcome = decide(sleeper(before), "sleep-in-atomic")
    assert outcome.verdict == verdict
    if verdict == "violated":
        assert outcome.steps[-1] == (0, "copies sleeps")


def test_interrupts_off_forbid_sleeping_until_they_are_on_again(decide):
    def model(on):
        m = Model("irq")

        def sleeps():
            yield S.lock(irq="off")
            yield S.unlock(irq=on)
            yield M.lock()
            yield M.unlock()

        m.process("sleeps", sleeps)
        m.sleep_in_atomic()
        return m

    assert decide(model(""), "sleep-in-atomic").steps[-1] == (0, "mutex_lock(m) sleeps")
    assert decide(model("on"), "sleep-in-atomic").verdict == "holds"


def test_a_mutex_under_a_spinlock_sleeps_whether_it_is_free_or_not(decide):
    m = Model("nest")

    def takes():
        yield S.lock()
        yield M.lock()
        yield M.unlock()
        yield S.unlock()

    m.process("takes", takes)
    m.sleep_in_atomic()
    assert decide(m, "sleep-in-atomic").verdict == "violated"


def test_a_sleep_on_a_path_that_is_never_taken_is_not_found(decide):
    m = Model("never")
    flag = m.bool("flag")

    def takes():
        yield S.lock()
        yield wait(flag)
        yield sleep_point("never")

    m.process("takes", takes)
    m.sleep_in_atomic()
    assert decide(m, "sleep-in-atomic").verdict == "holds"


def test_a_lock_released_that_is_not_held_is_an_error_of_the_spec():
    m = Model("free")

    def frees():
        yield reach("start")
        yield S.unlock()

    m.process("frees", frees)
    m.deadlock()
    with pytest.raises(
        SpecError,
        match=r"test_locks\.py:\d+: process frees releases `s`, which it does not hold here "
        r"\(it holds none\)",
    ):
        verify(m, "deadlock")


def test_a_process_that_ends_with_a_lock_leaves_others_stuck(decide):
    m = Model("kept")

    def keeps():
        yield S.lock()

    m.process("a", keeps)
    m.process("b", keeps)
    m.deadlock()
    assert decide(m, "deadlock").stuck in ((0,), (1,))

"""lockdep's layout, to the column (kernel/locking/lockdep.c): for cycles of classes, for deadlocks, for interrupts."""

from __future__ import annotations

from dataclasses import replace

from sample_traces import Builder, lock_order, nested_deadlock, torn_read

from modelcheck.trace.trace import LockOrderEdge, ProcessInfo, Trace
from modelcheck.view.lock_scenario import scenario

CIRCULAR = """\
Chain exists of:
  rq --> gpc --> pool_lock

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(pool_lock);
                               lock(gpc);
                               lock(pool_lock);
  lock(rq);

 *** DEADLOCK ***
"""


def drawn(trace: Trace) -> str:
    """The scenario without where its arrows were seen."""
    return "\n".join(scenario(trace, 71)).partition("*** DEADLOCK ***")[0]


def test_a_cycle_of_classes_is_drawn_to_the_column() -> None:
    text = "\n".join(scenario(lock_order(), 71))
    assert text.startswith(CIRCULAR)
    head = CIRCULAR.split("\n")[5]
    assert (head.index("CPU0"), head.index("CPU1")) == (7, 31)


def test_a_deadlock_is_drawn_with_the_locks_that_are_held_and_asked_for() -> None:
    assert scenario(nested_deadlock(), 71) == [
        "Chain exists of:", "  gpc1 --> rq0", "", " Possible unsafe locking scenario:", "",
        "       CPU0                    CPU1", "       ----                    ----", "  lock(rq0);",
        "                               lock(gpc1);", "                               lock(rq0);", "  rlock(gpc1);",
        "", " *** DEADLOCK ***", "", "gpc1 --> rq0: try_to_wake_up(), vCPU 1 task",
        "rq0 --> gpc1: update_guest(), its own sched_out",
    ]


def three() -> Trace:
    b = Builder()
    for process, lock in enumerate("abc"):
        b.lock(process, "acquire", lock)
    b.lock(1, "acquire", "free")
    b.lock(1, "release", "free")
    for process, lock in enumerate("bca"):
        b.lock(process, "queue" if process == 1 else "attempt", lock)
    processes = tuple(ProcessInfo(f"p{i}", "", i) for i in range(3))
    return replace(torn_read(), steps=tuple(b.steps), deciding=7, processes=processes, area=None)


def test_a_deadlock_of_three_shows_the_whole_chain() -> None:
    lines = scenario(three(), 71)
    assert lines[1] == "  a --> b --> c"
    assert lines[7:11] == ["  lock(c);", " " * 31 + "lock(b);", " " * 31 + "lock(c);", "  lock(a);"]


def test_no_cycle_is_no_scenario() -> None:
    whole = three()
    assert scenario(replace(whole, steps=(*whole.steps[:2], *whole.steps[3:])), 71) == []  # nobody holds c
    assert scenario(torn_read(), 71) == []
    assert scenario(played("0 acquire a", "0 release a", "1 acquire b", "0 attempt b", "1 attempt a"), 71) == []
    got_it = ("0 acquire a", "0 queue b", "0 acquire b", "0 release b", "1 acquire b", "1 attempt a")
    assert scenario(played(*got_it), 71) == []
    assert scenario(played(*got_it[:2], *got_it[4:]), 71) != []


def played(*moves: str) -> Trace:
    b = Builder()
    for move in moves:
        process, op, lock = move.split()
        b.lock(int(process), op, lock)
    return replace(torn_read(), steps=tuple(b.steps), deciding=len(moves) - 1)


def test_what_is_nested_and_asks_for_its_hosts_lock_is_an_interrupt() -> None:
    b = Builder()
    b.lock(0, "acquire", "a")
    b.lock(1, "attempt", "a")
    processes = (ProcessInfo("host", "", 0), ProcessInfo("irq", "", 0))
    trace = replace(torn_read(), steps=tuple(b.steps), deciding=1, processes=processes, area=None)
    assert drawn(trace) == (
        " Possible unsafe locking scenario:\n\n       CPU0\n       ----\n  lock(a);\n  <Interrupt>\n    lock(a);\n\n ")
    by_class = replace(trace, lock_order=(LockOrderEdge("a", "a", "exclusive", "exclusive", 1, "f", 1),))
    assert drawn(by_class) == drawn(trace)
    own = replace(trace, steps=(b.steps[0], replace(b.steps[1], process=0)))
    assert drawn(own).endswith("  lock(a);\n  lock(a);\n\n ")


def test_an_interrupt_closes_a_cycle_of_two_cpus() -> None:
    b = Builder()
    b.lock(0, "acquire", "a")
    b.lock(2, "acquire", "b")
    b.lock(2, "attempt", "a")
    b.lock(1, "attempt", "b", "read")
    processes = (ProcessInfo("host", "", 0), ProcessInfo("irq", "", 0), ProcessInfo("other", "", 1))
    trace = replace(torn_read(), steps=tuple(b.steps), deciding=3, processes=processes, area=None)
    assert scenario(trace, 71)[7:12] == [
        "  lock(a);", " " * 31 + "lock(b);", " " * 31 + "lock(a);", "  <Interrupt>", "    rlock(b);"]

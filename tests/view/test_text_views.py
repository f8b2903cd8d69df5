"""The text views: exact tables for three hand-made traces, and limits that hold for any trace."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, Builder, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.errors import UsageError
from modelcheck.trace.file import to_text
from modelcheck.trace.trace import ProcessInfo, Trace
from modelcheck.view import FORMS, render

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = [torn_read, lock_order, nested_deadlock, long_trace]

TORN_READ_PASTE = """\
    Initially: update 1 complete, flag clear

    CPU0 (KVM, update 2)            CPU1 (guest, 64-bit reader)
                                    get_snapshot()
                                      t = READ_ONCE(entry_time)
                                        = 0x10000003e8 (update 1, flag
                                          clear)
    update_guest()
      (update 2: sched_in)
      *update_bit = entry_hi |
        0x80
        -> update 2, with flag
      smp_wmb()
      *rs_state = state
        -> update 2
                                      rmb(); res.state = 0x2 (update 2)
                                      res.time[] = update 1
                                      rmb(); 2nd READ_ONCE(entry_time),
                                        bytes 0-3
                                        = 0x3e8 (update 1)
      *rs_times = entry | FLAG
        -> update 2, with flag
      memcpy(rs_times + 1, times)
        -> update 2
      smp_wmb()
      *update_bit = entry_hi
        -> update 2, flag clear
                                      2nd READ_ONCE(entry_time), bytes 4-7
                                        = 0x10 (update 2, flag clear)
                                      equal -> True, flag set? -> False,
                                        snapshot: accepted
                                        ^^^^^^^^^^^^^^^^^^

    => the reader accepts the state of update 2 with the times of update 1
       Both loads of entry_time saw its low half from update 1 and a high
       half with the flag clear.
       entry_time crosses a cache line, so one 8-byte load is two.
       runstate 5ec3289b torn-read; known: D6; 4 context switches;
       id 9a01b1ac0f.
"""

LOCK_ORDER_PASTE = """\
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

    rq --> gpc: update_guest(), vCPU 0
    gpc --> pool_lock: queue_work(), vCPU 1
    pool_lock --> rq: try_to_wake_up(), vCPU 1

    CPU0 (vCPU 0)                   CPU1 (vCPU 1)
    schedule()
      lock(rq0)
      update_guest()
        read_lock(gpc1)
        read_unlock(gpc1)
      unlock(rq0)
                                    refresh()
                                      write_lock(gpc1)
                                      queue_work()
                                        lock(pool_lock)
                                        try_to_wake_up()
                                          lock(rq0)
                                          ^^^^^^^^^

    => the lock classes rq, gpc and pool_lock are taken in a cycle
       No instance deadlocks in this trace.
       runstate d8ba8ba4 lock-order; known: B9; 1 context switch;
       id 2262bd9711.
"""

NESTED_DEADLOCK_PASTE = """\
    Chain exists of:
      gpc1 --> rq0

     Possible unsafe locking scenario:

           CPU0                    CPU1
           ----                    ----
      lock(rq0);
                                   lock(gpc1);
                                   lock(rq0);
      rlock(gpc1);

     *** DEADLOCK ***

    gpc1 --> rq0: try_to_wake_up(), vCPU 1 task
    rq0 --> gpc1: update_guest(), its own sched_out

    Initially: gpc1 valid, all locks free

    CPU0 (vCPU 0 task)              CPU1 (vCPU 1 task)
    update()
      gpc1.valid? -> True
    --> its own sched_out
      schedule()
        lock(rq0)
                                    refresh()
                                      write_lock(gpc1)
                                      gpc1.valid = 0
                                      try_to_wake_up()
                                        lock(rq0)
                                          blocked: waits for rq0 held by
                                            sched_out (exclusive)
        update_guest()
          read_lock(gpc1)
            blocked: waits for
              gpc1 held by refresh
              (write)
              ^^^^^^^

    => sched_out and refresh wait for each other for ever
       sched_out may not give up: it spins with rq0 held.
       runstate d8ba8ba4 deadlock; known: B9; 3 context switches;
       id 3da8bd7615.
"""

NESTED_DEADLOCK_TABLE = """\
runstate d8ba8ba4: deadlock, memory sc preemption=full (known: B9)
Initially: gpc1 valid, all locks free

#   process    action            result                                    changes
--  ---------  ----------------  ----------------------------------------  ------------------
1   update     gpc1.valid?       -> True
3   sched_out  lock(rq0)
4   refresh    write_lock(gpc1)
5   refresh    gpc1.valid = 0                                              gpc1.valid: 1 -> 0
6   refresh    lock(rq0)         blocked: waits for rq0 held by sched_out
                                 (exclusive)
7*  sched_out  read_lock(gpc1)   blocked: waits for gpc1 held by refresh
                                 (write)

=> sched_out and refresh wait for each other for ever
   sched_out may not give up: it spins with rq0 held.
7 steps, 3 context switches, id 3da8bd7615
again: modelcheck check --property deadlock --version d8ba8ba4
"""


THREE_CPUS_PASTE = """\
    CPU0 (the task)         CPU1 (reader)           CPU2 (notifier)
    ioctl()
     x = 0
     update_guest()
      x = 1
                            get()
                             r = x
    --> sched_out
     preempt
     __schedule()
      y = 0
      update_guest()
       y = 1
                                                    invalidate()
                                                     valid = 0
     resume
    <-- the task
      z = 1
     x = 2
                             r =
                              rather_long_name_of_
                              a_field
                              ^^^^^^^

    => torn
"""


GOLDEN = [
    (torn_read, "paste", TORN_READ_PASTE), (lock_order, "paste", LOCK_ORDER_PASTE),
    (nested_deadlock, "paste", NESTED_DEADLOCK_PASTE), (nested_deadlock, "table", NESTED_DEADLOCK_TABLE),
]


@pytest.mark.parametrize(("make", "form", "text"), GOLDEN)
def test_hand_made_traces_are_shown_exactly(make: Callable[[], Trace], form: str, text: str) -> None:
    assert render(make(), form) == text


def test_three_cpus_with_a_nested_call_are_shown_exactly() -> None:
    b = Builder()
    for process, label, function, depth in (
        (0, "x = 0", "ioctl", 1), (0, "x = 1", "update_guest", 4), (2, "r = x", "get", 1), (1, "preempt", "", 2),
        (1, "y = 0", "__schedule", 3), (1, "y = 1", "update_guest", 6), (3, "valid = 0", "invalidate", 1),
        (1, "resume", "", 2), (0, "z = 1", "update_guest", 5), (0, "x = 2", "ioctl", 1),
        (2, "r = rather_long_name_of_a_field", "get", 1),
    ):
        b.add(process, label, "shared", function=function, depth=depth, changes=(("x", "0", "1"),))
    names = (("vcpu", "the task", 0), ("sched_out", "", 0), ("reader", "", 1), ("notifier", "", 2))
    trace = replace(
        torn_read(), steps=tuple(b.steps), deciding=len(b.steps) - 1, processes=tuple(ProcessInfo(*n) for n in names),
        initial=(), consequence="torn", why=(),
    )
    assert render(trace, "paste").startswith(THREE_CPUS_PASTE)


def check_paste(text: str) -> None:
    """ASCII, no tabs, no control characters, at most 75 columns, nothing at the end of a line."""
    assert text.isascii()
    for line in text.split("\n"):
        assert len(line) <= 75, line
        assert line.isprintable(), line
        assert line == line.rstrip()
        assert not line or line.startswith("    ")


@pytest.mark.parametrize("make", SAMPLES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("cpus", [(0, 1), (2, 0), (0, 0)])
def test_paste_fits_a_changelog(make: Callable[[], Trace], full: bool, cpus: tuple[int, int]) -> None:
    trace = make()
    moved = tuple(replace(p, cpu=cpus[i]) if i < 2 else p for i, p in enumerate(trace.processes))
    check_paste(render(replace(trace, processes=moved), "paste", full))


@given(traces())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_fits_a_changelog(trace: Trace) -> None:
    for full in (False, True):
        check_paste(render(trace, "paste", full))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_line(text: str) -> None:
    check_paste(render(hostile(text), "paste"))
    for full in (False, True):
        assert all(line.isprintable() for line in render(hostile(text), "table", full).split("\n"))
        assert all(line.isprintable() for line in render(hostile(text), "dot", full).split("\n"))


def test_second_column_is_at_32_and_carets_end_the_table() -> None:
    lines = render(torn_read(), "paste").split("\n")
    header = next(line for line in lines if "CPU0" in line)
    assert header.index("CPU1") == 4 + 32
    carets = next(index for index, line in enumerate(lines) if "^^^" in line)
    assert lines[carets - 1].strip() == "snapshot: accepted"
    assert len(lines[carets]) == len(lines[carets - 1])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_each_cpu_has_a_column_up_to_four(count: int) -> None:
    base = torn_read()
    steps = tuple(replace(step, process=index % count) for index, step in enumerate(base.steps))
    processes = tuple(ProcessInfo(f"p{cpu}", "a title that is rather long", cpu) for cpu in range(count))
    text = render(replace(base, steps=steps, processes=processes), "paste")
    check_paste(text)
    named = [line for line in text.split("\n") if f"CPU{count - 1}" in line]
    assert named
    assert ("CPU0" in named[0]) == (1 <= count <= 4)


def test_who_does_nothing_that_is_shown_has_no_column() -> None:
    base = torn_read()
    idle = ProcessInfo("notifier", "MMU notifier", 2)
    assert render(replace(base, processes=(*base.processes, idle)), "paste") == TORN_READ_PASTE
    for full in (False, True):  # the first row is the reader's alone
        alone = replace(base, steps=base.steps[:1], deciding=-1, processes=(*base.processes, idle))
        header = next(line for line in render(alone, "paste", full).split("\n") if line.startswith("    CPU"))
        assert header == "    CPU1 (guest, 64-bit reader)"


def test_distilled_views_leave_out_locks_nobody_shares_and_full_keeps_them() -> None:
    for form in ("table", "paste", "svg", "dot"):
        assert "read_lock(gpc1)" not in render(torn_read(), form).replace("</text>", "")
        assert "read_lock(gpc1)" in render(torn_read(), form, full=True)


def test_a_blocked_process_says_for_whom_it_waits() -> None:
    text = " ".join(render(nested_deadlock(), "paste").split())
    assert "blocked: waits for rq0 held by sched_out (exclusive)" in text


def test_lock_order_of_two_of_one_and_of_no_cycle() -> None:
    base = lock_order()
    first, second, third = base.lock_order
    two = replace(base, lock_order=(first, replace(second, acquired="rq")))
    assert "      rq --> gpc\n" in render(two, "paste")
    one = render(replace(base, lock_order=(replace(first, acquired="rq", acquired_mode="read"),)), "paste")
    assert "      lock(rq);\n      rlock(rq);\n" in one
    assert "CPU1                    " not in one
    assert "DEADLOCK" not in render(replace(base, lock_order=(first, third)), "paste")


def test_table_says_where_bytes_were_read_from() -> None:
    row = next(line for line in render(torn_read(), "table").split("\n") if line.startswith("18 "))
    assert row.endswith("13 (bytes 4-6), 17 (byte 7)")
    assert "= 0x10 (update 2, flag clear)" in row


def test_mixed_bytes_are_told_apart() -> None:
    text = " ".join(render(long_trace(), "paste").split())
    assert "(bytes 0-6 of update 2, 7 of update 3, with flag)" in text


def test_json_is_the_file_and_an_unknown_form_lists_the_forms() -> None:
    assert render(torn_read(), "json") == to_text(torn_read())
    with pytest.raises(UsageError, match="no form 'pdf' to show a trace in; the forms are table, paste, "):
        render(torn_read(), "pdf")


def test_views_are_deterministic_and_end_in_a_newline() -> None:
    for form in FORMS:
        for make in SAMPLES:
            text = render(make(), form)
            assert text == render(make(), form)
            assert text.endswith("\n")


def test_dot_has_the_edges_of_the_graph() -> None:
    text = render(torn_read(), "dot", full=True)
    edges = re.findall(r"^  (s\d+) -> (s\d+) \[label=\"(\w+): (.*?)\\l\"", text, re.MULTILINE)
    assert ("s13", "s18", "rf", "area bytes 12-14") in edges
    assert ("s17", "s18", "rf", "area byte 15") in edges
    assert ("s10", "s14", "fr", "area bytes 16-23") in edges
    assert {kind for _, _, kind, _ in edges} == {"rf", "co", "fr"}


def test_dot_draws_a_hand_over_that_others_imply_only_in_full() -> None:
    b = Builder()
    for process, op in ((0, "acquire"), (0, "release"), (1, "acquire"), (1, "release")):
        b.lock(process, op, "a")
    b.lock(0, "acquire", "b")
    b.lock(0, "release", "b")
    b.lock(0, "acquire", "a", "read")
    b.lock(0, "release", "a", "read")
    b.lock(1, "acquire", "b")
    b.lock(1, "acquire", "a")
    trace = replace(torn_read(), steps=tuple(b.steps), deciding=9)

    def hand_overs(full: bool) -> list[str]:
        return re.findall(r"s\d+ -> s\d+ \[label=.lock: \w", render(trace, "dot", full))

    assert hand_overs(True) == [
        "s2 -> s3 [label=\"lock: a", "s4 -> s7 [label=\"lock: a", "s4 -> s10 [label=\"lock: a",
        "s6 -> s9 [label=\"lock: b", "s8 -> s10 [label=\"lock: a"]
    assert hand_overs(False) == [drawn for drawn in hand_overs(True) if not drawn.startswith("s4 -> s10")]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("text", HOSTILE)
def test_graphviz_accepts_hostile_labels(text: str) -> None:
    source = render(hostile(text), "dot").encode()
    done = subprocess.run(["dot", "-Tplain"], input=source, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"rror" not in done.stderr

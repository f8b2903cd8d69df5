"""The view for a screen reader: a line a step says who, what, what was read from which update, and what changed."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, Builder, hostile, lock_order, nested_deadlock, torn_read, traces

from modelcheck.trace.trace import Fate, Passing, Trace
from modelcheck.view import render

TORN_READ = """\
A counterexample to torn-read of runstate 5ec3289b, which is the known D6.
writer, KVM, update 2, runs on CPU 0.
reader, guest, 64-bit reader, runs on CPU 1.
At the start: update 1 complete, flag clear.

Steps 1 to 2: reader, in get_snapshot(), loads t = READ_ONCE(entry_time) and gets 0x10000003e8, which is update 1, \
flag clear (there from the start).
Step 5: writer, in update_guest(), stores *update_bit = entry_hi | 0x80, which is 0x80 of update 2, with flag; \
then smp_wmb(); before it, update 2: sched_in.
Step 7: writer, in update_guest(), stores *rs_state = state, which is 0x2 of update 2.
Step 9: reader, in get_snapshot(), does rmb(), then loads res.state and gets 0x2, which is update 2 (stored in step 7).
Step 10: reader, in get_snapshot(), loads res.time[] and gets update 1 (there from the start).
Step 12: reader, in get_snapshot(), does rmb(), then loads 2nd READ_ONCE(entry_time), bytes 0-3 and gets 0x3e8, \
which is update 1 (there from the start).
Step 13: writer, in update_guest(), stores *rs_times = entry | FLAG, which is 0x80000010000005dc of update 2, with flag.
Steps 14 to 15: writer, in update_guest(), stores memcpy(rs_times + 1, times), of update 2; then smp_wmb().
Step 17: writer, in update_guest(), stores *update_bit = entry_hi, which is 0x0 of update 2, flag clear.
Step 18: reader, in get_snapshot(), loads 2nd READ_ONCE(entry_time), bytes 4-7 and gets 0x10, which is update 2, \
flag clear (bytes 4-6 stored in step 13, byte 7 stored in step 17).
Steps 19 to 21: reader, in get_snapshot(), asks equal and is told True, then asks flag set? and is told False, then \
snapshot: accepted; this decides.

What went wrong: the reader accepts the state of update 2 with the times of update 1.
Why: Both loads of entry_time saw its low half from update 1 and a high half with the flag clear.
Why: entry_time crosses a cache line, so one 8-byte load is two.
The command that finds it again: modelcheck check runstate --version seed --property torn-read --set offset=52
Its id is 9a01b1ac0f.
"""


def steps_of(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.startswith("Step")]


def test_each_step_is_a_sentence_of_its_own() -> None:
    text = render(torn_read(), "text")
    assert text.split("\n") == TORN_READ.split("\n")


def test_nesting_locks_and_waiting_are_said() -> None:
    base = nested_deadlock()
    waits = (("refresh", "rq0"),)
    trace = replace(base, steps=(*base.steps[:6], replace(base.steps[6], waits=waits)))
    assert steps_of(render(trace, "text")) == [
        "Step 1: update, in update(), asks gpc1.valid? and is told True.",
        "Step 3: sched_out (CPU 0 turned to it from update), in schedule(), takes rq0, by lock(rq0).",
        "Step 4: refresh, in refresh(), takes gpc1 for writing, by write_lock(gpc1).",
        "Step 5: refresh, in refresh(): gpc1.valid = 0; gpc1.valid changes from 1 to 0.",
        "Step 6: refresh, in try_to_wake_up(), waits for rq0, held by sched_out (exclusive), by lock(rq0).",
        "Step 7: sched_out, in update_guest(), waits for gpc1 for reading, held by refresh (write), by "
        "read_lock(gpc1); refresh is waiting for rq0; this decides.",
    ]
    assert "sched_out, its own sched_out, runs on CPU 0, on top of update.\n" in render(trace, "text")


def test_who_goes_on_waiting_is_said_once() -> None:
    base = nested_deadlock()
    trace = replace(base, steps=tuple(replace(step, waits=(("refresh", "rq0"),)) for step in base.steps))
    assert render(trace, "text").count("refresh is waiting for rq0") == 1


def test_an_answer_is_said_unless_a_change_says_it() -> None:
    base = nested_deadlock()
    step = replace(base.steps[4], response="now = 5, clock = 7", label="now = clock()",
                   changes=(("refresh.now", "0", "5"), ("gpc1.valid", "1", "0")))
    text = render(replace(base, steps=(*base.steps[:4], step, *base.steps[5:])), "text")
    assert ": now = clock() (clock = 7); refresh.now changes from 0 to 5; gpc1.valid changes from 1 to 0.\n" in text


def test_why_it_failed_is_said_where_the_trace_knows() -> None:
    trace = replace(torn_read(), conjunct="the copy equals one update", fate=Fate(6, 1234),
                    passing=Passing(7, 1, "With the reader one step later it passes.", ()))
    told = render(trace, "text").partition("What went wrong")[2].split("\n")[3:6]
    assert told == [
        "False: the copy equals one update.",
        "From step 7 (writer: *rs_state = state) on no schedule avoids it.",
        "With the reader one step later it passes.",
    ]
    for form in ("table", "paste", "mermaid", "dot"):
        shown = " ".join(render(trace, form).replace("<br/>", " ").replace("\\l", " ").split()).replace("#58;", ":")
        assert "False: the copy equals one update." in shown
        assert "With the reader one step later it passes." in shown
    assert "No schedule avoids it, from the start.\n" in render(replace(trace, fate=Fate(-1, 9)), "text")


def test_pieces_of_one_store_are_named_together_and_a_full_stop_is_one() -> None:
    b = Builder()
    b.store(0, "copy", 0, 4, 2, whole=(0, 8))
    b.store(0, "copy", 4, 8, 2, whole=(0, 8))
    b.load(1, "r", 0, 8)
    text = render(replace(torn_read(), steps=tuple(b.steps), deciding=2, consequence="It is torn."), "text")
    assert "and gets 0x2, which is update 2 (stored in steps 1 to 2); this decides.\n" in text
    assert "What went wrong: It is torn.\n" in text


def test_an_order_of_locks_is_said() -> None:
    assert "Lock order: sched_out asks for gpc in update_guest() while rq is held.\n" in render(lock_order(), "text")


@given(traces())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_is_one_line_a_step_without_drawing_characters(trace: Trace) -> None:
    text = render(trace, "text", full=True)
    assert len(steps_of(text)) >= len(trace.steps)  # hostile titles may begin with "Step" too
    plain = replace(trace, spec="", version="", property="", case="", consequence="", why=(), initial=(), command="",
                    lock_order=(), processes=tuple(replace(p, title="") for p in trace.processes),
                    steps=tuple(replace(step, label="x", function="", response="", changes=(), fence="",
                                        memory=step.memory and replace(step.memory, text="x")) for step in trace.steps))
    told = render(plain, "text", full=True)
    assert len(steps_of(told)) == len(trace.steps)
    assert told.isascii()
    assert not set(told) & set("|<>=^*+_~`")
    assert "--" not in told


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_line(text: str) -> None:
    for full in (False, True):
        shown = render(hostile(text), "text", full)
        assert all(line.isprintable() for line in shown.split("\n"))
        assert len(steps_of(render(hostile(text), "text", True))) == len(hostile(text).steps)
        assert not any(unicodedata.category(c) == "Cf" for c in shown)

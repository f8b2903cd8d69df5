"""Distilled rows lose no step that matters, and say rightly where bytes came from."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import Builder, nested_deadlock, torn_read, traces

from modelcheck.trace.trace import ByteSource, Trace
from modelcheck.view import distil, dot, escape, palette, provenance
from modelcheck.view.escape import ascii_text, columns, cut, printable, wrap


@given(traces())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_step_is_in_at_most_one_row_and_accesses_are_all_there(trace: Trace) -> None:
    rows = distil.rows(trace)
    told = [step for row in rows for step in row.steps]
    assert told == sorted(set(told))
    assert all(trace.steps[step].process == row.process for row in rows for step in row.steps)
    touched = {index for index, step in enumerate(trace.steps) if step.memory}
    assert touched <= set(told)
    assert sum(row.deciding for row in rows) == (trace.deciding >= 0)
    assert [row.steps for row in distil.rows(trace, full=True)] == [(index,) for index in range(len(trace.steps))]


def test_pieces_of_one_access_are_one_row_unless_another_process_comes_between() -> None:
    texts = [(row.number, row.text, row.after) for row in distil.rows(torn_read()) if "READ_ONCE" in row.text]
    assert texts == [
        (1, "t = READ_ONCE(entry_time)", ()),
        (12, "rmb(); 2nd READ_ONCE(entry_time), bytes 0-3", ()),
        (18, "2nd READ_ONCE(entry_time), bytes 4-7", ()),
    ]


def test_the_same_access_twice_is_two_rows() -> None:
    b = Builder()
    b.load(0, "x", 0, 4)
    b.load(0, "x", 0, 4)
    assert len(distil.rows(replace(torn_read(), steps=tuple(b.steps), deciding=1))) == 2


def test_a_test_of_what_another_process_changes_stays() -> None:
    kept = [row.text for row in distil.rows(nested_deadlock())]
    assert "gpc1.valid?" in kept
    assert "preempt vcpu" not in kept


BYTES = [(1, ""), (1, ""), (2, "flag"), (2, "")]


@pytest.mark.parametrize(("sources", "known", "text"), [
    ([], {}, ""),
    (BYTES[:2], {}, "update 1"),
    (BYTES[:2], {"flag": frozenset({9})}, "update 1, flag clear"),
    (BYTES[2:], {}, "update 2, with flag"),
    (BYTES, {}, "bytes 0-1 of update 1, 2-3 of update 2, with flag"),
    ([(1, ""), (2, "")], {}, "byte 0 of update 1, 1 of update 2"),
    ([(i, "") for i in range(9)], {},
     "byte 0 of update 0, " + ", ".join(f"{i} of update {i}" for i in range(1, 6)) + ", ..."),
])
def test_origin_in_words(sources: list[tuple[int, str]], known: provenance.Variants, text: str) -> None:
    made = [ByteSource(8 + i, version, variant, -1, -1) for i, (version, variant) in enumerate(sources)]
    assert provenance.origin(made, 8, known) == text


def test_values_are_little_endian_and_known_as_a_whole() -> None:
    made = [ByteSource(i, 1, "", -1, value) for i, value in enumerate((0xE8, 0x03, 0, 0))]
    assert provenance.value(made) == "0x3e8"
    assert provenance.value([*made, ByteSource(4, 1, "", -1, -1)]) == ""
    assert provenance.value([made[0], made[2]]) == ""
    assert provenance.value([ByteSource(i, 1, "", -1, 1) for i in range(9)]) == ""


def test_text_is_escaped_for_one_line() -> None:
    assert printable("a\n\tb\x1b[1m\u202e") == "a b\\x1b[1m\\u202e"
    assert ascii_text("\u00fc \u2192 \u4e2d \U0001f600 \u2026") == "u -> \\u4e2d \\U0001f600 ..."
    assert columns("\u4e2da") == 3
    assert cut("abcdef", 4) == "ab.."
    assert wrap("", 10) == [""]
    assert all(columns(line) <= 9 for line in wrap("\u4e2d" * 30 + " x", 9, 4))


def test_long_names_are_broken_where_code_may_be() -> None:
    assert wrap("kvm_arch_vcpu_ioctl_run()", 22, 1) == ["kvm_arch_vcpu_ioctl_", " run()"]
    assert wrap("x = READ_ONCE(state_entry_time)", 20, 1) == ["x =", " READ_ONCE(state_", " entry_time)"]
    assert wrap("spin_lock(rq->__lock)", 16) == ["spin_lock(rq->", "__lock)"]
    assert wrap("a" * 50, 20, 2) == ["a" * 20, "  " + "a" * 18, "  " + "a" * 12]
    assert wrap("short words are not broken", 11) == ["short words", "are not", "broken"]


def test_examples_in_the_docstrings_hold() -> None:
    for module in (provenance, dot, palette, escape):
        assert doctest.testmod(module).failed == 0

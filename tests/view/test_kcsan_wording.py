"""KCSAN's wording (kernel/kcsan/report.c): which accesses race, their sizes, and what changed; only in a full paste."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_traces import HOSTILE, Builder, hostile, lock_order, torn_read

from modelcheck.trace.trace import Trace, Update
from modelcheck.view import render
from modelcheck.view.kcsan import reports

TORN_READ = """\

In KCSAN's wording, from a checked trace: no kernel ran, and KCSAN has
reported nothing.
==================================================================
BUG: KCSAN: data-race in get_snapshot / update_guest

write to 0x0000000000000043 of 1 bytes by task writer on cpu 0:
 update_guest (spec.py:14)

read (marked) to 0x000000000000003c of 8 bytes by task reader on cpu 1:
 get_snapshot (spec.py:11)

value changed: 0x00000010000003e8 -> 0x80000010000003e8
=================================================================="""


def of(build: Builder, **more: object) -> Trace:
    made = replace(torn_read(), steps=tuple(build.steps), deciding=len(build.steps) - 1)
    return replace(made, **more)  # type: ignore[arg-type]


def titles(trace: Trace) -> list[str]:
    return [line for line in reports(trace, 71) if line.startswith(("BUG", "write", "read", "value"))]


def test_a_race_is_told_as_kcsan_tells_it() -> None:
    assert "\n".join(reports(torn_read(), 71)) == TORN_READ


def test_what_memory_held_at_the_start_is_known_from_update_0_too() -> None:
    b = Builder()
    b.store(0, "x", 0, 4, 2)
    b.load(1, "r = x", 0, 8)
    assert "value changed" not in " ".join(titles(of(b)))  # nobody read bytes 0 to 3 before the store
    known = of(b, updates=(Update(0, (("state", 9),)),))
    assert titles(known)[-1] == "value changed: 0x0000000000000009 -> 0x0000000000000002"


def test_it_is_in_a_full_paste_alone_and_says_what_it_is() -> None:
    assert "KCSAN" not in render(torn_read(), "paste")
    full = render(torn_read(), "paste", True)
    assert "    In KCSAN's wording, from a checked trace: no kernel ran, and KCSAN has\n    reported nothing.\n" in full
    assert "    BUG: KCSAN: data-race in get_snapshot / update_guest\n" in full
    assert "KCSAN" not in render(lock_order(), "paste", True)


def test_sizes_are_those_of_the_whole_access_and_names_are_sorted() -> None:
    b = Builder()
    b.load(1, "everything is known", 0, 48, function="yy")
    b.store(0, "x", 8, 12, 2, whole=(8, 16), function="zz")
    b.load(1, "y", 0, 48, function="aa")
    assert titles(of(b))[3:] == [
        "BUG: KCSAN: data-race in aa / zz",
        "write to 0x000000000000003c of 8 bytes by task writer on cpu 0:",
        "read to 0x0000000000000034 of 48 bytes by task reader on cpu 1:",
    ]  # more than 8 bytes: KCSAN prints no value either


def test_a_write_after_a_read_races_and_the_value_of_the_read_changes() -> None:
    b = Builder()
    b.load(1, "r = x", 0, 4)
    b.store(0, "x", 0, 4, 3)
    assert titles(of(b))[1:] == [
        "write to 0x0000000000000034 of 4 bytes by task writer on cpu 0:",
        "read to 0x0000000000000034 of 4 bytes by task reader on cpu 1:",
        "value changed: 0x00000001 -> 0x00000000",
    ]


def test_two_writes_race() -> None:
    b = Builder()
    b.store(0, "x", 0, 4, 2)
    b.store(1, "x", 0, 4, 3)
    assert [line.split()[0] for line in titles(of(b))] == ["BUG:", "write", "write"]


def test_marked_accesses_race_with_plain_ones_only() -> None:
    b = Builder()
    b.store(0, "WRITE_ONCE(x, 1)", 0, 4, 2)
    b.load(1, "READ_ONCE(x)", 0, 4)
    assert titles(of(b)) == []
    b.load(1, "x", 0, 4, function="plain")
    assert [line.partition(" to ")[0] for line in titles(of(b))[1:3]] == ["write (marked)", "read"]


def test_locks_order_accesses_and_reads_from_do_not() -> None:
    b = Builder()
    b.lock(0, "acquire", "a")
    b.store(0, "x", 0, 4, 2)
    b.lock(0, "release", "a")
    b.lock(1, "acquire", "a")
    b.load(1, "x", 0, 4)
    assert titles(of(b)) == []
    without = [step for step in b.steps if step.lock is None]
    sources = without[1].memory
    assert sources is not None
    moved = replace(sources, bytes=tuple(replace(source, step=0) for source in sources.bytes))
    stored = without[0].memory
    assert stored is not None
    first = replace(stored, bytes=tuple(replace(source, step=0) for source in stored.bytes))
    steps = (replace(without[0], memory=first), replace(without[1], memory=moved))
    assert len(titles(replace(torn_read(), steps=steps, deciding=1))) == 3


def test_accesses_of_one_cpu_do_not_race() -> None:
    b = Builder()
    b.store(0, "x", 0, 4, 2)
    b.load(1, "x", 0, 4)
    nested = tuple(replace(process, cpu=0) for process in torn_read().processes)
    assert titles(of(b, processes=nested)) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_fit_whatever_the_names(text: str) -> None:
    assert all(len(line) <= 71 and line.isascii() and line.isprintable() for line in reports(hostile(text), 71))

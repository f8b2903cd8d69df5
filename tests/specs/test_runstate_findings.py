"""What the checker must find: each row of the first issue's table, at offsets that stand for their class.

The sweep over all 4096 offsets is `modelcheck check --expect`; here every row is checked at least once with exact
verdicts and cases.  The rows' sources are protocol.md 6, 12 and the issue.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from runstate_cases import ALL, V2, V3, V4, V5, V7, decided, report, result, results, setting, traced, verdict

from modelcheck.action import Register
from modelcheck import equal, has_variant, observe, rmb
from specs.runstate.layout import UPDATE
from specs.runstate.readers import READERS, View, copies

FLAG_VERSIONS = ALL[1:]  # those with the byte-wide flag
LOCKING = (V2, V3, V4)  # those whose atomic path waits for the lock


# -- torn-read: the shape of the entry time -------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 8, 24, 4040, 4048])
def test_5ec3289b_holds_for_linux64_where_the_entry_time_is_in_one_line(offset: int) -> None:
    assert verdict(V3, "torn-read", abi="64", offset=offset) == "holds"


@pytest.mark.parametrize("offset", [0, 4052, 4064])  # one line, exact fit, split behind the entry time
def test_5ec3289b_holds_for_linux32_where_the_entry_time_is_in_one_line(offset: int) -> None:
    assert verdict(V3, "torn-read", abi="32", offset=offset) == "holds"


@pytest.mark.parametrize("offset", [4064, 4090])  # a page cut behind and before the entry time
def test_5ec3289b_holds_for_linux64_where_the_area_is_split_beside_the_entry_time(offset: int) -> None:
    assert verdict(V3, "torn-read", abi="64", offset=offset) == "holds"


@pytest.mark.parametrize("offset", [4081, 4084, 49, 55])  # page end minus 15 (the selftest's), and lines
@pytest.mark.parametrize("version", [V3, V7])
def test_an_entry_time_across_a_line_or_page_is_torn_for_linux64(version: str, offset: int) -> None:
    found = result(version, "torn-read", abi="64", offset=offset)
    assert (found.verdict, found.case, found.expected) == ("violated", "D6", "violated")


def test_both_D6_snapshots_mix_whole_updates_at_the_selftest_offset(tmp_path: Path) -> None:
    found, trace = traced(V3, "torn-read", tmp_path, abi="64", offset=4081)
    halves = {(step.memory.lo, step.memory.hi) for step in trace.steps
              if step.memory is not None and step.memory.op == "load" and step.memory.whole == (8, 16)}
    assert halves == {(8, 15), (15, 16)}  # seven bytes on page 1, the flag byte on page 2
    assert found.steps == len(trace.steps)
    assert trace.case == "D6"


def ordered_halves(cut: int, high_first: bool):  # type: ignore[no-untyped-def]
    """linux64, but each load of the entry time is two loads, cut at `cut`, in one order."""

    def reader(view: View):  # type: ignore[no-untyped-def]
        high, low = (cut, view.layout.entry + 8), (view.layout.entry, cut)
        halves = (high, low) if high_first else (low, high)
        while True:
            loads: tuple[Register, ...] = ()
            for name in ("e1", "e2"):
                for lo, hi in halves:
                    register = yield view.area.load(lo, hi, "once", f"{name} bytes {lo} to {hi}")
                    loads = (*loads, register)
                    yield rmb()
                if name == "e1":
                    copy = yield from copies(view)
                    yield rmb()
            if not (yield equal(loads[0], loads[2])) or not (yield equal(loads[1], loads[3])):
                continue
            if (yield has_variant(loads[0] if high_first else loads[1], UPDATE)):
                continue
            named = {"e1.0": loads[0], "e1.1": loads[1], "e2.0": loads[2], "e2.1": loads[3]}
            named |= {f"copy.{i}": register for i, register in enumerate(copy)}
            yield observe("torn-read", **named).reaching("snapshot accepted")

    return reader


def torn_fields(high_first: bool, offset: int, cut: int, monkeypatch: pytest.MonkeyPatch, **values: str) -> set[str]:
    """The fields that a reader of that order can get torn, one byte of the copy at a time."""
    monkeypatch.setitem(READERS, "linux64", ordered_halves(cut, high_first))
    one = setting(V3, "torn-read", abi="64", offset=offset, **values)
    from specs.runstate import SPEC
    from specs.runstate.scene import layout_of

    found = set()
    for projection, outcome in zip(SPEC.projections(one), decided(one), strict=True):
        (byte,) = projection.copied  # type: ignore[attr-defined]
        name = next(name for name, lo, hi in layout_of(one).fields if lo <= byte < hi)
        assert outcome.verdict in ("violated", "holds", "vacuous"), outcome  # no retry witness in this reader
        if outcome.verdict == "violated":
            found.add(name.split("[")[0])
    return found

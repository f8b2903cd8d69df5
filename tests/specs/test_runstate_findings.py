"""What the checker must find: each row of the first issue's table, at offsets that stand for their class.

The sweep over all 4096 offsets is `modelcheck check --expect`; here every row is checked at least once with exact
verdicts and cases.  The rows' sources are protocol.md 6, 12 and the issue.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runstate_cases import ALL, FEW, V2, V3, V4, V5, V6S, V7, V7P, report, result, results, setting, traced, verdict

from modelcheck import Model, UsageError, equal, has_variant, observe, reach, rmb
from modelcheck.action import Register
from modelcheck.explore.verify import Options, verify
from modelcheck.spec import Value
from specs.runstate import SPEC
from specs.runstate.expected import expected
from specs.runstate.layout import UPDATE
from specs.runstate.readers import READERS, View, copies
from specs.runstate.scene import Projection, build

FLAG_OPTIONAL = ALL[2:]  # those where the guest asks for the flag
FLAG_VERSIONS = ALL[1:]  # those with the byte-wide flag
LOCKING = (V2, V3, V4)  # those whose atomic path waits for the lock


# -- torn-read: the shape of the entry time -------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 8, 24, 4040, 4048])
def test_5ec3289b_holds_for_linux64_where_the_entry_time_is_in_one_line(offset: int) -> None:
    assert verdict(V3, "torn-read", abi="64", offset=offset, **FEW) == "holds"


PARTS = {"state": (0, 4), "low word": (4, 8), "high word": (8, 11), "update byte": (11, 12), "time": (12, 44)}  # compat


def one_by_one(offset: int, part: str) -> str:
    """The verdict of the projections on that part of a compat copy: those of all parts prove the property."""
    one = setting(V3, "torn-read", abi="32", offset=offset, **FEW)
    lo, hi = PARTS[part]
    chosen = [p for p in SPEC.projections(one) if lo <= p.copied[0] < hi]  # type: ignore[attr-defined]
    (found,) = {verify(build(one, p), one.property, full=lambda: build(one)).verdict for p in chosen}
    assert (known := expected(one)) is not None and found == known.verdict
    return found


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("offset", [0, 4064])  # one line, and a page cut behind the entry time
def test_5ec3289b_holds_for_linux32_where_the_entry_time_is_in_one_line(offset: int, part: str) -> None:
    assert one_by_one(offset, part) == "holds"


@pytest.mark.parametrize("offset", [4064, 4090])  # a page cut behind and before the entry time
def test_5ec3289b_holds_for_linux64_where_the_area_is_split_beside_the_entry_time(offset: int) -> None:
    assert verdict(V3, "torn-read", abi="64", offset=offset, **FEW) == "holds"


@pytest.mark.parametrize("offset", [4081, 4084, 49, 55])  # page end minus 15 (the selftest's), and lines
@pytest.mark.parametrize("version", [V3, V7])
def test_an_entry_time_across_a_line_or_page_is_torn_for_linux64(version: str, offset: int) -> None:
    found = result(version, "torn-read", abi="64", offset=offset, **FEW)
    assert (found.verdict, found.case, found.expected) == ("violated", "D6", "violated")


def test_the_entry_time_is_loaded_in_two_halves_at_the_selftest_offset(tmp_path: Path) -> None:
    found, trace = traced(V3, "torn-read", tmp_path, abi="64", offset=4081, **FEW)
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
            copy: tuple[Register, ...] = ()
            for name in ("e1", "e2"):
                for lo, hi in halves:
                    register = yield view.area.load(lo, hi, "once", f"{name} bytes {lo} to {hi}")
                    loads = (*loads, register)
                    yield rmb()
                if name == "e1":
                    copy = yield from copies(view)
                    yield rmb()
            if not (yield equal(loads[0], loads[2])):
                yield reach("retry after a changed entry time")
                continue
            if not (yield equal(loads[1], loads[3])):
                continue
            if (yield has_variant(loads[0] if high_first else loads[1], UPDATE)):
                yield reach("retry after a set flag")
                continue
            named = {"e1.0": loads[0], "e1.1": loads[1], "e2.0": loads[2], "e2.1": loads[3]}
            named |= {f"copy.{i}": register for i, register in enumerate(copy)}
            yield observe("torn-read", **named).reaching("snapshot accepted")

    return reader


def within_four_seconds(model: Model) -> Model:
    """The same model where no update changes the entry time above its low word: protocol.md 12.1 item 9's condition."""
    assert model.values is not None
    known = model.values.assume

    def assume(z3: Any, versions: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        high = [z3.Extract(63, 32, version["state_entry_time"]) for version in versions]
        return [*known(z3, versions), *(("the high word stays", other == high[0]) for other in high[1:])]

    model.values = replace(model.values, assume=assume)
    return model


STATE, ENTRY, TIMES = 0, 8, 16


def torn_bytes(offset: int, cut: int, high_first: bool, compiler: str, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Which of a byte of the state, of the copy's entry time and of time[] a reader of that order can get torn."""
    monkeypatch.setitem(READERS, "linux64", ordered_halves(cut, high_first))
    one = setting(V3, "torn-read", abi="64", offset=offset, compiler=compiler, **FEW)
    found = set()
    for byte in (STATE, ENTRY, TIMES):
        projection = Projection(frozenset({*range(8, 16), byte}), (byte,))
        outcome = verify(
            within_four_seconds(build(one, projection)), "torn-read", full=lambda: within_four_seconds(build(one))
        )
        assert outcome.verdict in ("violated", "holds"), outcome
        if outcome.verdict == "violated":
            found.add(byte)
    return found


@pytest.mark.parametrize(
    ("high_first", "compiler", "torn"),
    [
        (True, "free", {STATE, TIMES}),
        (True, "program", {STATE, TIMES}),
        (False, "free", {STATE, TIMES}),
        (False, "program", {STATE}),  # the low half travels in the memcpy of page 1, before page 2 with the times
    ],
)
def test_D6_at_a_page_tears_in_either_order_of_the_halves(
    high_first: bool, compiler: str, torn: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """protocol.md 12.1 item 9, to the letter: low half first, only the state tears unless the memcpys are unordered."""
    assert torn_bytes(4081, 15, high_first, compiler, monkeypatch) == torn


@pytest.mark.parametrize("high_first", [True, False])
def test_D6_at_a_line_tears_in_either_order_of_the_halves(high_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert torn_bytes(49, 15, high_first, "free", monkeypatch) == {STATE, TIMES}


# -- torn-read: compat ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("offset", [4088, 56])  # across a page, across a line
def test_get64_is_immune_to_an_entry_time_cut_between_its_words(offset: int, part: str) -> None:
    assert one_by_one(offset, part) == "holds"


def test_a795cd43_tears_a_compat_entry_time_across_a_line() -> None:
    found = result(V2, "torn-read", abi="32", offset=56, **FEW)
    assert (found.verdict, found.case) == ("violated", "B4")


@pytest.mark.parametrize(("abi", "offset"), [("32", 0), ("64", 0), ("64", 4048)])
def test_a795cd43_holds_where_the_entry_time_is_in_one_line(abi: str, offset: int) -> None:
    assert verdict(V2, "torn-read", abi=abi, offset=offset, **FEW) == "holds"


# -- torn-read: what readers rely on --------------------------------------------------------------------------------


@pytest.mark.parametrize("abi", ["64", "32"])
def test_without_the_flag_a_remote_reader_is_torn_in_every_version_that_can_do_without(abi: str) -> None:
    found = results(FLAG_OPTIONAL, "torn-read", abi=abi, offset=0, flag="off", **FEW)
    assert [(each.version, each.verdict, each.case) for each in found] == [
        (version, "violated", "D11") for version in FLAG_OPTIONAL
    ]


@pytest.mark.parametrize("version", ALL)
def test_a_clock_that_may_repeat_tears_where_run_delay_may_move_meanwhile_until_36a85200(version: str) -> None:
    """protocol.md 12.1 item 2: with one time base, or clamped, nothing but the state moves while the clock stands."""
    some = {"abi": "64", "offset": 0, "clock": "may-repeat", **FEW}
    assert verdict(version, "torn-read", **some) == "holds"
    found = result(version, "torn-read", steal="free", **some)
    assert (found.verdict, found.case) == (("holds", "") if version in (V7, V7P) else ("violated", "D5"))


def test_a_clock_that_may_repeat_is_torn_for_get64_too() -> None:
    one = setting(V6S, "torn-read", abi="32", offset=0, clock="may-repeat", steal="free", **FEW)
    projection = Projection(frozenset(range(16)), (0, 12), early=True)  # the state and a byte of time[0]
    assert projection.carried > {*range(4, 12)} and SPEC.projections(one)[0].early  # type: ignore[attr-defined]
    hasty = Options(canonical_states=1)  # any counterexample will do
    assert verify(build(one, projection), one.property, options=hasty, full=lambda: build(one)).verdict == "violated"


def test_with_a_repeating_clock_two_updates_share_an_entry_time(tmp_path: Path) -> None:
    _, trace = traced(V6S, "torn-read", tmp_path, abi="64", offset=0, clock="may-repeat", steal="free", **FEW)
    times = [dict(update.fields)["state_entry_time"] for update in trace.updates]
    assert len(set(times)) < len(times)


def test_a_reader_that_ignores_the_flag_is_torn_in_every_version() -> None:
    found = results(ALL, "torn-read", abi="64", offset=0, reader="ignores-flag", **FEW)
    assert [(each.version, each.verdict) for each in found] == [(version, "violated") for version in ALL]


def test_a_compat_reader_that_ignores_the_flag_is_torn() -> None:
    assert verdict(V7, "torn-read", abi="32", offset=0, reader="ignores-flag", **FEW) == "violated"


@pytest.mark.parametrize(
    ("abi", "offset"),
    [("64", 0), ("64", 61), ("64", 4081), ("64", 4093), ("64", 4095), ("32", 0), ("32", 62), ("32", 4092)],
)
def test_the_state_alone_is_whole_in_every_version(abi: str, offset: int) -> None:
    """At 61..63 and 4093..4095 the state itself is cut; it is one byte wide, so it stays in 0..3 and whole."""
    versions = ALL if offset + 48 <= 4096 else FLAG_VERSIONS
    found = results(versions, "torn-read", abi=abi, offset=offset, reader="state-only", **FEW)
    assert [(each.version, each.verdict) for each in found] == [(version, "holds") for version in versions]


# -- locks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 4081])
@pytest.mark.parametrize("version", LOCKING)
def test_a_waiting_atomic_path_closes_a_cycle_of_lock_classes(version: str, offset: int, tmp_path: Path) -> None:
    if version == V2 and offset:
        with pytest.raises(UsageError, match="a795cd43 refuses an area"):
            result(version, "lock-order", abi="64", offset=offset, **FEW)
        return
    found, trace = traced(version, "lock-order", tmp_path, abi="64", offset=offset, **FEW)
    assert (found.verdict, found.case) == ("violated", "B9")
    edges = {(edge.held, edge.acquired): (edge.held_mode, edge.acquired_mode) for edge in trace.lock_order}
    assert edges == {
        ("rq->__lock", "gpc->lock"): ("exclusive", "read"),
        ("gpc->lock", "rq->__lock"): ("write", "exclusive"),
    }


def test_the_cycle_is_of_sched_out_against_a_refresh_that_releases_a_page(tmp_path: Path) -> None:
    _, trace = traced(V4, "lock-order", tmp_path, abi="64", offset=0, **FEW)
    asked = {(trace.processes[edge.process].name, edge.function, edge.held) for edge in trace.lock_order}
    assert asked == {
        ("sched_out", "kvm_xen_update_runstate_guest", "rq->__lock"),
        ("other", "kvm_release_pfn_clean", "gpc->lock"),  # another vCPU's cache: the cycle is of classes
    }


@pytest.mark.parametrize("abi", ["64", "32"])
def test_lock_order_holds_from_bbe17c62_on(abi: str) -> None:
    versions = tuple(version for version in ALL if version not in LOCKING)
    found = results(versions, "lock-order", abi=abi, offset=(0, 4081), **FEW)
    assert versions[0] == "bbe17c62"
    assert {each.verdict for each in found} == {"holds"}
    assert sum(each.count for each in found) == 2 * len(versions)


@pytest.mark.parametrize("property_name", ["deadlock", "sleep-in-atomic"])
@pytest.mark.parametrize("preemption", ["none", "voluntary"])
def test_no_version_deadlocks_or_sleeps_while_atomic(property_name: str, preemption: str) -> None:
    """B8: gpc1 then gpc2, two read locks of one task, wait for nobody who waits for them."""
    found = results(ALL, property_name, abi=("64", "32"), offset=(0, 4081), **(FEW | {"preemption": preemption}))
    assert {(each.version, each.verdict) for each in found} == {(version, "holds") for version in ALL}
    assert sum(each.count for each in found) == 4 * len(ALL) - 2  # a795cd43 has no split area


def test_a_split_area_takes_both_locks() -> None:
    (found,) = results(V3, "deadlock", abi="64", offset=4081, **FEW)
    assert dict(found.witnesses)["split path ran"] and dict(found.witnesses)["second cache activated"]


# -- broken siblings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("abi", ["64", "32"])
def test_a_writer_without_the_update_bit_tears(abi: str) -> None:
    for version in FLAG_VERSIONS if abi == "64" else (V3, V7):
        assert verdict(version, "torn-read", abi=abi, offset=0, without="update-bit", **FEW) == "violated"


@pytest.mark.parametrize("offset", [0, 4081])
@pytest.mark.parametrize("guard", ["check", "lock"])
def test_a_writer_without_check_or_lock_stores_through_a_stale_mapping(guard: str, offset: int) -> None:
    for version in (V3, V7):
        for abi in ("64", "32"):
            assert verdict(version, "stale-mapping", abi=abi, offset=offset, without=guard, **FEW) == "violated", abi


def test_a_writer_without_the_retry_stores_through_a_stale_first_mapping() -> None:
    for version in (V3, V5, V7):
        assert verdict(version, "stale-mapping", abi="64", offset=4081, without="retry", **FEW) == "violated", version


def test_without_the_retry_an_area_in_one_page_is_as_before() -> None:
    assert verdict(V7, "stale-mapping", abi="64", offset=0, without="retry", **FEW) == "holds"


def test_the_stale_store_of_a_missing_retry_goes_through_a_cache_that_was_not_checked_again(tmp_path: Path) -> None:
    _, trace = traced(V7, "stale-mapping", tmp_path, abi="64", offset=4081, without="retry", **FEW)
    last = trace.steps[-1].memory
    assert last is not None and last.op == "store" and last.whole == (15, 16)  # the flag's byte, through gpc2


# -- assumptions ---------------------------------------------------------------------------------------------------


def test_a_report_of_violations_names_what_it_assumes() -> None:
    (found,) = report(V7, "torn-read", abi="64", offset=0, **FEW).results
    assert found.assumptions == (
        "entry times and times have their top bit clear",
        "state is in 0..3",
        "clock readings strictly increase",
        "the guest asked for the update flag before it reads (else flag=switches: N1)",
        "the VMM does not adjust times with RUNSTATE_ADJUST(-1) while a guest reads them (else ioctls=adjust: D5)",
        "the kernel is not PREEMPT_RT (else preemption=rt: D3)",
    )


@pytest.mark.parametrize(
    ("name", "parameter", "value", "case", "needs"),
    [("torn-read", "flag", "switches", "N1", {}), ("torn-read", "ioctls", "adjust", "D5", {}),
     ("torn-read", "preemption", "rt", "D3", {}), ("published", "ioctls", "runnable", "D7", {}),
     ("out-of-area", "mode", "switches", "D10", {}), ("deadlock", "preemption", "rt", "D4", {}),
     ("sleep-in-atomic", "preemption", "rt", "D4", {"ioctls": "runnable"})],
)  # fmt: skip
def test_what_a_proof_takes_for_granted_is_what_breaks_it(
    name: str, parameter: str, value: str, case: str, needs: dict[str, Value]
) -> None:
    """Each assumption names the setting without it, and there the property is violated."""
    few = {"abi": "64", "offset": 0, "preemption": "none", "vmm": "moves"}
    proved = result(V7P, name, **(few | needs))
    (said,) = [text for text in proved.assumptions if f"(else {parameter}={value}" in text]
    assert proved.verdict == "holds"
    assert said.endswith(f": {case})")
    broken = result(V7P, name, **(few | needs | {parameter: value}))
    assert (broken.verdict, broken.case) == ("violated", case)
    assert said not in broken.assumptions


def test_who_reads_the_state_alone_takes_none_of_that_for_granted() -> None:
    found = result(V7P, "torn-read", abi="64", offset=0, reader="state-only", **FEW)
    assert found.verdict == "holds"
    assert [text for text in found.assumptions if "else" in text] == []

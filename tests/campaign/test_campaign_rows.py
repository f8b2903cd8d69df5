"""What a campaign does with many settings: which exist, which are decided, how they become rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import campaign_specs
import pytest
from campaign_specs import TOY, WRONG
from hypothesis import given
from hypothesis import strategies as st

from modelcheck import UsageError
from modelcheck.campaign import ranges, run
from modelcheck.results import Limits, Report, Request, Result


def toy(*versions: str, spec: object = TOY, **values: object) -> Report:
    """A check of the toy; `property` is one or more of its properties."""
    properties = values.pop("property", ())
    limits = values.pop("limits", Limits())
    traces = values.pop("traces", None)
    chosen = tuple((name, value if isinstance(value, tuple) else (value,)) for name, value in values.items())
    names = properties if isinstance(properties, tuple) else (properties,)
    return run(Request(spec, versions or ("new",), chosen, names, limits=limits, traces=traces))  # type: ignore[arg-type]


def told(result: Result) -> tuple[str, str, str, str, int]:
    """Property, lock, rooms, verdict and count."""
    values = dict(result.parameters)
    return result.property, values["lock"], values["room"], result.verdict, result.count


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([4081], "4081"),
        ([0, 1], "0-1"),
        ([0, 2, 4], "0,2,4"),
        ([3, 1, 2, 2], "1-3"),
        ([*range(49), 64, 66, 67], "0-48,64,66-67"),
        (list(range(4096)), "0-4095"),
    ],
)
def test_ranges_are_told_as_lo_to_hi(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


@given(st.lists(st.integers(0, 200)))
def test_ranges_tell_exactly_the_numbers(numbers: list[int]) -> None:
    found: list[int] = []
    for part in filter(None, ranges(numbers).split(",")):
        lo, _, hi = part.partition("-")
        found += range(int(lo), int(hi or lo) + 1)
    assert found == sorted(set(numbers))


def test_a_row_is_one_label_verdict_and_expectation() -> None:
    results = toy(property="exclusive").results
    assert [told(result) for result in results] == [
        ("exclusive", "on", "0,2", "holds", 2),
        ("exclusive", "on", "4,6", "holds", 2),
        ("exclusive", "on", "1,3", "holds", 2),
        ("exclusive", "on", "5,7", "holds", 2),
        ("exclusive", "on", "8", "vacuous", 1),
        ("exclusive", "on", "9", "vacuous", 1),
    ]
    assert [(result.label, result.expected) for result in results] == [
        ("even", "holds"),
        ("even", ""),
        ("odd", "holds"),
        ("odd", ""),
        ("even", ""),
        ("odd", ""),
    ]


def test_counts_sum_to_the_settings_asked_for() -> None:
    report = toy("old", "new", lock=("on", "off"))
    assert sum(result.count for result in report.results) == 2 * 2 * 10 * 2 - 2 * 2  # room 7 of the old version
    for result in report.results:
        lowest = [int(part.partition("-")[0]) for part in dict(result.parameters)["room"].split(",")]
        assert lowest == sorted(lowest)


def test_each_class_is_decided_once() -> None:
    campaign_specs.built.clear()
    toy("old", "new", property="deadlock", lock="on")
    assert {setting.version for setting in campaign_specs.built} == {"old"}
    assert {setting.number("room") for setting in campaign_specs.built} == {0, 1, 8, 9}


def test_no_property_means_all() -> None:
    assert {result.property for result in toy(room=0).results} == {"exclusive", "deadlock"}


def test_rows_come_in_the_order_asked_for() -> None:
    results = toy("new", "old", property=("deadlock", "exclusive"), room=(1, 0)).results
    assert [(result.version, result.property, result.label) for result in results] == [
        (version, name, label)
        for version in ("new", "old")
        for name in ("deadlock", "exclusive")
        for label in ("odd", "even")
    ]


def test_a_combination_that_does_not_exist_is_noted() -> None:
    report = toy("old", "new", property="deadlock", room=(6, 7))
    (note,) = report.notes
    assert note == "1 combinations do not exist and were left out, such as: room=7 does not exist before `new`"
    assert [(result.version, dict(result.parameters)["room"]) for result in report.results] == [
        ("old", "6"),
        ("new", "6"),
        ("new", "7"),
    ]


def test_a_check_of_nothing_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match=r"^room=7 does not exist before `new`$"):
        toy("old", room=7)


def test_an_unknown_reduction_is_told_what_there_is() -> None:
    there = "slice, split, symmetry, dead, merge, ample, summary"
    with pytest.raises(UsageError, match=f"no reduction 'magic'; there are {there}"):
        run(Request(TOY, ("new",), (("room", (0,)),), without=("magic",)))


@pytest.mark.parametrize("without", [(), ("merge",), ("ample",), ("slice", "dead", "merge", "ample", "summary")])
def test_verdicts_do_not_depend_on_reductions(without: tuple[str, ...]) -> None:
    found = run(Request(TOY, ("new",), (("room", (0, 1)), ("lock", ("on", "off"))), without=without)).results
    assert [(result.property, result.verdict) for result in found] == [
        ("exclusive", "holds"),
        ("exclusive", "holds"),
        ("exclusive", "violated"),
        ("exclusive", "violated"),
        ("deadlock", "holds"),
        ("deadlock", "holds"),
        ("deadlock", "holds"),
        ("deadlock", "holds"),
    ]


# -- traces ---------------------------------------------------------------------------------------------------------


def test_a_trace_is_written_for_what_is_violated_and_for_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    report = toy(lock=("on", "off"), room=(0, 1), traces=folder)
    violated = [result for result in report.results if result.verdict == "violated"]
    assert len(violated) == 2 and len(report.results) == 8
    assert {Path(result.trace or "").name for result in violated} == {path.name for path in folder.iterdir()}
    assert all(result.trace is None and result.id == "" for result in report.results if result.verdict != "violated")
    assert all(Path(result.trace or "").name == f"toy-exclusive-{result.id}.json" for result in violated)
    assert [result.case for result in violated] == ["T1", "T1"]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (result,) = toy(lock="off", room=0, property="exclusive").results
    assert result.verdict == "violated" and result.trace is None
    assert result.id and result.steps == 3 and result.switches == 1 and result.short
    assert list(tmp_path.iterdir()) == []


def test_where_all_holds_no_folder_is_made(tmp_path: Path) -> None:
    toy(room=0, traces=tmp_path / "none")
    assert not (tmp_path / "none").exists()


# -- what leaves a verdict open -------------------------------------------------------------------------------------


def test_a_bound_on_states_leaves_open_what_it_cut_and_keeps_the_rest() -> None:
    whole = {told(result)[2]: result.states for result in toy(property="deadlock", room=(0, 1)).results}
    assert whole["0"] < whole["1"]
    results = toy(property="deadlock", room=(0, 1), limits=Limits(states=whole["0"] + 1)).results
    assert [(dict(result.parameters)["room"], result.verdict) for result in results] == [
        ("0", "holds"),
        ("1", "incomplete"),
    ]
    assert [result.bound for result in results] == ["", f"{whole['0'] + 1:,} states"]
    assert results[0].states == whole["0"]


def test_a_bound_on_time_leaves_everything_open() -> None:
    results = toy(room=(0, 1), limits=Limits(seconds=1e-9)).results
    assert {(result.verdict, result.bound, result.count) for result in results} == {("incomplete", "the time bound", 1)}
    assert len(results) == 4


def test_a_bound_on_memory_names_itself() -> None:
    (result,) = toy(room=0, property="deadlock", limits=Limits(memory=1 << 20)).results
    assert (result.verdict, result.bound) == ("incomplete", "1 MiB of memory")


def test_an_obligation_that_cannot_be_proved_leaves_holds_open_and_violated_as_it_is() -> None:
    spec = replace(TOY, obligations=lambda settings: (WRONG,))
    results = toy(spec=spec, room=0, lock=("on", "off"), property="exclusive").results
    assert [result.verdict for result in results] == ["incomplete", "violated"]
    assert results[0].bound == "x is at most 3: not proved: [x = 4]"


def test_an_unreachable_witness_is_named() -> None:
    (result,) = toy(room=8, property="exclusive").results
    assert (result.verdict, result.witnesses) == ("vacuous", (("never", False),))


def test_progress_is_told_what_is_checked_and_the_share_done() -> None:
    seen: list[tuple[str, float]] = []
    run(
        Request(TOY, ("new",), (("room", (0, 1)),), ("deadlock",)),
        lambda what, states, depth, frontier, share: seen.append((what, share)),
    )
    assert all(what.startswith("new deadlock (room=") and 0 <= share < 1 for what, share in seen)

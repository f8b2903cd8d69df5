"""An error while one setting is decided leaves the results of the others, whoever made it and however many workers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from campaign_specs import TOY, build

from modelcheck import Model, Setting, SpecError
from modelcheck import campaign as campaign_module
from modelcheck.campaign import run
from modelcheck.cli.report import render
from modelcheck.cli.status import exit_status, expect_status
from modelcheck.errors import InternalError
from modelcheck.results import Report, Request
from modelcheck.workers import decide_all

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def failing(errors: dict[int, Exception]):
    """The toy, each room a class of its own, with an error instead of a model in some rooms."""

    def builds(setting: Setting, projection: Hashable = None) -> Model:
        error = errors.get(setting.number("room"))
        if error is not None:
            raise error
        return build(setting, projection)

    return replace(TOY, build=builds, equivalence=lambda setting: setting)


def checked(errors: dict[int, Exception], rooms: tuple[int, ...], workers: int = 1, traces: Path | None = None,
            lock: str = "on") -> Report:
    values = (("lock", (lock,)), ("room", rooms))
    request = Request(failing(errors), ("new",), values, ("exclusive",), workers=workers, traces=traces)
    return run(request)


def rows(report: Report) -> list[tuple[str, str, str, str]]:
    return [(dict(r.parameters)["room"], r.verdict, r.bound, r.fault) for r in report.results]


class Unpicklable(Exception):
    """Cannot be handed from one process to another."""

    def __reduce__(self):
        raise TypeError("no")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_specs_error_is_its_own_rows_result(workers, monkeypatch):
    monkeypatch.setattr(campaign_module, "decide_all", partial(decide_all, alone=0))  # workers at once
    report = checked({1: SpecError("no such lock", "toy.py:7")}, (0, 1, 2, 3), workers)
    assert rows(report) == [
        ("0,2", "holds", "", ""),
        ("1", "incomplete", "error: toy.py:7: no such lock", "spec"),
        ("3", "holds", "", ""),
    ]
    assert (exit_status(report.results), expect_status(report.results)) == (2, 2)
    assert "INCOMPLETE exclusive room=1: error: toy.py:7: no such lock\n" in render(report)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError("no"), Unpicklable("no"), InternalError("no")])
def test_an_error_of_ours_beats_a_specs_and_a_violation(workers, error, monkeypatch):
    monkeypatch.setattr(campaign_module, "decide_all", partial(decide_all, alone=0))  # workers at once
    report = checked({1: error, 3: SpecError("bad")}, (0, 1, 2, 3), workers, lock="off")
    assert [(room, verdict, fault) for room, verdict, _, fault in rows(report)] == [
        ("0,2", "violated", ""), ("1", "incomplete", "internal"), ("3", "incomplete", "spec")]
    bound = rows(report)[1][2]
    assert bound.startswith(f"error: internal error: {type(error).__name__}: no (")
    assert bound.endswith("please report it (MODELCHECK_DEBUG=1 shows the traceback)")
    assert exit_status(report.results) == 70


def test_traces_of_the_other_rows_are_saved(tmp_path):
    report = checked({1: SpecError("bad")}, (0, 1), traces=tmp_path, lock="off")
    assert [bool(result.trace) for result in report.results] == [True, False]
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_where_every_setting_fails_the_first_error_is_raised():
    with pytest.raises(SpecError, match="first"):
        checked({1: SpecError("first"), 3: ZeroDivisionError("second")}, (1, 3))


@pytest.mark.parametrize("name", ["build_trace", "write_trace"])
def test_a_violation_whose_trace_cannot_be_told_is_violated_all_the_same(name, monkeypatch, tmp_path):
    def breaks(*arguments: object) -> None:
        raise InternalError("the trace is wrong")

    monkeypatch.setattr(campaign_module, name, breaks)
    (result,) = checked({}, (0,), traces=tmp_path, lock="off").results
    assert (result.verdict, result.fault, result.trace) == ("violated", "internal", None)
    assert "the trace is wrong" in result.note
    assert exit_status([result]) == 70


def test_a_counterexample_that_cannot_be_made_canonical_is_shown_as_it_was_confirmed(monkeypatch):
    verify = campaign_module.verify

    def breaks(model, name, bounds, options, *rest):
        if options.polish:
            raise InternalError("no canonical trace")
        return verify(model, name, bounds, options, *rest)

    monkeypatch.setattr(campaign_module, "verify", breaks)
    (result,) = checked({}, (0,), lock="off").results
    assert (result.verdict, result.fault, result.steps > 0) == ("violated", "internal", True)
    assert "no canonical trace" in result.note

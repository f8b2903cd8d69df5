"""The known bugs of the memslot_access spec: each is told by checks that come out as told, and a trace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelcheck.cli.case_check import check_cases
from modelcheck.cli.request import Options
from modelcheck.spec import Case
from modelcheck.trace.file import read_trace
from modelcheck.view import render
from specs.memslot_access import SPEC

TRACES = Path(__file__).resolve().parents[2] / "traces"


def quiet(what: str, states: int, depth: int, frontier: int, share: float) -> None:
    """No progress."""


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_each_check_of_a_case_has_the_verdict_that_tells_it(case: Case, tmp_path: Path) -> None:
    tried = check_cases(SPEC, (case.id,), Options(workers="1", traces=str(tmp_path)), quiet)
    assert [(one.when, one.trial, one.verdict) for one in tried if not one.agrees] == []
    violated = [result for one in tried for result in one.report.results if result.verdict == "violated"]
    assert {result.case for result in violated} == {case.id}
    assert case.trace in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_a_case_is_told_in_full(case: Case) -> None:
    assert 2 <= len(re.findall(r"[.](?: |$)", case.story)) <= 3
    assert bool(case.fixed_by) == (case.status == "fixed")
    assert case.status != "fixed" or re.match(r'[0-9a-f]{12} ".+"$', case.fixed_by)
    assert case.versions and case.conditions and case.before and case.after
    trace = read_trace(TRACES / case.trace)
    assert trace.case == case.id
    assert len(trace.steps) <= 40
    assert any((trial.version, trial.property) == (trace.version, trace.property) for trial in case.before)
    assert render(trace, "paste", False).isascii()


def test_the_fix_of_a_case_is_the_first_version_without_it_after_the_last_with_it() -> None:
    order = [version.name for version in SPEC.versions]
    fixed = [case for case in SPEC.cases if case.fixed_by]
    assert [case.id for case in fixed] == ["M3", "M4"]
    for case in fixed:
        last = max(order.index(trial.version) for trial in case.before)
        assert order[last + 1] == case.fixed_by.split()[0], case.id
        assert any(trial.version == order[last + 1] and trial.verdict == "holds" for trial in case.after), case.id

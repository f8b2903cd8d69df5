"""The known bugs of the runstate spec: each is told by checks that come out as told, and its trace is of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelcheck.cli.case_check import check_cases
from modelcheck.cli.request import Options
from modelcheck.spec import Case
from modelcheck.trace.file import read_trace
from specs.runstate import SPEC

TRACES = Path(__file__).resolve().parents[2] / "traces"


def quiet(what: str, states: int, depth: int, frontier: int, share: float) -> None:
    """No progress."""


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_each_check_of_a_case_has_the_verdict_that_tells_it(case: Case, tmp_path: Path) -> None:
    tried = check_cases(SPEC, (case.id,), Options(workers="1", traces=str(tmp_path)), quiet)
    assert [(one.when, one.trial, one.verdict) for one in tried if not one.agrees] == []
    cases = {result.case for one in tried if one.when == "before" for result in one.report.results
             if result.verdict == "violated"}
    assert cases <= {case.id}  # the expectations name the same bug
    if case.trace:
        assert case.trace in {path.name for path in tmp_path.iterdir()}  # the saved one is what the check finds


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_a_case_is_told_in_full(case: Case) -> None:
    assert 2 <= len(re.findall(r"[.](?: |$)", case.story)) <= 3
    assert bool(case.fixed_by) == (case.status == "fixed") or case.status == "refuted"
    assert (case.status != "fixed") or re.match(r'[0-9a-f]{12} ".+"$', case.fixed_by)
    assert case.versions and case.conditions and (case.before or case.id == "B5")  # which is no setting at all
    if case.trace:
        trace = read_trace(TRACES / case.trace)
        assert trace.case == case.id
        assert any(trial.version == trace.version and trial.property == trace.property for trial in case.before)
    assert all(len(line) <= 80 for line in case.report.splitlines())


def test_ids_are_distinct() -> None:
    ids = [case.id for case in SPEC.cases]
    assert len(set(ids)) == len(ids)

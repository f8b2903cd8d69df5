"""The shared_info spec: verdicts by version and flavour, its broken siblings, what it refuses, and its known bugs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelcheck import Setting
from modelcheck.campaign import run
from modelcheck.cli.case_check import check_cases
from modelcheck.cli.request import Options
from modelcheck.results import Request
from modelcheck.spec import Case
from modelcheck.trace.file import read_trace
from specs.shared_info import SPEC, model, refuse
from specs.shared_info.forms import FORMS

TRACES = Path(__file__).resolve().parents[2] / "traces"
NAMES = tuple(each.name for each in FORMS)
NEWEST = NAMES[-1]


def decide(versions, name, **values):
    """The results of a property in some versions; what is not named has its default."""
    chosen = tuple((key, (value,)) for key, value in values.items())
    return run(Request(SPEC, versions, chosen, (name,), "tso", "auto", 1)).results


def quiet(what: str, states: int, depth: int, frontier: int, share: float) -> None:
    """No progress."""


@pytest.mark.parametrize("vmm", ["moves", "disables", "switches", "idle"])
def test_every_verdict_of_the_newest_version_is_the_expected_one(vmm):
    report = run(Request(SPEC, (NEWEST,), (("vmm", (vmm,)),), (), "tso", "auto", 1))
    assert report.results
    assert [(r.property, r.parameters, r.verdict) for r in report.results if r.verdict != r.expected] == []


@pytest.mark.parametrize("version", NAMES)
def test_no_event_is_lost_by_user_address_and_some_are_by_guest_frame(version):
    found = {dict(r.parameters)["flavour"]: r.verdict for r in decide((version,), "lost", vmm="moves")}
    assert found.pop("gpa") == "violated"
    assert set(found.values()) <= {"holds"}
    assert bool(found) == (NAMES.index(version) >= NAMES.index("b9220d32799a"))


def test_the_lock_of_the_slow_path_kept_b19_from_shared_info():
    versions = NAMES[: NAMES.index("7a36d680658b")]
    told = {"flavour": "gpa", "vmm": "disables"}
    kept = [r.verdict for r in decide(versions, "inactive-valid", **told)]
    without = {r.version: r.verdict for r in decide(versions, "inactive-valid", without="xen-lock", **told)}
    assert kept == ["violated", "holds", "holds", "holds"]  # the first is B16, which takes no race
    assert without == dict(zip(versions, ("violated", "holds", "violated", "violated"), strict=True))


@pytest.mark.parametrize("without", ["check", "lock"])
@pytest.mark.parametrize("name", ["stale-mapping", "after-disable"])
def test_a_store_without_the_check_or_the_lock_goes_anywhere(without, name):
    found = decide((NEWEST,), name, without=without, vmm="disables", flavour="hva")
    assert [r.verdict for r in found] == ["violated"]


def test_a_proof_without_a_notifier_says_nothing(monkeypatch):
    def nobody(*args):
        return
        yield

    monkeypatch.setattr(model, "mmu_notifier", nobody)
    found = decide((NEWEST,), "stale-mapping", vmm="disables", flavour="hva")
    assert [r.verdict for r in found] == ["vacuous"]


@pytest.mark.parametrize("sources", [1, 2])
def test_two_sources_of_events_break_no_more_than_one(sources):
    for name in ("stale-mapping", "after-disable", "type"):
        found = decide((NEWEST,), name, vmm="disables", flavour="hva", sources=sources)
        assert [r.verdict for r in found] == ["holds"]


@pytest.mark.parametrize(("name", "version", "values", "why"), [
    ("lost", "8332f0ed4f18", {"flavour": "hva"}, "came with b9220d32799a"),
    ("lost", NEWEST, {"vmm": "idle"}, "nothing changes"),
    ("lost", NEWEST, {"without": "xen-lock"}, "does not take it"),
    ("lost", NEWEST, {"invalidations": "once"}, "every schedule of one"),
    ("one-page", NEWEST, {"flavour": "hva"}, "cannot leave its page"),
    ("after-disable", NEWEST, {"vmm": "moves"}, "nobody disables"),
    ("one-layout", NEWEST, {"vmm": "moves"}, "the mode stays"),
    ("delivered", NEWEST, {"vmm": "moves"}, "take vmm=idle"),
])
def test_what_says_nothing_is_refused(name, version, values, why):
    usual = {"flavour": "gpa", "vmm": "all", "sources": 1, "invalidations": "unending", "gup": "works",
             "vcpu_info": "valid", "without": "none"}
    assert why in refuse(Setting(version, name, tuple(sorted({**usual, **values}.items()))))


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
    assert case.conditions and case.before and case.after
    assert read_trace(TRACES / case.trace).case == case.id

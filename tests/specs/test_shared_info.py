"""The shared_info spec: verdicts by version and flavour, its broken siblings, what it refuses, and its known bugs."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
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
from specs.shared_info.expected import expected
from specs.shared_info.forms import FORMS
from specs.shared_info.unreached import BEFORE, BUG

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "traces"
NAMES = tuple(each.name for each in FORMS)
NEWEST = NAMES[-1]


def decide(versions, name, **values):
    """The results of a property in some versions; what is not named has its default."""
    chosen = tuple((key, (value,)) for key, value in values.items())
    return run(Request(SPEC, versions, chosen, (name,), "tso", "auto", 1)).results


def quiet(what: str, states: int, depth: int, frontier: int, share: float) -> None:
    """No progress."""


def nobody(*args):
    """A process that does nothing."""
    return
    yield


@pytest.mark.parametrize("vmm", ["moves", "disables", "switches", "idle", "other-slots"])
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
    monkeypatch.setattr(model, "mmu_notifier", nobody)
    found = decide((NEWEST,), "stale-mapping", vmm="disables", flavour="hva")
    assert [r.verdict for r in found] == ["vacuous"]


def test_by_user_address_each_event_is_delivered_while_the_overlay_moves_for_ever():
    told = {"invalidations": "once", "flavour": "hva", "vmm": "moves"}
    versions = NAMES[NAMES.index("b9220d32799a") :]
    assert [r.verdict for r in decide(versions, "delivered", **told)] == ["holds"] * 4


@pytest.mark.parametrize("version", NAMES)
def test_by_guest_frame_changes_of_other_memslots_keep_an_event_for_ever(version):
    told = {"flavour": "gpa", "vmm": "other-slots", "invalidations": "once"}
    assert [(r.verdict, r.case) for r in decide((version,), "delivered", **told)] == [("violated", "X8")]


def test_an_event_lands_in_the_one_page_by_user_address_since_the_caches_have_their_own_sequence():
    versions = NAMES[NAMES.index("b9220d32799a") :]
    found = decide(versions, "one-page", flavour="hva", vmm="moves")
    assert [(r.verdict, r.case) for r in found] == [("violated", "B24")] * 2 + [("holds", "")] * 2
    assert [r.verdict for r in decide(versions, "one-page", flavour="gpa", vmm="moves")] == ["violated"] * 4


def test_the_guests_memory_too_may_be_taken_away_under_a_cache_that_was_left_there(monkeypatch):
    real = model.mmu_notifier

    def without_memory(kvm, caches, read_first, ranges, *more):
        return real(kvm, caches, read_first, ranges[:1], *more)

    def states() -> int:
        return decide((NEWEST,), "stale-mapping", flavour="gpa", vmm="moves")[0].states

    all_pages = states()
    monkeypatch.setattr(model, "mmu_notifier", without_memory)
    assert states() < all_pages


NEEDS_AN_INVALIDATION = {"X3", "B24", "B28"}


@pytest.mark.parametrize("case", [case for case in SPEC.cases if case.id[0] == "X"], ids=lambda case: case.id)
def test_only_what_says_so_takes_an_invalidation(case: Case, monkeypatch):
    """The conditions of a case are the fewest: without a notifier the others are there, though nothing is proved."""
    monkeypatch.setattr(model, "mmu_notifier", nobody)
    for trial in case.before:
        values = tuple((name, (value,)) for name, value in trial.values)
        found = run(Request(SPEC, (trial.version,), values, (trial.property,), "tso", "auto", 1)).results
        assert [r.verdict == "violated" for r in found] == [case.id not in NEEDS_AN_INVALIDATION]
    assert ("no invalidation" in case.conditions or "one " in case.conditions or "a vcpu_info" in case.conditions)


def test_every_known_bug_that_is_expected_is_told():
    for setting in settings(NAMES):
        assert expected(setting).case in {"", *(case.id for case in SPEC.cases)}, setting


def settings(versions):
    """Every setting of these versions that is not refused."""
    names, choices = zip(*((p.name, p.choices or (1, 2)) for p in SPEC.parameters), strict=True)
    for version, info, values in product(versions, SPEC.properties, product(*choices)):
        setting = Setting(version, info.name, tuple(sorted(zip(names, values, strict=True))))
        if not refuse(setting):
            yield setting


def test_a_check_says_what_is_bounded():
    (told,) = decide((NEWEST,), "lost", flavour="hva", vmm="disables")
    assert told.assumptions[:4] == (
        "1 source of events, each raised again and again",
        "one invalidation at a time",
        "the VMM moves the overlay, disables and switches in one thread; of the overlay there are two frames",
        "an event that is raised while shared_info is disabled, or on its way when that begins, is owed nothing",
    )
    (two,) = decide((NEWEST,), "type", flavour="hva", vmm="switches", sources=2, gup="may-fail")
    assert two.assumptions[0] == "2 sources of events, each raised again and again"
    assert not any("hva_to_pfn()" in text for text in told.assumptions[:4] + two.assumptions)


@pytest.mark.parametrize("sources", [1, 2])
def test_two_sources_of_events_break_no_more_than_one(sources):
    for name in ("stale-mapping", "after-disable", "type"):
        found = decide((NEWEST,), name, vmm="disables", flavour="hva", sources=sources)
        assert [r.verdict for r in found] == ["holds"]


@pytest.mark.parametrize(("name", "version", "values", "why"), [
    ("lost", "8332f0ed4f18", {"flavour": "hva"}, "came with b9220d32799a"),
    ("lost", NEWEST, {"vmm": "idle"}, "nothing of shared_info changes"),
    ("lost", NEWEST, {"without": "xen-lock"}, "does not take it"),
    ("lost", NEWEST, {"invalidations": "once"}, "take unending"),
    ("one-page", NEWEST, {"vmm": "switches"}, "the overlay stays"),
    ("after-disable", NEWEST, {"vmm": "moves"}, "nobody disables"),
    ("one-layout", NEWEST, {"vmm": "moves"}, "the mode stays"),
    ("delivered", NEWEST, {}, "taken away each time"),
    ("delivered", NEWEST, {"invalidations": "elsewhere", "vmm": "moves"}, "it takes no VMM"),
    ("delivered", NEWEST, {"invalidations": "once", "vmm": "moves"}, "see lost"),
    ("delivered", NEWEST, {"invalidations": "once"}, "disabling ends"),
    ("delivered", NEWEST, {"invalidations": "once", "vmm": "switches"}, "not fair"),
    ("delivered", NEWEST, {"invalidations": "once", "vmm": "other-slots", "flavour": "hva"}, "looks at no memslot"),
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


# -- coverage -------------------------------------------------------------------------------------------------------

REASONS = dict(SPEC.unreached())
SOMETIMES = {'which = yield choose("invalidate", *range(len(chosen))).at("", "mmu_notifier_invalidate_range_start")'}
TWICE = ('yield assign(gpc.active, 0).as_(f"{gpc.name}->active = false").at("", DEACTIVATE)',)


def missed(versions, *properties: str, **values: tuple[str, ...]) -> list[tuple[str, str]]:
    """The lines that no check of these reached, each with the reason given."""
    report = run(Request(SPEC, versions, tuple(values.items()), properties, "tso", "auto", 1))
    return [(each.text, each.reason) for each in report.coverage.unreached]


def test_each_line_the_newest_version_does_not_reach_has_a_reason_of_its_own():
    kinds = ("moves", "disables", "switches", "other-slots")
    found = missed((NEWEST,), "type", "delivered", "one-layout", vmm=kinds, flavour=("hva", "gpa"))
    several = [(text, why) for text, why in found if "the VMM" not in text]  # the VMM's choice is in vmm=all
    assert {text for text, why in several if REASONS.get(text) != why} == set()
    assert Counter(text for text, _ in several) == Counter([*(REASONS.keys() - SOMETIMES), *TWICE])


def test_no_reason_hides_a_line_that_some_version_or_setting_should_reach():
    told = {"vmm": ("disables", "switches"), "flavour": ("hva", "gpa"), "gup": ("works", "may-fail")}
    found = missed(NAMES, "type", "one-layout", "old-layout", **told)
    assert {text for text, why in found if text in REASONS and why not in (BUG, BEFORE)} <= SOMETIMES
    assert {why for _, why in found} >= {BUG, BEFORE}


def test_each_reason_is_of_a_line_there_is():
    sources = [path.read_text("utf-8") for folder in ("shared_info", "kvm")
               for path in (ROOT / "specs" / folder).glob("*.py")]
    assert [what for what in REASONS if not any(f" {what}\n" in source for source in sources)] == []

"""Stage-2 dirty logging (protocol.md 8.3): what is lost in which version, and what each step is there for."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from dirty_logging_cases import NAMES, NEWEST, decide, violated

from modelcheck import Model, Setting
from modelcheck.combinations import settings
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import native_missing
from modelcheck.expression import evaluate
from modelcheck.results import Request
from specs.dirty_logging import SPEC, faults, harvest, mapping, notifier, refuse
from specs.dirty_logging.properties import DEADLOCK, LOCK_ORDER, SLEEPS, TYPE
from specs.dirty_logging.scenarios import SCENARIOS
from specs.dirty_logging.stage2 import EMPTY, READ, WRITE, Stage2, make_stage2
from specs.dirty_logging.versions import path

SPECS = Path(__file__).resolve().parents[2] / "specs"
(V14, MERGED, UNMAPS, SUCCESS, PARALLEL, UNLOCKED) = NAMES

FOUND = [
    ("page", "lost-dirty", "kernel", (V14,)),  # L1
    ("two-vcpus", "lost-dirty", "kernel", (V14,)),
    ("block", "lost-dirty", "kernel", (V14,)),  # L4: no other loses a page that is dissolved
    ("page", "harvest-marked", "kernel", (V14, UNLOCKED)),  # L1, L8
    ("page", "lost-dirty", "mark-early", NAMES),  # L2
    ("toggled", "lost-dirty", "no-srcu", (V14, PARALLEL, UNLOCKED)),  # L3, of pages alone
    ("block", "lost-dirty", "no-srcu", NAMES),  # L3
    ("block", "lost-dirty", "block-logging", NAMES),  # L6
    ("page", "lost-dirty", "no-flush", NAMES),
    ("page", "lost-dirty", "no-wait", (V14, UNLOCKED)),
    ("split", "block-intact", "kernel", ()),  # L5
    ("block", "break-before-make", "kernel", (V14, MERGED)),  # L7
]


@pytest.mark.parametrize(("actors", "name", "form", "versions"), FOUND, ids=[f"{f[0]}-{f[1]}-{f[2]}" for f in FOUND])
def test_what_is_lost_is_lost_in_these_versions_and_in_no_other(actors, name, form, versions):
    assert violated(actors, name, form) == versions


@pytest.mark.parametrize("version", NAMES)
def test_no_translation_outlives_its_page_while_the_fault_looks_at_the_sequence(version):
    assert decide("notifier", version, "stale-mapping", bounds=Bounds(2_000_000)).verdict == "holds"
    assert decide("notifier", version, "stale-mapping", "no-seq", Bounds(2_000_000)).verdict == "violated"


@pytest.mark.parametrize("name", [info.name for info in (DEADLOCK, LOCK_ORDER, SLEEPS, TYPE)])
@pytest.mark.parametrize("actors", ["two-vcpus", "block", "split"])
def test_locks_and_state_are_in_order_in_every_version(actors, name):
    assert violated(actors, name) == ()


@pytest.mark.skipif(bool(native_missing()), reason="1.5 million states need the native engine")
@pytest.mark.parametrize("version", [SUCCESS, UNLOCKED])
def test_a_fault_on_a_page_that_is_a_block_by_now_makes_all_of_it_writable(version):
    """L9, and its fix: only a leaf of the size that the fault was on is relaxed."""
    bounds = Bounds(5_000_000)
    assert decide("two-vcpus-block", version, "lost-dirty", bounds=bounds).verdict == "violated"
    assert decide("two-vcpus-block", version, "lost-dirty", "relax-checked", bounds).verdict == "holds"


# -- what each step is for --------------------------------------------------------------------------------------------


def test_a_harvest_that_protects_nothing_loses_pages(monkeypatch):
    monkeypatch.setattr(Stage2, "protect", lambda s2, page: harvest.assign(s2.ptes[page], s2.ptes[page]))
    assert decide("page", MERGED, "lost-dirty").verdict == "violated"


def test_a_block_that_is_not_flushed_before_a_table_is_made_breaks_the_rule(monkeypatch):
    nothing = lambda s2, page: faults.reach("no TLBI")  # noqa: E731
    monkeypatch.setattr(Stage2, "flush_page", nothing)
    assert decide("block", MERGED, "break-before-make").verdict == "violated"


def test_a_notifier_that_unmaps_nothing_leaves_a_block_for_change_pte_and_a_stale_page(monkeypatch):
    monkeypatch.setattr(Stage2, "unmap", lambda s2, page: notifier.reach("nothing is unmapped"))
    assert decide("split", MERGED, "block-intact").verdict == "violated"
    assert decide("split", MERGED, "stale-mapping").verdict == "violated"


def test_a_dissolve_without_its_flag_takes_a_block_for_a_table(monkeypatch):
    real = mapping.stage2_set_pte
    monkeypatch.setattr(mapping, "stage2_set_pte", lambda s2, page, right, logging: real(s2, page, right, False))
    assert decide("block", MERGED, "block-intact").verdict == "violated"


def test_a_witness_that_nothing_reaches_makes_a_property_vacuous(monkeypatch):
    monkeypatch.setattr(harvest, "publish", lambda kvm, what, *changes: iter(()))
    assert decide("toggled", MERGED, "sleep-in-atomic").verdict == "vacuous"


def test_a_table_that_keeps_its_ptes_when_it_goes_is_no_state_of_stage_2(monkeypatch):
    monkeypatch.setattr(Stage2, "clear_pmd", lambda s2: faults.shared("pmd_clear()", (s2.pmd, EMPTY)))
    assert decide("block", UNMAPS, "type").verdict == "violated"


def test_each_step_of_stage_2_goes_one_way_in_every_state():
    s2 = make_stage2(Model("stage 2"), pages=2, blocks=True, splits=True, parallel=True)
    slots = (s2.pmd, *s2.ptes, *s2.tlb, s2.tlb_block)
    sizes = ("", "page", "block")
    actions = [s2.look(), s2.first(), s2.first(READ), s2.first(WRITE), s2.leaf(0, READ), s2.leaf(1, WRITE),
               s2.try_break("block"), s2.try_break("table"), *(s2.relax(0, size) for size in sizes)]  # fmt: skip
    for values in product(*(range(slot.domain.lo, slot.domain.hi + 1) for slot in slots)):
        state = dict(zip(slots, values, strict=True))
        for action in actions:
            assert sum(bool(evaluate(branch.guard, state)) for branch in action.branches) == 1, (action.label, values)


# -- the spec ---------------------------------------------------------------------------------------------------------


def test_versions_are_in_the_order_of_their_releases_and_the_fixes_stay():
    assert [path(name).read_stays_read for name in NAMES] == [False, True, True, True, True, True]
    assert [path(name).unmaps_table for name in NAMES] == [False, False, True, True, True, True]
    assert [path(name).marks for name in NAMES] == ["write-fault", "before", "before", "after", "after", "unlocked"]
    assert SPEC.newest == NEWEST and SPEC.version("4.0").name == MERGED


@pytest.mark.parametrize(("name", "actors", "version", "form", "why"), [
    ("lost-dirty", "split", NEWEST, "kernel", "no harvests"),
    ("stale-mapping", "page", NEWEST, "kernel", "no page goes away"),
    ("break-before-make", "page", NEWEST, "kernel", "no blocks"),
    ("block-intact", "block", NEWEST, "kernel", "went with pgtable.c"),
    ("type", "block", NEWEST, "no-srcu", "is about lost-dirty"),
    ("lost-dirty", "block", NEWEST, "no-seq", "is about stale-mapping"),
    ("lost-dirty", "page", NEWEST, "block-logging", "no blocks"),
    ("lost-dirty", "page", NEWEST, "no-srcu", "not switched on"),
    ("lost-dirty", "block", MERGED, "relax-checked", "since pgtable.c"),
])
def test_what_nothing_could_break_is_refused(name, actors, version, form, why):
    assert why in refuse(Setting(version, name, (("actors", actors), ("form", form))))


SMALL = [name for name in SCENARIOS if name not in ("all", "two-vcpus-block", "block-notifier", "notifier")]


@pytest.mark.parametrize("info", SPEC.properties, ids=lambda info: info.name)
def test_every_small_verdict_is_the_expected_one(info):
    for actors in SMALL:
        for version in NAMES:
            setting = Setting(version, info.name, (("actors", actors), ("form", "kernel")))
            if not refuse(setting):
                expectation = SPEC.expected(setting)
                assert expectation is not None
                assert decide(actors, version, info.name).verdict == expectation.verdict, setting


def test_each_case_is_told_and_names_checks_that_exist():
    assert [case.id for case in SPEC.cases] == [f"L{number}" for number in range(1, 10)]
    for case in SPEC.cases:
        assert bool(case.fixed_by) == (case.status == "fixed") and bool(case.trace) == bool(case.before)
        for trial in (*case.before, *case.after):
            setting = Setting(trial.version, trial.property, trial.values)
            assert refuse(setting) == ""
            expectation = SPEC.expected(setting)
            assert expectation is not None and expectation.verdict == trial.verdict, (case.id, trial)
            assert expectation.case in (case.id, "") or trial in case.after, (case.id, trial)


def test_each_reason_for_a_line_that_is_not_reached_is_of_a_line_or_function_there_is():
    sources = [each.read_text("utf-8") for each in sorted((SPECS / "dirty_logging").glob("*.py"))]
    for what, _ in SPEC.unreached():
        there = f'"{what}"' if what.isidentifier() else f" {what}\n"
        assert sum(there in source for source in sources) > what.isidentifier(), what


def test_what_may_be_lost_is_asked_beside_the_notifier_too_unless_told_otherwise():
    request = Request(SPEC, versions=(NEWEST,))
    asked = {(setting.property, setting.text("actors")) for setting in settings(request) if not refuse(setting)}
    for name in ("lost-dirty", "harvest-marked", "stale-mapping", "break-before-make"):
        assert (name, "block-notifier") in asked
    assert ("lost-dirty", "two-vcpus-block") in asked and ("lost-dirty", "split") not in asked

"""The memslot_access spec: what it expects, what each rule of a store across two pages is for, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelcheck import Action, Setting
from modelcheck.campaign import run
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.run import Run
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.results import Request
from modelcheck.system.link import System
from specs.memslot_access import SPEC, emulator, guest, refuse
from specs.memslot_access.machine import BOUNDARY, FRAGMENTS, ONE_EXIT, PV_FLUSH, TWO_PHASE, Form
from specs.memslot_access.model import build_form
from specs.memslot_access.properties import PROPERTIES

SPECS = Path(__file__).resolve().parents[2] / "specs"
NAMES = tuple(version.name for version in SPEC.versions)
STATIC = ("rw", "readonly")
RAM = ("rw", "rw")


def decide(form: Form, kinds: tuple[str, str], name: str) -> Outcome:
    """What becomes of a property; what it finds is replayed."""
    model = build_form(form, kinds, name)
    outcome = verify(model, name, Bounds(500_000), Options(engine=best_engine()))
    again = Run(System(model, frozenset({name})))
    for process, choice in outcome.steps:
        again.take(again.find(process, choice))
    return outcome


def wrong(versions: tuple[str, ...], *values: tuple[str, tuple[str, ...]]) -> list[tuple[object, ...]]:
    """The results that are not the expected ones, of every property."""
    names = tuple(info.name for info in PROPERTIES)
    report = run(Request(SPEC, versions, values, names, "tso", "auto", 1))
    assert report.results
    found = [result for result in report.results if result.verdict != result.expected]
    return [(r.version, r.property, r.parameters, r.verdict, r.bound) for r in found]


@pytest.mark.parametrize("intent", ["write", "read"])
@pytest.mark.parametrize("srcu", ["held", "dropped"])
def test_every_verdict_with_memslots_that_stay_is_the_expected_one(srcu: str, intent: str) -> None:
    vmm = ("vmm", ("thread",))
    assert wrong(NAMES, ("first", STATIC), ("second", STATIC), ("intent", (intent,)), ("srcu", (srcu,)), vmm) == []


@pytest.mark.parametrize(("version", "srcu"), [
    *((version, "held") for version in NAMES),
    *((version, srcu) for version in (BOUNDARY, TWO_PHASE) for srcu in ("dropped", "across-exit")),
])  # fmt: skip
def test_every_verdict_with_a_second_memslot_that_changes_is_the_expected_one(version: str, srcu: str) -> None:
    assert wrong((version,), ("first", STATIC), ("second", ("changes",)), ("srcu", (srcu,))) == []


@pytest.mark.parametrize("first", ["rw", "readonly"])
def test_every_verdict_of_a_list_run_by_address_is_the_expected_one(first: str) -> None:
    order = ("order", ("by-address",))
    assert wrong((TWO_PHASE,), ("first", (first,)), ("second", ("changes",)), order) == []


@pytest.mark.parametrize(("version", "states"), [(BOUNDARY, 1_583), (TWO_PHASE, 779)])
def test_the_type_invariant_holds_in_every_reachable_state(version: str, states: int) -> None:
    outcome = decide(Form(version), RAM, "type")
    assert (outcome.verdict, outcome.states) == ("holds", states)


# -- the schemes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fault-atomic", "written-once", "not-overwritten", "seen-outside"])
def test_a_fault_leaves_traces_unless_all_is_translated_first(name: str) -> None:
    verdicts = {version: decide(Form(version), RAM, name).verdict for version in NAMES}
    assert verdicts == dict.fromkeys(NAMES[:-1], "violated") | {TWO_PHASE: "holds"}


def test_another_vcpu_sees_half_a_store_under_every_scheme() -> None:
    assert {decide(Form(version), RAM, "seen-whole").verdict for version in NAMES} == {"violated"}


def test_only_a_vcpu_reported_as_preempted_in_the_middle_of_a_store_misses_a_flush() -> None:
    verdicts = {version: decide(Form(version), RAM, "stale-translation").verdict for version in NAMES}
    assert verdicts == dict.fromkeys(NAMES, "holds") | {PV_FLUSH: "violated"}


def test_one_exit_is_not_enough_for_two_pages_of_mmio() -> None:
    kinds = ("readonly", "readonly")
    assert decide(Form(ONE_EXIT), kinds, "written-once").verdict == "violated"
    assert decide(Form(FRAGMENTS), kinds, "written-once").verdict == "holds"


# -- broken siblings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [BOUNDARY, TWO_PHASE])
@pytest.mark.parametrize("change", [{"srcu": "dropped"}, {"intent": False}])
def test_each_rule_of_the_lookup_keeps_writes_out_of_slots_that_are_gone_or_read_only(change, version: str) -> None:
    kinds = ("rw", "changes")
    assert decide(Form(version), kinds, "live-slot").verdict == "holds"
    assert decide(replace(Form(version), **change), kinds, "live-slot").verdict == "violated"


def test_srcu_held_over_an_exit_deadlocks_only_with_the_thread_that_exited() -> None:
    held = Form(BOUNDARY, srcu="across-exit")
    assert decide(held, ("rw", "changes"), "deadlock").verdict == "holds"
    assert decide(replace(held, handler=True), ("rw", "changes"), "deadlock").verdict == "violated"


def test_a_flush_that_waits_for_nobody_leaves_a_stale_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    real = guest.shared

    def hurried(label: str, *updates, **more) -> Action:
        return real(label, *updates) if label.startswith("TLB flush") else real(label, *updates, **more)

    monkeypatch.setattr(guest, "shared", hurried)
    assert decide(Form(TWO_PHASE), RAM, "stale-translation").verdict == "violated"


def test_a_store_that_is_handed_out_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = emulator.exits

    def twice(machine, page):
        yield from real(machine, page)
        yield from real(machine, page)

    monkeypatch.setattr(emulator, "exits", twice)
    assert decide(Form(TWO_PHASE), ("rw", "readonly"), "written-once").verdict == "violated"


def test_without_a_fault_nothing_is_said_about_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    real = guest.reach
    monkeypatch.setattr(guest, "reach", lambda *names: real(*("unseen" if n == "faulted" else n for n in names)))
    assert decide(Form(TWO_PHASE), RAM, "fault-atomic").verdict == "vacuous"


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "name", "values", "why"), [
    (BOUNDARY, "deadlock", {"order": "by-address"}, "always last"),
    (TWO_PHASE, "deadlock", {"vmm": "handler"}, "no memslot changes"),
    (TWO_PHASE, "seen-whole", {"second": "readonly"}, "two pages of RAM"),
    (TWO_PHASE, "mmio-route", {}, "no memslot changes"),
    (TWO_PHASE, "live-slot", {"first": "readonly", "second": "readonly"}, "nothing is written"),
    (TWO_PHASE, "type", {"second": "changes", "vmm": "handler", "srcu": "across-exit"}, "stuck at the first exit"),
    (TWO_PHASE, "type", {"second": "changes", "vmm": "handler", "intent": "read"}, "no exit to handle"),
])  # fmt: skip
def test_what_nothing_could_break_is_refused(version: str, name: str, values: dict[str, str], why: str) -> None:
    plain = {"first": "rw", "second": "rw", "srcu": "held", "order": "ram-first", "intent": "write", "vmm": "thread"}
    assert why in refuse(Setting(version, name, tuple((plain | values).items())))
    assert refuse(Setting(TWO_PHASE, "fault-atomic", tuple(plain.items()))) == ""


def test_each_reason_for_a_line_that_is_not_reached_is_of_a_line_there_is() -> None:
    sources = [path.read_text("utf-8") for path in (SPECS / "memslot_access").glob("*.py")]
    for what, _ in SPEC.unreached():
        assert any(f" {what}\n" in source for source in sources), what


def test_a_check_says_how_many_vcpus_there_are() -> None:
    values = (("first", ("rw",)), ("second", ("rw",)), ("vmm", ("thread",)))
    (found,) = run(Request(SPEC, (TWO_PHASE,), values, ("fault-atomic",), "tso", "auto", 1)).results
    said = "a store has two pages; one vCPU stores, one unmaps and one looks on, each again and again"
    assert said in found.assumptions

"""The long mode spec: its forms, what each is expected to say, and the siblings that break it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelcheck import Obligation, Setting
from modelcheck.campaign import run
from modelcheck.cli.case_check import check_cases
from modelcheck.cli.request import Options
from modelcheck.results import Request, Result
from modelcheck.spec import Case
from modelcheck.trace.file import read_trace
from specs.long_mode import SPEC, properties, refuse
from specs.long_mode.forms import AREAS, CACHES, area_class, obligations
from specs.long_mode.scene import world_of
from specs.runstate.layout import PAGE_SIZE, Layout

ROOT = Path(__file__).resolve().parents[2]
V2, V3, V4, V5, V6, V6S, V7, V7P = (version.name for version in SPEC.versions)


def check(version: str, name: str, **values: str) -> Result:
    """The one result of one setting; the merged form, where nothing else is said."""
    chosen = {"caches": "two", "area": "between", "latched": "no", "writers": "one"} | values
    (found,) = run(Request(SPEC, (version,), tuple((k, (v,)) for k, v in chosen.items()), (name,))).results
    return found


def setting(version: str, name: str, **values: str) -> Setting:
    chosen: dict[str, int | str] = {parameter.name: parameter.default[0] for parameter in SPEC.parameters} | values
    return Setting(version, name, tuple(sorted(chosen.items())))


# -- where the area lies --------------------------------------------------------------------------------------------


def test_the_three_classes_are_those_of_the_runstate_layout() -> None:
    classes = [area_class(offset) for offset in range(PAGE_SIZE)]
    assert {name: classes.count(name) for name in AREAS} == {"inside": 4049, "between": 4, "across": 43}
    assert all(area_class(offset) == name for name, offset in AREAS.items())
    assert [Layout(32, AREAS["between"]).split, Layout(64, AREAS["between"]).split] == [False, True]


@pytest.mark.parametrize("obligation", obligations(), ids=lambda each: each.name)
def test_z3_proves_the_geometry(obligation: Obligation) -> None:
    z3 = pytest.importorskip("z3")
    solver = z3.Solver()
    solver.add(obligation.never(z3))
    assert solver.check() == z3.unsat


# -- the cases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_each_check_of_a_case_has_the_verdict_that_tells_it(case: Case, tmp_path: Path) -> None:
    tried = check_cases(SPEC, (case.id,), Options(workers="1", traces=str(tmp_path)), lambda *progress: None)
    assert [(one.when, one.trial, one.verdict) for one in tried if not one.agrees] == []
    found = {result.case for one in tried for result in one.report.results if result.verdict == "violated"}
    assert found == {case.id}
    assert case.trace in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("case", SPEC.cases, ids=lambda case: case.id)
def test_a_case_is_told_in_full(case: Case) -> None:
    assert 2 <= len(re.findall(r"[.](?: |$)", case.story)) <= 3
    assert bool(case.fixed_by) == (case.status == "fixed")
    assert case.conditions and case.before and case.after
    assert read_trace(ROOT / "traces" / case.trace).case == case.id


@pytest.mark.parametrize("form", CACHES)
def test_every_default_verdict_of_the_newest_version_is_the_expected_one(form: str) -> None:
    names = ("registered", "converted", "overrun")
    report = run(Request(SPEC, (V7P,), (("caches", (form,)),), names))
    assert {result.property for result in report.results} == set(names)
    assert [(r.property, r.parameters, r.verdict) for r in report.results if r.verdict != r.expected] == []


@pytest.mark.parametrize(("version", "lock"), [(V2, "kvm->lock"), (V4, "kvm->lock"), (V5, "kvm->arch.xen.xen_lock")])
def test_a_switch_waits_for_ioctls_of_the_vcpu(version: str, lock: str) -> None:
    for info in SPEC.properties:
        attributes = world_of(setting(version, info.name, caches="one", latched="no")).scene.locks.attributes
        assert attributes is not None and attributes.name == lock


# -- the forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", ["between", "across", "inside"])
def test_one_sleeping_update_after_a_switch_converts_the_whole_area(area: str) -> None:
    assert check(V7P, "converted", area=area).verdict == "holds"


def test_a_second_cache_that_is_refreshed_and_not_activated_never_converts() -> None:
    assert check(V7P, "converted", without="activation").verdict == "violated"


def test_where_the_mode_stays_an_update_need_not_activate_the_second_cache() -> None:
    assert check(V7P, "converted", without="activation", latched="yes").verdict == "holds"


def test_a_mapping_of_two_pages_needs_both_addresses_in_the_notifier() -> None:
    form = {"caches": "one-over-two-pages", "area": "across"}
    assert check(V7P, "stale-mapping", **form, without="second-range").verdict == "violated"
    assert check(V7P, "stale-mapping", **form).verdict == "holds"


@pytest.mark.parametrize("writers", ["one", "two"])
def test_two_read_locks_do_not_deadlock(writers: str) -> None:
    assert check(V7P, "deadlock", writers=writers).verdict == "holds"


@pytest.mark.parametrize(("version", "verdict"), [(V3, "violated"), (V4, "violated"), (V5, "holds"), (V7P, "holds")])
def test_locks_by_instance_have_one_order_since_the_trylock(version: str, verdict: str) -> None:
    found = check(version, "lock-order")
    assert (found.verdict, found.expected) == (verdict, verdict)


def test_each_lock_of_a_cache_is_a_class_of_its_own() -> None:
    scene = world_of(setting(V7P, "lock-order", caches="two")).scene
    locks = (scene.gpc1.lock, scene.gpc2.lock, scene.gpc1.refresh_lock, scene.gpc2.refresh_lock)
    assert len({lock.lock_class for lock in locks}) == 4


@pytest.mark.parametrize("name", ["sleep-in-atomic", "type"])
def test_nothing_sleeps_and_the_fields_fit_together(name: str) -> None:
    assert check(V7P, name).verdict == "holds"


def test_an_unreachable_witness_makes_the_verdict_vacuous(monkeypatch: pytest.MonkeyPatch) -> None:
    known = properties.witnesses
    monkeypatch.setattr(properties, "witnesses", lambda *args: (*known(*args), "pigs fly"))
    assert check(V7P, "converted", area="inside").verdict == "vacuous"


@pytest.mark.parametrize(("version", "name", "values", "why"), [
    (V2, "registered", {"caches": "two"}, "has one cache"),
    (V7P, "second-page", {"caches": "one"}, "no second cache"),
    (V7P, "converted", {"caches": "one", "area": "across"}, "no area is registered"),
    (V7P, "overrun", {"caches": "one"}, "never stored"),
    (V7P, "converted", {"area": "across", "without": "activation"}, "only one layout needs"),
    (V7P, "stale-mapping", {"without": "second-range"}, "two pages"),
    (V7P, "deadlock", {"pages": "iomem"}, "registered"),
])
def test_what_nothing_could_break_is_refused(version: str, name: str, values: dict[str, str], why: str) -> None:
    assert why in refuse(setting(version, name, **values))


def test_each_reason_for_a_line_that_is_not_reached_is_of_a_line_or_a_function_or_a_step_there_is() -> None:
    files = [path for folder in ("kvm", "long_mode") for path in (ROOT / "specs" / folder).glob("*.py")]
    sources = [path.read_text("utf-8") for path in files]
    for what, _ in SPEC.unreached():
        function, _, step = what.partition(" ")
        here = f'.at("{step}", REFRESH)' if function == "__kvm_gpc_refresh" else f"def {what}("
        assert any(here in source or f" {what}\n" in source for source in sources), what

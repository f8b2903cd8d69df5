"""The arguments of specs/runstate (`writer`, `values`, `projections`, `scene`), each pinned on a small case.

What a model leaves out is put back, and the verdict is the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runstate_cases import FEW, V2, V3, V6, V7P, result, setting

from modelcheck.campaign import run
from modelcheck.coverage import NO_REASON
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.verify import Options, verify
from modelcheck.results import Request
from modelcheck.spec import Setting, Value
from specs.runstate import SPEC, scene, values
from specs.runstate.scene import Projection, build

FAST = Options(polish=False, engine=best_engine())
MOST = Bounds(states=20_000_000)


def decide(one: Setting, projection: object) -> tuple[str, int]:
    """The verdict on one projection, and how many states it took."""
    assert isinstance(projection, Projection)
    found = verify(build(one, projection), one.property, MOST, FAST, full=lambda: build(one))
    return found.verdict, found.states


# -- writer: a version made in one step, or in the order of clock readings --------------------------------------------


@pytest.mark.parametrize(
    ("offset", "flag", "verdict"), [(0, "on", "holds"), (49, "on", "violated"), (0, "off", "violated")]
)
def test_versions_in_the_order_of_readings_give_the_same_verdict(
    offset: int, flag: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that loads the entry time at once asks only whether two are equal."""
    some: dict[str, Value] = {"abi": "64", "offset": offset, "flag": flag, "ioctls": "none"}
    one = setting(V7P, "torn-read", **some)
    assert (values.by_readings(one), values.relation(one)) == (False, "distinct")
    made = result(V7P, "torn-read", **some)
    for module in (values, scene):
        monkeypatch.setattr(module, "by_readings", lambda one: True)
    assert values.relation(one) == "increasing"
    read = result(V7P, "torn-read", **some)
    assert made.verdict == read.verdict == verdict
    if verdict == "holds":
        assert made.states < read.states


# -- projections: the bytes outside the area ------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "verdict"), [(V3, "violated"), (V7P, "holds")])
def test_one_byte_outside_of_each_store_that_leaves_stands_for_all(version: str, verdict: str) -> None:
    one = setting(version, "out-of-area", abi="64", offset=4090, vmm="moves")
    (chosen,) = SPEC.projections(one)
    assert isinstance(chosen, Projection) and len(chosen.beyond) in range(1, 4)
    small, _ = decide(one, chosen)
    whole, _ = decide(one, replace(chosen, beyond=None))
    assert small == whole == verdict


# -- scene: where locks are looked at ---------------------------------------------------------------------------------


def wide(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Puts back what `scene` leaves out for LOCKING."""
    notifier, updater = scene.mmu_notifier, scene.memslot_updater

    def notify(kvm: Any, caches: Any, first: Any, ranges: Any, once: bool, frees: bool) -> Any:
        return notifier(kvm, caches, first, None if what == "ranges" else ranges, once, frees or what == "frees")

    def update(kvm: Any, place: Any, kinds: tuple[str, ...]) -> Any:
        return updater(kvm, place, ("delete", "flags", "create") if what == "kinds" else kinds)

    monkeypatch.setattr(scene, "mmu_notifier", notify)
    monkeypatch.setattr(scene, "memslot_updater", update)


LOCKS = [
    (V7P, "deadlock", "holds"),
    (V7P, "lock-order", "holds"),
    (V7P, "sleep-in-atomic", "holds"),
    (V2, "lock-order", "violated"),
    (V2, "deadlock", "holds"),
]


@pytest.mark.parametrize(("version", "name", "verdict"), LOCKS)
@pytest.mark.parametrize("what", ["frees", "ranges", "kinds"])
def test_pages_ranges_and_kinds_of_memslot_updates_decide_no_lock(
    version: str, name: str, verdict: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = setting(version, name, abi="64", offset=0, **(FEW | {"vmm": "memslots"}))
    (chosen,) = SPEC.projections(one)
    small = decide(one, chosen)
    wide(monkeypatch, what)
    whole = decide(one, chosen)
    assert small[0] == whole[0] == verdict
    assert what != "kinds" or small[1] < whole[1] or verdict == "violated"


def test_an_area_that_stays_registered_decides_no_torn_read() -> None:
    """While it moves a reader may rely on nothing; a registration where it was is one more sleeping update."""
    for ioctls in ("none", "usual"):
        assert result(V6, "torn-read", abi="64", offset=0, preemption="none", ioctls=ioctls).verdict == "holds"


# -- unreached --------------------------------------------------------------------------------------------------------


def test_each_reason_for_a_line_that_is_not_reached_is_of_a_line_or_function_there_is() -> None:
    specs = Path(__file__).resolve().parents[2] / "specs"
    texts = [each.read_text("utf-8") for name in ("runstate", "kvm") for each in sorted((specs / name).glob("*.py"))
             if each.name != "unreached.py"]  # fmt: skip
    for what, _ in SPEC.unreached():
        function, _, step = what.partition(" ")
        there = f" {what}\n" if "(" in what else f"def {what}(" if not step else f'"{step}", REFRESH)'
        assert any(there in text for text in texts), (what, function)


def test_no_line_of_the_newest_version_is_left_out_without_a_reason() -> None:
    """An area in one page, and one whose entry time is cut by the page, in every property, of 64-bit guests."""
    found = run(Request(SPEC, (V7P,), (("abi", ("64",)), ("offset", (0, 4081)))))
    unexplained = [each.function for each in found.coverage.unreached if each.reason == NO_REASON]
    assert set(unexplained) == {"get64", "accounting"}  # what 32-bit guests have, and readings that they compare
    assert found.coverage.reached > 150

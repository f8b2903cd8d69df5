"""The caches and the notifier: stale mappings, their witnesses, preemption, and readers that must end."""

from __future__ import annotations

from importlib import import_module

import pytest
from runstate_cases import ALL, FEW, V2, V3, V7, result, results, setting, verdict

from modelcheck.results import Result
from specs.runstate import properties, stores
from specs.runstate.layout import Layout
from specs.runstate.scene import scene_of
from specs.runstate.setup import Scene
from specs.runstate.stores import Put, Target, put, store


@pytest.mark.parametrize("preemption", ["none", "voluntary", "full"])
@pytest.mark.parametrize("version", [V2, V3, V7])
def test_no_store_goes_through_a_stale_mapping(version: str, preemption: str) -> None:
    assert verdict(version, "stale-mapping", abi="64", offset=0, **(FEW | {"preemption": preemption})) == "holds"


@pytest.mark.parametrize("preemption", ["none", "voluntary"])
@pytest.mark.parametrize("version", [V3, V7])
def test_no_store_to_two_pages_goes_through_a_stale_mapping(version: str, preemption: str) -> None:
    assert verdict(version, "stale-mapping", abi="64", offset=4081, **(FEW | {"preemption": preemption})) == "holds"


def test_preemption_anywhere_is_more_than_preemption_where_the_task_sleeps() -> None:
    none, voluntary, full = (
        result(V7, "deadlock", abi="64", offset=0, **(FEW | {"preemption": kind})).states
        for kind in ("none", "voluntary", "full")
    )
    assert none <= voluntary < full


@pytest.mark.parametrize("offset", [0, 4081])
@pytest.mark.parametrize("version", [V3, V7])
def test_every_witness_of_the_caches_is_reached(version: str, offset: int) -> None:
    found = result(version, "stale-mapping", abi="64", offset=offset, **FEW)
    reached = dict(found.witnesses)
    expected = {"update published", "atomic path gave up", "refresh retried", "refresh failed"}
    if offset:
        expected |= {"split path ran", "second cache activated"}
    if version == V7:
        expected.add("trylock failed")
    assert reached == dict.fromkeys(expected, True)
    assert found.verdict == "holds"


@pytest.mark.parametrize("abi", ["64", "32"])
def test_every_witness_of_the_readers_is_reached(abi: str) -> None:
    """Those of linux32 are asked for wherever it holds, so the findings test them."""
    for reader in ("linux64", "state-only") if abi == "64" else ("state-only",):
        found = result(V7, "torn-read", abi=abi, offset=0, reader=reader, **FEW)
        assert found.verdict == "holds"
        assert all(dict(found.witnesses).values())
        assert ("retry after a set flag" in dict(found.witnesses)) == (reader != "state-only")


def test_an_unreachable_witness_makes_the_verdict_vacuous(monkeypatch: pytest.MonkeyPatch) -> None:
    known = properties.writer_witnesses
    monkeypatch.setattr(properties, "writer_witnesses", lambda *args: (*known(*args), "pigs fly"))
    found = result(V7, "stale-mapping", abi="64", offset=0, **FEW)
    assert found.verdict == "vacuous"
    assert [name for name, there in found.witnesses if not there] == ["pigs fly"]


def test_a_split_witness_is_not_asked_of_an_area_in_one_page() -> None:
    def asked(offset: int) -> tuple[str, ...]:
        one = setting(V7, "stale-mapping", abi="64", offset=offset, **FEW)
        return properties.writer_witnesses(one, Layout(64, offset), scene_of(one))

    assert "split path ran" not in asked(0)
    assert "split path ran" in asked(4081)


@pytest.mark.parametrize("version", ALL)
def test_every_store_stays_inside_the_area(version: str) -> None:
    offsets = (0, 4048) if version == V2 else (0, 4048, 4081, 4095)
    for abi in ("64", "32"):
        found = results(version, "out-of-area", abi=abi, offset=offsets, **FEW)
        assert {each.verdict for each in found} == {"holds"}
        assert sum(each.count for each in found) == len(offsets)


def test_a_store_past_the_area_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def long_times(scene: Scene, target: Target, flag: str):  # type: ignore[no-untyped-def]
        times = target.parts.times
        yield from put(scene, target, Put(times, times + 40, "memcpy one time too many", copy=True), flag)

    monkeypatch.setattr(stores, "store_single", long_times)
    assert result(V7, "out-of-area", abi="64", offset=0, **FEW).verdict == "violated"


# -- readers end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("abi", "offset", "reader"),
    [
        ("64", 0, "linux64"),
        ("64", 4081, "linux64"),
        ("64", 0, "state-only"),
        ("64", 0, "ignores-flag"),
        ("32", 0, "linux32"),
        ("32", 56, "linux32"),
    ],
)
def test_a_reader_ends_when_the_writer_is_idle(abi: str, offset: int, reader: str) -> None:
    assert verdict(V7, "reader-terminates", abi=abi, offset=offset, reader=reader, **FEW) == "holds"


@pytest.mark.parametrize("version", ALL[:-1])
def test_a_reader_ends_in_every_version(version: str) -> None:
    assert verdict(version, "reader-terminates", abi="64", offset=0, **FEW) == "holds"


def spinning(monkeypatch: pytest.MonkeyPatch, reader: str) -> Result:
    kept = store

    def without_clearing(scene: Scene, target: Target):  # type: ignore[no-untyped-def]
        for number in range(len(tuple(kept(scene, target)))):
            action = tuple(kept(scene, target))[number]
            if action.step != "G12":
                yield action

    monkeypatch.setattr(import_module("specs.runstate.writer"), "store", without_clearing)
    return result(V7, "reader-terminates", abi="64", offset=0, reader=reader, **FEW)


def test_a_reader_spins_when_the_flag_is_never_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    found = spinning(monkeypatch, "linux64")
    assert found.verdict == "violated"
    assert found.expected == "holds"


@pytest.mark.parametrize("reader", ["ignores-flag", "state-only"])
def test_a_reader_that_ignores_the_flag_ends_even_then(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spinning(monkeypatch, reader).verdict == "holds"

"""The versions of the writer: names, what they refuse, and their stores step by step (protocol.md 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from runstate_cases import ALL, FEW, V2, V3, V4, V7P, setting

from modelcheck import Action, UsageError
from modelcheck.process import StepMachine, extract
from specs.runstate import SPEC
from specs.runstate.layout import UPDATE
from specs.runstate.scene import build
from specs.runstate.versions import WRITERS, writer


def test_versions_answer_to_commits_and_releases() -> None:
    names = {"6.1": "a795cd43", "seed": "5ec3289b", "6.2": "bbe17c62", "6.9": "4438355e", "6.11": "11896456"}
    names |= {"7.3": "36a85200", "7.3.3": "da260bcb"}
    assert {alias: SPEC.version(alias).name for alias in names} == names
    assert [SPEC.version(name).name for name in ALL] == list(ALL)
    assert SPEC.newest == "da260bcb"
    assert tuple(each.name for each in WRITERS) == ALL


def test_an_unknown_version_is_told_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no version '6\.3'; there are a795cd43=6\.1, 5ec3289b=seed, d8ba8ba4, "):
        SPEC.version("6.3")


@pytest.mark.parametrize(
    ("what", "since"),
    [
        ("two_caches", V3),
        ("byte_flag", V3),
        ("flag_optional", V4),
        ("trylock", "bbe17c62"),
        ("nested_class", "bbe17c62"),
        ("xen_lock", "bbe17c62"),
        ("dirty_inside", "4438355e"),
        ("only_in_run", "11896456"),
        ("clamped", "36a85200"),
        ("ioctls_write", V3),
    ],
)
def test_each_change_is_there_from_its_commit_on(what: str, since: str) -> None:
    """protocol.md 0.2, 2.3."""
    assert [getattr(writer(name), what) for name in ALL] == [ALL.index(name) >= ALL.index(since) for name in ALL]


# -- what does not exist --------------------------------------------------------------------------------------------


def test_a795cd43_refuses_an_area_across_a_page() -> None:
    said = "offset=4049: a795cd43 refuses an area that is not 48 bytes before its page's end (-EINVAL, protocol.md B5)"
    for abi in ("64", "32"):  # V2 checks the 64-bit size for both (protocol.md B5, 12.1 item 10)
        assert SPEC.refuse(setting(V2, "torn-read", abi=abi, offset=4048)) == ""
        assert SPEC.refuse(setting(V2, "torn-read", abi=abi, offset=4049)) == said + "; there are 0..4048"
    assert SPEC.refuse(setting(V3, "torn-read", abi="64", offset=4049)) == ""


def test_the_flag_cannot_be_off_before_d8ba8ba4() -> None:
    refused = {name: SPEC.refuse(setting(name, "torn-read", flag="off")) for name in ALL}
    assert refused == {
        name: f"flag=off needs d8ba8ba4 or later, {name} always uses the flag; take flag=on" if name in (V2, V3) else ""
        for name in ALL
    }


def test_the_reader_is_that_of_the_abi() -> None:
    assert SPEC.defaults("reader", (("abi", "64"),)) == ("linux64",)
    assert SPEC.defaults("reader", (("abi", "32"),)) == ("linux32",)
    assert SPEC.defaults("offset", (("abi", "32"),)) == ()


# -- store sequences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "cache"), [(V2, "8332f0ed4f18"), (V3, "9f87791d686d"), (V7P, "da260bcb56fe")])
def test_each_writer_has_the_cache_of_its_release(version: str, cache: str) -> None:
    """protocol.md 3.8."""
    assert writer(version).cache == cache


def machine(version: str, process: str = "vcpu", **values: int | str) -> StepMachine:
    model = build(setting(version, "torn-read", **FEW, **values))
    (found,) = [each for each in model.processes if each.name == process]
    return extract(found.body, process, initial=found.context)


def one_update(found: StepMachine) -> Iterator[Action]:
    """The actions of one update that goes well: from a new version to its publication, in program order."""
    number, under_way = 0, False
    while True:
        node = found.nodes[number]
        assert node.action is not None
        if under_way:
            yield node.action
            if "update published" in node.action.reaches:
                return
        under_way = under_way or node.action.step == "A9"
        good = [i for i, branch in enumerate(node.action.branches) if branch.response is not False and not branch.stay]
        number = node.targets[good[0]]


def stores(found: StepMachine) -> list[str]:
    """`LO..HI` of every store of an update, `!` after those with the flag, and each barrier as `wmb`, in order."""
    told = []
    for action in one_update(found):
        if action.fence:
            assert action.fence == "smp_wmb"
            told.append("wmb")
        elif action.access is not None and action.access.store:
            told.append(f"{action.access.lo}..{action.access.hi}" + "!" * (action.access.variant == UPDATE))
    return told


@pytest.mark.parametrize("process", ["vcpu", "sched_out"])
@pytest.mark.parametrize("version", ALL[1:])
def test_with_the_flag_an_update_is_byte_state_entry_times_byte(version: str, process: str) -> None:
    assert stores(machine(version, process, abi="64")) == [
        "15..16!", "wmb", "0..4!", "8..16!", "16..48!", "wmb", "15..16", "wmb",
    ]  # fmt: skip
    assert stores(machine(version, process, abi="32")) == [
        "11..12!", "wmb", "0..4!", "4..12!", "12..44!", "wmb", "11..12", "wmb",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ALL[1:])
def test_with_two_pages_an_update_is_byte_page_page_byte(version: str) -> None:
    assert stores(machine(version, abi="64", offset=4081)) == [
        "15..16!", "wmb", "0..15!", "15..48!", "wmb", "15..16", "wmb",
    ]  # fmt: skip
    assert stores(machine(version, abi="32", offset=4088)) == [
        "11..12!", "wmb", "0..8!", "8..44!", "wmb", "11..12", "wmb",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ALL[2:])
def test_without_the_flag_only_the_barrier_behind_the_data_is_left(version: str) -> None:
    """protocol.md 2.3: plain stores, no first barrier, the G11 barrier still there."""
    assert stores(machine(version, abi="64", flag="off")) == ["0..4", "8..16", "16..48", "wmb"]
    assert stores(machine(version, abi="64", offset=4081, flag="off")) == ["0..15", "15..48", "wmb"]


def test_a795cd43_stores_the_flag_with_the_whole_word() -> None:
    assert stores(machine(V2, abi="64")) == ["8..16!", "wmb", "0..4!", "16..48!", "wmb", "8..16", "wmb"]
    assert stores(machine(V2, abi="32")) == ["4..12!", "wmb", "0..4!", "12..44!", "wmb", "4..12", "wmb"]


@pytest.mark.parametrize("version", ALL)
def test_the_times_and_the_page_copies_may_be_torn_and_the_fields_not(version: str) -> None:
    offsets = (0,) if version == V2 else (0, 4081)
    for offset in offsets:
        modes = {
            (action.access.lo, action.access.hi): action.access.mode
            for action in one_update(machine(version, abi="64", offset=offset))
            if action.access is not None
        }
        copied = {(16, 48)} if offset == 0 else {(0, 15), (15, 48)}
        assert {place for place, mode in modes.items() if mode == "copy"} == copied


@pytest.mark.parametrize("version", ALL)
def test_the_atomic_path_tries_from_bbe17c62_on_and_the_sleeping_path_waits(version: str) -> None:
    def asked(process: str) -> list[tuple[str, bool]]:
        offset = 0 if version == V2 else 4081
        actions = one_update(machine(version, process, abi="64", offset=offset))
        return [(action.lock.lock, action.blocking) for action in actions if action.lock is not None]

    caches = ["gpc1->lock"] if version == V2 else ["gpc1->lock", "gpc2->lock"]
    assert asked("vcpu") == [(lock, True) for lock in caches]
    assert asked("sched_out") == [(lock, not writer(version).trylock) for lock in caches]

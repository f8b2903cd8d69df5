"""One row for every property: what it says of each version, with every actor there and preemption anywhere.

Verdicts and known cases are written out here, and are those that the spec expects.  Offset 0 stands for an area in one
page, 4060 for one across two whose tail is shorter than the area's at the last byte of a page (protocol.md 12.1 item
3).  The sweep over all offsets is `modelcheck check --expect`.
"""

from __future__ import annotations

import pytest
from runstate_cases import ALL, V2, V7P, result

from modelcheck.spec import Value

HOLDS = ("holds", "")


def until(case: str, last: str) -> dict[str, tuple[str, str]]:
    """Violated up to and with `last`, and never again."""
    return {name: HOLDS if ALL.index(name) > ALL.index(last) else ("violated", case) for name in ALL}


ALWAYS_HOLDS = dict.fromkeys(ALL, HOLDS)
ONE_PAGE = {
    "torn-read": ALWAYS_HOLDS,
    "own-read": ALWAYS_HOLDS,
    "flag-clears": ALWAYS_HOLDS,
    "stale-mapping": ALWAYS_HOLDS,
    "out-of-area": ALWAYS_HOLDS,
    "lost-dirty": until("B22", "4438355e"),
    "deadlock": ALWAYS_HOLDS,
    "lock-order": until("B9", "d8ba8ba4"),
    "sleep-in-atomic": ALWAYS_HOLDS,
    "published": until("B6", "a795cd43"),
    "reader-terminates": ALWAYS_HOLDS,
    "time-sum": until("D2", "da260bcb"),
    "monotonic": until("D2", "da260bcb"),
    "steal-booked": until("D12", "da260bcb"),
}
TWO_PAGES = {
    "flag-clears": ALWAYS_HOLDS,
    "out-of-area": until("D1", "4438355e"),
    "published": ALWAYS_HOLDS,
    "lock-order": until("B9", "d8ba8ba4"),
    "lost-dirty": until("B22", "4438355e"),
}
SLOW = ("torn-read", "own-read", "stale-mapping", "deadlock", "sleep-in-atomic", "reader-terminates")  # with two pages


def found(version: str, name: str, **values: Value) -> tuple[str, str]:
    """The verdict and the known case; the spec expects them."""
    one = result(version, name, **({"vmm": "moves"} | values))
    assert (one.verdict, one.expected) in (("holds", "holds"), ("violated", "violated")), one
    return one.verdict, one.case


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize("name", ONE_PAGE)
def test_an_area_in_one_page(name: str, version: str) -> None:
    assert found(version, name, abi="64", offset=0) == ONE_PAGE[name][version]


@pytest.mark.parametrize("version", ALL[1:])
@pytest.mark.parametrize("name", TWO_PAGES)
def test_an_area_across_two_pages(name: str, version: str) -> None:
    assert found(version, name, abi="64", offset=4060) == TWO_PAGES[name][version]


@pytest.mark.parametrize("offset", [0, 4060])
@pytest.mark.parametrize("name", ["flag-clears", "out-of-area", "published", "own-read", "lost-dirty"])
def test_the_newest_version_with_a_compat_area(name: str, offset: int) -> None:
    if (name, offset) != ("own-read", 4060):
        assert found(V7P, name, abi="32", offset=offset) == HOLDS


@pytest.mark.parametrize("name", ["stale-mapping", "deadlock", "lock-order", "sleep-in-atomic"])
def test_memslots_change_while_the_newest_version_runs(name: str) -> None:
    assert found(V7P, name, abi="64", offset=0, vmm="memslots") == HOLDS


def test_every_property_has_a_row() -> None:
    from specs.runstate import SPEC

    assert list(ONE_PAGE) == [info.name for info in SPEC.properties]
    assert set(TWO_PAGES) | set(SLOW) | {"time-sum", "monotonic", "steal-booked"} == set(ONE_PAGE)


# -- a compat guest and an interrupted accounting --------------------------------------------------------------------


def test_get64_is_torn_where_the_accounting_is_interrupted() -> None:
    """An older entry time is published after newer ones: PREEMPTED_WORDS of expected.py."""
    assert found(V7P, "torn-read", abi="32", offset=0) == ("violated", "D2")


@pytest.mark.parametrize("values", [{"fix": "accounting"}, {"preemption": "none"}], ids=["fixed", "not preempted"])
def test_get64_is_whole_where_it_is_not(values: dict[str, Value]) -> None:
    assert found(V7P, "torn-read", abi="32", offset=0, ioctls="none", **values) == HOLDS


# -- D1: gpc2 still maps the second page of the place where the area was ----------------------------------------------

D1 = ("5ec3289b", "d8ba8ba4", "bbe17c62", "4438355e")


@pytest.mark.parametrize("version", D1)
@pytest.mark.parametrize(
    "values", [{"fix": "address"}, {"to": "same"}, {"preemption": "none"}], ids=["fixed", "same place", "not preempted"]
)
def test_a_moved_area_is_safe(version: str, values: dict[str, Value]) -> None:
    assert found(version, "out-of-area", abi="64", offset=4060, **values) == HOLDS


def test_voluntary_preemption_is_enough_to_write_past_a_moved_area() -> None:
    assert found("4438355e", "out-of-area", abi="64", offset=4060, preemption="voluntary") == ("violated", "D1")


def test_a795cd43_has_one_cache_and_never_leaves_its_area() -> None:
    assert found(V2, "out-of-area", abi="64", offset=4048) == HOLDS

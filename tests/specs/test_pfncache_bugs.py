"""The pfncache's own bugs (protocol.md 3.8): violated in the versions before the fix, and in those alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pfncache_cases import NAMES, NEWEST, decide, violated

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import native_missing
from specs.pfncache.properties import ASSERTIONS, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE
from specs.pfncache.scenarios import SCENARIOS

(V517, SAME_PAGE, SERIAL, LATE, LOCKS, REJECTS, MOVES, DROPPED, READ_FIRST, CONTAINED, OWN_SEQ) = NAMES

SMALL = [case for case in SCENARIOS if not case.startswith("all")]

BUGS = [
    ("B11", "owner-notifier", "stale-mapping", (V517, SAME_PAGE, SERIAL)),
    ("B12", "user-refresher", "stale-mapping", (V517, SAME_PAGE, SERIAL)),
    ("B13", "two-owners", "half-refresh", (V517, SAME_PAGE)),
    ("B14", "same-page-move", "out-of-area", (SAME_PAGE, SERIAL, LATE, LOCKS, REJECTS)),
    ("B15", "user-config", "lock-init", (V517, SAME_PAGE, SERIAL, LATE)),
    ("B16", "owner-config-notifier", "stale-mapping", (V517, SAME_PAGE, SERIAL, LATE, LOCKS, DROPPED, READ_FIRST)),
    ("B19", "owner-config-keeping", "stale-mapping", (V517, SAME_PAGE, SERIAL, LATE, LOCKS, DROPPED, READ_FIRST)),
    ("B19", "owner-config-keeping", "inactive-valid", (V517, SAME_PAGE, SERIAL, LATE, LOCKS, DROPPED, READ_FIRST)),
    ("B24", "hva-outside", "stale-mapping", NAMES[:-1]),
    ("B24 where a memslot goes", "hva-slot-goes", "stale-mapping", NAMES[:-1]),
]


@pytest.mark.parametrize(("case", "name", "versions"), [bug[1:] for bug in BUGS], ids=[f"{b[0]}-{b[2]}" for b in BUGS])
def test_a_bug_is_in_the_versions_before_its_fix_and_in_no_other(case, name, versions):
    assert violated(case, name) == versions


SAFETY = [info.name for info in (*ASSERTIONS, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE)]


@pytest.mark.parametrize("name", SAFETY)
@pytest.mark.parametrize("case", SMALL)
def test_the_newest_version_has_none_of_them(case, name):
    assert decide(case, NEWEST, name).verdict == "holds"


@pytest.mark.parametrize("case", SMALL)
def test_the_fields_fit_together_in_every_version(case):
    assert violated(case, "type") == ()


@pytest.mark.parametrize("name", ["stale-mapping", "deadlock", "lock-order", "sleep-in-atomic"])
@pytest.mark.parametrize("case", ["owner-notifier", "user-config", "same-page-move"])
def test_the_locks_of_preempt_rt_do_no_harm_to_the_cache(case, name):
    assert decide(replace(SCENARIOS[case], sleeping=True), NEWEST, name).verdict == "holds"


@pytest.mark.parametrize("version", NAMES)
def test_no_version_takes_locks_in_two_orders(version):
    for case in ("owner-config-keeping", "owner-memslots-notifier"):
        assert decide(case, version, "lock-order").verdict == "holds"


@pytest.mark.skipif(bool(native_missing()), reason="4.5 million states need the native engine")
def test_every_actor_together_leaves_the_newest_version_without_a_stale_store():
    outcome = decide("all", NEWEST, "stale-mapping", Bounds(10_000_000))
    assert (outcome.verdict, outcome.states) == ("holds", 4_536_417)


def test_memslot_updates_break_only_versions_that_keep_a_mapping_after_a_failed_lookup():
    """Before 58cd407ca4c6 a refresh that finds no slot unmaps khva and keeps it for the next one to use again."""
    assert violated("owner-memslots", "stale-mapping") == (V517, SAME_PAGE, SERIAL)


def test_gpa_caches_miss_no_invalidation_though_a_memslot_that_goes_bumps_no_sequence():
    """protocol.md 3.8, da260bcb56fe: derived there, shown here: only HVA caches needed a sequence of their own."""
    assert violated("owner-memslots-notifier", "stale-mapping") == (V517, SAME_PAGE, SERIAL)

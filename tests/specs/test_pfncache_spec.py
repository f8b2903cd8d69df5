"""The pfncache spec: what it expects, what it refuses, and that a refresh ends once invalidations do."""

from __future__ import annotations

from pathlib import Path

import pytest
from pfncache_cases import NAMES, NEWEST, decide

from modelcheck import Setting
from modelcheck.campaign import run
from modelcheck.results import Request
from specs.kvm.cache_versions import CACHES
from specs.pfncache import SPEC, refuse
from specs.pfncache.properties import PROPERTIES
from specs.pfncache.scenarios import SCENARIOS

SPECS = Path(__file__).resolve().parents[2] / "specs"
SMALL = tuple(name for name in SCENARIOS if not name.startswith("all"))


def test_versions_are_commits_and_a_release_names_its_last() -> None:
    assert tuple(version.name for version in SPEC.versions) == tuple(each.name for each in CACHES)
    releases = {each.name: each.subject.partition(",")[0] for each in CACHES}
    for version in SPEC.versions:
        for alias in version.aliases:
            assert [name for name in NAMES if releases[name] == alias][-1] == version.name
    assert SPEC.version("6.1").name == "8332f0ed4f18" and SPEC.newest == NEWEST


@pytest.mark.parametrize("info", PROPERTIES, ids=lambda info: info.name)
def test_every_verdict_of_every_version_and_every_small_scenario_is_the_expected_one(info) -> None:
    values = (("actors", SMALL), ("invalidations", ("unending", "once")))
    report = run(Request(SPEC, NAMES, values, (info.name,), "tso", "auto", 1))
    wrong = [(r.version, dict(r.parameters)["actors"], r.verdict, r.bound, r.witnesses)
             for r in report.results if r.verdict != r.expected]
    assert wrong == []


@pytest.mark.parametrize(("name", "actors", "version", "why"), [
    ("out-of-area", "all", NEWEST, "stays where it is"),
    ("lock-init", "same-page-move", NEWEST, "nobody deactivates"),
    ("inactive-valid", "owner-notifier", NEWEST, "nobody deactivates"),
    ("half-refresh", "owner-notifier", NEWEST, "one task alone"),
    ("half-refresh", "same-page-move", NEWEST, "one task alone"),
    ("refresh-ends", "two-owners", NEWEST, "one owner and a notifier"),
    ("refresh-ends", "owner-memslots", NEWEST, "one owner and a notifier"),
    ("stale-mapping", "hva-outside", "9f87791d686d", "721f5b0dda78"),
])
def test_what_nothing_could_break_is_refused(name: str, actors: str, version: str, why: str) -> None:
    assert why in refuse(Setting(version, name, (("actors", actors), ("invalidations", "unending"))))


def test_without_a_notifier_there_is_no_last_invalidation() -> None:
    assert "no notifier" in refuse(Setting(NEWEST, "deadlock", (("actors", "user-config"), ("invalidations", "once"))))


@pytest.mark.parametrize("version", NAMES)
@pytest.mark.parametrize("actors", ["owner-elsewhere", "owner-notifier"])
def test_a_refresh_ends_if_invalidations_do_and_else_need_not(actors: str, version: str) -> None:
    assert decide(actors, version, "refresh-ends").verdict == "violated"
    assert decide(actors, version, "refresh-ends", once=True).verdict == "holds"


def test_a_refresh_that_never_ends_is_one_that_starts_over_and_not_one_that_waits() -> None:
    outcome = decide("owner-elsewhere", NEWEST, "refresh-ends")
    assert outcome.loop and "refresh retried" in outcome.reached


def test_each_reason_for_a_line_that_is_not_reached_is_of_a_line_or_a_function_there_is() -> None:
    sources = [path.read_text("utf-8") for folder in ("pfncache", "kvm") for path in (SPECS / folder).glob("*.py")]
    for what, _ in SPEC.unreached():
        defined = f"def {what}(" if what.isidentifier() else f" {what}\n"
        assert any(defined in source for source in sources), what


def test_a_check_says_how_many_work_on_the_cache() -> None:
    def told(actors: str, once: str = "unending", name: str = "deadlock") -> tuple[str, ...]:
        values = (("actors", (actors,)), ("invalidations", (once,)))
        (found,) = run(Request(SPEC, (NEWEST,), values, (name,), "tso", "auto", 1)).results
        return tuple(text for text in found.assumptions if "cache" in text or "invalidation" in text)

    named = "nobody works on the cache but the actors named, each again and again"
    assert told("two-owners") == (named,)
    assert told("owner-notifier") == (named, "one invalidation at a time")
    assert told("owner-notifier", "once", "refresh-ends") == (named, "there is one invalidation alone")

"""One line a case for the tests of the pfncache models."""

from __future__ import annotations

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.run import Run
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.system.link import System
from specs.runstate.cache_bugs import CASES, Case, build_case
from specs.runstate.cache_versions import CACHES

NAMES = tuple(each.name for each in CACHES)
NEWEST = NAMES[-1]
MOST = Bounds(200_000)


def decide(case: str | Case, version: str, name: str, bounds: Bounds = MOST) -> Outcome:
    """What becomes of a property; what it finds is replayed."""
    model = build_case(CASES[case] if isinstance(case, str) else case, version)
    outcome = verify(model, name, bounds, Options(engine=best_engine()))
    again = Run(System(model, frozenset({name})))
    for process, choice in outcome.steps:
        again.take(again.find(process, choice))
    return outcome


def violated(case: str | Case, name: str) -> tuple[str, ...]:
    """The versions that violate a property; every other one must hold."""
    verdicts = {version: decide(case, version, name).verdict for version in NAMES}
    assert set(verdicts.values()) <= {"holds", "violated"}, verdicts
    return tuple(version for version in NAMES if verdicts[version] == "violated")

"""One line a case for the tests of the pfncache models."""

from __future__ import annotations

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.run import Run
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.system.link import System
from specs.kvm.cache_versions import CACHES
from specs.pfncache.model import build_scenario
from specs.pfncache.properties import ENDS
from specs.pfncache.scenarios import SCENARIOS, Actors

NAMES = tuple(each.name for each in CACHES)
NEWEST = NAMES[-1]
MOST = Bounds(200_000)


def decide(actors: str | Actors, version: str, name: str, bounds: Bounds = MOST, once: bool = False) -> Outcome:
    """What becomes of a property; what it finds is replayed."""
    scenario = SCENARIOS[actors] if isinstance(actors, str) else actors
    model = build_scenario(scenario, version, once, name == ENDS.name)
    outcome = verify(model, name, bounds, Options(engine=best_engine()))
    again = Run(System(model, frozenset({name})))
    for process, choice in outcome.steps:
        again.take(again.find(process, choice))
    return outcome


def violated(actors: str | Actors, name: str) -> tuple[str, ...]:
    """The versions that violate a property; every other one must hold."""
    verdicts = {version: decide(actors, version, name).verdict for version in NAMES}
    assert set(verdicts.values()) <= {"holds", "violated"}, verdicts
    return tuple(version for version in NAMES if verdicts[version] == "violated")

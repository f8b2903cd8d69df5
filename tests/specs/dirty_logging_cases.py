"""One line a case for the tests of the dirty_logging models."""

from __future__ import annotations

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.run import Run
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.system.link import System
from specs.dirty_logging.forms import FORMS
from specs.dirty_logging.model import build_scenario
from specs.dirty_logging.scenarios import SCENARIOS
from specs.dirty_logging.versions import PATHS

NAMES = tuple(each.name for each in PATHS)
NEWEST = NAMES[-1]
MOST = Bounds(500_000)


def decide(actors: str, version: str, name: str, form: str = "kernel", bounds: Bounds = MOST) -> Outcome:
    """What becomes of a property; what it finds is replayed."""
    model = build_scenario(SCENARIOS[actors], version, FORMS[form])
    outcome = verify(model, name, bounds, Options(engine=best_engine()))
    again = Run(System(model, frozenset({name})))
    for process, choice in outcome.steps:
        again.take(again.find(process, choice))
    return outcome


def violated(actors: str, name: str, form: str = "kernel") -> tuple[str, ...]:
    """The versions that violate a property; every other one must hold."""
    verdicts = {version: decide(actors, version, name, form).verdict for version in NAMES}
    assert set(verdicts.values()) <= {"holds", "violated"}, verdicts
    return tuple(version for version in NAMES if verdicts[version] == "violated")

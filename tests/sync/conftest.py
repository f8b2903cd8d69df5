"""What the tests of locks share: a property is decided by both searches, and what they find is replayed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modelcheck import Model
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, Outcome, verify
from modelcheck.system.link import System


@pytest.fixture(params=[Options(), Options(without=frozenset(REDUCTIONS))], ids=["reduced", "full"])
def decide(request: pytest.FixtureRequest) -> Callable[[Model, str], Outcome]:
    """Decides a property and replays what it finds."""

    def run(model: Model, name: str) -> Outcome:
        outcome = verify(model, name, options=request.param)
        again = Run(System(model, frozenset({name})))
        for process, choice in outcome.steps:
            again.take(again.find(process, choice))
        return outcome

    return run

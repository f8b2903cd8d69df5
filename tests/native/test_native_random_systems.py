"""Random systems decided by both engines, with random sets of reductions: every field of the outcome is the same."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_systems import Draws, Grammar, Program, memory_system, model_of, seeded
from twins import MEMORY, Judge, first_times, same_outcome, weight

from modelcheck import Values
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.verify import REDUCTIONS, Options

GROUPS = {
    "asserted": ("var", "lock", "stamp", "check"),
    "bounded": ("var", "lock"),
    "deadlock": ("lock", "var", "stamp"),
    "lock-order": ("lock", "lock", "var"),
    "sleep-in-atomic": ("sleep", "lock", "var"),
    "ends": ("var", "progress", "lock"),
    "ends-when": ("var", "progress", "lock"),
}
SUBSETS = [frozenset(chosen) for n in range(len(REDUCTIONS) + 1) for chosen in combinations(REDUCTIONS, n)]
MOST = Bounds(states=3000)
QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def subset(what: object) -> Options:
    """A set of reductions left out, by chance."""
    return Options(without=SUBSETS[weight(("subset", what)) % len(SUBSETS)])


def decided(draws: Draws, name: str, options: Options) -> str:
    """The verdict on a random system of locks, variables and stamps."""
    bounds = Bounds(states=1 + draws.below(200)) if draws.below(5) == 0 else MOST
    programs = Grammar(GROUPS[name], nested=True).system(draws)
    if name == "ends-when":  # so that what its condition reads is a slot
        programs = (Program((("set", 1, 0), *programs[0].block)), *programs[1:])
    model = model_of(programs)
    return str(same_outcome(lambda: model, name, bounds, options)["verdict"])


def observed(seed: int, options: Options) -> dict[str, object]:
    """The outcome on a random system of writers and readers of memory."""
    draws = seeded(seed)
    model = memory_system(draws, control_read=draws.below(4) == 0)
    model.observation("seen", Values("none", (), None, None, None, None, None))
    return same_outcome(lambda: model, "seen", MOST, options, judged=True)


@pytest.mark.parametrize("name", GROUPS)
def test_random_systems_are_decided_alike(name):
    verdicts = {decided(seeded(seed), name, subset((name, seed))) for seed in range(24)}
    assert {"holds", "violated"} <= verdicts | ({"violated"} if name == "ends-when" else set())  # seldom there


@pytest.mark.parametrize("chunk", range(2))
def test_random_observations_are_decided_alike(chunk):
    found = [observed(seed, subset(seed)) for seed in MEMORY[25 * chunk : 25 * chunk + 25]]
    assert {"holds", "violated"} <= {outcome["verdict"] for outcome in found}
    assert any(outcome["numbers"] and "switches" in str(outcome["shortest"]) for outcome in found)


@pytest.mark.parametrize("part", range(8))
def test_every_set_of_reductions_decides_alike(part):
    for i, without in enumerate(SUBSETS):
        if i % 8 == part:
            decided(seeded(100 + i), tuple(GROUPS)[i % len(GROUPS)], Options(without=without))
            observed(MEMORY[i % len(MEMORY)], Options(without=without))


@QUICK
@given(st.data())
def test_hypothesis_finds_no_system_that_is_decided_otherwise(data):
    draws = Draws(lambda n: data.draw(st.integers(0, n - 1)))
    options = Options(without=draws.of(SUBSETS), canonical_states=draws.of((0, 20, 60_000)))
    if draws.below(3):
        decided(draws, draws.of(tuple(GROUPS)), options)
    else:
        observed(draws.of(MEMORY), options)


def test_what_is_asked_is_compared():
    judge = Judge()
    assert [judge.possible(each) for each in "aab"] == [judge.possible(each) for each in "aab"]
    assert (judge.asked, first_times(judge.asked)) == ([*"aabaab"], ["a", "b"])

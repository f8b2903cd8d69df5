"""The full search, nothing reduced, against an interpreter of the same programs that shares no code with it.

Random systems of two or three processes, some with one nested in another: equal states, transitions, depth, verdict.
"""

from __future__ import annotations

import pytest
from naive_interpreter import Naive
from random_systems import Grammar, Program, model_of, seeded

from modelcheck.explore.verify import REDUCTIONS, Options, verify

FULL = Options(without=frozenset(REDUCTIONS))
MOST = 1500
ALL = ("var", "lock", "stamp", "check")


def systems(grammar: Grammar, seeds: range, checks: bool = False):
    """The random systems with at most MOST states, explored by the interpreter."""
    for seed in seeds:
        programs = grammar.system(seeded(seed))
        naive = Naive(programs, checks)
        if naive.explore(MOST):
            yield seed, programs, naive


@pytest.mark.parametrize("chunk", range(3))
def test_states_transitions_depth_and_deadlock_are_the_interpreters(chunk):
    counted = 0
    for seed, programs, naive in systems(Grammar(ALL, nested=True), range(100 * chunk, 100 * chunk + 100)):
        full = verify(model_of(programs), "deadlock", options=FULL)
        expected = "violated" if naive.stuck() else "holds"
        assert (seed, full.verdict, full.states, full.transitions, full.depth) == (
            seed,
            expected,
            len(naive.states),
            naive.transitions(),
            naive.depth,
        )
        counted += 1
    assert counted > 80


def test_a_counterexample_to_an_assertion_is_as_short_as_the_interpreters():
    found = 0
    for seed, programs, naive in systems(Grammar(ALL, nested=True), range(1000, 1120), checks=True):
        full = verify(model_of(programs), "asserted", options=FULL)
        assert (seed, full.verdict) == (seed, "holds" if naive.broken is None else "violated")
        if naive.broken is not None:
            assert (seed, len(full.steps)) == (seed, naive.broken)
            found += 1
    assert found > 30


CASES = {
    "bounded": (("var", "lock"), Naive.invariant_breaks),
    "lock-order": (("lock", "lock", "var"), Naive.lock_cycle),
    "sleep-in-atomic": (("sleep", "lock", "var"), Naive.sleeps_atomic),
    "ends": (("var", "progress", "lock"), lambda naive: naive.spins(lambda value: True)),
}


@pytest.mark.parametrize("name", CASES)
def test_verdicts_are_the_interpreters(name):
    groups, violated = CASES[name]
    seen = set()
    for seed, programs, naive in systems(Grammar(groups, nested=True), range(2000, 2120)):
        full = verify(model_of(programs), name, options=FULL)
        assert (seed, full.verdict) == (seed, "violated" if violated(naive) else "holds")
        seen.add(full.verdict)
    assert seen == {"holds", "violated"}


def test_spinning_from_a_condition_is_the_interpreters():
    seen = set()
    for seed in range(3000, 3150):
        first, *others = Grammar(("var", "progress", "lock"), nested=True).system(seeded(seed))
        programs = (Program((("set", 1, 0), *first.block)), *others)  # so that the condition's slot is a slot
        naive = Naive(programs, False)
        if naive.explore(MOST):
            full = verify(model_of(programs), "ends-when", options=FULL)
            assert (seed, full.verdict) == (
                seed,
                "violated" if naive.spins(lambda value: value("v1") == 1) else "holds",
            )
            seen.add(full.verdict)
    assert seen == {"holds", "violated"}

"""Each reduction against the full search on random small systems: equal verdicts, equal sets of observations.

Every way to switch one reduction off is tried beside all of them on, and each alone.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_systems import Draws, Grammar, Program, memory_system, model_of, seeded

from modelcheck import Model, Values, assign
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
SMALL = Bounds(states=4000)
WITHOUT = [
    frozenset(),
    *(frozenset({r}) for r in REDUCTIONS),
    *(frozenset(REDUCTIONS) - {r} for r in ("ample", "summary")),
]
QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


class Recorder:
    """Takes the solver's place: notes every observation it is asked about and calls none a violation."""

    unknown = 0

    def __init__(self) -> None:
        self.seen = set()

    def possible(self, observation) -> bool:
        self.seen.add(observation)
        return False


def values() -> Values:
    return Values("none", (), None, None, None, None, None)


def replay(model, watched: str, steps) -> Run:
    run = Run(System(model, frozenset({watched})))
    for process, choice in steps:
        edge = run.find(process, choice)
        assert edge is not None, (process, choice)
        run.take(edge)
    return run


GROUPS = {
    "asserted": ("var", "lock", "stamp", "check"),
    "bounded": ("var", "lock"),
    "deadlock": ("lock", "var", "stamp"),
    "lock-order": ("lock", "lock", "var"),
    "sleep-in-atomic": ("sleep", "lock", "var"),
    "ends": ("var", "progress", "lock"),
}


def verdicts_agree(name: str, programs) -> str:
    model = model_of(programs)
    full = verify(model, name, SMALL, FULL)
    if full.verdict == "incomplete":
        return full.verdict
    for without in WITHOUT:
        reduced = verify(model, name, options=Options(without=without))
        assert (sorted(without), reduced.verdict) == (sorted(without), full.verdict)
        if reduced.verdict == "violated":
            run = replay(model, name, reduced.steps)
            if name in ("asserted", "sleep-in-atomic"):
                assert run.steps[-1].edge.breaks == name
                assert len(reduced.steps) == len(full.steps)
            if name == "bounded":
                assert not run.value(model.properties[name].condition)
    return full.verdict


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("chunk", range(2))
def test_every_reduction_keeps_the_verdict(name, chunk):
    grammar = Grammar(GROUPS[name], nested=True)
    seen = {verdicts_agree(name, grammar.system(seeded(4000 + 50 * chunk + i))) for i in range(50)}
    assert {"holds", "violated"} <= seen


@QUICK
@given(st.data())
def test_hypothesis_finds_no_verdict_that_a_reduction_changes(data):
    draws = Draws(lambda n: data.draw(st.integers(0, n - 1)))
    name = draws.of(tuple(GROUPS))
    verdicts_agree(name, Grammar(GROUPS[name], nested=True, depth=1).system(draws))


@pytest.mark.parametrize("chunk", range(2))
def test_every_subset_of_reductions_keeps_asserted_and_deadlock(chunk):
    subsets = [frozenset(c) for n in range(5) for c in combinations(("slice", "dead", "merge", "ample"), n)]
    grammar = Grammar(("var", "lock", "stamp", "check"), nested=True)
    for seed in range(5000 + 12 * chunk, 5012 + 12 * chunk):
        model = model_of(grammar.system(seeded(seed)))
        for name in ("asserted", "deadlock"):
            full = verify(model, name, SMALL, FULL).verdict
            if full == "incomplete":
                continue
            for without in subsets:
                found = verify(model, name, options=Options(without=without)).verdict
                assert (seed, name, sorted(without), found) == (seed, name, sorted(without), full)


@pytest.mark.parametrize("chunk", range(3))
def test_reductions_keep_the_verdict_on_loops_that_spin_from_a_condition(chunk):
    seen = set()
    for seed in range(100 * chunk, 100 * chunk + 100):
        first, *others = Grammar(("var", "progress", "lock"), nested=True).system(seeded(1000 + seed))
        programs = (Program((("set", 1, 0), *first.block)), *others)
        model = model_of(programs)
        full = verify(model, "ends-when", SMALL, FULL).verdict
        if full == "incomplete":
            continue
        for without in WITHOUT[:6]:
            found = verify(model, "ends-when", options=Options(without=without)).verdict
            assert (seed, sorted(without), found) == (seed, sorted(without), full)
        seen.add(full)
    assert "holds" in seen


def observations_agree(model) -> tuple[int, bool]:
    """How many observations there are, and whether a summary took the sources' place; -1 where it grows too large."""
    model.observation("seen", values())
    full = Recorder()
    whole = verify(model, "seen", Bounds(states=6_000), FULL, full)
    if whole.bound:
        return -1, False
    summarised = False
    for without in WITHOUT:
        reduced = Recorder()
        outcome = verify(model, "seen", options=Options(without=without), solver=reduced)
        assert (sorted(without), reduced.seen - full.seen, full.seen - reduced.seen) == (sorted(without), set(), set())
        summarised |= "sources" in outcome.actors or outcome.states != whole.states
    return len(full.seen), summarised


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_every_reduction_keeps_the_set_of_observations(chunk):
    counts = [observations_agree(memory_system(seeded(seed)))[0] for seed in range(40 * chunk, 40 * chunk + 40)]
    assert max(counts) > 2


@pytest.mark.parametrize("chunk", [0])
def test_every_reduction_keeps_the_observations_of_a_reader_that_waits_for_a_writers_variable(chunk):
    for seed in range(40 * chunk, 40 * chunk + 40):
        observations_agree(memory_system(seeded(seed), control_read=True))


@settings(parent=QUICK, max_examples=20)
@given(st.data())
def test_hypothesis_finds_no_observation_that_a_reduction_changes(data):
    observations_agree(memory_system(Draws(lambda n: data.draw(st.integers(0, n - 1)))))


@pytest.mark.parametrize("without", WITHOUT, ids=lambda without: "without " + (" ".join(sorted(without)) or "nothing"))
def test_an_invariant_over_two_independent_processes_sees_them_interleave(without):
    m = Model("blinks")
    a, b = m.bool("a"), m.bool("b")

    def blinks(slot):
        yield assign(slot, 1)
        yield assign(slot, 0)

    m.process("one", blinks, a)
    m.process("two", blinks, b)
    m.invariant("not both", ~(a & b))
    outcome = verify(m, "not both", options=Options(without=without))
    assert (outcome.verdict, len(outcome.steps)) == ("violated", 2)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (2, 0, 1)])
def test_the_order_of_declaration_changes_neither_verdict_nor_full_counts(order):
    grammar = Grammar(("var", "lock", "check"))
    for seed in range(6000, 6040):
        programs = grammar.system(seeded(seed))
        if len(programs) != 3:
            continue
        one, two = (verify(model_of(programs, o), "deadlock", SMALL, FULL) for o in ((0, 1, 2), order))
        if "incomplete" not in (one.verdict, two.verdict):
            assert (one.verdict, one.states, one.transitions, one.depth) == (
                two.verdict,
                two.states,
                two.transitions,
                two.depth,
            )
            assert verify(model_of(programs, order), "deadlock").verdict == one.verdict

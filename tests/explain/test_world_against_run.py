"""A world takes the steps that the reference run takes, in each state of random walks, and what matters is the same."""

from __future__ import annotations

import random

import pytest
from explained_models import torn_pair
from random_systems import Grammar, memory_system, model_of, seeded

from modelcheck.explain.given import Given
from modelcheck.explain.touched import matters
from modelcheck.explain.world import World
from modelcheck.explore.run import Run
from modelcheck.system.link import System

GROUPS = ("var", "stamp", "lock", "check", "progress", "sleep")


def walk(system: System, name: str, seed: int, most: int = 40) -> int:
    """Compares world and run along one random walk; answers how many steps it had."""
    everyone = range(len(system.processes))
    world = World(system, matters(system, frozenset(everyone)), Given(None, ()), name)
    run, state, source = Run(system), world.initial, random.Random(seed)
    for number in range(most):
        both = [(p, edge.choice) for p in everyone for edge in run.enabled(p)]
        assert [(world.processes[p], way.edge.choice) for p in everyone for way in world.enabled(state, p)] == both
        if not both:
            return number
        process, choice = source.choice(both)
        edge = run.find(process, choice)
        assert edge is not None
        way = next(way for way in world.enabled(state, world.place[process]) if way.edge == edge)
        after = world.after(state, way)
        assert after is not None
        run.take(edge)
        state = after
        for slot, place in world.index.items():
            if slot.domain.kind not in ("stamp", "name"):  # which a world numbers anew
                assert state[place] == run.value(slot), slot.name
    return most


@pytest.mark.parametrize("seed", range(30))
def test_systems_of_slots_and_locks(seed):
    model = model_of(Grammar(GROUPS, nested=True).system(seeded(seed)))
    assert sum(walk(System(model, frozenset({"asserted", "sleep-in-atomic"})), "asserted", i) for i in range(4)) > 0


@pytest.mark.parametrize("memory", ["sc", "tso", "weak"])
@pytest.mark.parametrize("seed", range(12))
def test_systems_of_memory(seed, memory):
    model = memory_system(seeded(seed), control_read=bool(seed % 2))
    model.memory = memory
    assert sum(walk(System(model, frozenset({"seen"})), "seen", i) for i in range(3)) > 0


def test_values_leave_a_comparison_one_outcome():
    model = torn_pair()
    system = System(model, frozenset({"torn"}))
    updates = ({"key": 0, "data": 7}, {"key": 1, "data": 7})
    world = World(system, matters(system, frozenset({0, 1}), makers=True), Given(model.values, updates), "torn")

    def answers(*word: int) -> list[str]:
        state = world.initial
        for place in word:
            state = world.after(state, world.enabled(state, place)[0]) or state
        return [way.edge.choice for way in world.enabled(state, 1)]

    assert answers(1, 1, 1) == ["k1 == k2? -> True"]  # nothing was stored meanwhile
    assert answers(1, 1, 0, 1) == ["k1 == k2? -> True"]  # a new pair, of which nothing is stored yet
    assert answers(1, 1, 0, 0, 1) == ["k1 == k2? -> False"]

"""Fate and passing of random small systems are those that brute force over whole states and runs finds."""

from __future__ import annotations

import pytest
from explained_models import plain_trace
from naive_explanation import Naive
from random_systems import Grammar, model_of, seeded

from modelcheck.explain import explained, passes_again
from modelcheck.explore.run import Run
from modelcheck.explore.verify import verify
from modelcheck.system.link import System

MOST_STEPS = 14
GRAMMARS = {
    "asserted": Grammar(("var", "check", "var"), length=3, depth=2),
    "bounded": Grammar(("var", "lock"), length=3, depth=2),
    "sleep-in-atomic": Grammar(("var", "lock", "sleep"), length=3, depth=2),
    "deadlock": Grammar(("var", "lock", "lock"), length=3, depth=2),
}
NESTED = {name: Grammar(g.groups, length=2, depth=2, nested=True) for name, g in GRAMMARS.items() if name != "deadlock"}
met: dict[str, int] = {}


def system_of(name: str, seed: int, grammars: dict[str, Grammar]):
    """A violated system with a trace that is not long, explained; None for another."""
    model = model_of(grammars[name].system(seeded(seed)))
    outcome = verify(model, name)
    if outcome.verdict != "violated" or not 0 < len(outcome.steps) <= MOST_STEPS:
        return None
    return model, explained(plain_trace(model, name, outcome), model, name)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("block", range(3))
@pytest.mark.parametrize("name", list(GRAMMARS))
def test_fate_and_passing_are_those_of_brute_force(name, block, nested):
    grammars = NESTED if nested else GRAMMARS
    found = 0
    for seed in range(12 * block, 12 * block + 12) if name in grammars else ():
        made = system_of(name, seed, grammars)
        if made is None:
            continue
        model, trace = made
        found += 1
        system = System(model, frozenset({name}))
        numbers = {process.name: i for i, process in enumerate(system.processes)}
        steps = [(numbers[trace.processes[s.process].name], s.choice) for s in trace.steps
                 if not s.choice.startswith("attempt: ")]
        steps = steps[: first_violation(model, system, steps)]
        failing = numbers[trace.processes[trace.steps[trace.deciding].process].name]
        naive = Naive(system, name, failing, node_of(system, steps, failing, name))
        assert trace.fate is not None and trace.fate.open == "", seed
        assert trace.fate.step == naive.fate(steps), seed
        wanted = naive.passing(steps)
        assert (trace.passing is None) == (wanted is None), seed
        if trace.passing is not None and wanted is not None:
            at, by, schedule = wanted
            assert (trace.passing.switch, trace.passing.by) == (at, by), seed
            assert [(numbers[who], choice) for who, choice in trace.passing.steps] == schedule, seed
            passes_again(trace, model, name)
    met[f"{name} {nested}"] = met.get(f"{name} {nested}", 0) + found


def first_violation(model, system, steps) -> int:
    """After how many steps the invariant, if that is the property, is violated first."""
    condition, run = model.properties[next(iter(system.watched))].condition, Run(system)
    for number, (process, choice) in enumerate(steps, 1):
        run.take(run.find(process, choice))
        if "bounded" in system.watched and condition is not None and not run.value(condition):
            return number
    return len(steps)


def node_of(system, steps, failing, name) -> int:
    run = Run(system)
    for process, choice in steps:
        run.take(run.find(process, choice))
    return run.locals[failing].node if name == "deadlock" else run.steps[-1].edge.node

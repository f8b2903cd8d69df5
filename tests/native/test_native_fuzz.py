"""The fuzzer of .ci/run, for a moment: arrays and mutated programs end in answers or exceptions, and nothing else."""

from __future__ import annotations

from array import array

import pytest
from fuzzing import EXTREME, Caller, run_seed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_systems import Draws, seeded
from random_tables import TableGrammar
from twins import NATIVE

from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import program_of


def test_the_loop_runs_programs_of_every_kind():
    assert NATIVE.name == "native"
    ended: dict[object, int] = {}
    for seed in range(60):
        for what, count in run_seed(seed).items():
            ended[what] = ended.get(what, 0) + count
    kinds = {_engine.COMPLETE, _engine.BROKEN, _engine.VIOLATED, _engine.LAYER, _engine.MEMORY, _engine.FAILED}
    assert kinds | {ValueError, TypeError, RuntimeError} <= set(ended)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_hypothesis_finds_no_program_that_does_more_than_raise(data):
    Caller(Draws(lambda n: data.draw(st.integers(0, n - 1)))).some(2)


@pytest.mark.parametrize("name", ["slots", "sorts", "locals", "steps", "code", "observations", "conditions", "ample"])
def test_random_numbers_in_one_part_are_refused_or_run(name):
    """Each part in turn is all extremes, the others being those of a program."""
    for seed in range(40):
        draws = seeded(seed)
        program = program_of(TableGrammar().tables(draws), ample=True)
        numbers = array("i", [draws.of(EXTREME) for _ in range(draws.below(2 * len(program.parts[name]) + 2))])
        caller = Caller(draws)
        caller.one({**program.parts, name: numbers}, program.invariants)

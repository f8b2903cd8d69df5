"""Systems large enough that threads share them: one thread, two, and more say the same of every state.

The reference engine says it too of one system; of the others one native thread speaks for it (the smaller systems of
the other tests compare those two).
"""

from __future__ import annotations

from typing import Any

import pytest
from grids import all_are, counters, grid, leaves_range, stamped_grid, step
from twins import NATIVE, Asked, Engine

from modelcheck.errors import SpecError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, run_search
from modelcheck.explore.found import Goals
from modelcheck.explore.table import Tables

SIZE, TOP = 6, 6  # 7 ** 6 = 117,649 states, up to some 9,000 in a layer
SLOTS = counters(SIZE, TOP)
MANY = (2, 3, 4, 16)


def said(tables: Tables, engine: Engine, violated_one_in: int = 0, bounds: Bounds = Bounds(), ample: bool = False) -> (
    dict[str, Any]
):
    """What a search of one engine came to: figures, every state in order, where they came from, what was asked."""
    asked = Asked(tables, violated_one_in)
    try:
        found = run_search(tables, bounds, Goals(asked.decide), ample, None, engine)
    except SpecError as error:
        return {"error": str(error)}
    return {
        "figures": (found.size, found.transitions, found.depth, found.bound, found.violated, found.path),
        "taken": found.taken,
        "states": [found.state(number) for number in range(found.size)],
        "paths": [found.path_to(number) for number in range(0, found.size, 331)],
        "observations": list(asked.paths.items()),
    }


def test_the_grid_of_counters_is_the_reference_engines():
    tables = grid(5, 5)
    expected = said(tables, REFERENCE)
    assert expected["figures"][:3] == (6**5, 5 * 5 * 6**4, 25)
    for threads in (1, *MANY):
        assert said(tables, Engine("native", threads)) == expected


SYSTEMS = {
    "holds": grid(SIZE, TOP),
    "breaks in the middle": grid(SIZE, TOP, step(SIZE, all_are(SLOTS, 3), breaks="broken")),
    "breaks at the end": grid(SIZE, TOP, step(SIZE, all_are(SLOTS, TOP), breaks="broken")),
    "an invariant": grid(SIZE, TOP, invariant=~all_are(SLOTS, 4)),
    "a range is left": leaves_range(SIZE, TOP, 3),
    "stamps": stamped_grid(6, 2, observed=False),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_threads_change_nothing(name):
    tables = SYSTEMS[name]
    expected = said(tables, NATIVE)
    for threads in MANY:
        found = said(tables, Engine("native", threads))
        for what in expected:
            assert (threads, what, found.get(what)) == (threads, what, expected[what])
    if name == "a range is left":
        assert expected == {"error": "file6.py:1: c0 became 13, outside 0..6; widen its range or guard the step"}
    elif name == "stamps":
        assert expected["figures"][:4] == (75_973, 284_582, 12, "")  # as the reference engine says
    else:
        size, _, depth, _, violated, path = expected["figures"]
        assert (violated, depth) == {
            "holds": ("", 36),
            "breaks in the middle": ("broken", 18),
            "breaks at the end": ("broken", 36),
            "an invariant": ("small", 23),
        }[name]
        assert size == 7**6 or violated
        assert len(path or ()) == {"": 0, "broken": depth + 1, "small": 24}[violated]


@pytest.mark.parametrize("violated_one_in", [0, 1_000])
def test_observations_are_asked_in_the_same_order_by_threads(violated_one_in):
    tables = stamped_grid(5, 3)
    expected = said(tables, NATIVE, violated_one_in)
    assert len(expected["observations"]) > 100
    assert bool(expected["figures"][4]) == bool(violated_one_in)
    for threads in MANY:
        assert said(tables, Engine("native", threads), violated_one_in) == expected


def test_partial_order_reduction_is_the_same_by_threads():
    tables = grid(SIZE, TOP, step(SIZE, all_are(SLOTS, TOP), breaks="broken"))
    expected = said(tables, NATIVE, ample=True)
    for threads in MANY:
        assert said(tables, Engine("native", threads), ample=True) == expected

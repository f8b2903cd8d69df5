"""The bench's workloads at small sizes, by both engines and several threads: exact figures, and the whole search alike.

The figures are recorded from the reference engine, whose graph is compared with independent step semantics in
tests/bench; the large sizes are `modelcheck bench`'s.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import w
import winf
from twins import ENGINES, Question, outcome, same_search

from modelcheck import Model
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE
from modelcheck.explore.table import Tables, build_tables
from modelcheck.explore.whole import search_whole
from modelcheck.system.link import System

FEW = (w.STATE, w.LOW, w.HIGH, w.TIMES)
ALL = tuple(range(len(w.CELLS)))
CASES = [  # workload, cells, property, then states, transitions, depth and what is violated
    ("W1", FEW, "torn", 11_647, 29_798, 33, ""),
    ("W1", ALL, "stale", 58_252, 149_624, 39, ""),
    ("W3", FEW, "torn", 37_492, 123_394, 33, ""),
    ("W4", FEW, "torn", 1_299, 2_884, 13, "torn"),
    ("W4", ALL, "torn", 2_793, 6_043, 16, "torn"),
    ("W5a", FEW, "torn", 4_199, 9_204, 18, "torn"),
    ("W5a", ALL, "torn", 20_197, 43_579, 24, "torn"),
    ("W5b", FEW, "stale", 12_270, 31_400, 33, ""),
    ("W5b", ALL, "torn", 22_304, 46_457, 24, "torn"),
    ("W5c", FEW, "torn", 11_549, 29_546, 33, ""),
]
LARGE = [
    ("W2", FEW, "torn", 1_700_605, 6_050_481, 42, ""),
    ("W3", ALL, "torn", 1_769_866, 9_920_523, 39, ""),
]


def workload(name: str, cells: tuple[int, ...]) -> Model:
    """One update and one invalidation, with the cells given."""
    return w.build_workload(replace(w.WORKLOADS[name], updates=1, invalidations=1), cells)


def tables_of(model: Model, name: str) -> Tables:
    return build_tables(System(model, frozenset({name})))


def test_the_workload_has_its_exact_figures_for_every_engine(case):
    name, cells, prop, *figures = case
    for engine in (*ENGINES, REFERENCE):
        if engine == REFERENCE and figures[0] > 100_000:
            continue  # a minute
        found = search_whole(workload(name, cells), prop, Bounds(), engine)
        assert [found.states, found.transitions, found.depth, found.violated] == figures


@pytest.mark.parametrize(("name", "prop"), [("W1", "stale"), ("W4", "torn"), ("W5a", "torn")])
@pytest.mark.parametrize("ample", [False, True])
def test_the_whole_search_is_alike(name, prop, ample):
    answers = same_search(tables_of(workload(name, FEW), prop), Question(ample=ample), ENGINES)
    assert answers["figures"][0] > 1_000


@pytest.mark.parametrize("name", ["W1", "W4", "W5a", "W5b", "W5c"])
def test_the_workload_is_decided_alike(name):
    expected = outcome(workload(name, FEW), "torn", REFERENCE)
    assert [outcome(workload(name, FEW), "torn", engine) for engine in ENGINES] == [expected] * len(ENGINES)
    assert expected["verdict"] == ("violated" if name in ("W4", "W5a", "W5b") else "holds")


@pytest.mark.parametrize("name", list(winf.BASES))
def test_the_unbounded_workload_is_decided_alike(name):
    found = [
        outcome(winf.build_workload(name, True), "torn", engine, full=lambda: winf.build_workload(name, False))
        for engine in (REFERENCE, *ENGINES)
    ]
    assert found[1:] == found[:1] * len(ENGINES)
    assert found[0]["verdict"] == ("holds" if name == "W-inf-a" else "violated")

"""The canonical counterexample: shortest, then fewest switches, then switching soonest, then least by labels."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import permutations, product
from pathlib import Path

import pytest
from random_systems import Grammar, model_of, seeded

from modelcheck import Model, assign, check, wait
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.run import Run
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

ROOT = Path(__file__).parents[2]


def first_path(model: Model, name: str, depth: int = 20, most: int = 10_000):
    tables = build_tables(System(model, frozenset({name})))
    paths = canonical_paths(tables, lambda state, step: step.breaks == name, depth, most, Bounds())
    path = next(paths, None)
    return None if path is None else tuple((s.moves[0].edge.process, s.moves[0].edge.choice) for s in path)


def all_paths(system: System, name: str, length: int):
    """Every run of `length` steps whose last breaks the property, by brute force."""

    def extend(taken):
        run = Run(system)
        for edge in taken:
            run.take(edge)
        for p in range(len(system.processes)):
            for edge in run.enabled(p):
                if len(taken) + 1 == length:
                    if edge.breaks == name:
                        yield (*taken, edge)
                elif not edge.breaks:
                    yield from extend((*taken, edge))

    return [tuple((edge.process, edge.choice) for edge in path) for path in extend(())]


def switches(path) -> int:
    return sum(a[0] != b[0] for a, b in zip(path, path[1:], strict=False))


@pytest.mark.parametrize("seed", range(40))
def test_no_run_is_shorter_or_switches_less(seed):
    model = model_of(Grammar(("var", "check", "var"), length=2, depth=1).system(seeded(seed)))
    path = first_path(model, "asserted")
    if path is None or len(path) > 5:
        return
    system = System(model, frozenset({"asserted"}))
    for shorter in range(1, len(path)):
        assert all_paths(system, "asserted", shorter) == []
    runs = all_paths(system, "asserted", len(path))
    assert path in runs
    fewest = min(map(switches, runs))
    assert switches(path) == fewest

    def stays(run):
        return tuple(a[0] == b[0] for a, b in zip(run, run[1:], strict=False))

    assert stays(path) == min(stays(run) for run in runs if switches(run) == fewest)


def two_orders() -> Model:
    m = Model("orders")
    a, b = m.bool("a"), m.bool("b")

    def sets(slot):
        yield assign(slot, 1)

    def looks():
        yield check(~(a & b), "both")

    m.process("one", sets, a)
    m.process("two", sets, b)
    m.process("looks", looks)
    m.assertion("both")
    return m


def test_of_equal_length_and_switches_the_least_labels_come_first():
    assert first_path(two_orders(), "both") == ((0, "a = 1"), (1, "b = 1"), (2, "check !(a and b) -> None"))


def test_fewest_switches_come_before_switching_soonest():
    m = Model("lines")
    a, b = m.range("a", 0, 2), m.range("b", 0, 2)

    def climbs(slot, looks):
        yield assign(slot, 1)
        yield assign(slot, 2)
        if looks:
            yield check(~(a.eq(2) & b.eq(2)), "both")

    m.process("looks", climbs, a, True)
    m.process("helps", climbs, b, False)
    m.assertion("both")
    path = first_path(m, "both")
    assert [process for process, _ in path] == [1, 1, 0, 0, 0]


def test_of_as_many_switches_the_soonest_come_first():
    m = Model("soon")
    a, b = m.range("a", 0, 2), m.bool("b")

    def climbs():
        yield assign(a, 1)
        yield assign(a, 2)
        yield check(b.eq(0), "unset")

    def sets():
        yield wait(a.eq(1) | a.eq(2))
        yield assign(b, 1)

    m.process("climbs", climbs)
    m.process("sets", sets)
    m.assertion("unset")
    assert [process for process, _ in first_path(m, "unset")] == [0, 1, 1, 0, 0]


def test_a_bound_on_states_gives_no_path():
    assert first_path(two_orders(), "both", most=2) is None
    assert first_path(two_orders(), "both", depth=2) is None


def test_the_reduced_search_tells_the_same_counterexample_as_the_full_one():
    for seed in range(60):
        model = model_of(Grammar(("var", "lock", "check"), nested=True).system(seeded(7000 + seed)))
        told = {
            verify(model, "asserted", options=Options(without=frozenset(without))).steps
            for without in ((), *((r,) for r in REDUCTIONS))
        }
        assert (seed, len(told)) == (seed, 1)


def test_the_order_of_declaration_changes_neither_length_nor_switches():
    for seed in range(30):
        programs = Grammar(("var", "lock", "check")).system(seeded(8000 + seed))
        shapes = set()
        for order in permutations(range(len(programs))):
            path = first_path(model_of(programs, order), "asserted")
            shapes.add(None if path is None else (len(path), switches(path)))
        assert (seed, len(shapes)) == (seed, 1)


def test_limit_ties_between_processes_go_to_the_one_declared_first():
    def model(order):
        m = Model("tie")
        a, b = m.bool("a"), m.bool("b")
        bodies = {"a": a, "b": b}

        def sets(slot):
            yield assign(slot, 1)

        def looks():
            yield check(~(a & b), "both")

        for name in order:
            m.process(name, sets, bodies[name])
        m.process("looks", looks)
        m.assertion("both")
        return m

    assert [choice for _, choice in first_path(model("ab"), "both")][:2] == ["a = 1", "b = 1"]
    assert [choice for _, choice in first_path(model("ba"), "both")][:2] == ["b = 1", "a = 1"]


def test_two_hash_seeds_give_the_same_counts_and_counterexamples():
    program = (
        "from random_systems import *\n"
        "from modelcheck.explore.verify import verify\n"
        "for seed in range(25):\n"
        "    m = model_of(Grammar(('var', 'lock', 'stamp', 'check'), nested=True).system(seeded(seed)))\n"
        "    for name in ('asserted', 'deadlock'):\n"
        "        o = verify(m, name)\n"
        "        print(seed, name, o.verdict, o.states, o.transitions, o.depth, o.steps, o.stuck)\n"
    )
    path = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("\n") == 50


def test_labels_compare_numbers_by_value():
    from modelcheck.explore.canonical import _natural

    texts = ["bytes 12-14", "bytes 8-11", "bytes 8-9", "a"]
    assert sorted(texts, key=_natural) == ["a", "bytes 8-9", "bytes 8-11", "bytes 12-14"]
    assert all(_natural(a) != _natural(b) for a, b in product(texts, texts) if a != b)

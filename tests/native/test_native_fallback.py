"""Tables that the native engine cannot take are searched by the Python one, which is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from grids import STAMP, counters, grid, one_up, stamps, step, tables_of
from twins import NATIVE, outcome

import modelcheck
from modelcheck import Model, assign, check, wait
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.engine import REFERENCE, run_search
from modelcheck.explore.found import Goals
from modelcheck.explore.table import Tables
from modelcheck.expression import TRUE, Const, Domain, Expr, Fresh, Op, Slot, range_domain

LIMIT = 1 << 30
DEEP = 33


def deep(slot: Slot) -> Expr:
    """A sum that needs more values at once than the engine's stack has."""
    expr: Expr = Const(0)
    for _ in range(DEEP):
        expr = Op("add", (slot, expr))
    return expr


def rotated(n: int) -> Tables:
    """Each slot gets the value of the next, all at once: more values at once than the engine's stack has."""
    slots = counters(n, 1)
    values = tuple(zip(slots, (*slots[1:], slots[0]), strict=True))
    return tables_of((step(0, TRUE, *values), one_up(0, slots[0])))


def of_sorts(n: int) -> Tables:
    """So many sorts of one stamp each, and a comparison that makes their order count."""
    slots = tuple(Slot(f"s{i}", Domain("stamp", sort=f"sort{i}")) for i in range(n))
    return tables_of(
        (step(0, slots[0].lt(slots[0])), *(step(0, TRUE, (slot, Fresh(slot.domain.sort))) for slot in slots))
    )


def of_stamps(n: int) -> Tables:
    """So many stamps of one sort."""
    first, *others = stamps(n)
    copies = step(0, first.lt(first), *((slot, first) for slot in others))
    return tables_of((step(0, TRUE, (first, Fresh("s"))), copies))


def both_kinds() -> Tables:
    """A sort with stamps and with names."""
    stamp, name = Slot("s", STAMP), Slot("n", Domain("name", sort="s"))
    return tables_of((step(0, stamp.lt(stamp), (stamp, Fresh("s"))), step(0, TRUE, (name, Fresh("s")))))


SLOT = Slot("v", range_domain(0, 3))
UNTAKEABLE = {
    "a range": (tables_of((one_up(0, Slot("wide", range_domain(0, LIMIT + 1))),)),
                f"wide ranges over 0..{LIMIT + 1}; the native engine takes numbers up to 2^30"),
    "a number": (tables_of((step(0, SLOT.lt(LIMIT + 1), (SLOT, Const(1))),)),
                 f"the number {LIMIT + 1}; the native engine takes numbers up to 2^30"),
    "a set": (tables_of((step(0, Op("in", (SLOT, Const(0), Const(1 << 16))), (SLOT, Const(2))),)),
              "a set of values more than 65536 apart"),
    "processes": (grid(33, 0), "33 processes and 66 slots; the native engine takes 32 and 4096"),
    "slots": (tables_of((step(0, TRUE, *((slot, Const(1)) for slot in counters(4096, 1))),)),
              "1 processes and 4097 slots; the native engine takes 32 and 4096"),
    "depth": (tables_of((step(0, deep(SLOT).eq(0), (SLOT, Const(1))),)),
              "an expression needs more than 32 values at once"),
    "both kinds": (both_kinds(), "the sort 's' has both stamps and names"),
}
BY_THE_MODULE = {  # what only the extension module knows
    "swaps": (rotated(33), "an expression is too deep"),
    "sorts": (of_sorts(33), "too many sorts, or one is cut off"),
    "stamps": (of_stamps(1024), "a sort's places are cut off or too many"),
    "length": (tables_of((step(0, TRUE, *((slot, Const(1)) for slot in counters(140, LIMIT))),)),
               "a packed state is too long"),
}


def fallback(tables: Tables, why: str) -> None:
    expected = run_search(tables, Bounds(states=50), Goals(), False, None, REFERENCE)
    found = run_search(tables, Bounds(states=50), Goals(), False, None, NATIVE)
    assert found.fallback == f"searched by the Python engine: {why}"
    assert (found.size, found.transitions, found.depth, found.bound, found.taken) == (
        expected.size, expected.transitions, expected.depth, expected.bound, expected.taken
    )
    goals = canonical_paths(tables, lambda state, step: False, 3, 50, Bounds(), NATIVE)
    assert list(goals) == []


@pytest.mark.parametrize("name", UNTAKEABLE)
def test_what_the_engine_cannot_take_is_searched_by_python_with_a_sentence(name):
    fallback(*UNTAKEABLE[name])


@pytest.mark.parametrize("name", BY_THE_MODULE)
def test_what_the_module_refuses_is_searched_by_python_with_a_sentence(name):
    tables, why = BY_THE_MODULE[name]
    fallback(tables, f"the native engine refuses the tables: {why}")


def test_the_limits_themselves_are_taken():
    for tables in (
        tables_of((one_up(0, Slot("wide", range_domain(0, LIMIT))),)),
        grid(32, 0),
        tables_of((step(0, TRUE, *((slot, Const(1)) for slot in counters(4095, 1))),)),
        rotated(32),
        of_sorts(32),
        of_stamps(448),
        tables_of((step(0, TRUE, *((slot, Const(1)) for slot in counters(126, LIMIT))),)),
    ):
        expected, found = (run_search(tables, Bounds(states=50), Goals(), False, None, e) for e in (REFERENCE, NATIVE))
        assert found.fallback == ""
        assert (found.size, found.transitions, found.depth) == (expected.size, expected.transitions, expected.depth)
        assert [found.state(i) for i in range(found.size)] == [expected.state(i) for i in range(expected.size)]


def test_a_verdict_is_the_same_where_the_engine_cannot_take_the_tables():
    m = Model("wide")
    wide = m.range("wide", 0, 2 * LIMIT)

    def counts():
        yield assign(wide, 2 * LIMIT)
        yield wait(wide.ne(0))
        yield check(wide.eq(0), "zero")

    m.process("counts", counts)
    m.assertion("zero")
    expected, found = (outcome(m, "zero", engine) for engine in (REFERENCE, NATIVE))
    assert expected["verdict"] == "violated"
    assert "wide ranges over 0..2147483648" in found["fallback"]
    assert {**found, "fallback": ""} == expected


# -- errors of a spec -----------------------------------------------------------------------------------------------


def test_the_range_that_is_left_first_is_told_where_several_are():
    """All slots of one step leave theirs at once: the text is that of the first, as the reference engine has it."""
    slots = counters(3, 2)
    values = zip(slots, slots[1:] + slots[:1], strict=True)
    tables = tables_of((step(0, TRUE, *((slot, other + Const(9)) for slot, other in values)),))
    assert _told(tables, True) == ["file0.py:1: c0 became 9, outside 0..2; widen its range or guard the step"] * 2


def test_the_range_that_is_left_is_the_one_of_the_reduced_search():
    """Only the second process is expanded, since the first may touch what both do; and both leave a range there."""
    shared, mine, its = counters(3, 2)
    first = step(0, TRUE, (mine, mine + Const(7)), (shared, Const(1)))
    second = step(1, TRUE, (its, its + Const(8)))
    third = step(2, TRUE, (shared, Const(2)))
    tables = tables_of((first,), (second,), (third,))
    tables = replace(tables, processes=tuple(_once(table) for table in tables.processes))
    texts = _told(tables, True)
    assert texts == ["file1.py:1: c2 became 8, outside 0..2; widen its range or guard the step"] * 2


def test_a_value_is_told_as_a_number():
    truth, slot = Slot("b", Domain("bool", 0, 1)), Slot("v", range_domain(2, 3), 2)
    tables = tables_of((step(0, TRUE, (truth, slot.eq(2))), step(0, truth, (slot, truth))))
    assert _told(tables, False) == ["file0.py:1: v became 1, outside 2..3; widen its range or guard the step"] * 2


def test_a_truth_value_outside_a_range_is_refused():
    slot = Slot("v", range_domain(2, 3), 2)
    tables = tables_of((step(0, TRUE, (slot, slot.eq(2))),))
    assert _told(tables, False) == ["file0.py:1: v became 1, outside 2..3; widen its range or guard the step"] * 2


def _once(table):
    """The process takes its step once, to a second local state."""
    (steps,) = table.steps
    return replace(table, locals=(*table.locals, replace_local(table.locals[0])),
                   steps=(tuple(replace(each, target=1) for each in steps), ()))


def replace_local(local):
    return local._replace(node=local.node + 1)


def _told(tables: Tables, ample: bool) -> list[str]:
    texts = []
    for engine in (REFERENCE, NATIVE):
        with pytest.raises(modelcheck.errors.SpecError) as error:
            run_search(tables, Bounds(), Goals(), ample, None, engine)
        texts.append(str(error.value))
    return texts


# -- no engine ------------------------------------------------------------------------------------------------------

WITHOUT = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, *more: None if name.endswith("native._engine") else find(name, *more))
from modelcheck.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
MODEL = """
from modelcheck import Model, assign, check

def model():
    m = Model("small")
    x = m.bool("x")
    def sets():
        yield assign(x, 1)
        yield check(x, "set")
    m.process("sets", sets)
    m.assertion("set")
    return m
"""


def without_engine(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`modelcheck` as it is where it was installed without a compiler."""
    (folder / "small.py").write_text(MODEL, encoding="utf-8")
    return subprocess.run([sys.executable, "-c", WITHOUT, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, timeout=60)


def test_without_the_engine_python_searches_and_check_says_so_once(tmp_path):
    done = without_engine(tmp_path, "check", "./small.py")
    assert (done.returncode, done.stdout.count("engine=python")) == (0, 1)
    assert done.stderr == (
        "note: the Python engine searches, many times slower than the native one: "
        "modelcheck was installed without a C compiler\n"
    )
    for quiet in (("--quiet",), ("--engine", "python")):
        assert without_engine(tmp_path, "check", "./small.py", *quiet).stderr == ""


def test_without_the_engine_the_native_one_is_refused_in_one_sentence(tmp_path):
    done = without_engine(tmp_path, "check", "./small.py", "--engine", "native")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is no native engine: modelcheck was installed without a C compiler; "
        "install again with one, or use --engine auto\n"
    )

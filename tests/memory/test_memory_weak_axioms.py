"""weak with the compiler held to program order, against the axioms of axioms.py."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory.axioms import executions
from memory.programs import Copy, Fence, Grammar, Load, Rmw, Store, Writer, finals, names, systems

QUICK = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FENCES = ("smp_mb", "smp_wmb", "smp_rmb", "barrier")
WEAK = Grammar(
    ("once", "once", "acquire"),
    ("once", "once", "release"),
    ("relaxed", "acquire", "release", "full"),
    FENCES,
    ("x", "y", "z"),
    length=5,
    dependent=True,
)
SHORT = Grammar(WEAK.loads, WEAK.stores, WEAK.rmws, FENCES, WEAK.locs, 3, 2, True)
LOOSE = Grammar(rmws=("relaxed",), fences=FENCES[1:], locs=("x", "x", "y", "z"), length=4, dependent=True, waits=False)


@QUICK
@given(systems(WEAK))
def test_final_states_under_weak_are_those_of_the_axioms(processes):
    assert finals(processes, "weak") == executions(processes)


@QUICK
@given(systems(SHORT, (3,)))
def test_final_states_of_three_processes_too(processes):
    assert finals(processes, "weak") == executions(processes)


@st.composite
def readers(draw):
    """A load of the flag, anything that hardly orders, and a load of the data by an address that came of it."""
    writer = Writer(LOOSE, draw)
    writer.loaded = 1
    middle = writer.block(("r0",), LOOSE.length, 1)
    last = [s.reg for s in middle if isinstance(s, (Load, Rmw))] or ["r0"]
    return (Load("r0", "y"), *middle, Load("data", "z", addr=(last[-1],)))


@QUICK
@given(readers(), st.sampled_from((Fence("smp_wmb"), Fence("smp_mb"))))
def test_what_a_reader_sees_through_a_chain_of_dependencies_is_that_of_the_axioms(reader, between):
    processes = reader, (Store("z", 1), between, Store("y", 1))
    assert finals(processes, "weak") == executions(processes)


@st.composite
def told_by_an_address(draw):
    """An access, one or two updates, and a load whose address mostly comes of the last, which tells when its load was.

    About every seventh program tells an update in two parts from one in one step; the other grammars hardly do.
    """

    def of(*options):
        return draw(st.sampled_from(options))

    reads = of(True, True, False)
    found, known = ([Load("a", "y")], ("a",)) if reads else ([Store("x", 1)], ())
    for i in range(of(1, 2)):
        if of(True, False, False):
            found.append(Fence(of(*FENCES[1:])))
        number = Copy(of(*known), 1) if known and of(True, False) else 1
        addr, ctrl = ((of(*known),) if known and of(True, False, False) else () for _ in range(2))
        mode = of("relaxed", "acquire", "release")
        found.append(Rmw(f"c{i}", of("z", "z", "w", "y"), "xchg", number, mode, addr, ctrl))
        known = (*known, f"c{i}")
    found.append(Load("b", "x" if reads else "y", addr=of(known[-1:], known[-1:], ())))
    first, last = (Store("x", 1), Store("y", 1)) if reads else (Store("y", 1), Load("q", "x"))
    return tuple(found), (first, Fence("smp_mb"), last)


@QUICK
@given(told_by_an_address())
def test_when_the_halves_of_an_update_perform_is_that_of_the_axioms(processes):
    assert finals(processes, "weak") == executions(processes)


OLDER = (Store("x", Copy("r0", 1)), Store("x", 1, addr=("r0",)))


@pytest.mark.parametrize("older", OLDER)
def test_a_load_waits_for_what_its_own_source_depends_on_and_for_no_older_store(older):
    """r2 may be loaded first: r1 takes the 2, which depends on nothing."""
    reader = Load("r0", "y"), older, Store("x", 2), Load("r1", "x"), Load("r2", "z", addr=("r1",))
    processes = reader, (Store("z", 1), Fence("smp_wmb"), Store("y", 1))
    early = [dict(zip(names(processes), row, strict=True)) for row in executions(processes)]
    assert {"0:r0": 1, "0:r1": 2, "0:r2": 0, "x": 2, "y": 1, "z": 1} in early
    assert finals(processes, "weak") == executions(processes)

"""A free compiler, against every order of the statements that it may choose, each run by an oracle of the machine."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, given, settings
from memory.axioms import executions
from memory.programs import Copy, Fence, Grammar, Load, Rmw, Store, finals, names, systems
from memory.test_memory_sc_programs import interleavings
from memory.test_memory_store_buffer import number_finals

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
PLAIN = Grammar(
    ("plain", "plain", "once", "acquire"),
    ("plain", "plain", "once", "release"),
    ("relaxed", "acquire", "release", "full"),
    ("smp_mb", "smp_wmb", "smp_rmb", "barrier"),
    length=4,
    dependent=True,
    branches=False,
    waits=False,
)
MACHINES = {"sc": interleavings, "tso": number_finals, "weak": executions}


def in_order(a, b) -> bool:
    """Whether the compiler leaves `a` before `b`: barriers, volatile accesses, dependencies, and what clashes."""
    if isinstance(a, Fence) or isinstance(b, Fence):
        return True
    if a.mode in ("acquire", "full") or b.mode in ("release", "full"):
        return True
    if "plain" not in (a.mode, b.mode) or a.loc == b.loc and not (isinstance(a, Load) and isinstance(b, Load)):
        return True
    used = {*b.addr, *getattr(b, "ctrl", ())}
    if not isinstance(b, Load) and isinstance(b.number, Copy):
        used.add(b.number.reg)
    return not isinstance(a, Store) and a.reg in used


def compiled(block) -> set:
    """Every order of the statements of a process without branches."""
    kept = [(i, j) for j, b in enumerate(block) for i, a in enumerate(block[:j]) if in_order(a, b)]
    return {
        tuple(block[i] for i in order)
        for order in permutations(range(len(block)))
        if all(order.index(i) < order.index(j) for i, j in kept)
    }


def expected(processes, memory: str) -> set:
    """The final states of all compiled programs, with the columns where the written one has them."""
    found = set()
    for moved in product(*map(compiled, processes)):
        for state in MACHINES[memory](moved):
            held = dict(zip(names(moved), state, strict=True))
            found.add(tuple(held[name] for name in names(processes)))
    return found


@pytest.mark.parametrize("memory", MACHINES)
@QUICK
@given(processes=systems(PLAIN))
def test_final_states_are_those_of_every_order_the_compiler_may_choose(memory, processes):
    assert finals(processes, memory, "free") == expected(processes, memory)


def test_the_oracle_moves_what_it_may():
    around = (Store("x", 1, "plain"), Load("a", "z"), Store("y", 1, "plain"))
    assert len(compiled(around)) == 6
    assert len(compiled((around[0], Fence("barrier"), around[2]))) == 1
    assert len(compiled((around[0], Rmw("a", "z", mode="acquire"), around[2]))) == 2

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
    return not isinstance(a, Store) and a.reg in used(b)


def used(statement) -> set:
    """The registers that a statement depends on."""
    found = {*statement.addr, *getattr(statement, "ctrl", ())}
    if not isinstance(statement, Load) and isinstance(statement.number, Copy):
        found.add(statement.number.reg)
    return found


def sources(block) -> dict:
    """For a plain load the plain store that last wrote there: the compiler may take its value from that."""
    found = {}
    for j, load in enumerate(block):
        if isinstance(load, Load) and load.mode == "plain":
            own = [i for i, a in enumerate(block[:j]) if isinstance(a, (Store, Rmw)) and a.loc == load.loc]
            if own and block[own[-1]].mode == "plain":
                found[j] = own[-1]
    return found


def compiled(block, own: str = "") -> set:
    """Every order of the statements of a process without branches.

    With a name for its `own` locations, also those where a load comes before the store it takes its value from.
    """
    taken = sources(block) if own else {}
    kept = []
    for j, b in enumerate(block):
        store = block[taken[j]]._replace(ctrl=()) if j in taken else None
        for i, a in enumerate(block[:j]):
            known = store is not None and isinstance(a, (Load, Rmw)) and a.reg in used(store)
            if known or in_order(a, b._replace(loc=None) if store is not None else b):
                kept.append((i, j))
    return {
        tuple(s for k, i in enumerate(order) for s in held(block, i, taken.get(i) in order[k:] and own))
        for order in permutations(range(len(block)))
        if all(order.index(i) < order.index(j) for i, j in kept)
    }


def held(block, i: int, own: str | bool) -> tuple:
    """A statement; where the store that a load takes its value from is still to come, by a location of its own."""
    if not own:
        return (block[i],)
    place = f"{own}{i}"
    return Store(place, block[sources(block)[i]].number), block[i]._replace(loc=place)


def expected(processes, memory: str) -> set:
    """The final states of all compiled programs, with the columns where the written one has them."""
    found = set()
    own = [f"own{p} " if memory != "weak" else "" for p in range(len(processes))]  # there the machine does as much
    for moved in product(*map(compiled, processes, own)):
        for state in MACHINES[memory](moved):
            row = dict(zip(names(moved), state, strict=True))
            found.add(tuple(row[name] for name in names(processes)))
    return found


@pytest.mark.parametrize("memory", MACHINES)
@QUICK
@given(processes=systems(PLAIN))
def test_final_states_are_those_of_every_order_the_compiler_may_choose(memory, processes):
    assert finals(processes, memory, "free") == expected(processes, memory)


X, AFTER = Store("x", 1, "plain"), (Load("a", "y"), Fence("smp_mb"), Load("b", "x"))
CHAINS = [
    ("a marked load of a plain store", ((X, Load("r", "x"), Store("y", 1)), AFTER), {"1:a": 1, "1:b": 0}),
    (
        "a plain load of a marked store, and its control",
        ((Store("x", 1), Load("r", "x", "plain"), Store("y", 1, "plain", ctrl=("r",))), AFTER),
        {"1:a": 1, "1:b": 0},
    ),
    (
        "an address, and volatile accesses",
        ((Load("r", "x", "plain"), Store("y", 1, addr=("r",)), Load("s", "z")), (Store("z", 1), Fence("mb"), X)),
        {"0:r": 1, "0:s": 0},
    ),
]


@pytest.mark.parametrize(("name", "processes", "asked"), CHAINS, ids=[case[0] for case in CHAINS])
def test_the_compilers_order_lasts_under_tso(name, processes, asked):
    """No compiler may swap these, and tso keeps their order; false alarms only."""
    rows = [dict(zip(names(processes), state, strict=True)) for state in expected(processes, "tso")]
    assert not any(asked.items() <= row.items() for row in rows)
    assert finals(processes, "tso", "free") == expected(processes, "tso")


def test_the_oracle_moves_what_it_may():
    x, y = Store("x", 1, "plain"), Store("y", 1, "plain")
    assert len(compiled((x, Load("a", "z"), y))) == 6
    assert len(compiled((x, Rmw("a", "z", mode="acquire"), y))) == 3
    assert len(compiled((x, Fence("barrier"), y))) == len(compiled((x, Rmw("a", "z"), y))) == 1


@pytest.mark.parametrize("memory", ["sc", "tso", "weak"])
def test_a_compiler_may_take_a_loaded_value_from_an_own_store(memory):
    """It may then store y before x; where the load or the store is marked it may not."""
    processes = (X, Load("r", "x", "plain"), Store("y", 1, "plain", ctrl=("r",))), AFTER
    assert (1, 1, 0, 1, 1) in finals(processes, memory, "free")
    marked = (X, Load("r", "x"), Store("y", 1, "plain", ctrl=("r",))), AFTER
    assert ((1, 1, 0, 1, 1) in finals(marked, memory, "free")) is (memory == "weak")


@pytest.mark.parametrize("memory", ["sc", "tso", "weak"])
def test_a_value_taken_from_an_own_store_waits_for_no_older_store(memory):
    """The compiler knows that r is 1, and may store y first."""
    writer = Store("x", 2), X, Load("r", "x", "plain"), Store("y", 1, "plain", ctrl=("r",))
    processes = writer, AFTER
    rows = [dict(zip(names(processes), row, strict=True)) for row in finals(processes, memory, "free")]
    assert any(row["1:a"] == 1 and row["1:b"] == 0 for row in rows)
    if memory in MACHINES:
        assert finals(processes, memory, "free") == expected(processes, memory)

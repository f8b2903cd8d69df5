"""Exact counts of systems that can be counted by hand, and what every search promises: shortest paths, all states."""

from __future__ import annotations

from math import comb

import pytest

from modelcheck import Model, Mutex, assign, check, choose, fresh, reach, wait
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.search import Goals, search
from modelcheck.explore.successors import Successors
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
EVERY = Bounds()


def explored(model: Model, ample: bool = False, goals: Goals = Goals(keep_graph=True)):
    return search(build_tables(System(model, frozenset(model.properties))), EVERY, goals, ample)


def cycle(model: Model, name: str, n: int) -> None:
    """A process that counts 0, 1, ... n-1, 0 for ever; its places alone are states."""

    def turns():
        while True:
            for i in range(n):
                yield reach(f"{name}{i}")

    model.process(name, turns)


def line(model: Model, name: str, n: int) -> None:
    def walks():
        for i in range(n):
            yield reach(f"{name}{i}")

    model.process(name, walks)


@pytest.mark.parametrize(("n", "m"), [(2, 3), (4, 4), (5, 7)])
def test_two_independent_cycles_have_n_times_m_states(n, m):
    model = Model("cycles")
    cycle(model, "a", n)
    cycle(model, "b", m)
    found = explored(model)
    # each state lets both turn: 2nm transitions; the farthest state is n-1 and m-1 turns away
    assert (len(found.states), found.transitions, found.depth) == (n * m, 2 * n * m, n + m - 2)


def test_interleavings_of_five_and_five_steps_are_c_10_5_paths():
    model = Model("lines")
    line(model, "a", 5)
    line(model, "b", 5)
    found = explored(model)
    # 6 x 6 places; a step of a in 5 of 6 rows of b and the other way round; every path has 10 steps
    assert (len(found.states), found.transitions, found.depth) == (36, 60, 10)
    paths = [0] * 36
    paths[0] = 1
    for number, out in enumerate(found.graph()):
        for _, _, after in out:
            paths[after] += paths[number]
    assert max(paths) == comb(10, 5) == 252


def test_partial_order_reduction_walks_independent_lines_one_after_the_other():
    model = Model("lines")
    line(model, "a", 5)
    line(model, "b", 5)
    found = explored(model, ample=True)
    assert (len(found.states), found.transitions, found.depth) == (11, 10, 10)


def philosophers(n: int) -> Model:
    model = Model("table")
    forks = tuple(Mutex(f"fork{i}") for i in range(n))

    def dines(i):
        left, right = forks[i], forks[(i + 1) % n]
        while True:
            yield left.lock()
            yield right.lock()
            yield right.unlock()
            yield left.unlock()

    for i in range(n):
        model.process(f"philosopher{i}", dines, i)
    model.deadlock()
    model.lock_order()
    return model


@pytest.mark.parametrize("n", [2, 3, 4])
def test_dining_philosophers_are_the_words_counted_by_a_transfer_matrix(n):
    found = explored(philosophers(n))
    # a philosopher thinks (0), has the left fork (1), both (2), or gave the right one back (3); who has both excludes
    # that the right neighbour has its left fork: a closed walk of length n in which only 0 follows 2
    allowed = [[not (a == 2 and b != 0) for b in range(4)] for a in range(4)]
    walks = [[int(i == j) for j in range(4)] for i in range(4)]
    for _ in range(n):
        walks = [[sum(row[k] * allowed[k][j] for k in range(4)) for j in range(4)] for row in walks]
    # less one: not all can be in 3, since the last to come there had its right neighbour's left fork
    assert len(found.states) == sum(walks[i][i] for i in range(4)) - 1 == {2: 10, 3: 35, 4: 118}[n]


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_dining_philosophers_deadlock_after_n_steps(n, options):
    outcome = verify(philosophers(n), "deadlock", options=options)
    assert (outcome.verdict, len(outcome.steps), outcome.stuck) == ("violated", n, tuple(range(n)))
    assert verify(philosophers(n), "lock-order", options=options).verdict == "violated"


def test_a_chooser_of_k_answers_counts_k_transitions():
    model = Model("choose")
    x = model.range("x", 0, 6)

    def picks():
        answer = yield choose("pick", 0, 1, 2, 3, 4, 5, 6)
        yield assign(x, answer)
        yield wait(x.lt(0))

    model.process("picks", picks)
    model.invariant("inside", x.le(6))
    outcome = verify(model, "inside", options=FULL)
    # one start, seven answers, seven values
    assert (outcome.verdict, outcome.states, outcome.transitions, outcome.depth) == ("holds", 15, 14, 2)


def test_a_writer_that_renews_a_stamp_for_ever_has_as_many_states_as_orders():
    model = Model("stamps")
    a, b = model.stamp("a"), model.stamp("b")

    def renews(slot):
        while True:
            yield fresh(slot)

    model.process("a", renews, a)
    model.process("b", renews, b)
    model.invariant("any", a.lt(b) | b.le(a))
    outcome = verify(model, "any", options=FULL)
    # a = b, a < b, b < a; each steps in each state
    assert (outcome.states, outcome.transitions, outcome.depth) == (3, 6, 1)


def test_parents_give_a_shortest_path_to_every_state():
    found = explored(philosophers(3))
    distance = {0: 0}
    for number, out in enumerate(found.graph()):
        for _, _, after in out:
            distance.setdefault(after, distance[number] + 1)
    successors = Successors(found.tables)
    for state, number in found.states.items():
        path = found.path_to(number)
        assert len(path) == distance[number]
        here = successors.initial
        for taken in path:
            assert here[taken.process] == taken.pc
            here = dict(successors.steps[taken.process][taken.pc](here))[taken.number]
        assert here == state
    assert max(distance.values()) == found.depth


def test_a_violation_is_one_of_fewest_steps():
    model = Model("short")
    x = model.range("x", 0, 18)

    def climbs():
        for _ in range(9):
            yield assign(x, x + 1)

    def jumps():
        yield reach("a")
        yield assign(x, 9)

    def looks():
        yield check(x.ne(9), "below")

    for body in (climbs, jumps, looks):
        model.process(body.__name__, body)
    model.assertion("below")
    for options in (Options(), FULL):
        assert len(verify(model, "below", options=options).steps) == 3


def test_an_invariant_is_asked_of_the_initial_state():
    model = Model("start")
    x = model.range("x", 0, 1)

    def sets():
        yield assign(x, 1)

    model.process("sets", sets)
    model.invariant("set", x.eq(1))
    assert verify(model, "set").verdict == "violated"
    assert verify(model, "set").steps == ()


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_a_trace_ends_with_the_step_that_breaks_the_invariant(options):
    """A merged step goes on with what no other process looks at: its last state is not the first that is wrong."""
    model = Model("goes on")
    x, mine = model.range("x", 0, 2), model.local(model.range("mine", 0, 3))

    def counts():
        yield assign(x, 1)
        yield assign(x, 2)
        yield assign(mine, 1)
        yield assign(mine, 2)

    def looks():
        yield wait(x.ne(0))

    model.process("counts", counts)
    model.process("looks", looks)
    model.invariant("small", x.lt(2))
    assert [process for process, _ in verify(model, "small", options=options).steps] == [0, 0]


def test_a_process_that_loops_for_ever_does_not_hide_anothers_violation():
    """The proviso against ignoring: the loop alone is an ample set in every state."""
    model = Model("ignoring")
    mine, other = model.range("mine", 0, 2), model.range("other", 0, 2)

    def loops():
        while True:
            yield assign(mine, 1)
            yield assign(mine, 0)

    def breaks():
        yield assign(other, 1)
        yield assign(other, 2)
        yield check(other.ne(2), "small")

    model.process("loops", loops)
    model.process("breaks", breaks)
    model.assertion("small")
    model.deadlock()
    for without in (REDUCTIONS, *((r,) for r in REDUCTIONS), ("slice", "merge"), ("slice", "merge", "dead")):
        assert verify(model, "small", options=Options(without=frozenset(without))).verdict == "violated"

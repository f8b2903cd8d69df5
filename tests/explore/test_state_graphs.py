"""The reachable graph of a property: every state, every violation marked, the same from both engines."""

from __future__ import annotations

from array import array

import networkx as nx
import pytest
from random_systems import Grammar, model_of, seeded
from test_summaries import violated_where

from modelcheck import Area, Model, SpinLock, assign, check, fresh, observe, smp_wmb, wait
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.components import strong_components
from modelcheck.explore.engine import REFERENCE, Engine, native_missing
from modelcheck.explore.observing import Observer
from modelcheck.explore.state_graph import Explored, depths, explored
from modelcheck.explore.verify import REDUCTIONS, Options, verify

PROPERTIES = ("asserted", "deadlock", "ends-when", "invariant", "lock-order", "sleep-in-atomic")


def everything(name: str) -> bool:
    """Every reduction is on."""
    return True


def nothing(name: str) -> bool:
    """No reduction is on."""
    return False


def graphs(model: Model, name: str, on=nothing, engine: Engine = REFERENCE, states: int = 5_000) -> list[Explored]:
    return list(explored(model, name, on, Bounds(states=states), engine))


def violating_steps(one: Explored) -> list[tuple[int, str]]:
    """The violating steps as (state, text)."""
    observer = Observer(one.tables.index)
    found = []
    for number in range(one.found.size):
        state = one.found.state(number)
        for p, which, _ in one.found.out(number):
            if not one.ended(state) and one.violates(state, p, which, observer):
                found.append((number, one.tables.processes[p].steps[state[p]][which].moves[0].edge.choice))
    return found


def racing() -> Model:
    """Two tasks count up and down; one of them checks that it is alone, twice."""
    m = Model("race")
    inside = m.range("inside", 0, 2)

    def careful():
        yield assign(inside, inside + 1)
        yield check(inside.eq(1), "alone")
        yield check(inside.eq(1), "alone")
        yield assign(inside, inside - 1)

    def careless():
        yield assign(inside, inside + 1)
        yield assign(inside, inside - 1)

    m.process("careful", careful)
    m.process("careless", careless)
    m.assertion("alone", "nobody else is inside")
    m.invariant("few", inside.le(1))
    m.deadlock()
    return m


def test_a_graph_goes_on_where_a_check_stops() -> None:
    (one,) = graphs(racing(), "alone")
    assert len(violating_steps(one)) == 2  # both checks fail where the other is inside
    assert verify(racing(), "alone").verdict == "violated"
    ended = {n for n in range(one.found.size) if one.ended(one.found.state(n))}
    led_to = {after for n in range(one.found.size) if n not in ended for _, _, after in one.found.out(n)}
    assert len(ended & led_to) == 1  # what tells the two apart is the step, not the state after it


def test_every_state_that_breaks_an_invariant_is_marked() -> None:
    (one,) = graphs(racing(), "few")
    place = next(i for i, slot in enumerate(one.tables.slots) if slot.name == "inside")
    assert sorted(one.bad) == [n for n in range(one.found.size) if one.found.state(n)[place] == 2] != []


def test_every_state_of_no_return_is_marked_in_a_deadlock() -> None:
    m = Model("abba")
    a, b = SpinLock("a"), SpinLock("b")

    def takes(first, second):
        yield first.lock()
        yield second.lock()
        yield second.unlock()
        yield first.unlock()

    m.process("ab", takes, a, b)
    m.process("ba", takes, b, a)
    m.deadlock()
    m.lock_order()
    (one,) = graphs(m, "deadlock")
    assert one.found.size == 19  # by hand: 10 + 4 + 2 places where one holds nothing, 3 where each holds one lock
    (dead,) = one.bad.values()
    assert dead == "never moves again: ab, ba"
    (order,) = graphs(m, "lock-order")
    (text,) = order.bad.values()
    assert text.removeprefix("the last of a cycle of lock classes: ") in ("a -> b -> a", "b -> a -> b")


def test_an_observation_that_z3_confirms_is_marked_wherever_it_is_made() -> None:
    m = Model("seen")
    area, s = m.area(Area("mem", 1)), m.stamp("s")

    def writes():
        yield fresh(s)
        yield area.store(0, 1, s)
        yield smp_wmb()

    def reads():
        before = yield area.load(0, 1)
        yield smp_wmb()
        after = yield area.load(0, 1)
        yield observe("same", before=before, after=after)

    m.process("writes", writes)
    m.process("reads", reads)
    m.observation("same", violated_where(lambda before, after: before != after))
    for on in (nothing, everything):
        (one,) = graphs(m, "same", on)
        observing = [n for n in range(one.found.size) for p, which, _ in one.found.out(n)
                     if one.tables.processes[p].steps[one.found.state(n)[p]][which].observes is not None]
        marked = violating_steps(one)
        assert 0 < len(marked) < len(observing)


def test_a_loop_that_may_go_on_for_ever_is_marked() -> None:
    m = Model("spin")
    flag, never = m.bool("flag"), m.bool("never")

    def polls():
        yield assign(flag, 1)
        while True:
            yield assign(flag, 0)
            yield assign(flag, 1)

    m.process("polls", polls)
    m.process("other", lambda: (yield wait(never)))
    m.terminates("ends", "polls", flag.eq(1))
    (one,) = graphs(m, "ends")
    assert {one.found.state(n)[one.tables.index[s]] for s in one.tables.slots if s.name == "flag" for n in one.bad} == {
        0, 1}


@pytest.mark.parametrize("chunk", range(4))
def test_a_graph_has_a_mark_where_and_only_where_a_check_finds_a_violation(chunk: int) -> None:
    grammar = Grammar(("var", "lock", "stamp", "check", "progress"), nested=True)
    seen = set()
    for seed in range(9_000 + 12 * chunk, 9_012 + 12 * chunk):
        model = model_of(grammar.system(seeded(seed)))
        for name in (name for name in PROPERTIES if name in model.properties):
            for on, without in ((nothing, frozenset(REDUCTIONS)), (everything, frozenset[str]())):
                outcome = verify(model, name, Bounds(states=4_000), Options(without=without, polish=False))
                found = graphs(model, name, on)
                if outcome.verdict == "incomplete" or found[-1].found.bound:
                    continue
                marked = any(one.bad or violating_steps(one) for one in found)
                assert (seed, name, outcome.verdict == "violated") == (seed, name, marked)
                if outcome.verdict == "holds" and name != "ends-when":  # that counts the states of a summary too
                    assert (seed, name, outcome.states) == (seed, name, sum(one.found.size for one in found))
                seen.add((name, outcome.verdict))
    assert {verdict for _, verdict in seen} >= {"holds", "violated"}


@pytest.mark.skipif(bool(native_missing()), reason="no native engine")
@pytest.mark.parametrize("chunk", range(2))
def test_both_engines_give_the_same_graph_and_marks(chunk: int) -> None:
    grammar = Grammar(("var", "lock", "stamp", "check"), nested=True)
    for seed in range(8_000 + 10 * chunk, 8_010 + 10 * chunk):
        model = model_of(grammar.system(seeded(seed)))
        for name in ("asserted", "deadlock"):
            pair = [graphs(model, name, everything, engine) for engine in (REFERENCE, Engine("native", 2))]
            for one, other in zip(*pair, strict=True):
                assert [one.found.state(n) for n in range(one.found.size)] == [
                    other.found.state(n) for n in range(other.found.size)]
                assert [list(one.found.out(n)) for n in range(one.found.size)] == [
                    list(other.found.out(n)) for n in range(other.found.size)]
                assert (one.bad, one.breaks, one.ends) == (other.bad, other.breaks, other.ends)


def test_depths_are_the_fewest_steps() -> None:
    (one,) = graphs(racing(), "few")
    graph = nx.DiGraph((n, after) for n in range(one.found.size) for _, _, after in one.found.out(n))
    assert list(depths(one.found)) == [nx.shortest_path_length(graph, 0, n) for n in range(one.found.size)]


def test_components_are_those_networkx_finds() -> None:
    for seed in range(30):
        graph = nx.gnp_random_graph(40, 0.03 + seed / 1000, seed=seed, directed=True)
        first, target = array("Q", [0]), array("I")
        for number in range(40):
            target.extend(sorted(graph[number]))
            first.append(len(target))
        found = list(strong_components(first, target, b"\1" * 40))
        assert sorted(map(sorted, found)) == sorted(map(sorted, nx.strongly_connected_components(graph)))
        name = {number: i for i, component in enumerate(found) for number in component}
        assert all(name[b] <= name[a] for a, b in graph.edges)  # each after those it leads to

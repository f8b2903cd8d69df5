"""Minimisation merges exactly the nodes that cannot be told apart."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from process_samples import GPC1, a

from modelcheck.action import Action, Branch, choose
from modelcheck.process import Context, Fact, Node, extract
from modelcheck.process.minimise import minimise


def node(action: Action | None, *targets: int, **more) -> Node:
    return Node(action, targets, Context(), **more)


def coarsest(nodes: tuple[Node, ...]) -> list[int]:
    """The blocks of the coarsest bisimulation, by refining from scratch until nothing changes."""
    block = [0] * len(nodes)
    while True:
        seen: dict[object, int] = {}
        new = [seen.setdefault((replace(n, targets=()), tuple(block[t] for t in n.targets)), len(seen)) for n in nodes]
        if new == block:
            return block
        block = new


@st.composite
def machines(draw) -> tuple[Node, ...]:
    size = draw(st.integers(1, 14))
    nodes = []
    for _ in range(size):
        branches = draw(st.integers(0, 2))
        action = Action("local", draw(st.sampled_from("xy")), (Branch(),) * branches)
        nodes.append(node(action, *(draw(st.integers(0, size - 1)) for _ in range(branches))))
    return tuple(nodes)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(machines())
def test_the_result_is_the_coarsest_bisimulation(nodes):
    merged = minimise(nodes)
    assert len(set(coarsest(merged))) == len(merged)
    both = nodes + tuple(replace(n, targets=tuple(t + len(nodes) for t in n.targets)) for n in merged)
    block = coarsest(both)
    assert block[0] == block[len(nodes)]
    reached, waiting = {0}, [0]
    while waiting:
        for target in nodes[waiting.pop()].targets:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    assert len(merged) == len({block[i] for i in reached})


@settings(max_examples=100, deadline=None, derandomize=True)
@given(machines(), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(nodes, shuffler):
    order = list(range(1, len(nodes)))
    shuffler.shuffle(order)
    order = [0, *order]
    place = {old: new for new, old in enumerate(order)}
    shuffled = tuple(replace(nodes[old], targets=tuple(place[t] for t in nodes[old].targets)) for old in order)
    assert minimise(shuffled) == minimise(nodes)


def test_numbering_is_breadth_first_and_drops_the_unreachable():
    two = choose("two", 0, 1)
    nodes = (node(two, 3, 2), node(a("unreachable"), 0), node(a("right"), 0), node(a("left"), 0))
    assert minimise(nodes) == (node(two, 1, 2), node(a("left"), 0), node(a("right"), 0))


def test_a_long_chain_merges_only_with_its_like():
    chain = (*tuple(node(a(), i + 1) for i in range(2000)), node(None))
    assert minimise(chain) == chain


def test_a_cycle_of_equal_nodes_is_one():
    assert minimise(tuple(node(a(), (i + 1) % 50) for i in range(50))) == (node(a(), 0),)


def test_nodes_that_differ_in_anything_stay_apart():
    same = node(a(), 1, file="f", line=1, code="c")
    for change in ({"line": 2}, {"file": "g"}, {"depth": 2}, {"register": 0}, {"live": (0,)}, {"code": "d"},
                   {"facts": (Fact("equal", (0, 1), True),)}, {"context": Context((GPC1,))}, {"action": a("b")}):
        assert len(minimise((same, replace(same, targets=(0,), **change)))) == 2
    assert len(minimise((same, replace(same, targets=(0,))))) == 1


def test_a_local_that_matters_no_more_is_merged_away():
    def process():
        while True:
            kind = yield choose("kind", "a", "b", "c", "d")
            yield a("step")
            yield a("ab" if kind in "ab" else "cd")

    assert len(extract(process, "P").nodes) == 5

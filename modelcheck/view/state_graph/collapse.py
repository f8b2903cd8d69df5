"""From searches to a graph of a size that stays readable: as it is, or collapsed until it is.

Up to MOST nodes a graph is drawn state by state.  A larger one has a node for each strongly connected component, where
these tell something (no single one holds most states); else one for each combination of places where the processes
stand, or where those stand that the property is about.  What is larger still is refused: viewers hang on it, and nobody
reads it.  Its one invariant: every state that was searched is in exactly one node, and every transition in one arc or
inside one node.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelcheck.explore.components import strong_components
from modelcheck.explore.observing import Observer
from modelcheck.explore.state_graph import depths
from modelcheck.view.state_graph.drawn import INITIAL, VIOLATES, WITNESS, Arc, DrawnGraph, Figures, Node
from modelcheck.view.state_graph.naming import Names

if TYPE_CHECKING:
    from collections.abc import Hashable

    from modelcheck.explore.found import State
    from modelcheck.explore.state_graph import Explored

MOST = 150  # nodes
TELLING = 0.5  # a component with more than this share of the states is no summary of them
Group = Callable[[int, "State"], "Hashable"]  # what a state, by number, is in one node with


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A graph that is not drawn, and what it is like."""

    figures: Figures


@dataclass
class _Searched:
    """One search, its graph in two arrays: state n leads to `target[first[n]:first[n + 1]]`."""

    name: str
    one: Explored
    first: array[int]
    target: array[int]
    kept: bytearray  # the states that are drawn: all but those after a violation
    depth: array[int]
    component: array[int]
    components: int
    largest: int


def draw(
    searches: Sequence[tuple[str, Explored]], title: str, about: Sequence[str], most: int = MOST
) -> DrawnGraph | TooLarge:
    """The graph of these searches, each with its name, collapsed as far as need be."""
    found = [_read(name, one) for name, one in searches]
    figures = Figures(
        sum(sum(each.kept) for each in found),
        sum(each.first[n + 1] - each.first[n] for each in found for n in range(len(each.kept)) if each.kept[n]),
        sum(each.components for each in found),
        max(each.largest for each in found),
        max(max(depth for depth, kept in zip(each.depth, each.kept, strict=True) if kept) for each in found),
    )
    components = sum(each.components for each in found)
    if figures.states <= most:
        return _build(found, title, ("Each node is one state.", *about), figures, [_itself] * len(found), True)
    by_component = [_by_component(each) for each in found]
    whole = "Each node is a strongly connected component: its states lead to one another."
    if 2 < components <= most and figures.largest <= TELLING * figures.states:
        return _build(found, title, (whole, *about), figures, by_component, False)
    for places, text in (
        ([tuple(range(len(each.one.tables.processes))) for each in found], "where the processes stand"),
        ([tuple(sorted(each.one.roots)) for each in found], "where the processes stand that the property is about"),
    ):
        groups = [_by_place(each) for each in places]
        count = sum(_count(each, group, most) for each, group in zip(found, groups, strict=True))
        if len(found) < count <= most:
            return _build(found, title, (f"Each node is all states that agree on {text}.", *about), figures, groups,
                          False)
    if len(found) < components <= most:
        return _build(found, title, (whole, *about), figures, by_component, False)
    return TooLarge(figures)


def _read(name: str, one: Explored) -> _Searched:
    found = one.found
    first, target = array("Q", [0]), array("I")
    ended = bytearray(found.size)
    if any(end >= 0 for end in one.ends):
        for number in range(found.size):
            ended[number] = one.ended(found.state(number))
    kept = bytearray(not each for each in ended)
    for number in range(found.size):
        if not ended[number]:
            for _, _, after in found.out(number):
                target.append(after)
                kept[after] = 1
        first.append(len(target))
    component = array("I", [0]) * found.size
    count = largest = 0
    for states in strong_components(first, target, kept):
        count, largest = count + 1, max(largest, len(states))
        for state in states:
            component[state] = count
    return _Searched(name, one, first, target, kept, depths(found), component, count, largest)


def _itself(number: int, state: State) -> Hashable:
    return number


def _by_component(each: _Searched) -> Group:
    return lambda number, state: each.component[number]


def _by_place(places: tuple[int, ...]) -> Group:
    return lambda number, state: tuple(state[place] for place in places)


def _count(each: _Searched, group: Group, most: int) -> int:
    """How many nodes a grouping has, as far as `most` + 1."""
    seen: set[Hashable] = set()
    for number in range(len(each.kept)):
        if each.kept[number]:
            seen.add(group(number, each.one.found.state(number)))
            if len(seen) > most:
                break
    return len(seen)


@dataclass
class _Gathered:
    """A node while its states come in."""

    example: State
    depth: int
    states: int = 0
    inside: int = 0
    same: set[int] = field(default_factory=set)  # the slots that all its states agree on
    bad: dict[str, int] = field(default_factory=dict)
    reached: dict[str, None] = field(default_factory=dict)
    initial: bool = False


def _build(
    found: list[_Searched], title: str, about: tuple[str, ...], figures: Figures, groups: Sequence[Group], single: bool
) -> DrawnGraph:
    nodes: list[Node] = []
    arcs: list[Arc] = []
    for number, (each, group) in enumerate(zip(found, groups, strict=True)):
        gather = _Gather(each, group, single)
        gather.run()
        arcs += gather.arcs(len(nodes))
        nodes += [gather.node(one, len(nodes) + i, number) for i, one in enumerate(gather.found)]
    return DrawnGraph(title, about, tuple(each.name for each in found), tuple(nodes), tuple(arcs), figures)


class _Gather:
    """One pass over the states and transitions of a search."""

    def __init__(self, each: _Searched, group: Group, single: bool) -> None:
        self.each, self.group, self.single = each, group, single
        self.names = Names(each.one)
        self.observer = Observer(each.one.tables.index)
        self.found: list[_Gathered] = []
        self.steps: dict[tuple[int, int, str, str, bool, tuple[str, ...]], int] = {}
        self.met: set[str] = set()  # witnesses

    def run(self) -> None:
        one = self.each.one
        number_of: dict[Hashable, int] = {}
        node_of = array("i", [-1]) * one.found.size
        for number in range(one.found.size):
            if self.each.kept[number]:
                state = one.found.state(number)
                place = number_of.setdefault(self.group(number, state), len(number_of))
                node_of[number] = place
                self._add(place, number, state, self.each.depth[number])
        for number in range(one.found.size):
            if self.each.kept[number]:
                self._add_steps(number, node_of)

    def _add(self, place: int, number: int, state: State, depth: int) -> None:
        if place == len(self.found):
            self.found.append(_Gathered(state, depth, same=set(range(len(state)))))
        node = self.found[place]
        node.states += 1
        node.depth = min(node.depth, depth)
        node.same = {slot for slot in node.same if state[slot] == node.example[slot]}
        node.initial |= number == 0
        why = self.each.one.bad.get(number, "")
        if why or self.each.one.ended(state):
            node.bad[why] = node.bad.get(why, 0) + 1

    def _add_steps(self, number: int, node_of: array[int]) -> None:
        one = self.each.one
        state = one.found.state(number)
        if one.ended(state):
            return
        source = node_of[number]
        for p, which, after in one.found.out(number):
            bad = one.violates(state, p, which, self.observer)
            reached = self.names.witnesses(p, state[p], which)
            target = node_of[after]
            for name in reached:
                if name not in self.met:
                    self.met.add(name)
                    self.found[target].reached[name] = None
            if source == target and not bad and not self.single:
                self.found[source].inside += 1
                continue
            key = source, target, *self.names.step(p, state[p], which), bad, reached
            self.steps[key] = self.steps.get(key, 0) + 1

    def arcs(self, base: int) -> list[Arc]:
        """The arcs in order of their nodes, of each node as they were met; `base` is the number of the first node."""
        arcs = []
        for (source, target, who, what, bad, reached), count in sorted(self.steps.items(), key=lambda each: each[0][0]):
            marks = [(VIOLATES, "violates the property")] * bad + [(WITNESS, name) for name in reached]
            arcs.append(Arc(base + source, base + target, who, what, tuple(marks), count))
        return arcs

    def node(self, one: _Gathered, number: int, search: int) -> Node:
        """A node as it is drawn."""
        differ = [(slot, one.example[slot]) for slot in sorted(one.same)]
        texts = tuple(self.names.text(slot, value) for slot, value in differ if value != self.names.initial[slot])
        marks = [(INITIAL, "the initial state")] * one.initial
        for why, count in one.bad.items():
            text = why or "after a step that violates the property"
            marks.append((VIOLATES, text if self.single else f"{text} ({count:,} of {one.states:,} states)"))
        marks += [(WITNESS, f"first to show: {name}") for name in one.reached]
        return Node(number, search, one.states, one.depth, texts, tuple(marks), one.inside)

"""The deterministic, minimal automaton of the label sequences of an explored graph.

States that lead to one another by hidden steps have one future, so they become one place first; a place that only
leads on to one other is that one.  Then subset construction over the closure under hidden steps, and partition
refinement (Hopcroft, Motwani, Ullman, Introduction to Automata Theory, sections 2.3.5 and 4.4).  Every state accepts:
the languages are closed under prefixes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from modelcheck.explore.found import Found


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of a graph: where it starts, and of each place its hidden steps and its (label, place) steps."""

    start: int
    hidden: list[tuple[int, ...]]
    shown: list[tuple[tuple[int, int], ...]]


def automaton_of(found: Found, labels: dict[tuple[int, int, int], int]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The deterministic, minimal automaton of the label sequences of a graph."""
    places = _places(found, labels)
    hidden, shown = places.hidden, places.shown

    def closure(start: set[int]) -> frozenset[int]:
        reached, todo = set(start), list(start)
        while todo:
            for after in hidden[todo.pop()]:
                if after not in reached:
                    reached.add(after)
                    todo.append(after)
        return frozenset(reached)

    first = closure({places.start})
    numbers, order = {first: 0}, [first]
    moves: list[dict[int, int]] = []
    for subset in order:
        by_label: dict[int, set[int]] = {}
        for place in subset:
            for label, after in shown[place]:
                by_label.setdefault(label, set()).add(after)
        leaving: dict[int, int] = {}
        for label in sorted(by_label):
            following = closure(by_label[label])
            if following not in numbers:
                numbers[following] = len(order)
                order.append(following)
            leaving[label] = numbers[following]
        moves.append(leaving)
    return _minimise(moves)


def _places(found: Found, labels: dict[tuple[int, int, int], int]) -> _Places:
    import networkx

    quiet: networkx.DiGraph[int] = networkx.DiGraph()
    quiet.add_nodes_from(range(found.size))
    told: list[list[tuple[int, int]]] = []
    for number, out in enumerate(found.graph()):
        pcs, seen = found.state(number), []
        for process, step, after in out:
            label = labels.get((process, pcs[process], step))
            if label is None:
                quiet.add_edge(number, after)
            else:
                seen.append((label, after))
        told.append(seen)
    place = [0] * found.size
    hidden: list[tuple[int, ...]] = []
    members: list[list[int]] = []
    for component in networkx.strongly_connected_components(quiet):  # each after those it leads to
        states = sorted(component)
        inside = set(states)
        onward = tuple(sorted({place[a] for n in states for a in quiet.successors(n) if a not in inside}))
        here = len(hidden)
        if len(onward) == 1 and not any(told[n] for n in states):
            here = onward[0]
        else:
            hidden.append(onward)
            members.append(states)
        for n in states:
            place[n] = here
    shown = [tuple(sorted({(label, place[a]) for n in states for label, a in told[n]})) for states in members]
    return _Places(place[0], hidden, shown)


def _minimise(moves: list[dict[int, int]]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Partition refinement; every state accepts, a missing label leads nowhere."""
    block = [0] * len(moves)
    while True:
        keys: dict[Hashable, int] = {}
        new = [
            keys.setdefault((block[i], tuple((a, block[b]) for a, b in sorted(out.items()))), len(keys))
            for i, out in enumerate(moves)
        ]
        if new == block:
            break
        block = new
    representative = {b: i for i, b in reversed(list(enumerate(block)))}
    order, numbers = [block[0]], {block[0]: 0}
    result = []
    for b in order:
        ordered = []
        for label, target in sorted(moves[representative[b]].items()):
            if block[target] not in numbers:
                numbers[block[target]] = len(order)
                order.append(block[target])
            ordered.append((label, numbers[block[target]]))
        result.append(tuple(ordered))
    return tuple(result)

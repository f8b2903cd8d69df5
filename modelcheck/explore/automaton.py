"""The deterministic, minimal automaton of the label sequences of an explored graph.

States that lead to one another by hidden steps have one future, so they become one place first; a place that only
leads on to one other is that one.  Then subset construction over the closure under hidden steps, and partition
refinement (Hopcroft, Motwani, Ullman, Introduction to Automata Theory, sections 2.3.5 and 4.4).  Every state accepts:
the languages are closed under prefixes.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain

from modelcheck.explore.components import strong_components
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
    quiet: list[list[int]] = []
    told: list[list[tuple[int, int]]] = []
    for number in range(found.size):
        onward, seen = [], []
        for step, after in found.steps(number):
            label = labels.get(step)
            if label is None:
                onward.append(after)
            else:
                seen.append((label, after))
        quiet.append(onward)
        told.append(seen)
    place = [0] * found.size
    hidden: list[tuple[int, ...]] = []
    members: list[list[int]] = []
    for states in _components(quiet):
        here = len(hidden)
        for n in states:
            place[n] = -1  # so that what stays inside tells itself apart
        leads = tuple(sorted({place[a] for n in states for a in quiet[n]} - {-1}))
        if len(leads) == 1 and not any(told[n] for n in states):
            here = leads[0]
        else:
            hidden.append(leads)
            members.append(states)
        for n in states:
            place[n] = here
    shown = [tuple(sorted({(label, place[a]) for n in states for label, a in told[n]})) for states in members]
    return _Places(place[0], hidden, shown)


def _components(targets: list[list[int]]) -> Iterator[list[int]]:
    """The strongly connected components of a graph, each after those it leads to."""
    first = array("Q", accumulate(map(len, targets), initial=0))
    return strong_components(first, array("I", chain.from_iterable(targets)), bytes([1]) * len(targets))


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

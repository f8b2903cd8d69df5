"""The deterministic, minimal automaton of the label sequences of an explored graph.

Subset construction over the closure under hidden steps, then partition refinement (Hopcroft, Motwani, Ullman,
Introduction to Automata Theory, sections 2.3.5 and 4.4).  Every state accepts: the languages are closed under prefixes.
"""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck.explore.found import Found


def automaton_of(found: Found, labels: dict[tuple[int, int, int], int]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The deterministic, minimal automaton of the label sequences of a graph."""
    hidden: list[list[int]] = []
    shown: list[list[tuple[int, int]]] = []
    for number, out in enumerate(found.graph()):
        pcs = found.state(number)
        quiet, seen = [], []
        for process, step, after in out:
            label = labels.get((process, pcs[process], step))
            if label is None:
                quiet.append(after)
            else:
                seen.append((label, after))
        hidden.append(quiet)
        shown.append(seen)

    def closure(start: set[int]) -> frozenset[int]:
        reached, todo = set(start), list(start)
        while todo:
            for after in hidden[todo.pop()]:
                if after not in reached:
                    reached.add(after)
                    todo.append(after)
        return frozenset(reached)

    first = closure({0})
    numbers, order = {first: 0}, [first]
    moves: list[dict[int, int]] = []
    for subset in order:
        by_label: dict[int, set[int]] = {}
        for state in subset:
            for label, after in shown[state]:
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

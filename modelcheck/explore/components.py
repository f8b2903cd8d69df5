"""Strongly connected components of a graph held in two arrays.

Tarjan's algorithm (SIAM Journal on Computing 1, 1972) without recursion: linear in time, about 25 bytes a node beside
the graph.  Its one invariant: the components and their order follow from the arrays alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence


def strong_components(
    first: Sequence[int], target: Sequence[int], region: Sequence[int], tick: Callable[[int], None] = lambda count: None
) -> Iterator[list[int]]:
    """The components of the nodes where `region` is not 0, each after those it leads to.

    The edges out of node n lead to `target[first[n]:first[n + 1]]`.  `tick` gets how many nodes were met, at each.
    """
    size = len(first) - 1
    index, low = array("I", [0]) * size, array("I", [0]) * size
    waiting = bytearray(size)  # on the stack
    at = array("Q", first[:size])
    stack: list[int] = []
    count = 0
    for root in range(size):
        if not region[root] or index[root]:
            continue
        path = [root]
        while path:
            number = path[-1]
            if not index[number]:
                count += 1
                tick(count)
                index[number] = low[number] = count
                stack.append(number)
                waiting[number] = 1
            while at[number] < first[number + 1]:
                after = target[at[number]]
                if region[after] and not index[after]:
                    break
                if waiting[after]:
                    low[number] = min(low[number], low[after])
                at[number] += 1
            else:
                path.pop()
                if low[number] == index[number]:
                    place = len(stack) - 1
                    while stack[place] != number:
                        place -= 1
                    states = stack[place:]
                    del stack[place:]
                    for state in states:
                        waiting[state] = 0
                    yield states
                continue
            path.append(after)

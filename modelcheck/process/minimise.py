"""Merging of nodes that cannot be told apart: the coarsest bisimulation of a step machine.

Its one invariant: merged nodes agree in everything but their number, and so do their targets, branch by branch.
Partition refinement in which only nodes whose targets changed block are looked at again and the largest part of a
split keeps its number, so each node moves O(log n) times (the argument of Hopcroft 1971; the form of Valmari 2010).
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from modelcheck.process.step_machine import Node


def minimise(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The merged nodes, numbered breadth first from node 0; nodes that it cannot reach are left out."""
    block = _blocks(nodes)
    first: dict[int, int] = {}
    for i, of in enumerate(block):
        first.setdefault(of, i)
    number = {block[0]: 0}
    queue, order = deque([block[0]]), []
    while queue:
        node = nodes[first[queue.popleft()]]
        order.append(node)
        for target in node.targets:
            if block[target] not in number:
                number[block[target]] = len(number)
                queue.append(block[target])
    return tuple(replace(node, targets=tuple(number[block[target]] for target in node.targets)) for node in order)


def _blocks(nodes: tuple[Node, ...]) -> list[int]:
    """The block of each node in the coarsest stable partition."""
    members: dict[int, set[int]] = {}
    seen: dict[Hashable, int] = {}
    block = []
    for i, node in enumerate(nodes):
        of = seen.setdefault(replace(node, targets=()), len(seen))
        block.append(of)
        members.setdefault(of, set()).add(i)
    before: list[list[int]] = [[] for _ in nodes]
    for i, node in enumerate(nodes):
        for target in node.targets:
            before[target].append(i)
    dirty = {i for i in range(len(nodes)) if len(members[block[i]]) > 1}
    while dirty:
        touched: dict[int, list[int]] = {}
        for i in sorted(dirty):
            touched.setdefault(block[i], []).append(i)
        # Every split of a round is decided before any is done, so that all compare the same blocks.
        parts = [(of, part) for of, changed in touched.items() for part in _leaving(members[of], changed, nodes, block)]
        for of, part in parts:
            new = len(members)
            members[new] = set(part)
            members[of].difference_update(part)
            for i in part:
                block[i] = new
        moved = [i for _, part in parts for i in part]
        dirty = {i for j in moved for i in before[j] if len(members[block[i]]) > 1}
    return block


def _leaving(block_members: set[int], changed: list[int], nodes: tuple[Node, ...], block: list[int]) -> list[list[int]]:
    """The parts that leave one block, told apart by where their nodes lead; the largest part stays."""
    parts: dict[tuple[int, ...], list[int]] = {}
    for i in changed:
        parts.setdefault(tuple(block[target] for target in nodes[i].targets), []).append(i)
    sizes = {where: len(part) for where, part in parts.items()}
    stays = max(sizes, key=lambda where: sizes[where])
    unchanged = len(block_members) - len(changed)
    if unchanged:  # these still agree among themselves, so one of them speaks for all
        known = set(changed)
        speaker = next(i for i in block_members if i not in known)
        home = tuple(block[target] for target in nodes[speaker].targets)
        if sizes.get(home, 0) + unchanged >= sizes[stays]:
            stays = home
        else:
            parts.setdefault(home, []).extend(block_members.difference(known))
    return [part for where, part in parts.items() if where != stays]

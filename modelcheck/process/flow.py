"""The control flow of a step machine: straight runs of nodes, and the loops that a failed test goes back in.

A loop is a natural loop (Aho, Lam, Sethi, Ullman, Compilers, 2nd ed., 9.6): the nodes from which an edge back to a node
that all of them lie behind can be reached without that node.  Its one invariant: numbers are those of the nodes given.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelcheck.process.step_machine import Node


def onward(node: Node) -> list[int]:
    """The branches that go on, by number."""
    branches = node.action.branches if node.action is not None else ()
    return [b for b, branch in enumerate(branches) if not branch.stay and not branch.breaks]


def before(nodes: Sequence[Node]) -> list[list[int]]:
    """The nodes that lead to each node, once for each branch."""
    found: list[list[int]] = [[] for _ in nodes]
    for i, node in enumerate(nodes):
        for b in onward(node):
            found[node.targets[b]].append(i)
    return found


def straight(nodes: Sequence[Node]) -> list[list[int]]:
    """The longest runs of nodes that are always passed one after the other; only the first may be come to otherwise."""
    leading = before(nodes)
    single = [len(onward(node)) == 1 for node in nodes]

    def follows(i: int) -> bool:
        return i != 0 and len(leading[i]) == 1 and single[leading[i][0]] and leading[i][0] != i

    found = []
    for i in range(len(nodes)):
        if single[i] and not follows(i):
            run = [i]
            while single[run[-1]]:
                target = nodes[run[-1]].targets[onward(nodes[run[-1]])[0]]
                if not follows(target) or not single[target] or target in run:
                    break
                run.append(target)
            found.append(run)
    return found


def dominators(nodes: Sequence[Node]) -> list[frozenset[int]]:
    """The nodes on every way from the start to each node, itself among them."""
    leading = before(nodes)
    every = frozenset(range(len(nodes)))
    found = [frozenset({0}), *[every] * (len(nodes) - 1)]
    changed = True
    while changed:
        changed = False
        for i in range(1, len(nodes)):
            ways = [found[j] for j in leading[i]]
            now = frozenset({i}) | (frozenset.intersection(*ways) if ways else frozenset())
            if now != found[i]:
                found[i], changed = now, True
    return found


def loops(nodes: Sequence[Node], dominated: Sequence[frozenset[int]]) -> list[tuple[int, frozenset[int]]]:
    """The natural loops as (head, body), smallest first; loops with one head are one."""
    leading = before(nodes)
    bodies: dict[int, set[int]] = {}
    for i, node in enumerate(nodes):
        for b in onward(node):
            head = node.targets[b]
            if head not in dominated[i]:
                continue
            body = bodies.setdefault(head, {head})
            todo = [i]
            while todo:
                at = todo.pop()
                if at not in body:
                    body.add(at)
                    todo += leading[at]
    return sorted(((head, frozenset(body)) for head, body in bodies.items()), key=lambda loop: (len(loop[1]), loop[0]))


def distances(nodes: Sequence[Node], goals: frozenset[int], inside: frozenset[int]) -> dict[int, int]:
    """How many steps it is from each node to the nearest of `goals` without leaving `inside`."""
    leading = before(nodes)
    found = dict.fromkeys(sorted(goals), 0)
    order = list(found)
    for at in order:
        for i in leading[at]:
            if i in inside and i not in found:
                found[i] = found[at] + 1
                order.append(i)
    return found

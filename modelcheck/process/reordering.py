"""The order of two neighbouring steps of a process, and the machine that does them the other way round.

Unmarked accesses of one direction that follow one another are one step here (a compiler is free to order them), and
what lies between two steps stays where it is: stores before a barrier change places with those behind it.  What a
store tells a property in the same step goes with it.  Two lock operations are never exchanged.  Its one invariant: only
steps that are always done one after the other are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelcheck.action import Access
from modelcheck.process.flow import onward, straight
from modelcheck.process.step_machine import Node


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """Where an action stands: its source line, kernel function and step, and its text without the numbers in it.

    So a line is one site whichever of several locks, say, it runs on, and two actions of a line are two.  A load that
    has a step has no line: a projection may load less of the same, elsewhere.
    """

    function: str
    step: str
    file: str = ""
    line: int = 0
    text: str = ""


def site_of(node: Node) -> Site:
    """The site of a node's action."""
    action = node.action
    assert action is not None
    text = re.sub(r"\d+", "#", action.label)
    if action.kind == "load" and action.step:
        return Site(action.function, action.step, text=text)
    return Site(action.function, action.step, node.file, node.line, text)


def segments(nodes: Sequence[Node]) -> list[tuple[list[int], list[int]]]:
    """The pairs of neighbouring steps that may change places, each step as the nodes it is made of."""
    found = []
    for run in straight(nodes):
        items = _items(nodes, run)
        for first, second in zip(items, items[1:], strict=False):
            if first and second and _may_swap([nodes[i] for i in first], [nodes[i] for i in second]):
                found.append((first, second))
    return found


def _items(nodes: Sequence[Node], run: Sequence[int]) -> list[list[int]]:
    """The steps of a straight run, without barriers and steps that do nothing; an assertion is an empty one."""
    items: list[list[int]] = []
    joins = False
    for i in run:
        action = nodes[i].action
        assert action is not None
        if action.kind in ("load", "store", "update", "shared", "lock"):
            if joins and _alike(nodes[_last_access(nodes, items[-1])], nodes[i]):
                items[-1].append(i)
            else:
                items.append([i])
            joins = True
        elif joins and _notes(nodes[items[-1][-1]], nodes[i]):
            items[-1].append(i)
        else:
            joins = False
            items += [[]] if action.kind in ("check", "observe") else []  # it asks about what is before it
    return items


def _last_access(nodes: Sequence[Node], item: Sequence[int]) -> int:
    """The last node of a step that accesses memory, else its last."""
    return next((i for i in reversed(item) if _accesses(nodes[i])), item[-1])


def _accesses(node: Node) -> bool:
    return node.action is not None and node.action.access is not None


def _notes(node: Node, after: Node) -> bool:
    """Whether an assertion notes the store right before it, of its own step: the two are one."""
    store, note = node.action, after.action
    assert store is not None and note is not None
    same = (store.function, store.step) == (note.function, note.step)
    return store.kind == "store" and note.kind == "check" and same and any(branch.updates for branch in note.branches)


def _alike(node: Node, other: Node) -> bool:
    """Whether two neighbouring accesses are unmarked and of one direction."""
    one, two = (each.action.access if each.action is not None else None for each in (node, other))
    return one is not None and two is not None and one.store == two.store and _plain(one) and _plain(two)


def _plain(access: Access) -> bool:
    return access.mode in ("plain", "copy") and not access.update


def _may_swap(first: Sequence[Node], second: Sequence[Node]) -> bool:
    actions = [node.action for node in (*first, *second) if node.action is not None]
    if first[0].action is None or second[0].action is None:
        return False
    if first[0].action.kind == second[0].action.kind == "lock":
        return False
    if any(action.awaits or action.forgets for action in actions):
        return False
    filled = [node.register for node in (*first, *second) if node.register >= 0]
    accesses = [action.access for action in actions if action.access is not None]
    needed = {register.index for access in accesses for register in (*access.data, *access.addr, *access.ctrl)}
    return len(set(filled)) == len(filled) and needed.isdisjoint(filled)


def reordered(nodes: Sequence[Node], site: Site, other: Site | None) -> tuple[Node, ...] | None:
    """The nodes with the steps at two sites in the other order wherever they are neighbours; None if nowhere."""
    made = list(nodes)
    done: set[int] = set()
    for first, second in segments(nodes):
        span = _span(nodes, first, second)
        if site_of(nodes[first[0]]) == site and site_of(nodes[second[0]]) == other and done.isdisjoint(span):
            done.update(span)
            _swap(nodes, made, first, span, second)
    return tuple(made) if done else None


def _span(nodes: Sequence[Node], first: list[int], second: list[int]) -> list[int]:
    """The nodes from the first step to the end of the second."""
    span = list(first)
    while span[-1] != second[-1]:
        span.append(nodes[span[-1]].targets[onward(nodes[span[-1]])[0]])
    return span


def _swap(nodes: Sequence[Node], made: list[Node], first: list[int], span: list[int], second: list[int]) -> None:
    between = span[len(first) : len(span) - len(second)]
    last = nodes[span[-1]]
    after = last.targets[onward(last)[0]]
    for place, content in enumerate([*second, *between, *first]):
        here, target = span[place], span[place + 1] if place + 1 < len(span) else after
        action = nodes[content].action
        assert action is not None
        targets = tuple(here if branch.stay else target for branch in action.branches)
        made[here] = replace(nodes[content], targets=targets)

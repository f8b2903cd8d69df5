"""Rewriting a step machine after extraction: other actions at its nodes, or none, and what follows from that.

Its one invariant: what a node is told statically (the locks held, whether interrupts are off, the comparisons that
z3 hears of) is worked out anew along the rewritten graph, so nothing of an action that was taken out stays behind.  A
node whose action is taken out is not kept as an empty step: a step of its own would be a point where a window waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from modelcheck.action import Action, Branch
from modelcheck.process.minimise import minimise
from modelcheck.process.step_machine import Context, Fact, Node


class Endless(Exception):
    """What is left would loop without a step."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is done at a node and where that leads, one (node, mode) for each branch.

    With `passes` nothing is done: the only lead is taken at once, and of that branch only what it does to interrupts
    remains.  A mode is a number that a rule hands on to itself, 0 at the start.
    """

    action: Action | None
    leads: tuple[tuple[int, int], ...]
    passes: Branch | None = None


Rule = Callable[[int, Context, int], Way]
_Identity = tuple[int, int, Context, tuple[Fact, ...]]


def rewrite(nodes: Sequence[Node], rule: Rule) -> tuple[Node, ...]:
    """The machine that does at each node what `rule(number, context, mode)` says, minimised; raises Endless."""
    return minimise(rewritten(nodes, rule))


def rewritten(nodes: Sequence[Node], rule: Rule) -> tuple[Node, ...]:
    """The same, not minimised."""
    number: dict[_Identity, int] = {}
    order: list[tuple[_Identity, Way]] = []
    queue: deque[int] = deque()

    def arrive(at: int, mode: int, context: Context, facts: tuple[Fact, ...]) -> int:
        passed = set()
        while True:
            node = nodes[at]
            facts = tuple(fact for fact in facts if set(node.live).issuperset(fact.registers))
            way = rule(at, context, mode)
            identity = at, mode, context, facts
            if way.passes is None:
                break
            if identity in passed:
                raise Endless
            passed.add(identity)
            context = context.after(replace(way.passes, acquires=None, releases=""))
            ((at, mode),) = way.leads
        if identity not in number:
            number[identity] = len(order)
            order.append((identity, way))
            queue.append(number[identity])
        return number[identity]

    arrive(0, 0, nodes[0].context, ())
    made: list[Node] = []
    while queue:
        here = queue.popleft()
        (at, _, context, facts), way = order[here]
        node = nodes[at]
        targets = []
        for branch, (target, mode) in zip(way.action.branches if way.action else (), way.leads, strict=True):
            if branch.stay:
                targets.append(here)
            else:
                after = _facts(node, way.action, branch, facts)
                targets.append(arrive(target, mode, context.after(branch), after))
        made.append(replace(node, action=way.action, targets=tuple(targets), context=context, facts=facts))
    return tuple(made)


def _facts(node: Node, action: Action | None, branch: Branch, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """What comparisons told so far, once `branch` was taken (as extraction has it); a load forgets its register's."""
    if action is None:
        return facts
    if node.register >= 0:
        facts = tuple(fact for fact in facts if node.register not in fact.registers)
    if action.kind != "compare" or action.test.startswith("value"):
        return facts
    fact = Fact(action.test, tuple(register.index for register in action.registers), bool(branch.response))
    return tuple(sorted({*facts, fact}, key=lambda fact: (fact.test, fact.registers, fact.outcome)))


def kept(node: Node, mode: int = 0) -> Way:
    """A node as it is."""
    return Way(node.action, tuple((target, mode) for target in node.targets))


def passed(node: Node, branch: int, mode: int = 0) -> Way:
    """A node whose action is taken out, as if `branch` of it had been taken."""
    assert node.action is not None
    return Way(None, ((node.targets[branch], mode),), node.action.branches[branch])

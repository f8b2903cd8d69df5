"""The pieces of a step machine that can be left out one at a time, and the machine without one of them.

A piece is a line of the protocol: a barrier; a lock, with every release that is reached from taking it there; a trylock
that would wait instead; a read section or a stretch without preemption, with its end; interrupts that would stay on; a
test that would be taken as answered, or not ask for one of its conditions; a retry that would not ask again; a store; a
wait; the order of two steps. It is known by its *site*, which is the same in every process, version of a process and
projection that runs the line, and is left out of all of them at once: what is asked is what the line is for. Pieces are
found in the actions themselves; nothing lists them by hand.

Not pieces: a release by itself (a lock that is never released proves nothing), a choice (the world makes it), an
assertion or an observation (they are the question), a load (what it answers is asked for by a test, which is one), a
point where the process may sleep (without it there are only fewer schedules).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from modelcheck.action import Action, Branch
from modelcheck.expression import TRUE, Expr, Op, conjunction, to_text
from modelcheck.process.minimise import minimise
from modelcheck.process.reordering import Site, reordered, segments, site_of
from modelcheck.process.retrying import retries, without_retry
from modelcheck.process.rewriting import Endless, Rule, Way, kept, passed, rewritten
from modelcheck.process.step_machine import Context, Node, StepMachine

Kind = Literal["barrier", "lock", "trylock", "irq", "test", "clause", "retry", "store", "wait", "order"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece: its kind and site, and what tells it from others there.

    `other` is the second step of an order, or the test whose failure a retry follows.  `detail` is the answer that a
    test, or a retry's test, is taken to give, or which of several conditions (its text) or stores (from 0) is left out;
    what has a kernel function and no step is left out as a whole.
    """

    kind: Kind
    site: Site
    other: Site | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A piece as one machine has it: the nodes where its action (and that of `other`, else -1) is."""

    piece: Piece
    node: int
    other: int = -1


def pieces_of(machine: StepMachine, wanted: Callable[[Found], bool] = lambda found: True) -> tuple[Found, ...]:
    """The pieces wanted of a machine wherever it has them, in order of nodes: those without which it still steps."""
    nodes = machine.nodes
    found = [Found(piece, i) for i, node in enumerate(nodes) for piece in _at(node)]
    for here, asked, failed, answer in retries(nodes):
        found.append(Found(Piece("retry", here, failed[0], answer), asked, failed[1]))
    for first, second in segments(nodes):
        piece = Piece("order", site_of(nodes[first[0]]), site_of(nodes[second[0]]))
        found.append(Found(piece, first[0], second[0]))
    found = [each for each in found if wanted(each)]
    steps = {piece: _steps(machine, piece) for piece in dict.fromkeys(each.piece for each in found)}
    return tuple(each for each in found if steps[each.piece])


def _at(node: Node) -> Iterator[Piece]:
    action = node.action
    if action is None:
        return
    site, branches = site_of(node), action.branches
    if action.kind == "fence":
        yield Piece("barrier", site)
    elif any(branch.acquires is not None for branch in branches):
        yield Piece("lock", site)
        if action.lock is not None and not action.blocking:
            yield Piece("trylock", site)
    elif action.kind in ("store", "update") or _picks_a_store(node):
        yield Piece("store", site)
    elif action.kind in ("shared", "compare") and len(branches) > 1:
        for branch in branches:
            yield Piece("test", site, None, str(branch.response))
        yield from (Piece("clause", site, None, clause_text(clause)) for clause in clauses(action))
    elif action.kind == "shared":
        if branches[0].guard != TRUE:
            yield Piece("wait", site)
        many = len(branches[0].updates) > 1 and (bool(action.step) or not action.function)
        yield from (Piece("store", site, None, str(i) if many else "") for i, _ in enumerate(branches[0].updates))
    if any(branch.irq == "off" for branch in branches):
        yield Piece("irq", site)


def _picks_a_store(node: Node) -> bool:
    """Whether a step of several branches only stores, one thing or another: it answers the same in each."""
    action = node.action
    assert action is not None
    many = action.kind == "shared" and len(action.branches) > 1
    return many and len({branch.response for branch in action.branches}) == 1 and len(set(node.targets)) == 1


def _steps(machine: StepMachine, piece: Piece) -> bool:
    try:
        changed = _changed(machine.nodes, piece)
    except Endless:
        return False
    return changed is not None and changed != machine.nodes


def without(machine: StepMachine, piece: Piece) -> StepMachine:
    """The machine without the piece: itself where it has none of it; raises Endless where it would not step."""
    changed = _changed(machine.nodes, piece)
    smallest = None if changed is None else minimise(changed)
    return machine if smallest is None or smallest == machine.nodes else replace(machine, nodes=smallest)


def _changed(nodes: tuple[Node, ...], piece: Piece) -> tuple[Node, ...] | None:
    """The nodes without the piece, not minimised; None where they have none of it."""
    if piece.kind == "order":
        swapped = reordered(nodes, piece.site, piece.other)
        return None if swapped is None else rewritten(swapped, lambda at, context, mode: kept(swapped[at]))
    if piece.kind == "retry":
        return without_retry(nodes, piece.site, piece.other, piece.detail)
    sites = frozenset(i for i, node in enumerate(nodes) if _may_have(node, piece) and piece in _at(node))
    return rewritten(nodes, _rule(nodes, sites, piece)) if sites else None


def _may_have(node: Node, piece: Piece) -> bool:
    """Whether a node may have a piece: a quick look."""
    action, site = node.action, piece.site
    return action is not None and (action.function, action.step) == (site.function, site.step)


def _rule(nodes: tuple[Node, ...], sites: frozenset[int], piece: Piece) -> Rule:
    def rule(at: int, context: Context, mode: int) -> Way:
        node = nodes[at]
        if piece.kind == "lock" and _releases_none(node, context):
            return passed(node, 0)  # what was taken at the site is not held
        return _edited(node, piece) if at in sites else kept(node)

    return rule


def _releases_none(node: Node, context: Context) -> bool:
    """Whether a step releases a lock that is not held: here, one whose taking was left out."""
    action = node.action
    if action is None or action.lock is not None or len(action.branches) != 1:
        return False
    released = action.branches[0].releases
    return bool(released) and all(hold.lock != released for hold in context.held)


def _edited(node: Node, piece: Piece) -> Way:
    """A node of the piece's site without the piece."""
    action = node.action
    assert action is not None
    branches = action.branches
    match piece.kind:
        case "lock":
            return passed(node, next(b for b, branch in enumerate(branches) if branch.acquires is not None))
        case "trylock":
            taken = next(b for b, branch in enumerate(branches) if branch.acquires is not None)
            waiting = replace(action, label=f"{action.label} waits", branches=(branches[taken],), blocking=True)
            return Way(waiting, ((node.targets[taken], 0),))
        case "irq":
            on = tuple(replace(branch, irq="" if branch.irq == "off" else branch.irq) for branch in branches)
            return kept(replace(node, action=replace(action, branches=on)))
        case "test":
            return answered(node, next(b for b, branch in enumerate(branches) if str(branch.response) == piece.detail))
        case "clause":
            return kept(replace(node, action=_fewer(action, piece.detail)))
        case "wait":
            return _less(node, action, replace(branches[0], guard=TRUE))
        case "store" if piece.detail:
            updates = tuple(pair for number, pair in enumerate(branches[0].updates) if str(number) != piece.detail)
            return _less(node, action, replace(branches[0], updates=updates))
        case _:
            return passed(node, 0)


def answered(node: Node, branch: int, mode: int = 0) -> Way:
    """A test taken to answer as `branch` does, without looking; what that answer stores is still stored."""
    action = node.action
    assert action is not None
    taken = action.branches[branch]
    if not taken.updates:
        return passed(node, branch, mode)
    alone = replace(action, branches=(replace(taken, guard=TRUE),))
    return Way(alone, ((node.targets[branch], mode),))


def clauses(action: Action) -> tuple[Expr, ...]:
    """The conditions that a test asks for together; none where it asks for one, or is no test of a condition."""
    guards = [branch.guard for branch in action.branches]
    if len(guards) != 2 or guards[1] != ~guards[0]:
        return ()
    found = _conjuncts(guards[0])
    return found if len(found) > 1 else ()


def _conjuncts(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Op) and expr.name == "and":
        return tuple(part for arg in expr.args for part in _conjuncts(arg))
    return (expr,)


def clause_text(clause: Expr) -> str:
    """A condition without the numbers in it, as it is known by: other processes may have others beside it."""
    return re.sub(r"\d+", "#", to_text(clause))


def _fewer(action: Action, text: str) -> Action:
    """A test that does not ask for one of its conditions."""
    asked = conjunction(tuple(part for part in clauses(action) if clause_text(part) != text))
    yes, no = action.branches
    return replace(action, branches=(replace(yes, guard=asked), replace(no, guard=~asked)))


def _less(node: Node, action: Action, branch: Branch) -> Way:
    """A step of one branch with less to it; none where nothing is left."""
    if branch.guard == TRUE and not branch.updates:
        return passed(node, 0)
    return Way(replace(action, branches=(branch,)), ((node.targets[0], 0),))

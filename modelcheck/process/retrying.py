"""Retries: a test that is asked again after one has failed, and the machine that does not ask again.

A test retries when one of its answers goes on in a loop that the other leaves.  What it may do without in the next
round is the test itself, or one that every round asks before it.  Its one invariant: the first round is as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.process.flow import distances, dominators, loops, onward
from modelcheck.process.reordering import Site, site_of
from modelcheck.process.rewriting import Way, kept, passed, rewritten
from modelcheck.process.step_machine import Context, Node


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop that the tests `failed` retry in: branch `again` of each goes on in it, `done` leaves it.

    `before` are the tests of every round before that, with the branch that leads on.
    """

    body: frozenset[int]
    failed: tuple[int, ...]
    again: str
    done: str
    before: tuple[tuple[int, int], ...]


def retries(nodes: Sequence[Node]) -> list[tuple[Site, int, tuple[Site, int], str]]:
    """(site, node) of a test that is asked again, those of the test that failed, and the answer taken for granted."""
    found = []
    for loop in _loops(nodes):
        failed = loop.failed[0]
        there = site_of(nodes[failed]), failed
        found.append((*there, there, loop.done))
        found += [(site_of(nodes[i]), i, there, _response(nodes[i], b)) for i, b in loop.before]
    return found


def without_retry(
    nodes: Sequence[Node], site: Site, failed: Site | None, answer: str
) -> tuple[Node, ...] | None:
    """The machine in which the test at `site` is not asked again after that at `failed` has failed; None if it has no
    such retry.
    """
    loop = next((each for each in _loops(nodes) if site_of(nodes[each.failed[0]]) == failed), None)
    if loop is None:
        return None
    granted = {i: b for i, b in loop.before if site_of(nodes[i]) == site and _response(nodes[i], b) == answer}
    if site == failed:
        granted = {i: b for i in loop.failed for b in onward(nodes[i]) if _response(nodes[i], b) == answer}
    if not granted:
        return None

    def rule(at: int, context: Context, mode: int) -> Way:
        node = nodes[at]
        mode = mode if at in loop.body else 0
        if mode and at in granted:
            return passed(node, granted[at], mode)
        way = kept(node, mode)
        if at not in loop.failed:
            return way
        leads = tuple(
            (target, int(mode or (_response(node, b) == loop.again and target in loop.body)))
            for b, target in enumerate(node.targets)
        )
        return Way(way.action, leads)

    return rewritten(nodes, rule)


def _loops(nodes: Sequence[Node]) -> list[_Loop]:
    """For each test that retries, the smallest loop in which it does."""
    dominated = dominators(nodes)
    bodies = loops(nodes, dominated)
    found: dict[Site, _Loop] = {}
    for i, node in enumerate(nodes):
        if not _asks(node) or site_of(node) in found:
            continue
        for head, body in bodies:
            again = [b for b in onward(node) if node.targets[b] in body]
            if i in body and len(again) == 1:
                found[site_of(node)] = _loop(nodes, dominated, head, body, i, again[0])
                break
            if i in body:
                break  # the innermost loop is not left here
    return list(found.values())


def _loop(
    nodes: Sequence[Node], dominated: Sequence[frozenset[int]], head: int, body: frozenset[int], test: int, again: int
) -> _Loop:
    site = site_of(nodes[test])
    failed = tuple(i for i, node in enumerate(nodes) if _asks(node) and site_of(node) == site)
    away = distances(nodes, frozenset({test}), body - {head} | {test})
    before = []
    for i in sorted((dominated[test] & body) - {test}):
        ways = [(away[target], b) for b, target in enumerate(nodes[i].targets) if target in away]
        if _asks(nodes[i]) and ways and site_of(nodes[i]) != site:
            before.append((i, min(ways)[1]))
    done = next(_response(nodes[test], b) for b in onward(nodes[test]) if b != again)
    return _Loop(body, failed, _response(nodes[test], again), done, tuple(before))


def _asks(node: Node) -> bool:
    """Whether a node is a test: two answers, and nothing stored with either."""
    action = node.action
    if action is None or action.kind not in ("shared", "compare") or len(action.branches) != 2:
        return False
    return not any(branch.updates or branch.stay or branch.breaks for branch in action.branches)


def _response(node: Node, branch: int) -> str:
    assert node.action is not None
    return str(node.action.branches[branch].response)

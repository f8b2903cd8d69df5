"""Two branches of one action under one text: told apart by what they lead to, refused where that differs.

A path names each step by its text, so that it can be replayed, and saved.  Two branches that are enabled at once under
one text and lead to different states would make it name either.  Where both lead to one state nothing is lost, and a
search, which takes every branch, does not mind at all.  Pieces of accesses are told apart by their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelcheck.errors import SpecError
from modelcheck.expression import FALSE, to_text
from modelcheck.process.step_machine import Node
from modelcheck.system.edge import Edge


def refuse_equal_guards(name: str, node: Node, edges: Sequence[Edge]) -> None:
    """Raises SpecError for two branches of `node`'s action that differ in what they do and in nothing else."""
    if len({edge.choice for edge in edges}) == len(edges):
        return  # as nearly always, and guards take long to hash
    first: dict[tuple[str, object], Edge] = {}
    for edge in edges:
        other = first.setdefault((edge.choice, edge.guard), edge)
        differs = (edge.target, edge.updates, edge.breaks) != (other.target, other.updates, other.breaks)
        if differs and edge.guard != FALSE:
            raise ambiguous(name, node, other, edge)


def ambiguous(name: str, node: Node, one: Edge, other: Edge) -> SpecError:
    """The error about two branches of `node`'s action that are enabled at once; `name` is the process's."""
    assert node.action is not None
    guards = [to_text(branch.guard) for branch in node.action.branches]
    first, second = (f"branch {edge.branch + 1} (where {guards[edge.branch]})" for edge in (one, other))
    return SpecError(
        f"process {name!r} can do {one.choice!r} in two ways at once, {first} and {second} of the action, which lead "
        "to different states; give them different responses or exclusive guards",
        f"{node.file}:{node.line}",
    )

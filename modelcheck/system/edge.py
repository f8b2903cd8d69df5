"""Local states of one process, and the edges between them: one step each.  Values only; `local_space` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from modelcheck.expression import TRUE, Expr, Slot
from modelcheck.memory.ordering import Piece
from modelcheck.system.window import Window


class Local(NamedTuple):
    """A local state; `window` holds what is pending in program order."""

    node: int
    window: Window = ()
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """One step of one process between two local states.

    `choice` tells it apart from the others enabled with it.  `breaks` names the property it violates.  `piece` is the
    memory piece performed; `register` the index it fills; `forwarded` the own pending stores it takes bytes from, the
    newest first.  `observes` hands node.action's registers over.
    """

    process: int
    source: Local
    target: Local
    node: int
    branch: int
    choice: str
    kind: str = "perform"  # the kind of its action, or "perform"
    guard: Expr = TRUE
    updates: tuple[tuple[Slot, Expr], ...] = ()
    breaks: str = ""
    piece: Piece | None = None
    register: int = -1
    preempts: bool = False
    resumes: bool = False
    passed: tuple[int, ...] = ()  # nodes issued or passed on the way to the target
    forwarded: tuple[Piece, ...] = ()

"""Moves kept for the next system with a like process: those that touch no memory come out the same in each.

The projections of one setting run the same step machines and differ in the bytes that the state carries, so they differ
in the steps that perform accesses, compare what was loaded or hand it over.  Its one invariant: a move is handed on
only where linking would make an equal one, so what a link looks at is either in the key of a process (`System.like`) or
noted beside the move: how many pieces each access has that is issued on the way to its target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from modelcheck.explore.table import Move
    from modelcheck.process import StepMachine
    from modelcheck.system.edge import Local
    from modelcheck.system.link import System

    Issued = tuple[tuple[int, int], ...]  # (access node, how many pieces it has)
    Known = dict[Local, tuple[Issued, tuple[Move, ...]]]

MOST_KEPT = 64  # processes; a sweep goes from setting to setting, and those of one share all of theirs

_kept: dict[Hashable, tuple[StepMachine, Known]] = {}  # the one used last comes last


class SharedMoves:
    """The moves that one process of `system` has in common with like ones, by local state."""

    def __init__(self, system: System, process: int) -> None:
        space = system.spaces[process]
        self.space = space
        self.nodes = space.machine.nodes
        self.pieces = {  # by access node
            i: len(space.pieces(node.action.access))
            for i, node in enumerate(self.nodes)
            if node.action is not None and node.action.access is not None
        }
        key = id(space.machine), system.like(process)
        kept = _kept[key] = _kept.pop(key, (space.machine, {}))  # with the machine, so that its id stays its own
        self.known = kept[1]
        if len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]

    def get(self, local: Local) -> tuple[Move, ...] | None:
        """The moves out of a local state, None where they are not known."""
        issued, moves = self.known.get(local, ((), None))
        return moves if all(self.pieces[node] == count for node, count in issued) else None

    def put(self, local: Local, moves: tuple[Move, ...]) -> None:
        """Keeps the moves out of a local state, if they are of the kind that can be shared."""
        action = self.nodes[local.node].action
        if self.space.bounded or action is None or local.window or action.kind in ("load", "store", "update"):
            return
        if action.awaits or action.observes:
            return
        issued = {node: self.pieces[node] for move in moves for node in move.edge.passed if node in self.pieces}
        self.known[local] = tuple(issued.items()), moves

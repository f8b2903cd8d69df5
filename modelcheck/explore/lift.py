"""Lifting: from a path of a projected model to a run of the full one, with every byte of every access.

The projected path fixes the order of the steps it has.  The full model has more pieces to perform, of bytes the
projection left out; a *policy* performs each group of them as early or as late as it can be.  Lifting tries the
policies in a fixed order until one is accepted.  It may fail, and then the projected path proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from modelcheck.explore.run import Run
from modelcheck.system.edge import Edge
from modelcheck.system.link import System

Group = tuple[int, bool, str]  # process, whether stores, field
MOST_GROUPS = 5


def lifts(system: System, edges: Sequence[Edge]) -> Iterator[Run]:
    """Runs of the full model that follow the projected edges, one for each policy that gets through."""
    planned = _planned(edges)
    groups = _groups(system, planned)[:MOST_GROUPS]
    seen = set()
    for early in product((False, True), repeat=len(groups)):
        chosen = frozenset(group for group, flag in zip(groups, early, strict=True) if flag)
        run = _Lift(system, planned, lambda g, chosen=chosen: g in chosen).follow(edges)  # type: ignore[misc]
        if run is not None:
            key = tuple(step.edge.choice for step in run.steps)
            if key not in seen:
                seen.add(key)
                yield run


def _planned(edges: Sequence[Edge]) -> dict[tuple[int, str], set[int]]:
    """For each process and access text, the bytes whose pieces the path performs itself."""
    planned: dict[tuple[int, str], set[int]] = {}
    for edge in edges:
        if edge.piece is not None:
            planned.setdefault((edge.process, edge.piece.access.text), set()).update(
                range(edge.piece.lo, edge.piece.hi)
            )
    return planned


def _field(system: System, area: str, offset: int) -> str:
    for name, lo, hi in system.model.areas[area].fields:
        if lo <= offset < hi:
            return name.split("[")[0]
    return ""


def _groups(system: System, planned: dict[tuple[int, str], set[int]]) -> list[Group]:
    groups: dict[Group, None] = {}
    for space in system.spaces:
        for node in space.machine.nodes:
            access = node.action.access if node.action is not None else None
            if access is None:
                continue
            for piece in space.pieces(access):
                if planned.get((space.index, access.text), set()).isdisjoint(range(piece.lo, piece.hi)):
                    groups[space.index, access.store, _field(system, access.area, piece.lo)] = None
    return sorted(groups, key=lambda g: (g[1], g))


class _Lift:
    def __init__(
        self, system: System, planned: dict[tuple[int, str], set[int]], early: Callable[[Group], bool]
    ) -> None:
        self.run = Run(system)
        self.system = system
        self.planned = planned
        self.early = early

    def follow(self, edges: Sequence[Edge]) -> Run | None:
        for edge in edges:
            if not (self._perform(edge) if edge.piece is not None else self._branch(edge)):
                return None
            if self._broken():
                break  # a piece the projection left out violates the property before the path's own last step
            self._eager(edge.process)
        return self.run

    def _broken(self) -> bool:
        return bool(self.run.steps) and bool(self.run.steps[-1].edge.breaks)

    def _open(self, process: int) -> list[Edge]:
        """Enabled performs of pieces the path does not plan, in program order."""
        return [
            e
            for e in self.run.enabled(process)
            if e.piece is not None
            and not e.breaks
            and self.planned.get((process, e.piece.access.text), set()).isdisjoint(range(e.piece.lo, e.piece.hi))
        ]

    def _eager(self, process: int) -> None:
        while True:
            chosen = next(
                (
                    e
                    for e in self._open(process)
                    if e.piece is not None
                    and self.early(
                        (process, e.piece.access.store, _field(self.system, e.piece.access.area, e.piece.lo))
                    )
                ),
                None,
            )
            if chosen is None:
                return
            self.run.take(chosen)

    def _perform(self, edge: Edge) -> bool:
        piece = edge.piece
        assert piece is not None

        def matches(other: Edge) -> bool:
            mine = other.piece
            return (
                mine is not None
                and other.breaks == edge.breaks
                and mine.access.store == piece.access.store
                and mine.access.text == piece.access.text
                and mine.lo <= piece.lo
                and piece.hi <= mine.hi
            )

        return self._until(edge.process, matches)

    def _branch(self, edge: Edge) -> bool:
        if self.run.find(edge.process, edge.choice) is None and edge.kind in ("compare", "local"):
            return True  # a test or a mark that only the projected process has here
        return self._until(edge.process, lambda other: other.choice == edge.choice and other.piece is None)

    def _until(self, process: int, matches: Callable[[Edge], bool]) -> bool:
        """Takes the step that matches, doing first the pieces and marks that are in its way."""
        while True:
            found = next((e for e in self.run.enabled(process) if matches(e)), None)
            if found is not None:
                self.run.take(found)
                return True
            enabled = self.run.enabled(process)
            waiting = (
                self._open(process)
                or [e for e in enabled if e.breaks and e.piece is not None]
                or [e for e in enabled if e.kind == "local"]
                or [e for e in enabled if e.breaks]
            )
            if not waiting:
                return False
            self.run.take(waiting[0])
            if self._broken():
                return True

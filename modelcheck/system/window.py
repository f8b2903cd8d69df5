"""The window of one process: what was issued and not yet performed, and what of it may perform next.

An entry is an access with its pieces still pending, a fence that orders something before it with something to come, or
a branch that was guessed before its loads were performed (design.md section 2).  Its one invariant: a piece is *open*
when no pending piece before it is ordered before it, by overlap, a dependency, or the memory model's table and the
compiler both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from modelcheck.action import Access, Action
from modelcheck.memory.ordering import MemoryModel, Piece, compiled_in_order, kinds, marked
from modelcheck.process.step_machine import StepMachine


class Entry(NamedTuple):
    """One entry: the node that issued it, its pending pieces, and for a guessed branch its number.

    An access with nothing pending is kept while it tells in which order the compiler left two others.
    """

    node: int
    pending: tuple[int, ...] = ()
    guess: int = -1


Window = tuple[Entry, ...]


class Windows:
    """What windows of one step machine mean under one memory model."""

    def __init__(
        self,
        machine: StepMachine,
        model: MemoryModel,
        compiler: str,
        pieces: Callable[[Access], tuple[Piece, ...]],
    ) -> None:
        self.machine = machine
        self.model = model
        self.free = compiler == "free"
        self.pieces = pieces
        self._actions = tuple(node.action for node in machine.nodes)
        self._mixed = self._mixed_nodes() if self.free and model.forwards else frozenset[int]()
        self._opened: dict[Window, tuple[tuple[int, int], ...]] = {}

    def access(self, entry: Entry) -> Access | None:
        """The access of an entry, None where it is a fence or a guess."""
        action = self._action(entry)
        return action.access if entry.guess < 0 else None

    def _action(self, entry: Entry) -> Action:
        action = self._actions[entry.node]
        assert action is not None
        return action

    # -- which registers are in use -----------------------------------------------------------------------------

    def loading(self, window: Window) -> frozenset[int]:
        """The registers that pending loads will fill."""
        return frozenset(self.machine.nodes[e.node].register for e in window if e.pending) - {-1}

    def used(self, window: Window) -> frozenset[int]:
        """The registers that entries fill, store from, depend on, or guess about."""
        found = set(self.loading(window))
        for entry in window:
            if entry.guess >= 0:
                found.update(register.index for register in self._action(entry).registers)
            elif entry.pending:
                found.update(self.needs(entry))
        return frozenset(found)

    def needs(self, entry: Entry) -> frozenset[int]:
        """The registers that an access depends on."""
        access = self.access(entry)
        if access is None:
            return frozenset()
        return frozenset(register.index for register in (*access.data, *access.addr, *access.ctrl))

    # -- issuing ------------------------------------------------------------------------------------------------

    def fence_waits(self, window: Window, kind: str) -> bool:
        """Whether a fence cannot be passed yet: nothing behind it could perform before what it waits for."""
        if not self.model.passes(kind):
            return bool(window)
        if self.model.fences[kind] or self.model.guesses:
            return False
        return any(not access.store for entry in window if entry.pending and (access := self.access(entry)) is not None)

    def with_fence(self, window: Window, node: int, kind: str) -> Window:
        """The window once a fence was passed; a fence that orders no more than the one before leaves it as it is."""
        if not any(self.access(entry) for entry in window) or not (self.free or self.model.fences[kind]):
            return window
        for entry in reversed(window):
            if self.access(entry) is not None:
                break
            if entry.guess < 0 and self.model.fences[self._action(entry).fence] >= self.model.fences[kind]:
                return window
        first = next(i for i, action in enumerate(self._actions) if action is not None and action.fence == kind)
        return (*window, Entry(first))

    def performed(self, window: Window, position: int, which: int) -> tuple[Window, tuple[Entry, ...]]:
        """The window once a piece was performed, and the guesses that this settles."""
        entry = window[position]
        left = tuple(piece for piece in entry.pending if piece != which)
        kept = [*window[:position], entry._replace(pending=left), *window[position + 1 :]]
        waiting = self.loading(tuple(kept))
        settled = tuple(
            e for e in kept if e.guess >= 0 and waiting.isdisjoint(r.index for r in self._action(e).registers)
        )
        return self._tidy([e for e in kept if e not in settled]), settled

    def _tidy(self, entries: list[Entry]) -> Window:
        """Without performed accesses and fences that order nothing any more."""
        found: list[Entry] = []
        for entry in entries:
            access = self.access(entry)
            if entry.guess >= 0 or entry.pending:
                found.append(entry)
            elif access is None:
                if any(self.access(e) is not None for e in found) and found[-1] != entry:
                    found.append(entry)
            elif entry.node in self._mixed and any(
                self._compiled(found, i, access, len(found)) for i, e in enumerate(found) if e.pending
            ):
                found.append(entry)
        return tuple(found)

    # -- performing ---------------------------------------------------------------------------------------------

    def open(self, window: Window) -> tuple[tuple[int, int], ...]:
        """The pieces that may perform, as (position in the window, number of the piece), in program order."""
        found = self._opened.get(window)
        if found is None:
            found = self._opened[window] = tuple(
                (position, which)
                for position, entry in enumerate(window)
                for which in entry.pending
                if not self._blocked(window, position, which)
            )
        return found

    def _blocked(self, window: Window, position: int, which: int) -> bool:
        access = self.access(window[position])
        assert access is not None
        piece = self.pieces(access)[which]
        needs = self.needs(window[position])
        for i, entry in enumerate(window[:position]):
            if entry.guess >= 0:
                if access.store and self._action(entry).test != "value":
                    return True  # a store is no guess
                continue
            if not entry.pending:
                continue
            earlier = self.access(entry)
            assert earlier is not None
            if self.machine.nodes[entry.node].register in needs:
                return True
            if any(
                self._ordered(window, i, before, position, piece)
                for before in map(self.pieces(earlier).__getitem__, entry.pending)
            ):
                return True
        if not access.store and self.model.forwards:
            loading = self.loading(window)
            return any(
                not loading.isdisjoint({r.index for r in (*store.access.data, *store.access.addr)})
                for store in self.forwarding(window, position, piece)
            )  # what it would take is not known yet
        return False

    def _ordered(self, window: Window, i: int, before: Piece, j: int, piece: Piece) -> bool:
        earlier, later = before.access, piece.access
        overlap = before.overlaps(piece)
        if overlap and (earlier.store or later.store):
            return later.store or earlier.update or not self.model.forwards
        between = [self.model.fences[self._action(e).fence] for e in window[i + 1 : j] if self._is_fence(e)]
        machine = (
            self.model.keeps(earlier, later)
            or any((a, b) in pairs for pairs in between for a in kinds(earlier) for b in kinds(later))
            or overlap and not self._supplied(window, i, before, j, piece)
        )
        if not machine:
            return False
        return not self.free or bool(between) or self._compiled(window, i, later, j)

    def _is_fence(self, entry: Entry) -> bool:
        return entry.guess < 0 and self.access(entry) is None

    def _supplied(self, window: Window, i: int, before: Piece, j: int, piece: Piece) -> bool:
        """Whether a pending store between two loads supplies the later one with all that they share."""
        shared = set(range(max(before.lo, piece.lo), min(before.hi, piece.hi)))
        for store in self.forwarding(window, j, piece, i):
            shared -= set(range(store.lo, store.hi))
        return not shared

    def forwarding(self, window: Window, position: int, piece: Piece, after: int = -1) -> tuple[Piece, ...]:
        """The pending store pieces before a load that touch its bytes, newest first."""
        if not self.model.forwards:
            return ()
        found = []
        for entry in reversed(window[after + 1 : position]):
            access = self.access(entry)
            if access is not None and access.store and entry.pending:
                pieces = self.pieces(access)
                found += [pieces[i] for i in entry.pending if pieces[i].overlaps(piece)]
        return tuple(found)

    # -- the compiler's order -----------------------------------------------------------------------------------

    def _compiled(self, window: Sequence[Entry], i: int, later: Access, j: int) -> bool:
        """Whether the compiler leaves entry `i` before an access at `j`, directly or for the sake of those between."""
        earlier = self.access(window[i])
        assert earlier is not None
        if not self.free or compiled_in_order(earlier, later) or any(self._is_fence(e) for e in window[i + 1 : j]):
            return True
        if not self._mixed:
            return False
        return any(
            middle is not None
            and (compiled_in_order(middle, later) or self._clash(middle, later))
            and (self._clash(earlier, middle) or self._compiled(window, i, middle, k))
            for k in range(i + 1, j)
            for middle in (self.access(window[k]),)
        )

    def _clash(self, a: Access, b: Access) -> bool:
        """Whether two accesses that no compiler cuts overlap and one stores."""
        if a.area != b.area or not (a.store or b.store) or a.hi <= b.lo or b.hi <= a.lo:
            return False
        return len(self.pieces(a)) <= 1 and len(self.pieces(b)) <= 1

    def _mixed_nodes(self) -> frozenset[int]:
        """Accesses that overlap one that is the compiler's while they are not, or the other way round."""
        nodes = [(i, a.access) for i, a in enumerate(self._actions) if a is not None and a.access is not None]
        return frozenset(
            i for i, a in nodes if any(marked(a) != marked(b) and self._clash(a, b) for _, b in nodes)
        )


def accesses_of(machine: StepMachine) -> Iterable[Access]:
    """The accesses of a step machine, in order of nodes."""
    for node in machine.nodes:
        if node.action is not None and node.action.access is not None:
            yield node.action.access

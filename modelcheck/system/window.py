"""The window of one process: what was issued and not yet performed, and what of it may perform next.

An entry is an access with its pieces still pending, a fence that orders something before it with something to come, or
a branch that was guessed before its loads were performed (design.md section 2).  Its one invariant: a piece is *open*
when no pending piece before it is ordered before it, by overlap, a dependency, or the memory model's table and the
compiler both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        passes = self.free and model.forwards and not model.guesses  # weak keeps none of what closing would add
        self._telling = self._telling_nodes() if passes else frozenset[int]()
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
        return frozenset(self._fills(entry) for entry in window) - {-1}

    def _fills(self, entry: Entry) -> int:
        """The register that an entry will fill, -1 where it fills none or has done so."""
        access = self.access(entry)
        if access is None or not any(self.pieces(access)[i].access.loads for i in entry.pending):
            return -1
        return self.machine.nodes[entry.node].register

    def used(self, window: Window) -> frozenset[int]:
        """The registers that entries fill, store from, depend on, or guess about."""
        found = set(self.loading(window))
        for entry in window:
            if entry.guess >= 0:
                found.update(register.index for register in self._action(entry).registers)
            elif entry.pending:
                found.add(self.machine.nodes[entry.node].register)
                access = self.access(entry)
                found.update(_needs(access) if access is not None else ())
        return frozenset(found) - {-1}

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
            elif entry.node in self._telling and any(
                self._kept(e, access, found[i + 1 :]) or self._compiled(found, i, access, len(found))
                for i, e in enumerate(found)
                if e.pending
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
        whole = self.access(window[position])
        assert whole is not None
        piece = self.pieces(whole)[which]
        access = piece.access
        if access.part == "store" and self._fills(window[position]) >= 0:
            return True
        needs = _needs(access)
        for i, entry in enumerate(window[:position]):
            if entry.guess >= 0:
                if access.store and self._action(entry).test != "value:free":
                    return True  # a store is no guess
                continue
            if not entry.pending:
                continue
            earlier = self.access(entry)
            assert earlier is not None
            if self._fills(entry) in needs:
                return True
            if any(
                self._ordered(window, i, before, position, piece)
                for before in map(self.pieces(earlier).__getitem__, entry.pending)
            ):
                return True
        if not access.store:
            loading = self.loading(window)
            left = set(range(piece.lo, piece.hi))
            for store in self.forwarding(window, position, piece):
                here = left.intersection(range(store.lo, store.hi))
                left -= here
                if here and not loading.isdisjoint({r.index for r in (*store.access.data, *store.access.addr)}):
                    return True  # what it would take is not known yet
        return False

    def _ordered(self, window: Window, i: int, before: Piece, j: int, piece: Piece) -> bool:
        earlier, later = before.access, piece.access
        overlap = before.overlaps(piece)
        if overlap and later.store:
            return True
        supplied = overlap and self._supplied(window, i, before, j, piece)
        if overlap and earlier.store and not self._supplies(earlier, later) and not supplied:
            return True
        between = [self.model.fences[self._action(e).fence] for e in window[i + 1 : j] if self._is_fence(e)]
        machine = (
            self.model.keeps(earlier, later)
            or any((a, b) in pairs for pairs in between for a in kinds(earlier) for b in kinds(later))
            or overlap and not earlier.store and not supplied
        )
        if not machine:
            return False
        return not self.free or bool(between) or self._compiled(window, i, later, j)

    def _is_fence(self, entry: Entry) -> bool:
        return entry.guess < 0 and self.access(entry) is None

    def _supplied(self, window: Window, i: int, before: Piece, j: int, piece: Piece) -> bool:
        """Whether pending stores between an access and a later load supply the load with all that they share."""
        shared = set(range(max(before.lo, piece.lo), min(before.hi, piece.hi)))
        for store in self.forwarding(window, j, piece, i):
            shared -= set(range(store.lo, store.hi))
        return not shared

    def forwarding(self, window: Window, position: int, piece: Piece, after: int = -1) -> tuple[Piece, ...]:
        """The pending store pieces before a load that touch its bytes, newest first."""
        found = []
        for entry in reversed(window[after + 1 : position]):
            access = self.access(entry)
            if access is not None and access.store:
                pending = [self.pieces(access)[i] for i in entry.pending]
                found += [p for p in pending if p.overlaps(piece) and self._supplies(p.access, piece.access)]
        return tuple(found)

    def _supplies(self, store: Access, load: Access) -> bool:
        """Whether a load may take its bytes from a pending store: the machine does it, or the compiler in its stead."""
        if store.update or store.part or load.part or not store.store:
            return False
        return self.model.forwards or self.free and not marked(store) and not marked(load)

    # -- the compiler's order -----------------------------------------------------------------------------------

    def _compiled(self, window: Sequence[Entry], i: int, later: Access, j: int) -> bool:
        """Whether the compiler leaves entry `i` before an access at `j`, directly or for the sake of those between."""
        earlier = self.access(window[i])
        assert earlier is not None
        if not self.free or compiled_in_order(earlier, later) or any(self._is_fence(e) for e in window[i + 1 : j]):
            return True
        if not self._telling:
            return False
        return any(
            middle is not None
            and (compiled_in_order(middle, later) or self._kept(window[k], later, window[k + 1 : j]))
            and (self._kept(window[i], middle, window[i + 1 : k]) or self._compiled(window, i, middle, k))
            for k in range(i + 1, j)
            for middle in (self.access(window[k]),)
        )

    def _kept(self, entry: Entry, later: Access, between: Sequence[Entry]) -> bool:
        """Whether a compiler keeps an entry before a later access for what they do: they clash, or one needs the other.

        A plain load of what a plain store of the same process wrote does not clash with that or with what came before
        it: its value may be known without it.
        """
        earlier = self.access(entry)
        if earlier is None:
            return False
        if self.machine.nodes[entry.node].register in _needs(later):
            return True
        overlap = earlier.area == later.area and earlier.lo < later.hi and later.lo < earlier.hi
        if not overlap or not (earlier.store or later.store):
            return False
        if not later.store and not marked(later):
            stores = (self.access(each) for each in (entry, *between))
            plain = (store for store in stores if store is not None and store.store and not marked(store))
            if any(store.area == later.area and store.lo <= later.lo and later.hi <= store.hi for store in plain):
                return False
        return len(self.pieces(earlier)) <= 1 and len(self.pieces(later)) <= 1

    def _telling_nodes(self) -> frozenset[int]:
        """Accesses that, once performed, may tell how the compiler ordered those around them: a load passes a store."""
        nodes = [(i, a.access) for i, a in enumerate(self._actions) if a is not None and a.access is not None]
        stores = any(access.store for _, access in nodes)
        return frozenset(i for i, access in nodes if stores and access.loads)


def _needs(access: Access) -> frozenset[int]:
    """The registers that an access depends on."""
    return frozenset(register.index for register in (*access.data, *access.addr, *access.ctrl))

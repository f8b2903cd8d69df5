"""The steps of a world, compiled: what an edge of the model waits for and does, for states that are tuples of ints.

Its one invariant: the meaning is that of `expression.evaluate`, and of a comparison of bytes that have values the one
outcome they dictate.  Python source is made of guards and updates once for each text, since thousands of local states
with windows share them; what computes with words is evaluated as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from modelcheck.action import Access, Action, Register
from modelcheck.explain.given import Given
from modelcheck.explain.touched import Matters
from modelcheck.expression import (
    TRUE,
    Arbitrary,
    Domain,
    Expr,
    Fresh,
    Old,
    Slot,
    evaluate,
    rebuild,
    slots_of,
    sorts_of,
    to_python,
)
from modelcheck.memory.ordering import Piece
from modelcheck.system.edge import Edge
from modelcheck.system.link import System
from modelcheck.system.local_space import LocalSpace
from modelcheck.system.window import Window

State = tuple[int, ...]
HeldByte = tuple[int, int, int, tuple[str, ...]]  # offset, where stamp and form are held (-1: nowhere), the forms
COUNT = Domain("range", 0, 1 << 62)


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One step out of a local state: `guard(state)`, and `move(state)`, a list with the slots after it.

    `move` answers None where no value is left for what the step creates.  `settled` are comparisons guessed before,
    that must come out so in the state after it.  `private`: no other process reads what it sets or sets what it reads.
    """

    edge: Edge
    process: int  # its place in the world
    target: int
    guard: Callable[[State], object] | None
    move: Callable[[State], list[int] | None] | None
    answered: Callable[[State], bool] | None
    settled: tuple[Callable[[State], bool], ...]
    private: bool
    idle: bool  # performs a piece, sets nothing that matters and waits for nothing
    makes: str = ""  # its text, where it makes a version whose number is counted
    spare: bool = False  # performs a piece that an earlier one may stand for: of the same access, with the same guard


class Steps:
    """Makes steps of edges.  `slots` lie in a state after one place for each process, as `index` says.

    Beside the slots that matter there are counts: of the versions made of each sort, where bytes have values, and of
    the readings of each word.
    """

    def __init__(self, system: System, matters: Matters, given: Given) -> None:
        self.system, self.given = system, given
        sorts = sorted({area.sort for area in system.model.areas.values() if area.domain is None})
        self.counted = {sort: Slot(f"versions of {sort} made", COUNT) for sort in (sorts if given.known else ())}
        words = [slot for slot in matters.slots if slot.domain.kind == "word"]
        self.read = {slot.name: Slot(f"readings of {slot.name}", COUNT) for slot in words}
        self.slots = (*matters.slots, *self.counted.values(), *self.read.values())
        self.index = {slot: len(matters.processes) + i for i, slot in enumerate(self.slots)}
        self._text = {slot: f"s[{i}]" for slot, i in self.index.items()}
        self._shared = matters.shared
        self._made: dict[str, Callable[[State], object]] = {}
        self._same: dict[tuple[tuple[int, ...], ...], dict[tuple[int, ...], bool]] = {}
        self._held_bytes: dict[tuple[int, int, Access], list[HeldByte]] = {}

    def value(self, expr: Expr, state: State) -> int:
        """The value of an expression in a state."""
        return evaluate(expr, {slot: self.held(slot, state) for slot in slots_of(expr)})

    def held(self, slot: Slot, state: State) -> int:
        """The value of a slot; one that does not matter has its first."""
        place = self.index.get(slot)
        return state[place] if place is not None else self.given.first.get(slot.name, slot.initial)

    def bytes_of(self, process: int, register: Register) -> list[HeldByte]:
        """Where the state holds the bytes of a loaded value."""
        known = self._held_bytes.get((process, register.index, register.access))
        if known is None:
            known = self._held_bytes[process, register.index, register.access] = self._found_bytes(process, register)
        return known

    def _found_bytes(self, process: int, register: Register) -> list[HeldByte]:
        space, cells = self.system.spaces[process], self.system.cells[register.access.area]
        found: list[HeldByte] = []
        for offset in range(register.access.lo, register.access.hi):
            cell = cells.of(offset)
            if cell is None:
                found.append((offset, -1, -1, ()))
                continue
            form, prefix = cell.form_slot(f"r{register.index}."), f"r{register.index}."
            stamp = self.index.get(space.own(cell.slot(prefix)), -1)
            held = -1 if form is None else self.index.get(space.own(form), -1)
            found.append((offset, stamp, held, cell.forms))
        return found

    def way(self, place: int, edge: Edge, target: int) -> Way:
        """The step that an edge is, of the process at that place, to its local state of that number."""
        updates = [(slot, value) for slot, value in edge.updates if slot in self.index]
        guard = None if edge.guard == TRUE else self._guard(edge.guard)
        touched = {slot for slot, _ in updates}.union(slots_of(edge.guard), *(slots_of(v) for _, v in updates))
        makes = any(isinstance(part, Arbitrary | Fresh) for _, part in updates)
        action = self.system.spaces[edge.process].machine.nodes[edge.node].action
        private = self._shared.isdisjoint(touched) and not edge.preempts and not edge.resumes and not makes
        guessed = _guesses(edge.target.window) > _guesses(edge.source.window)  # its loads settle it later
        known = edge.piece is None and action is not None and not guessed
        answered = self._answered(edge, action, edge.branch) if known and action is not None else None
        return Way(
            edge, place, target, guard, self._move(updates) if updates else None, answered, self._settled(edge),
            private, guard is None and not updates and edge.piece is not None and not edge.breaks,
            self._making(updates, action),
        )  # fmt: skip

    def makers(self) -> list[str]:
        """The texts of all steps that make a version whose number is counted, in order."""
        return list(dict.fromkeys(
            node.action.label
            for space in self.system.spaces
            for node in space.machine.nodes
            if node.action is not None
            for branch in node.action.branches
            if any(sort in self.counted for _, value in branch.updates for sort in sorts_of(value))
        ))  # fmt: skip

    def _making(self, updates: list[tuple[Slot, Expr]], action: Action | None) -> str:
        makes = any(sort in self.counted for _, value in updates for sort in sorts_of(value))
        return action.label if makes and action is not None else ""

    def _guard(self, guard: Expr) -> Callable[[State], object]:
        if self.read:
            return lambda state: self.value(guard, state)
        return self._compiled(f"lambda s: {to_python(guard, self._places(guard), self._fresh)}")

    def _places(self, *exprs: Expr) -> dict[Slot, str]:
        return {slot: self._text.get(slot, str(slot.initial)) for expr in exprs for slot in slots_of(expr)}

    def _compiled(self, text: str) -> Callable[[State], object]:
        if text not in self._made:
            namespace = {"room": self.given.room}
            if text.startswith("lambda"):
                self._made[text] = eval(text, namespace)
            else:
                exec(text, namespace)
                self._made[text] = namespace["move"]  # type: ignore[assignment]
        return self._made[text]

    def _fresh(self, sort: str) -> str:
        if sort in self.counted:
            return f"s[{self.index[self.counted[sort]]}] + 1"
        places = [self._text[slot] for slot in self.slots if slot.domain.sort == sort]
        return f"max({', '.join(places)}, {self.system.first_names.get(sort, 0)}) + 1"

    def _move(self, updates: list[tuple[Slot, Expr]]) -> Callable[[State], list[int] | None]:
        if self.read:
            return lambda state: self._evaluated(updates, state)
        made = sorted({sort for _, value in updates for sort in sorts_of(value)} & self.counted.keys())
        lines = ["def move(s):", *(f"    if not room({self._fresh(sort)}): return None" for sort in made)]
        values = [(slot, to_python(value, self._places(value), self._fresh)) for slot, value in updates]
        lines += ["    n = list(s)", *(f"    n[{self.index[slot]}] = {text}" for slot, text in values)]
        lines += [f"    n[{self.index[self.counted[sort]]}] += 1" for sort in made]
        return self._compiled("\n".join([*lines, "    return n"]))  # type: ignore[return-value]

    def _evaluated(self, updates: list[tuple[Slot, Expr]], state: State) -> list[int] | None:
        """As `_move`, of a model with words."""
        found, chosen = list(state), dict[Arbitrary, int]()
        for slot, value in updates:
            if isinstance(value, Arbitrary):
                if value not in chosen:
                    reading = self._reading(value, state)
                    if reading is None:
                        return None
                    chosen[value] = reading
                    found[self.index[self.read[value.slot.name]]] += 1
                new = chosen[value]
            else:
                new = self.value(value, state)
            found[self.index[slot]] = new & slot.domain.hi if slot.domain.kind == "word" else new
        return found

    def _reading(self, value: Arbitrary, state: State) -> int | None:
        before = Slot(f"{value.slot.name} before", value.slot.domain)
        condition = rebuild(value.condition, lambda part: before if isinstance(part, Old) else None)
        old = self.held(value.slot, state)
        held = {slot: self.held(slot, state) for slot in slots_of(condition) if slot != before} | {before: old}
        number = state[self.index[self.read[value.slot.name]]]
        for new in self.given.readings(value.slot.name, number, old):
            if evaluate(condition, held | {value.slot: new & value.slot.domain.hi}):
                return new & value.slot.domain.hi
        return None

    def _settled(self, edge: Edge) -> tuple[Callable[[State], bool], ...]:
        """Of a piece performed: that the comparisons guessed before it, which it settles, come out as guessed."""
        if edge.piece is None or not self.given.known:
            return ()
        gone = Counter(e for e in edge.source.window if e.guess >= 0)
        gone.subtract(e for e in edge.target.window if e.guess >= 0)
        found = []
        for entry in gone.elements():
            action = self.system.spaces[edge.process].machine.nodes[entry.node].action
            assert action is not None
            answered = self._answered(edge, action, entry.guess)
            found += [answered] if answered is not None else []
        return tuple(found)

    def _answered(self, edge: Edge, action: Action, branch: int) -> Callable[[State], bool] | None:
        """Whether a comparison of loaded bytes has this outcome, None where it is no such comparison."""
        if not self.given.known or action.kind != "compare" or action.test != "equal":
            return None
        left, right = (self.bytes_of(edge.process, register) for register in action.registers)
        outcome = bool(action.branches[branch].response)
        places = tuple(p for side in (left, right) for _, stamp, form, _ in side for p in (stamp, form))
        known = self._same.setdefault((places, tuple(b[0] for b in (*left, *right))), {})

        def byte(at: HeldByte, state: State) -> int:
            offset, stamp, form, forms = at
            return self.given.byte(state[stamp], offset, "" if form < 0 else forms[state[form]]) if stamp >= 0 else -1

        def answered(state: State) -> bool:
            key = tuple([state[place] for place in places if place >= 0])
            if key not in known:
                known[key] = len(left) == len(right) and all(
                    byte(a, state) == byte(b, state) for a, b in zip(left, right, strict=True)
                )
            return known[key] is outcome

        return answered


def _guesses(window: Window) -> int:
    return sum(entry.guess >= 0 for entry in window)


def pending_pieces(space: LocalSpace, window: Window) -> list[Piece]:
    """The pieces that are pending in a window."""
    accesses = [(entry.pending, space.windows.access(entry)) for entry in window if entry.pending]
    return [space.pieces(access)[which] for pending, access in accesses if access is not None for which in pending]


def with_spares(ways: list[Way], pending: list[Piece]) -> Iterator[Way]:
    """The steps out of one local state, with those marked that perform one of several equal pieces.

    Two pieces of one access that set nothing which matters and have the same guard can change places in any run, unless
    another pending access is ordered after one of them, which it is only where both touch a byte.
    """
    met: set[tuple[int, Expr, str]] = set()
    for way in ways:
        piece, key = way.edge.piece, (way.edge.node, way.edge.guard, way.edge.breaks)
        ordered = piece is None or any(other != piece and other.overlaps(piece) for other in pending)
        if ordered or way.move is not None or way.settled:
            yield way
        else:
            yield replace(way, spare=key in met)
            met.add(key)

"""A world: the states and steps of a linked model with the values that a trace found, so that values leave no choice.

A state is a tuple of ints: the number of each process's local state, then the slots that matter.  Local states and
their steps are found when they are first reached.  Where bytes have values, stamps are the numbers of versions as they
are made, and a comparison has the one outcome that the bytes dictate; a trace's words are taken reading by reading.
Its one invariant: a step of a world is a step of the model that the reference semantics takes for these values, so
every run of a world is a run of the model; a test takes each saved trace in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from modelcheck.action import Action, Register
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
from modelcheck.smt.values import Observation, Seen
from modelcheck.system.link import System
from modelcheck.system.local_space import Edge, Local

State = tuple[int, ...]
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
    idle: bool  # sets nothing that matters and waits for nothing


class World:
    """The processes in `matters` with the slots it names; others stand still for ever."""

    def __init__(
        self, system: System, matters: Matters, given: Given, name: str, invariant: Expr | None = None
    ) -> None:
        """`name` is the property; `invariant` what every state must satisfy, where it is one."""
        self.system, self.given, self.name, self.invariant = system, given, name, invariant
        self.processes = matters.processes
        self.place = {process: i for i, process in enumerate(matters.processes)}
        self.short = False  # whether a step was left out since no value was left for it
        sorts = sorted({area.sort for area in system.model.areas.values() if area.domain is None})
        self.versions = frozenset(sorts if given.known else ())
        self.counted = {sort: Slot(f"versions of {sort} made", COUNT) for sort in sorted(self.versions)}
        words = [slot for slot in matters.slots if slot.domain.kind == "word"]
        self.read = {slot.name: Slot(f"readings of {slot.name}", COUNT) for slot in words}
        self.slots = (*matters.slots, *self.counted.values(), *self.read.values())
        self.index = {slot: len(self.processes) + i for i, slot in enumerate(self.slots)}
        self._text = {slot: f"s[{i}]" for slot, i in self.index.items()}
        self._shared = matters.shared
        self.locals: list[list[Local]] = [[system.spaces[p].start] for p in self.processes]
        self._numbers = [{local: 0 for local in found} for found in self.locals]
        self._ways: list[dict[int, tuple[Way, ...]]] = [{} for _ in self.processes]
        self._made: dict[str, Callable[[State], object]] = {}
        self._same: dict[tuple[tuple[int, ...], ...], dict[tuple[int, ...], bool]] = {}
        self._nested = [
            [i for i, inner in enumerate(self.processes) if system.host[inner] == p] for p in self.processes
        ]
        start = [given.first.get(slot.name, slot.initial) for slot in self.slots]
        self.initial: State = (*(0 for _ in self.processes), *start)

    # -- steps --------------------------------------------------------------------------------------------------

    def local(self, state: State, place: int) -> Local:
        """The local state of the process at that place of the world."""
        return self.locals[place][state[place]]

    def ways(self, place: int, local: int) -> tuple[Way, ...]:
        """The steps out of a local state, in the reference engine's order."""
        found = self._ways[place].get(local)
        if found is None:
            edges = self.system.edges(self.processes[place], self.locals[place][local])
            found = self._ways[place][local] = tuple([self._way(place, edge) for edge in edges])
        return found

    def enabled(self, state: State, place: int) -> list[Way]:
        """The steps that the process can take, those included that violate the property."""
        return [way for way in self.ways(place, state[place]) if self._allowed(state, way)]

    def _allowed(self, state: State, way: Way) -> bool:
        if way.guard is not None and not way.guard(state) or way.answered is not None and not way.answered(state):
            return False
        if way.edge.preempts:
            host = self.place[self.system.host[way.edge.process]]
            where = self.system.processes[way.edge.process].where
            if not self.system.preemptible(self.processes[host], self.local(state, host), where):
                return False
        return not way.settled or (after := self.after(state, way)) is None or all(s(after) for s in way.settled)

    def after(self, state: State, way: Way) -> State | None:
        """The state that an enabled step leads to, None (and `short`) where there is no value for what it makes."""
        moved = list(state) if way.move is None else way.move(state)
        if moved is None:
            self.short = True
            return None
        moved[way.process] = way.target
        return tuple(moved)

    def preempted(self, place: int, local: int) -> bool:
        """Whether some process of the world may nest on this one in that local state."""
        at = self.locals[place][local]
        return any(
            self.system.preemptible(self.processes[place], at, self.system.processes[self.processes[inner]].where)
            for inner in self._nested[place]
        )

    # -- what a step means --------------------------------------------------------------------------------------

    def action(self, way: Way) -> Action | None:
        """The action of a step's node: of a piece that is performed, its access."""
        return self.system.spaces[way.edge.process].machine.nodes[way.edge.node].action

    def value(self, expr: Expr, state: State) -> int:
        """The value of an expression; a slot that does not matter here has its first."""
        return evaluate(expr, {slot: self._held(slot, state) for slot in slots_of(expr)})

    def _held(self, slot: Slot, state: State) -> int:
        place = self.index.get(slot)
        return state[place] if place is not None else self.given.first.get(slot.name, slot.initial)

    def observed(self, state: State, way: Way) -> Observation | None:
        """What a step hands to the property, None for nothing; a whole path, with the versions made so far."""
        action = self.action(way)
        if action is None or action.observes != self.name or way.edge.piece is not None:
            return None
        seen = [
            Seen(name, register.access.lo, register.access.hi, tuple(
                (offset, state[stamp] if stamp >= 0 else -1, "" if form < 0 else forms[state[form]])
                for offset, stamp, form, forms in self._bytes(way.edge.process, register)
            ))
            for name, register in zip(action.names, action.registers, strict=True)
        ]
        made = max((state[self.index[slot]] for slot in self.counted.values()), default=0)
        return Observation(action.observes, tuple(seen), (), made + 1, whole=True)

    def violates(self, state: State, way: Way) -> bool:
        """Whether a step, enabled in the state, violates the property there."""
        if way.edge.breaks:
            return way.edge.breaks == self.name
        if self.invariant is not None:
            after = self.after(state, way)
            return after is not None and not self.value(self.invariant, after)
        observation = self.observed(state, way) if self.given.known else None
        return observation is not None and self.given.violates(observation)

    def _bytes(self, process: int, register: Register) -> list[tuple[int, int, int, tuple[str, ...]]]:
        """For each byte of a loaded value: its offset, where its stamp and its form are held (-1: nowhere), forms."""
        space, cells, found = self.system.spaces[process], self.system.cells[register.access.area], []
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

    # -- compiling ----------------------------------------------------------------------------------------------

    def _way(self, place: int, edge: Edge) -> Way:
        updates = [(slot, value) for slot, value in edge.updates if slot in self.index]
        target = self._numbers[place].setdefault(edge.target, len(self.locals[place]))
        if target == len(self.locals[place]):
            self.locals[place].append(edge.target)
        guard = None if edge.guard == TRUE else self._guard(edge.guard)
        touched = {slot for slot, _ in updates}.union(slots_of(edge.guard), *(slots_of(v) for _, v in updates))
        makes = any(isinstance(part, Arbitrary | Fresh) for _, part in updates)
        action = self.system.spaces[edge.process].machine.nodes[edge.node].action
        private = self._shared.isdisjoint(touched) and not edge.preempts and not edge.resumes and not makes
        answered = None if edge.piece is not None or action is None else self._answered(edge, action, edge.branch)
        return Way(
            edge, place, target, guard, self._move(updates) if updates else None, answered, self._settled(edge),
            private, guard is None and not updates and edge.piece is not None and not edge.breaks,
        )  # fmt: skip

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
        lines = ["def move(s):"]
        for sort in sorted({sort for _, value in updates for sort in sorts_of(value)} & self.counted.keys()):
            lines.append(f"    if not room({self._fresh(sort)}): return None")
        lines.append("    n = list(s)")
        for slot, value in updates:
            lines.append(f"    n[{self.index[slot]}] = {to_python(value, self._places(value), self._fresh)}")
        for sort in sorted({sort for _, value in updates for sort in sorts_of(value)} & self.counted.keys()):
            lines.append(f"    n[{self.index[self.counted[sort]]}] += 1")
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
        old = self._held(value.slot, state)
        held = {slot: self._held(slot, state) for slot in slots_of(condition) if slot != before} | {before: old}
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
        left, right = (self._bytes(edge.process, register) for register in action.registers)
        outcome = bool(action.branches[branch].response)
        places = tuple(p for side in (left, right) for _, stamp, form, _ in side for p in (stamp, form))
        known = self._same.setdefault((places, tuple(b[0] for b in (*left, *right))), {})

        def byte(at: tuple[int, int, int, tuple[str, ...]], state: State) -> int:
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



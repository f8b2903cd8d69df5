"""A run: the reference meaning of a linked model, one chosen step after the other, with nothing reduced or renamed.

Every counterexample is replayed by this before it is shown.  It evaluates expressions as they stand, numbers versions
from 0 without renaming, and remembers for each byte of memory which step wrote it.  It does not search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelcheck.action import Access
from modelcheck.errors import UsageError
from modelcheck.expression import Arbitrary, Expr, Fresh, Old, Slot, evaluate, parts_of, rebuild, slots_of, to_text
from modelcheck.smt.values import Seen, SeenFact
from modelcheck.system.ambiguity import ambiguous
from modelcheck.system.edge import Edge, Local
from modelcheck.system.link import System

FORWARDED = -2
NEW = (Fresh, Arbitrary)  # values that are made as a step is taken


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a byte came from: version, form, and the step that stored it.

    -1 is the start; FORWARDED a store of the same process that is performed later.
    """

    version: int
    form: str
    step: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a run: the edge, what changed as (slot, old, new), and the bytes it loaded or stored, by offset."""

    edge: Edge
    changes: tuple[tuple[Slot, int, int], ...]
    bytes: tuple[tuple[int, Origin], ...] = ()


@dataclass(slots=True)
class Run:
    """The state of a run: local states by process, values by slot, and every byte's origin.

    `words` are the values of arbitrary words by (step, slot name), step -1 for those they start with.
    """

    system: System
    locals: list[Local] = field(default_factory=list)
    values: dict[Slot, int] = field(default_factory=dict)
    memory: dict[tuple[str, int], Origin] = field(default_factory=dict)
    registers: dict[tuple[int, int], dict[int, Origin]] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    made: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)  # by sort and version; see Observation
    steps: list[Happened] = field(default_factory=list)
    facts: list[tuple[int, SeenFact]] = field(default_factory=list)
    after: list[tuple[tuple[Slot, int], ...]] = field(default_factory=list)  # what each step set
    words: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.locals = [space.start for space in self.system.spaces]
        for area in self.system.model.areas.values():
            for offset in range(area.size):
                self.memory[area.name, offset] = Origin(0, "", -1)

    def value(self, expr: Expr) -> int:
        """The value of an expression in the present state."""
        for slot in slots_of(expr):
            self.values.setdefault(slot, self.words.get((-1, slot.name), slot.initial))
        return evaluate(expr, self.values, self._fresh)

    def _set(self, slot: Slot, value: Expr) -> int:
        """The value an update sets; a word's own width bounds it."""
        found = self._chosen(value) if isinstance(value, Arbitrary) else self.value(value)
        return found & slot.domain.hi if slot.domain.kind == "word" else found

    def _chosen(self, value: Arbitrary) -> int:
        """The value that this run takes for an arbitrary word; raises UsageError where it may not be that."""
        slot, step = value.slot, len(self.steps)
        chosen = self.words.get((step, slot.name))
        if chosen is None:
            raise UsageError(f"step {step}: {slot.name} becomes an arbitrary word, and no value is given for it")
        old = Slot(f"{slot.name} before", slot.domain)
        condition = rebuild(value.condition, lambda part: old if isinstance(part, Old) else None)
        for each in slots_of(condition):
            self.value(each)
        if not evaluate(condition, {**self.values, old: self.value(slot), slot: chosen}):
            raise UsageError(f"step {step}: {slot.name} = {chosen} does not satisfy {to_text(value.condition)}")
        return chosen

    def _fresh(self, sort: str) -> int:
        self.newest[sort] = self.newest.get(sort, self.system.first_names.get(sort, 0)) + 1
        return self.newest[sort]

    def enabled(self, process: int) -> list[Edge]:
        """The steps the process can take now."""
        return [edge for edge in self.system.edges(process, self.locals[process])
                if self._may_preempt(edge) and self.value(edge.guard)]

    def _may_preempt(self, edge: Edge) -> bool:
        if not edge.preempts:
            return True
        host = self.system.host[edge.process]
        where = self.system.processes[edge.process].where
        return self.system.preemptible(host, self.locals[host], where)

    def find(self, process: int, choice: str) -> Edge | None:
        """The enabled step of that process with that choice text, None if there is none."""
        return next((edge for edge in self.enabled(process) if edge.choice == choice), None)

    def take(self, edge: Edge) -> None:
        """Takes an enabled step; raises UsageError where it is not enabled, SpecError where another has its text."""
        enabled, name = self.enabled(edge.process), self.system.processes[edge.process].name
        if edge not in enabled:
            raise UsageError(f"step {len(self.steps)}: {name} cannot do {edge.choice!r} here")
        alike = [other for other in enabled if other.choice == edge.choice and other != edge and edge.piece is None]
        for other in alike:
            if self._outcome(other) != self._outcome(edge):
                node = self.system.spaces[edge.process].machine.nodes[edge.node]
                raise ambiguous(name, node, *sorted((edge, other), key=lambda each: each.branch))
        self._note_fact(edge)
        new = [(slot, self._set(slot, value)) for slot, value in edge.updates]
        self._note_made(edge, new)
        self.after.append(tuple(new))
        changes = []
        for slot, value in new:
            old = self.value(slot)
            if old != value:
                changes.append((slot, old, value))
        self.values.update(new)
        self.steps.append(Happened(edge, tuple(changes), self._move_bytes(edge)))
        self._note_settled(edge)
        self.locals[edge.process] = edge.target

    def _outcome(self, edge: Edge) -> object:
        """What a step leads to, equal for steps that lead to one state; new versions are told by their sort alone."""
        made = {slot: value for slot, value in edge.updates if any(isinstance(part, NEW) for part in parts_of(value))}
        plain = {slot: self.value(value) for slot, value in edge.updates if slot not in made}
        changed = {slot: value for slot, value in plain.items() if value != self.value(slot)}
        return edge.target, edge.breaks, edge.piece, made, changed

    def _note_made(self, edge: Edge, new: list[tuple[Slot, int]]) -> None:
        """Remembers which step made the new versions, and what their slots have had so far."""
        action = self.system.spaces[edge.process].machine.nodes[edge.node].action
        for (slot, value), (_, expr) in zip(new, edge.updates, strict=True):
            if isinstance(expr, Fresh) and action is not None:
                self.made[expr.sort, value] = (action.label, self.value(slot))

    def _move_bytes(self, edge: Edge) -> tuple[tuple[int, Origin], ...]:
        piece = edge.piece
        if piece is None:
            return ()
        access = piece.access
        area = self.system.model.areas[access.area]
        inside = [o for o in range(piece.lo, piece.hi) if 0 <= o < area.size]
        found = {offset: self._found(edge, offset) for offset in inside}
        if access.loads:
            self.registers.setdefault((edge.process, edge.register), {}).update(found)
        if access.store:
            for offset in inside:
                found[offset] = self._origin(edge, access, offset, len(self.steps))
                self.memory[area.name, offset] = found[offset]
        return tuple(found.items())

    def _found(self, edge: Edge, offset: int) -> Origin:
        """What a load finds at a byte: memory, or a store of its own process on its way there."""
        assert edge.piece is not None
        for piece in edge.forwarded:
            if piece.lo <= offset < piece.hi:
                return self._origin(edge, piece.access, offset, FORWARDED)
        return self.memory[edge.piece.access.area, offset]

    def _origin(self, edge: Edge, access: Access, offset: int, step: int) -> Origin:
        area = self.system.model.areas[access.area]
        assert access.version is not None
        form = access.variant if area.marked is None or offset in area.marked else ""
        if area.domain is not None:  # the number was computed with the step's updates
            slot = self.system.cells[area.name].cells[0].slot()
            return Origin(self.values.get(slot, slot.initial), form, step)
        return Origin(self.value(self.system.spaces[edge.process].link(access.version)), form, step)

    def seen(self, process: int, index: int, lo: int, hi: int, name: str = "") -> Seen:
        """A register's bytes as a property sees them; -1 where a byte was not loaded."""
        register = self.registers.get((process, index), {})
        missing = Origin(-1, "", -1)
        found = [(offset, register.get(offset, missing)) for offset in range(lo, hi)]
        return Seen(name, lo, hi, tuple((offset, origin.version, origin.form) for offset, origin in found))

    def _note_fact(self, edge: Edge) -> None:
        """A comparison that finds its loads performed; one that is guessed is noted when they settle it."""
        guesses = len([entry for entry in edge.target.window if entry.guess >= 0])
        if edge.piece is None and guesses <= len([entry for entry in edge.source.window if entry.guess >= 0]):
            self._note(edge.process, edge.node, edge.branch, len(self.steps))

    def _note_settled(self, edge: Edge) -> None:
        if edge.piece is not None:
            left = Counter(entry for entry in edge.source.window if entry.guess >= 0)
            left.subtract(edge.target.window)
            for entry in left.elements():
                self._note(edge.process, entry.node, entry.guess, len(self.steps) - 1)

    def _note(self, process: int, node: int, branch: int, step: int) -> None:
        action = self.system.spaces[process].machine.nodes[node].action
        if action is None or action.kind != "compare" or action.test != "equal":
            return
        seen = tuple(self.seen(process, r.index, r.access.lo, r.access.hi) for r in action.registers)
        self.facts.append((step, SeenFact("equal", seen, bool(action.branches[branch].response))))


def replay(
    system: System,
    choices: list[tuple[int, str]],
    words: Mapping[tuple[int, str], int],
    before: Callable[[Run, Edge], None] | None = None,
) -> Run:
    """The run of (process, choice) with these values of arbitrary words, each step and each assumption evaluated.

    `before` is called with each step that will be taken.  Raises UsageError where the values break an assumption or a
    step cannot be taken.
    """
    model = system.model
    run = Run(system, words=words)
    for slot in model.arbitrary:
        if not 0 <= words.get((-1, slot.name), -1) <= slot.domain.hi:
            raise UsageError(f"the word {slot.name} starts with any value, and none of its width is given for it")
    for name, condition in model.assumed:
        if not run.value(condition):
            raise UsageError(f"the words' initial values break the assumption: {name}")
    for number, (process, choice) in enumerate(choices):
        edge = run.find(process, choice)
        if edge is None:
            there = "; ".join(each.choice for each in run.enabled(process)) or "nothing"
            who = system.processes[process].name
            raise UsageError(f"step {number}: {who} cannot do {choice!r} here; it can do {there}")
        if before is not None:
            before(run, edge)
        run.take(edge)
    return run

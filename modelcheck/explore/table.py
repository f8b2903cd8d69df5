"""Tables: every process's local states numbered, with their steps, and the slots of the whole system numbered.

This is what searches run, in Python here and natively elsewhere.  A *step* is one or more *moves* done at once; right
after linking each step is one move, merging joins more.  Its one invariant: every move keeps the edge it came from,
so a path of steps can always be told as the path of single moves that the full model takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from modelcheck.errors import SpecError
from modelcheck.explore.sharing import SharedMoves
from modelcheck.expression import (
    Arbitrary,
    Const,
    Expr,
    Fresh,
    Op,
    Slot,
    conjunction,
    range_domain,
    slots_of,
    to_text,
)
from modelcheck.system.edge import Edge, Local
from modelcheck.system.link import System

MOST_LOCALS = 200_000
VERSIONS = ("stamp", "name")  # kinds of domain that a move may not treat as numbers


@dataclass(frozen=True, slots=True)
class SeenCell:
    """Part of an observed value: the bytes, the slot with their stamp, and the slot with their form, if any."""

    bytes: tuple[int, ...]
    slot: Slot
    form: Slot | None
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenValue:
    """An observed value: its name, the bytes `lo` to `hi` it was loaded from, and the cells the state carries of it."""

    name: str
    lo: int
    hi: int
    cells: tuple[SeenCell, ...]


@dataclass(frozen=True, slots=True)
class Observes:
    """What a move hands to property `property`: values, and facts as (test, positions of values, outcome)."""

    property: str
    values: tuple[SeenValue, ...]
    facts: tuple[tuple[str, tuple[int, ...], bool], ...]

    def slots(self) -> Iterator[Slot]:
        """The slots it shows."""
        for value in self.values:
            for cell in value.cells:
                yield cell.slot
                if cell.form is not None:
                    yield cell.form


@dataclass(frozen=True)
class Move:
    """One atomic move: where `guard` holds, do `updates` at once.  `edge` is where it came from.

    What it touches is found once and kept, since every reduction asks and most hand a move on as it is.
    """

    guard: Expr
    updates: tuple[tuple[Slot, Expr], ...]
    edge: Edge
    observes: Observes | None = None
    progress: bool = False
    reaches: tuple[str, ...] = ()  # witnesses it is evidence for
    lines: tuple[tuple[str, int], ...] = ()  # source lines it runs, as (file, line)
    label: int = -1  # in a summary: the label of the sources' control graph this move is part of
    opens: bool = False  # in a summary: whether it is the first of its label

    def reads(self) -> frozenset[Touched]:
        """Slots the guard, a right side or an observation depends on, and the sorts of which it creates a member."""
        return self._touched[0]

    def writes(self) -> frozenset[Touched]:
        """Slots it sets, and the sorts of which it creates a member."""
        return self._touched[1]

    def slots(self) -> tuple[Slot, ...]:
        """Every slot it reads or sets, each once, in order: the guard's, those of each update, those it shows."""
        return self._touched[2]

    @cached_property
    def _touched(self) -> tuple[frozenset[Touched], frozenset[Touched], tuple[Slot, ...]]:
        reads: dict[Touched, None] = {}
        mentions: dict[Touched, None] = {}  # in order
        writes: set[Touched] = set()
        _collect(self.guard, reads)
        mentions.update(reads)
        for slot, value in self.updates:
            writes.add(slot)
            mentions[slot] = None
            if isinstance(value, Slot):
                reads[value] = mentions[value] = None
            elif not isinstance(value, Const):
                found: dict[Touched, None] = {}
                _collect(value, found)
                writes.update(each for each in found if isinstance(each, str))
                reads.update(found)
                mentions.update(found)
        if self.observes is not None:
            for slot in self.observes.slots():
                reads[slot] = mentions[slot] = None
        return frozenset(reads), frozenset(writes), tuple(each for each in mentions if isinstance(each, Slot))


Touched = Slot | str  # a slot, or a sort of which a member is created


def _collect(expr: Expr, found: dict[Touched, None]) -> None:
    """Adds the slots that `expr` depends on and the sorts of which it creates a member, in order."""
    if isinstance(expr, Slot):
        found[expr] = None
    elif isinstance(expr, Op):
        for arg in expr.args:
            _collect(arg, found)
    elif isinstance(expr, Arbitrary):
        found[expr.slot] = None  # what it was, which the condition may name
        _collect(expr.condition, found)
    elif isinstance(expr, Fresh):
        found[expr.sort] = None


@dataclass(frozen=True, slots=True)
class Step:
    """Moves done one after the other without another process between; it leads to local state `target`."""

    moves: tuple[Move, ...]
    target: int

    @property
    def breaks(self) -> str:
        """The property its first move violates, or ""."""
        return self.moves[0].edge.breaks

    @property
    def observes(self) -> Observes | None:
        """The observation its first move makes, if any; later moves never observe."""
        return self.moves[0].observes

    @property
    def progress(self) -> bool:
        """Whether a retry loop that passes here has got on."""
        return any(move.progress for move in self.moves)


@dataclass(frozen=True)
class ProcessTable:
    """One process: its local states, the steps out of each, and where it starts."""

    name: str
    process: int
    locals: tuple[Local, ...]
    steps: tuple[tuple[Step, ...], ...]
    start: int = 0

    @cached_property
    def pc(self) -> Slot:
        """The slot that holds its local state's number."""
        return Slot(f"{self.name}.pc", range_domain(0, max(len(self.locals) - 1, 0)), self.start)

    def all_moves(self) -> Iterator[Move]:
        """Every move, in order of local states."""
        for steps in self.steps:
            for step in steps:
                yield from step.moves

    @cached_property
    def reads(self) -> frozenset[Touched]:
        """What its moves read."""
        return frozenset[Touched]().union(*{move.reads() for move in self.all_moves()})

    @cached_property
    def writes(self) -> frozenset[Touched]:
        """What its moves write; its program counter is not among it."""
        return frozenset[Touched]().union(*{move.writes() for move in self.all_moves()})


@dataclass(frozen=True)
class Tables:
    """All processes of a system, as tables.

    `invariants` are (property, condition) that every state satisfies; `asked` are further conditions that an analysis
    asks of states.  No reduction may hide a change of what either reads.
    """

    processes: tuple[ProcessTable, ...]
    invariants: tuple[tuple[str, Expr], ...] = ()
    asked: tuple[Expr, ...] = ()

    @property
    def visible(self) -> frozenset[Slot]:
        """The slots that invariants and asked conditions read."""
        return frozenset(slot for condition in self.conditions for slot in slots_of(condition))

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """The invariants, then the asked conditions."""
        return (*(condition for _, condition in self.invariants), *self.asked)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The slots of a state in order: one program counter per process, then the others as they first appear."""
        found: dict[str, Slot] = {}
        for table in self.processes:
            found[table.pc.name] = table.pc
        for table in self.processes:
            for move in table.all_moves():
                for slot in move.slots():
                    known = found.setdefault(slot.name, slot)
                    if known is not slot and known != slot:
                        raise SpecError(f"two slots are named {slot.name!r} and differ in domain or start; rename one")
        for slot in sorted(self.visible, key=lambda slot: slot.name):
            found.setdefault(slot.name, slot)
        return tuple(found.values())

    @cached_property
    def index(self) -> dict[Slot, int]:
        """Where in a state each slot lies."""
        return {slot: i for i, slot in enumerate(self.slots)}

    @cached_property
    def initial(self) -> tuple[int, ...]:
        """The state before the first step."""
        return tuple(slot.initial for slot in self.slots)


def build_tables(system: System, invariants: tuple[tuple[str, Expr], ...] = (), words: bool = False) -> Tables:
    """Every local state of every process, by breadth-first search of each alone; one move a step.

    A search that enumerates values cannot take a model with words, which only one that has `words` asks for.
    """
    if system.model.words and not words:
        raise SpecError(
            f"model {system.model.name!r} has words ({', '.join(system.model.words)}), which are never enumerated; "
            "ask for a property declared with Model.data(), or leave the words out"
        )
    tables = [_process_table(system, i) for i in range(len(system.processes))]
    for i, host in enumerate(system.host):
        if host >= 0:
            tables[i] = _guard_preemption(system, tables[i], tables[host])
    return Tables(tuple(tables), invariants)


def _process_table(system: System, process: int) -> ProcessTable:
    space = system.spaces[process]
    shared = SharedMoves(system, process)
    numbers: dict[Local, int] = {space.start: 0}
    order = [space.start]
    steps: list[tuple[Step, ...]] = []
    for local in order:
        moves = shared.get(local)
        if moves is None:
            moves = tuple([_move(system, process, edge) for edge in system.edges(process, local)])
            shared.put(local, moves)
        for move in moves:
            if move.edge.target not in numbers:
                numbers[move.edge.target] = len(order)
                order.append(move.edge.target)
                if len(order) > MOST_LOCALS:
                    raise SpecError(
                        f"process {space.process.name!r} has more than {MOST_LOCALS} local states; "
                        "carry fewer bytes or put fences between its accesses"
                    )
        steps.append(tuple([Step((move,), numbers[move.edge.target]) for move in moves]))
    return ProcessTable(space.process.name, process, tuple(order), tuple(steps))


def _move(system: System, process: int, edge: Edge) -> Move:
    nodes = system.spaces[process].machine.nodes
    action = None if edge.piece is not None else nodes[edge.node].action
    progress = action is not None and action.progress
    observes = _observes(system, process, edge) if action is not None and action.observes else None
    reaches = action.reaches if action is not None and not edge.breaks else ()
    lines = tuple(dict.fromkeys([(nodes[i].file, nodes[i].line) for i in (edge.node, *edge.passed)]))
    move = Move(edge.guard, edge.updates, edge, observes, progress, reaches, lines)
    if any(slot.domain.kind in VERSIONS for slot in move.slots()):
        check_move(move)
    return move


def _observes(system: System, process: int, edge: Edge) -> Observes | None:
    space = system.spaces[process]
    node = space.machine.nodes[edge.node]
    action = node.action
    if action is None or action.observes not in system.watched:
        return None
    values = []
    for name, register in zip(action.names, action.registers, strict=True):
        cells = []
        for cell in system.cells[register.access.area].within(register.access.lo, register.access.hi):
            form = cell.form_slot(f"r{register.index}.")
            cells.append(
                SeenCell(
                    cell.bytes,
                    space.own(cell.slot(f"r{register.index}.")),
                    None if form is None else space.own(form),
                    cell.forms,
                )
            )
        values.append(SeenValue(name, register.access.lo, register.access.hi, tuple(cells)))
    place = {register.index: i for i, register in enumerate(action.registers)}
    facts = tuple(
        (fact.test, tuple(place[r] for r in fact.registers), fact.outcome)
        for fact in node.facts
        if all(r in place for r in fact.registers)
    )
    return Observes(action.observes, tuple(values), facts)


def _guard_preemption(system: System, table: ProcessTable, host: ProcessTable) -> ProcessTable:
    """A nested process starts only where its host may be preempted."""
    where = system.processes[table.process].where
    allowed = [i for i, local in enumerate(host.locals) if system.preemptible(host.process, local, where)]
    inside = member(host.pc, allowed)

    def guarded(step: Step) -> Step:
        move = step.moves[0]
        if not move.edge.preempts:
            return step
        return replace(step, moves=(replace(move, guard=conjunction((inside, move.guard))),))

    return replace(table, steps=tuple(tuple(guarded(step) for step in steps) for steps in table.steps))


def member(slot: Slot, values: list[int]) -> Expr:
    """Whether a slot holds one of `values`."""
    return Op("in", (slot, *(Const(value) for value in values)))


def check_stamps(expr: Expr, where: str, whole: bool = False) -> None:
    """Refuses what renaming would make meaningless: a stamp or name in arithmetic, or compared with another sort.

    They are copied (`whole`, to a slot of the same sort, which the caller sees to) and compared with their own sort;
    names are not compared by order.
    """
    if isinstance(expr, Slot) and expr.domain.kind in ("stamp", "name") and not whole:
        raise SpecError(f"{expr.name} is a {expr.domain.kind}: copy it, or compare it with another of its sort", where)
    if not isinstance(expr, Op):
        return
    allowed = {"eq", "ne", "lt", "le"}
    domains = {arg.domain for arg in expr.args if isinstance(arg, Slot) and arg.domain.kind in ("stamp", "name")}
    mixed = len(domains) > 1 or not all(isinstance(arg, Slot) for arg in expr.args)
    if domains and (mixed or expr.name not in allowed):
        raise SpecError(f"{to_text(expr)}: a stamp or name is only compared with another of its sort", where)
    if any(domain.kind == "name" for domain in domains) and expr.name in ("lt", "le"):
        raise SpecError(f"{to_text(expr)}: names have no order; use a stamp", where)
    for arg in expr.args:
        check_stamps(arg, where, bool(domains))


def check_move(move: Move) -> None:
    """Refuses a move that treats a stamp or name as a number; raises SpecError with the line it is on.

    The one number such a slot may be set to is the -1 of a register that holds nothing, as it started.
    """
    where = "{}:{}".format(*move.lines[0]) if move.lines else ""
    check_stamps(move.guard, where)
    for slot, value in move.updates:
        versioned = slot.domain.kind in ("stamp", "name")
        same = isinstance(value, Slot) and value.domain == slot.domain
        made = isinstance(value, Fresh) and value.sort == slot.domain.sort
        gone = slot.initial < 0 and value == Const(slot.initial)
        if versioned and not (same or made or gone):
            kind = slot.domain.kind
            raise SpecError(f"{slot.name} is a {kind}: set it from another of its sort, or with fresh()", where)
        check_stamps(value, where, versioned)

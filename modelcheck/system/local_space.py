"""Local states of one process with its window, and the edges between them, found on demand.

A yield *issues* an access; performing each of its pieces is a step (design.md section 2).  A local state is (node,
window, queued): the action that waits next, the issued accesses in program order with the pieces not yet performed,
and whether a writer queues here.  Issuing is not a step: it touches nothing, disturbs nobody and only ever allows
more, so an access is issued, and a fence passed, as soon as it can be.

Its one invariant: an edge's guard and updates speak of linked slots only.  It does not search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from modelcheck.action import Access, Action, Hold
from modelcheck.errors import SpecError
from modelcheck.expression import FALSE, TRUE, Const, Expr, Op, Self, Slot, conjunction, rebuild
from modelcheck.memory.area import Area
from modelcheck.memory.cells import Cell, CellMap
from modelcheck.memory.ordering import Ordered, Piece
from modelcheck.process.step_machine import Node, StepMachine
from modelcheck.system.model import Process

MOST_PENDING = 64  # entries in one window; a cycle without a fence would grow past it


class Local(NamedTuple):
    """A local state; `window` holds (node of the access, its pending pieces) in program order."""

    node: int
    window: tuple[tuple[int, tuple[int, ...]], ...] = ()
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """One step of one process between two local states.

    `choice` tells it apart from the others enabled with it.  `breaks` names the property it violates.  `piece` is the
    memory piece performed; `register` the index it fills.  `observes` hands node.action's registers over.
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


class LocalSpace:
    """The local states of one process, linked: own slots named after it, cells in place of bytes."""

    def __init__(
        self,
        index: int,
        process: Process,
        machine: StepMachine,
        areas: Mapping[str, Area],
        cells: Mapping[str, CellMap],
        ordered: Ordered,
        watched: frozenset[str],
        sleeping: str = "",
    ) -> None:
        self.index = index
        self.process = process
        self.machine = machine
        self._areas = areas
        self._cells = cells
        self._ordered = ordered
        self._watched = watched
        self._sleeping = sleeping  # the watched property that forbids sleeping while atomic
        self._pieces: dict[Access, tuple[Piece, ...]] = {}
        self.start, self.start_passed = self._settle(Local(0))

    def node(self, local: Local) -> Node:
        """The node a local state rests at."""
        return self.machine.nodes[local.node]

    def edges(self, local: Local) -> tuple[Edge, ...]:
        """The steps out of a local state: pieces to perform in program order, then the branches of its action."""
        return (*self._performs(local), *self._branches(local))

    # -- windows ------------------------------------------------------------------------------------------------

    def pieces(self, access: Access) -> tuple[Piece, ...]:
        """The pieces of an access that touch a carried byte."""
        found = self._pieces.get(access)
        if found is None:
            area = self._areas[access.area]
            found = tuple(
                Piece(access, lo, hi)
                for lo, hi in area.pieces(access)
                if any(area.carries(offset) for offset in range(lo, hi))
            )
            self._pieces[access] = found
        return found

    def _settle(self, local: Local) -> tuple[Local, tuple[int, ...]]:
        """Issues accesses and passes fences as far as possible; also the nodes passed."""
        node_index, window, _ = local
        seen: dict[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]], None] = {}

        def rest() -> tuple[Local, tuple[int, ...]]:
            return Local(node_index, window), tuple(node for node, _ in seen)

        while True:
            node = self.machine.nodes[node_index]
            action = node.action
            if action is None or action.kind not in ("load", "store", "fence"):
                return rest()
            if (node_index, window) in seen:
                raise SpecError(
                    f"process {self.process.name!r} loops without a step; yield something that can be seen",
                    f"{node.file}:{node.line}",
                )
            before = window
            if action.kind == "fence":
                if window:
                    return rest()
            elif action.access is not None:
                if action.kind == "load" and any(self.machine.nodes[i].register == node.register for i, _ in window):
                    return rest()
                pending = tuple(range(len(self.pieces(action.access))))
                if pending:
                    window = (*window, (node_index, pending))
                if len(window) > MOST_PENDING:
                    raise SpecError(
                        f"process {self.process.name!r} has more than {MOST_PENDING} accesses pending; "
                        "put a fence or a lock operation on the loop",
                        f"{node.file}:{node.line}",
                    )
            seen[node_index, before] = None
            node_index = node.targets[0]

    def _access(self, node_index: int) -> Access:
        action = self.machine.nodes[node_index].action
        assert action is not None and action.access is not None
        return action.access

    def _performs(self, local: Local) -> list[Edge]:
        edges: list[Edge] = []
        earlier: list[Piece] = []
        for position, (node_index, pending) in enumerate(local.window):
            pieces = self.pieces(self._access(node_index))
            for which in pending:
                piece = pieces[which]
                if not any(self._ordered(before, piece) for before in earlier):
                    left = tuple(p for p in pending if p != which)
                    rest = ((node_index, left),) if left else ()
                    window = (*local.window[:position], *rest, *local.window[position + 1 :])
                    edges.extend(self._perform(local, window, node_index, piece, position))
            earlier.extend(pieces[which] for which in pending)
        return edges

    def _perform(
        self,
        local: Local,
        window: tuple[tuple[int, tuple[int, ...]], ...],
        node_index: int,
        piece: Piece,
        position: int,
    ) -> list[Edge]:
        access = piece.access
        target, passed = self._settle(Local(local.node, window))
        choice = f"{access.text} bytes {piece.lo}-{piece.hi - 1}"
        if sum(self._access(i).text == access.text for i, _ in local.window[:position]):
            choice += f" (entry {position})"
        node = self.machine.nodes[node_index]
        register = node.register
        updates = tuple(
            update
            for cell in self._cells[access.area].within(piece.lo, piece.hi)
            for update in (self._stores(cell, access) if access.store else self._loads(cell, register))
        )
        area = self._areas[access.area]
        requires = [(self.link(condition), name) for condition, name in access.requires if name in self._watched]
        if (
            access.store
            and area.bounds in self._watched
            and any(not 0 <= o < area.size for o in range(piece.lo, piece.hi))
        ):
            requires.append((FALSE, area.bounds))
        edges = [
            Edge(
                self.index,
                local,
                target,
                node_index,
                0,
                f"{choice} breaks {name}",
                "perform",
                _negate(condition),
                (),
                name,
                piece,
                passed=passed,
            )
            for condition, name in requires
        ]
        guard = conjunction(tuple(condition for condition, _ in requires))
        if guard != FALSE:
            edges.append(
                Edge(
                    self.index,
                    local,
                    target,
                    node_index,
                    0,
                    choice,
                    "perform",
                    guard,
                    updates,
                    "",
                    piece,
                    register,
                    passed=passed,
                )
            )
        return edges

    def _stores(self, cell: Cell, access: Access) -> list[tuple[Slot, Expr]]:
        assert access.version is not None
        updates: list[tuple[Slot, Expr]] = [(cell.slot(), self.link(access.version))]
        form = cell.form_slot()
        if form is not None:
            updates.append((form, Const(cell.forms.index(access.variant) if access.variant in cell.forms else 0)))
        return updates

    def _loads(self, cell: Cell, register: int) -> list[tuple[Slot, Expr]]:
        prefix = f"r{register}."
        updates: list[tuple[Slot, Expr]] = [(self.own(cell.slot(prefix)), cell.slot())]
        form = cell.form_slot()
        if form is not None:
            copy = cell.form_slot(prefix)
            assert copy is not None
            updates.append((self.own(copy), form))
        return updates

    def _forgets(self, action: Action) -> Iterator[tuple[Slot, Expr]]:
        """Registers that hold nothing again: stamps of -1, which no ranking counts, and the first form."""
        for register in action.forgets:
            prefix = f"r{register.index}."
            for cell in self._cells[register.access.area].within(register.access.lo, register.access.hi):
                stamp, form = cell.slot(prefix), cell.form_slot(prefix)
                yield self.own(stamp), Const(stamp.initial)
                if form is not None:
                    yield self.own(form), Const(form.initial)

    def _check_forgotten(self, node: Node, number: int) -> None:
        assert node.action is not None
        held = set(self.machine.nodes[node.targets[number]].live)
        if any(register.index in held for register in node.action.forgets):
            raise SpecError(
                f"process {self.process.name!r} forgets a loaded value at {node.action.label!r} and uses it later; "
                "forget it at its last use",
                f"{node.file}:{node.line}",
            )

    # -- branches -----------------------------------------------------------------------------------------------

    def _branches(self, local: Local) -> list[Edge]:
        node = self.node(local)
        action = node.action
        if action is None or action.kind in ("load", "store", "fence"):
            return []
        if local.window and action.kind in ("shared", "lock", "check"):
            return []
        waits = {register.index for register in action.awaits}
        if any(self.machine.nodes[i].register in waits for i, _ in local.window):
            return []
        if action.sleeps and node.context.atomic and self._sleeping:
            return [
                Edge(
                    self.index,
                    local,
                    local,
                    local.node,
                    0,
                    f"{action.label} sleeps",
                    action.kind,
                    breaks=self._sleeping,
                )
            ]
        edges = []
        for number, branch in enumerate(action.branches):
            if branch.stay and local.queued:
                continue
            edge = self._branch(local, node, action, number)
            if edge is not None:
                edges.append(edge)
        return edges

    def _branch(self, local: Local, node: Node, action: Action, number: int) -> Edge | None:
        branch = action.branches[number]
        guard, breaks = self.link(branch.guard), branch.breaks
        if breaks and breaks not in self._watched:
            return None
        if action.kind == "check" and not breaks and not any(b.breaks in self._watched for b in action.branches):
            guard = TRUE  # a check of another property lets everything pass
        if action.kind == "compare":
            guard = self._compare(action, bool(branch.response))
        target, passed = (
            (Local(local.node, local.window, True), ())
            if branch.stay
            else self._settle(Local(node.targets[number], local.window))
        )
        choice = (
            action.label if len(action.branches) == 1 else f"{action.label} -> {_answer(branch.stay, branch.response)}"
        )
        updates = tuple((self.own(slot), self.link(value)) for slot, value in branch.updates)
        if not branch.stay:
            self._check_forgotten(node, number)
            updates += tuple(self._forgets(action))
        return Edge(
            self.index,
            local,
            target,
            local.node,
            number,
            choice,
            action.kind,
            guard,
            updates,
            breaks,
            preempts=action.test == "preempt",
            resumes=action.test == "resume",
            passed=passed,
        )

    def _compare(self, action: Action, outcome: bool) -> Expr:
        """When a comparison may have this outcome (design.md section 2: different stamps explore both)."""
        if action.test.startswith("variant:"):
            found = self.variant_set(
                action.registers[0].index, action.registers[0].access, action.test.split(":", 1)[1]
            )
            return found if outcome else _negate(found)
        left, right = action.registers
        if outcome or (left.access.lo, left.access.hi) != (right.access.lo, right.access.hi):
            return TRUE
        cells = self._cells[left.access.area]
        if any(cells.of(offset) is None for offset in range(left.access.lo, left.access.hi)):
            return TRUE
        same = []
        for cell in cells.within(left.access.lo, left.access.hi):
            for mine, other in (
                (cell.slot(f"r{left.index}."), cell.slot(f"r{right.index}.")),
                (cell.form_slot(f"r{left.index}."), cell.form_slot(f"r{right.index}.")),
            ):
                if mine is not None and other is not None:
                    same.append(self.own(mine).eq(self.own(other)))
        return _negate(conjunction(tuple(same)))

    def variant_set(self, register: int, access: Access, variant: str) -> Expr:
        """Whether any carried byte of a loaded value is of the named form."""
        found = [
            self.own(slot).eq(cell.forms.index(variant))
            for cell in self._cells[access.area].within(access.lo, access.hi)
            if variant in cell.forms
            for slot in (cell.form_slot(f"r{register}."),)
            if slot is not None
        ]
        return FALSE if not found else found[0] if len(found) == 1 else Op("or", tuple(found))

    # -- names --------------------------------------------------------------------------------------------------

    def own(self, slot: Slot) -> Slot:
        """The linked slot: an own one is named after the process."""
        return Slot(f"{self.process.name}.{slot.name}", slot.domain, slot.initial) if slot.own else slot

    def link(self, expr: Expr) -> Expr:
        """The expression with own slots and `self` put in."""

        def replace(part: Expr) -> Expr | None:
            if isinstance(part, Slot):
                return self.own(part)
            return Const(self.index + 1) if isinstance(part, Self) else None

        return rebuild(expr, replace)

    def attempt(self, edge: Edge) -> Hold | None:
        """The lock this edge's action waits for, None where it waits for none."""
        action = self.machine.nodes[edge.node].action
        return action.lock if action is not None and action.blocking and edge.piece is None else None


def _negate(condition: Expr) -> Expr:
    return FALSE if condition == TRUE else TRUE if condition == FALSE else ~condition


def _answer(stay: bool, response: object) -> str:
    return "queues" if stay else str(response)

"""Local states of one process with its window, and the edges between them, found on demand.

A yield *issues* an access; performing each of its pieces is a step (design.md section 2).  A local state is (node,
window, queued): the action that waits next, what was issued and not yet performed, and whether a writer queues here.
Issuing is not a step: it touches nothing, disturbs nobody and only ever allows more, so an access is issued, and a
fence passed, as soon as it can be.  Where the machine may guess a branch, or the compiler move a load above it, both
outcomes are followed as soon as something behind the branch could perform: the step that performs the last of the
branch's loads settles it, and is there only for the outcome that was guessed.

Its one invariant: an edge's guard and updates speak of linked slots only.  It does not search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from modelcheck.action import Access, Action, Hold
from modelcheck.errors import SpecError
from modelcheck.expression import FALSE, PROCESS, TRUE, Const, Expr, Slot, conjunction, rebuild
from modelcheck.memory.area import Area
from modelcheck.memory.cells import CellMap
from modelcheck.memory.ordering import MemoryModel, Piece
from modelcheck.process.step_machine import Node, StepMachine
from modelcheck.system.ambiguity import refuse_equal_guards
from modelcheck.system.edge import Edge, Local
from modelcheck.system.model import Process
from modelcheck.system.registers import Registers, negate
from modelcheck.system.window import Entry, Window, Windows

MOST_PENDING = 64  # accesses in one window of a process without a loop
MOST_AGAIN = 2  # times that one access may be pending at once; a loop without a fence would issue it for ever


class LocalSpace:
    """The local states of one process, linked: own slots named after it, cells in place of bytes.

    `guesses` is whether guessed branches are followed, `reserved` the areas with updates in two parts.  `bounded` says
    what of the window was left out, "" if nothing.
    """

    def __init__(
        self,
        index: int,
        process: Process,
        machine: StepMachine,
        areas: Mapping[str, Area],
        cells: Mapping[str, CellMap],
        memory: MemoryModel,
        compiler: str,
        watched: frozenset[str],
        sleeping: str = "",
        guesses: bool = False,
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.index = index
        self.process = process
        self.machine = machine
        self.bounded = ""
        self._areas = areas
        self._cells = cells
        self._memory = memory
        self._watched = watched
        self._sleeping = sleeping  # the watched property that forbids sleeping while atomic
        self._may_guess = memory.guesses or compiler == "free"
        self._guesses = guesses and self._may_guess
        self._reserved = reserved
        self.registers = Registers(process.name, index, areas, cells)
        self._pieces: dict[Access, tuple[Piece, ...]] = {}
        self.windows = Windows(machine, memory, compiler, self.pieces)
        self.start, self.start_passed = self._settle(Local(0))

    def node(self, local: Local) -> Node:
        """The node a local state rests at."""
        return self.machine.nodes[local.node]

    def edges(self, local: Local) -> tuple[Edge, ...]:
        """The steps out of a local state: pieces to perform in program order, then the branches of its action."""
        return (*self._performs(local), *self._branches(local))

    # -- windows ------------------------------------------------------------------------------------------------

    def pieces(self, access: Access) -> tuple[Piece, ...]:
        """The pieces of an access that touch a carried byte, an update as two where the machine performs it so."""
        found = self._pieces.get(access)
        if found is None:
            area = self._areas[access.area]
            split = access.update and access.mode != "full" and access.area in self._reserved
            found = tuple(
                Piece(part, lo, hi)
                for part in (access.parts if split else (access,))
                for lo, hi in area.pieces(access, self._memory.natural)
                if any(area.carries(offset) for offset in range(lo, hi))
            )
            self._pieces[access] = found
        return found

    def _settle(self, local: Local) -> tuple[Local, tuple[int, ...]]:
        """Issues accesses and passes fences as far as possible; also the nodes passed."""
        node_index, window, _ = local
        seen: dict[tuple[int, Window], None] = {}
        while True:
            node = self.machine.nodes[node_index]
            action = node.action
            if action is None or action.kind not in ("load", "store", "update", "fence"):
                break
            if (node_index, window) in seen:
                raise SpecError(
                    f"process {self.process.name!r} loops without a step; yield something that can be seen",
                    f"{node.file}:{node.line}",
                )
            before = window
            if action.kind == "fence":
                if self.windows.fence_waits(window, action.fence):
                    break
                window = self.windows.with_fence(window, node_index, action.fence)
            elif action.access is not None:
                if self._must_wait(node_index, window):
                    break
                pending = tuple(range(len(self.pieces(action.access))))
                if pending:
                    window = (*window, Entry(node_index, pending))
                if sum(1 for entry in window if entry.pending) > MOST_PENDING:
                    raise SpecError(
                        f"process {self.process.name!r} has more than {MOST_PENDING} accesses pending; "
                        "put a fence or a lock operation between them",
                        f"{node.file}:{node.line}",
                    )
            seen[node_index, before] = None
            node_index = node.targets[0]
        return Local(node_index, window), tuple(node for node, _ in seen)

    def _must_wait(self, node_index: int, window: Window) -> bool:
        """Whether an access cannot be issued yet: its register is in use, or it is pending often enough already."""
        node = self.machine.nodes[node_index]
        again = sum(entry.node == node_index for entry in window) >= MOST_AGAIN
        taken = node.register in self.windows.used(window)
        if (again or taken) and not self.bounded and self._loses(node_index, window):
            self.bounded = (
                f"an access is pending at most {MOST_AGAIN} times at once, and the loop at {node.file}:{node.line} has "
                "no fence or lock operation"
            )
        return again or taken

    def _loses(self, node_index: int, window: Window) -> bool:
        """Whether something behind an access that waits to be issued could perform before anything in the window does.

        Follows every branch from the access on, as if registers and windows had no end, through what might be issued.
        """
        if self._memory.name == "sc" and not self.windows.free:
            return False
        todo: list[tuple[int, Window]] = [(node_index, window)]
        seen: set[tuple[int, Window]] = set()  # with the window: two ways to one place may differ in a fence
        while todo:
            at, ahead = todo.pop()
            node = self.machine.nodes[at]
            action = node.action
            if action is None or (at, ahead) in seen or sum(entry.node == at for entry in ahead) > MOST_AGAIN:
                continue
            seen.add((at, ahead))
            if action.kind == "fence":
                if self.windows.fence_waits(ahead, action.fence):
                    continue
                ahead = self.windows.with_fence(ahead, at, action.fence)
            elif action.access is not None:
                pending = tuple(range(len(self.pieces(action.access))))
                if pending:
                    ahead = (*ahead, Entry(at, pending))
                    if any(position == len(ahead) - 1 for position, _ in self.windows.open(ahead)):
                        return True
            elif action.kind != "compare" or not self._may_guess:
                continue
            else:
                ahead = (*ahead, Entry(at, (), 0))
            todo += [(target, ahead) for target in node.targets]
        return False

    def _performs(self, local: Local) -> list[Edge]:
        edges: list[Edge] = []
        for position, which in self.windows.open(local.window):
            entry = local.window[position]
            access = self.windows.access(entry)
            assert access is not None
            edges.extend(self._perform(local, position, which, self.pieces(access)[which]))
        return edges

    def _perform(self, local: Local, position: int, which: int, piece: Piece) -> list[Edge]:
        access, node_index = piece.access, local.window[position].node  # of an update in two parts, the part's
        window, settled = self.windows.performed(local.window, position, which)
        target, passed = self._settle(Local(local.node, window))
        area = self._areas[access.area]
        choice = access.text if area.domain is not None else f"{access.text} bytes {piece.lo}-{piece.hi - 1}"
        earlier = [self.windows.access(entry) for entry in local.window[:position] if entry.pending]
        if any(other is not None and other.text == access.text for other in earlier):
            choice += f" (entry {len(earlier)})"
        if access.part:
            choice += f", {access.part}"
        register = self.machine.nodes[node_index].register
        forwarded = () if access.store else self.windows.forwarding(local.window, position, piece)
        updates: list[tuple[Slot, Expr]] = []
        guards: list[Expr] = []
        for cell in self._cells[access.area].within(piece.lo, piece.hi):
            source = next((p.access for p in forwarded if cell.bytes[0] in range(p.lo, p.hi)), None)
            if access.loads:
                updates += self.registers.loads(cell, register, source)
                if access.when != TRUE:
                    guards.append(self.registers.of_old(access.when, self.registers.content(cell, source)))
            if access.store:
                updates += self.registers.stores(cell, access)
        if access.area in self._reserved and (access.store or access.part):
            holder = Slot(f"{access.area}.reserved", PROCESS)
            if access.part:
                updates.append((holder, Const(self.index + 1 if access.part == "load" else 0)))
            if access.part != "store":
                guards.append(holder.eq(0))  # nobody stores between the two parts of another's update
        new = dict(updates)
        for entry in settled:
            action = self.node(Local(entry.node)).action
            assert action is not None
            guess = self.registers.condition(action, entry.guess)  # when the guessed branch is the one that is taken
            guards.append(rebuild(guess, lambda part: new.get(part) if isinstance(part, Slot) else None))
        requires = [(self.link(condition), name) for condition, name in access.requires if name in self._watched]
        if (
            access.store
            and area.bounds in self._watched
            and any(not 0 <= o < area.size for o in range(piece.lo, piece.hi))
        ):
            requires.append((FALSE, area.bounds))
        step = Edge(
            self.index, local, target, node_index, 0, choice, piece=piece, passed=passed, forwarded=forwarded
        )
        edges = [
            replace(step, choice=f"{choice} breaks {name}", guard=negate(condition), breaks=name)
            for condition, name in requires
        ]
        guard = conjunction((*guards, *(condition for condition, _ in requires)))
        if guard != FALSE:
            edges.append(replace(step, guard=guard, updates=tuple(updates), register=register))
        return edges

    # -- branches -----------------------------------------------------------------------------------------------

    def _branches(self, local: Local) -> list[Edge]:
        node = self.node(local)
        action = node.action
        if action is None or action.kind in ("load", "store", "update", "fence"):
            return []
        if local.window and action.kind in ("shared", "lock", "check"):
            return []
        pending = not self.windows.loading(local.window).isdisjoint(register.index for register in action.awaits)
        if action.kind == "compare":
            if pending:
                if not self._may_guess or action.forgets or not self._loses(local.node, local.window):
                    return []
                if not self._guesses and not self.bounded:
                    self.bounded = f"the branch at {node.file}:{node.line} is not guessed ahead of its loads"
                return self._guess(local, action) if self._guesses else []
        elif pending or any(entry.guess >= 0 for entry in local.window):
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
        refuse_equal_guards(self.process.name, node, edges)
        return edges

    def _guess(self, local: Local, action: Action) -> list[Edge]:
        """Every outcome of a branch whose loads are still pending."""
        edges = []
        for number, branch in enumerate(action.branches):
            if self.registers.condition(action, number) == FALSE:
                continue
            window = (*local.window, Entry(local.node, (), number))
            target, passed = self._settle(Local(self.node(local).targets[number], window))
            choice = f"{action.label} -> {_answer(False, branch.response)}"
            edges.append(
                Edge(self.index, local, target, local.node, number, choice, action.kind, passed=passed)
            )
        return edges

    def _branch(self, local: Local, node: Node, action: Action, number: int) -> Edge | None:
        branch = action.branches[number]
        guard, breaks = self.link(branch.guard), branch.breaks
        if breaks and breaks not in self._watched:
            return None
        if action.kind == "check" and not breaks:
            guard = self._passing(node, action, number)
        if action.kind == "compare":
            guard = self.registers.condition(action, number)
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
            updates += tuple(self.registers.forgets(action))
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

    def _passing(self, node: Node, action: Action, number: int) -> Expr:
        """Where a branch of a check is taken that breaks nothing: a violation of another property passes by it too.

        By the only such branch everything does, and by one of several what answers the same.
        """
        mine = action.branches[number]
        passing, breaking = ([b for b in action.branches if bool(b.breaks) is broken] for broken in (False, True))
        others = [branch for branch in breaking if branch.breaks not in self._watched]
        if len(passing) == 1 and len(others) == len(breaking):
            return TRUE
        answers = [branch.response for branch in passing]
        lost = next((b.breaks for b in others if len(passing) > 1 and b.response not in answers), None)
        if lost is not None:
            raise SpecError(
                f"process {self.process.name!r} has no way to go on from {action.label!r} where {lost} is violated and "
                "another property is asked; give that branch the response of one that breaks nothing",
                f"{node.file}:{node.line}",
            )
        alike = [branch.guard for branch in others if len(passing) == 1 or branch.response == mine.response]
        return self.link(reduce(Expr.__or__, alike, mine.guard))

    def _check_forgotten(self, node: Node, number: int) -> None:
        assert node.action is not None
        held = set(self.machine.nodes[node.targets[number]].live)
        if any(register.index in held for register in node.action.forgets):
            raise SpecError(
                f"process {self.process.name!r} forgets a loaded value at {node.action.label!r} and uses it later; "
                "forget it at its last use",
                f"{node.file}:{node.line}",
            )

    # -- what others ask ----------------------------------------------------------------------------------------

    def own(self, slot: Slot) -> Slot:
        """The linked slot: an own one is named after the process."""
        return self.registers.own(slot)

    def link(self, expr: Expr) -> Expr:
        """The expression with own slots and `self` put in."""
        return self.registers.link(expr)

    def attempt(self, edge: Edge) -> Hold | None:
        """The lock this edge's action waits for, None where it waits for none."""
        action = self.machine.nodes[edge.node].action
        return action.lock if action is not None and action.blocking and edge.piece is None else None


def _answer(stay: bool, response: object) -> str:
    return "queues" if stay else str(response)

"""Linking: from a model to the local spaces of its processes.

Extraction, cells and nesting meet here.  Its one invariant: after linking, what a process does depends only on its
local state and on linked slots, so a search, a replay and a native engine read the same edges.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from modelcheck.action import Action, Branch
from modelcheck.errors import SpecError
from modelcheck.expression import BOOL, Const, Slot, conjunction, slots_of
from modelcheck.memory.cells import CellMap
from modelcheck.memory.models import memory_model
from modelcheck.process import StepMachine, machine_of
from modelcheck.system.edge import Edge, Local
from modelcheck.system.local_space import LocalSpace
from modelcheck.system.model import Model, Process


class System:
    """A linked model.  `watched` are the properties whose violations are looked for; others do not stop a process."""

    def __init__(self, model: Model, watched: frozenset[str]) -> None:
        self.memory = memory_model(model.memory or "sc", model.compiler)
        self.model = model
        self.watched = watched
        self.processes = tuple(model.processes)
        machines = [machine_in(model, process) for process in self.processes]
        _check_areas(machines, model)
        accesses = [access for machine in machines for access in machine.accesses]
        self.cells = {
            name: CellMap(area, [a for a in accesses if a.area == name], self.memory.natural)
            for name, area in model.areas.items()
        }
        self.sleeping = next(
            (p.name for p in model.properties.values() if p.kind == "sleep-in-atomic" and p.name in watched), ""
        )
        kinds = {prop.kind for prop in model.properties.values() if prop.name in watched}
        # a wrong guess ends a run, which these would take for a process that is stuck
        self.guesses = kinds.isdisjoint({"deadlock", "terminates", "eventually"})
        split = self.memory.splits and self.guesses  # as above: parts that block each other are no execution
        numbers = {name for name, area in model.areas.items() if area.domain is not None}
        self.reserved = frozenset(a.area for a in accesses if split and a.update and a.mode != "full") & numbers
        self.spaces = tuple(
            LocalSpace(
                i,
                process,
                machine,
                model.areas,
                self.cells,
                self.memory,
                model.compiler,
                watched,
                self.sleeping,
                self.guesses,
                self.reserved,
            )
            for i, (process, machine) in enumerate(zip(self.processes, machines, strict=True))
        )
        if self.memory.splits:
            for space in self.spaces:
                updates = [a for a in space.machine.accesses if a.update and a.mode != "full"]
                if any(access.area not in self.reserved for access in updates):
                    space.bounded = "an update that is not fully ordered is performed in one step"
        self._edges: dict[tuple[int, Local], tuple[Edge, ...]] = {}
        names = {process.name: i for i, process in enumerate(self.processes)}
        self.host = tuple(names[process.host] if process.host else -1 for process in self.processes)

    @cached_property
    def first_names(self) -> dict[str, int]:
        """The highest that a name of each sort starts as, where any starts above 0: a fresh one is higher."""
        found: dict[str, int] = {}
        branches = (
            branch
            for space in self.spaces
            for node in space.machine.nodes
            if node.action is not None
            for branch in node.action.branches
        )
        read = [e for branch in branches for e in (branch.guard, *(v for pair in branch.updates for v in pair))]
        read += [e for space in self.spaces for access in space.machine.accesses for e, _ in access.requires]
        for slot in (slot for expr in read for slot in slots_of(expr)):
            if slot.domain.kind == "name" and slot.initial:
                found[slot.domain.sort] = max(found.get(slot.domain.sort, 0), slot.initial)
        return found

    def like(self, process: int) -> Hashable:
        """What edges look at beside the step machine and memory: equal for processes that are linked alike."""
        one = self.processes[process]
        nested = tuple((other.name, other.where) for other in self.processes if other.host == one.name)
        memory = self.model.memory, self.model.compiler, self.guesses, self.reserved
        return process, one.name, bool(one.host), nested, self.watched, self.sleeping, memory

    def window_bound(self, processes: Iterable[int]) -> str:
        """What was left out of the windows of these processes, "" for nothing; known once tables are built."""
        for process in processes:
            if self.spaces[process].bounded:
                return f"the window of {self.processes[process].name}: {self.spaces[process].bounded}"
        return ""

    def active(self, process: int) -> Slot:
        """The flag that a nested process runs, and its host stands still."""
        return Slot(f"{self.processes[process].name}.active", BOOL)

    def edges(self, process: int, local: Local) -> tuple[Edge, ...]:
        """The edges out of a local state, with what nesting adds to their guards and updates; kept, runs ask again."""
        found = self._edges.get((process, local))
        if found is None:
            found = self._edges[process, local] = self._find_edges(process, local)
        return found

    def _find_edges(self, process: int, local: Local) -> tuple[Edge, ...]:
        nested = [i for i, host in enumerate(self.host) if host == process]
        found = self.spaces[process].edges(local)
        if self.host[process] >= 0:
            found = tuple(self._nesting(edge) for edge in found)
        for inner in nested:
            # elsewhere the nested process cannot be running: it starts nowhere else, and the host stands still
            if self.preemptible(process, local, self.processes[inner].where):
                idle = self.active(inner).eq(0)
                found = tuple(replace(edge, guard=conjunction((idle, edge.guard))) for edge in found)
        return found

    def _nesting(self, edge: Edge) -> Edge:
        if edge.preempts or edge.resumes:
            update = (self.active(edge.process), Const(int(edge.preempts)))
            return replace(edge, updates=(*edge.updates, update))
        return edge

    def preemptible(self, host: int, local: Local, where: str) -> bool:
        """Whether the task in this local state may be preempted here.

        A spinning lock held or interrupts off forbid it.  A queued writer spins or, of a lock that sleeps, does not
        run.  Who holds a lock that sleeps may be preempted ("anywhere" needs no form for PREEMPT_RT).  Accesses that
        are pending have not been executed where an interrupt comes between them, and stay pending until the task is
        back (a load that is performed before a pending store is then one alarm too many).  `where` is that of Process.
        """
        node = self.spaces[host].node(local)
        if node.action is None or node.context.atomic or local.queued:
            return False
        if where == "anywhere":
            return True
        return not local.window and (node.action.preemptible or where == "sleeps" and node.action.sleeps)


_PREEMPT = Action("shared", "preempt", (Branch(),), test="preempt")
_RESUME = Action("shared", "resume", (Branch(),), test="resume")


def step_machine(process: Process) -> StepMachine:
    """The step machine of a process; a nested one is started by a preemption, as often as it may."""
    if not process.host:
        return machine_of(process.body, process.name, process.context)
    body, times = process.body, process.times

    def nested() -> Generator[Action, Any, None]:
        started = 0
        while not times or started < times:
            started += times > 0  # not counted where there is no limit
            yield _PREEMPT
            yield from body()
            yield _RESUME

    return machine_of(nested, process.name, process.context)


def machine_in(model: Model, process: Process) -> StepMachine:
    """The step machine of a process as the model has it."""
    machine = step_machine(process)
    return machine if model.edit is None else model.edit(process.name, machine)


def _check_areas(machines: list[StepMachine], model: Model) -> None:
    for machine in machines:
        for node in machine.nodes:
            access = node.action.access if node.action is not None else None
            if access is not None and access.area not in model.areas:
                known = ", ".join(model.areas) or "none"
                raise SpecError(
                    f"an access to area {access.area!r}, which is not declared; there are {known}",
                    f"{node.file}:{node.line}",
                )

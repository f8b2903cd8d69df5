"""A step machine: the finite graph that one process is, after extraction and before linking.

Its one invariant: `targets` of a node has one entry per branch of its action (its own number where the branch
stays).  It holds no state; slots and windows come at linking.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.action import Access, Action, Branch, Hold


@dataclass(frozen=True, slots=True)
class Context:
    """The locks held (in the order they were taken) and whether interrupts are off, at one point of a process."""

    held: tuple[Hold, ...] = ()
    irq_off: bool = False

    @property
    def atomic(self) -> bool:
        """Whether sleeping is forbidden here."""
        return self.irq_off or any(hold.spins for hold in self.held)

    def after(self, branch: Branch) -> Context:
        """The context once `branch` was taken; releasing a lock not held is left to the caller to refuse."""
        held = self.held
        if branch.releases:
            last = max((i for i, hold in enumerate(held) if hold.lock == branch.releases), default=len(held))
            held = held[:last] + held[last + 1 :]  # one hold: a read lock may be held twice
        if branch.acquires is not None:
            held = (*held, branch.acquires)
        return Context(held, {"off": True, "on": False, "": self.irq_off}[branch.irq])


@dataclass(frozen=True, slots=True)
class Fact:
    """The outcome of a comparison whose registers are all still held: what z3 is told beside an observation."""

    test: str
    registers: tuple[int, ...]
    outcome: bool


@dataclass(frozen=True, slots=True)
class Node:
    """One local state: the action issued here and where each branch leads.

    `action` is None at the end of the process.  `register` is the index a load fills, -1 otherwise; `live` are the
    register indices held when the process rests here (before the action), sorted.  `file`, `line`, `code` name the
    yield; `depth` is the number of generators on the chain, 1 for the process itself.
    """

    action: Action | None
    targets: tuple[int, ...]
    context: Context
    facts: tuple[Fact, ...] = ()
    register: int = -1
    live: tuple[int, ...] = ()
    file: str = ""
    line: int = 0
    code: str = ""
    depth: int = 1


@dataclass(frozen=True, slots=True)
class StepMachine:
    """The nodes of one process; node 0 is where it starts.  `lines` are all lines with a yield, as (file, line)."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[str, int], ...] = ()

    @property
    def accesses(self) -> tuple[Access, ...]:
        """The accesses it may make, in order of nodes."""
        return tuple(
            node.action.access for node in self.nodes if node.action is not None and node.action.access is not None
        )

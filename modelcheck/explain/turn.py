"""The deciding point of a failing process, and when a schedule has brought it past that point without a failure.

The process that fails is in a *turn*: the passage through the innermost loop that its deciding action lies in (a
reader's retry loop, an updating task's next update).  It has passed its deciding point when it takes the deciding
action without violating the property, a memory access with all its pieces; when it comes to the head of that loop, so
that it starts over or is done; or when it ends.  Loops are the natural ones of the step machine (Aho, Lam, Sethi and
Ullman, Compilers, 2nd edition, 9.6): a step to a node that every way from the start to it passes.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explain.ways import State, Way
from modelcheck.explain.world import World
from modelcheck.process.step_machine import StepMachine


@dataclass(frozen=True, slots=True)
class Turn:
    """The failing process (by its number in the system), the node of its deciding action, and the head of its loop.

    `head` is -1 where the action is in no loop.  With `arriving` it fails by coming to the node, as for an order of
    locks, where to ask is what counts.
    """

    process: int
    node: int
    head: int
    arriving: bool = False

    def fails(self, world: World, state: State, way: Way) -> bool:
        """Whether an enabled step is a failure."""
        if self.arriving and way.edge.process == self.process:
            return way.edge.target.node == self.node and not way.edge.target.window
        return world.violates(state, way)

    def passes(self, world: World, way: Way) -> str:
        """How a step that is no failure brings the process past its deciding point, "" where it does not.

        "done" by the deciding action, "over" by starting over, "ended" by its end.
        """
        edge = way.edge
        if edge.process != self.process or edge.target.queued:  # who queues for a lock does not have it
            return ""
        if edge.node == self.node and not any(e.node == self.node and e.pending for e in edge.target.window):
            return "done"
        if self.head >= 0 and (edge.target.node == self.head or self.head in edge.passed):
            return "over"
        nodes = world.system.spaces[self.process].machine.nodes
        return "ended" if nodes[edge.target.node].action is None and not edge.target.window else ""


    @staticmethod
    def guesses(way: Way) -> bool:
        """Whether a step leaves a branch that was guessed ahead of its loads, which may yet come out otherwise."""
        return any(entry.guess >= 0 for entry in way.edge.target.window)


def turn_of(machine: StepMachine, process: int, node: int, arriving: bool = False) -> Turn:
    """The turn of a process that fails at a node of its machine; -1 where it never comes to its start again."""
    return Turn(process, node, _head(machine, node) if node >= 0 else 0, arriving)


def _head(machine: StepMachine, node: int) -> int:
    """The head of the innermost natural loop with the node, -1 where it is in none."""
    above = _dominators(machine)
    before: list[list[int]] = [[] for _ in machine.nodes]
    for number, each in enumerate(machine.nodes):
        for target in each.targets:
            before[target].append(number)
    best: tuple[int, int] | None = None  # nodes in the loop, head
    for head in range(len(machine.nodes)):
        ends = [source for source in before[head] if above[source] >> head & 1]
        if not ends:
            continue
        inside, todo = {head}, ends
        while todo:
            at = todo.pop()
            if at not in inside:
                inside.add(at)
                todo += before[at]
        if node in inside and (best is None or (len(inside), head) < best):
            best = len(inside), head
    return -1 if best is None else best[1]


def _dominators(machine: StepMachine) -> list[int]:
    """For each node the nodes on every way to it, as bits; 0 where there is no way."""
    order, seen = [0], {0}
    for number in order:
        for target in machine.nodes[number].targets:
            if target not in seen:
                seen.add(target)
                order.append(target)
    before: dict[int, list[int]] = {number: [] for number in order}
    for number in order:
        for target in machine.nodes[number].targets:
            before[target].append(number)
    every = (1 << len(machine.nodes)) - 1
    above = [every if number in seen else 0 for number in range(len(machine.nodes))]
    above[0] = 1
    changed = True
    while changed:
        changed = False
        for number in order[1:]:
            found = every
            for source in before[number]:
                found &= above[source]
            found |= 1 << number
            if found != above[number]:
                above[number], changed = found, True
    return above

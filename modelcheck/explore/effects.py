"""What a step touches: the read and write sets that every reduction is derived from.

A created stamp or name counts as reading and writing its sort, since two creations do not commute.  A program counter
is touched only where another process reads it (nesting does).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explore.table import ProcessTable, Step, Tables
from modelcheck.expression import Slot

Touched = Slot | str


@dataclass(frozen=True, slots=True)
class Effect:
    """Slots (and sorts) read and written."""

    reads: frozenset[Touched] = frozenset()
    writes: frozenset[Touched] = frozenset()

    def __or__(self, other: Effect) -> Effect:
        return Effect(self.reads | other.reads, self.writes | other.writes)

    def dependent(self, other: Effect) -> bool:
        """Whether the two do not commute, as far as the sets tell."""
        return not (self.writes.isdisjoint(other.reads) and self.writes.isdisjoint(other.writes)
                    and self.reads.isdisjoint(other.writes))


def step_effect(table: ProcessTable, step: Step) -> Effect:
    """What one step touches, its process's program counter included."""
    reads: set[Touched] = set()
    writes: set[Touched] = {table.pc}
    for move in step.moves:
        reads |= move.reads()
        writes |= move.writes()
    return Effect(frozenset(reads), frozenset(writes))


def local_effects(table: ProcessTable) -> list[Effect]:
    """For each local state, what all steps out of it touch, enabled or not."""
    found = []
    for steps in table.steps:
        effect = Effect()
        for step in steps:
            effect |= step_effect(table, step)
        found.append(effect)
    return found


def future_effects(table: ProcessTable, now: list[Effect]) -> list[Effect]:
    """For each local state, what the process may touch from there on."""
    future = list(now)
    changed = True
    while changed:
        changed = False
        for i in range(len(future) - 1, -1, -1):
            joined = future[i]
            for step in table.steps[i]:
                joined |= future[step.target]
            if joined != future[i]:
                future[i] = joined
                changed = True
    return future


def private_slots(tables: Tables) -> list[frozenset[Touched]]:
    """For each process, the slots and sorts that no other process touches and no invariant reads."""
    touched = []
    for table in tables.processes:
        effect = Effect()
        for each in local_effects(table):
            effect |= each
        touched.append(effect.reads | effect.writes)
    public: frozenset[Touched] = frozenset(tables.visible)
    return [frozenset(mine.difference(public, *(other for j, other in enumerate(touched) if j != i)))
            for i, mine in enumerate(touched)]


def feedback(targets: list[list[int]], start: int = 0) -> frozenset[int]:
    """Nodes that break every cycle reachable from `start`: the targets of back edges of one depth-first search."""
    state = [0] * len(targets)
    found: set[int] = set()
    stack: list[tuple[int, int]] = []
    for root in (start, *range(len(targets))):
        if state[root]:
            continue
        state[root] = 1
        stack.append((root, 0))
        while stack:
            node, position = stack.pop()
            if position == len(targets[node]):
                state[node] = 2
                continue
            stack.append((node, position + 1))
            target = targets[node][position]
            if state[target] == 1:
                found.add(target)
            elif state[target] == 0:
                state[target] = 1
                stack.append((target, 0))
    return frozenset(found)

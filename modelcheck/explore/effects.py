"""What a step touches: the read and write sets that every reduction is derived from.

A created stamp or name counts as reading and writing its sort, since two creations do not commute.  A program counter
is touched only where another process reads it (nesting does).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explore.table import ProcessTable, Tables, Touched


@dataclass(frozen=True, slots=True)
class Effect:
    """Slots (and sorts) read and written."""

    reads: frozenset[Touched] = frozenset()
    writes: frozenset[Touched] = frozenset()

    def dependent(self, other: Effect) -> bool:
        """Whether the two do not commute, as far as the sets tell."""
        return not (self.writes.isdisjoint(other.reads) and self.writes.isdisjoint(other.writes)
                    and self.reads.isdisjoint(other.writes))


def local_effects(table: ProcessTable) -> list[Effect]:
    """For each local state, what all steps out of it touch, enabled or not, its program counter included."""
    known: dict[tuple[frozenset[Touched], frozenset[Touched]], Effect] = {}
    found = []
    for steps in table.steps:
        moves = [move for step in steps for move in step.moves]
        reads = frozenset[Touched]().union(*[move.reads() for move in moves])
        writes = frozenset[Touched]((table.pc,) if steps else ()).union(*[move.writes() for move in moves])
        found.append(known.setdefault((reads, writes), Effect(reads, writes)))
    return found


def future_effects(table: ProcessTable, now: list[Effect]) -> list[Effect]:
    """For each local state, what the process may touch from there on: the least fixed point, over bit sets."""
    place: dict[Touched, int] = {}
    for effect in now:
        for each in (*effect.reads, *effect.writes):
            place.setdefault(each, len(place))
    width = len(place)
    bits = [sum(1 << place[r] for r in e.reads) | sum(1 << width + place[w] for w in e.writes) for e in now]
    targets = [sorted({step.target for step in steps}) for steps in table.steps]
    changed = True
    while changed:
        changed = False
        for i in range(len(bits) - 1, -1, -1):
            joined = bits[i]
            for target in targets[i]:
                joined |= bits[target]
            if joined != bits[i]:
                bits[i], changed = joined, True
    known = {one: Effect(frozenset(each for each, i in place.items() if one >> i & 1),
                         frozenset(each for each, i in place.items() if one >> width + i & 1))
             for one in dict.fromkeys(bits)}
    return [known[one] for one in bits]


def private_slots(tables: Tables) -> list[frozenset[Touched]]:
    """For each process, the slots and sorts that no other process touches and no invariant reads."""
    touched = [table.reads | table.writes | ({table.pc} if any(table.steps) else set()) for table in tables.processes]
    public: frozenset[Touched] = frozenset(tables.visible)
    return [mine.difference(public, *(other for j, other in enumerate(touched) if j != i))
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

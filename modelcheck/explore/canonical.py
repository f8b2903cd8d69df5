"""The canonical trace: shortest, then fewest context switches, then least by where it switches and by step labels.

Of two paths with as many switches the one that switches sooner is less: no step is taken before it is needed, which
keeps a counterexample to its point.

Computed layer by layer without merging or partial-order reduction (design.md section 5), on tables that slicing has
made smaller: what it drops takes no step in a shortest path.  For each state and the process that ran last the best
path of that length is kept, so the order in which states are met decides nothing.  Where the layers pass the bound
there is no canonical trace, and the report says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.successors import State, Successors
from modelcheck.explore.table import Step, Tables

Label = tuple[int, tuple[tuple[int, str], ...]]
Labels = tuple[Label, ...]
Rank = tuple[int, tuple[bool, ...], Labels]  # switches, which steps do not switch, the path as (process, choice)
Best = tuple[Rank, tuple[Step, ...]]

Goal = Callable[[State, Step], bool]


@lru_cache(maxsize=4096)
def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """A label for comparing, numbers by value: `bytes 8-11` comes before `bytes 12-14`."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text) if part)


def canonical_paths(
    tables: Tables, goal: Goal, depth: int, most_states: int, bounds: Bounds
) -> Iterator[tuple[Step, ...]]:
    """Paths to a step that `goal` accepts, best first: by length, switches, labels; at most `depth` steps long.

    One path for each last state and process; none once more than `most_states` states were met or a bound is reached.
    """
    successors = Successors(tables)
    layer: dict[tuple[State, int], Best] = {(successors.initial, -1): ((0, (), ()), ())}
    seen = {successors.initial}
    for _ in range(depth):
        following: dict[tuple[State, int], Best] = {}
        goals: list[Best] = []
        for (state, last), ((switches, stays, labels), steps) in layer.items():
            for p, table in enumerate(tables.processes):
                cost = switches + (last not in (-1, p))
                for which, after in successors.steps[p][state[p]](state):
                    step = table.steps[state[p]][which]
                    label = (table.process, _natural(step.moves[0].edge.choice))
                    rank = (cost, (*stays, last == p), (*labels, label))
                    if goal(state, step):
                        goals.append((rank, (*steps, step)))
                    if after not in seen and not step.breaks:
                        best = following.get((after, p))
                        if best is None or rank < best[0]:
                            following[after, p] = (rank, (*steps, step))
        for _, found in sorted(goals, key=lambda best: best[0]):
            yield found
        seen |= {state for state, _ in following}
        if len(seen) > most_states or bounds.reached(0):
            return
        layer = following

"""The canonical trace: shortest, then fewest context switches, then least by step labels.

Computed layer by layer without merging or partial-order reduction (design.md section 5), on tables that slicing has
made smaller: what it drops takes no step in a shortest path.  For each state and the process that ran last the best
path of that length is kept, so the order in which states are met decides nothing.  Where the layers pass the bound
there is no canonical trace, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.successors import State, Successors
from modelcheck.explore.table import Step, Tables

Labels = tuple[tuple[int, str], ...]
Best = tuple[int, Labels, tuple[Step, ...]]  # switches, the path as (process, choice), the path

Goal = Callable[[State, Step], bool]


def canonical_paths(tables: Tables, goal: Goal, depth: int, most_states: int, bounds: Bounds) -> Iterator[tuple[Step, ...]]:
    """Paths to a step that `goal` accepts, best first: by length, switches, labels; at most `depth` steps long.

    One path for each last state and process; none once more than `most_states` states were met or a bound is reached.
    """
    successors = Successors(tables)
    layer: dict[tuple[State, int], Best] = {(successors.initial, -1): (0, (), ())}
    seen = {successors.initial}
    for _ in range(depth):
        following: dict[tuple[State, int], Best] = {}
        goals: list[Best] = []
        for (state, last), (switches, labels, steps) in layer.items():
            for p, table in enumerate(tables.processes):
                cost = switches + (last not in (-1, p))
                for which, after in successors.steps[p][state[p]](state):
                    step = table.steps[state[p]][which]
                    path = (*labels, (table.process, step.moves[0].edge.choice))
                    if goal(state, step):
                        goals.append((cost, path, (*steps, step)))
                    if after not in seen and not step.breaks:
                        best = following.get((after, p))
                        if best is None or (cost, path) < best[:2]:
                            following[after, p] = (cost, path, (*steps, step))
        for _, _, found in sorted(goals, key=lambda best: best[:2]):
            yield found
        seen |= {state for state, _ in following}
        if len(seen) > most_states or bounds.reached(0):
            return
        layer = following

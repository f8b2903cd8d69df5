"""The canonical trace: shortest, then fewest context switches, then least by step labels.

Computed without merging, partial-order reduction or summaries (design.md section 5), on the sliced tables: what slicing
drops takes no step in a shortest path.  Where the search passes its bound there is none, and the report says so.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.search import Goals, search
from modelcheck.explore.successors import State, Successors
from modelcheck.explore.table import Step, Tables

Best = tuple[int, tuple[tuple[int, str], ...]]  # switches, then the path's (process, choice)


def shortest(tables: Tables, name: str, depth: int, most_states: int, bounds: Bounds) -> list[Step] | None:
    """The canonical path to a step that breaks `name`, at most `depth` steps long; None where the bound is passed."""
    found = search(tables, replace(bounds, states=most_states), Goals(), ample=False)
    if found.bound or found.path is None or len(found.path) > depth:
        return None
    return _fewest_switches(tables, name, len(found.path))


def _fewest_switches(tables: Tables, name: str, length: int) -> list[Step]:
    """Layer by layer: for each state and the process that ran last, the best path of exactly that many steps."""
    successors = Successors(tables)
    count = len(tables.processes)
    layer: dict[tuple[State, int], Best] = {(successors.initial, -1): (0, ())}
    steps: dict[tuple[tuple[int, str], ...], list[Step]] = {(): []}
    seen = {successors.initial}
    for depth in range(length):
        following: dict[tuple[State, int], Best] = {}
        paths: dict[tuple[tuple[int, str], ...], list[Step]] = {}
        goals: dict[tuple[tuple[int, str], ...], tuple[int, list[Step]]] = {}
        for (state, last), (switches, labels) in layer.items():
            for p in range(count):
                table = tables.processes[p]
                for which, after in successors.steps[p][state[p]](state):
                    step = table.steps[state[p]][which]
                    cost = switches + (last not in (-1, p))
                    path = (*labels, (table.process, step.moves[0].edge.choice))
                    if depth == length - 1:
                        if step.breaks == name:
                            goals[path] = (cost, [*steps[labels], step])
                    elif after not in seen and not step.breaks:
                        best = following.get((after, p))
                        if best is None or (cost, path) < best:
                            following[after, p] = (cost, path)
                            paths[path] = [*steps[labels], step]
        if depth == length - 1:
            return goals[min(goals, key=lambda path: (goals[path][0], path))][1]
        seen |= {state for state, _ in following}
        layer = following
        steps = {labels: paths[labels] for _, labels in layer.values()}
    return []

"""The canonical trace: shortest, then fewest context switches, then least by where it switches and by step labels.

Of two paths with as many switches the one that switches sooner is less: no step is taken before it is needed, which
keeps a counterexample to its point.

Computed layer by layer without merging or partial-order reduction (design.md section 5), on tables that slicing has
made smaller: what it drops takes no step in a shortest path.  For each state and the process that ran last the best
path of that length is kept, so the order in which states are met decides nothing.  Where the layers pass the bound
there is no canonical trace, and the report says so.

The native engine finds the layers and gives only the edges that lie on a shortest path to a goal; the best paths are
chosen among these here, by the same ranks.  A path to a goal takes no other edge, so they are the same paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, Engine
from modelcheck.explore.found import State
from modelcheck.explore.successors import Successors
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


def rank_of(steps: tuple[tuple[int, str], ...]) -> tuple[int, Rank]:
    """How a run, as (process, choice), ranks among others: the less, the better."""
    pairs = list(zip(((-1, ""), *steps), steps, strict=False))
    switches = sum(before[0] not in (-1, after[0]) for before, after in pairs)
    stays = tuple(before[0] == after[0] for before, after in pairs)
    return len(steps), (switches, stays, tuple((process, _natural(choice)) for process, choice in steps))


def canonical_paths(
    tables: Tables, goal: Goal, depth: int, most_states: int, bounds: Bounds, engine: Engine = REFERENCE
) -> Iterator[tuple[Step, ...]]:
    """Paths to a step that `goal` accepts, best first: by length, switches, labels; at most `depth` steps long.

    One path for each last state and process; none once more than `most_states` states were met or a bound is reached.
    A step that breaks a property leads nowhere.  `goal` must judge an observing step by what it observes.
    """
    if engine.name == "native":
        from modelcheck.explore.native.program import Untakeable
        from modelcheck.explore.native.shortest import Shortest

        try:
            shortest = Shortest(tables, goal, bounds)
        except Untakeable:
            yield from _layers(tables, goal, depth, most_states, bounds)
            return
        for _ in range(depth):
            edges, goals = shortest.next_layer()
            yield from _best(tables, edges, goals)
            if shortest.size > most_states or shortest.ended or bounds.reached(0):
                return
        return
    yield from _layers(tables, goal, depth, most_states, bounds)


def extended(best: Best, last: int, p: int, step: Step, process: int) -> Best:
    """A path with one step more, by process p, after one whose last step was by process `last`."""
    (switches, stays, labels), steps = best
    label = (process, _natural(step.moves[0].edge.choice))
    return (switches + (last not in (-1, p)), (*stays, last == p), (*labels, label)), (*steps, step)


def _layers(
    tables: Tables, goal: Goal, depth: int, most_states: int, bounds: Bounds
) -> Iterator[tuple[Step, ...]]:
    successors = Successors(tables)
    layer: dict[tuple[State, int], Best] = {(successors.initial, -1): ((0, (), ()), ())}
    seen = {successors.initial}
    for _ in range(depth):
        following: dict[tuple[State, int], Best] = {}
        goals: list[Best] = []
        for (state, last), best in layer.items():
            for p, table in enumerate(tables.processes):
                for which, after in successors.steps[p][state[p]](state):
                    step = table.steps[state[p]][which]
                    longer = extended(best, last, p, step, table.process)
                    if goal(state, step):
                        goals.append(longer)
                    if after not in seen and not step.breaks:
                        known = following.get((after, p))
                        if known is None or longer[0] < known[0]:
                            following[after, p] = longer
        for _, found in sorted(goals, key=lambda best: best[0]):
            yield found
        seen |= {state for state, _ in following}
        if len(seen) > most_states or bounds.reached(0):
            return
        layer = following


NumberedEdge = tuple[int, int, Step, int]  # state, process, step, next state (-1: a goal)


def _best(tables: Tables, edges: list[list[NumberedEdge]], goals: list[NumberedEdge]) -> Iterator[tuple[Step, ...]]:
    """The best paths along edges, layer by layer from state 0, to the goals out of the last layer."""
    layer: dict[tuple[int, int], Best] = {(0, -1): ((0, (), ()), ())}
    for out in edges:
        following: dict[tuple[int, int], Best] = {}
        by_state: dict[int, list[NumberedEdge]] = {}
        for edge in out:
            by_state.setdefault(edge[0], []).append(edge)
        for (state, last), best in layer.items():
            for _, p, step, after in by_state.get(state, ()):
                longer = extended(best, last, p, step, tables.processes[p].process)
                known = following.get((after, p))
                if known is None or longer[0] < known[0]:
                    following[after, p] = longer
        layer = following
    ended = [
        extended(best, last, p, step, tables.processes[p].process)
        for (state, last), best in layer.items()
        for source, p, step, _ in goals
        if source == state
    ]
    for _, found in sorted(ended, key=lambda best: best[0]):
        yield found

"""A lasso: a run whose end repeats for ever, and so violates an `eventually` property.  See fairness.py for the words.

Its one invariant: it looks at the full model and at the run alone, whatever search the run came from: the loop closes,
`when` held before it, the goal does not hold from there on, and it is fair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.explore.run import Run
from modelcheck.expression import TRUE, Slot
from modelcheck.system.model import Property

UNROLLED = (1, 2, 4, 8)  # times a loop is run on the full model, which may take a few to come to what repeats


@dataclass(frozen=True, slots=True)
class Lasso:
    """A run that shows a violation: how many steps it has, and how many of the last of them repeat (0: all stop)."""

    steps: int
    loop: int


def lasso_of(run: Run, prop: Property) -> Lasso | None:
    """The shortest beginning of a run that violates an `eventually` property if its end repeats, or None.

    The run is taken again.  States are the same up to the names of stamps (their order kept) and names; `when` must
    have held, the goal not since, and each fair process must step in the loop or be somewhere in it not enabled.
    """
    assert prop.goal is not None
    system, goal, when = run.system, prop.goal, prop.condition or TRUE
    fair = [i for i, process in enumerate(system.processes) if process.name in prop.fair]
    again = Run(system)
    slots = sorted(run.values, key=lambda slot: slot.name)
    armed, met, places = -1, list[frozenset[int]](), list[object]()
    for length in range(len(run.steps) + 1):
        if length:
            again.take(run.steps[length - 1].edge)
        resting = frozenset(p for p in fair if all(edge.preempts for edge in again.enabled(p)))
        met.append(resting)
        places.append((tuple(again.locals), _renamed(slots, again)))
        if again.value(goal):
            armed = -1
        elif armed < 0 and again.value(when):
            armed = length
        if armed < 0:
            continue
        if len(resting) == len(fair):
            return Lasso(length, 0)
        for start in range(length - 1, armed - 1, -1):
            if places[start] != places[length]:
                continue
            stepped = {happened.edge.process for happened in run.steps[start:length]}
            if stepped.union(*met[start:]).issuperset(fair):
                return Lasso(length, length - start)
    return None


def _renamed(slots: Sequence[Slot], run: Run) -> tuple[int, ...]:
    """The values of the slots, stamps by rank and names by first place."""
    values = [run.values.get(slot, slot.initial) for slot in slots]
    by_sort: dict[tuple[str, str], list[int]] = {}
    for i, slot in enumerate(slots):
        if slot.domain.kind in ("stamp", "name"):
            by_sort.setdefault((slot.domain.kind, slot.domain.sort), []).append(i)
    for (kind, _), places in by_sort.items():
        held = [values[i] for i in places if values[i] >= 0]
        inorder = sorted(set(held)) if kind == "stamp" else list(dict.fromkeys(held))
        order = {value: rank for rank, value in enumerate(inorder)}
        for i in places:
            values[i] = order.get(values[i], -1)
    return tuple(values)

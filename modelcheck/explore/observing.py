"""From a state to an observation: the bytes a process hands over, with their stamps renamed to rank.

The canonical form is what z3's answers are cached by, across all systems of a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelcheck.explore.found import State
from modelcheck.explore.table import Observes, SeenValue
from modelcheck.expression import Slot
from modelcheck.smt.values import Observation, Seen, SeenFact


def observation_of(observes: Observes, index: Mapping[Slot, int], state: State) -> Observation:
    """The observation a state makes at an observing step; versions are numbered from the oldest seen."""
    return _Shape(observes, index).observation(state)


class Observer:
    """`observation_of` for the states of one table, with what each observing step looks at found once."""

    def __init__(self, index: Mapping[Slot, int]) -> None:
        self._index = index
        self._shapes: dict[int, _Shape] = {}

    def observation(self, observes: Observes, state: State) -> Observation:
        """The observation; `observes` is one of the table's."""
        shape = self._shapes.get(id(observes))
        if shape is None:
            shape = self._shapes[id(observes)] = _Shape(observes, self._index)
        return shape.observation(state)


class _Shape:
    """Where in a state the cells of each observed value lie; values seen before are handed out again."""

    def __init__(self, observes: Observes, index: Mapping[Slot, int]) -> None:
        self.observes = observes  # held, so that its id stays its own
        self._stamps = [[index[cell.slot] for cell in value.cells] for value in observes.values]
        self._forms = [
            [-1 if cell.form is None else index[cell.form] for cell in value.cells] for value in observes.values
        ]
        self._places = sorted({place for places in self._stamps for place in places})
        self._seen: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Seen] = {}

    def observation(self, state: State) -> Observation:
        rank = {stamp: i for i, stamp in enumerate(sorted({state[place] for place in self._places}))}
        values = []
        for number, value in enumerate(self.observes.values):
            ranks = tuple([rank[state[place]] for place in self._stamps[number]])
            forms = tuple([0 if place < 0 else state[place] for place in self._forms[number]])
            key = number, ranks, forms
            seen = self._seen.get(key)
            if seen is None:
                seen = self._seen[key] = _seen(value, ranks, forms)
            values.append(seen)
        facts = tuple(
            [SeenFact(test, tuple([values[i] for i in at]), outcome) for test, at, outcome in self.observes.facts]
        )
        return Observation(self.observes.property, tuple(values), facts, len(rank))


def _seen(value: SeenValue, ranks: tuple[int, ...], forms: tuple[int, ...]) -> Seen:
    found = {}
    for cell, rank, form in zip(value.cells, ranks, forms, strict=True):
        name = "" if cell.form is None else cell.forms[form]
        for offset in cell.bytes:
            found[offset] = (offset, rank, name)
    return Seen(value.name, value.lo, value.hi, tuple(found.get(o, (o, -1, "")) for o in range(value.lo, value.hi)))

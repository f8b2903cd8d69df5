"""From a state to an observation: the bytes a process hands over, with their stamps renamed to rank.

The canonical form is what z3's answers are cached by, across all systems of a sweep.  A *pattern* is what the state
says of it, ranks and forms by value; which bytes these are the observing step says.  So systems whose graphs are equal
have equal patterns, and each its own observations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelcheck.explore.found import State
from modelcheck.explore.table import Observes, SeenValue, Tables
from modelcheck.expression import Slot
from modelcheck.smt.values import Observation, Seen, SeenFact

Pattern = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]  # for each value the ranks and the forms of its cells


def observation_of(observes: Observes, index: Mapping[Slot, int], state: State) -> Observation:
    """The observation a state makes at an observing step; versions are numbered from the oldest seen."""
    return Observer(index).observation(observes, state)


def observing(tables: Tables) -> tuple[Observes, ...]:
    """What the observing steps of tables hand over, each once, in order."""
    moves = (move for table in tables.processes for move in table.all_moves())
    return tuple(dict.fromkeys(move.observes for move in moves if move.observes is not None))


class Observer:
    """The observations of the states of one table, with what each observing step looks at found once.

    `among` are the observing steps by their places.
    """

    def __init__(self, index: Mapping[Slot, int], among: Sequence[Observes] = ()) -> None:
        self._index = index
        self._shapes: dict[int, _Shape] = {}
        self._places = {observes: place for place, observes in enumerate(among)}

    def observation(self, observes: Observes, state: State) -> Observation:
        """The observation; `observes` is one of the table's."""
        shape = self._shape(observes)
        return shape.observation(shape.pattern(state))

    def pattern(self, observes: Observes, state: State) -> Pattern:
        """What the state says of it."""
        return self._shape(observes).pattern(state)

    def place(self, observes: Observes) -> int:
        """Its place."""
        return self._shape(observes).place

    def told(self, observes: Observes, pattern: Pattern) -> Observation:
        """The observation of a pattern."""
        return self._shape(observes).observation(pattern)

    def _shape(self, observes: Observes) -> _Shape:
        shape = self._shapes.get(id(observes))
        if shape is None:
            shape = self._shapes[id(observes)] = _Shape(observes, self._index, self._places.get(observes, -1))
        return shape


class _Shape:
    """Where in a state the cells of each observed value lie; values seen before are handed out again."""

    def __init__(self, observes: Observes, index: Mapping[Slot, int], place: int) -> None:
        self.observes = observes  # held, so that its id stays its own
        self.place = place
        self._stamps = [[index[cell.slot] for cell in value.cells] for value in observes.values]
        self._forms = [
            [-1 if cell.form is None else index[cell.form] for cell in value.cells] for value in observes.values
        ]
        self._places = sorted({place for places in self._stamps for place in places})
        self._seen: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Seen] = {}

    def pattern(self, state: State) -> Pattern:
        rank = {stamp: i for i, stamp in enumerate(sorted({state[place] for place in self._places}))}
        return tuple([
            (
                tuple([rank[state[place]] for place in stamps]),
                tuple([0 if place < 0 else state[place] for place in forms]),
            )
            for stamps, forms in zip(self._stamps, self._forms, strict=True)
        ])  # fmt: skip

    def observation(self, pattern: Pattern) -> Observation:
        values = []
        for number, (ranks, forms) in enumerate(pattern):
            key = number, ranks, forms
            seen = self._seen.get(key)
            if seen is None:
                seen = self._seen[key] = _seen(self.observes.values[number], ranks, forms)
            values.append(seen)
        facts = tuple(
            [SeenFact(test, tuple([values[i] for i in at]), outcome) for test, at, outcome in self.observes.facts]
        )
        versions = 1 + max((rank for ranks, _ in pattern for rank in ranks), default=-1)  # ranks have no gaps
        return Observation(self.observes.property, tuple(values), facts, versions)


def _seen(value: SeenValue, ranks: tuple[int, ...], forms: tuple[int, ...]) -> Seen:
    found = {}
    for cell, rank, form in zip(value.cells, ranks, forms, strict=True):
        name = "" if cell.form is None else cell.forms[form]
        for offset in cell.bytes:
            found[offset] = (offset, rank, name)
    return Seen(value.name, value.lo, value.hi, tuple(found.get(o, (o, -1, "")) for o in range(value.lo, value.hi)))

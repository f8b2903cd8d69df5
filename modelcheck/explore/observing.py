"""From a state to an observation: the bytes a process hands over, with their stamps renamed to rank.

The canonical form is what z3's answers are cached by, across all systems of a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelcheck.explore.table import Observes, SeenValue
from modelcheck.expression import Slot
from modelcheck.smt.values import Observation, Seen, SeenFact


def observation_of(observes: Observes, index: Mapping[Slot, int], state: tuple[int, ...]) -> Observation:
    """The observation a state makes at an observing step; versions are numbered from the oldest seen."""
    stamps = sorted({state[index[cell.slot]] for value in observes.values for cell in value.cells})
    rank = {stamp: i for i, stamp in enumerate(stamps)}

    def seen(value: SeenValue) -> Seen:
        found = {}
        for cell in value.cells:
            form = "" if cell.form is None else cell.forms[state[index[cell.form]]]
            for offset in cell.bytes:
                found[offset] = (offset, rank[state[index[cell.slot]]], form)
        return Seen(value.name, value.lo, value.hi, tuple(found.get(o, (o, -1, "")) for o in range(value.lo, value.hi)))

    values = tuple(seen(value) for value in observes.values)
    facts = tuple(SeenFact(test, tuple(values[i] for i in places), outcome) for test, places, outcome in observes.facts)
    return Observation(observes.property, values, facts, len(stamps))

"""All final states of a model whose processes end: what a litmus test asks.

An execution counts when every process has finished; one that waits for ever, or whose guess was wrong, is none.
Reduced searches reach every final state, since a reduction may leave out orders, never where a run can end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.dead_slots import reset_dead_slots
from modelcheck.explore.engine import REFERENCE, Engine, run_search
from modelcheck.explore.found import Found, Goals
from modelcheck.explore.merging import merge_local_steps
from modelcheck.explore.table import Tables, build_tables
from modelcheck.expression import Slot
from modelcheck.system.edge import Edge
from modelcheck.system.link import System
from modelcheck.system.model import Model


@dataclass(frozen=True, slots=True)
class Outcomes:
    """`states` are the final values of the slots asked for, each once, sorted; none where `bound` ended the search.

    `searched` is how many states the search stored.
    """

    states: tuple[tuple[int, ...], ...]
    searched: int
    bound: str


@dataclass(frozen=True, slots=True)
class Ends:
    """A search for final states: `ends` are their numbers and values, in the order they were found."""

    system: System
    found: Found
    ends: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def outcomes(self) -> Outcomes:
        """What was found, each once."""
        bound = self.found.bound or self.system.window_bound(range(len(self.system.processes)))
        return Outcomes(tuple(sorted({values for _, values in self.ends})), self.found.size, bound)

    def path_to(self, values: tuple[int, ...]) -> list[Edge]:
        """The edges of a shortest execution of the reduced graph that ends with these values, one of the outcomes."""
        number = next(number for number, final in self.ends if final == values)
        return [
            move.edge for taken in self.found.path_to(number) for move in taken.step(self.found.tables).moves
        ]


def outcomes(
    model: Model,
    names: Sequence[str],
    bounds: Bounds = Bounds(),
    engine: Engine = REFERENCE,
    without: frozenset[str] = frozenset(),
) -> Outcomes:
    """The final values of slots and of areas of numbers, by name, over all executions in which every process ends.

    What no process touches keeps its initial value.  `without` are reductions switched off: dead, merge, ample.
    """
    return search_ends(model, names, bounds, engine, without).outcomes


def search_ends(
    model: Model, names: Sequence[str], bounds: Bounds, engine: Engine, without: frozenset[str] = frozenset()
) -> Ends:
    """The search that `outcomes` tells of."""
    system = System(model, frozenset())
    tables = build_tables(system)
    slots = [_slot(model, tables, name) for name in names]
    if "dead" not in without:
        shown = tuple(slot.eq(slot.initial) for slot in slots if isinstance(slot, Slot))
        tables = replace(reset_dead_slots(replace(tables, asked=shown)), asked=())
    if "merge" not in without:
        tables = merge_local_steps(tables)
    found = run_search(tables, bounds, Goals(), "ample" not in without, engine=engine)
    done = [
        {
            i
            for i, local in enumerate(table.locals)
            if system.spaces[table.process].node(local).action is None and not local.window
        }
        for table in found.tables.processes
    ]
    places = [found.tables.index.get(slot) if isinstance(slot, Slot) else None for slot in slots]
    first = [slot.initial if isinstance(slot, Slot) else slot for slot in slots]
    ends: list[tuple[int, tuple[int, ...]]] = []
    for number in range(0 if found.bound else found.size):  # what a bound ended may not even have its first state
        state = found.state(number)
        if all(state[p] in end for p, end in enumerate(done)):
            ends.append((number, tuple(int(first[i] if at is None else state[at]) for i, at in enumerate(places))))
    return Ends(system, found, tuple(ends))


def _slot(model: Model, tables: Tables, name: str) -> Slot | int:
    """The slot of that name; for an area that nobody touches, what it starts with."""
    found = next((slot for slot in tables.slots if slot.name == name), None)
    if found is not None:
        return found
    return model.areas[name].initial if name in model.areas else 0

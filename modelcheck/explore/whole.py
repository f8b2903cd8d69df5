"""The whole graph of a model, nothing reduced: what a count is compared by, and a rate measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import Engine, run_search
from modelcheck.explore.found import Answer, Goals
from modelcheck.explore.table import build_tables
from modelcheck.expression import Expr
from modelcheck.system.link import System
from modelcheck.system.model import Model


@dataclass(frozen=True, slots=True)
class Whole:
    """The size of a graph, how long its search alone took, and bytes held for each state (0: not known)."""

    states: int
    transitions: int
    depth: int
    seconds: float
    bytes_per_state: float
    packed_bytes: int
    violated: str
    bound: str


def search_whole(
    model: Model, property: str, bounds: Bounds, engine: Engine, clock: Callable[[], float] = monotonic
) -> Whole:
    """Searches everything the model can do, up to the first violation of an assertion; observations are not judged."""
    system = System(model, frozenset({property} if property else ()))
    prop = model.properties.get(property)
    invariants: tuple[tuple[str, Expr], ...] = ()
    if prop is not None and prop.kind == "invariant" and prop.condition is not None:
        invariants = ((prop.name, prop.condition),)
    tables = build_tables(system, invariants)
    started = clock()
    found = run_search(tables, bounds, Goals(lambda *asked: Answer.NEVER), ample=False, engine=engine)
    seconds = clock() - started
    return Whole(
        found.size,
        found.transitions,
        found.depth,
        seconds,
        getattr(found, "bytes_per_state", 0.0),
        getattr(found, "packed_bytes", 0),
        found.violated,
        found.bound,
    )

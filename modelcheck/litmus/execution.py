"""The execution behind one final state of a litmus test: a run to it, taken again by the reference semantics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.errors import InternalError, UsageError
from modelcheck.explore.outcomes import search_ends
from modelcheck.explore.run import Run
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.model import model_of, prepare
from modelcheck.litmus.verdict import reader
from modelcheck.system.link import System
from modelcheck.trace.execution import Execution, execution_of

if TYPE_CHECKING:
    from modelcheck.explore.bounds import Bounds
    from modelcheck.explore.engine import Engine


def execution(test: LitmusTest, memory: str, row: int, bounds: Bounds, engine: Engine) -> Execution:
    """The execution that ends in the final state of that number, counted from 1 as `modelcheck litmus` prints them.

    Number 0 is the first state that satisfies the test's condition, and else the first.  Raises UsageError where there
    is no such state.
    """
    from modelcheck.litmus.condition import holds

    ready = prepare(test)
    model = model_of(test, memory, ready)
    search = search_ends(model, ready.names, bounds, engine)
    found = search.outcomes
    if found.bound:
        raise UsageError(f"the search of {test.name} ended after {found.searched:,} states: {found.bound}; raise it")
    rows: dict[tuple[int, ...], tuple[int, ...]] = {}
    good: list[tuple[int, ...]] = []
    for state in found.states:
        value = reader(ready, state)
        if test.filter is None or holds(test.filter, value):
            shown = tuple(map(value, test.observed))
            rows.setdefault(shown, state)
            if holds(test.condition, value):
                good.append(shown)
    ordered = sorted(rows)
    if not 0 <= row <= len(ordered) or not ordered:
        raise UsageError(
            f"{test.name} has no final state {row} under {memory}; `modelcheck litmus` prints its {len(ordered)}"
        )
    chosen = ordered[row - 1] if row else min(good, default=ordered[0])
    system = System(model, frozenset())
    run = Run(system)
    for edge in search.path_to(rows[chosen]):
        run.take(edge)
    if any(system.spaces[p].node(local).action is not None for p, local in enumerate(run.locals)):
        raise InternalError("the run to a final state does not end; please report this")
    names = {number: name for name, number in ready.possible.addresses.items()}
    final = zip(map(str, test.observed), (names.get(number, str(number)) for number in chosen), strict=True)
    return execution_of(run, test.name, tuple(final))

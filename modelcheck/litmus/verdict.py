"""The verdict on a litmus test: its final states under a memory model, and what they say of its condition.

Its one invariant: a search that a bound ended has no observation.  Numbers of witnesses are numbers of final states,
not of executions as herd's are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelcheck.litmus.condition import AddressOf, Observable, Operand, Quantifier, holds, to_text
from modelcheck.litmus.errors import LitmusError
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.model import Prepared, model_of, prepare
from modelcheck.litmus.program import Load, Rmw, Store, walk

if TYPE_CHECKING:
    from modelcheck.explore.bounds import Bounds
    from modelcheck.explore.engine import Engine

EXPECTATION = {"exists": "Allowed", "~exists": "Forbidden", "forall": "Required"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out; `states` are rows of texts for `observables`, sorted, `bound` is what ended the search, or ""."""

    name: str
    path: str
    memory: str
    quantifier: Quantifier
    condition: str
    observables: tuple[str, ...]
    states: tuple[tuple[str, ...], ...]
    positive: int
    negative: int
    bound: str
    searched: int
    seconds: float

    @property
    def observation(self) -> str:
        """Never, Sometimes or Always; INCOMPLETE where a bound ended the search."""
        if self.bound:
            return "INCOMPLETE"
        return "Never" if self.positive == 0 else "Always" if self.negative == 0 else "Sometimes"

    @property
    def validated(self) -> bool:
        """Whether the final states are as the quantifier says."""
        if self.quantifier == "forall":
            return self.negative == 0
        return (self.positive > 0) == (self.quantifier == "exists")


def decide(test: LitmusTest, memory: str, bounds: Bounds, engine: Engine) -> Verdict:
    """Searches every execution; raises Unsupported, or LitmusError where a pointer that is no address is used."""
    from modelcheck.explore.outcomes import Outcomes, outcomes

    started = time.monotonic()
    ready = prepare(test)
    if bound := bounds.reached(0):
        found = Outcomes((), 0, bound)  # a test after the time is up, or after a signal
    else:
        found = outcomes(model_of(test, memory, ready), ready.names, bounds, engine)
    _check_pointers(ready, found.states)
    wanted = test.observed
    rows: dict[tuple[int, ...], bool] = {}
    for state in found.states:
        value = reader(ready, state)
        if test.filter is None or holds(test.filter, value):
            rows[tuple(map(value, wanted))] = holds(test.condition, value)
    positive = sum(rows.values())
    names = {number: name for name, number in ready.possible.addresses.items()}
    shown = tuple(tuple(names.get(number, str(number)) for number in row) for row in sorted(rows))
    return Verdict(test.name, test.path, memory, test.quantifier, to_text(test.condition), tuple(map(str, wanted)),
                   shown, positive, len(rows) - positive, found.bound, found.searched, time.monotonic() - started)


def reader(ready: Prepared, state: tuple[int, ...]) -> Callable[[Operand], int]:
    """What a condition's operands are in a final state."""
    held = dict(zip(ready.names, map(int, state), strict=True))  # the Python engine leaves truth values as they are
    values = {o.observable: held[o.name] if o.name else o.constant for o in ready.observed}

    def value(operand: Operand) -> int:
        match operand:
            case Observable():
                return values[operand]
            case AddressOf(location):
                return ready.possible.addresses[location]
            case _:
                return operand

    return value


def _check_pointers(ready: Prepared, states: tuple[tuple[int, ...], ...]) -> None:
    first = len(ready.names) - len(ready.faults)
    for state in states:
        for name, line in zip(ready.faults, state[first:], strict=True):
            if line:
                number = int(name.partition(":")[0])
                column = next(s.place[1] for s in walk(ready.test.processes[number])
                              if isinstance(s, (Load, Store, Rmw)) and s.place[0] == line)
                raise LitmusError(f"P{number} dereferences a pointer that holds no address in some execution; give "
                                  "every pointer an initial value, or test it first",
                                  f"{ready.test.path}:{line}:{column}")

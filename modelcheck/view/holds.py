"""Which lock is held from which row to which, for the bars beside the lanes.

Its one invariant: a bar begins at the row that took the lock and ends at the one that gives it back, or at the end of
the drawing; two bars of one process that overlap in time have different slots while there are slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

SLOTS = 3  # bars that fit between a lane and the labels of its arrows; a fourth lies on the third


@dataclass(frozen=True, slots=True)
class Hold:
    """A lock that process `process` holds from row `first` to row `last`, None for the end; `slot` counts from 0."""

    process: int
    first: int
    last: int | None
    slot: int


def holds(trace: Trace, shown: list[Row]) -> list[Hold]:
    """The bars in the order in which the locks were taken; of locks that no row takes there is none."""
    place = {step: index for index, row in enumerate(shown) for step in row.steps}
    taken: dict[tuple[int, str], list[int]] = {}  # (process, lock) -> the steps that took it and did not give it back
    spans: list[tuple[int, int, int | None]] = []  # process, the step that took it, the one that gave it back
    for index, step in enumerate(trace.steps):
        if step.lock is None:
            continue
        key = (step.process, step.lock.lock)
        if step.lock.op == "acquire":
            taken.setdefault(key, []).append(index)
        elif step.lock.op == "release" and taken.get(key):
            spans.append((step.process, taken[key].pop(), index))
    spans += [(process, index, None) for (process, _), steps in taken.items() for index in steps]
    made: list[Hold] = []
    for process, start, end in sorted(spans, key=lambda span: span[1]):
        if start not in place:
            continue
        first = place[start]
        last = None if end is None else place.get(end, _after(shown, end))
        busy = {hold.slot for hold in made if hold.process == process and (hold.last is None or hold.last > first)}
        free = next((slot for slot in range(SLOTS) if slot not in busy), SLOTS - 1)
        made.append(Hold(process, first, last, free))
    return made


def _after(shown: list[Row], step: int) -> int | None:
    """The first row after a step that has none."""
    return next((index for index, row in enumerate(shown) if row.steps[0] > step), None)

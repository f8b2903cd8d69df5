"""Why a trace failed, in sentences for the text views: the false part, when it was decided, what would have passed.

A trace that says nothing of these gets no sentence.  Steps are numbered from 1, as in every view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace


def sentences(trace: Trace) -> list[str]:
    """The sentences, in order; none for a trace that was not explained."""
    found = [f"False: {trace.conjunct}."] if trace.conjunct else []
    if trace.fate is not None:
        found.append(_decided(trace, trace.fate.step, trace.fate.open))
    if trace.passing is not None:
        found.append(trace.passing.text)
    return found


def _decided(trace: Trace, number: int, open_: str) -> str:
    if number < 0:
        return "No schedule avoids it, from the start."
    step = trace.steps[number]
    where = f"step {number + 1} ({trace.processes[step.process].name}: {step.label})"
    earlier = f", and perhaps from an earlier one: {open_}" if open_ else ""
    return f"From {where} on no schedule avoids it{earlier}."

"""What a trace says of its failure beside the steps: the part that is false, when it was decided, what passes.

Each is a sentence, there only where the trace holds it; text from the trace is not escaped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import Fate, Trace

FAILS = "every schedule in which the failing process goes on fails"


def sentences(trace: Trace) -> list[str]:
    """The sentences, in the order in which one asks; [] where the trace holds none of it."""
    found = []
    if trace.conjunct:
        found.append(f"False: {_ended(trace.conjunct)}")
    if trace.fate is not None:
        found.append(_decided(trace, trace.fate))
    if trace.passing is not None:
        found.append(f"The nearest schedule that passes: {_ended(trace.passing.text)}")
    return found


def _decided(trace: Trace, fate: Fate) -> str:
    since = "From the start"
    if fate.step >= 0:
        step = trace.steps[fate.step]
        since = f"After step {fate.step + 1} ({trace.processes[step.process].name}: {step.label})"
    if fate.open:
        return f"{since} {FAILS}, and perhaps earlier: {_ended(fate.open)}"
    before = " and not before" if fate.step >= 0 else ""
    return f"{since} {FAILS}{before} ({fate.states:,} states searched)."


def _ended(text: str) -> str:
    return f"{text.rstrip('.')}."

"""A row in one sentence, for people who read or hear the steps one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.escape import printable

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row


ATTEMPT = "attempt: "  # the choice of a step that is asked for and cannot be taken


def length(trace: Trace) -> str:
    """`30 steps, 1 context switch`."""
    steps, switches = len(trace.steps), trace.switches
    return f"{steps} step{'s' * (steps != 1)}, {switches} context switch{'es' * (switches != 1)}"


def sentence(trace: Trace, row: Row) -> str:
    """`vcpu, in update_guest(): *rs_state = state -> 0x2 (update 2); smp_wmb().`"""
    where = f", in {row.function}()" if row.function else ""
    act = f"{row.text} {row.result}" if row.result else row.text
    did = "; ".join([*(f"({note})" for note in row.notes), act, *row.after])
    told = f"{trace.processes[row.process].name}{where}: {did}."
    step = trace.steps[row.steps[-1]]
    if step.choice.startswith(ATTEMPT) and step.lock is None:
        told += " It is blocked here."
    return printable(told) + (" This is the step that decides." if row.deciding else "")

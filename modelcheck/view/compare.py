"""Two schedules side by side: aligned where they agree, on (process, choice) of each step.

Its one invariant: every step of both is in exactly one row, in its own order; a row with both says the same in both.
(Longest matching blocks, as `difflib` finds them; it may miss the longest common subsequence, never the order.)
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.escape import columns, printable, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelcheck.trace.trace import Trace

    Schedule = Sequence[tuple[str, str]]

CELL = 56  # columns of one side in a terminal


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: the step's place in each schedule, from 0, or -1 where it is only in the other one."""

    left: int
    right: int


def schedule(trace: Trace) -> list[tuple[str, str]]:
    """The trace's steps as (process, choice)."""
    return [(trace.processes[step.process].name, step.choice) for step in trace.steps]


def align(left: Schedule, right: Schedule) -> list[Pair]:
    """The rows in order; where both differ, the left one's steps come first."""
    pairs = []
    for same, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if same == "equal":
            pairs += [Pair(a + i, c + i) for i in range(b - a)]
        else:
            pairs += [Pair(i, -1) for i in range(a, b)] + [Pair(-1, i) for i in range(c, d)]
    return pairs


def differences(left: Trace, right: Trace) -> list[tuple[str, str, str]]:
    """What was checked otherwise, as (name, left, right), empty where one has none."""
    ours, theirs = dict(left.parameters), dict(right.parameters)
    told = [("spec", left.spec, right.spec), ("version", left.version, right.version),
            ("property", left.property, right.property), ("memory", left.memory, right.memory),
            ("left out", left.without, right.without)]
    told += [(name, ours.get(name, ""), theirs.get(name, "")) for name in dict.fromkeys((*ours, *theirs))]
    return [line for line in told if line[1] != line[2]]


def summary(pairs: list[Pair]) -> str:
    """How much agrees, in one sentence."""
    both = sum(pair.left >= 0 and pair.right >= 0 for pair in pairs)
    left = sum(pair.right < 0 for pair in pairs)
    right = sum(pair.left < 0 for pair in pairs)
    if not left and not right:
        return f"The schedules are the same, {both} steps."
    first = next(place for place, pair in enumerate(pairs) if min(pair.left, pair.right) < 0)
    part = f"they part after step {first}" if first else "they differ from the first step"
    return f"{both} steps agree, {left} are only in the left schedule and {right} only in the right one; {part}."


def render(left: Trace, right: Trace) -> str:
    """A plain table: `|` between steps that agree, `<` and `>` where one schedule has a step that the other has not."""
    pairs = align(schedule(left), schedule(right))
    lines = [_title("left", left), _title("right", right)]
    lines += [printable(f"{name}: {a or '-'} | {b or '-'}") for name, a, b in differences(left, right)]
    lines += [summary(pairs), ""]
    sides = [(_cell(left, pair.left), _cell(right, pair.right)) for pair in pairs]
    width = max((columns(line) for cell, _ in sides for line in cell), default=0)
    for pair, (one, other) in zip(pairs, sides, strict=True):
        mark = "<" if pair.right < 0 else ">" if pair.left < 0 else "|"
        for depth in range(max(len(one), len(other))):
            a = one[depth] if depth < len(one) else ""
            b = other[depth] if depth < len(other) else ""
            lines.append(f"{a}{' ' * (width - columns(a))}  {mark}  {b}".rstrip())
    lines += ["", *(f"{side}: => {printable(trace.consequence)}" for side, trace in (("left", left), ("right", right)))]
    return "\n".join(lines) + "\n"


def _title(side: str, trace: Trace) -> str:
    known = f" (known: {trace.case})" if trace.case else ""
    return printable(f"{side}: {trace.spec} {trace.version}: {trace.property}{known}, id {trace_id(trace)}")


def _cell(trace: Trace, index: int) -> list[str]:
    if index < 0:
        return []
    step = trace.steps[index]
    mark = "*" if index == trace.deciding else ""
    text = f"{index + 1}{mark} {trace.processes[step.process].name}: {step.choice or step.label}"
    return wrap(printable(text), CELL, 4)

"""Display rows: a trace told in the fewest rows that still say what happened, shared by every view.

Its one invariant: rows are in the order of the trace, each of one process, and no step is in two rows.  Unless
everything is asked for, neighbouring pieces of one access become one row, barriers join the access beside them, and
steps that nothing else depends on are left out.  What a value means is not known here; an update is a number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelcheck.view.provenance import Variants, byte_ranges, origin, value, variants

if TYPE_CHECKING:
    from modelcheck.trace.trace import ByteSource, Step, Trace

VERDICTS = ("compare", "observe", "check")
MARKS = ("reach ", "progress")  # local steps that only count for the search


ACCESSES = ("load", "store", "update")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the steps it tells, what the process does (`text`) and what comes of it (`result`, may be empty).

    `number` is the first step's, from 1.  `op` is "load", "store" or ""; `bytes` are what it touched, by offset, and
    `start` the first byte of the whole access.  `notes` are choices made just before, `after` barriers
    that follow.
    """

    number: int
    steps: tuple[int, ...]
    process: int
    kind: str
    text: str
    result: str = ""
    where: str = ""
    function: str = ""
    depth: int = 1
    op: str = ""
    start: int = 0
    bytes: tuple[ByteSource, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    deciding: bool = False


def rows(trace: Trace, full: bool = False) -> list[Row]:
    """The rows to show, in order; with `full`, one for each step."""
    known = variants(trace)
    held = _holders(trace)
    if full:
        return [_row(trace, index, known, held[index]) for index in range(len(trace.steps))]
    made: list[Row] = []
    pending: dict[int, list[str]] = {}
    notes: dict[int, list[str]] = {}
    matters = _Matters(trace)
    for index, step in enumerate(trace.steps):
        follows = bool(made) and made[-1].process == step.process
        if step.kind == "fence" and index != trace.deciding:
            if follows and made[-1].kind == "store":
                made[-1] = replace(made[-1], after=(*made[-1].after, step.label))
            else:
                pending.setdefault(step.process, []).append(step.label)
        elif not matters(index):
            if step.kind == "choose":
                chosen = f"{step.label}: {step.response}" if step.response else step.label
                notes.setdefault(step.process, []).append(chosen)
        else:
            row = _row(trace, index, known, held[index])
            before = made[-1] if follows and not made[-1].after and not pending.get(step.process) else None
            joined = _join(trace, before, row, known) if before else None
            if joined is not None:
                made[-1] = joined
                continue
            text = "; ".join([*pending.pop(step.process, []), row.text])
            made.append(replace(row, text=text, notes=tuple(notes.pop(step.process, ()))))
    return made


class _Matters:
    """Answers whether a step has a row of its own when not everything is shown."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.users: dict[str, set[int]] = {}
        self.contended = {edge.held for edge in trace.lock_order} | {edge.acquired for edge in trace.lock_order}
        self.writers: dict[str, set[int]] = {}
        for step in trace.steps:
            if step.lock is not None:
                self.users.setdefault(step.lock.lock, set()).add(step.process)
                if step.lock.op not in ("acquire", "release"):
                    self.contended.add(step.lock.lock)
            for slot, _, _ in step.changes:
                self.writers.setdefault(slot, set()).add(step.process)

    def __call__(self, index: int) -> bool:
        step = self.trace.steps[index]
        if index == self.trace.deciding or step.changes:
            return True
        if step.kind in ACCESSES:
            return step.memory is not None or bool(step.response)  # all but what is nowhere in what is shown
        if step.lock is not None:
            lock = step.lock
            return len(self.users[lock.lock]) > 1 or lock.lock in self.contended or lock.lock_class in self.contended
        if step.kind == "local":
            return False
        if step.kind == "shared":
            return self._reads_of_another(step)
        return step.kind != "choose"

    def _reads_of_another(self, step: Step) -> bool:
        return any(slot and slot in step.label and users - {step.process} for slot, users in self.writers.items())


def _row(trace: Trace, index: int, known: Variants, holders: str) -> Row:
    step = trace.steps[index]
    row = Row(
        index + 1, (index,), step.process, step.kind, step.label or step.kind, _result(step, holders), step.step,
        step.function, step.depth, changes=step.changes, deciding=index == trace.deciding,
    )
    if step.memory is None:
        return row
    return _described(replace(row, op=step.memory.op, start=step.memory.whole[0], bytes=step.memory.bytes), step, known)


def _described(row: Row, step: Step, known: Variants) -> Row:
    """The row with the text and result of the bytes it has."""
    assert step.memory is not None
    text = step.memory.text or step.label or row.op
    lo, hi = step.memory.whole
    if row.bytes and len(row.bytes) < hi - lo:
        text += f", {byte_ranges([source.offset - lo for source in row.bytes])}"
    came = origin(row.bytes, lo, known)
    number = value(row.bytes)
    sign = "=" if row.op == "load" else "->"
    result = f"{sign} {number} ({came})" if number and came else f"{sign} {number or came}" if came else ""
    return replace(row, text=text, result=result)


def _join(trace: Trace, before: Row, row: Row, known: Variants) -> Row | None:
    """Both rows as one, when the second is another piece of the first's access or its next question; else None."""
    steps = (*before.steps, *row.steps)
    deciding = before.deciding or row.deciding
    changes = before.changes + row.changes
    if before.kind in VERDICTS and row.kind in VERDICTS:
        text = ", ".join(part for part in (f"{before.text} {before.result}".strip(), row.text) if part)
        return replace(before, steps=steps, text=text, result=row.result, deciding=deciding, changes=changes)
    first, second = trace.steps[before.steps[-1]], trace.steps[row.steps[0]]
    if first.memory is None or second.memory is None:
        return None
    same = (first.memory.op, first.memory.whole, first.memory.text) == (
        second.memory.op, second.memory.whole, second.memory.text)
    taken = {source.offset for source in before.bytes}
    if not same or any(source.offset in taken for source in row.bytes):
        return None
    merged = tuple(sorted((*before.bytes, *row.bytes), key=lambda source: source.offset))
    return replace(
        _described(replace(row, bytes=merged), second, known),
        number=before.number, steps=steps, notes=before.notes, deciding=deciding, changes=changes,
        text=_described(replace(row, bytes=merged), second, known).text,
    )


def _result(step: Step, holders: str) -> str:
    if step.lock is not None and step.lock.op == "attempt":
        return f"blocked: waits for {step.lock.lock}{holders}"
    if step.lock is not None and step.lock.op == "queue":
        return f"-> queued for {step.lock.lock}{holders}"
    if step.lock is not None and step.lock.op == "fail":
        return f"-> fails{holders and ', ' + holders.strip()}"
    if step.kind in ("load", "update") and step.memory is None and step.response:
        return f"= {step.response}"
    if step.lock is not None or step.kind in (*ACCESSES, "fence"):
        return ""
    return f"-> {step.response}" if step.response else ""


def _holders(trace: Trace) -> list[str]:
    """For each step, who holds its lock just before it, as " held by ..." or ""."""
    texts = []
    held: dict[str, dict[int, list[str]]] = {}
    for step in trace.steps:
        if step.lock is None:
            texts.append("")
            continue
        holders = held.setdefault(step.lock.lock, {})
        names = [f"{trace.processes[process].name} ({modes[-1]})" for process, modes in holders.items() if modes]
        texts.append(f" held by {' and '.join(names)}" if names else "")
        if step.lock.op == "acquire":
            holders.setdefault(step.process, []).append(step.lock.mode)
        elif step.lock.op == "release" and holders.get(step.process):
            holders[step.process].pop()
    return texts

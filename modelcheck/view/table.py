"""A plain text table for a terminal: one row a step or group of steps, as wide as its text, without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.distil import rows
from modelcheck.view.escape import columns, printable, wrap
from modelcheck.view.fates import sentences
from modelcheck.view.provenance import byte_ranges

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

HEADER = ("#", "process", "step", "action", "result", "read from", "changes")
WIDEST = (12, 20, 12, 52, 44, 30, 40)  # columns at which a cell is wrapped, one entry per column


def render(trace: Trace, full: bool = False) -> str:
    """The table with what was checked above it and why it matters below it."""
    body = [_cells(trace, row) for row in rows(trace, full)]
    used = [column for column in range(len(HEADER)) if column < 2 or any(cells[column] for cells in body)]
    wrapped = [[wrap(cells[column], WIDEST[column]) for column in used] for cells in [HEADER, *body]]
    widths = [max(columns(line) for cells in wrapped for line in cells[place]) for place in range(len(used))]
    lines = [_heading(trace), *(f"Initially: {printable(text)}" for text in trace.initial), ""]
    for number, cells in enumerate(wrapped):
        for depth in range(max(map(len, cells))):
            parts = [cell[depth] if depth < len(cell) else "" for cell in cells]
            padded = (part + " " * (width - columns(part)) for part, width in zip(parts, widths, strict=True))
            lines.append("  ".join(padded).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *_ending(trace)]) + "\n"


def _heading(trace: Trace) -> str:
    parameters = "".join(f" {name}={text}" for name, text in trace.parameters)
    known = f" (known: {trace.case})" if trace.case else ""
    return printable(f"{trace.spec} {trace.version}: {trace.property}, memory {trace.memory}{parameters}{known}")


def _cells(trace: Trace, row: Row) -> tuple[str, ...]:
    process = trace.processes[row.process].name
    last = row.steps[-1] + 1
    number = f"{row.number}{f'-{last}' if last > row.number else ''}{'*' if row.deciding else ''}"
    action = "; ".join([*(f"({note})" for note in row.notes), row.text, *row.after])
    changes = ", ".join(f"{slot}: {old} -> {new}" for slot, old, new in row.changes)
    cells = (number, process, row.where, action, row.result, _read_from(row), changes)
    return tuple(printable(cell) for cell in cells)


def _read_from(row: Row) -> str:
    """`3 (bytes 0-3), start (byte 4)`: the steps a load read from, by their numbers."""
    if row.op != "load":
        return ""
    offsets: dict[int, list[int]] = {}
    for source in row.bytes:
        offsets.setdefault(source.step, []).append(source.offset - row.start)
    names = {step: "start" if step < 0 else str(step + 1) if step < row.steps[0] else "own store" for step in offsets}
    if len(offsets) == 1:
        return next(iter(names.values()))
    return ", ".join(f"{names[step]} ({byte_ranges(found)})" for step, found in offsets.items())


def _ending(trace: Trace) -> list[str]:
    why = (*trace.why, *sentences(trace))
    lines = [f"=> {printable(trace.consequence)}", *(f"   {printable(text)}" for text in why)]
    for update in trace.updates:
        values = ", ".join(f"{printable(field)} = {number:#x}" for field, number in update.fields)
        lines.append(f"update {update.version}: {values}")
    for edge in trace.lock_order:
        held, acquired = f"{edge.held} ({edge.held_mode})", f"{edge.acquired} ({edge.acquired_mode})"
        place = f"{trace.processes[edge.process].name}, {edge.function}, {edge.file}:{edge.line}"
        lines.append(printable(f"lock order: {held} --> {acquired} in {place}"))
    if trace.assumptions:
        lines.append(printable(f"assuming: {'; '.join(trace.assumptions)}"))
    length = f"{len(trace.steps)} steps, {trace.switches} context switches"
    lines.append(printable(", ".join(filter(None, (length, trace.shortest, f"id {trace_id(trace)}")))))
    if trace.command:
        lines.append(printable(f"again: {trace.command}"))
    return lines

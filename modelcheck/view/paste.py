"""The changelog table: CPUs side by side in ASCII, at most 75 columns, ready for a mail.

Layout after Documentation/process/maintainer-tip.rst and submitting-patches.rst (wrapped at 75), and lockdep's own
report (kernel/locking/lockdep.c, print_circular_lock_scenario) for an order of locks.  Its one invariant: every line
is at most 75 printable ASCII columns, whatever the trace holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.distil import rows
from modelcheck.view.escape import ascii_text, wrap
from modelcheck.view.fates import sentences
from modelcheck.view.kcsan import reports
from modelcheck.view.lock_scenario import scenario
from modelcheck.view.provenance import origin, variants

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

WIDTH = 75
INDENT = 4
SECOND = 32  # where the second of two columns starts, after the indent
MOST_COLUMNS = 4  # with more CPUs each line names its own
NESTING = 2
DEEPEST = 6  # levels of indent shown


def render(trace: Trace, full: bool = False) -> str:
    """The table, then what went wrong and why, then the counterexample's id."""
    lines: list[str] = []
    scene = scenario(trace, WIDTH - INDENT)
    lines += [*scene, ""] if scene else []
    for text in trace.initial:
        lines += wrap(ascii_text(f"Initially: {text}"), WIDTH - INDENT, 11)
    if trace.initial:
        lines.append("")
    shown = rows(trace, full)
    if shown:
        lines += [*_table(trace, shown, full), ""]
    lines += _ending(trace, full)
    if full:
        lines += reports(trace, WIDTH - INDENT)
    return "".join((" " * INDENT + line).rstrip() + "\n" for line in lines)


def _table(trace: Trace, shown: list[Row], full: bool) -> list[str]:
    cpus = sorted({trace.processes[row.process].cpu for row in shown})  # who does nothing here has no column
    starts = _starts(len(cpus))
    widths = [end - start - 2 for start, end in zip(starts, [*starts[1:], WIDTH - INDENT + 2], strict=True)]
    place = {cpu: min(column, len(starts) - 1) for column, cpu in enumerate(cpus)}
    named = len(cpus) > MOST_COLUMNS
    lines = [] if named else _side_by_side(
        [wrap(ascii_text(_title(trace, cpu)), width, 1) for cpu, width in zip(cpus, widths, strict=True)], starts)
    told = _Told(trace, full)
    for row in shown:
        cpu = trace.processes[row.process].cpu
        column = place[cpu]
        cell = told.cell(row, widths[column], f"CPU{cpu}: " if named else "")
        lines += [" " * starts[column] + line for line in cell]
    return lines


def _starts(count: int) -> list[int]:
    if count == 1 or count > MOST_COLUMNS:
        return [0]
    if count == 2:
        return [0, SECOND]
    step = (WIDTH - INDENT + 1) // count
    return [step * column for column in range(count)]


def _title(trace: Trace, cpu: int) -> str:
    first = next(process for process in trace.processes if process.cpu == cpu)
    return f"CPU{cpu} ({first.title or first.name})"


def _side_by_side(cells: list[list[str]], starts: list[int]) -> list[str]:
    lines = []
    for depth in range(max(map(len, cells))):
        line = ""
        for cell, start in zip(cells, starts, strict=True):
            line = line.ljust(start) + (cell[depth] if depth < len(cell) else "")
        lines.append(line.rstrip())
    return lines


class _Told:
    """Cells as they are told in order: it knows which functions a process is in and which process a CPU ran before."""

    def __init__(self, trace: Trace, full: bool) -> None:
        self.trace = trace
        self.full = full
        self.known = variants(trace)
        self.calls: dict[int, list[tuple[int, str]]] = {}  # process -> (depth, function) of the calls it is in
        self.running: dict[int, int] = {}  # cpu -> the process its last row was of
        self.level = {}  # process -> how many processes of its cpu it is nested in
        seen: dict[int, int] = {}
        for index, process in enumerate(trace.processes):
            self.level[index] = seen.get(process.cpu, 0)
            seen[process.cpu] = self.level[index] + 1

    def cell(self, row: Row, width: int, prefix: str) -> list[str]:
        """The lines of one row: where it is, what it does, carets when it decides."""
        process = self.trace.processes[row.process]
        width -= len(prefix)
        nesting = NESTING if width >= SECOND - 4 else 1  # three CPUs and more have no room to spare
        level = self.level[row.process]
        lines: list[tuple[int, str]] = []
        if self.running.setdefault(process.cpu, 0 if level else row.process) != row.process or (
            level and row.process not in self.calls
        ):
            arrow = "-->" if level else "<--"
            lines.append((max(level - 1, 0), f"{arrow} {process.title or process.name}"))
        self.running[process.cpu] = row.process
        inside = level + self._call(row, level, lines)
        lines += [(inside, f"({note})") for note in row.notes]
        lines += [(inside, text) for text in self._statement(row, width - nesting * min(inside, DEEPEST))]
        made = []
        for indent, text in lines:
            pad = " " * min(indent * nesting, DEEPEST * nesting, width // 3)
            pad += " " * (nesting if text.startswith("  ") else 0)
            made += [pad + line for line in wrap(ascii_text(text), width - len(pad), nesting)]
        if row.deciding:
            last = made[-1]
            made.append(" " * (len(last) - len(last.lstrip())) + "^" * max(len(last.strip()), 1))
        return [prefix + line for line in made]

    def _call(self, row: Row, level: int, lines: list[tuple[int, str]]) -> int:
        """How many calls deep the row is, of those that have a line; adds that of a function it enters."""
        calls = self.calls.setdefault(row.process, [])
        while calls and calls[-1][1] != row.function and calls[-1][0] >= row.depth + (not row.function):
            calls.pop()
        if row.function and (not calls or calls[-1][1] != row.function):
            lines.append((level + len(calls), f"{row.function}()"))
            calls.append((row.depth, row.function))
        return len(calls)

    def _statement(self, row: Row, width: int) -> list[str]:
        """What the row does and what comes of it, on one line if that fits, and the barriers after it."""
        result = row.result
        if row.op == "store" and not self.full and row.bytes:
            result = f"-> {origin(row.bytes, row.start, self.known)}"
        text = f"{row.text} {result}".rstrip()
        if result and len(ascii_text(text)) > width:
            return [row.text, "  " + result, *row.after]
        return [text, *row.after]


def _joined(parts: list[str], width: int) -> list[str]:
    """The parts with `; ` between them, broken between two parts where that is enough."""
    lines = [""]
    for number, part in enumerate(parts):
        text = part + (";" if number + 1 < len(parts) else ".")
        if lines[-1] and len(lines[-1]) + 1 + len(text) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text}".strip()
    return [piece for line in lines for piece in wrap(line, width)]


def _ending(trace: Trace, full: bool) -> list[str]:
    width = WIDTH - INDENT
    lines = ["=> " + line if number == 0 else "   " + line
             for number, line in enumerate(wrap(ascii_text(trace.consequence), width - 3))]
    for text in (*trace.why, *sentences(trace)):
        lines += ["   " + line for line in wrap(ascii_text(text), width - 3)]
    if full:
        for update in trace.updates:
            values = ", ".join(f"{field} {number:#x}" for field, number in update.fields)
            lines += wrap(ascii_text(f"   update {update.version}: {values}"), width, 6)
    switches = f"{trace.switches} context switch{'' if trace.switches == 1 else 'es'}"
    known = f"known: {trace.case}" if trace.case else ""
    parts = (f"{trace.spec} {trace.version} {trace.property}", known, switches, f"id {trace_id(trace)}")
    return lines + ["   " + line for line in _joined([ascii_text(part) for part in parts if part], width - 3)]

"""The trace in sentences, one a step on a line of its own, for a screen reader: no columns, arrows or lines drawn.

Its one invariant: each step shown is one line that can be understood without another one: who, in which function,
does what, what a read gave and from which step, what changed, and who began to wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable
from modelcheck.view.fates import sentences
from modelcheck.view.provenance import byte_ranges, origin, value, variants

if TYPE_CHECKING:
    from modelcheck.trace.trace import Step, Trace
    from modelcheck.view.distil import Row

LOCKING = {
    "acquire": "takes {lock}", "release": "releases {lock}", "queue": "queues for {lock}",
    "fail": "tries in vain to take {lock}", "attempt": "waits for {lock}",
}


def render(trace: Trace, full: bool = False) -> str:
    """What was checked, the steps, what went wrong and why; what is one row in other views is one sentence."""
    shown = rows(trace, full)
    known = f", which is the known {trace.case}" if trace.case else ""
    lines = [f"A counterexample to {trace.property} of {trace.spec} {trace.version}{known}.", *_cast(trace)]
    lines += [f"At the start: {text}." for text in trace.initial]
    lines.append("")
    told = _Told(trace, shown)
    lines += [told.sentence(row) for row in shown]
    lines += ["", f"What went wrong: {trace.consequence}."]
    lines += [f"Why: {text}" for text in trace.why]
    for edge in trace.lock_order:
        where = f" in {edge.function}()" if edge.function else ""
        who = trace.processes[edge.process].name
        lines.append(f"Lock order: {who} asks for {edge.acquired}{where} while {edge.held} is held.")
    lines += sentences(trace)
    if trace.command:
        lines.append(f"The command that finds it again: {trace.command}")
    lines.append(f"Its id is {trace_id(trace)}.")
    return "".join(_stopped(printable(line)) + "\n" for line in lines)


def _stopped(line: str) -> str:
    """The line without the second of two full stops at its end."""
    return line[:-1] if line.endswith("..") and not line.endswith("...") else line


def _cast(trace: Trace) -> list[str]:
    found = []
    for index, process in enumerate(trace.processes):
        host = next((other for other in trace.processes[:index] if other.cpu == process.cpu), None)
        on = f"on CPU {process.cpu}" + (f", on top of {host.name}" if host else "")
        title = f", {process.title}," if process.title and process.title != process.name else ""
        found.append(f"{process.name}{title} runs {on}.")
    return found


class _Told:
    """Sentences in order: it knows who ran on each cpu and who waited before each."""

    def __init__(self, trace: Trace, shown: list[Row]) -> None:
        self.trace = trace
        self.known = variants(trace)
        self.owner = {step: row for row in shown for step in row.steps}
        self.running: dict[int, int] = {}  # cpu -> the process its last row was of
        self.waiting: frozenset[tuple[str, str]] = frozenset()

    def sentence(self, row: Row) -> str:
        """`Step 9: reader, in get64(), loads p[0] and gets 0x7d0, which is update 1 (stored in step 7).`"""
        trace = self.trace
        process = trace.processes[row.process]
        before = self.running.get(process.cpu, row.process)
        self.running[process.cpu] = row.process
        turned = f" (CPU {process.cpu} turned to it from {trace.processes[before].name})" * (before != row.process)
        where = f", in {row.function}()" if row.function else ""
        done = self._done(row)
        join = "" if done.startswith(":") else ", " if where else " "
        parts = [f"{_steps(row)}: {process.name}{turned}{where}{join}{done}"]
        parts += [f"then {text}" for text in row.after]
        if not row.op and trace.steps[row.steps[0]].lock is None:
            parts += [f"{slot} changes from {old} to {new}" for slot, old, new in row.changes]
        parts += [f"before it, {text}" for text in row.notes]
        waits = [wait for step in row.steps for wait in trace.steps[step].waits]
        parts += [f"{name} is waiting for {lock}" for name, lock in dict.fromkeys(waits) if (name, lock)
                  not in self.waiting]
        self.waiting = frozenset(trace.steps[row.steps[-1]].waits)
        parts += ["this decides"] if row.deciding else []
        return f"{'; '.join(parts)}."

    def _done(self, row: Row) -> str:
        steps = [self.trace.steps[step] for step in row.steps]
        lock = steps[0].lock
        if row.op:
            return self._accesses(row, steps[0])
        if lock is not None:
            mode = {"read": " for reading", "write": " for writing"}.get(lock.mode, "")
            held = row.result.partition(" held by ")[2]
            doing = LOCKING[lock.op].format(lock=lock.lock)
            return f"{doing}{mode}{f', held by {held}' if held else ''}, by {row.text}"
        if len(steps) == 1:
            return self._answered(row.text, steps[0])
        return ", then ".join(self._answered(step.label or step.kind, step).lstrip(": ") for step in steps)

    def _answered(self, text: str, step: Step) -> str:
        """What a step that touches no memory and no lock does, and the answer, unless it says what the changes say."""
        if step.kind == "compare" or text.endswith("?"):
            return f"asks {text}{f' and is told {step.response}' if step.response else ''}"
        own = f"{self.trace.processes[step.process].name}."
        changed = {f"{slot.removeprefix(own)} = {new}" for slot, _, new in step.changes}
        answer = ", ".join(part for part in step.response.split(", ") if part not in changed)
        return f": {text}{f' ({answer})' if answer else ''}"

    def _accesses(self, row: Row, step: Step) -> str:
        text = (step.memory and step.memory.text) or step.label or row.op
        barriers = row.text.partition(text)[0].rstrip("; ")  # before the access, in its row
        what = row.text.removeprefix(barriers).lstrip("; ")
        first = f"does {barriers}, then " if barriers else ""
        if row.op == "load":
            return f"{first}loads {what}{self._got(row)}"
        number, came = value(row.bytes), origin(row.bytes, row.start, self.known)
        stored = f", which is {number} of {came}" if number else f", of {came}" if came else ""
        return f"{first}stores {what}{stored}"

    def _got(self, row: Row) -> str:
        """`and gets 0x7d0, which is update 1 (stored in step 7)`."""
        if not row.bytes:
            return f" and gets {self.trace.steps[row.steps[0]].response}" * bool(row.result)
        found: dict[str, list[int]] = {}
        for source in row.bytes:
            found.setdefault(self._stored(row, source.step), []).append(source.offset - row.start)
        where = next(iter(found)) if len(found) == 1 else ", ".join(
            f"{byte_ranges(offsets)} {text}" for text, offsets in found.items())
        number, came = value(row.bytes), origin(row.bytes, row.start, self.known)
        return f" and gets {f'{number}, which is {came}' if number else came} ({where})"

    def _stored(self, row: Row, step: int) -> str:
        if step < 0:
            return "there from the start"
        if step >= row.steps[0]:
            performed = f"performed in step {step + 1}" if step > row.steps[-1] else "not performed yet"
            return f"its own store, {performed}"
        return f"stored in {_steps(self.owner[step]).lower() if step in self.owner else f'step {step + 1}'}"


def _steps(row: Row) -> str:
    """`Step 9` or `Steps 12 to 22`."""
    return f"Step {row.number}" if len(row.steps) == 1 else f"Steps {row.number} to {row.steps[-1] + 1}"

"""`check --lines`: what is found as `file:line: warning: text`, which editors and CI jump to.

A violation is a warning at the line of the spec whose step decides it, with notes at the stores it read from; a cycle
of lock classes is one warning an edge; who waits in a deadlock has one each.  INCOMPLETE and VACUOUS are warnings at
the spec's first line, so that silence means HOLDS.  Its one invariant: a path leads from the current directory to the
file that was checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from modelcheck.cli.report import alike, unfinished
from modelcheck.cli.rows import places
from modelcheck.errors import UsageError
from modelcheck.trace.file import read_trace
from modelcheck.view.escape import printable

if TYPE_CHECKING:
    from modelcheck.results import Report, Result
    from modelcheck.spec import Spec
    from modelcheck.trace.trace import Step, Trace

MOST_NOTES = 8  # stores of one violation
Place = Callable[[str], str]


def to_lines(report: Report, spec: Spec) -> str:
    """All lines, in the order of the results; empty where everything holds."""
    paths = {mark.file: os.path.relpath(mark.path) for mark in report.coverage.marks}
    top = os.path.relpath(spec.path or _source_of(spec) or next(iter(paths.values()), "."))
    lines: list[str] = []
    for group in alike(report.results):
        lines += _violation(group, places(report.results), lambda file: paths.get(file, file), top)
    for text in unfinished(report.results):
        lines.append(_line(top, 1, "warning", text))
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def _source_of(spec: Spec) -> str:
    code = getattr(spec.build, "__code__", None)
    return code.co_filename if code is not None else ""


def _line(path: str, line: int, kind: str, text: str) -> str:
    return f"{printable(path)}:{max(line, 1)}: {kind}: {printable(text)}"


def _violation(group: list[Result], place: Callable[[Result], str], path: Place, top: str) -> Iterator[str]:
    first = group[0]
    known = f" (known: {first.case})" if first.case else ""
    where = [text for text in (place(result) for result in group) if text]
    told = f" [{where[0]}{f' and {len(where) - 1} more' if len(where) > 1 else ''}]" if where else ""
    text = f"{first.property} is violated{known}{told}: {first.short}"
    trace = _trace(first)
    if trace is None or not trace.steps:
        yield _line(top, 1, "warning", text)
        return
    if trace.lock_order:
        for edge in trace.lock_order:
            who = trace.processes[edge.process].name
            inside = f" in {edge.function}()" if edge.function else ""
            yield _line(path(edge.file), edge.line, "warning",
                        f"{first.property}{known}{told}: {edge.acquired} ({edge.acquired_mode}) is asked for while "
                        f"{edge.held} ({edge.held_mode}) is held, by {who}{inside}")
    step = trace.steps[trace.deciding]
    if not trace.lock_order:
        yield _line(path(step.file), step.line, "warning", text)
        yield from _stores_read(trace, path)
        yield from _waiting(trace, path)
    yield _line(path(step.file), step.line, "note", f"to see it: modelcheck show {first.trace}")


def _trace(result: Result) -> Trace | None:
    """The counterexample that was saved, None where it could not be."""
    if result.trace is None:
        return None
    try:
        return read_trace(result.trace)
    except UsageError:
        return None


def _stores_read(trace: Trace, path: Place) -> Iterator[str]:
    """The stores of others that the process of the deciding step read from, each line once."""
    reader = trace.steps[trace.deciding].process
    read: dict[tuple[str, int], tuple[int, int]] = {}  # by the store's line: the store and the first load of it
    for number, step in enumerate(trace.steps[: trace.deciding + 1]):
        if step.memory is None or step.process != reader or step.memory.op != "load":
            continue
        for source in step.memory.bytes:
            if source.step >= 0 and trace.steps[source.step].process != reader:
                store = trace.steps[source.step]
                read.setdefault((store.file, store.line), (source.step, number))
    for (file, line), (store_number, load) in list(read.items())[:MOST_NOTES]:
        store = trace.steps[store_number]
        yield _line(path(file), line, "note", f"step {store_number + 1}, {trace.processes[store.process].name}: "
                                              f"{store.label}{_kernel(store)}, which step {load + 1} reads")


def _waiting(trace: Trace, path: Place) -> Iterator[str]:
    """Of a deadlock: where each process waits, and where what it waits for was taken."""
    for number, step in enumerate(trace.steps):
        if step.lock is None or step.lock.op != "attempt":
            continue
        name = trace.processes[step.process].name
        yield _line(path(step.file), step.line, "note", f"{name} waits for {step.lock.lock} for ever{_kernel(step)}")
        held: dict[int, Step] = {}
        for earlier in trace.steps[:number]:
            if earlier.lock is not None and earlier.lock.lock == step.lock.lock:
                if earlier.lock.op == "acquire":
                    held[earlier.process] = earlier
                elif earlier.lock.op == "release":
                    held.pop(earlier.process, None)
        for process, taken in held.items():
            yield _line(path(taken.file), taken.line, "note",
                        f"{trace.processes[process].name} took {step.lock.lock} here{_kernel(taken)}")


def _kernel(step: Step) -> str:
    place = " ".join(part for part in (step.function, step.step) if part)
    return f" ({place})" if place else ""

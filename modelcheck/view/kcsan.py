"""The data races of a trace in KCSAN's wording, with sizes: what kernel people look for in a race of bytes.

Follows print_report() of kernel/kcsan/report.c: the functions sorted, the write, then the access it hit, marked
accesses named as such, and what changed under the latter where it has at most 8 bytes.  It says that a checked trace
speaks.
A race here is two conflicting accesses of two cpus that no lock orders, at least one of them plain (what is marked is
known by its text); a pair of functions is reported once.  It differs in that addresses are those in the area's page,
tasks have names instead of numbers, and a stack is its innermost function, with the line of the spec.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelcheck.trace.graph import clocks, trace_graph
from modelcheck.view.escape import ascii_text, wrap

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

MARKED = re.compile(r"\b(READ_ONCE|WRITE_ONCE|smp_load_acquire|smp_store_release|xchg|cmpxchg|atomic\w*)\b")
RULE = "=" * 66
NOTE = "In KCSAN's wording, from a checked trace: no kernel ran, and KCSAN has reported nothing."


def reports(trace: Trace, width: int) -> list[str]:
    """The lines, at most `width` columns each; [] where no accesses race."""
    found = _races(trace)
    lines: list[str] = []
    for number, (write, hit, changed) in enumerate(found):
        lines += ["", *(wrap(NOTE, width) if number == 0 else ()), RULE]
        titles = sorted(_function(trace, step) for step in (write, hit))
        told = [f"BUG: KCSAN: data-race in {titles[0]} / {titles[1]}", ""]
        for step in (write, hit):
            told += [_access(trace, step), _frame(trace, step), ""]
        told += [f"value changed: {changed}"] if changed else []
        for text in told if told[-1] else told[:-1]:
            indent = " " * text.startswith(" ")
            lines += [indent + line for line in wrap(ascii_text(text), width - len(indent), 4)] if text else [""]
        lines.append(RULE)
    return lines


def _races(trace: Trace) -> list[tuple[int, int, str]]:
    """(the write, the access it hits, what changes), for each pair of functions the first with a change, if any."""
    graph = trace_graph(trace)
    before = clocks(graph, ("po", "lock"))
    found: dict[tuple[str, ...], tuple[int, int, str]] = {}
    for source, target, kind in sorted(graph.edges(keys=True), key=lambda edge: (edge[1], edge[0], edge[2])):
        if kind not in ("rf", "co", "fr") or any(trace.steps[step].memory is None for step in (source, target)):
            continue
        ordered = before[target].get(graph.nodes[source]["cpu"], -1) >= source
        if ordered or _marked(trace, source) and _marked(trace, target):
            continue
        pair = (target, source) if kind == "fr" else (source, target)
        names = tuple(sorted(_function(trace, step) for step in pair))
        if names not in found or not found[names][2]:
            changed = _changed(trace, *pair)
            if changed or names not in found:
                found[names] = (*pair, changed)
    return list(found.values())


def _marked(trace: Trace, step: int) -> bool:
    event = trace.steps[step].memory
    return event is not None and MARKED.search(event.text) is not None


def _function(trace: Trace, step: int) -> str:
    return trace.steps[step].function or trace.processes[trace.steps[step].process].name


def _access(trace: Trace, step: int) -> str:
    """`read (marked) to 0x0000000000000038 of 4 bytes by task reader on cpu 1:`."""
    event, process = trace.steps[step].memory, trace.processes[trace.steps[step].process]
    assert event is not None
    what = ("write" if event.op == "store" else "read") + " (marked)" * _marked(trace, step)
    lo, hi = event.whole
    address = (trace.area.base if trace.area else 0) + lo
    return f"{what} to {address:#018x} of {hi - lo} bytes by task {process.name} on cpu {process.cpu}:"


def _frame(trace: Trace, index: int) -> str:
    """The function of the access, and its place; a trace does not hold who called it."""
    step = trace.steps[index]
    return f" {_function(trace, index)} ({step.file}:{step.line})"


def _changed(trace: Trace, write: int, hit: int) -> str:
    """`0x000003e8 -> 0x000007d0`: the bytes of the access that is hit, before the write and after it; "" if unknown."""
    event, stored = trace.steps[hit].memory, trace.steps[write].memory
    assert event is not None and stored is not None
    lo, hi = event.whole
    if hi - lo > 8:
        return ""
    old = _content(trace, write)
    new = old | {source.offset: source.value for source in stored.bytes}
    if any(content.get(offset, -1) < 0 for content in (old, new) for offset in range(lo, hi)):
        return ""
    before, after = (int.from_bytes(bytes(content[offset] for offset in range(lo, hi)), "little")
                     for content in (old, new))
    digits = 2 + 2 * (hi - lo)
    return f"{before:#0{digits}x} -> {after:#0{digits}x}" if before != after else ""


def _content(trace: Trace, until: int) -> dict[int, int]:
    """What memory holds before a step, by offset, as far as the trace knows; -1 for a byte without a value."""
    found: dict[int, int] = {}
    for name, lo, hi in trace.area.fields if trace.area else ():
        for update in trace.updates:
            if update.version == 0:
                value = dict(update.fields).get(name)
                found |= dict(enumerate(value.to_bytes(hi - lo, "little"), lo)) if value is not None else {}
    for step in trace.steps:
        read = step.memory.bytes if step.memory and step.memory.op == "load" else ()
        found |= {source.offset: source.value for source in read if source.step < 0}
    for step in trace.steps[:until]:
        written = step.memory.bytes if step.memory and step.memory.op == "store" else ()
        found |= {source.offset: source.value for source in written}
    return found

"""A litmus file becomes a `LitmusTest`.

Its one invariant: what comes out is complete and names only processes and registers that exist.
"""

from __future__ import annotations

from pathlib import Path

from modelcheck.litmus.around import Initial, Question, read_initial, read_question
from modelcheck.litmus.errors import LitmusError
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.program import Process
from modelcheck.litmus.source import Source, sections

_LARGEST = 1 << 20  # characters; the longest test of the field's suites has a few thousand


def parse_file(path: Path, shown: str = "") -> LitmusTest:
    """The test in a file; messages call it `shown`."""
    name = shown or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LitmusError(f"cannot be read: {reason}; name a readable file", name) from None
    return parse(raw.decode("utf-8-sig", errors="replace"), name)


def parse(text: str, path: str = "<litmus>") -> LitmusTest:
    """The test in a text; raises LitmusError or Unsupported."""
    source = Source(path, text.replace("\r", " "))
    if len(text) > _LARGEST:
        raise source.error("the file is larger than any litmus test; name a litmus file", 0)
    if "\0" in text:
        raise source.error("the file holds a zero byte and is no text; name a litmus file", text.index("\0"))
    parts = sections(source, ("X86", "C"))
    upper = parts.arch == "X86"
    initial = read_initial(source, parts.init, upper)
    if upper:
        from modelcheck.litmus.x86 import read_program
    else:
        from modelcheck.litmus.c_program import read_program
    processes = read_program(source, parts.body)
    question = read_question(source, parts.tail, upper)
    _check_names(source, initial, question, processes, upper)
    assert question.condition is not None
    return LitmusTest(
        parts.name, parts.arch, tuple(process.body for process in processes), tuple(initial.locations.items()),
        tuple(initial.registers.items()), question.quantifier, question.condition, question.filter, question.locations,
        path,
    )  # fmt: skip


def _check_names(source: Source, initial: Initial, question: Question, processes: tuple[Process, ...],
                 upper: bool) -> None:
    for observable, at in (*initial.places.items(), *question.places.items()):
        if observable.process >= len(processes):
            last = len(processes) - 1
            raise source.error(f"{observable} names process {observable.process}; there are P0 to P{last}, so name one "
                               "of them", at)
        there = processes[observable.process].registers
        if observable.name not in there and (upper or observable not in initial.registers):
            names = ", ".join(sorted(name for name in there if not name.startswith("$"))) or "none"
            raise source.error(f"P{observable.process} has no register {observable.name}; it has {names}", at)

"""`modelcheck litmus --expect`: the verdicts of a table beside ours.

Its one invariant: only what can be compared is: a test that is incomplete, not supported or without a verdict in the
table is neither agreement nor disagreement.  The kernel's model (lkmm) is weaker than any machine, so `weak` may allow
less than it, never more; rows it flags as data races promise nothing (tools/memory-model/Documentation/explanation.txt,
"Plain accesses and data races").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelcheck.cli.litmus_report import OBSERVATIONS, Answer, summary
from modelcheck.errors import UsageError
from modelcheck.litmus.verdict import Verdict

COLUMNS = {"tso": ("x86_tso",), "sc": ("sc",), "weak": ("weak", "lkmm")}  # the first that gives a verdict


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table by the real path of their file: column to text."""

    rows: dict[str, dict[str, str]]
    folder: Path

    def files(self) -> list[str]:
        """The files of the table, in its order, as paths from here."""
        return [str(self.folder / row["file"]) for row in self.rows.values()]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A test whose observation is not the one in the table."""

    path: str
    name: str
    observed: str
    expected: str
    column: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it; `stronger` are tests that the kernel's model allows and `weak` forbids."""

    compared: int
    disagreements: tuple[Disagreement, ...]
    stronger: tuple[str, ...]


def read(path: Path) -> Table:
    """The table in a file; raises UsageError where it is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"cannot read the table {path}: {reason}; name a file of tab-separated columns") from None
    header = lines[0].split("\t") if lines else []
    known = ("file", *(column for columns in COLUMNS.values() for column in columns), "note")
    if "file" not in header or not set(header) <= set(known):
        raise UsageError(f"{path}:1 is no header of a table of verdicts; its columns are file and some of "
                         f"{', '.join(known[1:])}, with tabs between")
    rows: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) > len(header):
            raise UsageError(f"{path}:{number} has {len(cells)} columns and the header {len(header)}; "
                             "separate columns with one tab")
        row = dict(zip(header, cells, strict=False))
        for column in known[1:-1]:
            if row.get(column, "") not in ("", *OBSERVATIONS):
                raise UsageError(f"{path}:{number}: {row[column]!r} is no verdict; write {', '.join(OBSERVATIONS)} "
                                 "or nothing")
        rows[os.path.realpath(path.parent / row["file"])] = row
    return Table(rows, path.parent)


def compare(table: Table, answers: Sequence[Answer], memory: str) -> Comparison:
    """The answers beside the table."""
    compared = 0
    wrong: list[Disagreement] = []
    stronger: list[str] = []
    for answer in answers:
        row = table.rows.get(os.path.realpath(answer.path), {})
        column = next((column for column in COLUMNS[memory] if row.get(column)), "")
        if not isinstance(answer, Verdict) or answer.bound or not column:
            continue
        expected = row[column]
        if column == "lkmm" and "data-race" in row.get("note", ""):
            continue
        compared += 1
        if answer.observation == expected:
            continue
        if column == "lkmm" and expected == "Sometimes":
            stronger.append(Path(answer.path).stem)
            continue
        wrong.append(Disagreement(answer.path, answer.name, answer.observation, expected, column))
    return Comparison(compared, tuple(wrong), tuple(stronger))


def render(found: Comparison, answers: Sequence[Answer]) -> str:
    """The disagreements, what was not answered, and a summary."""
    lines = [f"{d.path}: {d.observed}, and {d.column} says {d.expected}" for d in found.disagreements]
    lines += [f"{a.path}: INCOMPLETE ({a.bound})" for a in answers if isinstance(a, Verdict) and a.bound]
    if found.stronger:
        lines.append(f"stronger than lkmm, which allows both outcomes: {', '.join(found.stronger)}")
    lines.append(f"{found.compared} verdicts compared, {len(found.disagreements)} disagree; {summary(answers)}")
    return "\n".join(lines) + "\n"

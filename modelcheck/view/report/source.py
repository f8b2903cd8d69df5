"""A file of the spec with its lines in green and red: which were run by some search, and why others were not.

Colour is never alone: a column says `run` or `not run`.  Lines without a mark are no steps of a process.
"""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from modelcheck.view.page import Element, element, page

if TYPE_CHECKING:
    from modelcheck.results import Coverage, LineMark

STYLE = """
body { max-width: none; } table.source { width: 100%; } table.source td { border: 0; padding: 0 .6rem; }
table.source td.m { white-space: pre; } td.label { color: var(--faint); }
tr.run td { background: var(--good-box); } tr.missed td { background: var(--bad-box); }
td.at { text-align: right; color: var(--faint); } td.why { font: 13px/1.45 system-ui, sans-serif; }
"""


def source_names(coverage: Coverage) -> dict[str, str]:
    """The page of each file with marked lines, by the file's name."""
    files = list(dict.fromkeys(mark.file for mark in coverage.marks))
    return {file: f"source/{i + 1:02}-{re.sub(r'[^A-Za-z0-9]+', '-', file).strip('-')}.html"
            for i, file in enumerate(files)}


def source_page(coverage: Coverage, file: str) -> str:
    """The page of one file."""
    marks = {mark.line: mark for mark in coverage.marks if mark.file == file}
    reasons = {each.line: each.reason for each in coverage.unreached if each.file == file}
    path = next(iter(marks.values())).path
    lines = [line.rstrip("\n").expandtabs() for line in linecache.getlines(path)]
    lines += [""] * (max(marks) - len(lines))  # a file that cannot be read any more still has its marks
    run = sum(mark.reached for mark in marks.values())
    return page(
        f"Coverage: {file}",
        element("p", element("a", "back to the report", href="../index.html")),
        element("h1", file),
        element("p", f"{run} of {len(marks)} lines with a step were run by some search."),
        element("div", element("table", [
            _row(number, text, marks.get(number), reasons.get(number, "")) for number, text in enumerate(lines, 1)
        ], class_="source"), class_="wide"),
        style=STYLE,
    )


def _row(number: int, text: str, mark: LineMark | None, reason: str) -> Element:
    label = "" if mark is None else " ".join(part for part in (mark.function, mark.step) if part)
    said = "" if mark is None else "run" if mark.reached else "not run"
    row = element(
        "tr",
        element("td", str(number), class_="at m"),
        element("td", said, class_="m"),
        element("td", label, class_="label m"),
        element("td", text, class_="code m"),
        element("td", reason, class_="why"),
        id=f"L{number}",
    )
    if mark is not None:
        row.set("class", "run" if mark.reached else "missed")
    return row

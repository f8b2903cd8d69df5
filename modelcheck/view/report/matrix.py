"""The matrix of a report: a row for each property and group, a column for each version, by the values of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelcheck.view.page import Content, Element, element

if TYPE_CHECKING:
    from modelcheck.results import Result
    from modelcheck.view.report.pages import Shown

WORST_FIRST = ("violated", "incomplete", "vacuous", "holds")
LONGEST = 40  # letters of a range in a cell
Row = tuple[str, str]  # property and label


def matrix(shown: Shown) -> Element:
    """The table; each verdict is a link to its counterexample or to its figures."""
    results = shown.report.results
    number = {id(result): i for i, result in enumerate(results, 1)}
    versions = list(dict.fromkeys(result.version for result in results))
    sections: dict[tuple[tuple[str, str], ...], dict[Row, list[Result]]] = {}
    names = varying(results, shown.numeric)
    for result in results:
        values = tuple((k, v) for k, v in result.parameters if k in names)
        sections.setdefault(values, {}).setdefault((result.property, result.label), []).append(result)
    head = element("tr", element("th", "property"), element("th", "group"), [
        element("th", version, title=shown.versions.get(version, "")) for version in versions])
    body = []
    for values, rows in sections.items():
        if values:
            text = "  ".join(f"{name}={value}" for name, value in values)
            body.append(element("tr", element("th", text, colspan=str(2 + len(versions)), class_="m")))
        order = list(dict.fromkeys(name for name, _ in rows))
        for (name, label), found in sorted(rows.items(), key=lambda row: order.index(row[0][0])):
            cells = [[r for r in found if r.version == version] for version in versions]
            body.append(element(
                "tr", element("th", name, title=shown.properties.get(name, "")), element("td", label),
                [_cell(shown, cell, number) for cell in cells]))
    return element("div", element("table", element("thead", head), element("tbody", body)), class_="wide")


def varying(results: Sequence[Result], without: frozenset[str] = frozenset()) -> list[str]:
    """The parameters that are not the same in all results, but for some."""
    names = dict.fromkeys(name for result in results for name, _ in result.parameters if name not in without)
    return [name for name in names if len({dict(result.parameters).get(name) for result in results}) > 1]


def place(result: Result, names: Sequence[str]) -> str:
    """The values of some parameters as text; a long range is cut."""
    values = dict(result.parameters)
    return " ".join(f"{name}={_short(values[name])}" for name in names if name in values)


def verdict(result: Result) -> str:
    """The verdict as a word, with the known bug a violation shows."""
    return " ".join([result.verdict.upper(), *([result.case] if result.verdict == "violated" and result.case else [])])


def link(shown: Shown, result: Result, number: int) -> str:
    """Where a verdict leads: the page of its counterexample, or its figures."""
    trace = shown.traces.get(result.id) if result.verdict == "violated" else None
    return trace.page if trace is not None else f"#r{number}"


def _short(values: str) -> str:
    return values if len(values) <= LONGEST else f"{values[: LONGEST - 3]}..."


def _cell(shown: Shown, results: list[Result], number: dict[int, int]) -> Element:
    if not results:
        return element("td", "-")
    worst = next(word for word in WORST_FIRST if any(result.verdict == word for result in results))
    names = varying(results) if len(results) > 1 else []
    lines = []
    for result in results:
        at = number[id(result)]
        where = f" {place(result, names)}" if names else ""
        figures = element("a", "figures", href=f"#r{at}")
        more: list[Content] = [" (", figures, ")"] if not link(shown, result, at).startswith("#") else []
        lines.append(element("div", element("a", verdict(result), href=link(shown, result, at)), where, more))
    return element("td", lines, class_=worst)

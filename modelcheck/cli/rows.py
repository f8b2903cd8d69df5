"""Results as grids: a row for each of one version, or a matrix of properties and versions.

A parameter has a column only where it is not the same in all rows; what is the same is in the heading.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from modelcheck.cli.grid import Grid
from modelcheck.cli.progress import duration
from modelcheck.cli.status import worst

if TYPE_CHECKING:
    from modelcheck.results import Result

WIDTH = 100  # columns for sentences
CELL = 26  # columns for a parameter's values
_NUMBERS = frozenset({"states", "time"})


def heading(results: Sequence[Result]) -> str:
    """What is the same for all results: spec, version, memory model, engine, parameters."""
    first = results[0]
    names = set(varying(results))
    fixed = [f"{name}={shorten(value)}" for name, value in first.parameters if name not in names]
    version = f" {first.version}" if len({result.version for result in results}) == 1 else ""
    engines = "/".join(dict.fromkeys(result.engine for result in results))
    return wrapped("  ".join([f"{first.spec}{version}", f"memory={first.memory}", f"engine={engines}", *fixed]))


def varying(results: Sequence[Result]) -> list[str]:
    """The parameters that are not the same for all results, in their order."""
    names = dict.fromkeys(name for result in results for name, _ in result.parameters)
    return [name for name in names if len({dict(result.parameters).get(name) for result in results}) > 1]


def places(results: Sequence[Result]) -> Callable[[Result], str]:
    """What tells one of the results from the others: its version and parameters, where they differ."""
    names = frozenset(varying(results))
    versions = len({result.version for result in results}) > 1

    def place(result: Result) -> str:
        values = (f"{name}={shorten(value)}" for name, value in result.parameters if name in names)
        return " ".join([*([result.version] if versions else []), *values])

    return place


def table(results: Sequence[Result]) -> Grid:
    """One row for each result of a single version."""
    names = varying(results)
    labels = len({result.label for result in results} - {""}) > 0
    headings = ("property", *names, *(["group"] if labels else []), "verdict", "states", "time")
    rows = []
    for result in results:
        values = dict(result.parameters)
        rows.append((
            result.property, *(shorten(values.get(name, "")) for name in names),
            *([result.label] if labels else []), verdict_cell(result), f"{result.states:,}", duration(result.seconds),
        ))
    return Grid(headings, tuple(rows), _NUMBERS)


def verdict_cell(result: Result) -> str:
    """The verdict as a word, with the known bug a violation shows."""
    known = f" (known: {result.case})" if result.verdict == "violated" and result.case else ""
    return result.verdict.upper() + known


def shorten(values: str) -> str:
    """Ranges of numbers cut to a cell's width, with how many numbers there are in all."""
    if len(values) <= CELL:
        return values
    items = values.split(",")
    try:
        spans = [[int(end) for end in item.split("-")] for item in items]
    except ValueError:
        return values
    end = f",... ({sum(span[-1] - span[0] + 1 for span in spans)})"
    kept = items[0]
    for item in items[1:]:
        if len(kept) + 1 + len(item) + len(end) > CELL:
            break
        kept += "," + item
    return kept + end


def matrix(results: Sequence[Result]) -> Grid:
    """One row for each property and one column for each version: the worst verdict, and the known bugs it shows."""
    versions = list(dict.fromkeys(result.version for result in results))
    properties = list(dict.fromkeys(result.property for result in results))
    cells: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        cells.setdefault((result.property, result.version), []).append(result)
    rows = [(name, *(_cell(cells.get((name, version), [])) for version in versions)) for name in properties]
    return Grid(("property", *versions), tuple(rows))


def _cell(results: Sequence[Result]) -> str:
    if not results:
        return "-"
    verdict = worst([result.verdict for result in results])
    cases = dict.fromkeys(r.case for r in results if r.verdict == "violated" and r.case)
    return " ".join([verdict.upper(), *cases])


def wrapped(text: str, indent: str = "") -> str:
    """A sentence over lines of WIDTH columns, words and names whole."""
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
                         break_on_hyphens=False)

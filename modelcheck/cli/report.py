"""What `check` prints for a person: the table, then what needs a person's eye, then the assumptions and the totals.

Its one invariant: nothing that is not HOLDS goes by without saying why: a violation its counterexample, INCOMPLETE its
bound, VACUOUS what was not reached.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from modelcheck.cli.grid import Grid, draw
from modelcheck.cli.progress import duration
from modelcheck.cli.status import WORST_FIRST, differences, expected_verdict, worst

if TYPE_CHECKING:
    from modelcheck.campaign import Report, Result

WIDTH = 100  # columns for sentences
CELL = 26  # columns for a parameter's values
_NUMBERS = frozenset({"states", "time"})


def render(report: Report, quiet: bool = False) -> str:
    """The whole report, or only its last line."""
    results = report.results
    if quiet:
        return totals(report) + "\n"
    versions = list(dict.fromkeys(result.version for result in results))
    grid = matrix(results) if len(versions) > 1 else table(results)
    parts = [
        heading(results) + "\n",
        draw(grid),
        *(_block(lines) for lines in (legend(results) if len(versions) > 1 else [],)),
        *(_block(counterexample(group, _varying(results))) for group in _by_trace(results)),
        _block(_wrapped(line) for line in unfinished(results)),
        _block(_wrapped(line) for line in remarks(report)),
        totals(report) + "\n",
    ]
    return "\n".join(part for part in parts if part)


def heading(results: Sequence[Result]) -> str:
    """What is the same for all results: spec, version, memory model, engine, parameters."""
    first = results[0]
    varying = set(_varying(results))
    fixed = [f"{name}={shorten(value)}" for name, value in first.parameters if name not in varying]
    version = f" {first.version}" if len({result.version for result in results}) == 1 else ""
    engines = "/".join(dict.fromkeys(result.engine for result in results))
    return _wrapped("  ".join([f"{first.spec}{version}", f"memory={first.memory}", f"engine={engines}", *fixed]))


def _varying(results: Sequence[Result]) -> list[str]:
    """The parameters that are not the same for all results, in their order."""
    names = dict.fromkeys(name for result in results for name, _ in result.parameters)
    return [name for name in names if len({dict(result.parameters).get(name) for result in results}) > 1]


def table(results: Sequence[Result]) -> Grid:
    """One row for each result of a single version."""
    names = _varying(results)
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


def legend(results: Sequence[Result]) -> list[str]:
    """What each known bug of a matrix is: where it shows, and where that is known from."""
    known: dict[str, list[Result]] = {}
    for result in results:
        if result.verdict == "violated" and result.case:
            known.setdefault(result.case, []).append(result)
    lines = []
    for case, found in known.items():
        where = ", ".join(dict.fromkeys(result.label for result in found if result.label))
        sources = ", ".join(dict.fromkeys(result.expected_source for result in found if result.expected_source))
        properties = ", ".join(dict.fromkeys(result.property for result in found))
        lines.append(_wrapped(f"{case}: {properties}" + (f" ({where})" if where else "")
                              + (f"; {sources}" if sources else "")))
    return lines


def _by_trace(results: Iterable[Result]) -> list[list[Result]]:
    """The violated results, those of one counterexample together, in order."""
    found: dict[object, list[Result]] = {}
    for number, result in enumerate(results):
        if result.verdict == "violated":
            found.setdefault(result.trace or result.id or number, []).append(result)
    return list(found.values())


def counterexample(results: Sequence[Result], names: Sequence[str]) -> list[str]:
    """A counterexample in short: what it breaks and at which values of the parameters `names`, what happens, the file,
    and the command that shows it.
    """
    first = results[0]
    known = f" (known: {first.case})" if first.case else ""
    size = f": {first.steps} steps, {first.switches} context switches" if first.steps else ""
    lines = [f"VIOLATED {first.property}{known}{size}"]
    for result in results:
        values = " ".join(f"{name}={shorten(value)}" for name, value in result.parameters if name in names)
        label = f" ({result.label})" if result.label else ""
        lines.append(_wrapped(f"at {' '.join(filter(None, (result.version, values)))}{label}", "  "))
    if first.short:
        lines.append(_wrapped(first.short, "  "))
    if first.trace:
        lines += [f"  saved to {first.trace}", f"  modelcheck show {shlex.quote(first.trace)}"]
    return lines


def unfinished(results: Sequence[Result]) -> list[str]:
    """A sentence for each reason not to believe: the bound that was reached, or the witnesses that were not."""
    lines = []
    varying = _varying(results)
    for result in results:
        name = _name(result, varying)
        if result.verdict == "incomplete":
            lines.append(f"INCOMPLETE {name}: ended by {result.bound or 'a bound'} after {result.states:,} states")
        elif result.verdict == "vacuous":
            missing = [witness for witness, reached in result.witnesses if not reached]
            lines.append(f"VACUOUS {name}: never reached: {', '.join(missing) or 'anything the property is about'}")
    return lines


def _name(result: Result, names: Sequence[str]) -> str:
    """The property, version and values of the parameters `names` of a result, to tell it from the others."""
    values = (f"{name}={shorten(value)}" for name, value in result.parameters if name in names)
    return " ".join((result.property, result.version, *values))


def remarks(report: Report) -> list[str]:
    """Notes, lines that no search reached, and the assumptions of all results, each once."""
    results = report.results
    lines = [f"Note: {note}" for note in dict.fromkeys([*report.notes, *(r.note for r in results if r.note)])]
    missed = [line for line in results[0].uncovered if all(line in result.uncovered for result in results)]
    if missed:
        lines.append(f"Source lines that were not reached: {by_file(missed)}")
    assumptions = dict.fromkeys(assumption for result in results for assumption in result.assumptions)
    if assumptions:
        lines.append(f"Assumptions: {'; '.join(assumptions)}")
    return lines


def by_file(places: Sequence[str]) -> str:
    """Places `file:line` with each file named once."""
    lines: dict[str, list[str]] = {}
    for place in places:
        file, _, line = place.rpartition(":")
        lines.setdefault(file, []).append(line)
    return "; ".join(f"{file}:{','.join(numbers)}" for file, numbers in lines.items())


def totals(report: Report) -> str:
    """The last line: the verdict, how many of each, settings, states, time and memory."""
    results = report.results
    words = sorted((result.verdict for result in results), key=WORST_FIRST.index)
    counts = ", ".join(f"{len(list(group))} {word}" for word, group in groupby(words))
    peak = max(result.peak_memory_bytes for result in results)
    memory = f", {peak / 2**20:,.0f} MiB" if peak else ""
    settings = sum(result.count for result in results)
    return (f"{worst(words).upper()}: {counts} ({settings:,} combination{'s' * (settings != 1)}, "
            f"{sum(result.states for result in results):,} states, {duration(report.seconds)}{memory})")


def expectation_lines(results: Sequence[Result]) -> list[str]:
    """What `--expect` says: each difference with the source of the expectation, then the answer."""
    found, varying = differences(results), _varying(results)
    lines = []
    for result in found:
        source = f" ({result.expected_source})" if result.expected_source else ""
        lines.append(f"DIFFERS {_name(result, varying)}: expected {expected_verdict(result)}{source}, is {result.verdict}")
    incomplete = sum(result.verdict == "incomplete" for result in results)
    if found:
        lines.append(f"expectations: {len(found)} of {len(results)} verdicts differ")
    elif not incomplete:
        lines.append(f"expectations: all {len(results)} verdicts are as expected")
    if incomplete:
        lines.append(f"expectations: {incomplete} of {len(results)} verdicts are incomplete, so there is no answer")
    return lines


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
                         break_on_hyphens=False)


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return text + "\n" if text else ""

"""What `check` prints for a person: the table, then what needs a person's eye, then the assumptions and the totals.

Its one invariant: nothing that is not HOLDS goes by without saying why: a violation its counterexample, INCOMPLETE its
bound, VACUOUS what was not reached.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from modelcheck.cli.grid import draw
from modelcheck.cli.progress import duration
from modelcheck.cli.rows import heading, matrix, places, table, wrapped
from modelcheck.cli.status import WORST_FIRST, differences, expected_verdict, worst

if TYPE_CHECKING:
    from modelcheck.results import Coverage, Report, Result


def render(report: Report, quiet: bool = False) -> str:
    """The whole report, or only its last line."""
    results = report.results
    if quiet:
        return totals(report) + "\n"
    several = len({result.version for result in results}) > 1
    parts = [
        heading(results) + "\n",
        draw(matrix(results) if several else table(results)),
        _block(legend(results) if several else []),
        *(_block(counterexample(group, places(results))) for group in alike(results)),
        _block(wrapped(line) for line in unfinished(results)),
        _block(wrapped(line) for line in remarks(report)),
        totals(report) + "\n",
    ]
    return "\n".join(part for part in parts if part)


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
        lines.append(wrapped(f"{case}: {properties}" + (f" ({where})" if where else "")
                              + (f"; {sources}" if sources else "")))
    return lines


def alike(results: Iterable[Result]) -> list[list[Result]]:
    """The violated results in order, together those whose counterexamples say the same of the same property."""
    found: dict[object, list[Result]] = {}
    for number, result in enumerate(results):
        if result.verdict == "violated":
            key = (result.property, result.case, result.short, result.steps, result.switches)
            found.setdefault(key if result.short else number, []).append(result)
    return list(found.values())


def counterexample(results: Sequence[Result], place: Callable[[Result], str]) -> list[str]:
    """A counterexample in short: what it breaks, what happens, then for each place where it was found the file it was
    saved to and the command that shows it.
    """
    first = results[0]
    known = f" (known: {first.case})" if first.case else ""
    switches = f"{first.switches} context switch{'es' * (first.switches != 1)}"
    size = f": {first.steps} step{'s' * (first.steps != 1)}, {switches}" if first.steps else ""
    lines = [f"VIOLATED {first.property}{known}{size}"]
    if first.short:
        lines.append(wrapped(first.short, "  "))
    shown: set[str] = set()
    for result in results:
        where = " ".join(filter(None, (place(result), f"({result.label})" if result.label else "")))
        if where:
            lines.append(wrapped(f"at {where}", "  "))
        if result.trace and result.trace not in shown:
            lines += [] if shown else [f"    saved to {result.trace}"]
            lines.append(f"    modelcheck show {shlex.quote(result.trace)}")
            shown.add(result.trace)
    return lines


def unfinished(results: Sequence[Result]) -> list[str]:
    """A sentence for each reason not to believe: the bound that was reached, or the witnesses that were not."""
    lines = []
    place = places(results)
    for result in results:
        name = f"{result.property} {place(result)}".rstrip()
        if result.verdict == "incomplete":
            ended = f"ended after {result.states:,} states: {result.bound or 'a bound'}"
            lines.append(f"INCOMPLETE {name}: {result.bound if result.fault else ended}")
        elif result.verdict == "vacuous":
            missing = [witness for witness, reached in result.witnesses if not reached]
            lines.append(f"VACUOUS {name}: never reached: {', '.join(missing) or 'anything the property is about'}")
    return lines


def remarks(report: Report) -> list[str]:
    """Notes, who took part, lines that no search reached, and the assumptions of all results, each once.

    Where every search ended early, at a violation or a bound, lines not reached tell nothing and are not listed.
    """
    results = report.results
    lines = [f"Note: {note}" for note in dict.fromkeys([*report.notes, *(r.note for r in results if r.note)])]
    lines += actors(results)
    if any(result.verdict in ("holds", "vacuous") for result in results):
        lines += coverage(report.coverage)
    assumptions = dict.fromkeys(assumption for result in results for assumption in result.assumptions)
    if assumptions:
        lines.append(f"Assumptions: {'; '.join(assumptions)}")
    return lines + cost(report)


def cost(report: Report) -> list[str]:
    """What was shared and what z3 took; these figures depend on how the work was shared out between workers."""
    parts = []
    if report.spared:
        parts.append(f"{report.searched:,} systems searched, {report.spared:,} equal to one of them")
    z3 = report.solver
    if z3.queries:
        spared = f", {z3.spared:,} spared by a remembered core" if z3.spared else ""
        seen = f"{z3.observations:,} observations, {z3.distinct:,} distinct{spared}, " if z3.observations else ""
        parts.append(f"{seen}{z3.queries:,} questions to z3 in {duration(z3.seconds)}")
    return [f"Cost: {'; '.join(parts)}"] if parts else []


def actors(results: Sequence[Result]) -> list[str]:
    """Which processes took part in the search of which properties, and which were left out of it, with the reason."""
    groups: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], list[Result]] = {}
    for result in results:
        if result.actors:
            groups.setdefault((result.actors, result.left_out), []).append(result)
    place, lines = places(results), []
    for (names, left_out), found in groups.items():
        without = "".join(f"; without {name}: {why}" for name, why in left_out)
        others = {result.property for key, group in groups.items() if key != (names, left_out) for result in group}
        told = dict.fromkeys(f"{r.property} {place(r)}".rstrip() if r.property in others else r.property for r in found)
        what = f" ({', '.join(told)})" if len(groups) > 1 else ""
        lines.append(f"Actors{what}: {', '.join(names)}{without}")
    return lines


def coverage(found: Coverage) -> list[str]:
    """How many source lines were reached, and those that were not by their reason, each file named once."""
    if not found.lines:
        return []
    head = f"Coverage: {found.reached} of {found.lines} lines"
    if not found.unreached:
        return [head]
    reasons: dict[str, dict[str, list[str]]] = {}
    for each in found.unreached:
        name = f"{each.line} ({f'{each.function} {each.step}'.strip()})" if each.function else str(each.line)
        reasons.setdefault(each.reason, {}).setdefault(each.file, []).append(name)
    parts = []
    for reason, files in reasons.items():
        places = "; ".join(f"{file}:{', '.join(names)}" for file, names in files.items())
        parts.append(f"{places}: {reason}")
    return [f"{head}; {len(found.unreached)} not reached: {'; '.join(parts)}"]


def totals(report: Report) -> str:
    """The last line: the verdict, how many of each, settings, states, time and memory."""
    results = report.results
    words = [result.verdict for result in results]
    numbers = ((words.count(word), word) for word in WORST_FIRST)
    counts = ", ".join(f"{n} {'hold' if word == 'holds' and n > 1 else word}" for n, word in numbers if n)
    peak = max(result.peak_memory_bytes for result in results)
    memory = f", {peak / 2**20:,.0f} MiB" if peak else ""
    settings = sum(result.count for result in results)
    return (f"{worst(words).upper()}: {counts} ({settings:,} combination{'s' * (settings != 1)}, "
            f"{sum(result.states for result in results):,} states, {duration(report.seconds)}{memory})")


def expectation_lines(results: Sequence[Result]) -> list[str]:
    """What `--expect` says: each difference with the source of the expectation, then the answer."""
    found, place = differences(results), places(results)
    lines = []
    for result in found:
        source = f" ({result.expected_source})" if result.expected_source else ""
        wanted = f"expected {expected_verdict(result)}{source}"
        name = f"{result.property} {place(result)}".rstrip()
        lines.append(f"DIFFERS {name}: {wanted}, is {result.verdict}")
    incomplete = sum(result.verdict == "incomplete" for result in results)
    if found:
        lines.append(f"expectations: {len(found)} of {len(results)} verdicts differ")
    elif not incomplete:
        lines.append(f"expectations: all {len(results)} verdicts are as expected")
    if incomplete:
        lines.append(f"expectations: {incomplete} of {len(results)} verdicts are incomplete, so there is no answer")
    return lines


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return text + "\n" if text else ""

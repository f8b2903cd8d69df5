"""`check --ktap`: the verdicts as KTAP version 1 (Documentation/dev-tools/ktap.rst), for kernel test harnesses.

HOLDS is `ok`; VIOLATED is `not ok`, or `ok ... # XFAIL` where the spec knows the bug or expects it, as kselftest.h
prints an expected failure; HOLDS where a violation is expected is `ok ... # XPASS`; VACUOUS is `ok ... # SKIP`, as
nothing was tested; INCOMPLETE is `not ok ... # TIMEOUT`, or `# ERROR` where something else than time ended it.  The
exit status stays that of `check`: what is known is still violated.

Properties are tests, with a subtest for each row where there are several; several versions nest them once more.  Its
one invariant: a line that begins with `ok` or `not ok` is a result, and text from a spec never begins a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from modelcheck.cli.rows import shorten, varying
from modelcheck.view.escape import ascii_text

if TYPE_CHECKING:
    from modelcheck.results import Report, Result

TOTALS = ("pass", "fail", "xfail", "xpass", "skip", "error")
Namer = Callable[["Result"], str]


def to_ktap(report: Report) -> str:
    """The whole report, with the totals of its results (not of the tests they are nested in) as the last line."""
    results = report.results
    if len({result.version for result in results}) > 1:
        tests = _by(results, lambda result: result.version)
        lines = _block([_parent(name, _properties(inside)) for name, inside in tests])
    else:
        lines = _block(_properties(results))
    counts = Counter(_outcome(result)[0] for result in results)
    totals = " ".join(f"{name}:{counts[name]}" for name in TOTALS)
    return "\n".join([*lines, f"# Totals: {totals}"]) + "\n"


Test = tuple[list[str], bool, str]  # the lines before its result, whether it is ok, and the rest of its result


def _properties(results: Sequence[Result]) -> list[Test]:
    tests = []
    for name, inside in _by(results, lambda result: result.property):
        if len(inside) == 1:
            tests.append(_single(inside[0], name))
        else:
            names = varying(inside)
            tests.append(_parent(name, [_single(result, _place(result, names)) for result in inside]))
    return tests


def _by(results: Sequence[Result], name: Namer) -> list[tuple[str, list[Result]]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(name(result), []).append(result)
    return list(found.items())


def _place(result: Result, names: Sequence[str]) -> str:
    """What tells a row from the others of its property."""
    values = dict(result.parameters)
    told = [f"{name}={shorten(values[name])}" for name in names if name in values]
    return " ".join([*told, f"({result.label})" if result.label else ""]).strip() or result.property


def _block(tests: Sequence[Test]) -> list[str]:
    lines = ["KTAP version 1", f"1..{len(tests)}"]
    for number, (before, ok, rest) in enumerate(tests, 1):
        lines += [*before, f"{'ok' if ok else 'not ok'} {number} {rest}"]
    return lines


def _parent(name: str, tests: list[Test]) -> Test:
    version, *rest = _block(tests)
    before = [f"  {line}" for line in (version, f"# Subtest: {_described(name)}", *rest)]
    skipped = all(" # SKIP" in rest for _, _, rest in tests)
    return before, all(ok for _, ok, _ in tests), _described(name) + (" # SKIP nothing was tested" if skipped else "")


def _single(result: Result, name: str) -> Test:
    _, ok, directive = _outcome(result)
    rest = _described(name) + (f" # {ascii_text(directive).replace('#', '_')}" if directive else "")
    return [f"# {ascii_text(line)}" for line in _diagnostics(result)], ok, rest


def _described(text: str) -> str:
    """A description: one line without `#`, which would begin a directive, and without a dash at its start."""
    return ascii_text(text).replace("#", "_").lstrip("- ") or "unnamed"


def _outcome(result: Result) -> tuple[str, bool, str]:
    """Which of the totals a result counts for, whether it is ok, and its directive."""
    expected = result.expected == "violated"
    known = f"known: {result.case}" if result.case else f"expected: {result.expected_source or 'by the spec'}"
    if result.fault:
        return "error", False, f"ERROR {result.bound or result.note}"
    if result.verdict == "holds":
        return ("xpass", True, "XPASS expected to be violated") if expected else ("pass", True, "")
    if result.verdict == "violated":
        return ("xfail", True, f"XFAIL {known}") if result.case or expected else ("fail", False, "")
    if result.verdict == "vacuous":
        missed = [witness for witness, reached in result.witnesses if not reached]
        return "skip", True, f"SKIP vacuous, never reached: {', '.join(missed) or 'anything the property is about'}"
    word = "TIMEOUT" if result.bound == "the time bound" else "ERROR"
    return "error", False, f"{word} incomplete after {result.states:,} states: {result.bound or 'a bound'}"


def _diagnostics(result: Result) -> Iterator[str]:
    """What stands before the result; each line begins with a word of ours."""
    size = f", {result.steps} steps, {result.switches} context switches" if result.steps else ""
    yield f"{result.verdict.upper()}: {result.states:,} states, depth {result.depth}{size}"
    if result.short:
        yield f"what happens: {result.short}"
    if result.trace:
        yield f"to see it: modelcheck show {result.trace}"
    if result.note:
        yield f"note: {result.note}"

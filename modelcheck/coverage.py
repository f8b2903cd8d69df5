"""Which source lines of a spec's processes no checked combination reached, and why.

A line is where a process yields; every process of every model counts, left out of a search or not.  Its one invariant:
a line is called reached only where some step that was explored ran it.  A reason names a kernel function (`gpc_check`),
a step of one (`gpc_check H3`) or the text of the line, never its number, which the next change moves.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Sequence
from functools import lru_cache

from modelcheck.explore.verdict import Line, Outcome
from modelcheck.results import Coverage, LineMark, Unreached
from modelcheck.trace.build import home

NO_REASON = "no reason given"


def coverage_of(outcomes: Iterable[Outcome], reasons: Sequence[tuple[str, str]]) -> Coverage:
    """The coverage of all outcomes together; `reasons` are (what, why), of which the first that fits counts."""
    owners: dict[Line, set[str]] = {}
    covered: set[Line] = set()
    took_part: set[str] = set()
    left_out: dict[str, str] = {}
    steps: dict[Line, tuple[str, str]] = {}
    for outcome in outcomes:
        for name, lines in outcome.sources:
            for line in lines:
                owners.setdefault(line, set()).add(name)
        covered |= outcome.covered
        took_part |= set(outcome.actors)
        left_out.update(outcome.left_out)
        for line, step in outcome.steps_of:
            steps.setdefault(line, step)
    missed = []
    for line in sorted(owners.keys() - covered):
        function, label = steps.get(line, ("", ""))
        text = linecache.getline(*line).strip()
        name = function or _function_at(*line)
        why = next((reason for what, reason in reasons if what in (name, f"{name} {label}".strip(), text)), "")
        if not why and took_part.isdisjoint(owners[line]):
            why = "; ".join(f"{owner} takes no part: {left_out.get(owner, '')}" for owner in sorted(owners[line]))
        missed.append(Unreached(home(line[0]), line[1], name, label, text, why or NO_REASON))
    marks = tuple(
        LineMark(home(line[0]), *line, line in covered, *steps.get(line, ("", ""))) for line in sorted(owners)
    )
    return Coverage(len(owners), len(owners.keys() & covered), tuple(missed), marks)


@lru_cache(maxsize=256)
def _functions(file: str) -> tuple[tuple[int, int, str], ...]:
    """The functions of a file as (first line, last line, name), inner ones last; nothing where it cannot be read."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return ()
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return tuple(sorted((node.lineno, node.end_lineno or node.lineno, node.name) for node in found))


def _function_at(file: str, line: int) -> str:
    """The innermost function of a spec that a line is in, for lines that no model has a step of."""
    return next((name for first, last, name in reversed(_functions(file)) if first <= line <= last), "")

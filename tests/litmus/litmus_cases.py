"""Shorthands of the litmus tests: texts, searched states, and where the field's suites are."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.parse import parse
from modelcheck.litmus.verdict import Verdict, decide

OWN = Path(__file__).parent / "suite"
SHARED = Path(__file__).parents[2].parent / "shared" / "litmus"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the field's suites are not at ../shared/litmus")
MODELS = ("sc", "tso", "weak")


def x86(rows: str, condition: str, init: str = "") -> str:
    """A test of processes given as `a; b | c`, one column each."""
    columns = [column.strip().split("; ") for column in rows.split("|")]
    depth = max(map(len, columns))
    cells = [[f"P{i}", *column, *[""] * (depth - len(column))] for i, column in enumerate(columns)]
    table = "".join(f" {' | '.join(row)} ;\n" for row in zip(*cells, strict=True))
    return f"X86 made\n{{{init}}}\n{table}{condition}\n"


def kernel(*bodies: str, condition: str, init: str = "", parameters: str = "int *x, int *y") -> str:
    """A C test; every process has the same parameters."""
    functions = "".join(f"P{i}({parameters})\n{{\n\t{body}\n}}\n\n" for i, body in enumerate(bodies))
    return f"C made\n\n{{{init}}}\n\n{functions}{condition}\n"


def verdict(text: str | LitmusTest, memory: str = "sc") -> Verdict:
    """The verdict of a whole search."""
    test = parse(text) if isinstance(text, str) else text
    return decide(test, memory, Bounds(), best_engine())


def states(text: str, memory: str = "sc") -> set[str]:
    """The final states, as `0:EAX=1 [x]=2`."""
    found = verdict(text, memory)
    return {" ".join(f"{name}={value}" for name, value in zip(found.observables, row, strict=True))
            for row in found.states}


def rows(table: Path) -> list[dict[str, str]]:
    """The rows of a table of verdicts."""
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]

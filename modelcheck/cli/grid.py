"""A grid of texts: aligned columns in a pipe, a rich table with coloured verdicts on a terminal.

In a pipe the text is the same everywhere: no colour codes, no width to fit into, nothing cut.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_STYLES = (("VIOLATED", "bold red"), ("INCOMPLETE", "yellow"), ("VACUOUS", "yellow"), ("HOLDS", "green"))


@dataclass(frozen=True, slots=True)
class Grid:
    """Headings and rows of equal length; the columns in `right` are aligned to the right (numbers)."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


def draw(grid: Grid) -> str:
    """The grid as text, for what stdout is."""
    return _rich(grid) if sys.stdout.isatty() else plain(grid)


def plain(grid: Grid) -> str:
    """The grid as aligned text, two blanks between columns, a line under the headings."""
    widths = [max(map(len, column)) for column in zip(grid.headings, *grid.rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if heading in grid.right else cell.ljust(width)
            for cell, width, heading in zip(cells, widths, grid.headings, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(grid.headings), "  ".join("-" * width for width in widths), *map(line, grid.rows)]) + "\n"


def _rich(grid: Grid) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in grid.headings:
        number = heading in grid.right
        table.add_column(Text(heading), justify="right" if number else "left", no_wrap=number or heading == "property")
    for row in grid.rows:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    console = Console(width=max(shutil.get_terminal_size().columns, 60))
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _style(cell: str) -> str:
    return next((style for word, style in _STYLES if cell.startswith(word)), "")

"""What `ablate` prints: a line for each piece, the comments over barriers, and what is to be known of it all.

Its one invariant: a piece that is not needed shows the states that prove it, and one that was not decided says so.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from modelcheck.cli.grid import Grid, draw
from modelcheck.cli.progress import duration
from modelcheck.cli.rows import wrapped

if TYPE_CHECKING:
    from modelcheck.ablate.results import Ablation, Broken, Cell, Row

SCHEMA = 1
ASSUMPTION = "assumption"


def render(found: Ablation, quiet: bool = False) -> str:
    """The whole report, or only its last line."""
    if quiet:
        return totals(found) + "\n"
    parts = [
        wrapped("  ".join(filter(None, _heading(found)))) + "\n",
        draw(Grid(("step", "without", "function", "source", *found.memories), tuple(map(_line, found.rows)))),
        _block(comments(found)),
        _block(saved(found)),
        _block(wrapped(line) for line in remarks(found)),
        totals(found) + "\n",
    ]
    return "\n".join(part for part in parts if part)


def _heading(found: Ablation) -> tuple[str, ...]:
    """What is asked, of what, and where."""
    asked = f"memory={','.join(found.memories)}  property={','.join(found.properties)}"
    return f"{found.spec} {found.version}", asked, "; ".join(found.settings)


def _line(row: Row) -> tuple[str, ...]:
    return row.step, row.text, row.function or row.kind, row.place, *(cell_text(cell) for cell in row.cells)


def cell_text(cell: Cell) -> str:
    """What breaks, what is lost, or that nothing is."""
    match cell.verdict:
        case "needed":
            rest = "; the rest INCOMPLETE" if cell.decided < cell.asked else ""
            return "breaks " + ", ".join(broken.property for broken in cell.broken) + rest
        case "lost":
            return f"never: {cell.lost[0]}" + (f" +{len(cell.lost) - 1}" if len(cell.lost) > 1 else "")
        case "not-needed":
            return f"not needed ({cell.states:,})"
    return "INCOMPLETE" if cell.verdict == "incomplete" else "not asked"


def comments(found: Ablation) -> list[str]:
    """The comment over each barrier."""
    lines = []
    for row in found.rows:
        if row.kind == "barrier":
            lines.append(f"{row.text} at {row.step or row.place}" + (f" in {row.function}()" if row.function else ""))
            lines += row.pairs or ("it pairs with no barrier of another process",)
    return lines


def saved(found: Ablation) -> list[str]:
    """Where counterexamples were saved: one for each piece and property, of the first memory model that has one."""
    first: dict[tuple[str, str], tuple[Row, Broken]] = {}
    for row, _, broken in _broken(found):
        if broken.trace:
            first.setdefault((row.key, broken.property), (row, broken))
    lines = []
    for row, broken in first.values():
        lines.append(f"{broken.property} without {row.text} ({row.step or row.place}), {broken.steps} steps:")
        lines.append(f"    modelcheck show {shlex.quote(broken.trace or '')}")
    return lines


def _broken(found: Ablation) -> Iterable[tuple[Row, Cell, Broken]]:
    return ((row, cell, broken) for row in found.rows for cell in row.cells for broken in cell.broken)


def remarks(found: Ablation) -> list[str]:
    """What was not asked and why, bounds, and how the words are meant."""
    lines = [f"Not asked: {why}" for why in found.skipped]
    ranges = dict.fromkeys(broken.short for _, _, broken in _broken(found) if broken.property not in found.properties)
    lines += [f"A range: {why}" for why in ranges if why]
    bounds = dict.fromkeys(cell.bound for row in found.rows for cell in row.cells if cell.bound)
    lines += [f"INCOMPLETE: {bound}" for bound in dict.fromkeys((*([found.bound] if found.bound else []), *bounds))]
    lines.append(
        "A number in parentheses is how many states prove it, for these properties, actors and settings. `never`: what "
        "a property is about cannot be reached without the piece, so nothing breaks."
    )
    return lines


def totals(found: Ablation) -> str:
    """The last line: how many pieces of each kind of answer, the worst of each piece's cells."""
    order = ("needed", "incomplete", "lost", "not-needed", "not-asked")
    words = {"lost": "to get anywhere"} | {each: each.replace("-", " ") for each in order if each != "lost"}
    worst = [next(each for each in order if each in {cell.verdict for cell in row.cells}) for row in found.rows]
    counts = ", ".join(f"{worst.count(each)} {words[each]}" for each in order if each in worst)
    states = sum(cell.states for row in found.rows for cell in row.cells)
    end = "" if found.complete else "INCOMPLETE: "
    settings = f"{len(found.settings)} setting{'s' * (len(found.settings) != 1)}"
    return f"{end}{len(found.rows)} pieces: {counts} ({settings}, {states:,} states, {duration(found.seconds)})"


def to_json(found: Ablation) -> str:
    """The whole report as one JSON object in ASCII, with a newline at the end."""
    return json.dumps(to_object(found), indent=2) + "\n"


def to_object(found: Ablation) -> dict[str, Any]:
    """The report as plain dicts and lists."""
    return {
        "schema": SCHEMA,
        "spec": found.spec,
        "version": found.version,
        "complete": found.complete,
        "seconds": round(found.seconds, 3),
        "memory": list(found.memories),
        "properties": list(found.properties),
        "settings": list(found.settings),
        "not_asked": list(found.skipped),
        "bound": found.bound,
        "notes": [*found.notes, *found.faults],
        "pieces": [_row(row) for row in found.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "kind": row.kind,
        "without": row.text,
        "function": row.function,
        "step": row.step,
        "file": row.file,
        "line": row.line,
        "processes": list(row.processes),
        "settings": row.settings,
        "pairs": list(row.pairs),
        "memory": {cell.memory: _cell(cell) for cell in row.cells},
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "verdict": cell.verdict,
        "breaks": [_breaks(broken) for broken in cell.broken],
        "never": list(cell.lost),
        "states": cell.states,
        "seconds": round(cell.seconds, 3),
        "asked": cell.asked,
        "decided": cell.decided,
        "bound": cell.bound,
    }


def _breaks(broken: Broken) -> dict[str, Any]:
    return {
        "property": broken.property,
        "parameters": {name: str(value) for name, value in broken.setting.values},
        "steps": broken.steps,
        "trace": broken.trace,
        "id": broken.id,
        "short": broken.short,
    }


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return text + "\n" if text else ""

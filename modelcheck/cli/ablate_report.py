"""What `ablate` prints: a line for each piece, the comments over barriers, and what is to be known of it all.

The JSON object has the same: `schema` (1), `spec`, `version`, `complete`, `seconds`, the `memory` models, `properties`
and `settings` asked, `not_asked` and `bound` with why, `notes`, and `pieces`.  A piece has `key` (what a trace names it
by), `kind`, `without` (its text), `function`, `step`, `file`, `line`, `processes`, in how many `settings` it is, what a
barrier `pairs` with, and for each memory model a `verdict` (results.VERDICTS) with what `breaks` (property, parameters,
steps, trace, id, short), what is `never` reached, which property `holds` at how many settings, `states`, `seconds`, how
many combinations were `asked` and `decided`, and the `bound` that ended the others.

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
ASSUMPTION, ASSUMPTIONS = "assumption", "assumptions"
WORDS = (  # what the answers mean, by verdict
    ("needed", "Breaks: the first property that was found violated without the piece, or with --every all of them."),
    ("lost", "Never: what some property is about cannot be reached without the piece, so that nothing breaks."),
    ("not-needed", "Not needed: of the properties that the protocol has where the piece is, each was proved without it,"
     " at every setting that has it; that says nothing of other properties, actors and settings."),
)  # fmt: skip
HEADINGS = ("step", "left out, or changed", "source", "without it")


def render(found: Ablation, quiet: bool = False) -> str:
    """The whole report, or only its last line."""
    if quiet:
        return totals(found) + "\n"
    parts = [
        "\n".join(map(wrapped, _heading(found))) + "\n",
        draw(Grid(HEADINGS, tuple(_lines(found)))),
        _block(comments(found)),
        _block(saved(found)),
        _block(wrapped(line) for line in remarks(found)),
        totals(found) + "\n",
    ]
    return "\n".join(part for part in parts if part)


def _heading(found: Ablation) -> tuple[str, ...]:
    """What is asked, of what, and where."""
    return (
        f"{found.spec} {found.version}, one piece left out at a time; memory: {', '.join(found.memories)}",
        f"properties: {', '.join(found.properties)}",
        *(f"setting: {setting}" for setting in found.settings if setting),
    )


def _lines(found: Ablation) -> Iterable[tuple[str, ...]]:
    """A line for each piece about which something was found, under the function (else the processes) it is in."""
    under = ""
    for row in found.rows:
        if not _begun(row):
            continue
        place = ASSUMPTIONS if row.kind == ASSUMPTION else f"{row.function}()" if row.function else ""
        place = place or ", ".join(row.processes)
        if place != under:
            yield "", f"{place}:", "", ""
        under = place
        yield row.step, f"  {row.text}", row.place, row_text(row)


def _begun(row: Row) -> bool:
    """Whether anything was found out about a piece."""
    return any(cell.decided or not cell.asked for cell in row.cells)


def row_text(row: Row) -> str:
    """What breaks without a piece; memory models that agree are told together, with the states of them all."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in row.cells:
        groups.setdefault(_answer(cell), []).append(cell)
    told = []
    for (answer, proof), cells in groups.items():
        models = "" if len(groups) == 1 else ", ".join(cell.memory for cell in cells) + ": "
        told.append(f"{models}{answer}{proof.format(sum(cell.states for cell in cells))}")
    return "; ".join(told)


def _answer(cell: Cell) -> tuple[str, str]:
    """What breaks, what is lost, or that nothing is; and how much proves it, with a place for the number of states."""
    match cell.verdict:
        case "needed":
            rest = " (the rest INCOMPLETE)" if cell.decided < cell.asked else ""
            return "breaks " + ", ".join(broken.property for broken in cell.broken) + rest, ""
        case "lost":
            more = f" and {len(cell.lost) - 1} more" if len(cell.lost) > 1 else ""
            return f"nothing breaks, but never: {cell.lost[0]}{more}", ""
        case "not-needed":
            return "not needed", f" ({len(cell.held)} propert{'y' if len(cell.held) == 1 else 'ies'}, {{:,}} states)"
    return "INCOMPLETE" if cell.verdict == "incomplete" else "not asked", ""


def comments(found: Ablation) -> list[str]:
    """What to put over each barrier that has a partner."""
    lines: list[str] = []
    for row in found.rows:
        if row.kind == "barrier" and _begun(row):
            where = f" in {row.function}()" if row.function else f" in {row.processes[0]}"
            step = f", step {row.step}" if row.step else ""
            lines.append(f"{row.text}{where} ({row.place}{step}):" + ("" if row.pairs else " pairs with no barrier"))
            lines += row.pairs
    return lines


def saved(found: Ablation) -> list[str]:
    """Where counterexamples were saved: one for each piece and property, of the first memory model that has one."""
    first: dict[tuple[str, str], tuple[Row, Broken]] = {}
    for row, _, broken in _broken(found):
        if broken.trace:
            first.setdefault((row.key, broken.property), (row, broken))
    lines: list[str] = []
    for row, broken in first.values():
        lines.append(f"{broken.property} without {row.text} ({row.step or row.place}), {broken.steps} steps:")
        lines.append(f"    modelcheck show {shlex.quote(broken.trace or '')}")
    return lines


def _broken(found: Ablation) -> Iterable[tuple[Row, Cell, Broken]]:
    return ((row, cell, broken) for row in found.rows for cell in row.cells for broken in cell.broken)


def remarks(found: Ablation) -> list[str]:
    """What was not asked and why, bounds, and how the words are meant."""
    lines = [f"Not asked: {why}." for why in found.skipped]
    ranges = dict.fromkeys(broken.short for _, _, broken in _broken(found) if broken.property not in found.properties)
    lines += [f"A range: {why}." for why in ranges if why]
    bounds = dict.fromkeys(cell.bound for row in found.rows for cell in row.cells if cell.bound)
    lines += [f"INCOMPLETE: {bound}." for bound in dict.fromkeys((*([found.bound] if found.bound else []), *bounds))]
    left = sum(not _begun(row) for row in found.rows)
    if left:
        lines.append(f"INCOMPLETE: {left} of {len(found.rows)} pieces were not come to, and are not in the table.")
    answers = {cell.verdict for row in found.rows for cell in row.cells}
    lines += [text for verdict, text in WORDS if verdict in answers]
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
        "holds": dict(cell.held),
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

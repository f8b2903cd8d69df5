"""A drawing as lists of numbers and names for the page's script, which draws the rows that are in sight.

Its one invariant: nothing is drawn that `layout.py` did not place; a shape is (kind of shape, numbers, names):

- `["r", x, y, width, height, fill, stroke, stroke width, radius, kind]` a box, in front of arrows or (`"b"`) behind;
- `["p", d, stroke, width, dash, arrow head or "", kind, row it comes from]` a line (`"m"` in front of boxes);
- `["t", x, y, text, size, colour, bold, up, halo, length, kind]` a label, at its baseline.

A row has `s`, its first and last step; `d`, 1 for the one that decides; `y` and `h`; `top`, where what belongs to it
begins; `box`; `text`, its sentence; and `e`, its shapes, whose y count from `y`: so equal rows are equal text, which
deflates well.  `fixed` are the shapes of no row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelcheck.view.escape import columns
from modelcheck.view.html.sentences import sentence
from modelcheck.view.svg import arrow_heads

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.drawing import Counts, Drawing, Label, Path, Rect


def view(trace: Trace, drawing: Drawing) -> dict[str, Any]:
    """The whole drawing as JSON."""
    heads = arrow_heads(drawing, "live")
    nothing: Counts = (0, 0, 0, 0, 0)
    fixed = []
    at = nothing
    for band in drawing.rows:
        fixed += _shapes(drawing, heads, at, band.start, 0)
        at = band.end
    fixed += _shapes(drawing, heads, at, drawing.counts(), 0)
    return {
        "w": _number(drawing.width),
        "h": _number(drawing.height),
        "head": _number(drawing.head),
        "heads": heads,
        "fixed": fixed,
        "rows": [
            {
                "s": [band.row.steps[0], band.row.steps[-1]],
                "d": int(band.row.deciding),
                "y": _number(band.y),
                "h": _number(band.height),
                "top": _number(band.top),
                "box": [*map(_number, (band.box.x, band.box.y, band.box.width, band.box.height))],
                "text": sentence(trace, band.row),
                "e": _shapes(drawing, heads, band.start, band.end, band.y),
            }
            for band in drawing.rows
        ],
    }


def _shapes(drawing: Drawing, heads: dict[str, str], start: Counts, end: Counts, top: float) -> list[list[Any]]:
    return [
        *(_rect("b", rect, top) for rect in drawing.bands[start[0]:end[0]]),
        *(_path("p", path, heads, top) for path in drawing.paths[start[1]:end[1]]),
        *(_rect("r", rect, top) for rect in drawing.boxes[start[2]:end[2]]),
        *(_path("m", path, heads, top) for path in drawing.marks[start[3]:end[3]]),
        *(_label(label, top) for label in drawing.labels[start[4]:end[4]]),
    ]


def _rect(shape: str, rect: Rect, top: float) -> list[Any]:
    place = map(_number, (rect.x, rect.y - top, rect.width, rect.height))
    return [shape, *place, rect.fill, rect.stroke, rect.stroke_width, rect.radius, rect.kind]


def _path(shape: str, path: Path, heads: dict[str, str], top: float) -> list[Any]:
    head = heads[path.stroke] if path.arrow else ""
    return [shape, _raised(path.d, top), path.stroke, path.width, path.dash, head, path.kind, path.source]


def _label(label: Label, top: float) -> list[Any]:
    if label.up:
        x, y, length = label.x + label.size, label.y + label.height, label.height
    else:
        x, y, length = label.x, label.y + label.size, label.width
    text = label.text.lstrip(" ")  # which a browser would drop, and stretch the rest
    indent = length - length * columns(text) / max(columns(label.text), 1)
    x, y, length = (x, y - indent, length - indent) if label.up else (x + indent, y, length - indent)
    look = (label.colour, int(label.bold), int(label.up), int(label.halo))
    return ["t", _number(x), _number(y - top), text, label.size, *look, _number(length), label.kind]


def _raised(d: str, top: float) -> str:
    """The path with every absolute y less by `top`.

    >>> _raised("M1.0 12.0C2.0 13.0 3.0 14.0 4.0 15.0H5.0v4", 10)
    'M1 2C2 3 3 4 4 5H5v4'
    """
    made = []
    for command, numbers in re.findall(r"([A-Za-z])([-0-9. ]*)", d):
        values = [float(number) for number in numbers.split()]
        for place in {"M": (1,), "C": (1, 3, 5), "V": (0,)}.get(command, ()):
            values[place] -= top
        made.append(command + " ".join(f"{_number(value)}" for value in values))
    return "".join(made)


def _number(value: float) -> float | int:
    short = round(value, 1)
    return int(short) if short == int(short) else short

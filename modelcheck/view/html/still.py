"""The drawing without a script: for paper, and for readers that run none.

Its one invariant: it is the drawing of `layout.py`, cut between rows into pieces that each fit a page, so that no
printer cuts through a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.drawing import Drawing
from modelcheck.view.html.markup import Markup, tag
from modelcheck.view.svg import classed, elements

if TYPE_CHECKING:
    from modelcheck.view.drawing import Band

HIDDEN = ("co", "fr", "hb")  # lines without a label: only where they can be switched
SHAPE = 1.15  # height of a piece by its width: A4 with its margins


def still(drawing: Drawing) -> Markup:
    """The pieces, each under the names of the lanes."""
    tall = drawing.width * SHAPE - drawing.head
    pieces: list[list[Band]] = []
    for band in drawing.rows:
        if not pieces or band.y + band.height - pieces[-1][0].y > tall:
            pieces.append([])
        pieces[-1].append(band)
    label = "The steps as a drawing; the list of steps below says the same in words"
    return tag("div", *(_piece(drawing, bands, number) for number, bands in enumerate(pieces)),
               class_="still", role="img", aria_label=label)


def _piece(drawing: Drawing, bands: list[Band], number: int) -> Markup:
    upper, lower = bands[0].y - 5, bands[-1].y + bands[-1].height + 5
    kept = Drawing(drawing.width, drawing.height)
    heading = Drawing(drawing.width, drawing.height)
    last = (0, 0, 0, 0, 0)
    for band in [*drawing.rows, None]:
        _copy(drawing, kept, last, band.start if band else drawing.counts())
        _copy(drawing, heading, last, band.start if band else drawing.counts())
        if band is not None:
            if band.top < lower and band.y + band.height > upper:
                _copy(drawing, kept, band.start, band.end)
            last = band.end
    heading.paths = []
    top = _svg(heading, 0, drawing.head, f"h{number}")
    return tag("figure", top, _svg(kept, upper, lower, f"r{number}"))


def _copy(source: Drawing, target: Drawing, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    target.bands += source.bands[start[0]:end[0]]
    target.paths += [path for path in source.paths[start[1]:end[1]] if path.kind not in HIDDEN]
    target.boxes += source.boxes[start[2]:end[2]]
    target.marks += source.marks[start[3]:end[3]]
    target.labels += source.labels[start[4]:end[4]]


def _svg(drawing: Drawing, upper: float, lower: float, name: str) -> Markup:
    box = f"0 {upper:.0f} {drawing.width:.0f} {lower - upper:.0f}"
    inner = "".join(elements(drawing, classed, prefix=name))
    return Markup(f'<svg viewBox="{box}" aria-hidden="true">{inner}</svg>')

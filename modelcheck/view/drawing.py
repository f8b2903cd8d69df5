"""A drawing as data: rectangles, labels and paths with their places, before anything is written as SVG.

Its one invariant: a label's box is as large as its text, so tests decide by geometry whether labels overlap.
Units are pixels at 100 %; text is monospace, 0.6 of its size wide.  A colour is a name of `palette.py`, or `#rrggbb`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelcheck.view.escape import columns

if TYPE_CHECKING:
    from modelcheck.view.distil import Row

MARGIN = 20.0  # around the picture
INK, FAINT, PAPER = "ink", "faint", "paper"
UPDATES = 8  # colours of updates; a ninth update has the first's colour and its own number

def char_width(size: float) -> float:
    """The width of one monospace column."""
    return size * 0.6


def text_height(size: float) -> float:
    """The height a line of text needs."""
    return size * 1.25


def colour(version: int) -> str:
    """The fill of an update's bytes."""
    return f"v{version % UPDATES}"


def pale(version: int) -> str:
    """The fill of an update's bytes where a step does not touch them."""
    return f"p{version % UPDATES}"


def ink_on(version: int) -> str:
    """Black or white, whichever reads on the update's fill."""
    return f"t{version % UPDATES}"


def arrow_of(version: int) -> str:
    """The stroke of an arrow that an update's bytes come by."""
    return f"a{version % UPDATES}"


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled box; `stroke` "" draws no border."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = ""
    stroke_width: float = 1
    radius: float = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text in the box (x, y, width, height); `up` turns it to read from bottom to top."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    bold: bool = False
    up: bool = False
    halo: bool = False
    kind: str = ""

    @property
    def width(self) -> float:
        """The box's width."""
        return text_height(self.size) if self.up else columns(self.text) * char_width(self.size)

    @property
    def height(self) -> float:
        """The box's height."""
        return columns(self.text) * char_width(self.size) if self.up else text_height(self.size)

    def overlaps(self, other: Label) -> bool:
        """True when the two boxes share more than a border."""
        return (
            self.x + self.width > other.x + 0.01 and other.x + other.width > self.x + 0.01
            and self.y + self.height > other.y + 0.01 and other.y + other.height > self.y + 0.01
        )


@dataclass(frozen=True, slots=True)
class Path:
    """A line or curve: `d` holds numbers and path letters only."""

    d: str
    stroke: str
    width: float = 1
    dash: str = ""
    arrow: bool = False
    kind: str = ""
    source: int = -1  # the row an arrow comes from


Counts = tuple[int, int, int, int, int]  # how many bands, paths, boxes, marks and labels there are


@dataclass(frozen=True, slots=True)
class Band:
    """One row of the drawing: where it is, its box, and which elements are its own (`start` to `end` of each list).

    `top` is the upper end of what belongs to it, arrows from rows above included.
    """

    row: Row
    y: float
    height: float
    box: Rect
    top: float
    start: Counts
    end: Counts


@dataclass
class Drawing:
    """What to draw, back to front: bands, paths, boxes, marks, then labels; rows begin at `head`."""

    width: float = 0
    height: float = 0
    head: float = 0
    rows: list[Band] = field(default_factory=list)
    bands: list[Rect] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    boxes: list[Rect] = field(default_factory=list)
    marks: list[Path] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def counts(self) -> Counts:
        """How many elements there are of each kind."""
        return len(self.bands), len(self.paths), len(self.boxes), len(self.marks), len(self.labels)

    def lines(self, x: float, y: float, texts: list[str], size: float, **how: object) -> float:
        """Labels one below the other; the y below the last."""
        for text in texts:
            if text.strip():
                self.labels.append(Label(x, y, text, size, **how))  # type: ignore[arg-type]
            y += text_height(size)
        return y

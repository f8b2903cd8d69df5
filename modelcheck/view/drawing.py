"""A drawing as data: rectangles, labels and paths with their places, before anything is written as SVG.

Its one invariant: a label's box is as large as its text, so tests decide by geometry whether labels overlap.
Units are pixels at 100 %; text is monospace, 0.6 of its size wide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.view.escape import columns

MARGIN = 20.0  # around the picture
INK, FAINT, PAPER = "#1f2328", "#59636e", "#ffffff"
# Okabe and Ito's colours, which colour-blind people can tell apart; index: version modulo 8.
PALETTE = ("#bbbbbb", "#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00")


def char_width(size: float) -> float:
    """The width of one monospace column."""
    return size * 0.6


def text_height(size: float) -> float:
    """The height a line of text needs."""
    return size * 1.25


def colour(version: int) -> str:
    """The fill of an update's bytes."""
    return PALETTE[version % len(PALETTE)]


def mixed(hex_colour: str, other: str, share: float) -> str:
    """A colour with `share` of another in it, as `#rrggbb`.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(hex_colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def ink_on(fill: str) -> str:
    """Black or white, whichever reads on the fill."""
    red, green, blue = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
    return PAPER if red * 0.299 + green * 0.587 + blue * 0.114 < 110 else INK


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


@dataclass
class Drawing:
    """What to draw, back to front: bands, paths, boxes, then labels."""

    width: float = 0
    height: float = 0
    bands: list[Rect] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    boxes: list[Rect] = field(default_factory=list)
    marks: list[Path] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def lines(self, x: float, y: float, texts: list[str], size: float, **how: object) -> float:
        """Labels one below the other; the y below the last."""
        for text in texts:
            if text.strip():
                self.labels.append(Label(x, y, text, size, **how))  # type: ignore[arg-type]
            y += text_height(size)
        return y

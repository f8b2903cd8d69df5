"""The byte ruler: a memory area as a strip of bytes in each row, coloured by the update that wrote them.

In a strip the bytes the row touches are tall and in full colour, the rest of the memory is low and pale; the number
of the update stands in each run that has room for it.  A dark edge marks a byte whose form differs (a flag bit set).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from modelcheck.view.drawing import FAINT, INK, Label, Path, Rect, char_width, colour, ink_on, pale, text_height
from modelcheck.view.escape import cut, printable
from modelcheck.view.snapshot import groups, loads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelcheck.trace.trace import AreaInfo, Trace
    from modelcheck.view.distil import Row
    from modelcheck.view.drawing import Drawing

    Content = Mapping[int, tuple[int, str]]  # offset -> version, form

STRIP = 20
LOW = 12
WIDE = 13.0  # pixels of a byte in a picture that stands alone
WIDEST = 624
NAME = 10.0
NUMBER = 11.0
SMALL_NUMBER = 9.0
LONGEST_NAME = 16


@dataclass(frozen=True, slots=True)
class Ruler:
    """Where a strip is: byte `offset` is at x + offset * cell."""

    area: AreaInfo
    x: float
    cell: float

    @property
    def width(self) -> float:
        """The width of a whole strip."""
        return self.area.size * self.cell

    def piece(self, offset: int) -> int:
        """The cache line or page, whichever is smaller, that the byte lies in."""
        return (self.area.base + offset) // min(self.area.line, self.area.page)

    def at(self, offset: int) -> float:
        """The left edge of a byte."""
        return self.x + offset * self.cell


def ruler_for(area: AreaInfo, x: float, cell: float) -> Ruler:
    """A ruler whose bytes are `cell` pixels wide, or as wide as a large area leaves them."""
    return Ruler(area, x, min(cell, cell / WIDE * WIDEST / area.size))


def at_start(trace: Trace) -> dict[int, tuple[int, str]]:
    """What memory holds before the first step; bytes nothing is known of are as the most bytes are."""
    first = [source for step in trace.steps if step.memory for source in step.memory.bytes
             if source.step < 0 and step.memory.op == "load"]
    versions = sorted(source.version for source in first)
    default = max(versions, key=versions.count) if versions else min((u.version for u in trace.updates), default=0)
    memory = dict.fromkeys(range(trace.area.size if trace.area else 0), (default, ""))
    memory.update({source.offset: (source.version, source.variant) for source in reversed(first)})
    return memory


def contents(trace: Trace, shown: list[Row]) -> list[dict[int, tuple[int, str]]]:
    """What memory holds after each row."""
    memory = at_start(trace)
    after = []
    for row in shown:
        if row.op == "store":
            memory.update({source.offset: (source.version, source.variant) for source in row.bytes})
        after.append(dict(memory))
    return after


def strip(drawing: Drawing, ruler: Ruler, y: float, content: Content, touched: Content) -> None:
    """One strip at `y`, STRIP high."""
    seen = {**content, **touched}

    def key(offset: int) -> tuple[bool, int | None, int]:
        # A run ends where a cache line does, so that both halves of an access that crosses it have a number.
        return offset in touched, seen[offset][0] if offset in seen else None, ruler.piece(offset)

    for (tall, version, _), group in groupby(range(ruler.area.size), key=key):
        if version is None:
            continue
        offsets = list(group)
        x, width = ruler.at(offsets[0]), len(offsets) * ruler.cell
        if tall:
            drawing.boxes.append(Rect(x, y, width, STRIP, colour(version), INK, 1, kind="byte"))
            _number(drawing, x, y + (STRIP - text_height(NUMBER)) / 2, width, version, ink_on(version), NUMBER)
            if ruler.cell >= 5:
                ticks = "".join(f"M{ruler.at(o):.1f} {y + STRIP - 4:.1f}v4" for o in offsets[1:])
                drawing.marks += [Path(ticks, ink_on(version), 0.75)] if ticks else []
        else:
            low = y + (STRIP - LOW) / 2
            drawing.boxes.append(Rect(x, low, width, LOW, pale(version), kind="byte"))
            _number(drawing, x, low + 0.4, width, version, INK, SMALL_NUMBER)
    for offset, (_, variant) in seen.items():
        if variant:
            top, height = (y, STRIP) if offset in touched else (y + (STRIP - LOW) / 2, LOW)
            drawing.boxes.append(Rect(ruler.at(offset), top, ruler.cell, height * 0.25, INK, kind="form"))


def _number(drawing: Drawing, x: float, y: float, width: float, version: int, ink: str, size: float) -> None:
    text = str(version)
    if len(text) * char_width(size) <= width:
        left = x + (width - len(text) * char_width(size)) / 2
        drawing.labels.append(Label(left, y, text, size, ink, bold=True, kind="version"))


def held_strips(trace: Trace, shown: list[Row]) -> list[dict[int, tuple[int, str]]]:
    """What the deciding process holds: its last load of each access, oldest first, a new strip where bytes repeat."""
    return [{byte.offset: (byte.version, byte.variant) for load in group for byte in load.bytes}
            for group in groups(loads(trace, shown))][-6:]


def head(drawing: Drawing, ruler: Ruler, y: float) -> float:
    """The fields' names and offsets above the strips; the y below them."""
    area = ruler.area
    title = cut(printable(f"bytes of {area.name}"), int(ruler.width / char_width(NUMBER)))
    drawing.labels.append(Label(ruler.x, y, title, NUMBER, bold=True))
    y += 16 + text_height(NAME)  # the second line is for the names of boundaries
    names = [(_name(printable(name), (hi - lo) * ruler.cell), lo, hi) for name, lo, hi in area.fields]
    height = max((_tall(parts) for parts, _, _ in names), default=0.0) + 6
    taken = -1e9  # the right edge of what was written last; fields may overlap
    for parts, lo, hi in sorted(names, key=lambda item: item[1:]):
        x, width = ruler.at(lo), (hi - lo) * ruler.cell
        drawing.boxes.append(Rect(x, y, width, height, "card", "rail"))
        if x < taken or not parts:
            continue
        top, left = y + (height - _tall(parts)) / 2, x + (width - sum(part.width for part in parts)) / 2
        for part in parts:
            if part.up:
                drawing.labels.append(replace(part, x=left, y=y + (height - part.height) / 2))
                left += part.width
            else:
                drawing.labels.append(replace(part, x=x + (width - part.width) / 2, y=top))
                top += part.height
        taken = x + width
    y += height + 2
    taken = -1e9
    for offset in sorted({lo for _, lo, _ in area.fields}):
        label = Label(ruler.at(offset) + 2, y, str(offset), 9, FAINT, kind="offset")
        if label.x >= taken:
            drawing.labels.append(label)
            taken = label.x + label.width + 2
    return y + text_height(9) + 4


def _tall(parts: list[Label]) -> float:
    """The height of a name: lines lie one below the other, or, turned up, side by side."""
    heights = [part.height for part in parts]
    return max(heights, default=0.0) if parts and parts[0].up else sum(heights)


def _name(name: str, width: float) -> list[Label]:
    """The name in one or two lines that fit the width, else turned up, else not at all; places are still to be set."""
    one = Label(0, 0, cut(name, LONGEST_NAME), NAME, kind="field")
    if not one.text or one.width <= width:
        return [one] if one.text else []
    middle = one.text.rfind("_", 1, int(width / char_width(NAME)) + 1)
    two = [replace(one, text=one.text[:middle]), replace(one, text=one.text[middle:])]
    if middle > 0 and all(part.width <= width for part in two):
        return two
    up = replace(one, up=True)
    if up.width > width:
        return []
    # Turned names are short: in two lines where there is room for them.
    middle = one.text.rfind("_", 1, len(one.text) * 3 // 4)
    if middle > 0 and len(one.text) > 8 and 2 * up.width <= width:
        return [replace(up, text=one.text[:middle]), replace(up, text=one.text[middle:])]
    return [up]


def boundaries(drawing: Drawing, ruler: Ruler, name: float, top: float, bottom: float) -> None:
    """A line down all strips where a cache line or a page begins inside the area, named at height `name`."""
    area = ruler.area
    taken = -1e9
    for offset in range(1, area.size):
        page, line = (area.base + offset) % area.page == 0, (area.base + offset) % area.line == 0
        if not page and not line:
            continue
        stroke = "page" if page else "edge"
        x = ruler.at(offset)
        dash = "" if page else "6 3"
        drawing.marks.append(Path(f"M{x:.1f} {top:.1f}V{bottom:.1f}", stroke, 2, dash, kind="boundary"))
        text = "page ends here" if page else "cache line ends here"
        left = min(max(x - len(text) * 3, ruler.x), ruler.x + max(ruler.width - len(text) * 6, 0))
        if left >= taken and len(text) * 6 <= ruler.width:
            drawing.labels.append(Label(left, name, text, 10, stroke, kind="boundary"))
            taken = left + len(text) * 6 + 4

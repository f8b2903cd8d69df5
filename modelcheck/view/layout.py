"""Where everything in the picture goes: lanes side by side, time downwards, the byte ruler on the right.

Its one invariant: each row has a band of its own, and each lane, gutter and the ruler a column of its own, so what is
placed inside one never overlaps what is inside another.  Arrow labels stand in the gutter beside the arrow's head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view import legend
from modelcheck.view import ruler as rulers
from modelcheck.view.arrows import START, Arrival, arrivals
from modelcheck.view.distil import rows
from modelcheck.view.drawing import (
    FAINT,
    INK,
    MARGIN,
    Band,
    Drawing,
    Label,
    Path,
    Rect,
    char_width,
    colour,
    text_height,
)
from modelcheck.view.escape import columns, cut, printable, wrap
from modelcheck.view.holds import holds

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

TEXT, SMALL = 12.0, 10.0
PAD = 8.0
GAP = 9.0
PITCH = 17.0  # between two arrow heads at one box
NARROW, HEAD = 24.0, 14.0


@dataclass(frozen=True, slots=True)
class Look:
    """How wide the text of a box is, in columns, and a byte of the ruler, in pixels; what there is beside the rows.

    `bare` leaves out the heading and the legend, `plain` draws the arrows that have no label.
    """

    wrap: int = 34
    cell: float = rulers.WIDE
    bare: bool = False
    plain: bool = False


ALONE = Look()


@dataclass(slots=True)
class Cell:
    """One row with its lines (text, size, colour, bold), the arrows that end at it, and its place once it has one.

    `labelled` are the arrows that have a label, which take room; the others are drawn where there is some.
    """

    row: Row
    lane: int
    lines: list[tuple[str, float, str, bool]]
    labelled: list[Arrival] = field(default_factory=list)
    plain: list[Arrival] = field(default_factory=list)
    y: float = 0
    height: float = 0

    @property
    def text_height(self) -> float:
        """What the box's text needs."""
        return sum(text_height(size) for _, size, _, _ in self.lines) + PAD

    @property
    def middle(self) -> float:
        """Half way down the row."""
        return self.y + self.height / 2

    @property
    def box_height(self) -> float:
        """The box, with room beside it for the labels of arrows."""
        return max(self.text_height, len(self.labelled) * PITCH + 6)


@dataclass(slots=True)
class Columns:
    """The x of each lane's box and its width, one entry per lane, and where the ruler begins."""

    left: list[float]
    width: list[float]
    ruler: float


def lay_out(trace: Trace, full: bool = False, look: Look = ALONE) -> Drawing:
    """The whole picture as data."""
    shown = rows(trace, full)
    cells = _cells(shown, look)
    for cell, ends in zip(cells, arrivals(trace, shown, look.plain), strict=True):
        cell.labelled = [arrival for arrival in ends if arrival.label]
        cell.plain = [arrival for arrival in ends if not arrival.label]
    places = _columns(trace, cells)
    drawing = Drawing()
    seen = trace.area is not None and any(row.op for row in shown)
    ruler = rulers.ruler_for(trace.area, places.ruler, look.cell) if seen and trace.area else None
    inner = ruler.x + ruler.width if ruler else places.ruler
    drawing.width = max(inner + MARGIN, 0.0 if look.bare else 640.0)
    y = 4.0 if look.bare else _heading(trace, drawing)
    top = y
    below = rulers.head(drawing, ruler, y) if ruler else y
    life = _lane_heads(trace, drawing, places, y)
    drawing.head = y = max(life, below) + GAP
    held = rulers.held_strips(trace, shown) if ruler else []
    for cell in cells:
        extra = len(held) * (rulers.STRIP + 4) + 20 if cell.row.deciding and held else 0.0
        cell.y = y
        cell.height = max(cell.box_height, rulers.STRIP + 4.0, extra)
        y += cell.height + GAP
    for lane, x in enumerate(places.left):
        middle = x + places.width[lane] / 2
        drawing.paths.append(Path(f"M{middle:.1f} {life:.1f}V{y:.1f}", "rail", 2))
    _draw_holds(trace, drawing, cells, places, y)
    contents = rulers.contents(trace, shown) if ruler else []
    for number, cell in enumerate(cells):
        start = drawing.counts()
        box = _draw_cell(drawing, cells, cell, places)
        if ruler:
            _draw_bytes(trace, drawing, ruler, cell, contents[number], held)
        top_end = min((cells[end.source].y for end in (*cell.labelled, *cell.plain) if end.source >= 0), default=cell.y)
        drawing.rows.append(Band(cell.row, cell.y, cell.height, box, min(top_end, cell.y), start, drawing.counts()))
    if ruler:
        rulers.boundaries(drawing, ruler, top + 16, below - 16, y)
    if look.bare:
        drawing.height = y
    else:
        drawing.height = legend.footing(trace, drawing, y + 6, ruler is not None) + MARGIN
    return drawing


def _draw_holds(trace: Trace, drawing: Drawing, cells: list[Cell], places: Columns, bottom: float) -> None:
    """Bars at the left of the lanes, from the middle of one row to the middle of another."""
    for hold in holds(trace, [cell.row for cell in cells]):
        x = places.left[hold.process] - 5 - 4 * hold.slot
        lower = bottom if hold.last is None else cells[hold.last].middle
        drawing.paths.append(Path(f"M{x:.1f} {cells[hold.first].middle:.1f}V{lower:.1f}", "lock", 2.5, kind="held"))


def _cells(shown: list[Row], look: Look) -> list[Cell]:
    cells = []
    function: dict[int, str] = {}
    for row in shown:
        small = printable(" ".join(filter(None, (
            f"#{row.number}", row.where,
            f"{row.function}()" if row.function and function.get(row.process) != row.function else "",
        ))))
        function[row.process] = row.function
        lines = [(text, SMALL, FAINT, False) for text in wrap(small, look.wrap + 6)]
        for text in (*(f"({note})" for note in row.notes), row.text, *row.after):
            lines += [(line, TEXT, INK, False) for line in wrap(printable(text), look.wrap, 2)]
        if row.result:
            lines += [(line, TEXT, "link", True) for line in wrap(printable(row.result), look.wrap, 2)]
        if not row.op:
            for slot, old, new in row.changes:
                change = wrap(printable(f"{slot}: {old} -> {new}"), look.wrap + 6, 2)
                lines += [(line, SMALL, FAINT, False) for line in change]
        cells.append(Cell(row, row.process, lines))
    return cells


def _comes_from_right(cells: list[Cell], cell: Cell, arrival: Arrival) -> bool:
    return arrival.source >= 0 and cells[arrival.source].lane > cell.lane


def _columns(trace: Trace, cells: list[Cell]) -> Columns:
    """Each lane as wide as its text; each gutter, left of its lane, as wide as the labels in it."""
    count = len(trace.processes)
    gutters = [NARROW] + [NARROW * 2] * (count - 1) + [0.0]
    widths = [max(columns(line) for line in _title(trace, lane)) * char_width(TEXT) + 2 * PAD for lane in range(count)]
    for cell in cells:
        for text, size, _, _ in cell.lines:
            widths[cell.lane] = max(widths[cell.lane], columns(text) * char_width(size) + 2 * PAD + 6)
        for arrival in cell.labelled:
            gutter = cell.lane + 1 if _comes_from_right(cells, cell, arrival) else cell.lane
            needed = columns(arrival.label) * char_width(SMALL) + HEAD + NARROW
            gutters[gutter] = max(gutters[gutter], needed)
    x, left = MARGIN, []
    for lane in range(count):
        x += gutters[lane]
        left.append(x)
        x += widths[lane]
    return Columns(left, widths, x + gutters[count] + 28)


def _title(trace: Trace, lane: int) -> list[str]:
    process = trace.processes[lane]
    host = next(other for other in trace.processes if other.cpu == process.cpu)
    on = f"CPU{process.cpu}" if host is process else f"CPU{process.cpu}, on top of {host.name}"
    return [*wrap(printable(on), 26), *wrap(printable(process.title or process.name), 26)]


def _heading(trace: Trace, drawing: Drawing) -> float:
    width = drawing.width - 2 * MARGIN
    known = f" (known: {trace.case})" if trace.case else ""
    heading = printable(f"{trace.spec} {trace.version}: {trace.property}{known}")
    y = drawing.lines(MARGIN, MARGIN, wrap(heading, int(width / char_width(16))), 16, bold=True) + 2
    parameters = "".join(f", {name} {text}" for name, text in trace.parameters)
    length = f"{len(trace.steps)} steps, {trace.switches} context switches"
    line = printable(f"memory {trace.memory}{parameters}; {length}; id {trace_id(trace)}")
    y = drawing.lines(MARGIN, y, wrap(line, int(width / char_width(11))), 11, colour=FAINT) + 4
    for text in trace.initial:
        y = drawing.lines(MARGIN, y, wrap(printable(f"Initially: {text}"), int(width / char_width(TEXT)), 11), TEXT)
    return y + 12


def _lane_heads(trace: Trace, drawing: Drawing, places: Columns, y: float) -> float:
    titles = [_title(trace, lane) for lane in range(len(trace.processes))]
    height = max(map(len, titles)) * text_height(TEXT) + PAD
    for x, width, title in zip(places.left, places.width, titles, strict=True):
        drawing.boxes.append(Rect(x, y, width, height, "head", "line", radius=4))
        for number, line in enumerate(title):
            left = x + (width - columns(line) * char_width(TEXT)) / 2
            drawing.labels.append(Label(left, y + PAD / 2 + number * text_height(TEXT), line, TEXT, bold=number == 0))
    return y + height


def _draw_cell(drawing: Drawing, cells: list[Cell], cell: Cell, places: Columns) -> Rect:
    """Draws the box with its text and the arrows that end at it; the box."""
    x, width = places.left[cell.lane], places.width[cell.lane]
    height = cell.box_height
    y = cell.y + (cell.height - height) / 2
    deciding = cell.row.deciding
    if deciding:
        drawing.bands.append(Rect(0, cell.y - 4, drawing.width, cell.height + 8, "decides"))
    box = Rect(x, y, width, height, "paper" if cell.row.op != "store" else "card", "decider" if deciding else "line",
               2.5 if deciding else 1, 3, kind="step")
    drawing.boxes.append(box)
    versions = list(dict.fromkeys(source.version for source in cell.row.bytes))[:8]
    for number, version in enumerate(versions):
        part = (height - 2) / len(versions)
        drawing.boxes.append(Rect(x + 1, y + 1 + number * part, 6, part, colour(version)))
    top = y + PAD / 2 + (height - cell.text_height) / 2
    for text, size, ink, bold in cell.lines:
        drawing.labels.append(Label(x + PAD + 4, top, text, size, ink, bold, kind="text"))
        top += text_height(size)
    for number, arrival in enumerate(cell.labelled):
        head = y + (height - len(cell.labelled) * PITCH) / 2 + number * PITCH + PITCH - 2
        _arrow(drawing, cells, cell, places, arrival, head)
    for arrival in cell.plain:
        _plain_arrow(drawing, cells[arrival.source], cell, places, arrival)
    return box


def _arrow(drawing: Drawing, cells: list[Cell], cell: Cell, places: Columns, arrival: Arrival, y: float) -> None:
    """The label beside the box, and under it the arrow that ends at the box."""
    right = _comes_from_right(cells, cell, arrival)
    sign = 1 if right else -1
    edge = places.left[cell.lane] + (places.width[cell.lane] if right else 0)
    wide = columns(arrival.label) * char_width(SMALL)
    left = edge + (HEAD if right else -HEAD - wide)
    drawing.labels.append(Label(left, y - 14, arrival.label, SMALL, INK, halo=True, kind=arrival.kind))
    # All arrows to one box bend beyond its widest label, so that none runs through another's label.
    bend = edge + sign * (HEAD + max(columns(other.label) for other in cell.labelled) * char_width(SMALL))
    if arrival.source <= START:
        d = f"M{bend:.1f} {y:.1f}H{edge + sign:.1f}"
        drawing.paths.append(Path(d, arrival.stroke, 1.6, "2 3", True, arrival.kind, arrival.source))
        return
    source = cells[arrival.source]
    start = places.left[source.lane]
    if not right and source.lane != cell.lane:
        start += places.width[source.lane]
    leave = start + (-sign if source.lane != cell.lane else sign) * 34
    drawing.paths.append(Path(
        f"M{start:.1f} {source.middle:.1f}C{leave:.1f} {source.middle:.1f} {bend + sign * 14:.1f} {y:.1f} "
        f"{bend:.1f} {y:.1f}H{edge + sign:.1f}", arrival.stroke, 1.8, arrival.dash, True, arrival.kind, arrival.source))


def _plain_arrow(drawing: Drawing, source: Cell, cell: Cell, places: Columns, arrival: Arrival) -> None:
    """A curve from side to side, or, inside one lane, a bow at its right side."""
    shift = {"co": -5, "fr": 0, "hb": 5}[arrival.kind]
    y1, y2 = source.middle + shift, cell.middle + shift
    if source.lane == cell.lane:
        x1 = x2 = places.left[cell.lane] + places.width[cell.lane]
        c1 = c2 = x1 + NARROW
    else:
        right = cell.lane > source.lane
        x1 = places.left[source.lane] + (places.width[source.lane] if right else 0)
        x2 = places.left[cell.lane] + (0 if right else places.width[cell.lane])
        c1, c2 = x1 + (x2 - x1) * 0.6, x2 - (x2 - x1) * 0.4
    d = f"M{x1:.1f} {y1:.1f}C{c1:.1f} {y1:.1f} {c2:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    drawing.paths.append(Path(d, arrival.stroke, 1.6, arrival.dash, True, arrival.kind, arrival.source))


def _draw_bytes(trace: Trace, drawing: Drawing, ruler: rulers.Ruler, cell: Cell, content: dict[int, tuple[int, str]],
                held: list[dict[int, tuple[int, str]]]) -> None:
    if cell.row.op:
        touched = {source.offset: (source.version, source.variant) for source in cell.row.bytes}
        rulers.strip(drawing, ruler, cell.y + (cell.height - rulers.STRIP) / 2, content, touched)
    elif cell.row.deciding and held:
        text = printable(f"what {trace.processes[cell.lane].name} read, by update:")
        drawing.labels.append(Label(ruler.x, cell.y, cut(text, int(ruler.width / 6.7)), 11, bold=True))
        for number, strip in enumerate(held):
            rulers.strip(drawing, ruler, cell.y + 18 + number * (rulers.STRIP + 4), {}, strip)

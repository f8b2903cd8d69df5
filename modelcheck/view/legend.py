"""Below the picture: what went wrong, why nothing noticed, and what the colours and marks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.drawing import FAINT, INK, MARGIN, Label, Rect, char_width, colour, ink_on
from modelcheck.view.escape import printable, wrap

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.drawing import Drawing

VERDICT, TEXT, SMALL = 14.0, 12.0, 11.0


def footing(trace: Trace, drawing: Drawing, y: float, bytes_shown: bool) -> float:
    """Draws it from `y` down; the y below."""
    room = drawing.width - 2 * MARGIN - 24
    start = y
    verdict = wrap(printable(f"=> {trace.consequence}"), int(room / char_width(VERDICT)), 3)
    y = drawing.lines(MARGIN + 12, y + 10, verdict, VERDICT, bold=True) + 4
    for text in trace.why:
        y = drawing.lines(MARGIN + 12, y, wrap(printable(text), int(room / char_width(TEXT)) - 4), TEXT) + 2
    box = Rect(MARGIN, start, drawing.width - 2 * MARGIN, y + 6 - start, "badground", "bad", radius=4)
    drawing.bands.append(box)
    return _legend(trace, drawing, y + 18, room) if bytes_shown else y + 18


def _legend(trace: Trace, drawing: Drawing, y: float, room: float) -> float:
    """A swatch and the field values of each update, then the marks."""
    used = {source.version for step in trace.steps if step.memory for source in step.memory.bytes}
    values = {update.version: update.fields for update in trace.updates}
    for version in sorted(used | values.keys()):
        drawing.boxes.append(Rect(MARGIN, y, 20, 16, colour(version), INK))
        number = str(version)
        if len(number) * char_width(SMALL) <= 20:
            left = MARGIN + (20 - len(number) * char_width(SMALL)) / 2
            drawing.labels.append(Label(left, y + 1, number, SMALL, ink_on(version), bold=True))
        fields = ", ".join(f"{name} = {value:#x}" for name, value in values.get(version, ()))
        text = printable(f"update {version}{': ' + fields if fields else ''}")
        y = drawing.lines(MARGIN + 28, y, wrap(text, int(room / char_width(TEXT)) - 2, 4), TEXT) + 5
    for mark in marks(trace):
        y = drawing.lines(MARGIN, y, wrap(mark, int(room / char_width(SMALL))), SMALL, colour=FAINT)
    return y


def marks(trace: Trace) -> list[str]:
    """What the marks mean, a line each."""
    touched = (source for step in trace.steps if step.memory for source in step.memory.bytes)
    forms = sorted({printable(source.variant) for source in touched if source.variant})
    return [
        "tall bytes: what the step touches; low bytes: the rest of memory at that time",
        *([f"dark top edge: byte with {', '.join(forms)}"] if forms else []),
        "arrow to a load: the store it reads, as #step: bytes of the access; dotted: content from the start; "
        "dashed: a lock handed over",
        *(["bar at the left of a lane: the process holds a lock, from the step that takes it"]
          if any(step.lock and step.lock.op == "acquire" for step in trace.steps) else []),
    ]

"""An execution of a litmus test as a picture: a lane a process, program order downwards, arrows for rf, co and fr.

As herd draws them (herdtools7, "-show prop"), with what herd does not know: when each access was performed.  Text from
a test is a stranger's and is escaped for each form.
"""

from __future__ import annotations

import json
from string import ascii_lowercase
from typing import TYPE_CHECKING

from modelcheck.errors import UsageError
from modelcheck.trace.execution import INIT
from modelcheck.view.dot import LOOK, quoted
from modelcheck.view.drawing import FAINT, INK, MARGIN, Drawing, Label, Path, Rect, char_width, text_height
from modelcheck.view.escape import cut, printable
from modelcheck.view.svg import to_svg

if TYPE_CHECKING:
    from modelcheck.trace.execution import Event, Execution

FORMS = ("table", "svg", "dot", "json")
COLOURS = {"po": "#8c959f", "rmw": "#6e4aa8", "rf": "#0a7d4f", "co": "#b35900", "fr": "#b3261e"}
WIDTH, HEIGHT, GAP, PITCH = 210.0, 44.0, 110.0, 86.0  # of an event's box, and between lanes and rows
TEXT, SMALL = 12.0, 10.0


def render(execution: Execution, form: str) -> str:
    """The execution in one form, ending in a newline; UsageError when there is no such form."""
    check_form(form)
    return {"table": _table, "svg": _svg, "dot": _dot, "json": _json}[form](execution)


def check_form(form: str) -> None:
    """Raises UsageError where there is no such form."""
    if form not in FORMS:
        raise UsageError(f"an execution of a litmus test has no form {form!r}; there are {', '.join(FORMS)}")


def name_of(number: int) -> str:
    """The name of an event: a to z, then a1 and so on.

    >>> name_of(0), name_of(27)
    ('a', 'b1')
    """
    return ascii_lowercase[number % 26] + (str(number // 26) if number >= 26 else "")


def shown(event: Event) -> str:
    """What an event does, as herd writes it: `R x=0`, `W x=1`, `RW x=0 to 1`."""
    if event.read is None:
        return f"W {event.location}={event.written}"
    if event.written is None:
        return f"R {event.location}={event.read}"
    return f"RW {event.location}={event.read} to {event.written}"


def title(execution: Execution) -> str:
    """The test, the memory model, and the final state."""
    final = "; ".join(f"{name}={value}" for name, value in execution.final)
    return printable(f"{execution.name} under {execution.memory}: {final}")


def _initially(execution: Execution) -> str:
    return printable("initially " + "; ".join(f"{name}={value}" for name, value in execution.initial))


def _between(execution: Execution) -> list[tuple[str, int, int]]:
    """The relations between events, without program order and without what comes from the start."""
    return [(kind, a, b) for kind, a, b in execution.relations if kind != "po" and a != INIT]


def _order(execution: Execution) -> dict[int, int]:
    """At which place, from 1, each event was performed."""
    steps = sorted((event.order, number) for number, event in enumerate(execution.events))
    return {number: place for place, (_, number) in enumerate(steps, 1)}


def _table(execution: Execution) -> str:
    order = _order(execution)
    lines = [title(execution), _initially(execution), ""]
    for process, name in enumerate(execution.processes):
        lines.append(printable(name))
        for number, event in enumerate(execution.events):
            if event.process == process:
                what = printable(shown(event))
                lines.append(f"  {name_of(number)}: {what:<16} {printable(event.text):<40} performed {order[number]}")
    lines += ["", *(
        f"{kind}: {', '.join(f'{_end(a)}->{_end(b)}' for k, a, b in execution.relations if k == kind)}"
        for kind in COLOURS if any(k == kind for k, _, _ in execution.relations)
    )]
    return "\n".join(lines) + "\n"


def _end(number: int) -> str:
    return "init" if number == INIT else name_of(number)


def _dot(execution: Execution) -> str:
    order = _order(execution)
    lines = [
        "digraph execution {",
        f"  label={quoted([title(execution), _initially(execution)])};",
        '  labelloc=t; rankdir=TB; bgcolor="white"; fontname="monospace"; fontsize=11;',
        *LOOK,
    ]
    for process, name in enumerate(execution.processes):
        lines += [f"  subgraph cluster_{process} {{", f"    label={quoted([name])};"]
        for number, event in enumerate(execution.events):
            if event.process == process:
                parts = [f"{name_of(number)}: {shown(event)}", event.text, f"performed {order[number]}"]
                lines.append(f"    {name_of(number)} [label={quoted(parts)}];")
        lines.append("  }")
    for kind, a, b in execution.relations:
        if a != INIT:
            look = "" if kind == "po" else f', label="{kind}", fontcolor="{COLOURS[kind]}", constraint=false'
            lines.append(f'  {name_of(a)} -> {name_of(b)} [color="{COLOURS[kind]}"{look}];')
    return "\n".join([*lines, "}"]) + "\n"


def _json(execution: Execution) -> str:
    order = _order(execution)
    told = {
        "test": execution.name,
        "memory": execution.memory,
        "processes": list(execution.processes),
        "initial": dict(execution.initial),
        "final": dict(execution.final),
        "events": [
            {
                "name": name_of(number),
                "process": event.process,
                "text": event.text,
                "location": event.location,
                "read": event.read,
                "written": event.written,
                "performed": order[number],
            }
            for number, event in enumerate(execution.events)
        ],
        "relations": [{"kind": kind, "from": _end(a), "to": _end(b)} for kind, a, b in execution.relations],
    }
    return json.dumps(told, indent=1) + "\n"


def _svg(execution: Execution) -> str:
    return to_svg(draw(execution), title(execution), _initially(execution))


def draw(execution: Execution) -> Drawing:
    """The picture as data."""
    drawing = Drawing()
    order = _order(execution)
    rows = [[n for n, e in enumerate(execution.events) if e.process == p] for p in range(len(execution.processes))]
    lanes = max(len(execution.processes), 1)
    drawing.width = max(2 * MARGIN + GAP + lanes * (WIDTH + GAP), MARGIN * 2 + len(title(execution)) * char_width(TEXT))
    drawing.labels.append(Label(MARGIN, MARGIN, title(execution), TEXT, INK, bold=True, kind="title"))
    y = MARGIN + text_height(TEXT) + 4
    drawing.labels.append(Label(MARGIN, y, _initially(execution), SMALL, FAINT))
    top = y + text_height(SMALL) + 18
    place: dict[int, tuple[float, float]] = {}
    for process, numbers in enumerate(rows):
        x = MARGIN + GAP / 2 + process * (WIDTH + GAP)
        name = printable(execution.processes[process])
        drawing.labels.append(Label(x + WIDTH / 2 - len(name) * char_width(TEXT) / 2, top, name, TEXT, INK, bold=True))
        for row, number in enumerate(numbers):
            place[number] = (x, top + 26 + row * PITCH)
            _box(drawing, execution, number, order[number], *place[number])
        for a, b in zip(numbers, numbers[1:], strict=False):
            start, end = place[a][1] + HEIGHT, place[b][1]
            line = f"M{x + WIDTH / 2:.1f} {start:.1f}L{x + WIDTH / 2:.1f} {end:.1f}"
            drawing.paths.append(Path(line, COLOURS["po"], 1.2, arrow=True, kind="po"))
            drawing.labels.append(Label(x + WIDTH / 2 + 4, (start + end) / 2 - 7, "po", SMALL, COLOURS["po"]))
    for count, (kind, a, b) in enumerate(_between(execution)):
        _arrow(drawing, kind, place[a], place[b], count)
    deepest = max((y for _, y in place.values()), default=top) + HEIGHT
    legend = "boxes in program order; the number is when it was performed; reads without rf take the initial value"
    drawing.labels.append(Label(MARGIN, deepest + 18, legend, SMALL, FAINT))
    drawing.width = max(drawing.width, 2 * MARGIN + len(legend) * char_width(SMALL))
    drawing.height = deepest + 18 + text_height(SMALL) + MARGIN
    return drawing


def _box(drawing: Drawing, execution: Execution, number: int, performed: int, x: float, y: float) -> None:
    event = execution.events[number]
    drawing.boxes.append(Rect(x, y, WIDTH, HEIGHT, "#f6f8fa", "#8c959f", 1, 5))
    head = cut(printable(f"{name_of(number)}: {shown(event)}"), 23)
    drawing.labels.append(Label(x + 8, y + 5, head, TEXT, INK, bold=True))
    when = f"#{performed}"
    drawing.labels.append(Label(x + WIDTH - 8 - len(when) * char_width(SMALL), y + 6, when, SMALL, FAINT))
    drawing.labels.append(Label(x + 8, y + 24, cut(printable(event.text), 32), SMALL, FAINT))


def _arrow(drawing: Drawing, kind: str, start: tuple[float, float], end: tuple[float, float], count: int) -> None:
    """A curve from box to box, leaving and entering at the sides that face each other."""
    shift = 6.0 * (count % 3) - 6.0
    y1, y2 = start[1] + HEIGHT / 2 + shift, end[1] + HEIGHT / 2 + shift
    if start[0] == end[0]:
        x1 = x2 = start[0] + WIDTH
        c1 = c2 = x1 + 34 + 8 * (count % 4)
    else:
        right = end[0] > start[0]
        x1, x2 = (start[0] + WIDTH, end[0]) if right else (start[0], end[0] + WIDTH)
        bend = 0.4 * (x2 - x1)
        c1, c2 = x1 + bend, x2 - bend
    curve = f"M{x1:.1f} {y1:.1f}C{c1:.1f} {y1:.1f} {c2:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    drawing.marks.append(Path(curve, COLOURS[kind], 1.4, arrow=True, kind=kind))
    for t in (0.5, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85):
        x = (1 - t) ** 3 * x1 + 3 * (1 - t) ** 2 * t * c1 + 3 * (1 - t) * t * t * c2 + t**3 * x2
        y = (1 - t) ** 3 * y1 + 3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t * t * y2 + t**3 * y2
        corner = x - char_width(TEXT), y - text_height(TEXT) / 2
        label = Label(*corner, kind, TEXT, COLOURS[kind], halo=True, kind="relation")
        if not any(label.overlaps(other) for other in drawing.labels):
            break
    drawing.labels.append(label)

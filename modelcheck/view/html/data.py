"""What the page's script works on, as JSON: the steps with what each changed, and the drawings as lists of shapes.

Its one invariant: all text is printable, and the script shows nothing it cannot read here: it only replays stores and
changes.  What there is:

- `names`: the processes; `deciding`: the step that decides, from 0, or -1; `strings`: texts that steps name by place.
- `area`: size, base, line, page and fields of the ruler, or null; `memory`: each byte at the start as (update, form,
  value or -1); `slots`: (name, value at the start).
- `steps`, one each: `p` process, `l` label, `fn` function, `at` the kernel's step, `file`, `src` the spec's line, `ch`
  changes as (slot's place, new value), `held`, `waits` and `en` (what was enabled besides) as places in `strings`;
  with an access also `op` and `b`, runs of bytes: (first byte, how many, update, form, step of origin, values in hex).
- `views`: the drawing in short and with every step, see `shapes.py`.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

from modelcheck.view.escape import printable
from modelcheck.view.html.shapes import view
from modelcheck.view.html.standing import Standing, standing
from modelcheck.view.ruler import at_start
from modelcheck.view.snapshot import published

if TYPE_CHECKING:
    from modelcheck.trace.trace import ByteSource, Step, Trace
    from modelcheck.view.drawing import Drawing

PACKED = 150_000  # characters of JSON from which they are deflated: a page stays small enough to mail


class _Table:
    """Texts by the place at which each was first named."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.places.setdefault(printable(text), len(self.places))


def script_data(trace: Trace, drawings: list[Drawing]) -> dict[str, Any]:
    """The object the page's script reads."""
    strings, slots = _Table(), _Table()
    before: dict[int, str] = {}
    for step in trace.steps:
        for name, old, _ in step.changes:
            before.setdefault(slots(name), printable(old))
    area = trace.area
    fields = [[printable(name), lo, hi] for name, lo, hi in area.fields] if area else []
    return {
        "names": [printable(process.name) for process in trace.processes],
        "deciding": trace.deciding,
        "area": {"size": area.size, "base": area.base, "line": area.line, "page": area.page, "fields": fields}
        if area else None,
        "memory": _memory(trace),
        "slots": [[name, before[place]] for name, place in slots.places.items()],
        "steps": [_step(step, after, strings, slots)
                  for step, after in zip(trace.steps, standing(trace), strict=True)],
        "views": [view(trace, drawing) for drawing in drawings],
        "strings": list(strings.places),
    }


def packed(data: dict[str, Any]) -> tuple[str, str]:
    """The type and the text of the script element with the data: JSON, or JSON deflated and in base64."""
    plain = json.dumps(data, separators=(",", ":"))
    if len(plain) < PACKED:
        return "application/json", plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return "text/plain", base64.b64encode(zlib.compress(plain.encode("ascii"), 9)).decode("ascii")


def _step(step: Step, after: Standing, strings: _Table, slots: _Table) -> dict[str, Any]:
    told: dict[str, Any] = {
        "p": step.process,
        "l": printable(step.label),
        "fn": printable(step.function),
        "at": printable(step.step),
        "file": printable(f"{step.file}:{step.line}"),
        "src": printable(step.source),
        "ch": [[slots(name), printable(new)] for name, _, new in step.changes],
        "held": [strings(text) for text in after.held],
        "waits": [strings(text) for text in after.waits],
        "en": [strings(f"{name}: {choice}") for name, choice in step.enabled],
    }
    if step.memory is not None:
        told["op"] = step.memory.op
        told["b"] = _runs(step.memory.bytes)
    return told


def _runs(sources: tuple[ByteSource, ...]) -> list[list[Any]]:
    """Neighbouring bytes of one origin as one entry."""
    runs: list[list[Any]] = []
    for source in sources:
        digits = "" if source.value < 0 else f"{source.value:02x}"
        origin = [source.version, printable(source.variant), source.step]
        last = runs[-1] if runs else None
        adjacent = last is not None and last[0] + last[1] == source.offset and bool(last[5]) == bool(digits)
        if last is not None and adjacent and last[2:5] == origin:
            last[1] += 1
            last[5] += digits
        else:
            runs.append([source.offset, 1, *origin, digits])
    return runs


def _memory(trace: Trace) -> list[list[Any]]:
    """Each byte of the area at the start; its value as it was read, or else as its update's fields say.

    Empty where no step of the trace touches the area: then nobody asks what is in it.
    """
    if not any(step.memory for step in trace.steps):
        return []
    read: dict[int, int] = {}
    for step in trace.steps:
        for source in step.memory.bytes if step.memory and step.memory.op == "load" else ():
            if source.step < 0 and source.value >= 0:
                read.setdefault(source.offset, source.value)
    told: list[list[Any]] = []
    values: dict[int, dict[int, int]] = {}
    for offset, (version, form) in at_start(trace).items():
        known = values.setdefault(version, published(trace, version)) if not form else {}
        told.append([version, printable(form), read.get(offset, known.get(offset, -1))])
    return told

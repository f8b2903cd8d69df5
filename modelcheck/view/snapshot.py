"""What the deciding process holds, byte by byte: which update each came from, its value, and what each update had.

Its one invariant: a part covers bytes of one field and of one update, and together the parts are all bytes it loaded
last.  A trace whose deciding step is no reader's has no snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import ByteSource, Trace
    from modelcheck.view.distil import Row


@dataclass(frozen=True, slots=True)
class Load:
    """One access of the deciding process: its text, the first step of it from 1, its bytes by offset."""

    number: int
    text: str
    start: int
    bytes: tuple[ByteSource, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring bytes of one field that came from one update."""

    field: str
    start: int  # where the field begins, -1 for bytes of none
    whole: bool  # all bytes of the field
    bytes: tuple[ByteSource, ...]

    @property
    def version(self) -> int:
        """The update all of them came from."""
        return self.bytes[0].version


def loads(trace: Trace, shown: list[Row]) -> list[Load]:
    """The last of each access that the deciding process loaded, in the order of the trace."""
    decider = next((row for row in shown if row.deciding), None)
    if trace.area is None or decider is None or decider.op:
        return []
    last: dict[tuple[int, int, str], Load] = {}
    for row in shown:
        memory = trace.steps[row.steps[0]].memory
        if row.process != decider.process or row.op != "load" or row.number > decider.number or memory is None:
            continue
        key = (*memory.whole, memory.text)
        before = last.pop(key, None)
        bytes_read = {byte.offset: byte for byte in row.bytes}
        if before is not None and not bytes_read.keys() & {byte.offset for byte in before.bytes}:
            bytes_read.update({byte.offset: byte for byte in before.bytes})
            number = before.number
        else:
            number = row.number
        merged = tuple(bytes_read[offset] for offset in sorted(bytes_read))
        last[key] = Load(number, memory.text, memory.whole[0], merged)
    return list(last.values())


def groups(found: list[Load]) -> list[list[Load]]:
    """Neighbouring loads that have no byte in common, together."""
    made: list[list[Load]] = []
    for load in found:
        held = {byte.offset for other in made[-1] for byte in other.bytes} if made else set()
        if not made or any(byte.offset in held for byte in load.bytes):
            made.append([])
        made[-1].append(load)
    return made


def snapshot(found: list[Load]) -> Load | None:
    """The loads that together are the copy: the group of most bytes; None where nothing was loaded."""
    if not found:
        return None
    largest = max(groups(found), key=lambda group: sum(len(load.bytes) for load in group))
    bytes_held = sorted((byte for load in largest for byte in load.bytes), key=lambda byte: byte.offset)
    names = ", ".join(dict.fromkeys(load.text for load in largest))
    return Load(largest[0].number, names, bytes_held[0].offset if bytes_held else 0, tuple(bytes_held))


def parts(trace: Trace, load: Load) -> list[Part]:
    """The load's bytes by field and update, in order; bytes of no field come under the name ""."""
    fields = trace.area.fields if trace.area else ()
    made: list[Part] = []
    for byte in load.bytes:
        name, lo, hi = next(((n, lo, hi) for n, lo, hi in fields if lo <= byte.offset < hi), ("", -1, -1))
        last = made[-1] if made else None
        here = (lo, byte.offset, byte.version)
        if last is not None and (last.start, last.bytes[-1].offset + 1, last.version) == here:
            run = (*last.bytes, byte)
            made[-1] = Part(name, lo, len(run) == hi - lo, run)
        else:
            made.append(Part(name, lo, hi - lo == 1 and lo >= 0, (byte,)))
    return made


def published(trace: Trace, version: int) -> dict[int, int]:
    """The bytes of one update as its fields say, offset -> value; empty when they are not known."""
    areas = {name: (lo, hi) for name, lo, hi in trace.area.fields} if trace.area else {}
    found: dict[int, int] = {}
    for update in trace.updates:
        for name, value in update.fields if update.version == version else ():
            lo, hi = areas.get(name, (0, 0))
            if hi > lo and not value >> (8 * (hi - lo)):
                found.update(enumerate(value.to_bytes(hi - lo, "little"), lo))
    return found

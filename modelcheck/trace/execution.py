"""An execution: the events of one run, and the relations po, rf, co and fr between them, as herd draws them.

For models whose areas hold numbers and whose processes run every access once, as litmus tests do.  Its one invariant:
rf, co and fr are those of the run that was taken step by step, not guessed from values.  po is the order of issue, rf
goes from a store to the load that reads it, co from a store to the next one of the location, fr from a load to the
store that comes next after the one it read, rmw from the load to the store of an update performed in two parts.  The
initial stores are one event, INIT.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from modelcheck.explore.run import Happened, Run

INIT = -1


@dataclass(frozen=True, slots=True)
class Event:
    """A performed access: its process, its text, and what it read from and wrote to its location, None for neither.

    `order` is the step at which it was performed.
    """

    process: int
    text: str
    location: str
    read: int | None
    written: int | None
    order: int


@dataclass(frozen=True, slots=True)
class Execution:
    """Events in program order, process by process; relations are pairs of places in `events`, INIT for the start.

    `processes` are names, `initial` the starting values of the locations touched, `final` what the run ends with.
    """

    name: str
    memory: str
    processes: tuple[str, ...]
    initial: tuple[tuple[str, int], ...]
    events: tuple[Event, ...]
    relations: tuple[tuple[str, int, int], ...]
    final: tuple[tuple[str, str], ...]


def execution_of(run: Run, name: str, final: tuple[tuple[str, str], ...]) -> Execution:
    """The execution that a finished run is."""
    found = [(_place(run, step), number, step) for number, step in enumerate(run.steps) if step.edge.piece is not None]
    found.sort(key=lambda each: each[0])
    place = {number: at for at, (_, number, _) in enumerate(found)}
    events = tuple(_event(run, number, step) for _, number, step in found)
    last: dict[str, int] = defaultdict(lambda: INIT)  # location -> the event that stored it last
    unread: dict[str, list[tuple[int, int]]] = defaultdict(list)  # loads of a location, with the store they read
    relations: set[tuple[str, int, int]] = set()
    for number, step in enumerate(run.steps):
        if number not in place:
            continue
        at = place[number]
        event = events[at]
        if event.read is not None:
            source = _forwarded(run, number, step, place)
            read = last[event.location] if source is None else source
            relations.add(("rf", read, at))
            unread[event.location].append((at, read))
        if event.written is not None:
            before = last[event.location]
            relations.add(("co", before, at))
            relations.update(("fr", load, at) for load, read in unread[event.location] if read == before and load != at)
            last[event.location] = at
    for a, b in zip(range(len(events)), range(1, len(events)), strict=False):
        if events[a].process == events[b].process:
            relations.add(("po", a, b))
    for (one, _, _), (other, _, _), a in zip(found, found[1:], range(len(found)), strict=False):
        if one == other:
            relations.add(("rmw", a, a + 1))  # the two parts of one update
    touched = sorted({event.location for event in events})
    areas = run.system.model.areas
    return Execution(
        name,
        run.system.memory.name,
        tuple(process.name for process in run.system.processes),
        tuple((location, areas[location].initial) for location in touched),
        events,
        tuple(sorted(relations)),
        final,
    )


def _place(run: Run, step: Happened) -> tuple[int, int]:
    """Where in program order: the process, and when the access was issued among those of its process."""
    process = step.edge.process
    issued = list(run.system.spaces[process].start_passed)
    for other in run.steps:
        if other.edge.process == process:
            issued += other.edge.passed
    return process, issued.index(step.edge.node)


def _event(run: Run, number: int, step: Happened) -> Event:
    piece = step.edge.piece
    assert piece is not None
    access = piece.access
    values = dict(run.after[number])
    cell = run.system.cells[access.area].cells[0]
    space = run.system.spaces[step.edge.process]
    register = space.own(cell.slot(f"r{step.edge.register}."))
    return Event(
        step.edge.process,
        access.text,
        access.area,
        values[register] if access.loads else None,
        values[cell.slot()] if access.store else None,
        number,
    )


def _forwarded(run: Run, number: int, step: Happened, place: dict[int, int]) -> int | None:
    """The event of the own pending store that a load read, None where it read memory."""
    if not step.edge.forwarded:
        return None
    source = step.edge.forwarded[0].access
    for later in range(number + 1, len(run.steps)):
        edge = run.steps[later].edge
        if edge.process == step.edge.process and edge.piece is not None and edge.piece.access == source:
            return place[later]
    return None

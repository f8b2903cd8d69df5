"""Which arrows end at which row: the edges of the trace's graph, told between the rows that are shown.

Its one invariant: every arrow is an edge of `trace_graph(trace)`, or content from the start, which has no edge.
Reads-from and lock hand-over have labels; co, fr and happens-before are lines only, for pictures that can switch them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelcheck.trace.graph import trace_graph
from modelcheck.trace.offsets import offsets_of
from modelcheck.view.drawing import arrow_of
from modelcheck.view.escape import cut, printable
from modelcheck.view.provenance import short_ranges

if TYPE_CHECKING:
    import networkx

    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

LABEL = 18  # columns of an arrow's label
START, NOT_SHOWN = -1, -2  # where an arrow comes from that comes from no row
PLAIN = {"co": "7 3 1.5 3", "fr": "5 3", "hb": "1.5 3"}  # arrows without a label: their dashes


@dataclass(frozen=True, slots=True)
class Arrival:
    """An arrow's end at a row: where it comes from (a row's place, below 0 for none), its label, and its look."""

    source: int
    kind: str
    label: str
    stroke: str
    dash: str = ""


def arrivals(trace: Trace, shown: list[Row], plain: bool = False) -> list[list[Arrival]]:
    """The arrows that end at each row, one entry per row; with `plain`, those without a label too."""
    place = {step: index for index, row in enumerate(shown) for step in row.steps}
    graph = trace_graph(trace)
    found: list[list[Arrival]] = [[] for _ in shown]
    _reads(graph, shown, place, found)
    _hand_overs(graph, shown, place, found)
    if plain:
        for kind, dash in PLAIN.items():
            seen = set()
            for source, target in _pairs(graph, kind):
                ends = place.get(source, START), place.get(target, START)
                if min(ends) >= 0 and ends[0] != ends[1] and ends not in seen:
                    seen.add(ends)
                    found[ends[1]].append(Arrival(ends[0], kind, "", kind, dash))
    return found


def _pairs(graph: networkx.MultiDiGraph[int], kind: str) -> list[tuple[int, int]]:
    process = graph.nodes(data="process")
    return sorted((source, target) for source, target, key in graph.edges(keys=True)
                  if key == kind and (kind != "hb" or process[source] != process[target]))


def _reads(graph: networkx.MultiDiGraph[int], shown: list[Row], place: dict[int, int],
           found: list[list[Arrival]]) -> None:
    stored: dict[tuple[int, int], int] = {}  # (load, offset) -> the store it read
    for source, target, data in graph.edges(data=True):
        if data["kind"] == "rf":
            stored.update({(target, offset): source for offset in offsets_of(data["bytes"])})
    for index, row in enumerate(shown):
        offsets: dict[tuple[int, int], list[int]] = {}
        for byte in row.bytes if row.op == "load" else ():
            step = next((stored[key] for key in ((load, byte.offset) for load in row.steps) if key in stored), None)
            # Pieces of one store are one row, and one arrow.
            pending = step is None and byte.step >= 0  # a store of its own that is performed later has no edge
            origin = NOT_SHOWN if pending else START if step is None else place.get(step, NOT_SHOWN)
            offsets.setdefault((origin, byte.version), []).append(byte.offset - row.start)
        for (at, version), touched in offsets.items():
            name = f"#{shown[at].number}" if at >= 0 else "start" if at == START else "own store"
            label = cut(f"{name}: {short_ranges(touched)}", LABEL)
            found[index].append(Arrival(at, "rf", label, arrow_of(version)))


def _hand_overs(graph: networkx.MultiDiGraph[int], shown: list[Row], place: dict[int, int],
                found: list[list[Arrival]]) -> None:
    edges = sorted((target, source, data["lock"]) for source, target, data in graph.edges(data=True)
                   if data["kind"] == "lock")
    for acquire, release, lock in edges:
        giver, taker = place.get(release, START), place.get(acquire, START)
        if giver >= 0 and taker >= 0 and shown[giver].process != shown[taker].process:
            found[taker].append(Arrival(giver, "lock", cut(printable(lock), LABEL), "lock", "6 4"))

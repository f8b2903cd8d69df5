"""The graph of a trace, which every view that draws relations takes them from: an event a node, typed edges.

Its one invariant: every edge goes from an earlier step to a later one, so the graph is acyclic whatever the trace.
Names are herdtools7's.  po is program order, rf goes from a store to the loads that read its bytes, co from a store of
a byte to the next store of it, fr from a load to the store that overwrites what it read.  A lock edge goes from a
release to the next acquire that conflicts with it: two readers of a read-write lock are not ordered by it.  Reads of
the initial content have no rf edge, nor have those of a store of the own process that is performed later.  hb is
happens-before, the transitive closure of po, rf and lock; the graph holds its transitive reduction, the fewest edges
with that closure.

po is that of a cpu, not of a process: it goes on from a task into what is nested on it, and back.  What is nested is no
other thread.  The task itself runs it, as a call made at a point it did not choose, with one instruction stream and one
store buffer, and stands still until it returns (`preemptible` in system/link.py).  Two lanes without an edge would
say that the two run in parallel and may race, which they cannot.  Where accesses may overtake each other, po is the
order in which they were performed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from modelcheck.trace.file import read_trace, runs, trace_id
from modelcheck.trace.offsets import short_ranges

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import networkx

    from modelcheck.trace.trace import ByteSource, LockEvent, Step, Trace

    Graph = networkx.MultiDiGraph[int]
    Edges = dict[tuple[int, int], list[int]]
    Scalar = str | int | bool

KINDS = ("po", "rf", "co", "fr", "lock", "hb")
HAPPENS_BEFORE = ("po", "rf", "lock")


def read_graph(path: str | os.PathLike[str]) -> networkx.MultiDiGraph[int]:
    """The graph of the trace saved at `path`, as `trace_graph` makes it; UsageError when no trace can be read there.

    >>> graph = read_graph("race.json")
    >>> graph.graph["consequence"]
    'the reader accepts the state of update 2 with the times of update 1'
    >>> [(store, load, edge["bytes"]) for store, load, edge in graph.edges(data=True) if edge["kind"] == "rf"]
    [(6, 8, '0-3'), (12, 17, '12-14'), (16, 17, '15')]
    >>> graph.nodes[6]["process"], graph.nodes[6]["label"], graph.nodes[8]["response"]
    ('writer', '*rs_state = state', '')
    """
    return trace_graph(read_trace(path))


def trace_graph(trace: Trace) -> networkx.MultiDiGraph[int]:
    """The graph: node k is step k of the trace, from 0; edges are keyed by their kind, one of `KINDS`.

    A node's attributes are those of the step, as text, whole numbers and truth values; `number` counts from 1, as views
    do.  Lists are JSON text: `changes`, `enabled` and `waits` of lists, `bytes` of runs as in a trace file.  What a
    step has not (`op` and `bytes` but for accesses, `lock` but for locks) is no attribute of it.  Every edge has
    `kind`; rf, co and fr have `bytes`, the offsets in the area as `0-3,7`; lock has `lock`, the lock's name.  The
    graph's own attributes say what was checked and what went wrong; `fate` is that of the trace, where it has one.
    """
    import networkx as nx

    graph: networkx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.graph.update(_about(trace))
    for index, step in enumerate(trace.steps):
        graph.add_node(index, **_node(trace, index, step))
    last: dict[int, int] = {}  # cpu -> its last step
    for index, step in enumerate(trace.steps):
        cpu = trace.processes[step.process].cpu
        if cpu in last:
            graph.add_edge(last[cpu], index, key="po", kind="po")
        last[cpu] = index
    for kind, edges in zip(("rf", "co", "fr"), _communication(trace), strict=True):
        for (source, target), offsets in sorted(edges.items()):
            graph.add_edge(source, target, key=kind, kind=kind, bytes=short_ranges(offsets))
    for source, target, lock in hand_overs(trace):
        graph.add_edge(source, target, key="lock", kind="lock", lock=lock)
    for source, target in _reduced(graph):
        graph.add_edge(source, target, key="hb", kind="hb")
    return graph


def clocks(graph: networkx.MultiDiGraph[int], kinds: Iterable[str] = HAPPENS_BEFORE) -> list[dict[int, int]]:
    """For each step the last step of each cpu that comes before it by edges of these kinds, itself included.

    Vector clocks (Fidge 1988, Mattern 1989); exact, since po orders the steps of a cpu.  So step a comes before another
    step b where `clocks[b].get(cpu of a, -1) >= a`.
    """
    kept = {"po", *kinds}
    found: list[dict[int, int]] = []
    for index in graph.nodes:
        clock: dict[int, int] = {}
        for source, _, kind in graph.in_edges(index, keys=True):
            for cpu, step in found[source].items() if kind in kept else ():
                clock[cpu] = max(clock.get(cpu, -1), step)
        found.append(clock | {graph.nodes[index]["cpu"]: index})
    return found


def _reduced(graph: networkx.MultiDiGraph[int]) -> list[tuple[int, int]]:
    """The edges of happens-before that no others imply: none whose start comes before another edge's to its end."""
    before = clocks(graph)
    edges = []
    for index in graph.nodes:
        sources = sorted({source for source, _, kind in graph.in_edges(index, keys=True) if kind in HAPPENS_BEFORE})
        for source in sources:
            cpu = graph.nodes[source]["cpu"]
            if all(other == source or before[other].get(cpu, -1) < source for other in sources):
                edges.append((source, index))
    return sorted(edges)


def _about(trace: Trace) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {
        "id": trace_id(trace),
        "spec": trace.spec,
        "version": trace.version,
        "property": trace.property,
        "parameters": " ".join(f"{name}={text}" for name, text in trace.parameters),
        "memory": trace.memory,
        "case": trace.case,
        "consequence": trace.consequence,
        "conjunct": trace.conjunct,
        "why": " ".join(trace.why),
        "command": trace.command,
    }
    if trace.fate is not None:
        found["fate"] = trace.fate.step
    if trace.passing is not None:
        found["passing"] = trace.passing.text
    return found


def _node(trace: Trace, index: int, step: Step) -> dict[str, Scalar]:
    process = trace.processes[step.process]
    found: dict[str, Scalar] = {
        "number": index + 1,
        "process": process.name,
        "title": process.title,
        "cpu": process.cpu,
        "label": step.label,
        "kind": step.kind,
        "function": step.function,
        "step": step.step,
        "depth": step.depth,
        "file": step.file,
        "line": step.line,
        "source": step.source,
        "response": step.response,
        "deciding": index == trace.deciding,
        "changes": _json(step.changes),
        "enabled": _json(step.enabled),
        "waits": _json(step.waits),
    }
    if step.fence:
        found["fence"] = step.fence
    if step.lock is not None:
        lock = step.lock
        found |= {"lock": lock.lock, "lock_class": lock.lock_class, "lock_op": lock.op, "lock_mode": lock.mode}
    if step.memory is not None:
        event = step.memory
        found |= {"op": event.op, "lo": event.lo, "hi": event.hi, "whole_lo": event.whole[0],
                  "whole_hi": event.whole[1], "access": event.text, "bytes": _json(runs(event.bytes))}
    return found


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _communication(trace: Trace) -> tuple[Edges, Edges, Edges]:
    """rf, co and fr as (from step, to step) -> offsets.

    A load that was forwarded reads a store that is performed later, or in no step: that is no edge, since edges go
    forward; it is overwritten by the first store of the byte after that one.
    """
    rf: Edges = defaultdict(list)
    co: Edges = defaultdict(list)
    fr: Edges = defaultdict(list)
    newest: dict[int, int] = {}  # offset -> the step that stored it last
    readers: dict[int, list[tuple[int, ByteSource]]] = defaultdict(list)  # loads no store has overwritten yet
    for index, step in enumerate(trace.steps):
        if step.memory is None:
            continue
        for source in step.memory.bytes:
            offset = source.offset
            if step.memory.op == "load":
                if 0 <= source.step < index:
                    rf[source.step, index].append(offset)
                readers[offset].append((index, source))
                continue
            if offset in newest:
                co[newest[offset], index].append(offset)
            newest[offset] = index
            pending = [(load, read) for load, read in readers[offset] if read.step == load or read.step >= index]
            for load, _ in readers[offset]:
                if all(load != other for other, _ in pending):
                    fr[load, index].append(offset)
            readers[offset] = pending
    return rf, co, fr


def hand_overs(trace: Trace) -> list[tuple[int, int, str]]:
    """(release, acquire, lock) for each acquire and the releases it conflicts with, back to the last exclusive one."""
    edges = []
    exclusive: dict[str, int] = {}  # lock -> its last release by an exclusive holder
    shared: dict[str, list[int]] = defaultdict(list)  # lock -> releases by readers since
    for index, step in enumerate(trace.steps):
        event = step.lock
        if event is None or event.op not in ("acquire", "release"):
            continue
        if event.op == "release" and _is_shared(event):
            shared[event.lock].append(index)
        elif event.op == "release":
            exclusive[event.lock] = index
            shared[event.lock] = []
        else:
            before = [exclusive[event.lock]] if event.lock in exclusive else []
            before += [] if _is_shared(event) else shared[event.lock]
            edges += [(release, index, event.lock) for release in before]
    return edges


def _is_shared(event: LockEvent) -> bool:
    return event.mode.startswith("read")

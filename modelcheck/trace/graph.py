"""The happens-before graph of a trace: one node a step, and the relations po, rf, co, fr and lock as typed edges.

Its one invariant: every edge goes from an earlier step to a later one, so the graph is acyclic whatever the trace.
po is program order of one process (nested processes of one cpu have none between them); rf goes from a store to the
loads that read its bytes, co from a store of a byte to the next store of it, fr from a load to the store that
overwrites what it read.  A lock edge goes from a release to the next acquire that conflicts with it: two readers of a
read-write lock are not ordered by it.  Reads of the initial content have no rf edge.  (Names: herdtools7.)
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx

    from modelcheck.trace.trace import ByteSource, LockEvent, Trace

    Graph = networkx.MultiDiGraph[int]
    Edges = dict[tuple[int, int], list[int]]

HAPPENS_BEFORE = ("po", "rf", "lock")


def happens_before(trace: Trace) -> networkx.MultiDiGraph[int]:
    """The graph: nodes with `process` (its name), `label` and `kind`; edges keyed by their `kind`.

    rf, co and fr edges carry `offsets`, the bytes they are about; a lock edge carries `lock`, the lock's name.
    """
    import networkx as nx

    graph: networkx.MultiDiGraph[int] = nx.MultiDiGraph()
    for index, step in enumerate(trace.steps):
        graph.add_node(index, process=trace.processes[step.process].name, label=step.label, kind=step.kind)
    last: dict[int, int] = {}
    for index, step in enumerate(trace.steps):
        if step.process in last:
            _add(graph, last[step.process], index, "po")
        last[step.process] = index
    for kind, edges in zip(("rf", "co", "fr"), _communication(trace), strict=True):
        for (source, target), offsets in sorted(edges.items()):
            _add(graph, source, target, kind, offsets=tuple(sorted(offsets)))
    for source, target, lock in hand_overs(trace):
        _add(graph, source, target, "lock", lock=lock)
    return graph


def hb(graph: networkx.MultiDiGraph[int]) -> networkx.DiGraph[int]:
    """The transitive closure of po, rf and lock: an edge wherever one step happens before another."""
    import networkx as nx

    closure: networkx.DiGraph[int] = nx.transitive_closure_dag(_base(graph))
    return closure


def reduced(graph: networkx.MultiDiGraph[int]) -> networkx.DiGraph[int]:
    """The fewest edges with the same `hb`, with the nodes' attributes; an edge has `kinds`, sorted."""
    import networkx as nx

    base = _base(graph)
    small: networkx.DiGraph[int] = nx.transitive_reduction(base)
    small.add_nodes_from((node, dict(data)) for node, data in graph.nodes(data=True))
    for source, target in small.edges:
        small.edges[source, target]["kinds"] = base.edges[source, target]["kinds"]
    return small


def _base(graph: networkx.MultiDiGraph[int]) -> networkx.DiGraph[int]:
    import networkx as nx

    base: networkx.DiGraph[int] = nx.DiGraph()
    base.add_nodes_from(graph.nodes)
    for source, target in sorted({(source, target) for source, target in graph.edges()}):
        kinds = tuple(kind for kind in sorted(graph[source][target]) if kind in HAPPENS_BEFORE)
        if kinds:
            base.add_edge(source, target, kinds=kinds)
    return base


def _add(graph: networkx.MultiDiGraph[int], source: int, target: int, kind: str, **data: Any) -> None:
    graph.add_edge(source, target, key=kind, kind=kind, **data)


def _communication(trace: Trace) -> tuple[Edges, Edges, Edges]:
    """rf, co and fr as (from step, to step) -> offsets.

    A load that was forwarded reads from the step that issued its store; it is overwritten by the first store of the
    byte after it that is another version or form, since the store it read from performs in between.
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
                if source.step >= 0:
                    rf[source.step, index].append(offset)
                readers[offset].append((index, source))
                continue
            if offset in newest:
                co[newest[offset], index].append(offset)
            newest[offset] = index
            waiting = [load for load in readers[offset] if _performs(trace, index, source, load[1])]
            for load, _ in readers[offset]:
                if all(load != other for other, _ in waiting):
                    fr[load, index].append(offset)
            readers[offset] = waiting
    return rf, co, fr


def _performs(trace: Trace, store: int, stored: ByteSource, read: ByteSource) -> bool:
    """True when step `store` performs the very store that a forwarded load read before."""
    if read.step < 0 or trace.steps[read.step].memory is not None:
        return False
    same_process = trace.steps[read.step].process == trace.steps[store].process
    return same_process and (stored.version, stored.variant) == (read.version, read.variant)


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

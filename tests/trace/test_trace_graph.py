"""The happens-before graph has exactly the edges one draws by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import networkx as nx
from hypothesis import HealthCheck, given, settings
from sample_traces import Builder, torn_read, traces

from modelcheck.trace.graph import happens_before, hb, reduced

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace


def of(build: Builder) -> Trace:
    return replace(torn_read(), steps=tuple(build.steps), deciding=len(build.steps) - 1)


def edges(trace: Trace, kind: str) -> list[tuple[object, ...]]:
    graph = happens_before(trace)
    return sorted((a, b, *(data[name] for name in ("offsets", "lock") if name in data))
                  for a, b, data in graph.edges(data=True) if data["kind"] == kind)


def test_message_passing_has_the_textbook_edges() -> None:
    b = Builder()
    b.store(0, "x = 1", 0, 2, 1)   # 0
    b.load(1, "r = y", 4, 5)       # 1: reads the initial content
    b.store(0, "y = 1", 4, 5, 1)   # 2
    b.load(1, "r = y", 4, 5)       # 3
    b.load(1, "r = x", 0, 2)       # 4
    b.store(1, "x = 2", 1, 2, 2)   # 5
    trace = of(b)
    assert edges(trace, "po") == [(0, 2), (1, 3), (3, 4), (4, 5)]
    assert edges(trace, "rf") == [(0, 4, (0, 1)), (2, 3, (4,))]
    assert edges(trace, "co") == [(0, 5, (1,))]
    assert edges(trace, "fr") == [(1, 2, (4,)), (4, 5, (1,))]
    graph = happens_before(trace)
    assert graph.nodes[3] == {"process": "reader", "label": "r = y", "kind": "load"}
    assert hb(graph).has_edge(0, 4)
    assert not hb(graph).has_edge(0, 1)
    assert sorted(reduced(graph).edges) == [(0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    assert reduced(graph).edges[2, 3]["kinds"] == ("rf",)
    assert reduced(graph).nodes[3]["label"] == "r = y"


def test_readers_of_a_lock_are_ordered_with_writers_only() -> None:
    b = Builder()
    for process, op, mode in (
        (0, "acquire", "write"), (0, "release", "write"),   # 0 1
        (1, "acquire", "read"), (2, "acquire", "read"),     # 2 3
        (1, "release", "read"), (1, "acquire", "read"),     # 4 5
        (2, "release", "read"), (1, "release", "read"),     # 6 7
        (0, "fail", "write"), (0, "acquire", "write"),      # 8 9
    ):
        b.lock(process, op, "gpc1", mode)
    b.lock(1, "acquire", "other")
    trace = replace(of(b), processes=(*torn_read().processes, replace(torn_read().processes[0], name="third")))
    lock = "gpc1"
    assert edges(trace, "lock") == [(1, 2, lock), (1, 3, lock), (1, 5, lock), (1, 9, lock),
                                    (4, 9, lock), (6, 9, lock), (7, 9, lock)]


def test_a_forwarded_load_reads_from_the_issue_and_before_the_next_store() -> None:
    b = Builder()
    b.add(0, "x = 2", "store")        # 0: issued, not performed
    b.load(0, "r = x", 0, 1)          # 1: forwarded
    b.store(0, "x = 2", 0, 1, 2)      # 2: performs
    b.store(1, "x = 3", 0, 1, 3)      # 3
    load = b.steps[1].memory
    assert load is not None
    b.steps[1] = replace(b.steps[1], memory=replace(load, bytes=(replace(load.bytes[0], version=2, step=0),)))
    assert edges(of(b), "rf") == [(0, 1, (0,))]
    assert edges(of(b), "co") == [(2, 3, (0,))]
    assert edges(of(b), "fr") == [(1, 3, (0,))]


def test_torn_read_mixes_two_updates() -> None:
    trace = torn_read()
    assert edges(trace, "rf") == [(6, 8, (0, 1, 2, 3)), (12, 17, (12, 13, 14)), (16, 17, (15,))]
    assert (9, 13, tuple(range(16, 24))) in edges(trace, "fr")  # the times were read before update 2 wrote them
    graph = happens_before(trace)
    assert nx.is_directed_acyclic_graph(graph)
    assert {kind for _, _, kind in graph.edges(keys=True)} == {"po", "rf", "co", "fr"}


@given(traces())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_edge_goes_forward_and_reduction_keeps_the_closure(trace: Trace) -> None:
    graph = happens_before(trace)
    assert all(a < b for a, b in graph.edges())
    assert set(hb(graph).edges) == set(nx.transitive_closure(reduced(graph)).edges)

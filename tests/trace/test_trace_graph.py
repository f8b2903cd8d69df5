"""The graph of a trace has exactly the edges one draws by hand, and what a user needs to know of each event."""

from __future__ import annotations

import doctest
from dataclasses import replace
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, Builder, hostile, lock_order, nested_deadlock, torn_read, traces

import modelcheck
from modelcheck.errors import UsageError
from modelcheck.trace import graph as graphs
from modelcheck.trace import offsets
from modelcheck.trace.file import to_text, trace_id, write_trace
from modelcheck.trace.graph import HAPPENS_BEFORE, KINDS, clocks, trace_graph
from modelcheck.trace.trace import Fate, Passing

if TYPE_CHECKING:
    from pathlib import Path

    from modelcheck.trace.trace import Trace


def of(build: Builder) -> Trace:
    return replace(torn_read(), steps=tuple(build.steps), deciding=len(build.steps) - 1)


def edges(trace: Trace, kind: str) -> list[tuple[object, ...]]:
    graph = trace_graph(trace)
    return sorted((a, b, *(data[name] for name in ("bytes", "lock") if name in data))
                  for a, b, key, data in graph.edges(keys=True, data=True) if key == data["kind"] == kind)


def base(trace: Trace) -> nx.DiGraph[int]:
    """po, rf and lock, as a graph without kinds."""
    graph = trace_graph(trace)
    plain: nx.DiGraph[int] = nx.DiGraph()
    plain.add_nodes_from(graph.nodes)
    plain.add_edges_from((a, b) for a, b, kind in graph.edges(keys=True) if kind in HAPPENS_BEFORE)
    return plain


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
    assert edges(trace, "rf") == [(0, 4, "0-1"), (2, 3, "4")]
    assert edges(trace, "co") == [(0, 5, "1")]
    assert edges(trace, "fr") == [(1, 2, "4"), (4, 5, "1")]
    assert edges(trace, "hb") == [(0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    assert [clock.get(0, -1) for clock in clocks(trace_graph(trace))] == [0, -1, 2, 2, 2, 2]
    assert [clock.get(0, -1) for clock in clocks(trace_graph(trace), ("lock",))] == [0, -1, 2, -1, -1, -1]


def test_program_order_goes_on_through_what_is_nested_on_a_cpu() -> None:
    trace = nested_deadlock()
    names = [trace.processes[trace.steps[step].process].name for step in (0, 1, 6)]
    assert names == ["update", "sched_out", "sched_out"]
    assert edges(trace, "po") == [(0, 1), (1, 2), (2, 6), (3, 4), (4, 5)]
    assert edges(trace, "hb") == edges(trace, "po")
    apart = replace(trace, processes=tuple(replace(p, cpu=i) for i, p in enumerate(trace.processes)))
    assert edges(apart, "po") == [(1, 2), (2, 6), (3, 4), (4, 5)]


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
    third = replace(torn_read().processes[0], name="third", cpu=2)
    trace = replace(of(b), processes=(*torn_read().processes, third))
    lock = "gpc1"
    assert edges(trace, "lock") == [(1, 2, lock), (1, 3, lock), (1, 5, lock), (1, 9, lock),
                                    (4, 9, lock), (6, 9, lock), (7, 9, lock)]
    # 1 -> 9 is implied by 0's own order, 4 -> 9 by 7 -> 9
    assert edges(trace, "hb") == [(0, 1), (1, 2), (1, 3), (1, 8), (2, 4), (3, 6), (4, 5), (5, 7), (6, 9), (7, 9),
                                  (7, 10), (8, 9)]


def test_a_forwarded_load_is_overwritten_after_the_store_it_reads() -> None:
    b = Builder()
    b.load(0, "r = x", 0, 1)          # 0: its own pending store
    b.store(1, "x = 1", 0, 1, 1)      # 1
    b.store(0, "x = 2", 0, 1, 2)      # 2: performs
    b.store(1, "x = 3", 0, 1, 3)      # 3
    load = b.steps[0].memory
    assert load is not None
    for store, overwritten in ((2, [(0, 3, "0")]), (0, [])):
        read = replace(load, bytes=(replace(load.bytes[0], version=2, step=store),))
        trace = of(Builder([replace(b.steps[0], memory=read), *b.steps[1:]]))
        assert edges(trace, "rf") == []
        assert edges(trace, "co") == [(1, 2, "0"), (2, 3, "0")]
        assert edges(trace, "fr") == overwritten


def test_torn_read_mixes_two_updates() -> None:
    trace = torn_read()
    assert edges(trace, "rf") == [(6, 8, "0-3"), (12, 17, "12-14"), (16, 17, "15")]
    assert (9, 13, "16-23") in edges(trace, "fr")  # the times were read before update 2 wrote them
    graph = trace_graph(trace)
    assert nx.is_directed_acyclic_graph(graph)
    assert {kind for _, _, kind in graph.edges(keys=True)} == set(KINDS) - {"lock"}


def test_an_event_has_everything_of_its_step() -> None:
    trace = torn_read()
    steps = (replace(trace.steps[0], source="yield entry.read()", enabled=(("writer", "go"),), waits=(("w", "gpc1"),),
                     changes=(("x", "0", "1"),)), *trace.steps[1:])
    graph = trace_graph(replace(trace, steps=steps))
    assert graph.nodes[0] == {
        "number": 1, "process": "reader", "title": "guest, 64-bit reader", "cpu": 1,
        "label": "t = READ_ONCE(entry_time)", "kind": "load", "function": "get_snapshot", "step": "S1", "depth": 1,
        "file": "spec.py", "line": 10, "source": "yield entry.read()", "response": "", "deciding": False,
        "changes": '[["x","0","1"]]', "enabled": '[["writer","go"]]', "waits": '[["w","gpc1"]]',
        "op": "load", "lo": 8, "hi": 12, "whole_lo": 8, "whole_hi": 16, "access": "t = READ_ONCE(entry_time)",
        "bytes": '[{"lo":8,"hi":12,"version":1,"variant":"","step":-1,"values":"e8030000"}]',
    }
    locked = graph.nodes[3]
    assert {name: locked[name] for name in locked if name.startswith("lock")} == {
        "lock": "gpc1", "lock_class": "gpc", "lock_op": "acquire", "lock_mode": "read"}
    assert "op" not in locked
    assert graph.nodes[5]["fence"] == "smp_wmb"
    assert [node for node in graph if graph.nodes[node]["deciding"]] == [20]


def test_the_graph_says_what_was_checked_and_what_went_wrong() -> None:
    trace = replace(torn_read(), conjunct="one update", fate=Fate(7, 99), passing=Passing(8, 1, "later", ()))
    assert trace_graph(trace).graph == {
        "id": trace_id(trace), "spec": "runstate", "version": "5ec3289b", "property": "torn-read",
        "parameters": "abi=64 offset=52", "memory": "tso", "case": "D6",
        "consequence": "the reader accepts the state of update 2 with the times of update 1",
        "conjunct": "one update", "why": " ".join(trace.why), "command": trace.command, "fate": 7, "passing": "later",
    }
    assert {"fate", "passing"}.isdisjoint(trace_graph(torn_read()).graph)


@pytest.mark.parametrize("make", [torn_read, lock_order, nested_deadlock, *(lambda text=text: hostile(text)
                                                                           for text in HOSTILE)])
def test_attributes_are_plain_scalars(make: object) -> None:
    graph = trace_graph(make())  # type: ignore[operator]
    told = [graph.graph, *(data for _, data in graph.nodes(data=True)), *(data for *_, data in graph.edges(data=True))]
    assert {type(value) for data in told for value in data.values()} <= {str, int, bool}


@given(traces())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_edge_goes_forward_and_hb_is_the_transitive_reduction(trace: Trace) -> None:
    graph = trace_graph(trace)
    assert all(a < b for a, b in graph.edges())
    small = sorted((a, b) for a, b, kind in graph.edges(keys=True) if kind == "hb")
    assert small == sorted(nx.transitive_reduction(base(trace)).edges)
    closure = set(nx.transitive_closure_dag(base(trace)).edges)
    before = clocks(graph)
    assert closure == {(a, b) for a in graph for b in graph
                       if a != b and before[b].get(graph.nodes[a]["cpu"], -1) >= a}


def test_one_call_reads_a_saved_graph_and_its_example_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_trace(torn_read(), tmp_path / "race.json")
    monkeypatch.chdir(tmp_path)
    read, made = modelcheck.read_graph("race.json"), trace_graph(torn_read())
    assert nx.utils.graphs_equal(read, made)
    assert read.graph == made.graph
    found = doctest.testmod(graphs)
    assert (found.failed, found.attempted) == (0, 4)
    assert doctest.testmod(offsets).failed == 0


def test_a_damaged_trace_has_no_graph(tmp_path: Path) -> None:
    (tmp_path / "race.json").write_text(to_text(torn_read())[:-40])
    with pytest.raises(UsageError, match="it is truncated"):
        modelcheck.read_graph(tmp_path / "race.json")


def test_a_long_trace_is_reduced_in_time_that_grows_with_its_length() -> None:
    b = Builder()
    for turn in range(1000):
        b.store(0, "x", turn % 40, turn % 40 + 4, 2)
        b.load(1, "x", turn % 40, turn % 40 + 4)
    assert len(edges(of(b), "hb")) == 2 * 999 + 1000

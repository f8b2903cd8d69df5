"""The exports of the graph: JSON that fits its schema, GraphML that tools read, both the graph of the trace itself."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import jsonschema
import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from renew_golden import GOLDEN, TRACES
from sample_traces import HOSTILE, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.trace.file import read_trace, trace_id
from modelcheck.trace.graph import trace_graph
from modelcheck.view import render
from modelcheck.view.graph import schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelcheck.trace.trace import Trace

    Graph = nx.MultiDiGraph[int]

SAMPLES = [torn_read, lock_order, nested_deadlock, long_trace]
NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"


def told(graph: Graph) -> tuple[list[Any], list[Any]]:
    """The nodes and edges with their attributes."""
    return sorted(graph.nodes(data=True)), sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3])


def check_json(trace: Trace) -> None:
    """The export fits the schema and reads back as the graph."""
    loaded = json.loads(render(trace, "graph"))
    jsonschema.Draft202012Validator(schema()).validate(loaded)
    read = nx.node_link_graph(loaded, edges="edges")
    assert read.graph == trace_graph(trace).graph
    assert told(read) == told(trace_graph(trace))


def from_graphml(text: str) -> Graph:
    read: Graph = nx.parse_graphml(text, node_type=int, force_multigraph=True)
    by_kind: Graph = nx.MultiDiGraph(**{k: v for k, v in read.graph.items() if not k.endswith("_default")})
    by_kind.add_nodes_from(read.nodes(data=True))
    for source, target, key, data in read.edges(keys=True, data=True):
        assert key == data.pop("id") == f"{data['kind']}-{source}-{target}"
        by_kind.add_edge(source, target, key=data["kind"], **data)
    return by_kind


@pytest.mark.parametrize("make", SAMPLES)
def test_json_fits_its_schema_and_reads_back_as_the_graph(make: Callable[[], Trace]) -> None:
    check_json(make())


@pytest.mark.parametrize("name", TRACES)
def test_exports_of_saved_traces_fit_the_schema_and_agree(name: str) -> None:
    trace = read_trace(GOLDEN / f"{name}.json")
    check_json(trace)
    assert told(from_graphml(render(trace, "graphml"))) == told(trace_graph(trace))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_fits_the_schema_and_stays_text(text: str) -> None:
    check_json(hostile(text))
    document = render(hostile(text), "graphml")
    assert document.isascii()
    root = ET.fromstring(document)
    assert {element.tag.removeprefix(NAMESPACE) for element in root.iter()} == {"graphml", "key", "graph", "node",
                                                                               "edge", "data"}
    assert from_graphml(document).number_of_edges() == trace_graph(hostile(text)).number_of_edges()


@given(traces())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_exports_of_any_trace_are_its_graph(trace: Trace) -> None:
    check_json(trace)
    graph, read = trace_graph(trace), from_graphml(render(trace, "graphml"))
    assert [edge[:3] for edge in told(graph)[1]] == [edge[:3] for edge in told(read)[1]]
    assert all(read.nodes[node]["cpu"] == data["cpu"] for node, data in graph.nodes(data=True))


@pytest.mark.parametrize(("change", "where"), [
    (lambda o: o["nodes"][0].pop("label"), ["nodes", 0]),
    (lambda o: o["nodes"][0].pop("bytes"), ["nodes", 0]),  # an access has all of them or none
    (lambda o: o["nodes"][0].update(cpu="1"), ["nodes", 0, "cpu"]),
    (lambda o: o["edges"][0].update(kind="ppo"), ["edges", 0, "kind"]),
    (lambda o: o["edges"][0].update(extra=1), ["edges", 0]),
    (lambda o: next(e for e in o["edges"] if e["kind"] == "rf").pop("bytes"), None),
    (lambda o: o.update(schema=2), ["schema"]),
    (lambda o: o["graph"].pop("id"), ["graph"]),
])
def test_schema_refuses_what_is_no_graph(
    change: Callable[[dict[str, Any]], object], where: list[object] | None
) -> None:
    loaded = json.loads(render(torn_read(), "graph"))
    change(loaded)
    errors = list(jsonschema.Draft202012Validator(schema()).iter_errors(loaded))
    assert errors
    assert where is None or where in [list(error.absolute_path) for error in errors]


def test_schema_describes_every_field() -> None:
    def fields(node: Any) -> list[Any]:
        inner = list(node.get("properties", {}).values()) + list(node.get("$defs", {}).values())
        return inner + [each for part in inner for each in fields(part)]

    assert all(field.get("description") or "$ref" in field for field in fields(schema()))


def test_graphml_has_unique_ids_and_the_traces_id() -> None:
    root = ET.fromstring(render(torn_read(), "graphml"))
    ids = [edge.get("id") for edge in root.iter(f"{NAMESPACE}edge")]
    assert len(set(ids)) == len(ids) == trace_graph(torn_read()).number_of_edges()
    (graph,) = root.iter(f"{NAMESPACE}graph")
    assert graph.get("id") == trace_id(torn_read())

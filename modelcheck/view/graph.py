"""The graph of a trace as JSON in networkx' node-link form: all steps and edges; the schema is `graph_schema.json`.

`nx.node_link_graph(json.load(file), edges="edges")` reads it back as what `modelcheck.read_graph` returns.  Written by
hand, since networkx names the list of edges "links" before its version 3.4 and "edges" from 3.6 on.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from modelcheck.trace.graph import trace_graph

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

FORMAT = "modelcheck-graph"
SCHEMA = 1


def schema() -> dict[str, Any]:
    """The JSON schema of a graph (draft 2020-12)."""
    text = resources.files("modelcheck.view").joinpath("graph_schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def render(trace: Trace, full: bool = False) -> str:
    """The JSON object, in ASCII; `full` changes nothing."""
    graph = trace_graph(trace)
    told = {
        "format": FORMAT,
        "schema": SCHEMA,
        "directed": True,
        "multigraph": True,
        "graph": graph.graph,
        "nodes": [{"id": node, **data} for node, data in graph.nodes(data=True)],
        "edges": [
            {"source": source, "target": target, "key": kind, **data}
            for source, target, kind, data in graph.edges(keys=True, data=True)
        ],
    }
    return json.dumps(told, indent=1) + "\n"

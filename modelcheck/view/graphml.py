"""The graph of a trace as GraphML, for tools that read graphs (Gephi, yEd, Cytoscape, networkx): all steps and edges.

Written by networkx, which turns what has a meaning in XML into entities; characters that XML 1.0 forbids are escaped
as in every other view.  An edge's id is unique in the file: its kind, then its ends.  Truth values are 0 and 1, since
networkx writes `True`, which is no boolean of XML.  `nx.read_graphml(path, int, force_multigraph=True)` reads it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.graph import trace_graph
from modelcheck.view.escape import printable

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace


def render(trace: Trace, full: bool = False) -> str:
    """The document, in ASCII; `full` changes nothing."""
    import networkx as nx

    graph = trace_graph(trace)
    plain: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    plain.graph.update(_safe(graph.graph))
    plain.add_nodes_from((node, _safe(data)) for node, data in graph.nodes(data=True))
    for source, target, kind, data in graph.edges(keys=True, data=True):
        plain.add_edge(source, target, key=kind, id=f"{kind}-{source}-{target}", **_safe(data))
    lines = nx.generate_graphml(plain, named_key_ids=False, edge_id_from_attribute="id")
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', *lines]) + "\n"


def _safe(data: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
    return {name: printable(value) if isinstance(value, str) else int(value) for name, value in data.items()}

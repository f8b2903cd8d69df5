"""A state graph as GraphML, written by networkx and read back by `networkx.read_graphml` in one call.

Nodes and edges carry their texts whole.  Its one invariant: no character that XML forbids is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.escape import printable
from modelcheck.view.state_graph.drawn import DrawnGraph

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: DrawnGraph) -> networkx.MultiDiGraph[str]:
    """The graph with `states`, `depth`, `differs`, `marks` and `search` at nodes, `who`, `does`, `marks` at edges."""
    import networkx as nx

    found: networkx.MultiDiGraph[str] = nx.MultiDiGraph(
        title=printable(graph.title), about=printable(" ".join(graph.about)), states=graph.figures.states,
        transitions=graph.figures.transitions, components=graph.figures.components, largest=graph.figures.largest,
        depth=graph.figures.depth,
    )
    for node in graph.nodes:
        found.add_node(f"s{node.number}", states=node.states, depth=node.depth, search=graph.searches[node.search],
                       differs=_joined(node.texts), marks=_marks(node.marks), inside=node.inside)
    for arc in graph.arcs:
        found.add_edge(f"s{arc.source}", f"s{arc.target}", who=printable(arc.who), does=printable(arc.what),
                       marks=_marks(arc.marks), transitions=arc.count)
    return found


def render(graph: DrawnGraph) -> str:
    """The graph as GraphML text."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(to_networkx(graph), named_key_ids=True)) + "\n"


def _joined(texts: tuple[str, ...]) -> str:
    return "; ".join(printable(text) for text in texts)


def _marks(marks: tuple[tuple[str, str], ...]) -> str:
    return _joined(tuple(f"{kind}: {text}" for kind, text in marks))

"""A state graph in Graphviz' language: a cluster for each search where there are several.

Its one invariant: text of a spec is only ever inside a quoted string, escaped as `view/dot.py` does it.
"""

from __future__ import annotations

from modelcheck.view.dot import quoted
from modelcheck.view.state_graph.drawn import INITIAL, VIOLATES, WITNESS, Arc, DrawnGraph, Node
from modelcheck.view.state_graph.short import arc_lines, arcs_between, node_lines

LOOK = (
    '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", fontname="monospace", fontsize=10];',
    '  edge [fontname="monospace", fontsize=9, color="#59636e"];',
)
MARKED = {  # what is listed last wins
    INITIAL: 'penwidth=2.5, color="#1f2328"',
    WITNESS: 'fillcolor="#ddf4e4", color="#0a7d4f", penwidth=2',
    VIOLATES: 'fillcolor="#ffe3df", color="#b3261e", penwidth=2.5',
}


def render(graph: DrawnGraph) -> str:
    """The graph as DOT text; nodes are `s0`, `s1`, ... as they are numbered."""
    label = quoted([graph.title, *graph.about, str(graph.figures)])
    lines = [
        "digraph states {",
        f"  label={label};",
        '  labelloc=t; rankdir=TB; bgcolor="white"; fontname="monospace"; fontsize=11;',
        *LOOK,
    ]
    for search, name in enumerate(graph.searches):
        inside = [_node(node) for node in graph.nodes if node.search == search]
        if len(graph.searches) == 1:
            lines += inside
        else:
            lines += [f"  subgraph cluster_{search} {{", f"    label={quoted([name])};", *inside, "  }"]
    lines += [_arc(arcs) for arcs in arcs_between(graph)]
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: Node) -> str:
    look = "".join(f", {MARKED[kind]}" for kind in MARKED if kind in node.kinds)
    return f"    s{node.number} [label={quoted(node_lines(node))}{look}];"


def _arc(arcs: list[Arc]) -> str:
    bad = any(kind == VIOLATES for arc in arcs for kind, _ in arc.marks)
    look = ', color="#b3261e", fontcolor="#b3261e", penwidth=2' if bad else ""
    return f"  s{arcs[0].source} -> s{arcs[0].target} [label={quoted(arc_lines(arcs))}{look}];"


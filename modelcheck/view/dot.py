"""The graph of a trace in Graphviz' language: one cluster a process, one node a step, typed edges.

Written by hand, since a label needs exactly two characters escaped; escString sequences such as `\\N` are kept from
meaning anything by doubling the backslash.  Edges are those of `trace_graph`.  Program order is drawn between the steps
shown; co, fr and the hand-overs that other edges imply only with `full`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.graph import trace_graph
from modelcheck.trace.offsets import offsets_of
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable, wrap
from modelcheck.view.fates import sentences
from modelcheck.view.provenance import byte_ranges

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

LOOK = (
    '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", fontname="monospace", fontsize=10];',
    '  edge [fontname="monospace", fontsize=9];',
)
STYLE = {
    "po": 'color="#8c959f"',
    "rf": 'color="#0a7d4f", fontcolor="#0a7d4f", constraint=false',
    "lock": 'color="#6e4aa8", fontcolor="#6e4aa8", style=dashed, constraint=false',
    "co": 'color="#b35900", fontcolor="#b35900", style=dotted, constraint=false',
    "fr": 'color="#b3261e", fontcolor="#b3261e", style=dotted, constraint=false',
}


def render(trace: Trace, full: bool = False) -> str:
    """The graph as DOT text; nodes are `s1`, `s2`, ... by the number of their first step."""
    shown = rows(trace, full)
    node = {step: f"s{row.number}" for row in shown for step in row.steps}
    heading = [f"{trace.spec} {trace.version}: {trace.property}", f"=> {trace.consequence}", *sentences(trace)]
    lines = [
        "digraph trace {",
        f"  label={quoted(heading)};",
        '  labelloc=t; rankdir=TB; newrank=true; bgcolor="white"; fontname="monospace"; fontsize=11;',
        *LOOK,
    ]
    for index, process in enumerate(trace.processes):
        lines += [f"  subgraph cluster_{index} {{", f"    label={quoted([process.title or process.name])};"]
        for row in shown:
            if row.process == index:
                parts = [f"#{row.number} {row.where}".strip(), row.text, *row.after]
                parts += [row.result] if row.result else []
                look = ', color="#b35900", penwidth=2.5, fillcolor="#fff4ce"' if row.deciding else ""
                lines.append(f"    s{row.number} [label={quoted(parts)}{look}];")
        lines.append("  }")
    return "\n".join([*lines, *_edges(trace, node, full), "}"]) + "\n"


def _edges(trace: Trace, node: dict[int, str], full: bool) -> list[str]:
    graph = trace_graph(trace)
    lines = []
    last: dict[int, str] = {}  # cpu -> the node of its last step shown: po between the nodes that are there
    for step in sorted(node):
        cpu = graph.nodes[step]["cpu"]
        if last.get(cpu, node[step]) != node[step]:
            lines.append(f'  {last[cpu]} -> {node[step]} [{STYLE["po"]}];')
        last[cpu] = node[step]
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for source, target, kind, data in sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3]):
        shown = kind == "rf" or full and kind in ("co", "fr") or kind == "lock" and (full or graph.has_edge(
            source, target, "hb"))  # a hand-over that other edges imply is left out
        if shown and node.get(source, "") and node.get(target, "") not in ("", node[source]):
            key = (node[source], node[target], kind, data.get("lock", ""))
            found.setdefault(key, []).extend(offsets_of(data.get("bytes", "")))
    for (start, end, kind, lock), offsets in found.items():
        text = lock if kind == "lock" else f"area {byte_ranges(offsets)}"
        lines.append(f"  {start} -> {end} [label={quoted([f'{kind}: {text}'])}, {STYLE[kind]}];")
    return lines


def quoted(texts: list[str]) -> str:
    r"""The lines as one DOT string, left-aligned.

    >>> print(quoted(['say "a\\b"', "next"]))
    "say \"a\\b\"\lnext\l"
    """
    lines = [line for text in texts for line in wrap(printable(text), 60, 2)]
    return '"' + "".join(line.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for line in lines) + '"'

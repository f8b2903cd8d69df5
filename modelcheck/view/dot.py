"""The happens-before graph in Graphviz' language: one cluster a process, one node a step, typed edges.

Written by hand, since a label needs exactly two characters escaped; escString sequences such as `\\N` are kept from
meaning anything by doubling the backslash.  Program order is drawn between the steps shown; co and fr only with `full`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.graph import happens_before
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable, wrap
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
    lines = [
        "digraph trace {",
        f"  label={quoted([f'{trace.spec} {trace.version}: {trace.property}', f'=> {trace.consequence}'])};",
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
    found: dict[tuple[str, str, str], list[int]] = {}
    names: dict[tuple[str, str, str], str] = {}
    edges = happens_before(trace).edges(data=True)
    for source, target, data in sorted(edges, key=lambda edge: (*edge[:2], edge[2]["kind"])):
        kind = data["kind"]
        if kind == "po" or source not in node or target not in node or (kind in ("co", "fr") and not full):
            continue
        key = (node[source], node[target], kind)
        if key[0] != key[1]:
            found.setdefault(key, []).extend(data.get("offsets", ()))
            names[key] = data.get("lock", "")
    before: dict[int, str] = {}
    lines = []
    for step in sorted(node):
        process = trace.steps[step].process
        if process in before and before[process] != node[step]:
            lines.append(f'  {before[process]} -> {node[step]} [{STYLE["po"]}];')
        before[process] = node[step]
    for (start, end, kind), offsets in found.items():
        text = names[start, end, kind] or f"area {byte_ranges(offsets)}"
        lines.append(f"  {start} -> {end} [label={quoted([f'{kind}: {text}'])}, {STYLE[kind]}];")
    return lines


def quoted(texts: list[str]) -> str:
    r"""The lines as one DOT string, left-aligned.

    >>> print(quoted(['say "a\\b"', "next"]))
    "say \"a\\b\"\lnext\l"
    """
    lines = [line for text in texts for line in wrap(printable(text), 60, 2)]
    return '"' + "".join(line.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for line in lines) + '"'

"""A state graph as a page: the picture as inline SVG, laid out ahead, and every node and step as a table below it.

In a box stand what differs from the initial state and the steps out of it, each a link to where it leads, so that the
graph can be walked without following lines.  The table says the same in full, for print and for screen readers.
"""

from __future__ import annotations

from modelcheck.view.escape import columns, cut, printable, wrap
from modelcheck.view.page import Element, element, page
from modelcheck.view.state_graph.drawn import INITIAL, VIOLATES, WITNESS, Arc, DrawnGraph, Node
from modelcheck.view.state_graph.layers import Box, lay_out
from modelcheck.view.state_graph.short import arc_line, arcs_between, fewer, node_lines

SIZE, LINE, PAD = 11.0, 15.0, 8.0
WIDEST = 44  # columns in a box
MOST_STEPS = 6  # in a box
STYLE = """
body { max-width: none; } p { max-width: 78rem; }
svg { display: block; margin: 1rem 0; } svg text { font: 11px ui-monospace, 'DejaVu Sans Mono', Menlo, monospace;
  fill: var(--ink); } svg a text { fill: var(--link); }
rect.s { fill: var(--box); stroke: var(--faint); } rect.initial { stroke: var(--ink); stroke-width: 2.5; }
rect.witness { fill: var(--good-box); stroke: var(--good); stroke-width: 2; }
rect.violates { fill: var(--bad-box); stroke: var(--bad); stroke-width: 2.5; }
g:target rect { stroke: var(--link); stroke-width: 4; }
path { fill: none; stroke: var(--faint); stroke-width: 1.1; } path.back { stroke-dasharray: 4 3; opacity: .7; }
path.violates { stroke: var(--bad); stroke-width: 2; } path:hover { stroke: var(--link); stroke-width: 3; opacity: 1; }
marker path { fill: var(--faint); stroke: none; }
li.violates, td .violates { color: var(--bad); background: none; font-weight: 600; }
"""


def render(graph: DrawnGraph) -> str:
    """The whole page."""
    out: dict[int, list[Arc]] = {node.number: [] for node in graph.nodes}
    for arc in graph.arcs:
        out[arc.source].append(arc)
    several = len(graph.searches) > 1
    return page(
        f"State graph: {graph.title}",
        element("h1", graph.title),
        [element("p", sentence) for sentence in graph.about],
        element("p", f"{graph.figures}.", class_="m"),
        _legend(),
        element("div", _picture(graph, out), class_="wide"),
        element("h2", "Every node and its steps"),
        element("div", _table(graph, out, several), class_="wide"),
        style=STYLE,
    )


def _legend() -> Element:
    return element(
        "p",
        "A box is a node: its number, what differs from the initial state, and the steps out of it, each a link to "
        "where it leads. A dashed line leads back up. Thick border: ", element("a", "the initial state", href="#s0"),
        ". Green: first to show a witness. Red: a violation.",
        class_="faint",
    )


# -- the picture ----------------------------------------------------------------------------------------------------


def _picture(graph: DrawnGraph, out: dict[int, list[Arc]]) -> Element:
    texts = [_box_lines(node, out[node.number]) for node in graph.nodes]
    sizes = [(max(columns(text) for text, _ in lines) * SIZE * 0.6 + 2 * PAD, len(lines) * LINE + 2 * PAD)
             for lines in texts]
    boxes, width, height = lay_out(graph, sizes)
    pairs = arcs_between(graph)
    width = max([width, *(_bend(boxes[arcs[0].source], boxes[arcs[0].target]) + PAD for arcs in pairs)])
    return element(
        "svg",
        element("title", f"State graph: {printable(graph.title)}"),
        element("defs", element(
            "marker", element("path", d="M0 1L10 5L0 9z"), id="head", viewBox="0 0 10 10", refX="10", refY="5",
            markerWidth="8", markerHeight="8", markerUnits="userSpaceOnUse", orient="auto")),
        [_line(arcs, boxes) for arcs in pairs],
        [_box(node, boxes[node.number], texts[node.number]) for node in graph.nodes],
        width=f"{width:.0f}", height=f"{height:.0f}", viewBox=f"0 0 {width:.0f} {height:.0f}", role="img",
    )


def _box_lines(node: Node, arcs: list[Arc]) -> list[tuple[str, int]]:
    """The lines of a box, each with the node it links to, -1 for none."""
    lines = [(part, -1) for line in node_lines(node) for part in _two(line)]
    shown = arcs if len(arcs) <= MOST_STEPS else arcs[: MOST_STEPS - 1]
    for arc in shown:
        end = f" > #{arc.target}"
        lines.append((cut(arc_line(arc), WIDEST - len(end)) + end, arc.target))
    return [*lines, *((text, -1) for text in fewer([""] * len(arcs), MOST_STEPS)[len(shown):])]


def _two(text: str) -> list[str]:
    """The text in at most two lines of a box."""
    lines = wrap(text, WIDEST, 2)
    return lines if len(lines) < 3 else [lines[0], cut("  " + " ".join(line.strip() for line in lines[1:]), WIDEST)]


def _box(node: Node, box: Box, lines: list[tuple[str, int]]) -> Element:
    kind = next((k for k in (VIOLATES, WITNESS, INITIAL) if k in node.kinds), "")
    rect = element("rect", class_=f"s {kind}".strip(), x=f"{box.x:.1f}", y=f"{box.y:.1f}", width=f"{box.width:.1f}",
                   height=f"{box.height:.1f}", rx="5")
    texts = []
    for i, (text, target) in enumerate(lines):
        line = element("text", text, x=f"{box.x + PAD:.1f}", y=f"{box.y + PAD + i * LINE + SIZE:.1f}")
        if i == 0:
            line.set("font-weight", "bold")
        texts.append(element("a", line, href=f"#s{target}") if target >= 0 else line)
    return element("g", rect, texts, id=f"s{node.number}")


def _bend(start: Box, end: Box) -> float:
    """How far to the right an arrow that leads back up is drawn at most."""
    if end.y > start.y:
        return 0.0
    return max(start.x + start.width, end.x + end.width) + 30 + (start.y - end.y) / 12


def _line(arcs: list[Arc], boxes: list[Box]) -> Element:
    start, end = boxes[arcs[0].source], boxes[arcs[0].target]
    bad = any(kind == VIOLATES for arc in arcs for kind, _ in arc.marks)
    down = end.y > start.y
    if down:
        x, y = start.x + start.width / 2, start.y + start.height
        to_x, to_y = end.x + end.width / 2, end.y
        bend = (to_y - y) / 2
        d = f"M{x:.1f} {y:.1f}C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}"
    elif end.y == start.y and end != start:  # below both
        x, to_x, to_y = start.x + start.width / 2 + 8, end.x + end.width / 2 - 8, end.y + end.height
        y, bend = start.y + start.height, max(start.y + start.height, to_y) + 34
        d = f"M{x:.1f} {y:.1f}C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}"
    else:  # up, or to itself: out of a right side and into one
        x, y = start.x + start.width, start.y + start.height / 2
        to_x, to_y = end.x + end.width, end.y + end.height / 3
        bend = _bend(start, end)
        d = f"M{x:.1f} {y:.1f}C{bend:.1f} {y:.1f} {bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    kinds = " ".join([*([] if down else ["back"]), *(["violates"] if bad else [])])
    path = element("path", element("title", "; ".join(arc_line(arc) for arc in arcs)), d=d, marker_end="url(#head)")
    if kinds:
        path.set("class", kinds)
    return path


# -- the table ------------------------------------------------------------------------------------------------------


def _table(graph: DrawnGraph, out: dict[int, list[Arc]], several: bool) -> Element:
    headings = ("node", *(("search",) if several else ()), "depth", "what differs from the initial state", "steps")
    rows = [element("tr", [element("th", heading) for heading in headings])]
    for node in graph.nodes:
        size = "" if node.states == 1 else f" ({node.states:,} states, {node.inside:,} transitions inside)"
        marks = [element("div", f"{kind}: {text}", class_=kind) for kind, text in node.marks]
        rows.append(element(
            "tr",
            element("th", element("a", f"#{node.number}", href=f"#s{node.number}"), size, id=f"t{node.number}"),
            [element("td", graph.searches[node.search])] if several else [],
            element("td", str(node.depth), class_="n"),
            element("td", marks, [element("div", text) for text in node.texts] or "-", class_="m"),
            element("td", [_step(arc) for arc in out[node.number]] or "-", class_="m"),
        ))
    return element("table", rows)


def _step(arc: Arc) -> Element:
    bad = any(kind == VIOLATES for kind, _ in arc.marks)
    line = element("div", f"{arc_line(arc)} > ", element("a", f"#{arc.target}", href=f"#t{arc.target}"))
    if bad:
        line.set("class", "violates")
    return line

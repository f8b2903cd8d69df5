"""The texts of a state graph in short, for drawings: a node or an arrow says no more than a few lines."""

from __future__ import annotations

from modelcheck.view.escape import cut, printable
from modelcheck.view.state_graph.drawn import Arc, DrawnGraph, Node

MOST_TEXTS = 8  # of one node
MOST_STEPS = 3  # of one arrow
LONGEST = 240  # columns of one text


def node_lines(node: Node) -> list[str]:
    """A node's number, its marks, and what differs from the initial state."""
    size = "" if node.states == 1 else f": {node.states:,} states, {node.inside:,} transitions inside"
    texts = fewer(node.texts, MOST_TEXTS)
    return [cut(printable(line), LONGEST) for line in (
        f"#{node.number}{size}", *(f"{kind.upper()}: {text}" for kind, text in node.marks), *texts)]


def arc_line(arc: Arc) -> str:
    """Who does what on an arc, how often, and what it is a mark of."""
    times = f" ({arc.count:,} transitions)" if arc.count > 1 else ""
    marks = "".join(f" [{kind}: {text}]" for kind, text in arc.marks)
    return printable(f"{arc.who}: {arc.what}{times}{marks}")


def arc_lines(arcs: list[Arc]) -> list[str]:
    """The arcs from one node to another in a few lines."""
    return [cut(line, LONGEST) for line in fewer([arc_line(arc) for arc in arcs], MOST_STEPS)]


def arcs_between(graph: DrawnGraph) -> list[list[Arc]]:
    """The arcs with the same two nodes together, in order."""
    found: dict[tuple[int, int], list[Arc]] = {}
    for arc in graph.arcs:
        found.setdefault((arc.source, arc.target), []).append(arc)
    return list(found.values())


def fewer(texts: tuple[str, ...] | list[str], most: int) -> list[str]:
    """The texts, or the first of them and how many more there are."""
    if len(texts) <= most:
        return list(texts)
    return [*texts[: most - 1], f"and {len(texts) - most + 1:,} more"]

"""Where the nodes of a state graph are drawn: in layers, as many steps down as they are from the initial state.

A step then never leads down by more than one layer, so no arrow passes a box on its way down; within a layer nodes are
ordered by where those above and below them are (barycentre heuristic: Sugiyama, Tagawa, Toda, IEEE Transactions on
Systems, Man, and Cybernetics 11, 1981, section 3).  Layers are networkx's; its layouts know no size of a box, and a
picture that Graphviz draws would depend on its version, so places are reckoned here.

Its one invariant: boxes do not overlap, which a test decides by geometry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelcheck.view.state_graph.drawn import INITIAL, DrawnGraph

if TYPE_CHECKING:
    import networkx

ROUNDS = 8  # of ordering; more change little
GAP_X, GAP_Y, MARGIN = 26.0, 64.0, 16.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two boxes share more than a border."""
        return (self.x < other.x + other.width and other.x < self.x + self.width
                and self.y < other.y + other.height and other.y < self.y + self.height)


def lay_out(graph: DrawnGraph, sizes: Sequence[tuple[float, float]]) -> tuple[list[Box], float, float]:
    """The box of each node, then the picture's width and height; searches stand side by side."""
    import networkx as nx

    plain: networkx.DiGraph[int] = nx.DiGraph()
    plain.add_nodes_from(node.number for node in graph.nodes)
    plain.add_edges_from((arc.source, arc.target) for arc in graph.arcs)
    places: dict[int, Box] = {}
    left = MARGIN
    bottom = 0.0
    for search in range(len(graph.searches)):
        members = [node.number for node in graph.nodes if node.search == search]
        roots = [node.number for node in graph.nodes if node.search == search and INITIAL in node.kinds]
        layers = _ordered(plain, [sorted(layer) for layer in nx.bfs_layers(plain, roots or members[:1])])
        widths = [sum(sizes[n][0] for n in layer) + GAP_X * (len(layer) - 1) for layer in layers]
        y = MARGIN
        for layer, width in zip(layers, widths, strict=True):
            x = left + (max(widths) - width) / 2
            for number in layer:
                places[number] = Box(x, y, *sizes[number])
                x += sizes[number][0] + GAP_X
            y += max(sizes[n][1] for n in layer) + GAP_Y
        left += max(widths) + 2 * GAP_X
        bottom = max(bottom, y - GAP_Y)
    # arrows between neighbours pass below the last layer
    return [places[node.number] for node in graph.nodes], left - 2 * GAP_X + MARGIN, bottom + GAP_Y


def _ordered(plain: networkx.DiGraph[int], layers: list[list[int]]) -> list[list[int]]:
    """The layers with their nodes near those they are linked to in the layer above, then in the one below."""
    for turn in range(ROUNDS):
        down = turn % 2 == 0
        pairs = list(zip(layers, layers[1:], strict=False))
        for above, below in pairs if down else reversed(pairs):
            fixed, moved = (above, below) if down else (below, above)
            place = {number: i / max(len(fixed) - 1, 1) for i, number in enumerate(fixed)}
            moved.sort(key=_barycentre(plain, place, moved, down).__getitem__)
    return layers


def _barycentre(
    plain: networkx.DiGraph[int], place: Mapping[int, float], moved: list[int], down: bool
) -> dict[int, float]:
    """For each node the mean place of its neighbours in the other layer, else its own."""
    found = {}
    for i, number in enumerate(moved):
        near = [place[n] for n in (plain.pred if down else plain.succ)[number] if n in place]
        found[number] = sum(near) / len(near) if near else i / max(len(moved) - 1, 1)
    return found

"""Views of a state graph: each form is one module with `render(graph) -> str`, chosen by a file's ending.

A view prints what the graph holds.  Text from a spec is a stranger's: each view escapes it for its own format.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.view.state_graph.drawn import DrawnGraph

ENDINGS = {
    ".dot": "modelcheck.view.state_graph.dot",
    ".gv": "modelcheck.view.state_graph.dot",
    ".graphml": "modelcheck.view.state_graph.graphml",
    ".html": "modelcheck.view.state_graph.html",
}


def render(graph: DrawnGraph, ending: str) -> str:
    """The graph in the form of one of the ENDINGS."""
    shown: str = import_module(ENDINGS[ending]).render(graph)
    return shown

"""A state graph as data, ready to be drawn: nodes that stand for one state or many, and arcs that say who does what.

Its one invariant: nodes and arcs come in an order that follows from the search alone, so the same graph gives the same
bytes in every form.
"""

from __future__ import annotations

from dataclasses import dataclass

INITIAL, VIOLATES, WITNESS = "initial", "violates", "witness"


@dataclass(frozen=True, slots=True)
class Node:
    """One state, or `states` of them; `number` is its place in the file.

    `depth` is in steps from the initial state, of several the least.  `texts` say what differs from the initial state,
    of several states what differs in all of them.  `marks` are (INITIAL, VIOLATES or WITNESS, text).
    """

    number: int
    search: int
    states: int
    depth: int
    texts: tuple[str, ...]
    marks: tuple[tuple[str, str], ...] = ()
    inside: int = 0  # transitions between its own states

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds of mark it has, each once."""
        return tuple(dict.fromkeys(kind for kind, _ in self.marks))


@dataclass(frozen=True, slots=True)
class Arc:
    """Steps from one node to another: who takes them, what is done, how many transitions that is."""

    source: int
    target: int
    who: str
    what: str
    marks: tuple[tuple[str, str], ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What a graph is like: states and transitions as searched, strongly connected components, the largest, depth."""

    states: int
    transitions: int
    components: int
    largest: int
    depth: int

    def __str__(self) -> str:
        return (f"{self.states:,} state{'s' * (self.states != 1)}, "
                f"{self.transitions:,} transition{'s' * (self.transitions != 1)}, "
                f"{self.components:,} strongly connected component{'s' * (self.components != 1)} "
                f"(the largest has {self.largest:,}), depth {self.depth:,}")


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """A graph to draw: `title` is what was checked, `about` sentences on what the nodes and the search are.

    `searches` names each search; several stand side by side, since together they decide the property.
    """

    title: str
    about: tuple[str, ...]
    searches: tuple[str, ...]
    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    figures: Figures

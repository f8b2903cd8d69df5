"""Sets of formulas that no values satisfy, remembered as z3 found them.

A formula is a number here, and a question is the set of formulas that must hold together.  The one invariant: a core
is a set z3 has refuted.  More formulas never allow more values, so a question with a core among its formulas is
refuted too, whatever else is in it and whichever question the core came from.  Nothing is known of the others.
"""

from __future__ import annotations

from collections.abc import Set


class Cores:
    """The cores found so far, each filed under its newest formula.

    The newest is the one that fewest questions have: assumptions come first and are in every question.
    """

    def __init__(self) -> None:
        self._filed: dict[int, list[frozenset[int]]] = {}

    def add(self, core: frozenset[int]) -> None:
        """Remembers a refuted set, which is not empty."""
        self._filed.setdefault(max(core), []).append(core)

    def refute(self, question: Set[int]) -> bool:
        """Whether a remembered core is among the formulas of a question."""
        return any(core <= question for number in question for core in self._filed.get(number, ()))

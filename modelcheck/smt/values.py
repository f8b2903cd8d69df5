"""What a spec tells z3: the values behind versions, and when an observation is a violation.

The engine knows stamps; a spec knows that version 3 of bytes 8..15 is a 64-bit time.  Nothing here imports z3: the
spec's functions get the module and build formulas of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One loaded value: for each byte of `lo..hi`, in order, (offset, version, form), version -1 where not carried."""

    name: str
    lo: int
    hi: int
    bytes: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class SeenFact:
    """A comparison's outcome between loaded values, as the process got it."""

    test: str
    values: tuple[Seen, ...]
    outcome: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What a process hands to a property: loaded values by name, and the comparisons known of them.

    `versions` is how many versions there are, numbered from the oldest; `whole` tells whether every byte is carried and
    every update of the path is among the versions (a full path), or only those seen (a projection).  On a full path
    `made` has for each version the text of the step that made it, and the version its slot had before: ("", -1) for
    those that were there from the start.  In a projection it is empty.
    """

    property: str
    seen: tuple[Seen, ...]
    facts: tuple[SeenFact, ...]
    versions: int
    whole: bool = False
    made: tuple[tuple[str, int], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)  # answers are looked up by observations, which are deep

    def __post_init__(self) -> None:
        parts = self.property, self.seen, self.facts, self.versions, self.whole
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        return self._hash

    def named(self, name: str) -> Seen:
        """The loaded value of that name."""
        return next(seen for seen in self.seen if seen.name == name)


@dataclass(frozen=True, slots=True)
class Values:
    """A spec's account of values, each function given the z3 module.

    `key` is the same for models whose account is the same, so that they can share z3's answers.
    `fields` are (name, lo, hi) of a version's fields, low byte first; a version has one bit-vector a field.
    `byte(z3, version, offset, form)` is the 8-bit value of one byte of a version (a dict of its fields).
    `assume(z3, versions)` lists (name, formula), oldest version first; it must hold of any versions, whatever stands
    between them.  `violated(z3, versions, observation, byte)` is the formula of a violation; byte(version, offset,
    form) is there for it to use.  What is known of a version only from the step that made it (`Observation.made`) is
    part of that formula: a projection does not tell.  `prefer(z3, versions)` lists formulas that make an answer easier
    to read; each is kept only where it costs no answer.  `explain(observation, numbers, byte)` gives the consequence
    and the sentences why nothing noticed, for concrete numbers.  `conjunct`, of the same arguments, says what is
    false, as "the claim: what is there instead".
    """

    key: Hashable
    fields: tuple[tuple[str, int, int], ...]
    byte: Callable[[Any, dict[str, Any], int, str], Any]
    assume: Callable[[Any, list[dict[str, Any]]], list[tuple[str, Any]]]
    violated: Callable[[Any, list[dict[str, Any]], Observation, Callable[[int, int, str], Any]], Any]
    prefer: Callable[[Any, list[dict[str, Any]]], list[Any]]
    explain: Callable[[Observation, list[dict[str, int]], Callable[[int, int, str], int]], tuple[str, tuple[str, ...]]]
    conjunct: Callable[[Observation, list[dict[str, int]], Callable[[int, int, str], int]], str] | None = None

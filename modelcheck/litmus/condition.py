"""Conditions on final states: `exists`, `~exists`, `forall` and `filter` have one.

Its one invariant: a condition is data over observables (a register of a process, or a location); what values they have
is asked of whoever evaluates it.  Source: the herd7 manual, section "Final conditions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Quantifier = Literal["exists", "~exists", "forall"]


@dataclass(frozen=True, slots=True)
class Observable:
    """What a final state has: register `name` of a process, or, where `process` is -1, location `name`."""

    name: str
    process: int = -1

    @property
    def slot(self) -> str:
        """The name under which the model holds it."""
        return f"{self.process}:{self.name}" if self.process >= 0 else self.name

    def __str__(self) -> str:
        return self.slot if self.process >= 0 else f"[{self.name}]"

    @property
    def order(self) -> tuple[bool, int, tuple[tuple[int, str], ...]]:
        """Registers by process come first, then locations, numbers in names by value."""
        import re

        parts = re.findall(r"\d+|\D+", self.name)
        return self.process < 0, self.process, tuple((int(p), "") if p.isdigit() else (-1, p) for p in parts)


@dataclass(frozen=True, slots=True)
class AddressOf:
    """The address of a location, as a value in a condition."""

    location: str

    def __str__(self) -> str:
        return self.location


Operand = Observable | AddressOf | int


@dataclass(frozen=True, slots=True)
class Equal:
    """Two values are equal, or differ where `negated`."""

    left: Operand
    right: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """All parts hold (`all`), or one does (`any`); with no parts, true or false."""

    kind: Literal["all", "any"]
    parts: tuple[Condition, ...]


Condition = Equal | Not | Junction
TRUE = Junction("all", ())
FALSE = Junction("any", ())


def holds(condition: Condition, value: Callable[[Operand], int]) -> bool:
    """Whether a condition holds of a final state."""
    match condition:
        case Equal(left, right, negated):
            return (value(left) == value(right)) != negated
        case Not(part):
            return not holds(part, value)
        case Junction("all", parts):
            return all(holds(part, value) for part in parts)
        case Junction(_, parts):
            return any(holds(part, value) for part in parts)


def operands(condition: Condition) -> Iterator[Operand]:
    """Every operand of a condition, with repeats."""
    match condition:
        case Equal(left, right):
            yield left
            yield right
        case Not(part):
            yield from operands(part)
        case Junction(_, parts):
            for part in parts:
                yield from operands(part)


def to_text(condition: Condition, outer: str = "") -> str:
    """The condition as herd prints it."""
    match condition:
        case Equal(left, right, negated):
            return f"{left}{'!=' if negated else '='}{right}"
        case Not(part):
            return f"not ({to_text(part)})"
        case Junction(kind, ()):
            return "true" if kind == "all" else "false"
        case Junction(kind, parts):
            sign = " /\\ " if kind == "all" else " \\/ "
            text = sign.join(to_text(part, kind) for part in parts)
            return f"({text})" if outer and outer != kind else text

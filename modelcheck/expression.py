"""Slots with finite domains, and the tiny expression language that guards and updates are written in.

Its one invariant: an expression is frozen data, so everything else (the Python successor function, a native one,
read sets, the text of a step) is derived from it.  It does not know about processes or actions.

Values are ints throughout.  A *stamp* is an ordered, unbounded version number that is only copied, compared and
freshly created; a *name* is the same without order.  Both are renamed before a state is stored.  A *word* is a number
of so many bits, with arithmetic that wraps; its values are never enumerated, z3 decides about them (smt/words.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from modelcheck.errors import SpecError

Kind = Literal["bool", "range", "enum", "process", "stamp", "name", "word"]


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a slot may hold.  `lo..hi` bound the finite kinds; `sort` names the kind of stamp or name."""

    kind: Kind
    lo: int = 0
    hi: int = 0
    names: tuple[str, ...] = ()
    sort: str = ""

    def show(self, value: int) -> str:
        """The value as a person would write it."""
        if self.kind == "bool":
            return "true" if value else "false"
        if self.kind == "enum":
            return self.names[value]
        if self.kind in ("stamp", "name"):
            return f"{self.sort}#{value}"
        if self.kind == "word" and value > self.hi >> 1:  # what a subtraction that wrapped gives
            return f"2^{self.hi.bit_length()}-{self.hi + 1 - value}"
        return str(value)


BOOL = Domain("bool", 0, 1)
PROCESS = Domain("process", 0, 0)  # 0 is nobody, i + 1 is process i; the upper end is known at linking


def range_domain(lo: int, hi: int) -> Domain:
    """Whole numbers from `lo` to `hi`, both included."""
    if lo > hi:
        raise SpecError(f"a range from {lo} to {hi} is empty; give the smaller end first")
    return Domain("range", lo, hi)


def word_domain(bits: int) -> Domain:
    """All words of so many bits."""
    if not 1 <= bits <= 512:
        raise SpecError(f"a word of {bits} bits; a word has 1 to 512")
    return Domain("word", 0, (1 << bits) - 1)


def enum_domain(*names: str) -> Domain:
    """One of the given names, stored as its position."""
    return Domain("enum", 0, len(names) - 1, names)


class Expr:
    """What every expression offers: operators that build larger ones.  `==` stays identity of data; use `eq`."""

    __slots__ = ()

    def eq(self, other: Expr | int) -> Expr:
        """True where both have the same value."""
        return Op("eq", (self, lift(other)))

    def ne(self, other: Expr | int) -> Expr:
        """True where the values differ."""
        return Op("ne", (self, lift(other)))

    def lt(self, other: Expr | int) -> Expr:
        """True where this is smaller; on stamps, older."""
        return Op("lt", (self, lift(other)))

    def le(self, other: Expr | int) -> Expr:
        """True where this is not larger; on stamps, not newer."""
        return Op("le", (self, lift(other)))

    def slt(self, other: Expr | int) -> Expr:
        """True where this is smaller, both words taken as signed (two's complement); `lt` takes them as unsigned."""
        return Op("slt", (self, lift(other)))

    def sle(self, other: Expr | int) -> Expr:
        """True where this is not larger, both words taken as signed."""
        return Op("sle", (self, lift(other)))

    def __and__(self, other: Expr | int) -> Expr:
        return conjunction((self, lift(other)))

    def __or__(self, other: Expr | int) -> Expr:
        return Op("or", (self, lift(other)))

    def __invert__(self) -> Expr:
        return Op("not", (self,))

    def __add__(self, other: Expr | int) -> Expr:
        return Op("add", (self, lift(other)))

    def __sub__(self, other: Expr | int) -> Expr:
        return Op("sub", (self, lift(other)))


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A fixed value."""

    value: int


@dataclass(frozen=True, slots=True)
class Slot(Expr):
    """A named place in the state.  `own` slots exist once per process and are resolved at linking."""

    name: str
    domain: Domain
    initial: int = 0
    own: bool = False

    def __hash__(self) -> int:
        return hash(self.name)  # which almost always differs, and is asked for all the time


@dataclass(frozen=True, slots=True)
class Self(Expr):
    """The process that takes the step, as a value of the process domain (1 for the first)."""


@dataclass(frozen=True, slots=True)
class Fresh(Expr):
    """A stamp greater than every live one of its sort, or a name different from all; only as a whole right side."""

    sort: str


@dataclass(frozen=True, slots=True)
class Arbitrary(Expr):
    """Any value of the word `slot` for which `condition` holds; only as a whole right side.

    In the condition the slot is the new value and OLD the one before, other slots are as they were before the step.
    Right sides of one step with equal slots are one value.  `prefer` are conditions that make an answer readable.
    """

    slot: Slot
    condition: Expr
    prefer: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Old(Expr):
    """In a read-modify-write, and in the condition of an arbitrary word: the value that was there before."""

    def __str__(self) -> str:
        return "old"


@dataclass(frozen=True, slots=True)
class Op(Expr):
    """An operator over expressions: not and or eq ne lt le add sub ite, in (among constants), and slt sle of words."""

    name: str
    args: tuple[Expr, ...]


TRUE = Const(1)
FALSE = Const(0)
OLD = Old()

_PYTHON = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "add": "+", "sub": "-", "and": "and", "or": "or"}
_TEXT = _PYTHON | {"slt": "< (signed)", "sle": "<= (signed)"}


def lift(value: Expr | int) -> Expr:
    """An expression as it is, a whole number as a constant."""
    return value if isinstance(value, Expr) else Const(int(value))


def conjunction(parts: tuple[Expr, ...]) -> Expr:
    """All of `parts`; TRUE when none is left after dropping the trivially true."""
    kept = tuple(part for part in parts if part != TRUE)
    return TRUE if not kept else kept[0] if len(kept) == 1 else Op("and", kept)


def ite(condition: Expr, then: Expr | int, other: Expr | int) -> Expr:
    """`then` where the condition holds, else `other`."""
    return Op("ite", (condition, lift(then), lift(other)))


def slots_of(expr: Expr) -> Iterator[Slot]:
    """Every slot that the value of `expr` depends on, with repeats."""
    if isinstance(expr, Slot):
        yield expr
    elif isinstance(expr, Op):
        for arg in expr.args:
            yield from slots_of(arg)
    elif isinstance(expr, Arbitrary):
        yield from slots_of(expr.condition)


def parts_of(expr: Expr) -> Iterator[Expr]:
    """The expression and every part of it, outermost first."""
    yield expr
    if isinstance(expr, Op):
        for arg in expr.args:
            yield from parts_of(arg)


def sorts_of(expr: Expr) -> Iterator[str]:
    """The sorts of which `expr` creates a fresh member."""
    if isinstance(expr, Fresh):
        yield expr.sort
    elif isinstance(expr, Op):
        for arg in expr.args:
            yield from sorts_of(arg)


def rebuild(expr: Expr, replace: Callable[[Expr], Expr | None]) -> Expr:
    """The same expression with `replace`'s answers put in where it gives one."""
    answer = replace(expr)
    if answer is not None:
        return answer
    if isinstance(expr, Op):
        return Op(expr.name, tuple(rebuild(arg, replace) for arg in expr.args))
    if isinstance(expr, Arbitrary):
        slot = rebuild(expr.slot, replace)
        assert isinstance(slot, Slot)
        wishes = tuple(rebuild(wish, replace) for wish in expr.prefer)
        return Arbitrary(slot, rebuild(expr.condition, replace), wishes)
    return expr


def width_of(expr: Expr) -> int:
    """The bits of the word that an expression is, 0 where it is none."""
    if isinstance(expr, Slot):
        return expr.domain.hi.bit_length() if expr.domain.kind == "word" else 0
    if isinstance(expr, Op) and expr.name in ("add", "sub", "ite"):
        return max(width_of(arg) for arg in expr.args[expr.name == "ite" :])
    return 0


def signed(value: int, bits: int) -> int:
    """A word taken as signed.

    >>> signed(0xff, 8), signed(0x7f, 8)
    (-1, 127)
    """
    return value - (1 << bits) if value >> (bits - 1) else value


def operate(name: str, values: list[int], bits: int = 0) -> int:
    """The value of an operator on values; `bits` is the width where the operands are words, which then wrap."""
    if bits and name in ("eq", "ne", "lt", "le", "slt", "sle", "add", "sub"):
        values = [value & (1 << bits) - 1 for value in values]
        if name in ("slt", "sle"):
            values = [signed(value, bits) for value in values]
        if name in ("add", "sub"):
            return (values[0] + values[1] if name == "add" else values[0] - values[1]) & (1 << bits) - 1
    match name:
        case "not":
            return int(not values[0])
        case "and":
            return int(all(values))
        case "or":
            return int(any(values))
        case "eq":
            return int(values[0] == values[1])
        case "ne":
            return int(values[0] != values[1])
        case "lt" | "slt":
            return int(values[0] < values[1])
        case "le" | "sle":
            return int(values[0] <= values[1])
        case "add":
            return values[0] + values[1]
        case "sub":
            return values[0] - values[1]
        case "ite":
            return values[1] if values[0] else values[2]
        case "in":
            return int(values[0] in values[1:])
    raise SpecError(f"unknown operator {name!r}")


def evaluate(expr: Expr, state: Mapping[Slot, int], fresh: Callable[[str], int] | None = None) -> int:
    """The value of `expr` in `state`; the plain meaning that generated code is tested against."""
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Slot):
        return state[expr]
    if isinstance(expr, Fresh) and fresh is not None:
        return fresh(expr.sort)
    if not isinstance(expr, Op):
        raise SpecError(f"{expr!r} has no value here; link the model first")
    values = [evaluate(arg, state, fresh) for arg in expr.args]
    return operate(expr.name, values, max(width_of(arg) for arg in expr.args))


def to_python(expr: Expr, place: Mapping[Slot, str], fresh: Callable[[str], str]) -> str:
    """Python source text with the value of `expr`; `place` gives the text that reads a slot."""
    if isinstance(expr, Const):
        return str(expr.value)
    if isinstance(expr, Slot):
        return place[expr]
    if isinstance(expr, Fresh):
        return fresh(expr.sort)
    if not isinstance(expr, Op):
        raise SpecError(f"{expr!r} has no value here; link the model first")
    parts = [to_python(arg, place, fresh) for arg in expr.args]
    if expr.name == "not":
        return f"(not {parts[0]})"
    if expr.name == "ite":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if expr.name == "in":
        return f"({parts[0]} in {{{', '.join(parts[1:])}}})" if parts[1:] else "False"
    text = "(" + f" {_PYTHON[expr.name]} ".join(parts) + ")"
    if expr.name in ("and", "or") and not all(is_truth(arg) for arg in expr.args):
        return f"(1 if {text} else 0)"  # Python's own answer is an operand
    return text


def is_truth(expr: Expr) -> bool:
    """Whether a value is always 0 or 1."""
    if isinstance(expr, Const):
        return expr.value in (0, 1)
    if isinstance(expr, Slot):
        return expr.domain.kind == "bool"
    return isinstance(expr, Op) and expr.name in ("not", "and", "or", "eq", "ne", "lt", "le", "slt", "sle", "in")


def to_text(expr: Expr) -> str:
    """The expression as a person would write it."""
    if isinstance(expr, Const):
        return str(expr.value)
    if isinstance(expr, Slot):
        return expr.name
    if isinstance(expr, Fresh):
        return f"a new {expr.sort}"
    if isinstance(expr, Arbitrary):
        return f"any with {to_text(expr.condition)}"
    if isinstance(expr, Op):
        parts = [to_text(arg) for arg in expr.args]
        if expr.name == "not":
            return f"!{parts[0]}"
        if expr.name == "ite":
            return f"({parts[0]} ? {parts[1]} : {parts[2]})"
        if expr.name == "in":
            return f"({parts[0]} in {{{', '.join(parts[1:])}}})"
        return "(" + f" {_TEXT[expr.name]} ".join(parts) + ")"
    return "self" if isinstance(expr, Self) else str(expr)

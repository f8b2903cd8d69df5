"""The instructions of a litmus test, of either format: terms over registers, and statements.

Its one invariant: everything is frozen data that names the source, so a test is a value.  A pointer is a term whose
value is the address of a location.  A fake dependency (`r ^ r`) stays written down; nothing here is simplified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True)
class Num:
    """A whole number."""

    value: int


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a location."""

    location: str


@dataclass(frozen=True, slots=True)
class Reg:
    """A register or local variable; 0 where nothing was assigned."""

    name: str


@dataclass(frozen=True, slots=True)
class Old:
    """In a read-modify-write: what it read."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A C operator on two terms; `&&` and `||` look at both sides."""

    op: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Pick:
    """`then` where the condition is not 0, else `other`; a value, no branch."""

    condition: Term
    then: Term
    other: Term


Term = Num | Address | Reg | Old | Binary | Pick

LoadMode = Literal["plain", "once", "acquire"]
StoreMode = Literal["plain", "once", "release"]
RmwMode = Literal["relaxed", "acquire", "release", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What every statement has: its place in the file, and its text."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Statement):
    """A register gets the value of a term."""

    target: str
    value: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Statement):
    """A register gets what a location holds."""

    target: str
    pointer: Term
    mode: LoadMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Statement):
    """A location gets the value of a term."""

    pointer: Term
    value: Term
    mode: StoreMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmw(Statement):
    """An atomic read-modify-write: the register gets what was read, the location the value of a term over `Old`.

    Where `when` does not hold of what there is, `otherwise` says what happens: "wait" until it does (spin_lock), or
    only a READ_ONCE ("load"; "compare" where it is one instruction on machines that have it, as cmpxchg is).
    """

    target: str
    pointer: Term
    value: Term
    mode: RmwMode
    when: Term = Num(1)
    otherwise: Literal["wait", "load", "compare"] = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence(Statement):
    """A barrier, named as the kernel or the processor names it."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Statement):
    """A branch: a control dependency into its arms."""

    condition: Term
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


Body = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """A process as its parser gives it: its statements, and the registers or variables it has."""

    body: Body
    registers: frozenset[str]


ZERO = Num(0)
ONE = Num(1)


def text_of(term: Term) -> str:
    """A term as C."""
    match term:
        case Num(value):
            return str(value)
        case Address(location):
            return location
        case Reg(name):
            return name
        case Old():
            return "old"
        case Binary(op, left, right):
            return f"({text_of(left)} {op} {text_of(right)})"
        case Pick(condition, then, other):
            return f"({text_of(condition)} ? {text_of(then)} : {text_of(other)})"


def registers_of(term: Term) -> frozenset[str]:
    """The registers that a term reads."""
    match term:
        case Reg(name):
            return frozenset((name,))
        case Binary(_, left, right):
            return registers_of(left) | registers_of(right)
        case Pick(condition, then, other):
            return registers_of(condition) | registers_of(then) | registers_of(other)
        case _:
            return frozenset()


def addresses_of(term: Term) -> frozenset[str]:
    """The locations whose address a term names."""
    match term:
        case Address(location):
            return frozenset((location,))
        case Binary(_, left, right):
            return addresses_of(left) | addresses_of(right)
        case Pick(condition, then, other):
            return addresses_of(condition) | addresses_of(then) | addresses_of(other)
        case _:
            return frozenset()


def terms_of(statement: Statement) -> tuple[Term, ...]:
    """The terms that a statement evaluates itself, without those inside its arms."""
    match statement:
        case Assign(value=value):
            return (value,)
        case Load(pointer=pointer):
            return (pointer,)
        case Store(pointer=pointer, value=value):
            return (pointer, value)
        case Rmw(pointer=pointer, value=value, when=when):
            return (pointer, value, when)
        case If(condition=condition):
            return (condition,)
        case _:
            return ()


def walk(body: Body) -> tuple[Statement, ...]:
    """Every statement, arms included, in order of the text."""
    found: list[Statement] = []
    for statement in body:
        found.append(statement)
        if isinstance(statement, If):
            found += walk(statement.then)
            found += walk(statement.other)
    return tuple(found)


def assigned(body: Body) -> frozenset[str]:
    """The registers that some statement of a body assigns."""
    return frozenset(s.target for s in walk(body) if isinstance(s, (Assign, Load, Rmw)))

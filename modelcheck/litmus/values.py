"""What the registers of a litmus test hold, and what terms over them are worth.

Its one invariant: an expression mentions every loaded value that the term mentions, whatever it is worth: a fake
dependency (`r ^ r`) is one for the hardware.  Operators that the engine does not have become tables over the values
that their operands can have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelcheck.action import Register
from modelcheck.expression import OLD, Const, Expr, Op, ite
from modelcheck.litmus.operators import OPERATORS, combine, pairs
from modelcheck.litmus.program import Address, Binary, Num, Old, Pick, Reg, Term

_DIRECT = {"+": "add", "-": "sub", "==": "eq", "!=": "ne", "<": "lt", "<=": "le"}
_SWAPPED = {">": "lt", ">=": "le"}
Registers = frozenset[Register]
NONE: Registers = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """What a register holds: an expression over loaded values (`data`), and what else decided it (`taint`)."""

    expr: Expr
    possible: frozenset[int]
    data: Registers = NONE
    taint: Registers = NONE

    @property
    def sources(self) -> Registers:
        """Every loaded value it depends on."""
        return self.data | self.taint


Environment = tuple[tuple[str, Value], ...]  # by name, sorted: frozen, as a generator must keep it
ZERO = Value(Const(0), frozenset((0,)))


def held(name: str, environment: Environment) -> Value:
    """What a register holds; 0 where nothing was assigned."""
    return next((value for key, value in environment if key == name), ZERO)


def bind(environment: Environment, name: str, value: Value) -> Environment:
    """The environment in which a register holds a value."""
    others = [(key, other) for key, other in environment if key != name]
    return tuple(sorted((*others, (name, value)), key=lambda pair: pair[0]))


def evaluate(
    term: Term, environment: Environment, address: Callable[[str], int], old: frozenset[int] = frozenset()
) -> Value:
    """The value of a term; `old` is what the location of a read-modify-write can hold."""
    match term:
        case Num(number):
            return Value(Const(number), frozenset((number,)))
        case Address(location):
            number = address(location)
            return Value(Const(number), frozenset((number,)))
        case Reg(name):
            return held(name, environment)
        case Old():
            return Value(OLD, old)
        case Binary(op, left, right):
            return _binary(op, evaluate(left, environment, address, old), evaluate(right, environment, address, old))
        case Pick(condition, then, other):
            parts = [evaluate(part, environment, address, old) for part in (condition, then, other)]
            asked, yes, no = parts
            if isinstance(asked.expr, Const):
                chosen = yes if asked.expr.value else no
                return replace(chosen, taint=chosen.taint | asked.taint)
            return Value(ite(truth(asked.expr), yes.expr, no.expr), yes.possible | no.possible,
                         NONE.union(*(part.data for part in parts)), NONE.union(*(part.taint for part in parts)))


def _binary(op: str, left: Value, right: Value) -> Value:
    same = left.expr == right.expr
    possible = combine(op, left.possible, right.possible, same)
    return Value(_expression(op, left, right, same), possible, left.data | right.data, left.taint | right.taint)


def _expression(op: str, left: Value, right: Value, same: bool) -> Expr:
    """The operator as an expression; one the engine does not have becomes a table of its operands' values."""
    if isinstance(left.expr, Const) and isinstance(right.expr, Const):
        return Const(OPERATORS[op](left.expr.value, right.expr.value))
    if op in _DIRECT:
        return Op(_DIRECT[op], (left.expr, right.expr))
    if op in _SWAPPED:
        return Op(_SWAPPED[op], (right.expr, left.expr))
    if op in ("&&", "||"):
        return Op("and" if op == "&&" else "or", (truth(left.expr), truth(right.expr)))
    rows = pairs(left.possible, right.possible, same)
    *first, last = rows
    table: Expr = Const(OPERATORS[op](*last))
    if not first:  # one pair of values, and still a dependency on both
        return ite(Op("and", (left.expr.eq(last[0]), right.expr.eq(last[1]))), table, table)
    for a, b in reversed(first):
        table = ite(Op("and", (left.expr.eq(a), right.expr.eq(b))), OPERATORS[op](a, b), table)
    return table


def truth(expr: Expr) -> Expr:
    """The expression as 0 or 1, as the engine's conditions are."""
    if isinstance(expr, Const):
        return Const(int(expr.value != 0))
    if isinstance(expr, Op) and expr.name in ("eq", "ne", "lt", "le", "and", "or", "not"):
        return expr
    return expr.ne(0)

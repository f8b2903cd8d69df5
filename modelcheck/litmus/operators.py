"""The operators of C on whole numbers, and on sets of possible ones.

Its one invariant: the set that `combine` gives holds every value the operator can give.  Numbers are not cut to 32
bits: a test whose values leave them depends on overflow, which is undefined in C.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from modelcheck.litmus.errors import Unsupported

MOST_VALUES = 512  # possible values of one register or location; the suites need a few
_LARGEST_SHIFT = 31


def _shift(left: int, right: int, up: bool) -> int:
    if not 0 <= right <= _LARGEST_SHIFT:
        raise ZeroDivisionError
    return left << right if up else left >> right


def _divide(left: int, right: int) -> int:
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1) if right else left // right


OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,  # C rounds towards zero
    "%": lambda left, right: left - _divide(left, right) * right,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": lambda left, right: _shift(left, right, up=True),
    ">>": lambda left, right: _shift(left, right, up=False),
    "==": lambda left, right: int(left == right),
    "!=": lambda left, right: int(left != right),
    "<": lambda left, right: int(left < right),
    "<=": lambda left, right: int(left <= right),
    ">": lambda left, right: int(left > right),
    ">=": lambda left, right: int(left >= right),
    "&&": lambda left, right: int(bool(left and right)),
    "||": lambda left, right: int(bool(left or right)),
}


def pairs(left: frozenset[int], right: frozenset[int], same: bool) -> tuple[tuple[int, int], ...]:
    """The pairs of values two operands can have together; `same` where both are the same value."""
    if same:
        return tuple((value, value) for value in sorted(left))
    return tuple((a, b) for a in sorted(left) for b in sorted(right))


def combine(op: str, left: frozenset[int], right: frozenset[int], same: bool) -> frozenset[int]:
    """The values of an operator; raises Unsupported where one is undefined or they are too many."""
    try:
        return bounded(frozenset(OPERATORS[op](a, b) for a, b in pairs(left, right, same)))
    except ZeroDivisionError:
        raise Unsupported(f"an operation that may be undefined ({op})") from None


def bounded(values: frozenset[int]) -> frozenset[int]:
    """The same set, refused where it is too large to be told apart in a search."""
    if len(values) > MOST_VALUES:
        raise Unsupported(f"a register or location with more than {MOST_VALUES} possible values")
    return values

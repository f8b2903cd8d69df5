"""Terms: what words hold along a path, as sums of unknowns, and the conditions over them.

A value is an int where it is known and a term where it depends on an unknown.  A word is a sum of unknowns with
coefficients, modulo two to its width, so what a path adds and takes away again is gone from its terms.  The one
invariant: equal terms are equal values, and a condition is an int where the sums alone decide it; all else is z3's.
Nothing here imports z3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modelcheck.errors import SpecError
from modelcheck.expression import Const, Expr, Op, Slot, operate, to_text, width_of

Term = int | Expr


@dataclass(frozen=True, slots=True)
class Linear(Expr):
    """A word of `bits`: `const` and `parts`, each an unknown (a slot, or an ite) with its coefficient, in one order."""

    bits: int
    const: int
    parts: tuple[tuple[Expr, int], ...]

    def __str__(self) -> str:
        return " + ".join([str(self.const), *(f"{count}*{to_text(part)}" for part, count in self.parts)])


def unknown(slot: Slot) -> Linear:
    """The word that is this unknown."""
    return Linear(width_of(slot), 0, ((slot, 1),))


def fold(expr: Expr, look: Callable[[Slot], Term]) -> Term:
    """The value of an expression where slots hold what `look` answers."""
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Slot):
        return look(expr)
    if not isinstance(expr, Op):
        raise SpecError(f"{to_text(expr)} has no value in a property of words; stamps and loads have none there")
    if expr.name in ("and", "or"):
        return _connective(expr, look)
    if expr.name == "ite":
        return _choice(expr, look)
    values = [fold(arg, look) for arg in expr.args]
    if expr.name == "not":
        return negation(values[0])
    widths = {width for arg in expr.args for width in (width_of(arg),) if width}
    if len(widths) > 1:
        raise SpecError(f"{to_text(expr)} mixes words of {' and '.join(map(str, sorted(widths)))} bits")
    bits = max(widths, default=0)
    known = [value for value in values if isinstance(value, int)]
    if len(known) == len(values):
        return operate(expr.name, known, bits)
    if not bits or expr.name == "in" or any(isinstance(value, Op) for value in values):
        raise SpecError(f"{to_text(expr)} computes with an unknown that is no word; branch on it with test()")
    left, right = (_linear(value, bits) for value in values)
    return _operate(expr.name, left, right)


def negation(value: Term) -> Term:
    """The opposite of a condition."""
    if isinstance(value, int):
        return int(not value)
    return value.args[0] if isinstance(value, Op) and value.name == "not" else Op("not", (value,))


def conjuncts(condition: Expr) -> tuple[Expr, ...]:
    """Conditions that hold together exactly where this one does."""
    if isinstance(condition, Op) and condition.name == "and":
        return tuple(part for arg in condition.args for part in conjuncts(arg))
    return (condition,)


def value_of(term: Term, numbers: Mapping[str, int]) -> int:
    """The value of a term for these values of the unknowns; one that is not named is 0."""
    if isinstance(term, int):
        return term
    if isinstance(term, Const):
        return term.value
    if isinstance(term, Slot):
        return numbers.get(term.name, 0)
    if isinstance(term, Linear):
        return (term.const + sum(count * value_of(part, numbers) for part, count in term.parts)) % (1 << term.bits)
    assert isinstance(term, Op)
    bits = next((arg.bits for arg in term.args if isinstance(arg, Linear)), 0)
    return operate(term.name, [value_of(arg, numbers) for arg in term.args], bits)


def solution(condition: Expr, slots: Sequence[Slot]) -> tuple[Slot, Term] | None:
    """The last of `slots` that an equality gives in terms of the other unknowns, and those terms; None for none."""
    if not isinstance(condition, Op) or condition.name != "eq" or not isinstance(condition.args[0], Linear):
        return None
    sum_ = condition.args[0]
    counts, size = dict(sum_.parts), 1 << sum_.bits
    for slot in reversed(slots):
        if counts.get(slot) in (1, size - 1):
            sign = -counts[slot]
            rest = tuple((part, sign * count % size) for part, count in sum_.parts if part != slot)
            return slot, Linear(sum_.bits, sign * sum_.const % size, rest)
    return None


def _connective(expr: Op, look: Callable[[Slot], Term]) -> Term:
    ends = int(expr.name == "or")  # the value of an operand that decides the whole
    left: list[Expr] = []
    for arg in expr.args:
        value = fold(arg, look)
        if not isinstance(value, int):
            left += [value] if value not in left else []
        elif bool(value) == ends:
            return ends
    return 1 - ends if not left else left[0] if len(left) == 1 else Op(expr.name, tuple(left))


def _choice(expr: Op, look: Callable[[Slot], Term]) -> Term:
    condition = fold(expr.args[0], look)
    if isinstance(condition, int):
        return fold(expr.args[1] if condition else expr.args[2], look)
    bits = width_of(expr)
    then, other = (fold(arg, look) for arg in expr.args[1:])
    if then == other:
        return then
    if not bits:
        raise SpecError(f"{to_text(expr)} chooses by an unknown what is no word; branch on it with test()")
    return Linear(bits, 0, ((Op("ite", (condition, _operand(then, bits), _operand(other, bits))), 1),))


def _linear(value: Term, bits: int) -> Linear:
    if isinstance(value, int):
        return Linear(bits, value % (1 << bits), ())
    assert isinstance(value, Linear)
    return value


def _operand(value: Term, bits: int) -> Expr:
    return _linear(value, bits)


def _sum(left: Linear, right: Linear, sign: int) -> Term:
    size = 1 << left.bits
    counts = dict(left.parts)
    for part, count in right.parts:
        counts[part] = (counts.get(part, 0) + sign * count) % size
    parts = tuple(sorted(((part, count) for part, count in counts.items() if count), key=lambda each: repr(each[0])))
    const = (left.const + sign * right.const) % size
    return Linear(left.bits, const, parts) if parts else const


def _operate(name: str, left: Linear, right: Linear) -> Term:
    if name in ("add", "sub"):
        return _sum(left, right, 1 if name == "add" else -1)
    difference = _sum(left, right, -1)
    if name in ("eq", "ne"):
        same = _zero(difference)
        return same if name == "eq" else negation(same)
    if difference == 0:
        return int(name in ("le", "sle"))
    if name in ("le", "sle"):  # one form for each condition and its opposite
        return negation(Op(name[:-1] + "t", (right, left)))
    return Op(name, (left, right))


def _zero(difference: Term) -> Term:
    """That a difference is 0, in the one of its two forms whose first coefficient is the smaller."""
    if isinstance(difference, int):
        return int(difference == 0)
    assert isinstance(difference, Linear)
    size = 1 << difference.bits
    if difference.parts[0][1] > size >> 1:
        turned = tuple((part, -count % size) for part, count in difference.parts)
        difference = Linear(difference.bits, -difference.const % size, turned)
    return Op("eq", (difference, Linear(difference.bits, 0, ())))

"""What the kernel's primitives do, as statements.

Its one invariant: each name is spelt and ordered as in the kernel: an atomic with a result is fully ordered unless its
name ends in _relaxed, _acquire or _release, one without a result is relaxed, and one that fails is a plain READ_ONCE.
Sources: Documentation/atomic_t.txt, and tools/memory-model/linux-kernel.def and linux-kernel.bell for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from modelcheck.litmus.program import (
    ONE,
    ZERO,
    Assign,
    Binary,
    Fence,
    Load,
    LoadMode,
    Num,
    Old,
    Place,
    Reg,
    Rmw,
    RmwMode,
    Statement,
    Store,
    StoreMode,
    Term,
    text_of,
)

FENCES = ("smp_mb", "smp_rmb", "smp_wmb", "mb", "rmb", "wmb", "barrier", "smp_mb__before_atomic",
          "smp_mb__after_atomic", "smp_mb__after_spinlock", "smp_mb__after_unlock_lock")
_ATOMIC = re.compile(r"(?:raw_)?atomic(?:64|_long)?_(\w+?)(_relaxed|_acquire|_release)?")
_SIGNS = {"add": "+", "sub": "-", "inc": "+", "dec": "-", "and": "&", "or": "|", "xor": "^", "andnot": "&~"}
_UNSUPPORTED = (  # the first that matches names the reason
    ("srcu", "SRCU"),
    ("rcu", "RCU"),
    ("synchronize_sched", "RCU"),
    ("membarrier", "membarrier"),
    ("spin_", "a lock primitive"),
    ("read_lock", "a reader-writer lock"), ("write_lock", "a reader-writer lock"),
    ("read_unlock", "a reader-writer lock"), ("write_unlock", "a reader-writer lock"),
    ("down_", "a semaphore"), ("up_", "a semaphore"), ("mutex_", "a mutex"),
)  # fmt: skip

Shape = Literal["object", "pointer", "value", "variable"]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: the pointer to the object (`*p`), a value, or the name of a variable (`&r`)."""

    term: Term
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call about to become statements; `fresh` makes a name for a temporary."""

    name: str
    arguments: tuple[Argument, ...]
    place: Place
    out: list[Statement]
    fresh: Callable[[], str]

    @property
    def text(self) -> str:
        """The call as C."""
        return f"{self.name}({', '.join(text_of(argument.term) for argument in self.arguments)})"

    def term(self, index: int) -> Term:
        """The value or pointer given as an argument."""
        return self.arguments[index].term

    def load(self, pointer: Term, mode: LoadMode) -> Term:
        """Adds a load; its value."""
        target = self.fresh()
        self.out.append(Load(place=self.place, text=self.text, target=target, pointer=pointer, mode=mode))
        return Reg(target)

    def store(self, pointer: Term, value: Term, mode: StoreMode) -> Term:
        """Adds a store; the value stored."""
        self.out.append(Store(place=self.place, text=self.text, pointer=pointer, value=value, mode=mode))
        return value

    def rmw(self, pointer: Term, value: Term, mode: RmwMode, when: Term = ONE,
            otherwise: Literal["wait", "load", "compare"] = "load") -> Term:
        """Adds a read-modify-write; the value it read."""
        target = self.fresh()
        self.out.append(Rmw(place=self.place, text=self.text, target=target, pointer=pointer, value=value, mode=mode,
                            when=when, otherwise=otherwise))
        return Reg(target)

    def assign(self, variable: str, value: Term) -> None:
        """Adds an assignment to a variable."""
        self.out.append(Assign(place=self.place, text=self.text, target=variable, value=value))

    def fence(self, kind: str) -> Term:
        """Adds a barrier."""
        self.out.append(Fence(place=self.place, text=f"{kind}()", kind=kind))
        return ZERO


@dataclass(frozen=True, slots=True)
class Primitive:
    """The shapes of a primitive's arguments, what it does, and whether it has a result."""

    shapes: tuple[Shape, ...]
    make: Callable[[Call], Term]
    result: bool = True


def primitive(name: str) -> Primitive | None:
    """What a name means; None for a name that is not known."""
    if name in FENCES:
        return Primitive((), lambda call: call.fence(name), result=False)
    if name in _SIMPLE:
        return _SIMPLE[name]
    match = re.fullmatch(r"(xchg|cmpxchg|try_cmpxchg)(_relaxed|_acquire|_release)?", name)
    if match:
        return _exchange(match.group(1), _mode(match.group(2)))
    match = _ATOMIC.fullmatch(name)
    return _atomic(match.group(1), match.group(2) or "") if match else None


def unsupported(name: str) -> str:
    """The reason for which a call of an unknown name is refused."""
    for part, reason in _UNSUPPORTED:
        if part in name:
            return f"{reason} ({name})"
    return f"the function {name}"


def _load(mode: LoadMode) -> Callable[[Call], Term]:
    return lambda call: call.load(call.term(0), mode)


def _store(mode: StoreMode) -> Callable[[Call], Term]:
    return lambda call: call.store(call.term(0), call.term(1), mode)


def _store_mb(call: Call) -> Term:
    call.store(call.term(0), call.term(1), "once")
    return call.fence("smp_mb")


def _free(old: Term) -> Term:
    return Binary("==", old, ZERO)


_SIMPLE: dict[str, Primitive] = {
    "READ_ONCE": Primitive(("object",), _load("once")),
    "WRITE_ONCE": Primitive(("object", "value"), _store("once"), result=False),
    "rcu_dereference": Primitive(("object",), _load("once")),
    "rcu_assign_pointer": Primitive(("object", "value"), _store("release"), result=False),
    "smp_load_acquire": Primitive(("pointer",), _load("acquire")),
    "smp_store_release": Primitive(("pointer", "value"), _store("release"), result=False),
    "smp_store_mb": Primitive(("object", "value"), _store_mb, result=False),
    "spin_lock": Primitive(("pointer",), lambda c: c.rmw(c.term(0), ONE, "acquire", _free(Old()), "wait"), False),
    "spin_unlock": Primitive(("pointer",), lambda c: c.store(c.term(0), ZERO, "release"), False),
    "spin_trylock": Primitive(("pointer",), lambda c: _free(c.rmw(c.term(0), ONE, "acquire", _free(Old())))),
    "spin_is_locked": Primitive(("pointer",), lambda c: Binary("!=", c.load(c.term(0), "once"), ZERO)),
}  # fmt: skip


def _mode(suffix: str | None) -> RmwMode:
    return cast(RmwMode, suffix.lstrip("_")) if suffix else "full"


def _exchange(kind: str, mode: RmwMode) -> Primitive:
    if kind == "xchg":
        return Primitive(("pointer", "value"), lambda c: c.rmw(c.term(0), c.term(1), mode))
    if kind == "cmpxchg":
        return Primitive(("pointer", "value", "value"),
                         lambda c: c.rmw(c.term(0), c.term(2), mode, Binary("==", Old(), c.term(1)), "compare"))

    def attempt(call: Call) -> Term:
        expected, done = call.fresh(), call.fresh()
        call.assign(expected, call.term(1))
        old = call.rmw(call.term(0), call.term(2), mode, Binary("==", Old(), Reg(expected)), "compare")
        call.assign(done, Binary("==", old, Reg(expected)))
        call.assign(call.arguments[1].variable, old)
        return Reg(done)

    return Primitive(("pointer", "variable", "value"), attempt)


def _atomic(name: str, suffix: str) -> Primitive | None:
    mode = _mode(suffix)
    if name == "read" and suffix in ("", "_acquire"):
        return Primitive(("pointer",), _load("acquire" if suffix else "once"))
    if name == "set" and suffix in ("", "_release"):
        return Primitive(("pointer", "value"), _store("release" if suffix else "once"), result=False)
    if name in ("xchg", "cmpxchg", "try_cmpxchg"):
        return _exchange(name, mode)
    if name in _SIGNS:
        return None if suffix else _arithmetic(name, "", "relaxed")
    match = re.fullmatch(r"(fetch)_(add|sub|inc|dec|and|or|xor|andnot)|(add|sub|inc|dec)_(return)", name)
    if match:
        return _arithmetic(match.group(2) or match.group(3), match.group(1) or match.group(4), mode)
    match = re.fullmatch(r"(sub|inc|dec)_(and_test)|(add)_(negative)", name)
    if match and (not suffix or match.group(4)):
        return _arithmetic(match.group(1) or match.group(3), match.group(2) or match.group(4), mode)
    return None if suffix else _conditional(name)


def _arithmetic(operation: str, result: str, mode: RmwMode) -> Primitive:
    counted = operation in ("inc", "dec")

    def make(call: Call) -> Term:
        operand, pointer = (ONE, call.term(0)) if counted else (call.term(0), call.term(1))

        def after(old: Term) -> Term:
            sign = _SIGNS[operation]
            return Binary("&", old, Binary("-", Num(-1), operand)) if sign == "&~" else Binary(sign, old, operand)

        old = call.rmw(pointer, after(Old()), mode)
        if result == "return":
            return after(old)
        if result == "and_test":
            return Binary("==", after(old), ZERO)
        return Binary("<", after(old), ZERO) if result == "negative" else old

    shapes: tuple[Shape, ...] = ("pointer",) if counted else ("value", "pointer")
    return Primitive(shapes, make, result=bool(result))


def _conditional(name: str) -> Primitive | None:
    """The atomics that change a value only where it is fit."""

    def unless(call: Call, added: Term, barred: Term) -> Term:
        return call.rmw(call.term(0), Binary("+", Old(), added), "full", Binary("!=", Old(), barred))

    match name:
        case "add_unless":
            return Primitive(("pointer", "value", "value"),
                             lambda c: Binary("!=", unless(c, c.term(1), c.term(2)), c.term(2)))
        case "fetch_add_unless":
            return Primitive(("pointer", "value", "value"), lambda c: unless(c, c.term(1), c.term(2)))
        case "inc_not_zero":
            return Primitive(("pointer",), lambda c: Binary("!=", unless(c, ONE, ZERO), ZERO))
        case "dec_if_positive":
            return Primitive(("pointer",), lambda c: Binary(
                "-", c.rmw(c.term(0), Binary("-", Old(), ONE), "full", Binary(">", Old(), ZERO)), ONE))
        case _:
            return None

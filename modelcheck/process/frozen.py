"""Deeply frozen values as hashable keys: what a process may keep in a local across a yield.

Its one invariant: two values with one key behave alike, now and later.  So keys carry the type (`True` is not `1`),
functions go by code, defaults and closure instead of identity, and anything that can change is refused.  Keys
compare only within one `Freezer`, which numbers code objects and dataclass values to keep hashing cheap; with
`numbered` off they are larger and compare with those of any other such freezer.
"""

from __future__ import annotations

import enum
from dataclasses import fields, is_dataclass
from functools import cached_property, partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING

from modelcheck.action import Register

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_ATOMS = frozenset((type(None), bool, int, str, bytes, complex, type(Ellipsis), type(NotImplemented)))
_BY_IDENTITY = (type, ModuleType, MethodDescriptorType, WrapperDescriptorType)


class NotFrozen(Exception):
    """A value that can change; `path` leads from the variable to it, `value` is the culprit."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value
        self.path = ""

    def below(self, step: str) -> NotFrozen:
        """The same culprit seen from one level higher."""
        self.path = step + self.path
        return self


class Freezer:
    """Turns values into keys and notes the registers met on the way; `met` gets the functions and classes."""

    def __init__(self, numbered: bool = True, met: dict[FunctionType | type, None] | None = None) -> None:
        self._numbered, self._met = numbered, met
        self._codes: dict[int, tuple[CodeType, int]] = {}
        self._numbers: dict[Hashable, int] = {}
        self._fields: dict[type, tuple[str, ...]] = {}
        # Dataclass values by id; the object is kept so that the id stays its own.
        self._known: dict[int, tuple[object, Hashable, frozenset[int]]] = {}
        self._functions_met = 0
        self._open: list[int] = []

    def code(self, code: CodeType) -> int:
        """A number for the code: equal for codes from the same place with the same instructions and constants."""
        found = self._codes.get(id(code))
        if found is None:
            key = _code_key(code)
            found = self._codes[id(code)] = code, self._numbers.setdefault(key, len(self._numbers))
        return found[1]

    def freeze(self, value: object, registers: set[int]) -> Hashable:
        """The key of `value`; adds the indexes of the registers inside to `registers`.  Raises NotFrozen."""
        kind = type(value)
        if kind in _ATOMS:
            return kind, value
        known = self._known.get(id(value))
        if known is not None:
            registers |= known[2]
            return known[1]
        if kind is float:
            return kind, value.hex()  # type: ignore[attr-defined]  # mypy does not narrow on `kind`; 0.0 is not -0.0
        if isinstance(value, enum.Enum):
            self._note(kind)
            return kind, value
        if isinstance(value, Register):
            registers.add(value.index)
            return kind, self._number((kind, value))
        if isinstance(value, tuple):
            self._note(kind)
            return kind, self._items(value, registers), self._attributes(value, (), registers)
        if kind is frozenset:
            return kind, frozenset(self._items(tuple(value), registers))  # type: ignore[arg-type]  # the same
        if isinstance(value, range):
            return kind, value.start, value.stop, value.step
        if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # not in typeshed
            return self._dataclass(value, registers)
        if isinstance(value, _BY_IDENTITY):
            if isinstance(value, type):
                self._note(value)
            return kind, value
        return self._callable(value, registers)

    def _number(self, key: Hashable) -> Hashable:
        return self._numbers.setdefault(key, len(self._numbers)) if self._numbered else key

    def _note(self, what: FunctionType | type) -> None:
        if self._met is not None:
            self._met[what] = None

    def _items(self, values: tuple[object, ...], registers: set[int]) -> tuple[Hashable, ...]:
        keys = []
        for i, value in enumerate(values):
            try:
                keys.append(self.freeze(value, registers))
            except NotFrozen as culprit:
                raise culprit.below(f"[{i}]") from None
        return tuple(keys)

    def _named(self, values: Iterator[tuple[str, object]], registers: set[int], before: str,
               after: str = "") -> Hashable:
        keys = []
        for name, value in values:
            try:
                keys.append((name, self.freeze(value, registers)))
            except NotFrozen as culprit:
                raise culprit.below(before + name + after) from None
        return tuple(keys)

    def _dataclass(self, value: object, registers: set[int]) -> Hashable:
        inside: set[int] = set()
        kind, functions = type(value), self._functions_met
        names = self._fields.get(kind)
        if names is None:
            names = self._fields[kind] = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]  # a dataclass
            self._note(kind)
        present = ((name, getattr(value, name)) for name in names if hasattr(value, name))
        key = (kind, self._named(present, inside, "."), self._attributes(value, names, inside))
        known = value, (kind, self._number(key)), frozenset(inside)
        if self._functions_met == functions:  # else a closure cell may change under it
            self._known[id(value)] = known
        registers |= inside
        return known[1]

    def _attributes(self, value: object, declared: tuple[str, ...], registers: set[int]) -> Hashable:
        """Attributes beside the declared ones; a cached_property is left out, being derived."""
        extra = getattr(value, "__dict__", None)
        if not extra or len(extra) == len(declared):
            return ()
        names = sorted(name for name in extra if name not in declared
                       and not isinstance(getattr(type(value), name, None), cached_property))
        return self._named(((name, extra[name]) for name in names), registers, ".")

    def _callable(self, value: object, registers: set[int]) -> Hashable:
        if isinstance(value, FunctionType):
            return self._function(value, registers)
        parts: Iterator[tuple[str, object]]
        if isinstance(value, MethodType):
            parts = iter((("__self__", value.__self__), ("__func__", value.__func__)))
        elif isinstance(value, BuiltinFunctionType):
            if value.__self__ is None or isinstance(value.__self__, (ModuleType, type)):
                return type(value), value
            parts = iter((("__self__", value.__self__), ("__name__", value.__name__)))
        elif type(value) is partial:
            parts = iter((("func", value.func), ("args", value.args), ("keywords", tuple(value.keywords.items()))))
        else:
            raise NotFrozen(value)
        return type(value), self._named(parts, registers, ".")

    def _function(self, function: FunctionType, registers: set[int]) -> Hashable:
        if id(function) in self._open:  # it reaches itself through its closure
            return "again", len(self._open) - self._open.index(id(function))
        self._functions_met += 1
        self._note(function)
        self._open.append(id(function))
        try:
            code = function.__code__
            cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
            held = [(name, content) for name, cell in cells for content in _contents(cell)]
            defaults = (("__defaults__", function.__defaults__), ("__kwdefaults__", _pairs(function.__kwdefaults__)))
            key = self.code(code) if self._numbered else _code_key(code)
            return (FunctionType, key, self._named(iter(defaults), registers, "."),
                    self._named(iter(held), registers, " closure `", "`"), self._attributes(function, (), registers))
        finally:
            self._open.pop()


def advice(value: object) -> str:
    """What to write in place of a value that is not frozen."""
    kind = type(value)
    if isinstance(value, list):
        return "use a tuple"
    if isinstance(value, (set, bytearray)):
        return "use a frozenset" if isinstance(value, set) else "use bytes"
    if isinstance(value, dict):
        return "use a tuple of pairs or a frozen dataclass"
    if is_dataclass(kind):
        return f"declare {kind.__name__} with @dataclass(frozen=True)"
    if isinstance(value, GeneratorType):
        return "call it where it runs, `x = yield from f()`, and keep no generator"
    if hasattr(value, "__next__"):
        return "loop over the range, tuple or str itself with `for`, and keep no iterator"
    return "keep only numbers, text, tuples, enums and frozen dataclasses, or `del` it before the yield"


def _code_key(code: CodeType) -> Hashable:
    return "code", code.co_filename, code.co_qualname, code.co_firstlineno, code


def _contents(cell: object) -> tuple[object, ...]:
    try:
        return (cell.cell_contents,)  # type: ignore[attr-defined]  # zip loses the cell's type
    except ValueError:
        return ()  # not assigned yet


def _pairs(mapping: dict[str, object] | None) -> tuple[tuple[str, object], ...] | None:
    return None if mapping is None else tuple(mapping.items())

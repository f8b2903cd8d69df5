"""What the code of a process may read besides its arguments: globals, closure cells and attributes of classes.

Every name that the code can reach is looked up once and noted with its value; later one pass over the notes tells
whether any of them was bound anew.  Its one invariant: `unchanged` is True only where the code would read the very
same objects, all of them deeply frozen.  Names are taken from code objects, so some are noted that are never read (an
attribute named like a global), and what is found by a computed name or outside the program (`getattr`, `eval`, a
file, the clock) is not seen.  The standard library and this package are taken as they are.
"""

from __future__ import annotations

import builtins
import dataclasses
import reprlib
import sys
from enum import Enum
from functools import cached_property
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING

from modelcheck.process.frozen import Freezer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Namespace = Mapping[str, object]

_AS_THEY_ARE = sys.stdlib_module_names | {__name__.partition(".")[0]}
_NOTHING = object()  # what a name is bound to that is not there
_MADE = ("<string>", dataclasses.__file__, reprlib.__file__)  # where methods come from that @dataclass makes of fields
_SLOTS = (MemberDescriptorType, GetSetDescriptorType)  # where instances keep their fields; they hold nothing


class Surroundings:
    """What there is in reach of one process: bindings as (namespace, name, value), and closure cells with contents."""

    __slots__ = ("_bindings", "_cells", "_seen")

    def __init__(self, body: object) -> None:
        """All that is in reach of `body`, a callable, and of what it holds; raises NotFrozen where it can change."""
        self._bindings: list[tuple[Namespace, str, object]] = []
        self._cells: list[tuple[object, object]] = []
        self._seen: set[tuple[int, str]] = set()
        met: dict[FunctionType | type, None] = {}
        freezer = Freezer(met=met)
        freezer.freeze(body, set())
        done = 0
        mine = len(met)  # these are the process, wherever they come from
        while done < len(met):
            for what in list(met)[done:]:
                done += 1
                if isinstance(what, type):
                    met.update(dict.fromkeys(what.__mro__))
                if done <= mine or not _as_it_is(what.__module__):
                    first = len(self._bindings)
                    self._bindings += _attributes(what) if isinstance(what, type) else self._read_by(what)
                    for _, _, value in self._bindings[first:]:
                        for part in _parts(value):
                            freezer.freeze(part, set())

    @property
    def unchanged(self) -> bool:
        """Whether every name is still bound to what it was bound to."""
        return all(namespace.get(name, _NOTHING) is value for namespace, name, value in self._bindings) and all(
            _content(cell) is value for cell, value in self._cells)

    def _read_by(self, function: FunctionType) -> Iterator[tuple[Namespace, str, object]]:
        """The globals of `function` that its code names, and what it names of the modules among them; notes cells."""
        self._cells += [(cell, _content(cell)) for cell in function.__closure__ or ()]
        builtin: Namespace = vars(builtins)
        names = tuple(dict.fromkeys(name for code in _codes(function.__code__) for name in code.co_names))
        namespaces: list[Namespace] = [function.__globals__]
        for namespace in namespaces:
            for name in names:
                value = namespace.get(name, _NOTHING)
                there = value is not _NOTHING or namespace is function.__globals__ and name in builtin
                if there and (id(namespace), name) not in self._seen:
                    self._seen.add((id(namespace), name))
                    yield namespace, name, value
                if isinstance(value, ModuleType) and not _as_it_is(value.__name__):
                    namespaces += [vars(value)] if all(vars(value) is not known for known in namespaces) else []


def _as_it_is(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _AS_THEY_ARE


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _attributes(kind: type) -> Iterator[tuple[Namespace, str, object]]:
    """What instances find in their class: methods, properties and constants, not what Python itself keeps there."""
    for name, value in vars(kind).items():
        code = next((part.__code__ for part in _parts(value) if isinstance(part, FunctionType)), None)
        hidden = name.startswith("__") or issubclass(kind, Enum) and name.startswith("_")
        if hidden and name.endswith("_") and (code is None or code.co_filename in _MADE):
            continue
        if not isinstance(value, _SLOTS):
            yield vars(kind), name, value


def _parts(value: object) -> tuple[object, ...]:
    """What has to be frozen in the value of a name."""
    if value is _NOTHING:
        return ()
    if isinstance(value, property):
        return value.fget, value.fset, value.fdel
    if isinstance(value, (staticmethod, classmethod)):
        return (value.__func__,)
    return (value.func,) if isinstance(value, cached_property) else (value,)


def _content(cell: object) -> object:
    try:
        return cell.cell_contents  # type: ignore[attr-defined]  # the type of a cell has no name in typeshed
    except ValueError:
        return _NOTHING

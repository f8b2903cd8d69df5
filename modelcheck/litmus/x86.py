"""Programs in herd's x86 format: a table with one column a process and one instruction a cell.

Its one invariant: an instruction has the effect that the Intel SDM (vol. 2) gives it on the registers and memory of the
test; flags are not modelled, so neither is anything that reads them.  XCHG with memory is locked (SDM vol. 3A, "Bus
Locking"); other read-modify-writes are only with a LOCK prefix, and otherwise a load and a store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from modelcheck.litmus.around import number
from modelcheck.litmus.grammar import offset_of, tree
from modelcheck.litmus.program import (
    ONE,
    Address,
    Assign,
    Binary,
    Fence,
    Load,
    Num,
    Old,
    Pick,
    Place,
    Process,
    Reg,
    Rmw,
    Statement,
    Store,
    Term,
)
from modelcheck.litmus.source import Part, Source

if TYPE_CHECKING:
    from lark import Token, Tree

REGISTERS = ("EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP")
_ARITHMETIC = {"ADD": "+", "SUB": "-", "AND": "&", "OR": "|", "XOR": "^"}
_STEP = {"INC": "+", "DEC": "-"}
_FENCES = ("MFENCE", "LFENCE", "SFENCE")
_LOCKABLE = (*_ARITHMETIC, *_STEP, "XADD", "XCHG", "CMPXCHG")
_OPERANDS = {"MOV": 2, "XCHG": 2, "XADD": 2, "CMPXCHG": 2, "NOP": 0, **dict.fromkeys(_ARITHMETIC, 2),
             **dict.fromkeys(_STEP, 1), **dict.fromkeys(_FENCES, 0)}
_TEMPORARY = "tmp"  # no register: read in the same instruction only


def read_program(source: Source, part: Part) -> tuple[Process, ...]:
    """The processes of the table."""
    rows = _rows(source, part)
    if not rows:
        raise source.error("the test has no processes; start the table with a row such as `P0 | P1 ;`", part.start)
    header = rows[0]
    for i, cell in enumerate(header):
        if cell.text.strip() != f"P{i}":
            at = cell.start + len(cell.text) - len(cell.text.lstrip())
            raise source.error(f"column {i + 1} of the table is headed {cell.text.strip()[:30]!r}; head it P{i}", at)
    columns: list[list[Statement]] = [[] for _ in header]
    for row in rows[1:]:
        if len(row) != len(header):
            cell = row[len(header) if len(row) > len(header) else 0]
            at = cell.start + len(cell.text) - len(cell.text.lstrip())
            raise source.error(f"this row has {len(row)} columns and the table has {len(header)}; separate as many "
                               "cells with `|`", at)
        for column, cell in zip(columns, row, strict=True):
            if cell.text.strip():
                column += _instruction(source, cell)
    return tuple(Process(tuple(column), frozenset(REGISTERS)) for column in columns)


def _rows(source: Source, part: Part) -> list[list[Part]]:
    rows = []
    start = 0
    for end in re.finditer(";", part.text):
        cells, at = [], start
        for text in part.text[start : end.start()].split("|"):
            cells.append(Part(text, part.start + at))
            at += len(text) + 1
        rows.append(cells)
        start = end.end()
    return rows


@dataclass(frozen=True, slots=True)
class _Operand:
    """A register, a place in memory (`pointer`), or a value."""

    kind: str
    term: Term
    name: str = ""


def _instruction(source: Source, cell: Part) -> list[Statement]:
    text = " ".join(cell.text.split())
    at = cell.start + len(cell.text) - len(cell.text.lstrip())
    words = re.match(r"\s*(LOCK\s+)?(\w+)", cell.text, re.IGNORECASE)
    if re.match(r"\w+\s*:", text):
        raise source.unsupported(f"a label ({text[:30]})", at)
    if words is None:
        raise source.error(f"{text[:30]!r} is no instruction; write one such as `MOV [x],$1`", at)
    mnemonic, locked = words.group(2).upper(), bool(words.group(1))
    if mnemonic not in _OPERANDS:
        raise source.unsupported(f"the instruction {mnemonic}", at)
    rest = Part(cell.text[words.end() :], cell.start + words.end())
    given = [_operand(source, rest, cast("Tree[Token]", child)) for child in tree(source, rest, "operands").children]
    if len(given) != _OPERANDS[mnemonic]:
        raise source.error(f"{mnemonic} has {len(given)} operands; it takes {_OPERANDS[mnemonic]}", at)
    if locked and mnemonic not in _LOCKABLE:
        raise source.error(f"{mnemonic} takes no LOCK prefix; {', '.join(_LOCKABLE)} do", at)
    if locked and (not given or all(o.kind != "memory" for o in given)):
        raise source.error(f"LOCK {mnemonic} needs an operand in memory; write one such as [x]", at)
    made = _Instruction(source.place(at), text, mnemonic, locked, given).statements()
    if made is None:
        raise source.error(f"{mnemonic} does not take these operands ({text[:40]}); use a register or one place in "
                           "memory, and write to what can be written", at)
    return made


def _register(source: Source, token: Token, at: int) -> _Operand:
    name = token.upper()
    if name not in REGISTERS:
        raise source.error(f"{str(token)[:30]} is no register; there are {', '.join(REGISTERS)}, and a location is "
                           f"written [{str(token)[:30]}]", at)
    return _Operand("register", Reg(name), name)


def _operand(source: Source, cell: Part, node: Tree[Token]) -> _Operand:
    token = cast("Token", node.children[0])
    at = offset_of(token, cell)
    if node.data == "register":
        return _register(source, token, at)
    if node.data == "immediate":
        return _Operand("value", Num(number(source, token, at)))
    if node.data == "address":
        return _Operand("value", Address(str(token)))
    name = token.upper()
    return _Operand("memory", Reg(name) if name in REGISTERS else Address(str(token)))


@dataclass(frozen=True, slots=True)
class _Instruction:
    place: Place
    text: str
    mnemonic: str
    locked: bool
    given: list[_Operand]

    def statements(self) -> list[Statement] | None:
        """What the instruction does; None where it does not take such operands."""
        name, given = self.mnemonic, self.given
        if name == "NOP":
            return []
        if name in _FENCES:
            return [Fence(place=self.place, text=self.text, kind=name.lower())]
        if [o.kind for o in given].count("memory") > 1:
            return None
        if name in _STEP:
            return self._modify(given[0], lambda old: Binary(_STEP[name], old, ONE))
        left, right = given
        if name in _ARITHMETIC:
            if right.kind != "memory":
                return self._modify(left, lambda old: Binary(_ARITHMETIC[name], old, right.term))
            if left.kind != "register":
                return None
            value = Binary(_ARITHMETIC[name], left.term, Reg(_TEMPORARY))
            return [self._load(_TEMPORARY, right), self._assign(left, value)]
        if name == "MOV":
            return self._move(left, right)
        if name == "XCHG":
            return self._exchange(left, right)
        if right.kind != "register":
            return None
        if name == "XADD":
            made = self._modify(left, lambda old: Binary("+", old, right.term), _TEMPORARY)
            return None if made is None else [*made, self._assign(right, Reg(_TEMPORARY))]
        eax = Reg("EAX")
        made = self._modify(left, lambda old: Pick(Binary("==", old, eax), right.term, old), _TEMPORARY)
        # EAX gets the old value where the two differ, and is that value where they do not (SDM, CMPXCHG).
        return None if made is None else [*made, self._assign(_Operand("register", eax, "EAX"), Reg(_TEMPORARY))]

    def _move(self, left: _Operand, right: _Operand) -> list[Statement] | None:
        if left.kind == "memory":
            return [self._store(left, right.term)]
        if left.kind == "value":
            return None
        return [self._load(left.name, right) if right.kind == "memory" else self._assign(left, right.term)]

    def _exchange(self, left: _Operand, right: _Operand) -> list[Statement] | None:
        if "value" in (left.kind, right.kind):
            return None
        if left.kind == right.kind == "register":
            copy = Assign(place=self.place, text=self.text, target=_TEMPORARY, value=left.term)
            return [copy, self._assign(left, right.term), self._assign(right, Reg(_TEMPORARY))]
        memory, register = (left, right) if left.kind == "memory" else (right, left)
        return [self._rmw(memory, register.term), self._assign(register, Reg(_TEMPORARY))]

    def _modify(self, what: _Operand, value: Callable[[Term], Term], keep: str = "") -> list[Statement] | None:
        """Replaces what there is by a value of it; `keep` is the register that gets the old value."""
        if what.kind == "value":
            return None
        if what.kind == "register":
            first = [Assign(place=self.place, text=self.text, target=keep, value=what.term)] if keep else []
            return [*first, self._assign(what, value(what.term))]
        if self.locked:
            return [self._rmw(what, value(Old()))]
        return [self._load(_TEMPORARY, what), self._store(what, value(Reg(_TEMPORARY)))]

    def _assign(self, register: _Operand, value: Term) -> Statement:
        return Assign(place=self.place, text=self.text, target=register.name, value=value)

    def _load(self, target: str, memory: _Operand) -> Statement:
        return Load(place=self.place, text=self.text, target=target, pointer=memory.term, mode="once")

    def _store(self, memory: _Operand, value: Term) -> Statement:
        return Store(place=self.place, text=self.text, pointer=memory.term, value=value, mode="once")

    def _rmw(self, memory: _Operand, value: Term) -> Statement:
        return Rmw(place=self.place, text=self.text, target=_TEMPORARY, pointer=memory.term, value=value, mode="full")

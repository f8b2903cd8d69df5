"""The C functions of a kernel litmus test, as pycparser reads them.

Its one invariant: pycparser sees the file with everything outside the functions blanked, so its lines and columns are
the file's own.  The types the kernel's tests name are declared ahead, as `int`: only pointers matter here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pycparser import c_ast, c_parser

from modelcheck.litmus.program import Place
from modelcheck.litmus.source import Part, Source

_TYPES = ("atomic_t", "atomic64_t", "atomic_long_t", "spinlock_t", "raw_spinlock_t", "bool", "intptr_t", "uintptr_t",
          "size_t", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", *(
              f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)))
_AT = re.compile(r"litmus:(\d+):(\d+): (.*)", re.DOTALL)
_LOOPS = {c_ast.While: "while", c_ast.DoWhile: "do", c_ast.For: "for"}
_CONSTRUCTS = {c_ast.ArrayRef: "an array element", c_ast.StructRef: "a member of a structure", c_ast.Goto: "goto",
               c_ast.Label: "a label", c_ast.Switch: "switch", c_ast.Return: "return", c_ast.InitList: "an aggregate",
               c_ast.ArrayDecl: "an array", c_ast.FuncDecl: "a function declared inside another",
               c_ast.Break: "break", c_ast.Continue: "continue", c_ast.CompoundLiteral: "a compound literal"}


@dataclass(frozen=True, slots=True)
class Function:
    """One process: its parameters in order, and its statements."""

    parameters: tuple[str, ...]
    body: tuple[c_ast.Node, ...]
    place: Place


def offset_at(source: Source, place: Place) -> int:
    """The offset of a line and column."""
    at = 0
    for _ in range(place[0] - 1):
        at = source.text.find("\n", at) + 1
    return at + place[1] - 1


def place_of(node: c_ast.Node) -> Place:
    """Line and column of a node."""
    coord = node.coord
    return (coord.line, coord.column or 1) if coord is not None else (1, 1)


def refusal(source: Source, node: c_ast.Node) -> Exception:
    """The error for a construct of C that litmus tests are not written with, or that is not modelled."""
    at = offset_at(source, place_of(node))
    if type(node) in _LOOPS:
        return source.unsupported(f"a loop ({_LOOPS[type(node)]})", at)
    return source.unsupported(_CONSTRUCTS.get(type(node), f"C syntax ({type(node).__name__})"), at)


def functions(source: Source, part: Part) -> tuple[Function, ...]:
    """The processes P0, P1 and so on, in that order."""
    lead = re.sub(r"[^\n]", " ", source.text[: part.start])
    declared = "".join(f"typedef int {name};" for name in _TYPES if re.search(rf"\b{name}\b", part.text))
    try:
        tree = c_parser.CParser().parse(f'{declared}\n# 1 "litmus"\n{lead}{part.text}', "declarations")
    except RecursionError:
        raise source.error("the functions are nested too deeply to read; write smaller ones", part.start) from None
    except c_parser.ParseError as error:
        raise _syntax_error(source, part, str(error)) from None
    found: list[Function] = []
    for node in tree.ext:
        if isinstance(node, c_ast.Typedef):
            continue
        at = offset_at(source, place_of(node))
        if not isinstance(node, c_ast.FuncDef):
            raise source.unsupported("a declaration outside the processes", at)
        name = node.decl.name
        if not re.fullmatch(r"P\d+", name):
            raise source.unsupported(f"a function beside the processes ({name})", at)
        if name != f"P{len(found)}":
            raise source.error(f"{name} stands where P{len(found)} should; number the processes from P0 in order", at)
        found.append(Function(_parameters(source, node), tuple(node.body.block_items or ()), place_of(node)))
    if not found:
        raise source.error("the test has no processes; write functions P0(...), P1(...) and so on", part.start)
    return tuple(found)


def _parameters(source: Source, function: c_ast.FuncDef) -> tuple[str, ...]:
    names: list[str] = []
    if not isinstance(function.decl.type, c_ast.FuncDecl):
        raise source.error("this is no C function; write one such as P0(int *x) { ... }",
                           offset_at(source, place_of(function)))
    arguments = function.decl.type.args
    for parameter in arguments.params if arguments is not None else ():
        at = offset_at(source, place_of(parameter))
        if isinstance(parameter, c_ast.Typename):
            if not parameter.name and not isinstance(parameter.type, c_ast.PtrDecl):
                continue  # (void)
            raise source.error("a parameter has no name; name the location it points to", at)
        if not isinstance(parameter, c_ast.Decl):
            raise source.error("a parameter has no type; declare it as in `int *x`", at)
        if not isinstance(parameter.type, c_ast.PtrDecl):
            raise source.unsupported(f"a parameter that is no pointer ({parameter.name})", at)
        pointed = getattr(getattr(parameter.type, "type", None), "type", None)
        if isinstance(pointed, c_ast.Struct):
            kind = "SRCU (srcu_struct)" if pointed.name == "srcu_struct" else f"struct {pointed.name}"
            raise source.unsupported(kind, at)
        if parameter.name in names:
            raise source.error(f"parameter {parameter.name} is there twice; name each location once", at)
        names.append(parameter.name)
    return tuple(names)


def _syntax_error(source: Source, part: Part, text: str) -> Exception:
    match = _AT.match(text)
    if match is None:
        return source.error("the functions end too early; close every brace and parenthesis",
                            part.start + len(part.text.rstrip()))
    offset = offset_at(source, (int(match.group(1)), int(match.group(2))))
    before = match.group(3).removeprefix("before: ").strip()
    seen = source.text[offset:].split("\n")[0].strip()[:30] or before
    return source.error(f"this is no C here: {seen!r}; write statements as in the kernel's litmus tests", offset)

"""The C of a kernel litmus test, lowered to statements.

Its one invariant: accesses happen in the order of the text, one statement each, and values stay the terms they were
written as.  A parameter is the address of the location of its name (herdtools7, "C litmus tests"); every other name is
a local variable, declared or not.
"""

from __future__ import annotations

from pycparser import c_ast

from modelcheck.litmus.around import number
from modelcheck.litmus.c_calls import Argument, Call, Shape, primitive, unsupported
from modelcheck.litmus.c_syntax import Function, functions, offset_at, place_of, refusal
from modelcheck.litmus.program import (
    ONE,
    ZERO,
    Address,
    Assign,
    Binary,
    If,
    Load,
    Num,
    Pick,
    Place,
    Process,
    Reg,
    Statement,
    Store,
    Term,
    assigned,
    registers_of,
    terms_of,
    text_of,
    walk,
)
from modelcheck.litmus.source import Part, Source

_BINARY = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=")
_NAMED = {"NULL": ZERO, "true": ONE, "false": ZERO}


def read_program(source: Source, part: Part) -> tuple[Process, ...]:
    """The processes."""
    return tuple(_Lowering(source, function).process() for function in functions(source, part))


class _Lowering:
    def __init__(self, source: Source, function: Function) -> None:
        self.source = source
        self.function = function
        self.declared: set[str] = set()
        self.read_at: dict[str, c_ast.Node] = {}
        self.temporaries = 0

    def process(self) -> Process:
        out: list[Statement] = []
        self.block(self.function.body, out)
        body = tuple(out)
        known = assigned(body) | self.declared
        used = {name for s in walk(body) for term in terms_of(s) for name in registers_of(term)}
        for name, node in self.read_at.items():
            if name in used and name not in known:
                raise self.error(f"{name} is neither a parameter nor assigned in this process; add it to the "
                                 f"parameters as `int *{name}` or give it a value", node)
        return Process(body, known)

    def error(self, message: str, node: c_ast.Node) -> Exception:
        return self.source.error(message, offset_at(self.source, place_of(node)))

    def fresh(self) -> str:
        self.temporaries += 1
        return f"${self.temporaries}"

    def block(self, nodes: tuple[c_ast.Node, ...], out: list[Statement]) -> None:
        for node in nodes:
            self.statement(node, out)

    def arm(self, node: c_ast.Node | None) -> list[Statement]:
        out: list[Statement] = []
        if node is not None:
            self.statement(node, out)
        return out

    def statement(self, node: c_ast.Node, out: list[Statement]) -> None:
        match node:
            case c_ast.Compound():
                self.block(tuple(node.block_items or ()), out)
            case c_ast.EmptyStatement():
                pass
            case c_ast.Decl():
                self.declaration(node, out)
            case c_ast.DeclList():
                self.block(tuple(node.decls), out)
            case c_ast.If():
                condition = self.expression(node.cond, out)
                then, other = self.arm(node.iftrue), self.arm(node.iffalse)
                out.append(If(place=place_of(node), text=f"if {text_of(condition)}", condition=condition,
                              then=tuple(then), other=tuple(other)))
            case c_ast.FuncCall():
                self.call(node, out, wanted=False)
            case _:
                self.expression(node, out)

    def declaration(self, node: c_ast.Decl, out: list[Statement]) -> None:
        if not isinstance(node.type, (c_ast.TypeDecl, c_ast.PtrDecl)):
            raise refusal(self.source, node.type)
        if node.name in self.function.parameters:
            raise self.error(f"{node.name} is a parameter already; give the variable another name", node)
        if node.name in self.declared:
            raise self.error(f"{node.name} is declared twice; declare a variable once", node)
        self.declared.add(node.name)
        if node.init is not None:
            self.assign(node.name, self.expression(node.init, out), place_of(node), out)

    def assign(self, name: str, value: Term, place: Place, out: list[Statement]) -> None:
        out.append(Assign(place=place, text=f"{name} = {text_of(value)}", target=name, value=value))

    def expression(self, node: c_ast.Node, out: list[Statement]) -> Term:
        """The value of an expression, after the accesses it makes were added to `out`."""
        match node:
            case c_ast.Constant():
                return self.constant(node)
            case c_ast.ID():
                return self.name(node)
            case c_ast.Cast():
                return self.expression(node.expr, out)
            case c_ast.UnaryOp():
                return self.unary(node, out)
            case c_ast.BinaryOp() if node.op in ("&&", "||"):
                return self.junction(node, out)
            case c_ast.BinaryOp() if node.op in _BINARY:
                left = self.expression(node.left, out)
                return Binary(node.op, left, self.expression(node.right, out))
            case c_ast.TernaryOp():
                return self.ternary(node, out)
            case c_ast.Assignment():
                return self.assignment(node, out)
            case c_ast.FuncCall():
                return self.call(node, out, wanted=True)
            case c_ast.ExprList():
                return [self.expression(part, out) for part in node.exprs][-1]
            case _:
                raise refusal(self.source, node)

    def constant(self, node: c_ast.Constant) -> Term:
        if "int" not in node.type:
            raise self.source.unsupported(f"a constant that is no whole number ({node.value[:30]})",
                                          offset_at(self.source, place_of(node)))
        text = node.value.rstrip("uUlL")
        at = offset_at(self.source, place_of(node))
        if text.lower().startswith("0b") or len(text) > 1 and text[0] == "0" and text[1].isdigit():
            return Num(int(text.lower().removeprefix("0b"), 2 if text[1] in "bB" else 8))
        return Num(number(self.source, text, at))

    def name(self, node: c_ast.ID) -> Term:
        if node.name in self.function.parameters:
            return Address(node.name)
        if node.name in _NAMED and node.name not in self.declared:
            return _NAMED[node.name]
        self.read_at.setdefault(node.name, node)
        return Reg(node.name)

    def unary(self, node: c_ast.UnaryOp, out: list[Statement]) -> Term:
        match node.op:
            case "*":
                pointer, target = self.expression(node.expr, out), self.fresh()
                out.append(Load(place=place_of(node), text=f"*{text_of(pointer)}", target=target, pointer=pointer,
                                mode="plain"))
                return Reg(target)
            case "&" if isinstance(node.expr, c_ast.UnaryOp) and node.expr.op == "*":
                return self.expression(node.expr.expr, out)
            case "!":
                return Binary("==", self.expression(node.expr, out), ZERO)
            case "-":
                value = self.expression(node.expr, out)
                return Num(-value.value) if isinstance(value, Num) else Binary("-", ZERO, value)
            case "~":
                return Binary("-", Num(-1), self.expression(node.expr, out))
            case "+":
                return self.expression(node.expr, out)
            case "++" | "--" | "p++" | "p--":
                return self.step(node, out)
            case "&":
                raise self.source.unsupported("the address of a variable", offset_at(self.source, place_of(node)))
            case _:
                raise refusal(self.source, node)

    def step(self, node: c_ast.UnaryOp, out: list[Statement]) -> Term:
        before: Term = self.expression(node.expr, out)
        if node.op.startswith("p"):
            kept = self.fresh()
            self.assign(kept, before, place_of(node), out)
            before = Reg(kept)
        after = Binary(node.op[-1], before, ONE)
        self.put(node.expr, after, out)
        return before if node.op.startswith("p") else after

    def junction(self, node: c_ast.BinaryOp, out: list[Statement]) -> Term:
        left = self.expression(node.left, out)
        inner: list[Statement] = []
        right = self.expression(node.right, inner)
        if not inner:
            return Binary(node.op, left, right)
        result = self.fresh()  # the right side makes accesses: they happen only where it is looked at
        place = place_of(node)
        self.assign(result, Binary("!=", left, ZERO), place, out)
        self.assign(result, Binary("!=", right, ZERO), place, inner)
        then, other = (tuple(inner), ()) if node.op == "&&" else ((), tuple(inner))
        out.append(If(place=place, text=f"{text_of(left)} {node.op}", condition=Reg(result), then=then, other=other))
        return Reg(result)

    def ternary(self, node: c_ast.TernaryOp, out: list[Statement]) -> Term:
        condition = self.expression(node.cond, out)
        then: list[Statement] = []
        other: list[Statement] = []
        yes, no = self.expression(node.iftrue, then), self.expression(node.iffalse, other)
        if not then and not other:
            return Pick(condition, yes, no)
        result, place = self.fresh(), place_of(node)
        self.assign(result, yes, place, then)
        self.assign(result, no, place, other)
        out.append(If(place=place, text=f"{text_of(condition)} ?", condition=condition, then=tuple(then),
                      other=tuple(other)))
        return Reg(result)

    def assignment(self, node: c_ast.Assignment, out: list[Statement]) -> Term:
        value = self.expression(node.rvalue, out)
        if node.op != "=":
            value = Binary(node.op[:-1], self.expression(node.lvalue, out), value)
        return self.put(node.lvalue, value, out)

    def put(self, target: c_ast.Node, value: Term, out: list[Statement]) -> Term:
        """Assigns a variable, or stores plainly through a pointer."""
        if isinstance(target, c_ast.UnaryOp) and target.op == "*":
            pointer = self.expression(target.expr, out)
            out.append(Store(place=place_of(target), text=f"*{text_of(pointer)} = {text_of(value)}", pointer=pointer,
                             value=value, mode="plain"))
            return value
        if not isinstance(target, c_ast.ID):
            if isinstance(target, (c_ast.ArrayRef, c_ast.StructRef)):
                raise refusal(self.source, target)
            raise self.error("this cannot be assigned; assign a variable or `*x`", target)
        if target.name in self.function.parameters:
            raise self.error(f"{target.name} is the address of a location and cannot be assigned; "
                             f"write *{target.name}", target)
        self.assign(target.name, value, place_of(target), out)
        return Reg(target.name)

    def call(self, node: c_ast.FuncCall, out: list[Statement], wanted: bool) -> Term:
        at = offset_at(self.source, place_of(node))
        if not isinstance(node.name, c_ast.ID):
            raise self.source.unsupported("a call through a pointer", at)
        name = node.name.name
        found = primitive(name)
        if found is None:
            raise self.source.unsupported(unsupported(name), at)
        given = tuple(node.args.exprs) if node.args is not None else ()
        if len(given) != len(found.shapes):
            raise self.error(f"{name}() has {len(given)} arguments; it takes {len(found.shapes)}", node)
        if wanted and not found.result:
            raise self.error(f"{name}() has no result; use it as a statement", node)
        pairs = zip(found.shapes, given, strict=True)
        arguments = tuple(self.argument(name, shape, part, out) for shape, part in pairs)
        return found.make(Call(name, arguments, place_of(node), out, self.fresh))

    def argument(self, name: str, shape: Shape, node: c_ast.Node, out: list[Statement]) -> Argument:
        if shape == "object":
            if not (isinstance(node, c_ast.UnaryOp) and node.op == "*"):
                if isinstance(node, (c_ast.ArrayRef, c_ast.StructRef)):
                    raise refusal(self.source, node)
                raise self.error(f"{name}() takes an object such as *x, and this is none", node)
            return Argument(self.expression(node.expr, out))
        if shape == "variable":
            variable = node.expr if isinstance(node, c_ast.UnaryOp) and node.op == "&" else None
            if not isinstance(variable, c_ast.ID) or variable.name in self.function.parameters:
                raise self.error(f"{name}() takes the address of a local variable such as &r1 here", node)
            return Argument(self.name(variable), variable.name)
        return Argument(self.expression(node, out))

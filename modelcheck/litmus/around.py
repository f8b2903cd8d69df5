"""What stands around the program of a litmus test: the initial state before it, the question after it.

Its one invariant: it gives values of `condition` and `program`, with every number and name checked but for those that
only the program can tell (whether a register exists).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from modelcheck.litmus import condition as conditions
from modelcheck.litmus.condition import AddressOf, Condition, Equal, Junction, Not, Observable, Operand, Quantifier
from modelcheck.litmus.grammar import offset_of, tree
from modelcheck.litmus.program import ZERO, Address, Num, Term
from modelcheck.litmus.source import Part, Source

if TYPE_CHECKING:
    from lark import Token, Tree

_INITIALISERS = ("ATOMIC_INIT", "ATOMIC64_INIT", "ATOMIC_LONG_INIT")
_LARGEST = 1 << 31


@dataclass(slots=True)
class Initial:
    """The initial state: locations in the order they are named, registers, and where each was said."""

    locations: dict[str, Term] = field(default_factory=dict)
    registers: dict[Observable, Term] = field(default_factory=dict)
    places: dict[Observable, int] = field(default_factory=dict)


@dataclass(slots=True)
class Question:
    """What is asked of final states, and where each register was named."""

    quantifier: Quantifier = "exists"
    condition: Condition | None = None
    filter: Condition | None = None
    locations: tuple[Observable, ...] = ()
    places: dict[Observable, int] = field(default_factory=dict)


def observable(token: Token, upper: bool) -> Observable:
    """`0:EAX` or `P0:EAX` as an observable; register names of x86 are `upper` case."""
    process, _, name = token.partition(":")
    name = name.strip()
    return Observable(name.upper() if upper else name, int(process.strip().lstrip("P")))


def number(source: Source, token: Token, at: int) -> int:
    """A number as written, within 32 bits."""
    text = token.lstrip("-")
    value = int(text, 16) if text[:2].lower() == "0x" else int(text) if len(text) < 20 else _LARGEST * 2
    if value > _LARGEST * 2 - 1:
        raise source.error(f"{token[:40]} does not fit into 32 bits; use a smaller number", at)
    return -value if token.startswith("-") else value


def read_initial(source: Source, part: Part, upper: bool) -> Initial:
    """The initial state."""
    found = Initial()
    for entry in tree(source, part, "initial state").children:
        declarator, *rest = cast("Tree[Token]", entry).children
        kinds, inner = [], cast("Tree[Token]", declarator)
        while inner.data in ("typed", "pointer"):
            if inner.data == "typed":
                kinds.append(str(inner.children[0]))
            inner = cast("Tree[Token]", inner.children[-1])
        at = offset_of(inner, part)
        if "srcu_struct" in kinds:
            raise source.unsupported("SRCU (srcu_struct)", offset_of(declarator, part))
        if inner.data == "array":
            raise source.unsupported("an array in the initial state", at)
        value = _initial_value(source, part, cast("Tree[Token]", rest[0])) if rest else ZERO
        token = cast("Token", inner.children[0])
        if inner.data == "register":
            key = observable(token, upper)
            if key in found.registers:
                raise source.error(f"register {key} gets two initial values; say one", at)
            found.registers[key] = value
            found.places[key] = at
        else:
            if str(token) in found.locations:
                raise source.error(f"location {token} gets two initial values; say one", at)
            found.locations[str(token)] = value
    return found


def _initial_value(source: Source, part: Part, value: Tree[Token]) -> Term:
    at = offset_of(value, part)
    if value.data == "number":
        return Num(number(source, cast("Token", value.children[0]), at))
    if value.data == "address":
        return Address(str(value.children[0]))
    if value.data == "aggregate":
        raise source.unsupported("an aggregate in the initial state", at)
    name = str(value.children[0])
    if name not in _INITIALISERS:
        raise source.unsupported(f"the initialiser {name}()", at)
    if len(value.children) < 2:
        raise source.error(f"{name}() lacks its number; write {name}(0)", at)
    return _initial_value(source, part, cast("Tree[Token]", value.children[1]))


def read_question(source: Source, part: Part, upper: bool) -> Question:
    """The condition with its quantifier, the filter and the list of locations."""
    asked = Question()
    seen: set[str] = set()
    reader = _Conditions(source, part, upper, asked.places)
    for item in cast("list[Tree[Token]]", tree(source, part, "condition").children):
        at = offset_of(item, part)
        kind = "condition" if item.data in ("question", "final") else str(item.data)
        if kind in seen:
            raise source.error(f"the test has a second {kind}; a test has one, so join the two", at)
        seen.add(kind)
        if kind == "locations":
            asked.locations = tuple(o for o in map(reader.operand, item.children) if isinstance(o, Observable))
        elif kind == "filter":
            asked.filter = reader.condition(item.children[0])
        elif item.data == "question":
            asked.quantifier = _quantifier(cast("Token", item.children[0]))
            asked.condition = reader.condition(item.children[1])
        else:
            asked.condition = reader.condition(item.children[0])
            asked.quantifier = _by_model(cast("list[Tree[Token]]", item.children[1:]))
    if asked.condition is None and asked.locations:
        asked.quantifier, asked.condition = "forall", conditions.TRUE  # as herd: every state is of interest
    if asked.condition is None:
        raise source.error("the test has no condition; end it with exists, ~exists or forall and a condition",
                           part.start + len(part.text.rstrip()))
    return asked


def _quantifier(token: Token) -> Quantifier:
    text = "".join(token.split())
    return "forall" if text == "forall" else "exists" if text == "exists" else "~exists"


def _by_model(kinds: list[Tree[Token]]) -> Quantifier:
    """The quantifier of `final C; with tso: ~exists; default: exists;`: the one for tso, or else the default."""
    said = {str(kind.children[0]): _quantifier(cast("Token", kind.children[1])) for kind in kinds}
    first: Quantifier = next(iter(said.values()), "exists")
    return said.get("tso", said.get("default", first))


@dataclass(frozen=True, slots=True)
class _Conditions:
    source: Source
    part: Part
    upper: bool
    places: dict[Observable, int]

    def condition(self, node: object) -> Condition:
        found = cast("Tree[Token]", node)
        parts = found.children
        match found.data:
            case "comparison":
                left, sign, right = parts
                return Equal(self.operand(left), self.operand(right, right=True), str(sign) == "!=")
            case "negation":
                return Not(self.condition(parts[1]))
            case "all" | "any":
                kind = str(found.data)
                return Junction("all" if kind == "all" else "any", tuple(map(self.condition, parts)))
            case "implies":
                return Junction("any", (Not(self.condition(parts[0])), self.condition(parts[1])))
            case "true":
                return conditions.TRUE
            case _:
                return conditions.FALSE

    def operand(self, node: object, right: bool = False) -> Operand:
        """A side of a comparison: a bare name is a location's value on the left, its address on the right."""
        found = cast("Tree[Token]", node)
        token = cast("Token", found.children[0])
        at = offset_of(token, self.part)
        if found.data == "number":
            return number(self.source, token, at)
        if found.data == "register":
            key = observable(token, self.upper)
            self.places.setdefault(key, at)
            return key
        bracketed = self.source.text[:at].rstrip()[-1:] in ("[", "*") and right
        return AddressOf(str(token)) if right and not bracketed else Observable(str(token))

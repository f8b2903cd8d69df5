"""The small languages around a litmus test, as lark grammars: initial states, conditions, operands of instructions.

Its one invariant: a tree's tokens carry offsets into the file, and a syntax error is a LitmusError at its place.
Source: the herd7 manual, and herdtools7's lib/stateParser.mly for what its parser takes beyond that.  lark is imported
when the first test is parsed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from modelcheck.litmus.source import Part, Source

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

_TERMINALS = r"""
REGISTER.3: /P?\d+\s*:\s*[A-Za-z_]\w*/
NUMBER.2: /-?(0[xX][0-9a-fA-F]+|\d+)/
NAME: /[A-Za-z_]\w*/
WS: /\s+/
%ignore WS
"""

_INIT = r"""
start: [entry] (";" [entry])*
entry: declarator ["=" value]
?declarator: NAME -> location
    | REGISTER -> register
    | "[" NAME "]" -> location
    | NAME "[" NUMBER? "]" -> array
    | NAME declarator -> typed
    | "*" declarator -> pointer
value: NUMBER -> number
    | NAME -> address
    | "&" NAME -> address
    | NAME "(" [value] ")" -> call
    | "{" [value ("," value)*] "}" -> aggregate
""" + _TERMINALS

_TAIL = r"""
start: item*
item: "locations" "[" [ref] (";" [ref])* "]" ";"? -> locations
    | "filter" prop ";"? -> filter
    | QUANTIFIER prop ";"? -> question
    | "final" prop ";"? ["with" kind+] -> final
kind: NAME ":" QUANTIFIER ";"
?prop: disjunction
    | disjunction "=>" prop -> implies
?disjunction: conjunction
    | conjunction ("\\/" conjunction)+ -> any
?conjunction: unary
    | unary ("/\\" unary)+ -> all
?unary: NOT unary -> negation
    | "(" prop ")"
    | TRUE -> true
    | FALSE -> false
    | operand EQUALITY operand -> comparison
?operand: ref
    | NUMBER -> number
?ref: NAME -> location
    | "[" NAME "]" -> location
    | "*" NAME -> location
    | REGISTER -> register
QUANTIFIER.5: /~\s*exists\b|not\s+exists\b|exists\b|forall\b/
NOT.4: /~|not\b/
TRUE.4: /true\b/
FALSE.4: /false\b/
EQUALITY: /!=|==|=(?!>)/
""" + _TERMINALS

_OPERANDS = r"""
start: [operand ("," operand)*]
?operand: "[" NAME "]" -> memory
    | "$" NUMBER -> immediate
    | NUMBER -> immediate
    | "$" NAME -> address
    | NAME -> register
""" + _TERMINALS

_GRAMMARS = {"initial state": _INIT, "condition": _TAIL, "operands": _OPERANDS}
_SHOWN = 30  # characters of the text at an error


@lru_cache
def _parser(language: str) -> Lark:
    from lark import Lark

    return Lark(_GRAMMARS[language], parser="lalr", maybe_placeholders=False)


def tree(source: Source, part: Part, language: str) -> Tree[Token]:
    """The tree of a part; tokens give offsets into that part."""
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    try:
        return _parser(language).parse(part.text)
    except RecursionError:
        raise source.error(f"the {language} is nested too deeply to read; write it with fewer parentheses",
                           part.start) from None
    except UnexpectedInput as error:
        at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        offset = error.pos_in_stream
        if at_end or offset is None:
            offset = len(part.text.rstrip())
        raise source.error(_message(part.text, offset, language), part.start + offset) from None


def _message(text: str, offset: int, language: str) -> str:
    seen = text[offset:].split("\n")[0].strip()[:_SHOWN]
    advice = {
        "initial state": "write entries such as `x = 1;`, `0:EAX = 1;` or `int *p = &x;`",
        "condition": "write comparisons such as `0:r1=1` or `x=2`, joined by /\\, \\/, ~ and parentheses",
        "operands": "write such as `[x],$1` or `EAX,[x]` after the name of the instruction",
    }[language]
    return f"{language}: cannot go on with {seen!r}; {advice}" if seen else f"{language}: ends too early; {advice}"


def offset_of(node: Tree[Token] | Token, part: Part) -> int:
    """The offset in the file of the first token below a node."""
    from lark import Token

    while not isinstance(node, Token):
        if not node.children:
            return part.start
        node = node.children[0]
    return part.start + (node.start_pos or 0)

"""How a piece is told: what is done without it, and one text for what several processes or locks have alike.

Its one invariant: what is shared by all texts is told once, word by word, and what differs stands in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from modelcheck.expression import to_text
from modelcheck.process.ablation import Piece, clause_text, clauses
from modelcheck.process.step_machine import Node

_WORD = re.compile(r"\d+|[^\W\d]+|[\W_]")  # gpc1 is "gpc" and "1"


def label_of(node: Node, piece: Piece) -> str:
    """The text of the piece in one node that has it."""
    action = node.action
    assert action is not None
    if piece.kind == "clause":
        asked = next(clause for clause in clauses(action) if clause_text(clause) == piece.detail)
        return f"{statement(action.label)} without asking {to_text(asked)}"
    if piece.kind == "store" and piece.detail:
        return f"{action.branches[0].updates[int(piece.detail)][0].name} in {action.label!r}"
    return action.label


def text_of(piece: Piece, labels: Iterable[str], others: Iterable[str], lonely: bool) -> str:
    """What is left out or done in its place; `others` are the labels of its second step, where it has one.

    `lonely`: it is a lock that no other task takes.
    """
    label, other = common(labels), common(others)
    match piece.kind:
        case "lock" if lonely:
            return f"{label} [nobody else takes it]"
        case "trylock":
            return f"{label} waits instead of giving up"
        case "irq":
            return f"{label}: interrupts stay on"
        case "test":
            answer = {"True": "true", "False": "false"}.get(piece.detail, piece.detail)
            return f"{statement(label)} taken as {answer}"
        case "retry":
            failed = "it" if label == other else statement(other)
            return f"{statement(label)} not asked again after {failed} failed"
        case "wait":
            return f"{label}: no wait"
        case "order":
            return f"{other} moved before {label}"
    return label


def statement(label: str) -> str:
    """The label of a test without its question mark."""
    return label.removesuffix("?")


def common(texts: Iterable[str]) -> str:
    """Several texts as one; texts of as many words are told apart word by word, others between their common ends."""
    every = list(texts)
    if len(every) < 2:
        return "".join(every)
    words = [_WORD.findall(text) for text in every]
    if len({len(each) for each in words}) == 1:
        return "".join(_braced(list(column)) for column in zip(*words, strict=True))
    start = _shared(words)
    rest = [each[start:] for each in words]
    end = _shared([each[::-1] for each in rest])
    middle = ["".join(each[: len(each) - end]) for each in rest]
    return "".join(words[0][:start]) + _braced(middle) + "".join(rest[0][len(rest[0]) - end :])


def _braced(texts: list[str]) -> str:
    different = sorted(set(texts))
    return different[0] if len(different) == 1 else "{" + ",".join(different) + "}"


def _shared(texts: list[list[str]]) -> int:
    """How many words all texts begin with."""
    differing = (i for i, words in enumerate(zip(*texts, strict=False)) if len(set(words)) > 1)
    return next(differing, min(map(len, texts)))

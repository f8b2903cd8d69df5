"""The text of a litmus file, cut into header, initial state, body and tail, with places for messages.

Its one invariant: comments are blanked and never removed, so an offset into any part is an offset into the file, and a
message names the true line and column.  It knows which comments a part may have, and nothing of what is said there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelcheck.litmus.errors import LitmusError, Unsupported

_TAIL = re.compile(r"~|<<|(?:exists|forall|locations|filter|final|not)\b")
_ARCH = re.compile(r"\s*([^\s{]+)[ \t]*([^\s{]*)")
_ASIDE = re.compile(r"<<.*?>>|<<.*", re.DOTALL)  # what old versions of the tools were told, ignored by herd
_COMMENT = re.compile(r"\(\*|\*\)")
_INK = re.compile(r"[^\n]")
_DEPTH = {"{": 1, "(": 1, "}": -1, ")": -1}


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its path as given, and its text."""

    path: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def where(self, offset: int) -> str:
        """`file:line:column` of an offset."""
        line, column = self.place(min(offset, len(self.text)))
        return f"{self.path}:{line}:{column}"

    def error(self, message: str, offset: int) -> LitmusError:
        """The error for malformed text at an offset."""
        return LitmusError(message, self.where(offset))

    def unsupported(self, reason: str, offset: int) -> Unsupported:
        """The refusal of something well-formed at an offset."""
        return Unsupported(reason, self.where(offset))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file with its comments blanked; `start` is the offset of its first character in the file."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Sections:
    """A file in its parts; `name` is what the first line calls the test."""

    arch: str
    name: str
    init: Part
    body: Part
    tail: Part


def sections(source: Source, known: tuple[str, ...]) -> Sections:
    """The parts of a file; raises LitmusError where one is missing, Unsupported for an architecture not in `known`."""
    header = _Scanner(source, in_c=True).header()
    first = _ARCH.match(header)
    if first is None:
        raise source.error("an empty file is no litmus test; the first line names the architecture and the test", 0)
    arch, name = first.group(1), first.group(2)
    if arch not in known:
        if re.fullmatch(r"[A-Za-z]\w*", arch) and name and len(header) < len(source.text):
            raise source.unsupported(f"the architecture {arch}", first.start(1))
        raise source.error(f"{arch[:40]!r} is no architecture; a test starts with one and its name, and there are "
                           f"{' and '.join(known)}", first.start(1))
    if not name:
        raise source.error(f"the test has no name; write it after {arch} on the first line", first.end(1))
    scanner = _Scanner(source, in_c=arch == "C")
    opening = len(scanner.header())
    if opening == len(source.text):
        raise source.error("the test has no initial state; write one in braces, `{}` if there is nothing to say",
                           len(header.rstrip()))
    closing = scanner.initial_state(opening)
    end = scanner.program(closing + 1)
    text = scanner.rest(end)
    after = re.compile(r"\s*;?").match(text, closing + 1)
    assert after is not None
    body = max(after.end(), closing + 1) if after.end() <= end else closing + 1
    return Sections(arch, name, Part(text[opening + 1 : closing], opening + 1), Part(text[body:end], body),
                    Part(text[end:], end))


class _Scanner:
    """Goes through a file once, part by part, and blanks the comments that a part may have."""

    def __init__(self, source: Source, in_c: bool) -> None:
        self.source = source
        self.text = source.text
        self.in_c = in_c
        self.out: list[str] = []

    def header(self) -> str:
        """The header, blanked; it ends at the first brace or with the file."""
        i = 0
        while i < len(self.text) and self.text[i] != "{":
            end = self.comment(i, "header")
            if not end and self.text[i] == '"':  # what the test is about, in quotes
                stops = (self.text.find('"', i + 1) + 1, self.text.find("\n", i))
                end = min((stop for stop in stops if stop > 0), default=len(self.text))
            i = self.copy(i, end)
        return "".join(self.out)

    def initial_state(self, opening: int) -> int:
        """The offset of the brace that closes the initial state."""
        depth, i = 0, opening
        while i < len(self.text):
            depth += _DEPTH.get(self.text[i], 0) if self.text[i] in "{}" else 0
            end = self.comment(i, "initial state")
            if depth == 0:
                self.copy(i, 0)
                return i
            i = self.copy(i, end)
        raise self.source.error("the initial state does not end; close it with `}`", opening)

    def program(self, start: int) -> int:
        """The offset at which the program ends and the tail begins.

        In C, `(*` inside parentheses and braces is what it looks like; in a table, the tail begins a row.
        """
        depth, i, begins = 0, start, True
        while i < len(self.text):
            end = self.comment(i, "program", herd=depth == 0)
            if not end and depth == 0 and begins and _TAIL.match(self.text, i):
                return i
            if not end:
                char = self.text[i]
                depth += _DEPTH.get(char, 0) if self.in_c else 0
                begins = not (char.isalnum() or char == "_") if self.in_c else char == ";" or begins and char.isspace()
            i = self.copy(i, end)
        text = "".join(self.out)
        last = text[max(text.rfind(";"), start - 1) + 1 :]
        if not self.in_c and last.strip():
            raise self.source.error("this row of instructions does not end; end it with `;`",
                                    len(text) - len(last.lstrip()))
        if depth > 0:
            raise self.source.error("the functions end too early; close every brace and parenthesis",
                                    len(self.text.rstrip()))
        raise self.source.error("the test has no condition; end it with exists, ~exists or forall and a condition",
                                len(self.text.rstrip()))

    def rest(self, start: int) -> str:
        """The whole file, blanked, once the tail has been gone through."""
        i = start
        while i < len(self.text):
            aside = _ASIDE.match(self.text, i)
            i = self.copy(i, aside.end() if aside else self.comment(i, "condition"))
        return "".join(self.out)

    def copy(self, i: int, blank_to: int) -> int:
        """Takes over one character, or blanks up to an offset; where to go on."""
        self.out.append(_INK.sub(" ", self.text[i:blank_to]) if blank_to else self.text[i])
        return blank_to or i + 1

    def comment(self, i: int, what: str, herd: bool = True) -> int:
        """Where the comment that starts at `i` ends, 0 where none starts."""
        text = self.text
        if herd and text.startswith("(*", i):
            depth, j = 1, i + 2
            while depth:
                match = _COMMENT.search(text, j)
                if match is None:
                    raise self.source.error(f"this comment in the {what} does not end; close it with `*)`", i)
                depth += 1 if match.group() == "(*" else -1
                j = match.end()
            return j
        if self.in_c and text.startswith("/*", i):
            end = text.find("*/", i + 2)
            if end < 0:
                raise self.source.error(f"this comment in the {what} does not end; close it with `*/`", i)
            return end + 2
        if self.in_c and text.startswith("//", i) and text[i - 1 : i] != "\\":
            end = text.find("\n", i)
            return end if end >= 0 else len(text)
        return 0

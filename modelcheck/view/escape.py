"""Text from a trace made safe for a terminal, a mail or XML, and wrapped to a width.

Its one invariant: what `ascii_text` returns is printable ASCII on one line, and what the others return holds no
control character, no line break and no character that changes the direction of text.
"""

from __future__ import annotations

import re
import unicodedata

_BREAK = re.compile(r"(?<=[^_])_(?=[^_])|[-.]>|[(,./|=](?=\w)|::")
_PLAIN = {
    "\u2190": "<-", "\u2192": "->", "\u21d2": "=>", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u00d7": "x",
    "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "...",
    "\u00b5": "u", "\u03bc": "u", "\u00df": "ss",
}


def printable(text: str) -> str:
    """One line of printable text: white space becomes one space, anything else unprintable `\\x1b` and the like."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


def ascii_text(text: str) -> str:
    """One line of ASCII: letters lose their accents, arrows and quotes are spelled out, the rest is escaped."""
    return "".join(c if c.isascii() else _spelled(c) for c in printable(text))


def _spelled(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return bare if bare.strip() else character.encode("unicode_escape").decode("ascii")


def columns(text: str) -> int:
    """How many monospace columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def wrap(text: str, width: int, hanging: int = 0) -> list[str]:
    """The text in lines of at most `width` columns, later lines indented by `hanging`; never an empty list.

    A word that is longer than a line is broken where code may be read apart: after `_`, `->`, `(` and the like.
    """
    hanging = min(hanging, max(width - 8, 0))
    if columns(text) != len(text):
        # A wide character counts twice: halving the width is crude, and always fits.
        width = max(width // 2, 2)
        hanging = min(hanging, width // 2)
    lines = [""]
    room = width = max(width, 2)
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
            continue
        if lines[-1]:
            lines.append("")
            room = width - hanging
        while len(word) > room:
            end = max((match.end() for match in _BREAK.finditer(word[: room + 1]) if match.end() <= room), default=0)
            end = end if end > room // 2 else room
            lines[-1], word = word[:end], word[end:]
            lines.append("")
            room = width - hanging
        lines[-1] = word
    return [lines[0], *(" " * hanging + line for line in lines[1:])]


def cut(text: str, width: int) -> str:
    """The text, or its beginning and `..`, in at most `width` columns."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 2:
        text = text[:-1]
    return text + ".."[:width]

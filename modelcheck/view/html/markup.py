"""HTML as values: `tag` makes an element, and escapes every text that is not markup already.

Its one invariant: a `Markup` is well-formed whatever text went into it.  Names of tags and attributes are ours.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from modelcheck.view.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

VOID = frozenset({"meta", "br", "input", "col"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | int | bool) -> Markup:
    """An element; `class_` is class, `data_step` is data-step, True is an attribute without a value, False none.

    >>> print(tag("p", "1 < 2 ", tag("b", "yes"), class_="a", title='"'))
    <p class="a" title="&quot;">1 &lt; 2 <b>yes</b></p>
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items()
                      if value is not False and (key, value) != ("class_", ""))
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{''.join(map(text, children))}</{name}>")


def text(child: str) -> str:
    """Markup as it is, other text on one line, printable and escaped."""
    if isinstance(child, Markup):
        return child
    lead, trail = " " if child[:1].isspace() else "", " " if child[1:] and child[-1:].isspace() else ""
    return escape(f"{lead}{printable(child)}{trail}")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """The parts one after the other."""
    return Markup(between.join(map(text, parts)))


def _attribute(key: str, value: str | int | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(printable(str(value)))}"'

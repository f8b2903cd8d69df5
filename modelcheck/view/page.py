"""A page of HTML that stands by itself: no script, nothing fetched, light and dark, and it prints.

Pages are made of elements, never of pasted text, so everything a spec or a trace says is escaped where it is written.
Its one invariant: no character that HTML forbids gets into a page.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element
Content = str | Element | Iterable["Content"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # should text ever get through, it runs nothing
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --box: #f6f8fa;
  --good: #0a6b43; --good-box: #ddf4e4; --bad: #b3261e; --bad-box: #ffe3df; --open: #7a5600; --open-box: #fff1c9;
  --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6edf3; --faint: #9aa5b1; --line: #3d4650;
  --box: #1d232b; --good: #6ed19e; --good-box: #12351f; --bad: #ff9b90; --bad-box: #4a1714; --open: #e8c15a;
  --open-box: #3d2f00; --link: #8ab4f8; } }
body { margin: 1.5rem auto; padding: 0 1.25rem; max-width: 78rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.45rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-top: 1.6rem; }
a { color: var(--link); }
code, pre, td.m, .m { font: 13px/1.45 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .2rem .55rem; text-align: left; vertical-align: top; }
th { background: var(--box); font-weight: 600; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
.holds { background: var(--good-box); } .violated { background: var(--bad-box); }
.incomplete, .vacuous { background: var(--open-box); } .faint { color: var(--faint); }
:target { outline: 2px solid var(--link); outline-offset: 2px; }
@media print { :root { --paper: #fff; --ink: #000; --faint: #444; --line: #999; --box: #f3f3f3; --good: #064;
  --bad: #900; --good-box: #e4f5e9; --bad-box: #ffe6e2; --open-box: #fff4d6; --link: #000; }
  body { max-width: none; margin: 0; font-size: 10pt; } .wide { overflow: visible; }
  tr, section { break-inside: avoid; } }
"""


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """An element; an attribute's name has `_` for `-`, and none at its end (`class_`).

    >>> ElementTree.tostring(element("p", "a < b", class_="m"), encoding="unicode", method="html")
    '<p class="m">a &lt; b</p>'
    """
    made = Element(tag, {name.rstrip("_").replace("_", "-"): clean(value) for name, value in attributes.items()})
    _fill(made, content)
    return made


def _fill(into: Element, content: Iterable[Content]) -> None:
    for part in content:
        if isinstance(part, str):
            if len(into):
                into[-1].tail = (into[-1].tail or "") + clean(part)
            else:
                into.text = (into.text or "") + clean(part)
        elif isinstance(part, Element):
            into.append(part)
        else:
            _fill(into, part)


def clean(text: str) -> str:
    r"""The text with what is not printable written as an escape; blanks and line breaks stay.

    >>> clean("a\tb\x1b[0m")
    'a\\tb\\x1b[0m'
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def page(title: str, *content: Content, style: str = "") -> str:
    """A whole page as text, the same for the same content."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style"),
    )
    head[-1].text = STYLE + style
    root = element("html", head, element("body", content), lang="en")
    for part in (*root, *head, *root[-1]):
        part.tail = (part.tail or "") + "\n"
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"

"""The page of one trace: the conclusion, the drawing with its controls, and everything else below.

Its one invariant: one file that fetches nothing.  Its policy lets run only the style sheet and the script whose hashes
it names, so that nothing a trace says can be either.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable
from modelcheck.view.html import tables
from modelcheck.view.html.conclusion import conclusion
from modelcheck.view.html.controls import explorer
from modelcheck.view.html.data import packed, script_data
from modelcheck.view.html.markup import Markup, join, tag
from modelcheck.view.html.pairs import passing
from modelcheck.view.html.sentences import length
from modelcheck.view.html.still import still
from modelcheck.view.layout import Look, lay_out
from modelcheck.view.palette import DARK, LIGHT

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.drawing import Drawing

BESIDE = Look(wrap=30, cell=6.0, bare=True, plain=True)  # the drawing leaves room for the panel beside it
WIDER = {1: 60, 2: 46, 3: 34}  # lanes, and the columns of text in each where there is no ruler
TOO_LONG = "The drawing is too long for paper, and to be shown without JavaScript."
# Of the drawing for those without JavaScript and for paper, rows and characters.
MOST_ROWS, MOST_STILL = 400, 250_000


def render(trace: Trace, full: bool = False) -> str:
    """The page as text; `full` shows every step to begin with."""
    every = rows(trace, full=True)
    drawings = [lay_out(trace, False, look(trace)), lay_out(trace, True, look(trace))]
    kind, data = packed(script_data(trace, drawings))
    content = [
        _header(trace),
        tag(
            "main",
            conclusion(trace),
            explorer(trace, full, {path.kind for drawing in drawings for path in drawing.paths}),
            _still(drawings[full]),
            passing(trace),
            tables.steps(trace, every),
            tables.updates(trace),
            tables.lock_order(trace),
            tables.words(trace),
            tables.facts(trace),
        ),
        tag("script", Markup(data), type=kind, id="data"),
    ]
    title = printable(f"{trace.property}: {trace.spec} {trace.version} ({trace_id(trace)})")
    return document(title, content, ("theme.js", "draw.js", "panel.js", "page.js"))


def look(trace: Trace) -> Look:
    """How the drawing is laid out beside the panel."""
    ruled = trace.area is not None and any(step.memory for step in trace.steps)
    return BESIDE if ruled else replace(BESIDE, wrap=WIDER.get(len(trace.processes), BESIDE.wrap))


def _still(drawing: Drawing) -> Markup:
    """The drawing without a script, or a sentence in its place where it would make the page too large."""
    drawn = still(drawing) if len(drawing.rows) <= MOST_ROWS else None
    return drawn if drawn is not None and len(drawn) <= MOST_STILL else tag("p", TOO_LONG, class_="still")


def document(title: str, content: list[Markup], scripts: tuple[str, ...]) -> str:
    """A whole page with the style sheet and these scripts, ending in a newline."""
    style = style_sheet()
    script = "(() => {\n\"use strict\";\n" + "".join(_file(name) for name in scripts) + "})();\n"
    policy = (f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
              "base-uri 'none'; form-action 'none'")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag("body", *content, tag("script", Markup(script)))
    return f'<!doctype html>\n<html lang="en">{head}\n{join([body])}</html>\n'


@functools.cache
def style_sheet() -> str:
    """The style sheet: the colours' names of both themes, then `style.css`."""
    light, dark = (_variables(theme) for theme in (LIGHT, DARK))
    names = "".join(f".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}\n" for name in LIGHT)
    updates = "".join(f".u{n}{{background:var(--v{n});color:var(--t{n})}}\n" for n in range(8))
    return (f":root{{color-scheme:light;{light}}}\n"
            f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
            f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
            f"@media print{{:root:root:root{{color-scheme:light;{light}}}}}\n{names}{updates}{_file('style.css')}")


def _variables(theme: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in theme.items())


@functools.cache
def _file(name: str) -> str:
    return resources.files("modelcheck.view.html").joinpath(name).read_text("utf-8")


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode("ascii")


def _header(trace: Trace) -> Markup:
    facts = [f"{trace.spec} {trace.version}", f"memory {trace.memory}", length(trace), f"id {trace_id(trace)}"]
    known = tag("span", f" known: {trace.case}", class_="case") if trace.case else ""
    return tag(
        "header",
        tag("h1", f"{trace.property} is violated", known),
        tag("p", " \u00b7 ".join(map(printable, facts)), class_="facts"),
        tag("button", "Dark or light", type="button", id="theme", hidden=True),
    )

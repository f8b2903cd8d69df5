"""The picture of a trace as one static SVG: no scripts, no links, nothing fetched.

Its one invariant: what comes from a trace is only ever text content, escaped and free of characters XML forbids;
attributes hold numbers, colours and names of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from modelcheck.view.drawing import PAPER, Drawing, Label, Path, Rect
from modelcheck.view.escape import columns, printable
from modelcheck.view.layout import lay_out
from modelcheck.view.palette import hexed

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelcheck.trace.trace import Trace

    Paint = Callable[[str, str, str], str]  # (fill, stroke, kind), each a name or "", as attributes

FONT = "ui-monospace,'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"


def render(trace: Trace, full: bool = False) -> str:
    """The SVG document; well-formed whatever text the trace holds."""
    title = printable(f"{trace.spec} {trace.version}: {trace.property}")
    return to_svg(lay_out(trace, full), title, printable(trace.consequence))


def to_svg(drawing: Drawing, title: str, description: str) -> str:
    """A drawing as an SVG document, back to front."""
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    ground = hexed(PAPER)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{FONT}" style="background:{ground}">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(description)}</desc>",
        *elements(drawing, coloured, f'<rect width="{width}" height="{height}" fill="{ground}"/>'),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def elements(drawing: Drawing, paint: Paint, ground: str = "", prefix: str = "head") -> list[str]:
    """The arrow heads, with ids that begin with `prefix`, the ground and everything on it, as markup."""
    heads = arrow_heads(drawing, prefix)
    return [
        "<defs>",
        *(_head(stroke, name, paint) for stroke, name in heads.items()),
        "</defs>",
        ground,
        *(_rect(rect, paint) for rect in drawing.bands),
        *(_path(path, heads, paint) for path in drawing.paths),
        *(_rect(rect, paint) for rect in drawing.boxes),
        *(_path(path, heads, paint) for path in drawing.marks),
        *(_label(label, paint) for label in drawing.labels),
    ]


def arrow_heads(drawing: Drawing, prefix: str) -> dict[str, str]:
    """A name for the arrow head of each stroke that has arrows."""
    strokes = sorted({path.stroke for path in (*drawing.paths, *drawing.marks) if path.arrow})
    return {stroke: f"{prefix}{number}" for number, stroke in enumerate(strokes)}


def coloured(fill: str, stroke: str, kind: str) -> str:
    """The colours themselves, of the light theme: for a picture that stands alone."""
    border = f' stroke="{hexed(stroke)}"' if stroke else ""
    return f' fill="{hexed(fill) if fill else "none"}"{border}'


def classed(fill: str, stroke: str, kind: str) -> str:
    """Classes: for a picture in a page whose style sheet says what the names are."""
    names = [f"f-{fill}" if fill else "f-none", f"s-{stroke}" if stroke else "", f"k-{kind}" if kind else ""]
    return f' class="{" ".join(filter(None, names))}"'


def _head(stroke: str, name: str, paint: Paint) -> str:
    return (f'<marker id="{name}" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="9" markerHeight="9" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 1L10 5L0 9z"{paint(stroke, "", "")}/></marker>')


def _rect(rect: Rect, paint: Paint) -> str:
    border = f' stroke-width="{rect.stroke_width:g}"' if rect.stroke else ""
    corner = f' rx="{rect.radius:g}"' if rect.radius else ""
    place = f'x="{rect.x:.1f}" y="{rect.y:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}"'
    return f"<rect {place}{paint(rect.fill, rect.stroke, rect.kind)}{border}{corner}/>"


def _path(path: Path, heads: dict[str, str], paint: Paint) -> str:
    dash = f' stroke-dasharray="{path.dash}"' if path.dash else ""
    head = f' marker-end="url(#{heads[path.stroke]})"' if path.arrow else ""
    return f'<path d="{path.d}"{paint("", path.stroke, path.kind)} stroke-width="{path.width:g}"{dash}{head}/>'


def _label(label: Label, paint: Paint) -> str:
    bold = ' font-weight="bold"' if label.bold else ""
    halo = ' stroke-width="3" paint-order="stroke"' if label.halo else ""
    # A font with wider letters than reckoned is squeezed, so that text stays in its box.
    length = label.height if label.up else label.width
    squeeze = f' textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"' if columns(label.text) > 3 else ""
    if label.up:
        x, y = label.x + label.size, label.y + label.height
        place = f'x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})"'
    else:
        place = f'x="{label.x:.1f}" y="{label.y + label.size:.1f}"'
    look = paint(label.colour, PAPER if label.halo else "", label.kind)
    return (f'<text {place} font-size="{label.size:g}"{look}{bold}{halo}{squeeze} '
            f'xml:space="preserve">{escape(label.text)}</text>')

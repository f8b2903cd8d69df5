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

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

FONT = "ui-monospace,'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"


def render(trace: Trace, full: bool = False) -> str:
    """The SVG document; well-formed whatever text the trace holds."""
    title = printable(f"{trace.spec} {trace.version}: {trace.property}")
    return to_svg(lay_out(trace, full), title, printable(trace.consequence))


def to_svg(drawing: Drawing, title: str, description: str) -> str:
    """A drawing as an SVG document, back to front."""
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    strokes = sorted({path.stroke for path in (*drawing.paths, *drawing.marks) if path.arrow})
    heads = {stroke: f"head{number}" for number, stroke in enumerate(strokes)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{FONT}" style="background:{PAPER}">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(description)}</desc>",
        "<defs>",
        *(_head(stroke, name) for stroke, name in heads.items()),
        "</defs>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *map(_rect, drawing.bands),
        *(_path(path, heads) for path in drawing.paths),
        *map(_rect, drawing.boxes),
        *(_path(path, heads) for path in drawing.marks),
        *map(_label, drawing.labels),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _head(stroke: str, name: str) -> str:
    return (f'<marker id="{name}" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="9" markerHeight="9" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 1L10 5L0 9z" fill="{stroke}"/></marker>')


def _rect(rect: Rect) -> str:
    border = f' stroke="{rect.stroke}" stroke-width="{rect.stroke_width:g}"' if rect.stroke else ""
    corner = f' rx="{rect.radius:g}"' if rect.radius else ""
    place = f'x="{rect.x:.1f}" y="{rect.y:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}"'
    return f'<rect {place} fill="{rect.fill}"{border}{corner}/>'


def _path(path: Path, heads: dict[str, str]) -> str:
    dash = f' stroke-dasharray="{path.dash}"' if path.dash else ""
    head = f' marker-end="url(#{heads[path.stroke]})"' if path.arrow else ""
    return f'<path d="{path.d}" fill="none" stroke="{path.stroke}" stroke-width="{path.width:g}"{dash}{head}/>'


def _label(label: Label) -> str:
    bold = ' font-weight="bold"' if label.bold else ""
    halo = f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"' if label.halo else ""
    # A font with wider letters than reckoned is squeezed, so that text stays in its box.
    length = label.height if label.up else label.width
    squeeze = f' textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"' if columns(label.text) > 3 else ""
    if label.up:
        x, y = label.x + label.size, label.y + label.height
        place = f'x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})"'
    else:
        place = f'x="{label.x:.1f}" y="{label.y + label.size:.1f}"'
    text = escape(label.text)
    return (f'<text {place} font-size="{label.size:g}" fill="{label.colour}"{bold}{halo}{squeeze} '
            f'xml:space="preserve">{text}</text>')

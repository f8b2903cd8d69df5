"""The picture is well-formed, keeps text as text, and no two labels overlap, by geometry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.trace.graph import trace_graph
from modelcheck.view import render
from modelcheck.view.distil import rows
from modelcheck.view.holds import holds
from modelcheck.view.html.page import look
from modelcheck.view.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelcheck.trace.trace import Trace
    from modelcheck.view.drawing import Drawing

SAMPLES = [torn_read, lock_order, nested_deadlock, long_trace]
SVG = "{http://www.w3.org/2000/svg}"


def check_geometry(drawing: Drawing) -> None:
    """No two labels overlap, and everything lies inside the picture."""
    labels = sorted(drawing.labels, key=lambda label: label.y)
    for number, label in enumerate(labels):
        assert label.x >= 0
        assert label.y >= 0
        assert label.x + label.width <= drawing.width, label
        assert label.y + label.height <= drawing.height, label
        for other in labels[number + 1:]:
            if other.y > label.y + label.height:
                break
            assert not label.overlaps(other), (label, other)
    for rect in (*drawing.boxes, *drawing.bands):
        assert rect.x >= 0
        assert rect.x + rect.width <= drawing.width + 0.01
        assert rect.y + rect.height <= drawing.height
    for path in (*drawing.paths, *drawing.marks):
        assert re.fullmatch(r"[-MCHVv0-9. ]+", path.d)


def check_svg(text: str) -> ElementTree.Element:
    """Well-formed, with our elements and attributes only."""
    root = ElementTree.fromstring(text)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "defs", "marker", "rect", "path", "text"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name
            assert "http" not in value
            assert "url(" not in value or re.fullmatch(r"url\(#head\d+\)", value)
    return root


@pytest.mark.parametrize("make", SAMPLES)
@pytest.mark.parametrize("full", [False, True])
def test_samples_are_well_formed_and_clear(make: Callable[[], Trace], full: bool) -> None:
    check_geometry(lay_out(make(), full))
    check_geometry(lay_out(make(), full, look(make())))
    check_svg(render(make(), "svg", full))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    check_geometry(lay_out(hostile(text)))
    check_svg(render(hostile(text), "svg"))


@given(traces())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_is_well_formed_and_clear(trace: Trace) -> None:
    for full in (False, True):
        check_geometry(lay_out(trace, full))
        check_geometry(lay_out(trace, full, look(trace)))
        check_svg(render(trace, "svg", full))


def test_the_torn_read_shows_both_updates_in_the_read_bytes() -> None:
    drawing = lay_out(torn_read())
    title = next(label for label in drawing.labels if label.text == "what reader read, by update:")
    strips: dict[float, list[tuple[str, float]]] = {}
    for label in drawing.labels:
        if label.kind == "version" and label.y > title.y:
            strips.setdefault(label.y, []).append((label.text, round(label.x)))
    first, second = (sorted(strips[y], key=lambda item: item[1]) for y in sorted(strips))
    assert [text for text, _ in first] == ["2", "1", "1"]  # state, then entry_time and the times, cut at the line
    assert [text for text, _ in second] == ["1", "2"]  # the halves of the second load of entry_time
    assert {label.text for label in drawing.labels if label.kind == "rf"} >= {"#13: 4-6", "#17: 7", "start: 0-7"}
    assert [label.text for label in drawing.labels if label.kind == "boundary"] == ["cache line ends here"]


def test_a_release_hands_its_lock_over_by_a_dashed_arrow() -> None:
    drawing = lay_out(lock_order())
    assert [path.dash for path in drawing.paths if path.kind == "lock"] == ["6 4", "6 4"]
    assert [label.text for label in drawing.labels if label.kind == "lock"] == ["gpc1", "rq0"]


def test_every_arrow_is_an_edge_of_the_graph_and_every_edge_an_arrow() -> None:
    trace = long_trace()
    graph = trace_graph(trace)
    drawing = lay_out(trace, True, look(trace))
    drawn = {(path.kind, path.source, band.row.steps[0]) for band in drawing.rows
             for path in drawing.paths[band.start[1]:band.end[1]] if path.source >= 0 and path.kind != "held"}
    edges = {(kind, a, b) for a, b, kind in graph.edges(keys=True) if kind in ("rf", "co", "fr")}
    ordered = {("hb", a, b) for a, b, kind in graph.edges(keys=True)
               if kind == "hb" and trace.steps[a].process != trace.steps[b].process}
    assert drawn == edges | ordered
    assert {kind for kind, _, _ in drawn} == {"rf", "co", "fr", "hb"}
    plain = lay_out(trace, True)
    assert {path.kind for path in plain.paths} == {"", "rf", "held"}


def test_rows_own_their_shapes_and_say_how_far_their_arrows_reach() -> None:
    drawing = lay_out(long_trace(), False, look(long_trace()))
    assert [band.start for band in drawing.rows[1:]] == [band.end for band in drawing.rows[:-1]]
    for band in drawing.rows:
        assert band.box in drawing.boxes[band.start[2]:band.end[2]]
        for path in drawing.paths[band.start[1]:band.end[1]]:
            heights = [float(y) for y in re.findall(r"[MC ][-0-9.]+ ([-0-9.]+)", path.d)]
            assert min(heights) >= band.top
            if path.source >= 0:
                assert drawing.rows[path.source].y >= band.top


def test_a_bar_lasts_as_long_as_the_lock_is_held() -> None:
    trace = lock_order()
    shown = rows(trace)
    assert [(shown[hold.first].text, hold.last is not None and shown[hold.last].text, hold.slot)
            for hold in holds(trace, shown)] == [
        ("lock(rq0)", "unlock(rq0)", 0), ("read_lock(gpc1)", "read_unlock(gpc1)", 1),
        ("write_lock(gpc1)", False, 0), ("lock(pool_lock)", False, 1), ("lock(rq0)", False, 2)]
    drawing = lay_out(trace)
    assert len([path for path in drawing.paths if path.kind == "held"]) == 5


def test_every_mark_of_the_picture_has_a_light_ground() -> None:
    root = check_svg(render(torn_read(), "svg"))
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert ground.attrib["fill"] == "#ffffff"
    assert all("fill" in element.attrib for tag in ("rect", "text") for element in root.iter(SVG + tag))

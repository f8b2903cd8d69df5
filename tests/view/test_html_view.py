"""The pages as text: nothing is fetched, nothing a trace says is markup, and what they say is what the trace holds."""

from __future__ import annotations

import base64
import doctest
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, Builder, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.trace.trace import ByteSource, Fate, Passing
from modelcheck.view import compare, palette, render, snapshot
from modelcheck.view.compare import align
from modelcheck.view.distil import rows
from modelcheck.view.html import data, markup, shapes, standing, two
from modelcheck.view.html.page import BESIDE
from modelcheck.view.html.sentences import sentence
from modelcheck.view.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelcheck.trace.trace import Trace

SAMPLES = [torn_read, lock_order, nested_deadlock, long_trace]
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "div", "aside", "figure", "h1",
    "h2", "h3", "p", "a", "b", "span", "sub", "code", "pre", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead",
    "tbody", "tr", "th", "td", "button", "label", "input", "fieldset", "legend", "details", "summary", "script", "svg",
    "defs", "marker", "path", "rect", "text",
}
ATTRIBUTES = re.compile(
    r"id|class|href|title|role|tabindex|type|hidden|checked|lang|charset|http-equiv|content|name|scope|colspan|start|open|"
    r"viewbox|aria-[a-z]+|data-kind|x|y|d|rx|width|height|transform|font-(size|weight)|stroke-(width|dasharray)|"
    r"paint-order|textlength|lengthadjust|xml:space|marker-end|marker(width|height|units)|ref[xy]|orient")


class Reader(HTMLParser):
    """Elements with their attributes, the text outside scripts and style, and what is in those."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.raw:
            self.raw[tag].append("")
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]][-1] += data
        else:
            self.text.append(data)


def check_page(page: str) -> Reader:
    """Well-formed, of our elements and attributes only, under a policy that names its own style and script."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    for tag, attributes in reader.elements:
        assert tag in TAGS
        for name, value in attributes.items():
            assert ATTRIBUTES.fullmatch(name), name
            if name == "href":
                assert re.fullmatch(r"#(s\d+|passing)", value or "")
            if name == "marker-end":
                assert re.fullmatch(r"url\(#[hr]\d+\)", value or "")
    policy = next(attributes["content"] for _, attributes in reader.elements if "http-equiv" in attributes) or ""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
              for text in (reader.raw["style"][0], reader.raw["script"][-1])]
    assert policy == (f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
                      "base-uri 'none'; form-action 'none'")
    assert len(reader.raw["style"]) == 1
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    return reader


def data_of(reader: Reader) -> dict[str, Any]:
    """The object the script works on."""
    kind = next(attributes["type"] for tag, attributes in reader.elements if tag == "script" and attributes)
    text = reader.raw["script"][0]
    told: dict[str, Any] = json.loads(
        text if kind == "application/json" else zlib.decompress(base64.b64decode(text)))
    return told


@pytest.mark.parametrize("make", SAMPLES)
@pytest.mark.parametrize("full", [False, True])
def test_a_page_is_whole_and_small(make: Callable[[], Trace], full: bool) -> None:
    page = render(make(), "html", full)
    check_page(page)
    assert len(page) < 500_000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_never_markup(text: str) -> None:
    trace = hostile(text)
    steps = tuple(replace(step, source=text, file=text, enabled=((text, text),), waits=((text, text),))
                  for step in trace.steps)
    passing = Passing(3, 1, text, ((text, text),))
    told = replace(trace, conjunct=text, fate=Fate(0, 5, text), passing=passing, steps=steps)
    assert data_of(check_page(render(told, "html")))["deciding"] == told.deciding
    check_page(two.render(told, torn_read()))


@given(traces())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_is_a_whole_page(trace: Trace) -> None:
    check_page(render(trace, "html"))


def test_the_script_and_the_style_fetch_nothing_and_make_no_markup_of_text() -> None:
    reader = check_page(render(torn_read(), "html"))
    script, style = reader.raw["script"][-1], reader.raw["style"][0]
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "fetch(", "import", "http"):
        assert word not in script.replace("http://www.w3.org/2000/svg", "")
    for word in ("url(", "@import", "http"):
        assert word not in style


def test_the_conclusion_says_which_updates_are_mixed_in_which_bytes_and_why_it_was_accepted() -> None:
    text = "|".join(part.strip() for part in check_page(render(torn_read(), "html")).text if part.strip())
    verdict = text.index("The reader accepts the state of update 2 with the times of update 1")
    assert verdict < text.index("Step by step")
    assert "Both loads of entry_time saw its low half from update 1" in text
    assert "|state|0-3|2|update 2|02|2|00|2|00|2|00|2|differs|0x1|same|0x2|entry_time|" in text
    assert "|Is the whole copy this update?|no|no|" in text
    assert "|The tests reader made:|equal True|flag set? False|" in text
    assert "id 9a01b1ac0f" in text
    assert "modelcheck check runstate --version seed --property torn-read --set offset=52" in text


def test_a_copy_is_told_by_field_and_update() -> None:
    trace = torn_read()
    found = snapshot.loads(trace, rows(trace))
    assert [(load.number, load.text, len(load.bytes)) for load in found] == [
        (1, "t = READ_ONCE(entry_time)", 8), (9, "res.state", 4), (10, "res.time[]", 32),
        (12, "2nd READ_ONCE(entry_time)", 8)]
    copy = snapshot.snapshot(found)
    assert copy is not None
    assert copy.text == "t = READ_ONCE(entry_time), res.state, res.time[]"
    assert [(part.field, part.whole, part.version) for part in snapshot.parts(trace, copy)] == [
        ("state", True, 2), ("entry_time", True, 1), *((f"time[{i}]", True, 1) for i in range(4))]
    second = snapshot.parts(trace, found[-1])
    assert [(part.field, part.whole, part.version, len(part.bytes)) for part in second] == [
        ("entry_time", False, 1, 4), ("entry_time", False, 2, 4)]


def test_padding_beside_a_field_is_a_part_of_its_own() -> None:
    trace = torn_read()
    assert trace.area is not None
    fields = tuple(field for field in trace.area.fields if field[0] != "pad")
    sources = tuple(ByteSource(offset, 1, "", -1, 7) for offset in range(2, 12))
    told = snapshot.parts(replace(trace, area=replace(trace.area, fields=fields)), snapshot.Load(1, "copy", 2, sources))
    assert [(part.field, part.start, part.whole, len(part.bytes)) for part in told] == [
        ("state", 0, False, 2), ("", -1, False, 4), ("entry_time", 8, False, 4)]


def test_a_step_that_cannot_be_taken_is_told_as_blocked() -> None:
    trace = nested_deadlock()
    last = replace(trace.steps[-1], choice="attempt: vcpu_run()", label="vcpu_run()", lock=None, kind="local")
    told = replace(trace, steps=(*trace.steps[:-1], last))
    assert sentence(told, rows(told)[-1]) == (
        "sched_out, in update_guest(): vcpu_run(). It is blocked here. This is the step that decides.")


def test_locks_held_and_waits_follow_the_steps() -> None:
    after = standing.standing(nested_deadlock())
    assert after[-1].held == ("rq0: sched_out (exclusive)", "gpc1: refresh (write)")
    assert after[-1].waits == ("refresh waits for rq0, held by sched_out (exclusive)",
                               "sched_out waits for gpc1, held by refresh (write)")
    assert after[3].waits == ()
    assert [told.held for told in standing.standing(lock_order())][1:5] == [
        ("rq0: sched_out (exclusive)", "gpc1: sched_out (read)"), ("rq0: sched_out (exclusive)",), (),
        ("gpc1: refresh (write)",)]


def test_who_queued_waits_until_it_has_the_lock() -> None:
    b = Builder()
    b.lock(0, "acquire", "gpc1", "read")
    b.lock(1, "queue", "gpc1", "write")
    b.add(0, "goes on")
    b.lock(0, "release", "gpc1", "read")
    b.lock(1, "acquire", "gpc1", "write")
    after = standing.standing(replace(lock_order(), steps=tuple(b.steps), deciding=4))
    held = "refresh waits for gpc1, held by sched_out (read)"
    assert [told.waits for told in after] == [(), (held,), (held,), ("refresh waits for gpc1",), ()]


def test_the_scripts_data_is_the_trace() -> None:
    trace = long_trace()
    told = data_of(check_page(render(trace, "html")))
    assert [step["l"] for step in told["steps"]] == [step.label for step in trace.steps]
    assert told["names"] == ["writer", "reader"]
    assert len(told["memory"]) == 48
    assert told["memory"][0] == [1, "", 1]
    stores = [step["b"] for step in told["steps"] if step.get("op") == "store"]
    assert stores[0] == [[15, 1, 2, "flag", 3, "80"]]
    short, full = told["views"]
    assert [row["s"] for row in full["rows"]] == [[i, i] for i in range(len(trace.steps))]
    assert len(short["rows"]) < len(full["rows"])


def test_every_shape_of_the_drawing_reaches_the_script_once() -> None:
    trace = long_trace()
    drawing = lay_out(trace, True, BESIDE)
    view = data_of(check_page(render(trace, "html")))["views"][1]
    shapes = [*view["fixed"], *(shape for row in view["rows"] for shape in row["e"])]
    assert len(shapes) == sum(drawing.counts())
    kinds = {shape[-2] for shape in shapes if shape[0] == "p"}
    assert kinds == {"", "rf", "co", "fr", "hb", "held"}


def test_a_large_page_is_packed_and_a_small_one_is_readable() -> None:
    assert data.packed({"a": "</script>"}) == ("application/json", '{"a":"\\u003c/script\\u003e"}')
    kind, text = data.packed({"a": "</script>" * 40_000})
    assert kind == "text/plain"
    assert len(text) < 10_000


@pytest.mark.parametrize("theme", [palette.LIGHT, palette.DARK])
def test_text_has_contrast_on_every_ground_it_stands_on(theme: dict[str, str]) -> None:
    grounds = ("paper", "card", "head", "decides", "now", "badground", "goodground")
    for text in ("ink", "faint", "link", "decider", "current", "bad", "good", "page", "edge", "lock", "co", "fr", "hb"):
        for ground in grounds:
            assert palette.contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for number in range(8):
        assert palette.contrast(theme[f"t{number}"], theme[f"v{number}"]) >= 4.5
        assert palette.contrast(theme["ink"], theme[f"p{number}"]) >= 4.5
        assert palette.contrast(theme[f"a{number}"], theme["paper"]) >= 3
    assert palette.contrast(theme["line"], theme["paper"]) >= 3


def test_passing_and_fate_are_shown_where_the_trace_has_them() -> None:
    plain = render(torn_read(), "html")
    assert "could no longer be avoided" not in plain
    assert "The nearest schedule that passes" not in plain
    trace = torn_read()
    steps = compare.schedule(trace)
    told = replace(trace, conjunct="the copy is one update", fate=Fate(11, 99),
                   passing=Passing(12, 2, "writer goes on two steps later", (*steps[:12], steps[13])))
    text = "|".join(check_page(render(told, "html")).text)
    assert "the copy is one update" in text
    assert "After step 12 every schedule fails; before it some schedule passes." in text
    assert "writer goes on two steps later" in text
    assert "13 steps agree, 8 are only in the left schedule" in text


def test_schedules_are_aligned_where_they_agree() -> None:
    a, b, c, d = (("p", name) for name in "abcd")
    pairs = align([a, b, c], [a, c, d])
    assert [(pair.left, pair.right) for pair in pairs] == [(0, 0), (1, -1), (2, 1), (-1, 2)]
    assert compare.summary(pairs) == (
        "2 steps agree, 1 are only in the left schedule and 1 only in the right one; they part after step 1.")
    assert compare.summary(align([a], [a])) == "The schedules are the same, 1 steps."
    assert compare.summary(align([a], [b])).endswith("they differ from the first step.")


@given(traces(), traces())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_two_traces_are_compared_and_no_step_is_lost(left: Trace, right: Trace) -> None:
    pairs = align(compare.schedule(left), compare.schedule(right))
    assert [pair.left for pair in pairs if pair.left >= 0] == list(range(len(left.steps)))
    assert [pair.right for pair in pairs if pair.right >= 0] == list(range(len(right.steps)))
    check_page(two.render(left, right))
    compare.render(left, right)


def test_the_examples_in_the_docstrings_hold() -> None:
    for module in (markup, shapes):
        assert doctest.testmod(module).failed == 0

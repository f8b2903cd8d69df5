"""The pages in a real browser: steps, switches, keys, no complaint in the console, and nothing asked of the network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from browser import Browser, find
from sample_traces import hostile, lock_order, long_trace, nested_deadlock, torn_read, very_long_trace

from modelcheck.trace.trace import AreaInfo, ByteSource, MemoryEvent, Passing, Step
from modelcheck.view import compare, render
from modelcheck.view.html import two

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Page

    from modelcheck.trace.trace import Trace

PROGRAM = find()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
BAD = (
    "<script>window.pwned = 1</script>", "<img src=x onerror='window.pwned = 1'>", "</script><script>window.pwned = 1;",
    '"><svg onload="window.pwned = 1">', "' onmouseover='window.pwned = 1", "javascript:window.pwned = 1", "{{7*7}}",
    "<!--<script>", "</style><style>*{display:none}</style>", "\u202eevil\u2028line", "&lt;b&gt;", "\\u003cscript>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as started:
        yield started


class Opener:
    """Writes a page to a file, opens it, and in the end asserts that it neither complained nor fetched anything."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder
        self.pages: list[tuple[Page, str]] = []

    def __call__(self, page: str | Trace, **how: object) -> Page:
        path = self.folder / f"{len(self.pages)}.html"
        text = page if isinstance(page, str) else render(page, "html")
        path.write_text(text, encoding="utf-8")
        opened = self.browser.page(path, **how)  # type: ignore[arg-type]
        self.pages.append((opened, path.as_uri()))
        return opened.ready() if how.get("scripts", True) and 'id="explorer"' in text else opened

    def close(self) -> None:
        for page, address in self.pages[-1:]:
            assert page.complaints() == []
            assert [url.partition("#")[0] for url in page.requests()] == [address]
        for page, _ in self.pages:
            page.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    opener = Opener(browser, tmp_path)
    yield opener
    opener.close()


def displayed(page: Page, selector: str) -> bool:
    """Whether the first such element takes any room."""
    return bool(page.run(f"document.querySelector('{selector}').getBoundingClientRect().height > 0"))


def test_keys_step_forwards_and_back_and_to_the_ends(show: Opener) -> None:
    page = show(torn_read())
    assert page.text("#count") == "row 1 of 11"
    seen = []
    for key in ("j", "j", "k", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "End", "j", "Home", "k", "d"):
        page.key(key)
        seen.append(page.text("#count").split()[1])
    assert seen == ["2", "3", "2", "3", "2", "3", "2", "11", "11", "1", "1", "11"]
    assert page.text("#now").startswith("Steps 19 to 21 of 21. reader, in get_snapshot(): equal -> True")
    assert page.text("#now").endswith("This is the step that decides.")


def test_buttons_and_clicks_on_a_step_do_the_same(show: Opener) -> None:
    page = show(torn_read())
    page.click("#next")
    page.click("#next")
    assert page.text("#count") == "row 3 of 11"
    page.click("#back")
    assert page.text("#count") == "row 2 of 11"
    page.click("#last")
    assert page.text("#count") == "row 11 of 11"
    assert page.run("document.querySelector('#next').disabled")
    page.click("#first")
    page.click("#decides")
    assert page.text("#count") == "row 11 of 11"
    page.click("#s5 > a")
    assert page.text("#now") == ("Step 5 of 21. writer, in update_guest(): (update 2: sched_in); "
                                 "*update_bit = entry_hi | 0x80 -> 0x80 (update 2, with flag); smp_wmb().")
    third = ("[...document.querySelectorAll('.rows .k-step')].sort((a, b) => a.y.baseVal.value - b.y.baseVal.value"
             " || a.getBoundingClientRect().y - b.getBoundingClientRect().y)[2].id = 'third'")
    page.run(third)
    page.click("#third")
    assert page.text("#count") == "row 3 of 11"


def test_a_link_opens_the_page_at_its_step(show: Opener) -> None:
    assert show(torn_read(), fragment="#s12").text("#now").startswith("Step 12 of 21.")


def test_every_step_is_shown_when_asked_for(show: Opener) -> None:
    page = show(torn_read())
    page.key("d")
    page.key("e")
    assert page.text("#count") == "step 19 of 21"
    page.key("e")
    assert page.text("#count") == "row 11 of 11"


def test_a_page_made_in_full_begins_with_every_step(show: Opener) -> None:
    assert show(render(torn_read(), "html", full=True)).text("#count") == "step 1 of 21"


def test_only_what_a_step_changed_is_marked(show: Opener) -> None:
    page = show(torn_read())
    page.key("e")
    marked = "[...document.querySelectorAll('#bytes .{0}')].map(byte => byte.title)"
    while "rs_state" not in page.text("#now"):
        page.key("j")
    assert page.run(marked.format("wrote")) == [f"byte {i} from update 2, written now" for i in range(4)]
    assert page.run(marked.format("read")) == []
    assert page.text("#changed") == "bytes 0-3 written"
    while "res.state" not in page.text("#now"):
        page.key("j")
    assert page.run(marked.format("wrote")) == []
    assert page.run(marked.format("read")) == [f"byte {i} from update 2, read now" for i in range(4)]
    assert page.text("#reads") == "bytes 0-3: update 2, from step 7, writer: *rs_state = state"
    assert page.text("#changed") == "nothing"
    while "rs_state" not in page.text("#now"):
        page.key("k")
    assert page.run(marked.format("wrote")) == [f"byte {i} from update 2, written now" for i in range(4)]
    page.key("Home")
    assert set(page.run("[...document.querySelectorAll('#bytes .byte sub')].map(b => b.innerText)")) == {"1"}


def test_locks_and_waits_are_told_at_every_step(show: Opener) -> None:
    page = show(nested_deadlock())
    assert not displayed(page, "#held-of")
    page.key("d")
    assert page.text("#held").split("\n") == ["rq0: sched_out (exclusive)", "gpc1: refresh (write)"]
    assert page.text("#waits").split("\n") == [
        "refresh waits for rq0, held by sched_out (exclusive)", "sched_out waits for gpc1, held by refresh (write)"]
    assert not displayed(page, "#enabled-of")


def test_what_else_was_enabled_is_listed(show: Opener) -> None:
    trace = torn_read()
    steps = tuple(replace(step, enabled=(("writer", "go"), ("tick", "now")), source="yield x") for step in trace.steps)
    page = show(replace(trace, steps=steps))
    assert page.text("#enabled-title") == "What else could have been taken instead: 2"
    page.run("document.querySelector('#enabled-of').open = true")
    assert page.text("#enabled") == "writer: go\ntick: now"
    assert page.text("#source") == "yield x"
    assert page.text("#where") == "get_snapshot() \u00b7 S1 \u00b7 spec.py:11"


@pytest.mark.parametrize("kind", ["rf", "lock", "held", "fr", "co", "hb"])
def test_each_relation_is_switched(show: Opener, kind: str) -> None:
    trace = lock_order() if kind in ("lock", "held") else long_trace()
    page = show(trace)
    shown = (f"[...document.querySelectorAll('.rows path.k-{kind}')]"
             ".map(path => getComputedStyle(path).display !== 'none')")
    before = page.run(shown)
    assert before
    assert set(before) == {kind in ("rf", "lock", "held")}
    page.click(f"[data-kind={kind}]")
    assert set(page.run(shown)) == {kind not in ("rf", "lock", "held")}


def test_the_keyboard_reaches_every_control_and_one_sees_where_it_is(show: Opener) -> None:
    page = show(torn_read())
    wanted = set(page.run("[...document.querySelectorAll('button:not(:disabled), input, summary, [tabindex=\"0\"], a')]"
                          ".filter(e => e.checkVisibility()).map((e, i) => (e.dataset.place = i, i))"))
    reached = set()
    for _ in range(len(wanted) + 3):
        page.key("Tab")
        place, outline = page.run("(e => [e.dataset.place, getComputedStyle(e).outlineStyle])(document.activeElement)")
        if place is not None:
            reached.add(int(place))
            assert outline != "none", page.run("document.activeElement.outerHTML.slice(0, 200)")
    assert reached == wanted
    page.run("document.querySelector('#next').focus()")
    page.key("Enter")
    assert page.text("#count") == "row 2 of 11"


def test_every_control_has_a_name_and_the_current_step_is_announced(show: Opener) -> None:
    page = show(torn_read())
    page.send("Accessibility.enable")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "checkbox", "link", "region", "status", "application", "group", "complementary", "toolbar")
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]
             and node["role"]["value"] in roles]
    assert named
    assert [role for role, name in named if not name and role not in ("status",)] == []
    assert page.run("document.querySelector('#now').ariaLive") == "polite"


def test_dark_and_light_follow_the_system_and_the_switch(show: Opener) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page = show(torn_read(), dark=True)
    assert page.run(ground) == "rgb(13, 17, 23)"
    page.key("t")
    assert page.run(ground) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.run(ground) == "rgb(13, 17, 23)"
    page = show(torn_read())
    assert page.run(ground) == "rgb(255, 255, 255)"
    page.key("t")
    assert page.run(ground) == "rgb(13, 17, 23)"


def test_without_a_script_the_drawing_and_the_steps_are_there(show: Opener) -> None:
    page = show(torn_read(), scripts=False)
    assert displayed(page, ".still svg")
    assert not displayed(page, "#explorer")
    assert not displayed(page, "#theme")
    assert page.run("document.querySelectorAll('.steps li').length") == 21
    assert page.run("document.querySelectorAll('.still text').length") > 60


def test_paper_gets_the_still_drawing_and_no_controls(show: Opener) -> None:
    page = show(torn_read(), dark=True)
    assert not displayed(page, ".still")
    page.send("Emulation.setEmulatedMedia", media="print")
    assert displayed(page, ".still svg")
    assert not displayed(page, "#explorer")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize("text", BAD)
def test_a_hostile_name_is_shown_and_never_run(show: Opener, text: str) -> None:
    trace = hostile(text)
    steps = tuple(replace(step, source=text, enabled=((text, text),)) for step in trace.steps)
    page = show(replace(trace, steps=steps, passing=Passing(3, 1, text, ((text, text),))))
    for key in ("j", "e", "d"):
        page.key(key)
    assert page.run("typeof window.pwned") == "undefined"
    assert page.run("document.querySelectorAll('script').length") == 2
    assert page.run("document.querySelectorAll('img, style ~ style, iframe, object, embed, link').length") == 0
    assert page.run("[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/.test(a.name)))"
                    ".length") == 0
    assert displayed(page, ".rows")


def test_the_policy_lets_no_other_script_run(show: Opener) -> None:
    page = show(torn_read())
    page.run("(() => { const s = document.createElement('script'); s.textContent = 'window.pwned = 1';"
             " document.body.append(s); })()")
    assert page.run("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in told for told in page.complaints())
    show(torn_read())  # the last page opened is the one that must not complain


def test_a_trace_of_two_thousand_steps_opens_and_draws_what_is_in_sight(show: Opener) -> None:
    trace = very_long_trace(118)
    assert len(trace.steps) > 2000
    page = show(trace)
    nodes = "document.querySelectorAll('.rows *').length"
    assert page.run(nodes) < 4000
    page.key("e")
    page.key("j")
    page.key("End")
    assert page.text("#count") == f"step {len(trace.steps)} of {len(trace.steps)}"
    assert page.run(nodes) < 4000
    assert page.run("(box => box.top > 0 && box.bottom < innerHeight)"
                    "(document.querySelector('.rows > .s-current').getBoundingClientRect())")


def test_a_trace_without_steps_and_one_of_a_large_area_open(show: Opener) -> None:
    empty = show(replace(torn_read(), steps=(), deciding=-1))
    assert empty.run("document.querySelectorAll('.rows').length") == 1
    empty.key("j")
    assert empty.complaints() == []
    area = AreaInfo("ring", 4096, 0, 64, 4096, (("head", 0, 8), ("data", 8, 4096)))
    whole = tuple(ByteSource(offset, 1, "", -1, 7) for offset in range(4096))
    step = Step(1, "copy", "copy", "load", "spec.py", 1, memory=MemoryEvent("load", 0, 4096, (0, 4096), "copy", whole))
    last = Step(1, "accept", "accept", "observe", "spec.py", 2)
    page = show(replace(torn_read(), area=area, updates=(), steps=(step, last), deciding=1))
    assert page.text("#bytes").count("and 4024 more") == 1
    assert page.run("document.querySelectorAll('.conclusion .byte').length") == 8 + 64


@pytest.mark.parametrize("width", [1440, 1024, 420])
@pytest.mark.parametrize("make", [torn_read, lock_order, long_trace])
def test_the_page_is_never_wider_than_the_window(show: Opener, width: int, make: type) -> None:
    page = show(make(), width=width)
    assert page.run("document.documentElement.scrollWidth") <= width
    page.key("j")
    assert page.run("(box => box.top >= 0 && box.bottom <= innerHeight)"
                    "(document.querySelector('.rows > .s-current').getBoundingClientRect())")


def test_two_traces_are_walked_from_difference_to_difference(show: Opener) -> None:
    left = torn_read()
    steps = tuple(step for step in left.steps if step.kind not in ("choose", "compare"))
    right = replace(left, steps=steps, deciding=len(steps) - 1)
    page = show(two.render(left, right))
    rows = page.run("[...document.querySelectorAll('.pairs tbody .mark')].map(mark => mark.innerText)")
    pairs = compare.align(compare.schedule(left), compare.schedule(right))
    assert [(mark == "only left", mark == "only right") for mark in rows] == [
        (pair.right < 0, pair.left < 0) for pair in pairs]
    count = page.run("document.querySelectorAll('tr[id^=d]').length")
    assert count == 2
    page.key("p")
    page.key("n")
    assert page.text("#count") == f"difference 1 of {count}"
    page.key("n")
    assert page.run("document.activeElement.id") == "d2"
    page.key("p")
    page.key("p")
    assert page.text("#count") == f"difference {count} of {count}"

"""Reports and state graphs in a real browser: what one sees, where links lead, no complaint, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, find
from test_report_pages import matrix_report, shown
from test_state_graph_views import HOSTILE, graph, named, racing

from modelcheck.results import Coverage, LineMark, Unreached
from modelcheck.view.report import pages
from modelcheck.view.state_graph import render
from modelcheck.view.state_graph.drawn import DrawnGraph

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find()
    assert path is not None
    with Browser(path) as opened:
        yield opened


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(files))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A report with a file of source."""
    source = tmp_path / "spec.py"
    source.write_text("yield a\nyield b\n")
    marks = (LineMark("spec.py", str(source), 1, True, "fn", "G1"), LineMark("spec.py", str(source), 2, False))
    coverage = Coverage(2, 1, (Unreached("spec.py", 2, "", "", "yield b", "nobody calls it"),), marks)
    return written(tmp_path, pages(shown(matrix_report(coverage=coverage))))


def colour(page, selector: str) -> list[int]:
    """Red, green and blue of an element's background."""
    found: str = page.run(f"getComputedStyle(document.querySelector({selector!r})).backgroundColor")
    return [int(part) for part in found[found.index("(") + 1 : -1].split(",")[:3]]


@pytest.mark.parametrize("dark", [False, True])
def test_a_verdict_is_coloured_and_leads_to_its_figures(browser: Browser, index: Path, dark: bool) -> None:
    page = browser.page(index, dark=dark)
    holds, violated = colour(page, "td.holds"), colour(page, "td.violated")
    assert holds[1] == max(holds) and violated[0] == max(violated)
    assert (sum(colour(page, "body")) < 384) == dark
    page.click("td.holds a")
    assert page.run("location.hash") == "#r1"
    assert page.run("document.querySelector(':target').getBoundingClientRect().top") < 400
    assert page.complaints() == []
    assert page.requests() == [index.as_uri()]
    page.close()


def test_a_line_that_was_not_run_is_led_to_and_is_red(browser: Browser, index: Path) -> None:
    page = browser.page(index)
    page.click("li a[href^='source/']")
    browser.wait_for("Page.loadEventFired")
    assert page.run("location.pathname.split('/').pop() + location.hash") == "01-spec-py.html#L2"
    assert page.text("#L2").split("\t") == ["2", "not run", "", "yield b", "nobody calls it"]
    run, missed = colour(page, "#L1 td"), colour(page, "#L2 td")
    assert run[1] == max(run) and missed[0] == max(missed)
    assert page.complaints() == []
    page.close()


def test_a_report_prints_on_paper_and_fits_a_telephone(browser: Browser, index: Path) -> None:
    page = browser.page(index, width=380, mobile=True)
    assert page.run("document.documentElement.scrollWidth") <= 380
    assert page.pdf().startswith(b"%PDF")
    page.close()


def test_a_state_graph_is_walked_by_its_links(browser: Browser, tmp_path: Path) -> None:
    drawn = graph(racing())
    assert isinstance(drawn, DrawnGraph)
    path = written(tmp_path, {"g.html": render(drawn, ".html")})
    page = browser.page(path)
    page.click("#s0 a")
    first = next(arc for arc in drawn.arcs if arc.source == 0)
    assert page.run("location.hash") == f"#s{first.target}"
    assert page.run(f"getComputedStyle(document.querySelector('#s{first.target} rect')).strokeWidth") == "4px"
    outside = """[...document.querySelectorAll('g rect')].filter(rect => {
        const box = rect.getBoundingClientRect();
        return [...rect.parentNode.querySelectorAll('text')].some(text => {
            const inner = text.getBoundingClientRect();
            return inner.left < box.left || inner.right > box.right + 1 || inner.bottom > box.bottom + 1;
        }); }).length"""
    assert page.run(outside) == 0
    assert page.complaints() == []
    assert page.requests() == [path.as_uri()]
    page.close()


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    drawn = graph(named(HOSTILE))
    assert isinstance(drawn, DrawnGraph)
    page = browser.page(written(tmp_path, {"g.html": render(drawn, ".html")}))
    assert page.run("document.scripts.length") == 0
    assert '<script>alert("1")</script>' in page.text("body")
    assert page.complaints() == []
    page.close()

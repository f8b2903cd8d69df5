"""The pages of a report: the matrix with its links, every figure, the coverage in colour and in words."""

from __future__ import annotations

import html.parser
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cli.cli_runs import report, result, violated

from modelcheck.results import Coverage, LineMark, Report, SolverCost, Unreached
from modelcheck.view.page import clean
from modelcheck.view.report import Shown, TracePage, pages

HOSTILE = '</td><script>alert("1")</script><!-- & \x1b[31m\x00\u202e'


class Read(html.parser.HTMLParser):
    """A page: its tags, links, ids and text; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def check_links(files: dict[str, str], others: set[str]) -> None:
    """Every link of every page leads to a page there is, and to an id in it."""
    read = {name: Read(text) for name, text in files.items()}
    for name, page in read.items():
        assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            target, _, anchor = link.partition("#")
            if target in others:
                continue
            where = (Path(name).parent / target).as_posix() if target else name
            where = re.sub(r"[^/]+/\.\./", "", where)
            assert where in read, (name, link)
            assert not anchor or anchor in read[where].ids, (name, link)


@pytest.fixture
def covered(tmp_path: Path) -> Coverage:
    """The coverage of a file with five lines, of which three are steps and one was not run."""
    path = tmp_path / "spec.py"
    path.write_text("def p():\n    yield a\n\tyield b  # <b>\n    # text\n    yield c\n")
    marks = (LineMark("spec.py", str(path), 2, True, "fn", "G1"), LineMark("spec.py", str(path), 3, False, "fn", "G2"),
             LineMark("spec.py", str(path), 5, True))
    return Coverage(3, 2, (Unreached("spec.py", 3, "fn", "G2", "yield b", "nobody calls it"),), marks)


def matrix_report(**fields: object) -> Report:
    rows = []
    for version in ("v1", "v2"):
        for abi in ("64", "32"):
            parameters = (("abi", abi), ("offset", "0-48"))
            rows.append(result("dead", version=version, parameters=parameters, assumptions=("one", "two"),
                               witnesses=(("taken", True),), actors=("p", "q"), left_out=(("r", "reads only"),),
                               uncovered=("spec.py:3",), seconds=1.25, peak_memory_bytes=5 << 20))
            rows.append(violated("torn", version=version, parameters=parameters, case="D6" if abi == "64" else "",
                                 id=f"{version}{abi}", expected="violated", expected_source="B4"))
    return replace(report(*rows), **fields)  # type: ignore[arg-type]


def shown(found: Report) -> Shown:
    traces = {each.id: TracePage(f"traces/{each.id}.html", f"traces/{each.id}.json", "modelcheck check it")
              for each in found.results if each.verdict == "violated"}
    return Shown(found, "made-up", "a spec", frozenset({"offset"}), {"torn": "no tearing"}, {"v1": "old"},
                 {"D6": "a cut word"}, traces)


def test_the_matrix_has_a_row_for_each_property_and_a_column_for_each_version_by_parameters(covered: Coverage) -> None:
    files = pages(shown(matrix_report(coverage=covered)))
    assert list(files) == ["index.html", "source/01-spec-py.html"]
    index = Read(files["index.html"])
    assert index.rows[:7] == [
        ["property", "group", "v1", "v2"],
        ["abi=64"],
        ["dead", "", "HOLDS", "HOLDS"],
        ["torn", "", "VIOLATED D6 (figures)", "VIOLATED D6 (figures)"],
        ["abi=32"],
        ["dead", "", "HOLDS", "HOLDS"],
        ["torn", "", "VIOLATED (figures)", "VIOLATED (figures)"],
    ]
    assert index.links[:6] == ["#r1", "#r5", "traces/v164.html", "#r2", "traces/v264.html", "#r6"]
    check_links(files, {f"traces/{v}{a}.{e}" for v in ("v1", "v2") for a in ("64", "32") for e in ("html", "json")})


def test_rows_that_differ_in_offsets_alone_share_a_cell_and_say_which() -> None:
    rows = [result("torn", parameters=(("offset", "0-48"),)), violated("torn", parameters=(("offset", "49-55"),))]
    index = Read(pages(shown(report(*rows)))["index.html"])
    assert index.rows[1] == ["torn", "", "HOLDS offset=0-48VIOLATED offset=49-55 (figures)"]


def test_a_result_has_all_its_figures(covered: Coverage) -> None:
    text = Read(pages(shown(matrix_report(coverage=covered)))["index.html"]).text
    for said in ("10 states, 0 transitions, depth 0", "taken: reached", "p, q", "r: reads only", "A1 A2", "spec.py: 3",
                 "D6: a cut word (B4)", "violated (B4)", "CPU0 stores half.", "12 steps, 3 context switches",
                 "modelcheck check it", "2 of 3 lines", "nobody calls it: spec.py:3 (fn G2)"):
        assert said in text, said


def test_what_is_not_decided_says_why() -> None:
    rows = [result("i", "incomplete", bound="100 states"), result("w", "vacuous", witnesses=(("taken", False),)),
            result("e", "incomplete", bound="error: x.py:1: no", fault="spec")]
    text = Read(pages(shown(report(*rows)))["index.html"]).text
    assert "INCOMPLETE i v1: 100 states, after 10 states" in text
    assert "VACUOUS w v1: never reached: taken" in text
    assert "INCOMPLETE e v1: error: x.py:1: no" in text
    assert "taken: NEVER REACHED" in text


def test_the_source_is_shown_in_green_and_red_with_the_kernels_names_and_reasons(covered: Coverage) -> None:
    files = pages(shown(matrix_report(coverage=covered)))
    page = Read(files["source/01-spec-py.html"])
    assert page.rows == [
        ["1", "", "", "def p():", ""],
        ["2", "run", "fn G1", "    yield a", ""],
        ["3", "not run", "fn G2", "        yield b  # <b>", "nobody calls it"],
        ["4", "", "", "    # text", ""],
        ["5", "run", "", "    yield c", ""],
    ]
    assert re.findall(r'<tr id="L(\d)" class="(\w+)"', files["source/01-spec-py.html"]) == [
        ("2", "run"), ("3", "missed"), ("5", "run")]


def test_only_the_cost_differs_from_run_to_run(covered: Coverage) -> None:
    one = matrix_report(coverage=covered)
    other = replace(one, seconds=99.0, searched=5, spared=2, solver=SolverCost(1, 2, 3, 4, 5.0), results=tuple(
        replace(each, seconds=3.5, peak_memory_bytes=9 << 30, solver_queries=77, engine="native")
        for each in one.results))
    first, second = (pages(shown(each)) for each in (one, other))
    assert first != second
    cost = second["index.html"].partition('<section id="cost">')[2].partition("</table>")[0] + "</table>"
    assert Read(f"<table>{cost.partition('<table>')[2]}").rows[1] == ["dead v1", "3.500", "9,216", "77", "native"]

    def rest(files: dict[str, str]) -> dict[str, str]:
        return {name: re.sub(r'<section id="cost">.*?</section>', "", text, flags=re.DOTALL)
                for name, text in files.items()}

    assert rest(first) == rest(second)
    assert 'id="cost"' not in "".join(rest(first).values())


def test_hostile_text_is_text(tmp_path: Path) -> None:
    path = tmp_path / "evil.py"
    path.write_bytes(f"yield 1  # {HOSTILE}\n".encode())
    coverage = Coverage(1, 0, (Unreached(HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
                        (LineMark(HOSTILE, str(path), 1, False, HOSTILE, HOSTILE),))
    rows = [
        violated(HOSTILE, version=HOSTILE, parameters=((HOSTILE, HOSTILE),), case=HOSTILE, short=HOSTILE, label=HOSTILE,
                 id="x", expected=HOSTILE, expected_source=HOSTILE, assumptions=(HOSTILE,), actors=(HOSTILE,),
                 left_out=((HOSTILE, HOSTILE),), witnesses=((HOSTILE, False),), note=HOSTILE),
        result(HOSTILE, "incomplete", bound=HOSTILE, uncovered=(f"{HOSTILE}:1",), parameters=((HOSTILE, "1"),)),
        result(HOSTILE, "vacuous", witnesses=((HOSTILE, False),), uncovered=(f"{HOSTILE}:1",)),
    ]
    found = replace(report(*rows), notes=(HOSTILE,), coverage=coverage)
    files = pages(Shown(found, HOSTILE, HOSTILE, frozenset(), {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE},
                        {HOSTILE: HOSTILE}, {"x": TracePage("traces/x.html", "traces/x.json", HOSTILE)}))
    check_links(files, {"traces/x.html", "traces/x.json"})
    for name, text in files.items():
        assert re.fullmatch(r"[\w./-]+", name)
        assert not {"\x1b", "\x00", "\u202e"} & set(text)
        assert clean(HOSTILE)[:40] in Read(text).text

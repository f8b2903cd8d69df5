"""State graphs as DOT, GraphML and HTML: collapsed as far as need be, escaped, well laid out."""

from __future__ import annotations

import html.parser
import io
import re
import shutil
import subprocess
from itertools import combinations

import networkx as nx
import pytest

from modelcheck import Model, assign, choose, decide, shared, wait
from modelcheck import test as ask
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.state_graph import explored
from modelcheck.view.state_graph import ENDINGS, render
from modelcheck.view.state_graph.collapse import MOST, TooLarge, draw
from modelcheck.view.state_graph.drawn import INITIAL, VIOLATES, WITNESS, DrawnGraph
from modelcheck.view.state_graph.layers import lay_out

HOSTILE = '</text><script>alert("1")</script> & "quoted" \\N \x1b[31m\x00\u202e'


def graph(model: Model, name: str = "deadlock", most: int = MOST) -> DrawnGraph | TooLarge:
    """The full graph of a model's property."""
    found = list(explored(model, name, lambda reduction: False, Bounds(states=50_000)))
    return draw([("search", one) for one in found], "made up", ("About it.",), most)


def counting(processes: int, values: int, loops: bool = False) -> Model:
    """Processes that each count a number of their own up, once or for ever."""
    m = Model("counting")
    numbers = [m.range(f"x{i}", 0, values - 1) for i in range(processes)]

    def counts(number):
        for value in range(1, values):
            yield assign(number, value)
        while loops:
            yield assign(number, 0)
            for value in range(1, values):
                yield assign(number, value)

    for i, number in enumerate(numbers):
        m.process(f"p{i}", counts, number)
    m.deadlock()
    m.invariant("small", numbers[0].le(values - 2))
    return m


def test_a_small_graph_is_drawn_as_it_is() -> None:
    drawn = graph(counting(2, 2), "small")
    assert isinstance(drawn, DrawnGraph)
    assert [(node.texts, node.marks) for node in drawn.nodes] == [
        ((), ((INITIAL, "the initial state"),)),
        (("p0 has finished", "x0 = 1"), ((VIOLATES, "the invariant is false"),)),
        (("p1 has finished", "x1 = 1"), ()),
        (("p0 has finished", "p1 has finished", "x0 = 1", "x1 = 1"), ((VIOLATES, "the invariant is false"),)),
    ]
    assert [(arc.source, arc.target, arc.who, arc.what) for arc in drawn.arcs] == [
        (0, 1, "p0", "x0 = 1"), (0, 2, "p1", "x1 = 1"), (1, 3, "p1", "x1 = 1"), (2, 3, "p0", "x0 = 1")]
    assert str(drawn.figures) == "4 states, 4 transitions, 4 strongly connected components (the largest has 1), depth 2"


def test_the_dot_file_of_a_small_graph() -> None:
    drawn = graph(counting(1, 2))
    assert isinstance(drawn, DrawnGraph)
    assert render(drawn, ".dot") == '''\
digraph states {
  label="made up\\lEach node is one state.\\lAbout it.\\l2 states, 1 transition, 2 strongly connected components (the\\l  largest has 1), depth 1\\l";
  labelloc=t; rankdir=TB; bgcolor="white"; fontname="monospace"; fontsize=11;
  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", fontname="monospace", fontsize=10];
  edge [fontname="monospace", fontsize=9, color="#59636e"];
    s0 [label="#0\\lINITIAL: the initial state\\l", penwidth=2.5, color="#1f2328"];
    s1 [label="#1\\lp0 has finished\\lx0 = 1\\l"];
  s0 -> s1 [label="p0: x0 = 1\\l"];
}
'''  # noqa: E501


@pytest.mark.parametrize(("model", "name", "about"), [
    (counting(3, 5), "small", "Each node is one state."),
    (counting(3, 6), "small", "Each node is all states that agree on where the processes stand that"),
    (counting(4, 4, loops=True), "small", "Each node is all states that agree on where"),
], ids=["125 states", "216 states", "many states, one component"])
def test_every_state_and_transition_is_in_the_graph_once(model: Model, name: str, about: str) -> None:
    drawn = graph(model, name)
    if about.startswith("Each node is all"):
        drawn = drawn if isinstance(drawn, DrawnGraph) else graph(model, name, 10_000)
    assert isinstance(drawn, DrawnGraph)
    assert sum(node.states for node in drawn.nodes) == drawn.figures.states
    inside = sum(node.inside for node in drawn.nodes)
    assert inside + sum(arc.count for arc in drawn.arcs) == drawn.figures.transitions
    assert [node.number for node in drawn.nodes] == list(range(len(drawn.nodes)))


def loops_in_a_row(count: int, length: int) -> Model:
    """A process that goes round one loop after the other: `count` components of `length` states."""
    m = Model("loops")
    x = m.range("x", 0, length - 1)

    def goes():
        for _ in range(count):
            while (yield choose("again", True, False)):
                for value in range(length):
                    yield assign(x, value)

    m.process("goes", goes)
    m.deadlock()
    return m


def test_a_step_that_changes_nothing_is_an_arc_of_a_state_and_inside_of_a_larger_node() -> None:
    small, large = graph(racing()), graph(racing(), most=9)
    assert isinstance(small, DrawnGraph) and isinstance(large, DrawnGraph)
    alike = [arc for arc in small.arcs if arc.source == arc.target]
    assert len(alike) == small.figures.states and {arc.who for arc in alike} == {"asks"}
    assert not any(node.inside for node in small.nodes)
    assert not [arc for arc in large.arcs if arc.source == arc.target]


def test_a_larger_graph_is_collapsed_by_component() -> None:
    drawn = graph(loops_in_a_row(8, 30))
    assert isinstance(drawn, DrawnGraph)
    assert drawn.about[0] == "Each node is a strongly connected component: its states lead to one another."
    assert len(drawn.nodes) == drawn.figures.components
    assert max(node.states for node in drawn.nodes) == drawn.figures.largest > 1
    assert not [text for node in drawn.nodes if node.states > 1 for text in node.texts]  # nothing is so in all of them
    acyclic = nx.DiGraph((arc.source, arc.target) for arc in drawn.arcs)
    assert nx.is_directed_acyclic_graph(acyclic)


def test_a_graph_of_one_component_is_collapsed_by_where_processes_stand() -> None:
    m = Model("rounds")
    numbers = [m.range(name, 0, 19) for name in ("x", "y")]

    def rounds(number):
        while True:
            for value in range(20):
                yield assign(number, value)

    for number in numbers:
        m.process(number.name, rounds, number)
    m.invariant("small", numbers[0].le(19))
    found = list(explored(m, "small", lambda reduction: False, Bounds(states=50_000)))
    assert found[0].roots == {0, 1}
    found[0].roots = frozenset({0})
    drawn = draw([("search", one) for one in found], "made up", ())
    assert isinstance(drawn, DrawnGraph)
    assert drawn.about == (
        "Each node is all states that agree on where the processes stand that the property is about.",)
    assert [node.states for node in drawn.nodes] == [42, *([21] * 19)]  # y has 21 places and values, by hand
    assert drawn.nodes[1].texts == ("x before x = 1",)  # y differs among its states; x is 0, as at first
    assert drawn.nodes[2].texts == ("x before x = 2", "x = 1")
    assert drawn.figures.components < 25 and sum(node.states for node in drawn.nodes) == drawn.figures.states


def test_what_stays_too_large_is_not_drawn() -> None:
    found = graph(counting(3, 8))
    assert isinstance(found, TooLarge)
    assert str(found.figures) == (
        "512 states, 1,344 transitions, 512 strongly connected components (the largest has 1), depth 21")


def named(text: str) -> Model:
    """A model whose names and texts are all hostile."""
    m = Model("hostile")
    x, y = m.range(f"x{text}", 0, 2), m.enum("y", "quiet", f"loud{text}")

    def goes():
        yield shared(f"set{text}", (x, 1))
        yield shared(f"loud{text}", (y, 1)).reaching(f"seen{text}")
        if (yield decide(x.eq(1), f"is it{text}")):
            yield wait(x.eq(0), f"wait{text}")

    m.process(f"p{text}", goes)
    m.deadlock()
    return m


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")
def test_graphviz_draws_a_graph_with_hostile_names() -> None:
    drawn = graph(named(HOSTILE))
    assert isinstance(drawn, DrawnGraph)
    done = subprocess.run(["dot", "-Tsvg"], input=render(drawn, ".dot"), capture_output=True, text=True, check=False,
                          timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<script" not in done.stdout


class _Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def test_hostile_names_are_text_and_nothing_else() -> None:
    drawn = graph(named(HOSTILE))
    assert isinstance(drawn, DrawnGraph)
    assert any(WITNESS in node.kinds for node in drawn.nodes)
    text = render(drawn, ".html")
    page = _Page(text)
    assert "script" not in page.tags and page.open == []
    assert '</text><script>alert("1")</script>' in "".join(page.text)
    for forbidden in ("\x1b", "\x00", "\u202e"):
        assert all(forbidden not in render(drawn, ending) for ending in ENDINGS)
    dot = render(drawn, ".dot")
    assert '\\"quoted\\" \\\\N \\\\x1b' in dot
    read = nx.read_graphml(io.BytesIO(render(drawn, ".graphml").encode()))
    assert any('<script>alert("1")</script>' in data["does"] for _, _, data in read.edges(data=True))


def test_a_page_stands_by_itself_and_every_link_leads_somewhere() -> None:
    drawn = graph(racing())
    assert isinstance(drawn, DrawnGraph)
    text = render(drawn, ".html")
    page = _Page(text)
    assert text.startswith("<!doctype html>\n") and text.endswith("\n")
    assert {reference[:1] for reference in page.references} == {"#"}
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "prefers-color-scheme: dark" in text and "@media print" in text and "default-src 'none'" in text
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)


def racing() -> Model:
    m = counting(2, 3, loops=True)
    flag = m.bool("flag")

    def asks():
        while not (yield ask(flag)):
            pass

    m.process("asks", asks)
    return m


def test_no_line_leaves_the_picture() -> None:
    m = Model("sideways")
    x = m.bool("x")

    def turns():  # its last two states are as deep as each other, and each leads to the other
        which = yield choose("which", 0, 1)
        yield assign(x, which)
        while True:
            yield shared("turn", (x, x.eq(0)))

    m.process("turns", turns)
    m.deadlock()
    for model in (racing(), counting(1, 9, loops=True), loops_in_a_row(3, 4), m):
        drawn = graph(model)
        assert isinstance(drawn, DrawnGraph)
        text = render(drawn, ".html")
        size = re.search(r'viewBox="0 0 (\d+) (\d+)" role', text)
        assert size
        paths = re.findall(r' d="M([\d. ]+)C([\d. ]+)"', text)
        assert paths
        for path in paths:
            numbers = [float(number) for number in " ".join(path).split()]
            assert max(numbers[::2]) <= int(size[1]) + 1 and max(numbers[1::2]) <= int(size[2]) + 1


def test_graphml_is_read_back_with_all_that_is_known() -> None:
    drawn = graph(racing())
    assert isinstance(drawn, DrawnGraph)
    read = nx.read_graphml(io.BytesIO(render(drawn, ".graphml").encode()))
    assert read.graph["states"] == drawn.figures.states and read.graph["title"] == "made up"
    assert (len(read), read.number_of_edges()) == (len(drawn.nodes), len(drawn.arcs))
    for node in drawn.nodes:
        data = read.nodes[f"s{node.number}"]
        assert (data["states"], data["depth"], data["differs"]) == (node.states, node.depth, "; ".join(node.texts))


@pytest.mark.parametrize("model", [counting(3, 4), counting(2, 9), loops_in_a_row(6, 3), racing()])
def test_no_two_boxes_overlap_and_steps_lead_down_by_one_layer_at_most(model: Model) -> None:
    drawn = graph(model)
    assert isinstance(drawn, DrawnGraph)
    sizes = [(60.0 + 13 * (node.number % 7), 20.0 + 9 * (node.number % 5)) for node in drawn.nodes]
    boxes, width, height = lay_out(drawn, sizes)
    assert not [pair for pair in combinations(range(len(boxes)), 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]
    assert all(min(b.x, b.y) >= 0 and b.x + b.width <= width and b.y + b.height <= height for b in boxes)
    rows = sorted({box.y for box in boxes})
    assert all(rows.index(boxes[arc.target].y) <= rows.index(boxes[arc.source].y) + 1 for arc in drawn.arcs)

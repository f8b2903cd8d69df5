"""The execution behind each final state: its relations are those of herd's candidates, and it can be shown."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest
from litmus_cases import MODELS, OWN

from modelcheck.cli.main import main
from modelcheck.errors import UsageError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.litmus.execution import execution
from modelcheck.litmus.parse import parse_file
from modelcheck.litmus.verdict import decide
from modelcheck.trace.execution import INIT, Execution
from modelcheck.view.execution import FORMS, draw, render

FILES = sorted(OWN.glob("*.litmus"))


def executions(path: Path, memory: str) -> list[Execution]:
    """One for each final state that is printed."""
    test = parse_file(path)
    verdict = decide(test, memory, Bounds(), best_engine())
    found = [execution(test, memory, row, Bounds(), best_engine()) for row in range(1, len(verdict.states) + 1)]
    assert [tuple(value for _, value in each.final) for each in found] == list(verdict.states)
    return found


def pairs(one: Execution, kind: str) -> list[tuple[int, int]]:
    return [(a, b) for k, a, b in one.relations if k == kind]


@pytest.mark.parametrize("memory", MODELS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_relations_are_those_of_an_execution(path: Path, memory: str) -> None:
    for one in executions(path, memory):
        initial = dict(one.initial)
        source = {b: a for a, b in pairs(one, "rf")}
        reads = [n for n, event in enumerate(one.events) if event.read is not None]
        assert sorted(source) == reads
        for load, store in source.items():
            event = one.events[load]
            written = initial[event.location] if store == INIT else one.events[store].written
            assert event.read == written
            assert store == INIT or one.events[store].location == event.location
        after = dict(pairs(one, "co"))
        for location in initial:
            there = [(n, e) for n, e in enumerate(one.events) if e.location == location]
            stores = [n for n, event in there if event.written is not None]
            chain = sorted(stores, key=lambda n: one.events[n].order)
            for a, b in zip([INIT, *chain], chain, strict=False):
                assert ("co", a, b) in one.relations
        assert all(a == INIT or one.events[a].location == one.events[b].location for a, b in after.items())
        for load, store in pairs(one, "fr"):
            assert ("co", source[load], store) in one.relations
        graph = networkx.DiGraph((a, b) for kind, a, b in one.relations if kind != "po" or memory == "sc")
        assert networkx.is_directed_acyclic_graph(graph)
        same = [(a, b) for a, b in transitive(pairs(one, "po")) if one.events[a].location == one.events[b].location]
        communication = [(a, b) for kind, a, b in one.relations if kind != "po"]
        assert networkx.is_directed_acyclic_graph(networkx.DiGraph([*same, *communication]))  # coherence


def transitive(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return list(networkx.transitive_closure_dag(networkx.DiGraph(edges)).edges)


def test_store_buffering_is_shown_with_the_cycle_that_makes_it() -> None:
    one = execution(parse_file(OWN / "SB.litmus"), "tso", 0, Bounds(), best_engine())
    assert {value for _, value in one.final} == {"0"}
    graph = networkx.DiGraph((a, b) for _, a, b in one.relations if a != INIT)
    assert not networkx.is_directed_acyclic_graph(graph)
    assert len(pairs(one, "fr")) == 2


@pytest.mark.parametrize("memory", MODELS)
def test_every_form_of_every_execution_is_well_formed(memory: str) -> None:
    for path in FILES[:12]:
        for one in executions(path, memory):
            picture = ElementTree.fromstring(render(one, "svg"))
            assert picture.tag.endswith("svg")
            drawing = draw(one)
            labels = [label for label in drawing.labels if label.kind != "relation"]
            assert not [(a, b) for i, a in enumerate(labels) for b in labels[i + 1 :] if a.overlaps(b)]
            assert all(label.x + label.width <= drawing.width for label in drawing.labels)
            told = json.loads(render(one, "json"))
            assert len(told["events"]) == len(one.events)
            assert all(name in render(one, "table") for name in one.processes)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_takes_the_graph() -> None:
    one = execution(parse_file(OWN / "IRIW.litmus"), "weak", 0, Bounds(), best_engine())
    done = subprocess.run(["dot", "-Tplain"], input=render(one, "dot"), capture_output=True, text=True, check=True)
    assert done.stdout.count("\nnode ") == len(one.events)


def test_show_writes_an_execution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "sb.svg"
    assert main(["show", str(OWN / "SB.litmus"), "--as", "svg", "-o", str(picture)]) == 0
    assert picture.read_text().startswith("<svg")
    assert main(["show", str(OWN / "SB.litmus"), "--memory", "sc", "--state", "2"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("SB under sc: ")
    assert "fr: " in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--state", "9"], "SB has no final state 9 under tso; `modelcheck litmus` prints its 4"),
        (["--state", "none"], "--state 'none' is not a whole number of at least 1"),
        (["--as", "paste"], "an execution of a litmus test has no form 'paste'; there are table, svg, dot, json"),
        (["--memory", "alpha"], "there is no memory model 'alpha'; there are sc, tso, weak"),
    ],
)
def test_bad_calls_of_show_say_what_there_is(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(OWN / "SB.litmus"), *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_memory_and_state_are_for_litmus_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / "trace.json"), "--memory", "sc"]) == 2
    assert "--memory and --state are for litmus tests" in capsys.readouterr().err


def test_there_are_no_other_forms() -> None:
    one = execution(parse_file(OWN / "SB.litmus"), "sc", 1, Bounds(), best_engine())
    assert FORMS == ("table", "svg", "dot", "json")
    with pytest.raises(UsageError, match="no form 'html'"):
        render(one, "html")

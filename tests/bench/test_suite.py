"""The bench: what it makes of reports, counts and times, and what the verb says to bad input."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import suite
from suite import COMMAND, SEARCH, Row, Work

from modelcheck.cli.bench import find_suite, load
from modelcheck.cli.main import main
from modelcheck.errors import UsageError

ROOT = Path(__file__).parents[2]
ROW = Row("W1", COMMAND, "auto", 2, suite.AS_EXPECTED)
WORK = Work("W4", (), steps=17)


def report(*results: dict[str, Any], verdict: str = "holds") -> dict[str, Any]:
    common = {"property": "p", "verdict": "holds", "expected": "holds", "states": 10, "transitions": 20, "depth": 3,
              "engine": "native", "bound": ""}
    return {"verdict": verdict, "results": [{**common, **result} for result in results]}


def test_a_report_as_expected_adds_up() -> None:
    row = suite.judged(ROW, Work("W1", ()), report({}, {"depth": 5, "engine": "python"}))
    assert row == replace(ROW, engine="native/python", verdict="holds", states=20, transitions=40, depth=5)
    assert suite.judged(ROW, Work("W1", ()), report({"expected": ""})).outcome == "as expected"


@pytest.mark.parametrize(
    ("results", "verdict", "outcome"),
    [
        ([{"verdict": "violated", "expected": "violated", "steps": 17}, {}], "violated", "as expected"),
        ([{"verdict": "violated", "expected": "violated", "steps": 18}, {}], "violated", "differs: 18 steps, not 17"),
        ([{"verdict": "violated", "steps": 17}], "violated", "differs: p violated"),
        ([{"expected": "violated"}, {"property": "q"}], "holds", "differs: p holds"),
        ([{}, {}], "holds", "differs: 0 steps, not 17"),
        ([{"verdict": "vacuous"}], "vacuous", "differs: p vacuous"),
        ([{}, {"verdict": "incomplete", "bound": "9 states"}], "incomplete", "not finished: 9 states"),
    ],
)
def test_a_report_is_compared_with_what_is_expected(results: list[Any], verdict: str, outcome: str) -> None:
    assert suite.judged(ROW, WORK, report(*results, verdict=verdict)).outcome == outcome


def test_a_child_answers_in_json_or_the_row_says_why_not() -> None:
    row, found = suite._run(ROW, [sys.executable, "-c", "print('{\"a\": 1}')"], 20)
    assert (found, row.outcome) == ({"a": 1}, "as expected")
    assert 0 < row.seconds < 20
    assert 0 < row.peak_bytes < 1 << 30
    row, found = suite._run(ROW, [sys.executable, "-c", "raise SystemExit('first\\nlast words')"], 20)
    assert (found, row.outcome, row.finished) == (None, "failed: last words", False)
    row, found = suite._run(ROW, [sys.executable, "-c", "raise SystemExit(3)"], 20)
    assert row.outcome == "failed: status 3"
    row, found = suite._run(ROW, [sys.executable, "-c", "import time; time.sleep(60)"], 0.3)
    assert (found, row.outcome, row.rate) == (None, "not finished in 0.3 s", None)


def test_a_child_runs_the_package_that_measures_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    code = "import json, modelcheck; print(json.dumps(modelcheck.__file__))"
    _, found = suite._run(ROW, [sys.executable, "-c", code], 20)
    assert found == str(ROOT / "modelcheck" / "__init__.py")


def test_a_whole_command_is_checked_as_a_user_does(monkeypatch: pytest.MonkeyPatch) -> None:
    work = next(work for work in suite.WORKS if work.name == "W4")
    row = suite.measure_command(work, "auto", 1, 50)
    assert (row.outcome, row.verdict, row.steps, row.measured) == ("as expected", "violated", 17, COMMAND)
    assert row.rate == row.states / row.seconds


def test_a_search_ends_at_a_violation_and_says_so() -> None:
    # The states up to the shortest counterexample are those of Rumur's model, which has the same steps.
    row = suite.measure_search(replace(WORK, whole=(4426, 10283)), "python", 1, 50)
    assert (row.states, row.transitions, row.measured) == (4426, 10283, SEARCH)
    assert row.outcome == "differs: torn is violated, so this is not the whole graph"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ({}, "as expected"),
        ({"states": 11}, "differs: 10 states, 2,000 transitions expected"),
        ({"bound": "the time bound"}, "not finished: the time bound"),
    ],
)
def test_a_count_is_compared_exactly(monkeypatch: pytest.MonkeyPatch, found: Any, outcome: str) -> None:
    whole = {"states": 10, "transitions": 2000, "depth": 3, "seconds": 0.5, "bytes_per_state": 40.0,
             "packed_bytes": 8, "violated": "", "bound": ""}
    monkeypatch.setattr(suite, "_run", lambda row, command, limit: (row, {**whole, **found}))
    row = suite.measure_search(Work("W1", (), whole=(10, 2000)), "native", 2, 1)
    assert (row.outcome, row.cores, row.seconds) == (outcome, 2, 0.5)


def test_the_quickest_of_a_few_measurements_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([3.0, 1.0, 2.0, 9.0])
    assert suite.quickest("x", lambda: replace(ROW, seconds=next(times))).seconds == 1.0
    assert next(times) == 9.0
    failing = iter([ROW, replace(ROW, outcome="failed: gone"), ROW])
    assert suite.quickest("x", lambda: next(failing)).outcome == "failed: gone"
    monkeypatch.setattr(suite, "ENOUGH", 0.0)
    once = iter([ROW])
    assert suite.quickest("x", lambda: next(once)) is ROW


def test_searches_take_one_thread_and_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(suite, "TIMES", 1)
    monkeypatch.setattr(suite, "measure_command", lambda work, *rest: asked.append((work.name, *rest)) or ROW)
    monkeypatch.setattr(suite, "measure_search", lambda work, *rest: asked.append((work.name, *rest)) or ROW)
    assert len(list(suite.measured(suite.chosen(["W1", "W4"]), "native", 2, 9))) == 4
    assert asked == [("W1", "native", 2, 9), ("W1", "native", 1, 9), ("W1", "native", 2, 9), ("W4", "native", 2, 9)]
    asked.clear()
    assert len(list(suite.measured(suite.chosen(["W1"]), "python", 2, 9))) == 2


def test_targets_are_told_of_what_was_measured() -> None:
    rows = [
        replace(ROW, seconds=0.5, states=10),
        Row("W2", COMMAND, "native", 2, "as expected", seconds=10.5, peak_bytes=100),
        Row("W4", COMMAND, "native", 2, "failed: gone", seconds=0.1),
        Row("W1", SEARCH, "native", 1, "as expected", states=1000, seconds=1.0, bytes_per_state=41.0, packed_bytes=8),
        Row("W1", SEARCH, "native", 2, "as expected", states=1000, seconds=0.5),
        Row("W3", SEARCH, "native", 1, "as expected", states=9, seconds=8.0),
        Row("W3", SEARCH, "native", 2, "as expected", states=9, seconds=4.0),
        Row("check", COMMAND, "native", 2, "as expected", seconds=9.0, peak_bytes=100),
        Row("check-sc", COMMAND, "native", 2, "as expected", seconds=4.0, peak_bytes=100),
    ]
    other = suite.peers.PeerRun
    others = [
        other("spin", "W1", "holds", 5, seconds=6.0),
        other("spin -DNOREDUCE", "W1", "holds", 900, seconds=6.0, search_seconds=1.0),
        other("harmony", "W1", "not installed"),
    ]
    assert [(t.what, t.measured, t.met) for t in suite.targets(rows, others)] == [
        ("W2, command", "10.5s", False),
        ("W2, peak", "0 MiB", True),
        ("check, command", "9.00s", True),
        ("check, peak", "0 MiB", True),
        ("check-sc, command", "4.00s", True),
        ("check-sc, peak", "0 MiB", True),
        ("W1, command against that of spin", "12.0x", True),
        ("W1, states/s without reduction against SPIN's, 1 thread", "1.1x", True),
        ("W1, states/s without reduction against SPIN's, 2 threads", "2.2x", True),
        ("W3, two threads against one", "2.0x", True),
        ("check under tso against sc", "2.2x", False),
        ("W1, memory a state beside itself", "33.0 B", False),
    ]


def test_peers_run_what_they_have_a_model_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite.peers, "search_path", lambda: "/nowhere")
    found = list(suite.peer_runs(suite.chosen(["W-inf-a", "W1", "W4", "check"]), 5))
    assert {run.outcome for run in found} == {"not installed"}
    names = [peer.name for peer in suite.peers.PEERS]
    assert [(run.workload, run.peer) for run in found] == [
        *(("W1", name) for name in names), *(("W4", name) for name in names if name != "spin -DNOREDUCE")]


def test_every_workload_is_measured_unless_some_are_named() -> None:
    assert [work.name for work in suite.chosen([])] == [
        "W1", "W2", "W3", "W4", "W5a", "W5b", "W5c", "W-inf-a", "W-inf-s", "check", "check-sc"]
    assert [work.name for work in suite.chosen(["check-all", "W1", "W1"])] == ["check-all", "W1"]


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (("as expected", "as expected"), 0),
        (("as expected", "not finished in 1 s"), 3),
        (("not finished in 1 s", "differs: p violated"), 1),
        (("failed: gone", "as expected"), 1),
    ],
)
def test_the_exit_status_tells_the_worst(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcomes: tuple[str, ...], status: int
) -> None:
    rows = [replace(ROW, outcome=outcome, states=1234, seconds=12.34) for outcome in outcomes]
    monkeypatch.setattr(suite, "measured", lambda *asked: iter(rows))
    assert suite.run((), False, "auto", 2, 9, False) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "work", "what", "engine", "cores", "states", "transitions", "states/s", "time", "peak", "steps", "result"]
    assert [line.rstrip().endswith(outcome) for line, outcome in zip(lines[2:4], outcomes, strict=True)] == [True] * 2
    assert suite.run((), False, "auto", 2, 9, True) == status
    printed = json.loads(capsys.readouterr().out)
    assert (printed["schema"], [row["outcome"] for row in printed["rows"]]) == (1, list(outcomes))


# -- the verb -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("W9", "there is no workload 'W9' to measure; there are W1, W2, W3, W4, W5a, W5b, W5c, W-inf-a, W-inf-s, "
               "check, check-sc, check-all"),
        ("--engine c", "there is no engine 'c'; there are auto, python, native"),
        ("--workers 0", "--workers '0' is not a whole number of at least 1; leave the option out for its default"),
        ("--limit soon", "--limit 'soon' is not a number of seconds above zero; write it as in 90 or 0.5"),
        ("--limit 0", "--limit '0' is not a number of seconds above zero; write it as in 90 or 0.5"),
    ],
)
def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], arguments: str, sentence: str) -> None:
    assert main(["bench", *arguments.split()]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"error: {sentence}\n")


def test_the_native_engine_is_not_measured_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelcheck.explore.engine.native_missing", lambda: "no compiler")
    assert suite.engine_named("auto") == "python"
    with pytest.raises(UsageError, match="there is no native engine to measure: no compiler; leave --engine out"):
        suite.engine_named("native")


def checkout(root: Path) -> Path:
    for name in ("tests/bench/suite.py", "modelcheck/cli/bench.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_the_suite_is_looked_for_upwards_and_then_around_the_package(tmp_path: Path) -> None:
    here, installed = checkout(tmp_path / "here"), tmp_path / "site-packages" / "modelcheck"
    (here / "a" / "b").mkdir(parents=True)
    assert find_suite(here / "a" / "b", installed) == here / "tests" / "bench" / "suite.py"
    assert find_suite(tmp_path, here / "modelcheck") == here / "tests" / "bench" / "suite.py"
    (here / "modelcheck" / "cli" / "bench.py").unlink()  # another project's bench
    with pytest.raises(UsageError, match=r"bench needs a checkout of modelcheck .* change into one and run"):
        find_suite(here / "a", installed)


def test_the_suite_is_loaded_without_a_trace(tmp_path: Path) -> None:
    (checkout(tmp_path) / "tests" / "bench" / "suite.py").write_text("def run(*asked):\n    return 3\n")
    assert load(find_suite(tmp_path)).run() == 3
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_verb_measures_from_anywhere_in_a_checkout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "tests" / "bench")
    assert main(["bench", "W4", "--json", "--workers", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["work"], row["verdict"], row["steps"]) == ("W4", "violated", 17)

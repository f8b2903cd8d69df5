"""Verdicts through the command line that need a spec of their own: VACUOUS, fair runs, an error in one row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modelcheck.cli.main import main
from modelcheck.trace.file import read_trace, write_trace

WITNESS = '''
from modelcheck import Model, SpinLock, assign, check, reach, test

def model():
    m = Model("witness")
    lock, inside, busy = SpinLock("lock"), m.range("inside", 0, 1), m.bool("busy")

    def task():
        if not (yield lock.trylock()):
            WITNESS
            return
        yield assign(inside, inside + 1)
        yield check(inside.eq(1), "exclusive")
        yield assign(inside, inside - 1)
        yield lock.unlock()

    m.process("left", task)
    m.process("right", task)
    m.assertion("exclusive", "nobody else is inside", ("trylock failed",))
    m.deadlock()
    return m
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_witness_that_is_reached_no_more_makes_the_verdict_vacuous(
        here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(WITNESS.replace("WITNESS", 'yield reach("trylock failed")'))
    assert main(["check", "./mine.py"]) == 0
    assert "HOLDS: 2 hold" in capsys.readouterr().out
    Path("gone.py").write_text(WITNESS.replace("WITNESS", 'yield reach("something else")'))
    assert main(["check", "./gone.py"]) == 3
    out = capsys.readouterr().out
    assert "\nVACUOUS exclusive: never reached: trylock failed\n" in out
    assert out.splitlines()[-1].startswith("VACUOUS: 1 vacuous, 1 holds ")
    assert main(["check", "./gone.py", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "vacuous"
    assert [(r["property"], r["verdict"], r["witnesses"]) for r in found["results"]] == [
        ("exclusive", "vacuous", {"trylock failed": False}), ("deadlock", "holds", {})]
    assert main(["check", "./gone.py", "--property", "deadlock"]) == 0


FAIR = '''
from modelcheck import Model, assign, choose

def model():
    m = Model("flag")
    up = m.bool("up")

    def writer():
        while True:
            yield assign(up, 1)
            yield assign(up, 0)

    def poller():
        while True:
            yield choose("poll", 1)

    m.process("writer", writer)
    m.process("poller", poller)
    m.eventually("clears", up.eq(0), "the flag is cleared", fair=("writer",), when=up.eq(1))
    m.eventually("starves", up.eq(0), "the flag is cleared", fair=("poller",), when=up.eq(1))
    m.eventually("stops", up.eq(0), "the flag is cleared", when=up.eq(1))
    return m
'''


def test_what_fair_runs_come_to_is_checked_shown_and_replayed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fair.py").write_text(FAIR)
    assert main(["check", "./fair.py", "--json", "--traces", "t"]) == 1
    found = {r["property"]: r for r in json.loads(capsys.readouterr().out)["results"]}
    assert {name: r["verdict"] for name, r in found.items()} == {
        "clears": "holds", "starves": "violated", "stops": "violated"}
    assert found["clears"]["assumptions"][0] == "writer: a process that can go on does (weak fairness)"
    assert found["starves"]["short"] == (
        "The last step repeats for ever, fair to poller, and (up == 0) never comes.")
    assert found["stops"]["short"] == "Nobody else need go on, and (up == 0) never comes."
    for name, steps in (("starves", 2), ("stops", 1)):
        assert main(["replay", found[name]["trace"], "./fair.py"]) == 0
        assert capsys.readouterr().out == (
            f"{name} of fair only is violated: {steps} steps replayed step by step, "
            "and what repeats is closed and fair.\n")
        for form in ("table", "paste", "svg", "dot", "json"):
            assert main(["show", found[name]["trace"], "--as", form]) == 0
            assert "never" in capsys.readouterr().out


def test_a_trace_whose_end_does_not_repeat_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fair.py").write_text(FAIR)
    main(["check", "./fair.py", "--json", "--traces", "t", "--property", "starves"])
    path = Path(json.loads(capsys.readouterr().out)["results"][0]["trace"])
    trace = read_trace(path)
    write_trace(replace(trace, steps=trace.steps[:-1], deciding=0, fate=None, passing=None), path)
    assert main(["replay", str(path), "./fair.py"]) == 2
    assert capsys.readouterr().err == (
        "error: the trace replays, and its end does not repeat without starves; it is not a counterexample\n")


BROKEN = '''
from modelcheck import Model, Parameter, PropertyInfo, Spec, assign

def build(setting, projection):
    m = Model("rooms")
    x = m.range("x", 0, 2)

    def task():
        yield assign(x, setting.number("room"))

    m.process("task", task)
    m.invariant("small", x.le(1))
    return m

SPEC = Spec("rooms", "rooms", build, parameters=(Parameter("room", "a number", lo=0, hi=9, default=(0, 1, 2, 3)),),
            properties=(PropertyInfo("small", "x is small"),))
'''


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_broken_combination_leaves_the_others_their_results(
        here: Path, capsys: pytest.CaptureFixture[str], workers: str) -> None:
    Path("rooms.py").write_text(BROKEN)
    assert main(["check", "./rooms.py", "--workers", workers, "--traces", "t"]) == 2
    captured = capsys.readouterr()
    assert "INCOMPLETE small room=3: error: ./rooms.py:9: x became 3, outside 0..2" in captured.out
    assert captured.out.splitlines()[-1].startswith("VIOLATED: 1 violated, 1 incomplete, 1 holds ")
    assert len(list(Path("t").iterdir())) == 1
    assert main(["check", "./rooms.py", "--set", "room=3"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ./rooms.py:9: x became 3, outside 0..2")

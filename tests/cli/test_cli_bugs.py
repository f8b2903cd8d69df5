"""Known bugs at the command line: listed, shown whole, and checked against the verdicts that tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modelcheck.cli import loader
from modelcheck.cli.main import main

SPEC = '''
from modelcheck import Case, Model, Parameter, PropertyInfo, Spec, Trial, Version, assign

def build(setting, projection):
    m = Model("rooms", setting.memory)
    x = m.range("x", 0, 3)

    def task():
        yield assign(x, setting.number("room") if setting.version == "old" else 0)

    m.process("task", task)
    m.invariant("small", x.le(1))
    return m

SPEC = Spec(
    "rooms", "rooms", build, versions=(Version("old", ("1",)), Version("new")),
    parameters=(Parameter("room", "a number", lo=0, hi=4, default=(0, 1, 2)),),
    properties=(PropertyInfo("small", "x is small"),),
    cases=(
        Case("B1", "a large room", "old", "fixed", "It is large. Somebody made it small.",
             before=(Trial("old", "small", (("room", 2),)),),
             after=(Trial("new", "small", verdict="holds"), Trial("new", "small", (("room", 2),), "sc", "holds")),
             fixed_by='1234567890ab "rooms: smaller"', conditions="a room of 2 or more", trace="rooms.json",
             report="Subject: rooms\\n\\nThey are large.\\n"),
        Case("D2", "no bug at all", "all", "refuted", "It was thought to be one. It is none.",
             before=(Trial("old", "small", (("room", 1),), verdict="holds"),)),
        Case("D3", "told wrongly", "old", "confirmed", "One. Two.", before=(Trial("old", "small", (("room", 1),)),)),
        Case("D4", "out of range", "old", "confirmed", "One. Two.", before=(Trial("old", "small", (("room", 4),)),)),
        Case("D5", "nothing to check", "old", "control", "One. Two."),
    ))
'''


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("rooms.py").write_text(SPEC)
    return tmp_path


def out(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status
    return capsys.readouterr().out


SHORT = """\
known bugs of rooms

  B1    a large room
        fixed by 1234567890ab "rooms: smaller"
        in old
        a room of 2 or more
  D2    no bug at all
        refuted
        in all
"""
WHOLE = """\
B1: a large room
  fixed by 1234567890ab "rooms: smaller"
  versions: old
  needs: a room of 2 or more

It is large. Somebody made it small.

before: violated
    modelcheck check ./rooms.py --version old --set room=2 --property small

after: holds
    modelcheck check ./rooms.py --version new --property small

after: holds
    modelcheck check ./rooms.py --version new --set room=2 --memory sc --property small

counterexample
    modelcheck show traces/rooms.json

report

Subject: rooms

They are large.
"""


def test_bugs_are_listed_in_short_and_one_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "list", "./rooms.py", "--bugs").startswith(SHORT)
    assert out(capsys, "list", "./rooms.py", "--bug", "B1") == WHOLE


@pytest.mark.parametrize("columns", [30, 40, 59, 60, 79])
def test_no_line_is_wider_than_the_terminal_but_what_cannot_be_cut(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert all(len(line) <= columns for line in out(capsys, "list", "./rooms.py", "--bugs").splitlines())
    whole = [line for line in out(capsys, "list", "./rooms.py", "--bug", "B1").splitlines() if len(line) > columns]
    assert {line.split()[0] for line in whole} <= {"modelcheck"}  # the command's own name with its spec


def test_a_command_cut_over_lines_is_the_same_command(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "45")
    text = out(capsys, "list", "./rooms.py", "--bug", "B1")
    command = ("modelcheck check ./rooms.py \\", "--version new --set room=2 --memory sc \\", "--property small")
    assert "".join(f"    {line}\n" for line in command) in text


def test_the_id_of_one_may_follow_bugs(capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "list", "--bugs", "D6").startswith("D6: ")
    assert out(capsys, "list", "--bugs", "runstate").startswith("known bugs of runstate\n")


def test_without_a_spec_the_bugs_of_every_one_are_listed_the_default_first(
        capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "list", "--bugs").splitlines()
    heads = [line.removeprefix("known bugs of ") for line in lines if line.startswith("known bugs of ")]
    assert heads == ["runstate", "dirty_logging", "pfncache"]
    assert sum("shows one whole" in line for line in lines) == 1
    assert any(line.startswith("  B19    ") for line in lines[lines.index("known bugs of pfncache"):])
    assert not any(line.startswith("  B19") for line in lines[:lines.index("known bugs of pfncache")])
    found = json.loads(out(capsys, "list", "--bugs", "--json"))
    assert {bug["id"]: bug["spec"] for bug in found["bugs"]}.items() >= {"B4": "runstate", "B19": "pfncache"}.items()
    assert "spec" not in found


def test_a_bug_is_found_in_whichever_spec_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "list", "--bugs", "B19")
    assert text.startswith("B19: ") and "modelcheck check pfncache --version 9fa336e343b2" in text
    assert out(capsys, "list", "pfncache", "--bug", "B19") == text
    assert json.loads(out(capsys, "list", "--bug", "B19", "--json"))["spec"] == "pfncache"


def test_a_bug_that_two_specs_have_needs_the_name_of_one(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    one = loader.load("./rooms.py")
    monkeypatch.setattr(loader, "load_all", lambda: (one, replace(one, name="halls")))
    assert main(["list", "--bug", "B1"]) == 2
    assert capsys.readouterr().err == "error: 2 specs have a bug 'B1': rooms, halls; name one of them\n"


def test_cases_of_several_specs_are_checked_together(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    one = loader.load("./rooms.py")
    other = replace(one, name="halls", cases=(replace(one.cases[1], id="H1"),))
    monkeypatch.setattr(loader, "load_all", lambda: (one, other, replace(one, name="none", cases=())))
    found = json.loads(out(capsys, "check", "--case", "H1,B1", "--json"))
    assert [(case["spec"], case["id"], len(case["checks"])) for case in found["cases"]] == [
        ("rooms", "B1", 3), ("halls", "H1", 1)]
    lines = out(capsys, "check", "--bugs", status=2).splitlines()
    assert [line.split()[0] for line in lines[2:9]] == ["B1", "B1", "B1", "D2", "D3", "D4", "H1"]


def test_bugs_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(out(capsys, "list", "./rooms.py", "--bugs", "--json"))
    assert (found["schema"], found["spec"], [bug["id"] for bug in found["bugs"]]) == (
        1, "rooms", ["B1", "D2", "D3", "D4", "D5"])
    one = json.loads(out(capsys, "list", "./rooms.py", "--bug", "B1", "--json"))
    assert one["before"] == [{
        "version": "old", "property": "small", "values": {"room": 2}, "memory": "tso", "verdict": "violated",
        "command": "modelcheck check ./rooms.py --version old --set room=2 --property small"}]
    assert one["report"] == "Subject: rooms\n\nThey are large.\n"


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["list", "./rooms.py", "--bug", "B9"], "spec 'rooms' has no bug 'B9'; there are B1, D2, D3, D4, D5"),
    (["list", "--bugs", "B99"], "no spec has a bug 'B99'; there are B3, B4, "),
    (["list", "runstate", "--bug", "B19"], "spec 'runstate' has no bug 'B19'; there are B3, "),
    (["check", "--case", "B14,B99"], "no spec has a bug 'B99'; there are B3, B4, "),
    (["check", "./rooms.py", "--case", "B9"], "spec 'rooms' has no bug 'B9'; there are B1, D2, D3, D4, D5"),
    (["check", "./rooms.py", "--case", "D5"], "there is nothing to check for D5; `modelcheck list --bugs` says why"),
    (["check", "./rooms.py", "--case", "B1", "--set", "room=1"],
     "--case and --bugs say themselves what is checked; leave --set out"),
    (["check", "./rooms.py", "--bugs", "--version", "old"],
     "--case and --bugs say themselves what is checked; leave --version out"),
    (["check", "./rooms.py", "--bugs", "--property", "small"],
     "--case and --bugs say themselves what is checked; leave --property out"),
    (["check", "./rooms.py", "--bugs", "--memory", "tso"],
     "--case and --bugs say themselves what is checked; leave --memory out"),
])
def test_bad_calls_are_refused_in_one_sentence(
        capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {sentence}")
    assert captured.err.count("\n") == 1


def test_a_spec_without_known_bugs_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path("none.py").write_text(
        "from modelcheck import Model\n\ndef model():\n    m = Model('m')\n    m.deadlock()\n    return m\n")
    assert out(capsys, "list", "./none.py", "--bugs") == "none has no known bugs\n"
    assert json.loads(out(capsys, "list", "./none.py", "--bugs", "--json"))["bugs"] == []
    assert main(["check", "./none.py", "--bugs"]) == 2
    assert capsys.readouterr().err == "error: spec 'none' has no known bugs to check\n"


def test_a_case_is_checked_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "check", "./rooms.py", "--case", "B1,D2", "--traces", "t").splitlines()
    assert [line.split()[:-1] for line in lines[2:6]] == [
        ["B1", "before", "old", "small", "room=2", "memory=tso", "VIOLATED"],
        ["B1", "after", "new", "small", "memory=tso", "HOLDS"],
        ["B1", "after", "new", "small", "room=2", "memory=sc", "HOLDS"],
        ["D2", "before", "old", "small", "room=1", "memory=tso", "HOLDS"],
    ]
    assert lines[-1] == "cases: all 4 checks of 2 cases are as expected"
    (trace,) = Path("t").iterdir()
    assert f"    modelcheck show {trace}" in lines


def test_a_case_that_is_told_wrongly_differs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "check", "./rooms.py", "--case", "D3", "--case", "D2", status=1).splitlines()
    assert lines[-2:] == ["DIFFERS D3 before: small of old is expected violated, is holds",
                          "cases: 1 of 2 checks of 2 cases differ"]
    assert out(capsys, "check", "./rooms.py", "--case", "D3", "--quiet", status=1) == (
        "cases: 1 of 1 checks of 1 case differ\n")


def test_checked_cases_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(out(capsys, "check", "./rooms.py", "--case", "B1,D3", "--json", status=1))
    assert (found["schema"], found["agrees"], [case["id"] for case in found["cases"]]) == (1, False, ["B1", "D3"])
    assert [(each["when"], each["expected"], each["verdict"], each["agrees"], len(each["results"]))
            for case in found["cases"] for each in case["checks"]] == [
        ("before", "violated", "violated", True, 1), ("after", "holds", "holds", True, 1),
        ("after", "holds", "holds", True, 1), ("before", "violated", "holds", False, 1)]


def test_a_bound_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "check", "./rooms.py", "--case", "D2", "--max-states", "1", status=3)
    assert text.splitlines()[-2] == (
        "DIFFERS D2 before: small of old is expected holds, is incomplete; 1 states")


def test_every_case_is_checked_and_one_that_cannot_be_leaves_the_others_theirs(
        capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "check", "./rooms.py", "--bugs", status=2).splitlines()
    assert [line.split()[0] for line in lines[2:8]] == ["B1", "B1", "B1", "D2", "D3", "D4"]
    text = " ".join(" ".join(lines).split())
    wanted = "small of old is expected violated, is incomplete; error: ./rooms.py:9: x became 4"
    assert f"DIFFERS D4 before: {wanted}" in text
    assert lines[-1] == "cases: 2 of 6 checks of 4 cases differ"

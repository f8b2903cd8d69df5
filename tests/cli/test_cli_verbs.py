"""Every verb as a person runs it: a subprocess in a directory of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import ROOT, modelcheck
from sample_traces import long_trace, torn_read  # tests/trace

from modelcheck.cli.main import main
from modelcheck.cli.progress import ProgressLine, describe, duration
from modelcheck.trace.file import to_text, write_trace
from modelcheck.view import ABOUT, FORMS

VERBS = ("list", "check", "show", "replay", "litmus", "ablate", "bench")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], *([verb, "--help"] for verb in VERBS)])
def test_help_of_everything(tmp_path: Path, arguments: list[str]) -> None:
    done = modelcheck(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: modelcheck")


def test_help_names_every_verb(tmp_path: Path) -> None:
    listed = modelcheck("--help", cwd=tmp_path).stdout.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.splitlines() if line.strip()] == list(VERBS)


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["list"], ["--version"]])
def test_help_and_list_import_nothing_slow(arguments: list[str], tmp_path: Path) -> None:
    script = ("import sys; from modelcheck.cli.main import main; status = main(sys.argv[1:]);"
              "print(sorted({'z3', 'networkx', 'rich', 'jsonschema'} & set(sys.modules)), status)")
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=50, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_version_is_a_number_or_says_where_it_runs_from(tmp_path: Path) -> None:
    done = modelcheck("--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("modelcheck ")


def test_list_shows_versions_properties_and_parameters(tmp_path: Path) -> None:
    done = modelcheck("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("runstate (default): ")
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if line[:1].strip()] == [
        "runstate (default)", "dirty_logging", "long_mode", "memslot_access", "pfncache", "shared_info"]
    for text in ("5ec3289b=seed", "torn-read", "offset=0..4095", "abi=64|32", "6addfcf27139=6.9", "refresh-ends"):
        assert text in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 110


def test_list_as_json(tmp_path: Path) -> None:
    found = json.loads(modelcheck("list", "runstate", "--json", cwd=tmp_path).stdout)
    assert (found["schema"], found["default"]) == (1, "runstate")
    (spec,) = found["specs"]
    assert spec["newest"] == spec["versions"][-1]["name"]
    offset = next(parameter for parameter in spec["parameters"] if parameter["name"] == "offset")
    assert (offset["values"], offset["default"]) == ("0..4095", "0..4095")


def test_list_of_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        '"""A lock of my own."""\nfrom modelcheck import Model\n'
        'def model():\n    m = Model("mine")\n    m.deadlock()\n    return m\n')
    done = modelcheck("list", "./mine.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mine: A lock of my own.\n")
    assert "deadlock  no process is stuck for ever" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved trace in a directory of its own."""
    write_trace(torn_read(), tmp_path / "race.json")
    return tmp_path


@pytest.mark.parametrize(("form", "start"), [
    ("table", ""), ("paste", ""), ("svg", "<"), ("html", "<!doctype html>"), ("dot", "digraph"), ("json", "{"),
    ("text", "A counterexample"),     ("mermaid", "sequenceDiagram\n"), ("graphml", "<?xml"), ("graph", "{")])
def test_show_in_every_form(saved: Path, form: str, start: str) -> None:
    done = modelcheck("show", "race.json", "--as", form, cwd=saved)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)
    assert done.stdout.endswith("\n")
    again = modelcheck("show", "race.json", "--as", form, "-o", "out", cwd=saved)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (saved / "out").read_text(encoding="utf-8") == done.stdout
    assert sorted(path.name for path in saved.iterdir()) == ["out", "race.json"]


def test_show_names_every_form_in_a_line_of_its_own(tmp_path: Path) -> None:
    lines = modelcheck("show", "--help", cwd=tmp_path).stdout.partition("Forms:\n")[2].splitlines()
    told = [line.split(maxsplit=1) for line in lines if line.strip()]
    assert [name for name, _ in told] == list(FORMS)
    assert all(about == ABOUT[name] for name, about in told)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("damage", ["truncated", "another schedule", "another value"])
@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_trace_is_shown_in_no_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, damage: str
) -> None:
    text = to_text(torn_read())
    damaged = {
        "truncated": text[:-20],
        "another schedule": text.replace('"choice": "load:0"', '"choice": "load:1"', 1),
        "another value": text.replace('"values": "02000000"', '"values": "03000000"', 1),
    }[damage]
    assert damaged != text
    (tmp_path / "bad.json").write_text(damaged)
    for output in ([], ["-o", str(tmp_path / "out")]):
        assert main(["show", str(tmp_path / "bad.json"), "--as", form, *output]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("error: cannot read the trace ")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]


@pytest.mark.parametrize(("form", "start"), [("table", "left: runstate 5ec3289b: torn-read (known: D6), id 9a01b1ac0f"),
                                             ("html", "<!doctype html>")])
def test_show_compares_two_traces(saved: Path, form: str, start: str) -> None:
    write_trace(long_trace(), saved / "long.json")
    done = modelcheck("show", "race.json", "--compare", "long.json", "--as", form, cwd=saved)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)
    assert done.stdout.endswith("\n")


@pytest.mark.parametrize("damage", ["truncated", "edited", "step"])
def test_a_damaged_trace_is_no_page(saved: Path, damage: str) -> None:
    text = (saved / "race.json").read_text("utf-8")
    bad = {"truncated": text[: len(text) // 2], "edited": text.replace('"choice": "load:0"', '"choice": "load:9"', 1),
           "step": text.replace('"deciding": 20', '"deciding": 21', 1)}[damage]
    assert bad != text
    (saved / "bad.json").write_text(bad, encoding="utf-8")
    for more in ((), ("--compare", "race.json")):
        done = modelcheck("show", "bad.json", *more, "--as", "html", "-o", "page.html", cwd=saved)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: cannot read the trace bad.json: ")
    assert not (saved / "page.html").exists()


def test_show_is_a_table_unless_told_otherwise(saved: Path) -> None:
    assert modelcheck("show", "race.json", cwd=saved).stdout == modelcheck("show", "race.json", "--as", "table",
                                                                           cwd=saved).stdout


def test_show_as_paste_fits_a_changelog(saved: Path) -> None:
    text = modelcheck("show", "race.json", "--as", "paste", cwd=saved).stdout
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 75


def test_show_into_a_place_that_cannot_be_written_keeps_what_is_there(saved: Path) -> None:
    (saved / "folder").mkdir()
    for place, reason in (("folder", "it is a directory; name a file"), ("none/out", "no such file or directory")):
        done = modelcheck("show", "race.json", "-o", place, cwd=saved)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: cannot write {place}: {reason}")
    done = modelcheck("show", "race.json", "-o", "/dev/null", cwd=saved)
    assert done.returncode == 0
    assert Path(os.devnull).is_char_device()
    assert sorted(path.name for path in saved.iterdir()) == ["folder", "race.json"]


def test_show_through_a_link_writes_what_it_points_to(saved: Path) -> None:
    (saved / "target").write_text("old")
    (saved / "link").symlink_to("target")
    assert modelcheck("show", "race.json", "-o", "link", cwd=saved).returncode == 0
    assert (saved / "link").is_symlink()
    assert (saved / "target").read_text(encoding="utf-8") != "old"


@pytest.mark.parametrize("verb", ["show", "replay"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe",
                                     b'{"format": "modelcheck-trace", "schema": 99}'])
def test_bad_trace_files_are_refused_in_one_sentence(tmp_path: Path, verb: str, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    done = modelcheck(verb, "bad.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot read the trace bad.json: ")
    assert done.stderr.count("\n") == 1


def _of_a_file(folder: Path, content: bytes) -> None:
    trace = replace(torn_read(), spec="./mine.py", spec_hash=hashlib.sha256(content).hexdigest())
    write_trace(trace, folder / "mine.json")


def test_replay_runs_a_file_only_when_it_is_named(tmp_path: Path) -> None:
    content = b"open('ran', 'w').close()\n"
    (tmp_path / "mine.py").write_bytes(content)
    _of_a_file(tmp_path, content)
    done = modelcheck("replay", "mine.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ("error: mine.json was found in the file ./mine.py, which runs only when you name it: "
                           "modelcheck replay mine.json ./mine.py\n")
    assert not (tmp_path / "ran").exists()


def test_replay_refuses_a_file_that_changed_and_runs_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"open('ran', 'w').close()\n")
    _of_a_file(tmp_path, b"what it was\n")
    done = modelcheck("replay", "mine.json", "./mine.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: mine.json was found in another content of mine.py: its sha256 began ")
    assert not (tmp_path / "ran").exists()


def test_replay_refuses_another_spec_than_the_traces(saved: Path) -> None:
    done = modelcheck("replay", "race.json", "./mine.py", cwd=saved)
    assert done.returncode == 2
    assert done.stderr.startswith("error: race.json is of the spec ")


def test_a_reader_that_goes_away_is_no_error(saved: Path) -> None:
    command = [sys.executable, "-m", "modelcheck", "show", "race.json", "--as", "svg"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(command, cwd=saved, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=pipe,
                              stderr=subprocess.PIPE, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("number", "sentence"), [
    (signal.SIGTERM, b"stopped by SIGTERM before there was a result\n"),
    (signal.SIGINT, b"interrupted before there was a result\n"),
])
def test_signals_outside_a_search_are_incomplete(tmp_path: Path, number: signal.Signals, sentence: bytes) -> None:
    (tmp_path / "slow.py").write_text("import time\nopen('started', 'w').close()\ntime.sleep(40)\n")
    running = subprocess.Popen([sys.executable, "-m", "modelcheck", "list", "./slow.py"], cwd=tmp_path,
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))  # else a shell's `&` counts
    with contextlib.closing(running.stderr) as stderr:  # type: ignore[type-var]
        while not (tmp_path / "started").exists():
            assert running.poll() is None
            time.sleep(0.01)  # waits for the other process, not for a result
        running.send_signal(number)
        assert (running.wait(timeout=30), stderr.read().lstrip(b"\n")) == (3, sentence)  # type: ignore[union-attr]


def test_progress_line_says_how_far_it_is() -> None:
    assert describe("torn", 12345, 1000.0, 7, 89, 0.25, 30.0, ", about 1m30s left") == (
        " 25% 12,345 states (1,000/s), depth 7, frontier 89, 30s, about 1m30s left: torn")
    assert describe("torn", 1, 1.0, 0, 1, 0.0, 0.5) == "1 states (1/s), depth 0, frontier 1, 0.5s: torn"
    assert describe("5 of 9 systems decided", 0, 0.0, 0, 0, 5 / 9, 2.0) == " 56% 2.0s: 5 of 9 systems decided"
    assert [duration(seconds) for seconds in (0.04, 9.94, 12.4, 59.6, 185, 7810)] == [
        "0.0s", "9.9s", "12s", "1m00s", "3m05s", "2h10m"]


def test_progress_is_silent_when_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine() as progress:
        progress.next = 0.0
        progress("p", 1, 2, 3, 0.5)
    assert capsys.readouterr().err == ""

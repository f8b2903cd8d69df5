"""`check --report`: a directory written whole or not at all, which never takes another person's files away."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from cli_runs import modelcheck
from test_cli_own_spec import MINE

from modelcheck.cli import pages
from modelcheck.cli.main import main

ADVICE = "name a directory of its own with --report DIR"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own with a spec that has a violated and a holding property."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    return tmp_path


def files(directory: Path) -> dict[str, bytes]:
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*")
            if path.is_file()}


def without_cost(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: re.sub(rb'<section id="cost">.*?</section>', b"", text, flags=re.DOTALL)
            for name, text in found.items()}


def test_a_report_is_a_directory_of_pages_with_the_counterexamples(here: Path) -> None:
    assert main(["check", "./mine.py", "--report", "out/report"]) == 1
    found = files(here / "out" / "report")
    listed = found.pop(pages.LIST).decode().splitlines()
    assert listed == sorted(found)
    assert {Path(name).parts[0] for name in found} == {"index.html", "source", "traces"}
    (trace,) = (here / "modelcheck-traces").iterdir()
    (data,) = (name for name in found if name.endswith(".json"))
    assert found[data] == trace.read_bytes()
    index = found["index.html"].decode()
    for name in re.findall(r'href="(traces/[^"]+|source/[^"#]+)', index):
        assert name in found
    assert os.listdir(here / "out") == ["report"]


def test_a_report_of_ours_is_replaced(here: Path) -> None:
    assert main(["check", "./mine.py", "--report", "r"]) == 1
    before = files(here / "r")
    assert main(["check", "./mine.py", "--report", "r", "--property", "deadlock"]) == 0
    after = files(here / "r")
    assert any(name.startswith("traces/") for name in before) and not any(name.startswith("traces/") for name in after)
    assert sorted(path.name for path in here.iterdir()) == ["mine.py", "modelcheck-traces", "r"]


def test_an_empty_directory_is_taken_and_a_link_stays_a_link(here: Path) -> None:
    (here / "real").mkdir()
    (here / "link").symlink_to("real")
    assert main(["check", "./mine.py", "--report", "link"]) == 1
    assert (here / "link").is_symlink() and (here / "real" / "index.html").is_file()


@pytest.mark.parametrize(("make", "sentence"), [
    (["notes.txt"], "it holds notes.txt, which is no part of a report of ours"),
    (["modelcheck-report.txt", "index.html", "deep/er/mine.txt"],
     "it holds deep/er/mine.txt, which is no part of a report of ours"),
    (["index.html"], "it holds index.html, which is no part of a report of ours"),
    (["sub/"], "it holds sub, which is no part of a report of ours"),
])
def test_another_persons_files_are_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str], make: list[str], sentence: str
) -> None:
    for name in make:
        path = here / "r" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text("index.html\n" if name == pages.LIST else "mine")
    before = files(here / "r")
    assert main(["check", "./mine.py", "--report", "r"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"error: cannot write the report to r: {sentence}; {ADVICE}\n")
    assert files(here / "r") == before
    assert not (here / "modelcheck-traces").exists()


def test_what_cannot_be_a_report_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sentence in (
        ("", f"--report needs a directory, and '' is none; {ADVICE}"),
        ("mine.py", f"cannot write the report to mine.py: it is a file; {ADVICE}"),
        ("t", f"cannot write the report to t: the traces are saved there; {ADVICE}"),
        ("mine.py/r", f"cannot write the report to mine.py/r: not a directory; {ADVICE}"),
    ):
        assert main(["check", "./mine.py", "--report", name, "--traces", "t/here"]) == 2
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", f"error: {sentence}\n")
    (here / "inside").mkdir()
    os.chdir(here / "inside")
    assert main(["check", "../mine.py", "--report", "."]) == 2
    assert capsys.readouterr().err == (
        f"error: cannot write the report to .: the current directory is there; {ADVICE}\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("fails", ["write_text", "rename"])
def test_a_report_that_cannot_be_written_leaves_the_old_one(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    assert main(["check", "./mine.py", "--report", "r"]) == 1
    before = files(here / "r")
    capsys.readouterr()
    plain, calls = getattr(Path, fails), []

    def full(self: Path, *arguments: object, **options: object) -> object:
        calls.append(self)
        if len(calls) == 2:  # the second page; the new directory's turn to take the name
            raise OSError(28, "No space left on device")
        return plain(self, *arguments, **options)

    monkeypatch.setattr(Path, fails, full)
    assert main(["check", "./mine.py", "--report", "r"]) == 2
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].startswith("VIOLATED: ")  # the verdicts are told all the same
    assert captured.err.startswith("error: cannot write the report to ")
    assert captured.err.endswith(f": no space left on device; {ADVICE}\n")
    assert files(here / "r") == before
    assert sorted(path.name for path in here.iterdir()) == ["mine.py", "modelcheck-traces", "r"]


def test_the_same_pages_for_any_engine_workers_and_hash_seed_but_for_the_cost(here: Path) -> None:
    found = []
    for workers, seed, engine in (("1", "0", "auto"), ("2", "1", "python")):
        done = modelcheck("check", "./mine.py", "--report", "r", "--workers", workers, "--engine", engine, cwd=here,
                          PYTHONHASHSEED=seed)
        assert (done.returncode, done.stderr) == (1, "")
        found.append(without_cost(files(here / "r")))
    assert found[0] == found[1]


def test_a_file_that_comes_while_the_search_runs_is_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = pages._traces

    def late(report):
        (here / "r").mkdir()
        (here / "r" / "mine.txt").write_text("mine")
        return plain(report)

    monkeypatch.setattr(pages, "_traces", late)
    assert main(["check", "./mine.py", "--report", "r"]) == 2
    assert "it holds mine.txt, which is no part of a report of ours" in capsys.readouterr().err
    assert files(here / "r") == {"mine.txt": b"mine"}
    assert sorted(path.name for path in here.iterdir()) == ["mine.py", "modelcheck-traces", "r"]

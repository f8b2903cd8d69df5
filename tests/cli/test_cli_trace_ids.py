"""`replay` and `show` find a counterexample by its id, or the beginning of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import ROOT, modelcheck

from modelcheck.cli.find_trace import _saved, find_trace
from modelcheck.errors import UsageError
from modelcheck.trace.file import read_trace, write_trace
from modelcheck.trace.trace import Passing

B6 = "1d05a3721a"  # the shortest of the saved ones


def save(directory: Path, *ids: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for identity in ids:
        (directory / f"spec-property-{identity}.json").write_text("{}")


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory of its own, as from an installation: without the project's saved counterexamples."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("modelcheck.cli.find_trace._saved", list)


def test_an_id_finds_the_file_in_the_usual_directory() -> None:
    save(Path("modelcheck-traces"), "0123456789", "0123ffffff")
    assert find_trace("0123456789") == "modelcheck-traces/spec-property-0123456789.json"
    assert find_trace("01234") == "modelcheck-traces/spec-property-0123456789.json"


def test_another_directory_may_be_named() -> None:
    save(Path("modelcheck-traces"), "0123456789")
    save(Path("mine"), "0123aaaaaa")
    assert find_trace("0123", "mine") == "mine/spec-property-0123aaaaaa.json"


def test_a_file_of_that_name_comes_first() -> None:
    save(Path("modelcheck-traces"), "0123456789")
    Path("0123").write_text("{}")
    assert find_trace("0123") == "0123"


@pytest.mark.parametrize("name", ["trace.json", "012", "0123456789a", "ABCD", "spec-property-0123456789"])
def test_what_is_no_id_is_a_path(name: str) -> None:
    save(Path("modelcheck-traces"), "0123456789")
    assert find_trace(name) == name


def test_the_saved_counterexamples_are_looked_through_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelcheck.cli.find_trace._saved", lambda: [Path("saved")])
    save(Path("modelcheck-traces"), "0123456789")
    save(Path("saved"), "0123456789", "4567000000")
    assert find_trace("0123") == "modelcheck-traces/spec-property-0123456789.json"
    assert find_trace("4567") == "saved/spec-property-4567000000.json"


ERRORS = {
    ("aaaa", None): "no counterexample in modelcheck-traces has an id that begins aaaa; name its file, or check again",
    ("0123", None): "2 counterexamples in modelcheck-traces have ids that begin 0123: 0123456789, 0123ffffff",
    ("trace.json", "mine"): "--traces is for an id, and 'trace.json' is none: ids are 4 to 10 hex digits",
}


@pytest.mark.parametrize(("name", "directory"), list(ERRORS))
def test_what_is_not_found_is_said_in_one_sentence(name: str, directory: str | None) -> None:
    save(Path("modelcheck-traces"), "0123456789", "0123ffffff")
    with pytest.raises(UsageError) as error:
        find_trace(name, directory)
    assert str(error.value) == ERRORS[name, directory]


def test_replay_and_show_take_an_id(tmp_path: Path) -> None:
    done = modelcheck("replay", B6, cwd=tmp_path)  # a checkout finds its saved ones
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("published of runstate a795cd43 is violated: 5 steps replayed")
    assert f"id {B6}" in modelcheck("show", B6[:5], cwd=tmp_path).stdout
    assert modelcheck("show", "0000", cwd=tmp_path).returncode == 2


def test_replay_refuses_a_schedule_that_is_said_to_pass_and_does_not(tmp_path: Path) -> None:
    trace = read_trace(find_trace(str(next((ROOT / "traces").glob(f"*-{B6}.json")))))
    (tmp_path / "modelcheck-traces").mkdir()
    said = Passing(1, 1, "Made up.", (("vcpu", "the VMM calls -> KVM_RUN"),))
    write_trace(replace(trace, passing=said), tmp_path / "modelcheck-traces" / f"made-up-{B6}.json")
    done = modelcheck("replay", B6[:6], cwd=tmp_path)
    assert done.returncode == 2
    assert "the schedule that is said to pass does not bring vcpu past its deciding step" in done.stderr


def test_a_checkout_one_stands_in_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = tmp_path / "traces" / "spec-property-89ab000000.json"
    saved.parent.mkdir()
    saved.write_text("{}")
    monkeypatch.setattr("modelcheck.cli.find_trace._saved", _saved)
    with pytest.raises(UsageError, match="has an id that begins 89ab"):
        find_trace("89ab")
    (tmp_path / "pyproject.toml").write_text("")
    assert find_trace("89ab") == str(saved)

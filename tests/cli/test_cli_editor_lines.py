"""`check --lines`: `file:line: warning: text` that editors jump to, from the directory the command runs in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_runs import modelcheck
from test_cli_own_spec import LARGE, MINE

from modelcheck.cli.main import main

LINE = re.compile(r"(?P<file>[^:]+):(?P<line>[1-9]\d*): (?P<kind>warning|note): (?P<text>\S.*)")
LOCKS = '''"""Two locks, two orders, and a reader that nobody holds up."""
from modelcheck import Model, SpinLock


def model():
    m = Model("abba")
    a, b = SpinLock("a"), SpinLock("b")

    def ab():
        while True:
            yield a.lock()
            yield b.lock()
            yield b.unlock()
            yield a.unlock()

    def ba():
        while True:
            yield b.lock()
            yield a.lock()
            yield a.unlock()
            yield b.unlock()

    m.process("ab", ab)
    m.process("ba", ba)
    m.deadlock()
    m.lock_order()
    return m
'''

def lines(text: str) -> list[tuple[str, int, str, str]]:
    """The lines of an output, each in the one form there is."""
    found = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        found.append((match["file"], int(match["line"]), match["kind"], match["text"]))
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, with specs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    (tmp_path / "locks.py").write_text(LOCKS)
    (tmp_path / "large.py").write_text(LARGE)
    return tmp_path


def source(file: str, number: int) -> str:
    return Path(file).read_text().splitlines()[number - 1].strip()


def test_a_violation_is_a_warning_at_the_line_that_decides(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./mine.py", "--lines"]) == 1
    captured = capsys.readouterr()
    found = lines(captured.out)
    assert captured.err == ""
    assert [(file, kind) for file, _, kind, _ in found] == [("mine.py", "warning"), ("mine.py", "note")]
    assert source("mine.py", found[0][1]) == 'yield check(inside.eq(1), "exclusive")'
    assert found[0][3].startswith("exclusive is violated: ")
    assert re.fullmatch(r"to see it: modelcheck show modelcheck-traces/mine-exclusive-\w{10}\.json", found[1][3])


def test_nothing_is_printed_where_everything_holds(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./mine.py", "--lines", "--property", "deadlock"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_an_order_of_locks_has_a_warning_for_each_edge(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./locks.py", "--lines", "--property", "lock-order"]) == 1
    *found, (_, _, _, last) = lines(capsys.readouterr().out)
    assert last.startswith("to see it: modelcheck show ")
    assert sorted((source(file, line), kind, text.partition(": ")[2]) for file, line, kind, text in found) == [
        ("yield a.lock()", "warning", "a (exclusive) is asked for while b (exclusive) is held, by ba"),
        ("yield b.lock()", "warning", "b (exclusive) is asked for while a (exclusive) is held, by ab"),
    ]


def test_a_deadlock_says_who_waits_and_who_has_what_is_waited_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "./locks.py", "--lines", "--property", "deadlock"]) == 1
    found = [(line, text) for _, line, kind, text in lines(capsys.readouterr().out) if kind == "note"]
    places = {text: source("locks.py", line) for line, text in found if not text.startswith("to see it")}
    assert places == {
        "ab waits for b for ever": "yield b.lock()", "ba took b here": "yield b.lock()",
        "ba waits for a for ever": "yield a.lock()", "ab took a here": "yield a.lock()",
    }


def test_a_lock_that_was_given_back_is_held_by_nobody(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = LOCKS.replace("    def ab():\n", "    def ab():\n        yield b.lock()\n        yield b.unlock()\n")
    (here / "locks.py").write_text(again)
    assert main(["check", "./locks.py", "--lines", "--property", "deadlock"]) == 1
    texts = [text for *_, text in lines(capsys.readouterr().out)]
    assert "ba took b here" in texts and "ab took b here" not in texts


def test_what_is_not_decided_is_a_warning_too(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./large.py", "--lines", "--max-states", "2000", "--no-reduction", "ample,summary"]) == 3
    ((file, line, kind, text),) = lines(capsys.readouterr().out)
    assert (file, line, kind) == ("large.py", 1, "warning")
    assert text.startswith("INCOMPLETE small: ended after ")


def test_paths_lead_from_the_current_directory(here: Path, monkeypatch: pytest.MonkeyPatch,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    assert main(["check", "../mine.py", "--lines"]) == 1
    assert {file for file, *_ in lines(capsys.readouterr().out)} == {"../mine.py"}
    assert main(["check", str(here / "mine.py"), "--lines"]) == 1
    assert {file for file, *_ in lines(capsys.readouterr().out)} == {"../mine.py"}


def test_a_named_spec_is_found_where_it_is(tmp_path: Path) -> None:
    done = modelcheck("check", "--version", "seed", "--set", "abi=64", "--set", "offset=4081", "--property",
                      "torn-read", "--lines", cwd=tmp_path)
    assert done.returncode == 1
    found = lines(done.stdout)
    assert found[0][2] == "warning" and found[0][3].startswith("torn-read is violated (known: D6): ")
    for file, _, _, _ in found:
        assert (tmp_path / file).is_file() and not file.startswith("/")
    stores = [text for _, _, kind, text in found if kind == "note" and "reads" in text]
    assert stores and all(re.search(r"^step \d+, .+, which step \d+ reads$", text) for text in stores)


def test_hostile_names_stay_on_their_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = '"a\\nb.py:1: warning: x\\x1b[31m\\u2028"'
    (here / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass")
                                  .replace('"exclusive"', hostile))
    assert main(["check", "./mine.py", "--lines"]) == 1
    found = lines(capsys.readouterr().out)
    assert [kind for _, _, kind, _ in found] == ["warning", "note"]
    assert "\x1b" not in str(found)


def test_what_goes_to_stdout_is_said_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for pair in (("--json", "--ktap"), ("--json", "--lines"), ("--ktap", "--lines")):
        assert main(["check", "./mine.py", *pair]) == 2
        assert capsys.readouterr().err == (
            f"error: {pair[0]} and {pair[1]} both say what is printed; leave one of them out\n")

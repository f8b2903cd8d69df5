"""Progress: an estimate that is borne out or not given, a line on a terminal and nothing in a pipe."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import ROOT, modelcheck
from test_cli_own_spec import MINE

from modelcheck.cli import progress
from modelcheck.cli.estimate import Estimate
from modelcheck.cli.progress import ProgressLine, told

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-9]|4[0-9]|9[0-7])[0-9;]*m")


def estimate(*shares: tuple[float, float], at: float, most: float = 0.0) -> str:
    """What is told at a time, after these shares were done by these seconds."""
    found = Estimate(most)
    for seconds, share in shares:
        found.note(seconds, share)
    return told(found.left(at))


EVEN = tuple((second, second / 100) for second in range(1, 41))


@pytest.mark.parametrize(("text", "shares", "at", "most"), [
    (", about 1m00s left", EVEN, 40, 0),
    ("", EVEN[:4], 4, 0),  # less than a twentieth is done
    ("", ((0.5, 0.5),), 1, 0),  # a second in
    ("", ((1, 0.0),), 60, 0),  # nothing is done
    ("", ((10, 1.0),), 10, 0),  # all is done
    (", 12s to 30s left", ((10, 0.5), (20, 0.625)), 20, 0),  # slower of late: 12 s by the whole, 30 s by the half
    ("", ((10, 0.8), (20, 0.81)), 20, 0),  # far slower of late: nobody can say
    ("", ((10, 0.5),), 30, 0),  # one system takes all of the second half
    (", about 20s left", EVEN, 40, 60),  # the bound ends it before
])
def test_what_is_left_is_told_where_the_pace_bears_it_out(
    text: str, shares: tuple[tuple[float, float], ...], at: float, most: float
) -> None:
    assert estimate(*shares, at=at, most=most) == text


def test_a_share_that_falls_begins_anew() -> None:
    assert estimate((50, 0.9), (60, 0.1), (70, 0.2), (80, 0.3), (90, 0.4), at=90) == ", about 1m00s left"


class Terminal:
    """A stderr that says it is a terminal and keeps what is written."""

    def __init__(self, tty: bool = True) -> None:
        self.text, self.tty = "", tty

    def isatty(self) -> bool:
        return self.tty

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(("tty", "quiet", "term", "shown"), [
    (True, False, "xterm", True), (False, False, "xterm", False), (True, True, "xterm", False),
    (True, False, "dumb", False),
])
def test_the_line_is_for_a_terminal_that_is_not_told_to_be_quiet(
    monkeypatch: pytest.MonkeyPatch, tty: bool, quiet: bool, term: str, shown: bool
) -> None:
    stderr = Terminal(tty)
    monkeypatch.setattr(progress.sys, "stderr", stderr)
    monkeypatch.setenv("TERM", term)
    with ProgressLine(quiet) as line:
        line.next = 0.0
        line("torn", 5, 1, 2, 0.5)
    assert bool(stderr.text) == shown
    assert "\x1b" not in stderr.text
    if shown:
        assert stderr.text.startswith("\r 50% 5 states (") and stderr.text.endswith("\r")


def in_a_terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    """What a command writes on a terminal of its own, stdout and stderr together."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm-256color", **environment}
    running = subprocess.Popen([sys.executable, "-m", "modelcheck", *arguments], cwd=cwd, env=env,
                               stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(ours)
    running.wait(timeout=60)
    return text.decode()


def test_colours_are_for_a_terminal_without_no_color(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    environment = {name: "" for name in ("FORCE_COLOR",) if name in os.environ}
    assert COLOUR.search(in_a_terminal("check", "./mine.py", cwd=tmp_path, **environment))
    assert not COLOUR.search(in_a_terminal("check", "./mine.py", cwd=tmp_path, NO_COLOR="1", **environment))
    piped = modelcheck("check", "./mine.py", cwd=tmp_path, TERM="xterm-256color", FORCE_COLOR="1")
    assert "\x1b" not in piped.stdout + piped.stderr and "\r" not in piped.stdout + piped.stderr

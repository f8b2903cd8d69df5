"""`modelcheck ablate` as a person runs it: the table, the comments, JSON, traces, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import ROOT, modelcheck

MESSAGE_PASSING = ROOT / "tests" / "ablate" / "message_passing.py"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """A spec in a file of its own."""
    (tmp_path / "mp.py").write_bytes(MESSAGE_PASSING.read_bytes())
    return "mp.py"


def test_a_line_for_each_piece_and_the_comments_over_barriers(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:4] == [
        "mp only, one piece left out at a time; memory: sc, tso, weak", "properties: fresh", "",
        "step left out, or changed source without it",
    ]  # fmt: skip
    assert lines[5 : lines.index("", 5)] == [
        "writer:",
        "WRITE_ONCE(data, 1) mp.py:19 breaks fresh",
        "WRITE_ONCE(flag, 1) moved before WRITE_ONCE(data, 1) mp.py:19 breaks fresh",
        "smp_wmb() mp.py:21 sc, tso: not needed (1 property, 26 states); weak: breaks fresh",
        "WRITE_ONCE(flag, 1) mp.py:22 nothing breaks, but never: flag seen",
        "smp_wmb() mp.py:23 not needed (1 property, 39 states)",
        "reader:",
        "READ_ONCE(data) moved before READ_ONCE(flag) mp.py:26 breaks fresh",
        "smp_rmb() mp.py:27 sc, tso: not needed (1 property, 26 states); weak: breaks fresh",
        "(flag == 1) taken as true mp.py:29 breaks fresh",
        "(flag == 1) taken as false mp.py:29 nothing breaks, but never: flag seen",
    ]
    assert """
smp_wmb() in writer (mp.py:21):
/* Pairs with the smp_rmb() in reader: data is visible before flag. */
smp_wmb() in writer (mp.py:23): pairs with no barrier
smp_rmb() in reader (mp.py:27):
/* Pairs with the first smp_wmb() in writer: flag is read before data. */
""" in done.stdout
    assert lines[-1].startswith("9 pieces: 6 needed, 2 to get anywhere, 1 not needed (1 setting, ")


def test_json_is_one_object(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--json", "--memory", "tso,weak", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["schema"], found["complete"], found["memory"]) == (1, True, ["tso", "weak"])
    barrier = next(piece for piece in found["pieces"] if piece["without"] == "smp_wmb()")
    assert barrier["key"] == "barrier: smp_wmb() at mp.py:21"
    assert (barrier["file"], barrier["line"], barrier["processes"]) == ("mp.py", 21, ["writer"])
    tso, weak = barrier["memory"]["tso"], barrier["memory"]["weak"]
    assert (tso["verdict"], tso["states"], tso["breaks"], tso["decided"]) == ("not-needed", 13, [], 1)
    assert (weak["verdict"], [each["property"] for each in weak["breaks"]]) == ("needed", ["fresh"])
    assert (tso["holds"], weak["holds"]) == ({"fresh": 1}, {})
    assert weak["breaks"][0]["trace"] is None


def test_a_saved_trace_names_what_was_left_out_and_replays(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--json", "--memory", "weak", "--traces", "out", cwd=tmp_path)
    piece = next(piece for piece in json.loads(done.stdout)["pieces"] if piece["without"] == "smp_wmb()")
    trace = piece["memory"]["weak"]["breaks"][0]["trace"]
    assert json.loads((tmp_path / trace).read_text())["without"] == "barrier: smp_wmb() at mp.py:21"
    again = modelcheck("replay", trace, spec, cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("fresh of mp only without barrier: smp_wmb() at mp.py:21 is violated: ")
    shown = modelcheck("show", trace, cwd=tmp_path)
    assert shown.returncode == 0 and "left out: barrier: smp_wmb() at mp.py:21" in " ".join(shown.stdout.split())


def test_every_trace_replays(spec: str, tmp_path: Path) -> None:
    modelcheck("ablate", spec, "--quiet", "--traces", "out", cwd=tmp_path)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 14  # 4 pieces that break it in three models, 2 in one
    for name in names:
        again = modelcheck("replay", f"out/{name}", spec, cwd=tmp_path)
        assert (again.returncode, again.stderr) == (0, "")


def test_a_trace_of_a_piece_that_is_gone_is_refused(spec: str, tmp_path: Path) -> None:
    from dataclasses import replace

    from modelcheck.trace.file import read_trace, write_trace

    modelcheck("ablate", spec, "--quiet", "--memory", "weak", "--traces", "out", cwd=tmp_path)
    path = next((tmp_path / "out").iterdir())
    write_trace(replace(read_trace(path), without="barrier: gone"), path)
    again = modelcheck("replay", str(path), spec, cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == (
        "error: the trace is of 'mp' without 'barrier: gone', which it does not have here (any more)\n"
    )


def test_a_bound_ends_early_with_status_3(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--max-states", "13", cwd=tmp_path)
    assert done.returncode == 3
    assert "INCOMPLETE: 13 states" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("INCOMPLETE: 9 pieces: ")


INTERRUPTED = """

made = 0
whole = model


def model() -> Model:
    global made
    made += 1
    if made == 30:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGINT)
    return whole()
"""


def test_ctrl_c_keeps_the_pieces_that_are_finished(spec: str, tmp_path: Path) -> None:
    whole = pieces_of(modelcheck("ablate", spec, "--workers", "1", cwd=tmp_path).stdout)
    with (tmp_path / spec).open("a") as file:
        file.write(INTERRUPTED)  # the 30th model is one without some piece
    done = modelcheck("ablate", spec, "--workers", "1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    kept = pieces_of(done.stdout)
    assert 1 <= len(kept) < len(whole) == 9
    assert kept[:-1] == whole[: len(kept) - 1]  # the last may be decided for some memory models alone
    assert f"INCOMPLETE: stopped by SIGINT.\nINCOMPLETE: {9 - len(kept)} of 9 pieces were not come to" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("INCOMPLETE: 9 pieces: ")


def test_a_time_bound_that_is_over_at_once_decides_nothing(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--max-time", "0.000001", cwd=tmp_path)
    assert (done.returncode, done.stderr, pieces_of(done.stdout)) == (3, "", [])
    assert "INCOMPLETE: the time bound.\nINCOMPLETE: 9 of 9 pieces were not come to" in done.stdout


def pieces_of(report: str) -> list[str]:
    """The lines of the table that are about a piece."""
    return [line for line in report.split("\n\n")[1].splitlines() if "mp.py:" in line]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--memory", "arm"], "there is no memory model 'arm'; there are sc, tso, weak"),
        (["--property", "never"], "spec 'mp' has no property 'never'; there are fresh"),
        (["--version", "two"], "spec 'mp' has no version 'two'; there are only, and 'all'"),
        (["--set", "a=1"], "spec 'mp' has no parameter 'a'; there are none"),
        (["--workers", "0"], "--workers '0' is not a whole number of at least 1; leave the option out for its default"),
    ],
)
def test_a_wrong_call_says_what_there_is(spec: str, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = modelcheck("ablate", spec, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")


def test_one_version_at_a_time(tmp_path: Path) -> None:
    done = modelcheck("ablate", "runstate", "--version", "6.9,7.3", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, "error: one version is taken apart at a time, and these are 4438355e, 36a85200; name one\n"
    )  # fmt: skip

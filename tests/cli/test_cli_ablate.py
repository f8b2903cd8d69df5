"""`modelcheck ablate` as a person runs it: the table, the comments, JSON, traces, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import modelcheck

SPEC = '''\
"""Message passing: a flag says that the data is there."""
from modelcheck import Model, check, decide, reach, smp_rmb, smp_wmb, value


def model():
    m = Model("mp")
    data, flag = m.number("data", 0, 1), m.number("flag", 0, 1)

    def writer():
        yield data.write(1)
        yield smp_wmb()
        yield flag.write(1)

    def reader():
        f = yield flag.read()
        yield smp_rmb()
        d = yield data.read()
        if (yield decide(value(f).eq(1))):
            yield reach("flag seen")
            yield check(value(d).eq(1), "fresh")

    m.process("writer", writer)
    m.process("reader", reader)
    m.assertion("fresh", "who sees the flag sees the data", ("flag seen",))
    return m
'''


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """A spec in a file of its own."""
    (tmp_path / "mp.py").write_text(SPEC)
    return "mp.py"


def test_a_line_for_each_piece_and_the_comments_over_barriers(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:11] == [
        "mp only memory=sc,tso,weak property=fresh",
        "",
        "step without function source sc tso weak",
        "---- ---------------------------------------------- -------- -------- ---------------- ---------------- "
        "----------------",
        "WRITE_ONCE(data, 1) store mp.py:10 breaks fresh breaks fresh breaks fresh",
        "WRITE_ONCE(flag, 1) before WRITE_ONCE(data, 1) order mp.py:10 breaks fresh breaks fresh breaks fresh",
        "smp_wmb() barrier mp.py:11 not needed (13) not needed (13) breaks fresh",
        "WRITE_ONCE(flag, 1) store mp.py:12 never: flag seen never: flag seen never: flag seen",
        "READ_ONCE(data) before READ_ONCE(flag) order mp.py:15 breaks fresh breaks fresh breaks fresh",
        "smp_rmb() barrier mp.py:16 not needed (13) not needed (13) breaks fresh",
        "(flag == 1)? taken as True test mp.py:18 breaks fresh breaks fresh breaks fresh",
    ]
    assert "* pairs with the smp_wmb() at mp.py:11 in writer: flag is read before data" in lines
    assert lines[-1].startswith("8 pieces: 6 needed, 2 to get anywhere (1 setting, ")


def test_json_is_one_object(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--json", "--memory", "tso,weak", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["schema"], found["complete"], found["memory"]) == (1, True, ["tso", "weak"])
    barrier = next(piece for piece in found["pieces"] if piece["without"] == "smp_wmb()")
    assert barrier["key"] == "barrier: smp_wmb() at mp.py:11"
    assert (barrier["file"], barrier["line"], barrier["processes"]) == ("mp.py", 11, ["writer"])
    tso, weak = barrier["memory"]["tso"], barrier["memory"]["weak"]
    assert (tso["verdict"], tso["states"], tso["breaks"], tso["decided"]) == ("not-needed", 13, [], 1)
    assert (weak["verdict"], [each["property"] for each in weak["breaks"]]) == ("needed", ["fresh"])
    assert weak["breaks"][0]["trace"] is None


def test_a_saved_trace_names_what_was_left_out_and_replays(spec: str, tmp_path: Path) -> None:
    done = modelcheck("ablate", spec, "--json", "--memory", "weak", "--traces", "out", cwd=tmp_path)
    piece = next(piece for piece in json.loads(done.stdout)["pieces"] if piece["without"] == "smp_wmb()")
    trace = piece["memory"]["weak"]["breaks"][0]["trace"]
    assert json.loads((tmp_path / trace).read_text())["without"] == "barrier: smp_wmb() at mp.py:11"
    again = modelcheck("replay", trace, spec, cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("fresh of mp only without barrier: smp_wmb() at mp.py:11 is violated: ")
    shown = modelcheck("show", trace, cwd=tmp_path)
    assert shown.returncode == 0 and "left out: barrier: smp_wmb() at mp.py:11" in " ".join(shown.stdout.split())


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
    assert done.stdout.splitlines()[-1].startswith("INCOMPLETE: 8 pieces: ")


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

"""`modelcheck litmus`: herd's shape, the summary, JSON, --expect, bounds, and the exit status of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelcheck.cli.main import main

SB = """X86 SB
{ }
 P0          | P1          ;
 MOV [x],$1  | MOV [y],$1  ;
 MOV EAX,[y] | MOV EAX,[x] ;
exists (0:EAX=0 /\\ 1:EAX=0)
"""
FENCED = SB.replace("X86 SB", "X86 SB+mfences").replace(" MOV EAX", " MFENCE | MFENCE ;\n MOV EAX", 1).replace(
    "exists", "~exists")  # fmt: skip
RCU = "C rcu\n{}\nP0(int *x)\n{\n\trcu_read_lock();\n}\nexists (x=1)\n"
BAD = SB.replace("MOV [y],$1", "MOV [y]")
SHOWN = """Test SB Allowed
States 4
0:EAX=0; 1:EAX=0;
0:EAX=0; 1:EAX=1;
0:EAX=1; 1:EAX=0;
0:EAX=1; 1:EAX=1;
Ok
Witnesses
Positive: 1 Negative: 3
Condition exists (0:EAX=0 /\\ 1:EAX=0)
Observation SB Sometimes 1 3

"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of tests, which is where we are."""
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    Path("d/SB.litmus").write_text(SB)
    Path("d/SB+mfences.litmus").write_text(FENCED)
    Path("bad.litmus").write_text(BAD)
    Path("rcu.litmus").write_text(RCU)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["litmus", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_one_test_is_printed_as_herd_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "d/SB.litmus") == (0, SHOWN, "")


def test_sc_forbids_store_buffering(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "d/SB.litmus", "--memory", "sc")
    assert out.splitlines()[1] == "States 3"
    assert "No\nWitnesses\nPositive: 0 Negative: 3\n" in out
    assert "Observation SB Never 0 3" in out


def test_a_directory_is_sorted_and_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "d")
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith(("Test", "Observation"))] == [
        "Test SB+mfences Forbidden", "Observation SB+mfences Never 0 3", "Test SB Allowed",
        "Observation SB Sometimes 1 3"]  # fmt: skip
    assert out.splitlines()[-1] == "2 tests: Never 1, Sometimes 1, Always 0"


def test_what_is_not_supported_is_listed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "rcu.litmus", "d/SB.litmus")
    assert (status, err) == (0, "")
    assert out.splitlines()[-2:] == [
        "Unsupported rcu.litmus:5:2: RCU (rcu_read_lock)",
        "2 tests: Never 0, Sometimes 1, Always 0; unsupported 1 (RCU 1)"]  # fmt: skip


def test_a_malformed_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "bad.litmus", "d/SB.litmus")
    assert status == 2
    assert err == "error: bad.litmus:4:16: MOV has 1 operands; it takes 2\n"
    assert "Observation SB Sometimes 1 3" in out
    assert out.splitlines()[-1].endswith("; malformed 1")


def test_a_bound_leaves_no_observation(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "d/SB.litmus", "--max-states", "5")
    assert status == 3
    assert "INCOMPLETE SB (5 states)" in out
    assert "Observation" not in out and "Ok" not in out


def test_tests_after_the_time_is_up_are_incomplete(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "d", "--max-time", "0.000001")
    assert status == 3
    assert out.splitlines()[-1] == "2 tests: Never 0, Sometimes 0, Always 0, INCOMPLETE 2"


@pytest.mark.parametrize("engine", ["python", "auto"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_engines_and_workers_change_nothing(capsys: pytest.CaptureFixture[str], engine: str, workers: str) -> None:
    plain = run(capsys, "d", "rcu.litmus", "bad.litmus")
    assert run(capsys, "d", "rcu.litmus", "bad.litmus", "--engine", engine, "--workers", workers) == plain


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "d/SB.litmus", "rcu.litmus", "bad.litmus", "--json")
    whole = json.loads(out)
    assert (status, whole["schema"], whole["memory"]) == (2, 1, "tso")
    (one,) = whole["results"]
    assert (one["file"], one["name"], one["kind"], one["observation"]) == ("d/SB.litmus", "SB", "Allowed", "Sometimes")
    assert one["states"][0] == {"0:EAX": "0", "1:EAX": "0"}
    assert (one["positive"], one["negative"], one["ok"], one["bound"]) == (1, 3, True, "")
    assert whole["unsupported"] == [{"file": "rcu.litmus", "where": "rcu.litmus:5:2", "reason": "RCU (rcu_read_lock)"}]
    assert [entry["where"] for entry in whole["malformed"]] == ["bad.litmus:4:16"]
    assert whole["summary"]["tests"] == 3


def table(*rows: str, header: str = "file\tx86_tso\tsc\tlkmm\tnote") -> None:
    Path("t.tsv").write_text("\n".join((header, *rows)) + "\n")


def test_expect_prints_only_disagreements(capsys: pytest.CaptureFixture[str]) -> None:
    table("d/SB.litmus\tNever\tNever\t\t", "d/SB+mfences.litmus\tNever\t\t\t")
    status, out, _ = run(capsys, "d", "--expect", "t.tsv")
    assert status == 1
    assert out.splitlines() == [
        "d/SB.litmus: Sometimes, and x86_tso says Never",
        "2 verdicts compared, 1 disagree; 2 tests: Never 1, Sometimes 1, Always 0"]  # fmt: skip
    status, out, _ = run(capsys, "d", "--expect", "t.tsv", "--memory", "sc")
    assert (status, out) == (0, "1 verdicts compared, 0 disagree; 2 tests: Never 2, Sometimes 0, Always 0\n")


def test_expect_alone_runs_the_files_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    table("d/SB.litmus\tSometimes\t\t\t")
    assert run(capsys, "--expect", "t.tsv")[:2] == (
        0, "1 verdicts compared, 0 disagree; 1 tests: Never 0, Sometimes 1, Always 0\n")  # fmt: skip


def test_weak_may_be_stronger_than_the_kernels_model_and_never_weaker(capsys: pytest.CaptureFixture[str]) -> None:
    table("d/SB.litmus\t\t\tNever\t", "d/SB+mfences.litmus\t\t\tSometimes\t")
    status, out, _ = run(capsys, "d", "--expect", "t.tsv", "--memory", "weak")
    assert status == 1
    assert out.splitlines()[:2] == [
        "d/SB.litmus: Sometimes, and lkmm says Never",
        "stronger than lkmm, which allows both outcomes: SB+mfences"]  # fmt: skip
    table("d/SB.litmus\t\t\tNever\tflags: data-race")
    assert run(capsys, "d", "--expect", "t.tsv", "--memory", "weak")[0] == 0


def test_expect_with_anything_incomplete_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    table("d/SB.litmus\tNever\t\t\t", "d/SB+mfences.litmus\tAlways\t\t\t")
    status, out, _ = run(capsys, "d", "--expect", "t.tsv", "--max-states", "13")
    assert status == 3
    assert "d/SB.litmus: INCOMPLETE (13 states)" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no litmus test is named"),
        (("none.litmus",), "there is no file or directory 'none.litmus'"),
        (("empty",), "empty holds no *.litmus file"),
        (("d", "--memory", "arm"), "no memory model 'arm'"),
        (("d", "--workers", "0"), "--workers '0'"),
        (("d", "--expect", "none.tsv"), "cannot read the table none.tsv"),
        (("d", "--expect", "bad.litmus"), "bad.litmus:1 is no header"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str) -> None:
    Path("empty").mkdir()
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err and err.count("\n") == 1


def test_a_verdict_no_one_gives_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    table("d/SB.litmus\tMaybe\t\t\t")
    assert "t.tsv:2: 'Maybe' is no verdict" in run(capsys, "d", "--expect", "t.tsv")[2]

"""Bad input at the command line: one sentence on stderr, exit status 2, nothing on stdout and nothing written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_runs import modelcheck

from modelcheck.cli.main import main

SPEC = '''
from modelcheck.spec import Parameter, PropertyInfo, Spec, Version
SPEC = Spec(
    name="small", summary="nothing", build=None,
    versions=(Version("v1", ("old",)), Version("v2")),
    parameters=(Parameter("abi", "layout", ("64", "32")), Parameter("offset", "where", lo=0, hi=99)),
    properties=(PropertyInfo("p", "first"), PropertyInfo("q", "second")),
)
'''
PARAMETERS = "there are abi=64|32, offset=0..99"
OFFSETS = "it takes whole numbers and ranges within 0..99"
TRACES = "name a directory that can be written with --traces DIR"

USAGE = [
    ("--version v9", "spec 'small' has no version 'v9'; there are v1=old, v2, and 'all'"),
    ("--version v1,,v2", "--version 'v1,,v2' has an empty item; give names with one comma between two"),
    ("--version=", "--version '' has an empty item; give names with one comma between two"),
    ("--property r", "spec 'small' has no property 'r'; there are p, q"),
    ("--set colour=red", "spec 'small' has no parameter 'colour'; there are abi=64|32, offset=0..99"),
    ("--set abi=16", "parameter 'abi' has no value '16'; it takes 64|32"),
    ("--set abi", f"--set 'abi' is not NAME=VALUE[,VALUE|LO..HI]; {PARAMETERS}"),
    ("--set abi=", f"--set 'abi=' is not NAME=VALUE[,VALUE|LO..HI]; {PARAMETERS}"),
    ("--set =64", f"--set '=64' is not NAME=VALUE[,VALUE|LO..HI]; {PARAMETERS}"),
    ("--set abi=64 --set abi=32", "--set abi is given twice; give all its values at once, as in --set abi=64,32"),
    ("--set offset=1 --set offset=2",
     "--set offset is given twice; give all its values at once, as in --set offset=0,99"),
    ("--set offset=100", f"parameter 'offset' has no value '100'; {OFFSETS}"),
    ("--set offset=-1", f"parameter 'offset' has no value '-1'; {OFFSETS}"),
    ("--set offset=0..999999999999", f"parameter 'offset' has no value '0..999999999999'; {OFFSETS}"),
    ("--set offset=four", f"parameter 'offset' has no value 'four'; {OFFSETS}"),
    ("--set offset=1..", f"parameter 'offset' has no value '1..'; {OFFSETS}"),
    ("--set offset=1.5", f"parameter 'offset' has no value '1.5'; {OFFSETS}"),
    ("--set offset=\u0664", f"parameter 'offset' has no value '\u0664'; {OFFSETS}"),
    ("--set offset=9..3", "--set offset=9..3 is an empty range; the smaller number comes first"),
    ("--set offset=1,", "--set offset '1,' has an empty item; give names with one comma between two"),
    ("--memory x86", "there is no memory model 'x86'; there are sc, tso, weak"),
    ("--engine c", "there is no engine 'c'; there are auto, python, native"),
    ("--workers 0", "--workers '0' is not a whole number of at least 1; leave the option out for its default"),
    ("--workers two", "--workers 'two' is not a whole number of at least 1; leave the option out for its default"),
    ("--max-states -5", "--max-states '-5' is not a whole number of at least 1; leave the option out for its default"),
    ("--max-memory 0", "--max-memory '0' is not a size above zero; write bytes, or K, M, G as in 512M or 2GiB"),
    ("--max-memory -1G", "--max-memory '-1G' is not a size above zero; write bytes, or K, M, G as in 512M or 2GiB"),
    ("--max-memory 5X", "--max-memory '5X' is not a size above zero; write bytes, or K, M, G as in 512M or 2GiB"),
    ("--max-time 0", "--max-time '0' is not a number of seconds above zero; write it as in 90 or 0.5"),
    ("--max-time nan", "--max-time 'nan' is not a number of seconds above zero; write it as in 90 or 0.5"),
    ("--max-time soon", "--max-time 'soon' is not a number of seconds above zero; write it as in 90 or 0.5"),
    ("--no-reduction x", "there is no reduction 'x' to switch off; "
     "there are slice, split, symmetry, dead, merge, ample, summary, 'all'"),
    ("--traces small.py", f"cannot save traces in small.py: {{here}}/small.py is not a directory; {TRACES}"),
    ("--traces small.py/t", f"cannot save traces in small.py/t: {{here}}/small.py is not a directory; {TRACES}"),
    ("--traces=", f"--traces needs a directory, and '' is none; {TRACES}"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, with a small spec that a search could not build."""
    (tmp_path / "small.py").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("options", "sentence"), USAGE, ids=[options for options, _ in USAGE])
def test_bad_options_of_check(here: Path, capsys: pytest.CaptureFixture[str], options: str, sentence: str) -> None:
    assert main(["check", "./small.py", *options.split()]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"error: {sentence.format(here=here)}\n")
    assert [path.name for path in here.iterdir()] == ["small.py"]


@pytest.mark.parametrize("option", ["--colour", "--max-states", "two", "-x"])
def test_bad_options_that_click_words(here: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main(["check", "./small.py", option]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.endswith("; see 'modelcheck check --help'\n")
    assert option in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that even root cannot write")
def test_unwritable_traces_directory_is_found_before_the_search(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./small.py", "--traces", "/proc/self/traces"]) == 2
    assert capsys.readouterr().err.startswith("error: cannot save traces in /proc/self/traces: ")


FILES = [
    ("empty.py", b"", "empty.py: it defines neither a function model() that returns a modelcheck.Model nor a SPEC"),
    ("latin.py", b"x = '\xe9'\n", "latin.py: it is not UTF-8 text (byte 5 is 0xe9)"),
    ("syntax.py", b"x = 1\ndef (:\n", "syntax.py:2: syntax error: "),
    ("null.py", b"x = '\0'\n", "null.py"),
    ("raises.py", b"def f():\n    return {}['no']\n\nf()\n", "raises.py:2: it raises KeyError: 'no'"),
    ("imports.py", b"\nimport no_such_module\n",
     "imports.py:2: it raises ModuleNotFoundError: No module named 'no_such_module'"),
    ("exits.py", b"import sys\nsys.exit(0)\n", "exits.py:2: it raises SystemExit: 0"),
    ("number.py", b"model = 3\n",
     "number.py: model must be a function that returns a modelcheck.Model, and is a value of type int"),
    ("spec.py", b"SPEC = 'no'\n", "spec.py: SPEC must be a modelcheck.Spec, and is a value of type str"),
    ("none.py", b"\ndef model():\n    pass\n", "none.py:2: model() must return a modelcheck.Model, and returns None"),
    ("yields.py", b"def model():\n    yield 1\n",
     "yields.py:1: model() must return a modelcheck.Model, and returns a value of type generator"),
    ("arguments.py", b"def model(n):\n    pass\n",
     "arguments.py: model() raises TypeError: model() missing 1 required positional argument: 'n'"),
    ("fails.py", b"def model():\n    assert False\n", "fails.py:2: model() raises AssertionError"),
    ("nothing.py", b"from modelcheck import Model\n\ndef model():\n    return Model('m')\n",
     "nothing.py: model() states no property; declare one, such as model.deadlock()"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), FILES, ids=[name for name, _, _ in FILES])
@pytest.mark.parametrize("verb", ["list", "check"])
def test_bad_spec_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str,
                        name: str, content: bytes, sentence: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    assert main([verb, f"./{name}"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: ./{sentence}")
    assert captured.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["nope"],
     "there is no command 'nope'; there are list, check, show, replay, litmus, ablate, bench; see 'modelcheck --help'"),
    (["--nope"], "no such option"),
    (["check", "./none.py"], "cannot read the spec ./none.py: no such file or directory"),
    (["check", "./folder.py"], "cannot read the spec ./folder.py: it is a directory; name a .py file"),
    (["check", "./folder.py/x.py"], "cannot read the spec ./folder.py/x.py: no such file or directory"),
    (["list", "./notes.txt"], "cannot read the spec ./notes.txt: a spec file's name ends in .py"),
    (["show"], "missing argument 'TRACE|ID|FILE.litmus'"),
    (["show", "none.json"], "cannot read the trace none.json: no such file or directory"),
    (["show", "none.json", "--as", "tex"], "the form 'tex' does not exist; there are table, paste, "),
    (["show", "a.json", "--compare", "b.json", "--as", "dot"],
     "--compare shows two traces as table or html, not as 'dot'"),
    (["show", "a.json", "--compare", "b.litmus"], "--compare is for two traces, and b.litmus is a litmus test"),
    (["show", "none.json", "--compare", "b.json"], "cannot read the trace none.json: no such file or directory"),
    (["replay", "none.json"], "cannot read the trace none.json: no such file or directory"),
    (["replay", "notes.txt"], "cannot read the trace notes.txt: it is not JSON"),
])
def test_bad_calls(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "notes.txt").write_text("hello\n")
    done = modelcheck(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {sentence}")
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.py", "notes.txt"]


def test_unknown_spec_names_what_there_is_and_the_file_that_may_be_meant(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    done = modelcheck("check", "mine", cwd=tmp_path)
    assert done.returncode == 2
    there = "there are long_mode, pfncache, runstate"
    assert done.stderr == f"error: there is no spec 'mine'; {there}; for your own file say ./mine.py\n"
    done = modelcheck("list", "yours", cwd=tmp_path)
    assert done.stderr == f"error: there is no spec 'yours'; {there}, or a path to a .py file\n"


def test_two_files_of_one_name_do_not_meet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "small.py").write_text(SPEC.replace("nothing", f"from {folder}"))
    before = set(sys.modules)
    for folder in ("one", "two"):
        assert main(["list", str(tmp_path / folder / "small.py")]) == 0
        assert f"from {folder}" in capsys.readouterr().out
    assert all(name.startswith("_modelcheck_user_spec_") for name in set(sys.modules) - before if "small" in name)
    assert not list(tmp_path.rglob("__pycache__"))

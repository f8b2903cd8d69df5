"""`check --graph`: which combination is drawn, what is refused and in which words, and the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import modelcheck, result
from test_cli_own_spec import LARGE, MINE

from modelcheck import campaign
from modelcheck.cli.main import main
from modelcheck.explore.engine import native_missing
from modelcheck.results import Report

SPEC = '''
from modelcheck import Model, assign
from modelcheck.spec import Parameter, PropertyInfo, Spec, Version

def build(setting, projection):
    m = Model("small")
    x = m.range("x", 0, 3)
    def goes():
        yield assign(x, setting.number("end"))
    m.process("goes", goes)
    m.invariant("low", x.le(2))
    m.deadlock()
    return m

SPEC = Spec(
    name="small", summary="nothing", build=build, versions=(Version("v1"), Version("v2")),
    parameters=(Parameter("end", "where", lo=0, hi=3, default=(1, 2)), Parameter("abi", "layout", ("64", "32"))),
    properties=(PropertyInfo("low", ""), PropertyInfo("deadlock", "")),
    defaults=lambda name, chosen: ("64", "32"),
    projections=lambda setting: ("one", "two"),
    refuse=lambda setting: "an end of 0 does not exist" if setting["end"] == 0 else "",
)
'''
CHOOSE = "error: --graph draws one combination, and several are asked for; choose one, as in "
ENDINGS = ".dot, .gv, .graphml, .html"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, with specs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(SPEC)
    (tmp_path / "large.py").write_text(LARGE)
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    return tmp_path


@pytest.mark.parametrize(("options", "sentence"), [
    ("", CHOOSE + "--property low --set end=1 --set abi=64"),
    ("--version all --property low --set abi=64 --set end=2", CHOOSE + "--version v2"),
    ("--property low,deadlock --set abi=64 --set end=2", CHOOSE + "--property low"),
    ("--property low --set abi=64,32 --set end=1..3", CHOOSE + "--set end=1 --set abi=64"),
    ("--property low --set abi=64 --set end=0", "error: an end of 0 does not exist"),
])
def test_several_combinations_are_refused_with_what_is_open(
    here: Path, capsys: pytest.CaptureFixture[str], options: str, sentence: str
) -> None:
    assert main(["check", "./small.py", "--graph", "g.dot", *options.split()]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", sentence + "\n")
    assert not Path("g.dot").exists()


def test_a_property_of_words_has_no_states_to_draw(here: Path) -> None:
    done = modelcheck("check", "--property", "time-sum", "--set", "abi=64", "--set", "offset=0", "--graph", "g.dot",
                      cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("error: --graph draws states, and time-sum has none: it is about words of any value, which "
                           "z3 decides; choose another property\n")


def test_a_check_that_a_signal_ended_is_not_begun_again_for_a_graph(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Report((result("small", "incomplete", bound="stopped by SIGINT"),))
    monkeypatch.setattr(campaign, "run", lambda request, progress: stopped)
    assert main(["check", "./large.py", "--graph", "g.dot"]) == 3
    assert capsys.readouterr().err == "note: no graph was written to g.dot: stopped by SIGINT\n"


def test_the_time_a_check_may_take_is_that_of_both_searches(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "run", lambda request, progress: Report((result("small"),), seconds=600.0))
    assert main(["check", "./large.py", "--graph", "g.dot", "--max-time", "600"]) == 2
    assert "was ended by the time bound; ask for" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "sentence"), [
    ("g.png", f"error: --graph 'g.png' does not say what to write; end the file's name in {ENDINGS}\n"),
    ("graph", f"error: --graph 'graph' does not say what to write; end the file's name in {ENDINGS}\n"),
    ("no/g.dot", "error: cannot write the graph no/g.dot: no such file or directory; name another file\n"),
    ("d.dot", "error: cannot write the graph d.dot: it is a directory; name a file\n"),
])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_searched(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    Path("d.dot").mkdir()
    assert main(["check", "./mine.py", "--property", "exclusive", "--graph", name]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", sentence)
    assert not Path("modelcheck-traces").exists()


def test_the_one_combination_is_checked_and_drawn(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--property", "low", "--set", "end=3", "--set", "abi=32", "--version", "v1", "--memory", "sc"]
    assert main(["check", "./small.py", "--graph", "g.dot", *options]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("VIOLATED: 1 violated (")
    text = Path("g.dot").read_text()
    assert 'label="small v1: low\\lEach node is one state.\\lChecked with memory=sc, abi=32, end=3.\\lThis is' in text
    assert "VIOLATES: the invariant is false" in text
    assert 'label="projection 1 of 2: goes\\l"' in text and 'label="projection 2 of 2: goes\\l"' in text
    assert main(["check", "./small.py", "--graph", "g.dot", "--no-reduction", "all", *options]) == 1
    assert "projection" not in Path("g.dot").read_text()  # the model itself


def test_the_full_search_is_drawn_where_no_reduction_is_left(here: Path) -> None:
    sizes = {}
    for name, options in (("reduced", []), ("full", ["--no-reduction", "all"]), ("some", ["--no-reduction", "merge"])):
        assert main(["check", "./mine.py", "--property", "exclusive", "--graph", f"{name}.dot", *options]) == 1
        text = Path(f"{name}.dot").read_text()
        assert ("This is the full search: nothing is reduced." in text) == (name == "full")
        sizes[name] = text.count(" [label=") - text.count(" -> ")
    assert sizes["reduced"] < sizes["full"]
    assert "slice, split, symmetry, dead,\\l  ample, summary" in Path("some.dot").read_text()


def test_a_graph_that_is_too_large_is_told_of_and_not_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "g.html").write_text("as it was")
    (here / "large.py").write_text(LARGE.replace("range(8)", "range(3)").replace("le(72)", "le(27)")
                                   .replace("while True", "if True"))
    assert main(["check", "./large.py", "--graph", "g.html", "--no-reduction", "all"]) == 2
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].startswith("HOLDS: ")
    assert captured.err == (
        "error: no graph was written to g.html: it has 1,331 states, 3,630 transitions, 1,331 strongly connected "
        "components (the largest has 1), depth 30, and however it is collapsed more than 150 nodes, which nobody can "
        "read; ask for a smaller setting or another property\n")
    assert Path("g.html").read_text() == "as it was"


def test_a_search_that_a_bound_ends_gives_no_graph(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "./large.py", "--graph", "g.dot", "--max-states", "2000"]) == 2
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].startswith("INCOMPLETE: ")
    assert captured.err == ("error: no graph was written to g.dot: the search for its states was ended by 2,000 "
                            "states; ask for a smaller setting or another property\n")
    assert not Path("g.dot").exists()


@pytest.mark.parametrize("ending", ["dot", "graphml", "html"])
def test_the_same_bytes_for_any_engine_workers_and_hash_seed(here: Path, ending: str) -> None:
    found = set()
    ways = [("python", "1", "0"), ("python", "2", "1")]
    ways += [] if native_missing() else [("native", "1", "2"), ("native", "2", "3")]
    for engine, workers, seed in ways:
        done = modelcheck("check", "./mine.py", "--property", "exclusive", "--graph", f"g.{ending}", "--engine", engine,
                          "--workers", workers, "--quiet", cwd=here, PYTHONHASHSEED=seed)
        assert (done.returncode, done.stderr) == (1, "")
        found.add((here / f"g.{ending}").read_bytes())
    assert len(found) == 1


def test_graph_and_report_are_not_for_known_bugs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, value in (("--graph", ["g.dot"]), ("--report", ["d"]), ("--ktap", []), ("--lines", [])):
        assert main(["check", "./small.py", "--bugs", option, *value]) == 2
        assert capsys.readouterr().err == (
            f"error: {option} is of one check, and --case and --bugs make many; leave one of them out\n")

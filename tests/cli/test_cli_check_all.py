"""`check --all`: every spec in turn, one exit status for all, and a report whose first page leads to each."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import report, result, violated
from test_cli_own_spec import MINE

from modelcheck import campaign
from modelcheck.cli import loader
from modelcheck.cli.main import main
from modelcheck.results import Report, Request

RIGHT = MINE.replace("FORGOTTEN_TOO", "yield lock.unlock()").replace("FORGOTTEN", "yield lock.lock()")
WRONG = MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass")


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, where the specs there are be one that holds and one that is violated."""
    monkeypatch.chdir(tmp_path)
    specs = []
    for name, text in (("right", RIGHT), ("wrong", WRONG)):
        (tmp_path / f"{name}.py").write_text(text)
        specs.append(replace(loader.load(f"./{name}.py"), name=name, summary=f"the {name} one"))
    monkeypatch.setattr(loader, "load_all", lambda: tuple(specs))
    return tmp_path


def pages(directory: Path) -> dict[str, str]:
    found = {path.relative_to(directory).as_posix(): path.read_text() for path in directory.rglob("*.html")}
    cost = re.compile('<section id="cost">.*?</section>', re.DOTALL)
    return {name: cost.sub("", text) for name, text in found.items()}


def test_every_spec_is_checked_and_the_worst_verdict_is_the_answer(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--all", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if " memory=" in line] == ["right", "wrong"]
    assert out.splitlines()[-1].startswith("VIOLATED: 1 violated, 3 hold (4 combinations, ")
    assert main(["check", "--all", "--workers", "1", "--quiet", "--property", "deadlock"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("HOLDS: 2 hold (2 combinations, ")
    assert main(["check", "--all", "--workers", "1", "--quiet", "--expect"]) == 1
    assert "expectations: 1 of 4 verdicts differ" in capsys.readouterr().out


def test_the_order_of_the_specs_does_not_matter_to_the_answer(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other_way_round = loader.load_all()[::-1]
    monkeypatch.setattr(loader, "load_all", lambda: other_way_round)
    assert main(["check", "--all", "--workers", "1", "--quiet"]) == 1


def test_the_first_page_of_the_report_leads_to_the_pages_of_each_spec(two: Path) -> None:
    assert main(["check", "--all", "--workers", "1", "--report", "r"]) == 1
    found = pages(two / "r")
    first = found["index.html"]
    assert re.findall('href="([^"]+)"', first) == ["right/index.html", "wrong/index.html"]
    cells = [re.findall("<t[dh][^>]*>(?:<a[^>]*>)?([^<]*)", row) for row in re.findall("<tr>.*?</tr>", first)]
    assert cells == [
        ["spec", "what it is for", "versions", "violated", "incomplete", "vacuous", "holds"],
        ["right", "the right one", "only", "-", "-", "-", "2"],
        ["wrong", "the wrong one", "only", "1", "-", "-", "1"],
    ]
    for name, text in found.items():
        for link in re.findall(r'href="([^"#]+)', text):
            assert (two / "r" / name).parent.joinpath(link).is_file(), (name, link)
    assert main(["check", "--all", "--workers", "1", "--report", "r", "--property", "deadlock"]) == 0  # it is ours
    assert not any("traces/" in name for name in pages(two / "r"))


def test_a_known_bug_that_shows_is_named_on_the_first_page(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "run", lambda *given: report(violated(case="D6"), violated("q", case="D6"), result()))
    assert main(["check", "--all", "--report", "r"]) == 1
    assert '<td class="violated">2 (D6)</td>' in (two / "r" / "index.html").read_text()


def test_what_is_of_one_spec_is_refused(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options, what in ((["right"], "the spec 'right'"), (["--bugs"], "--bugs"), (["--case", "D6"], "--case"),
                          (["--graph", "g.dot"], "--graph"), (["--json"], "--json"), (["--ktap"], "--ktap")):
        assert main(["check", "--all", *options]) == 2
        said = capsys.readouterr()
        wanted = f"error: --all checks every spec with its defaults; leave it or {what} out\n"
        assert (said.out, said.err) == ("", wanted)
    assert main(["check", "--all", "--property", "exclusive,nothing"]) == 2
    assert sorted(path.name for path in two.iterdir()) == ["right.py", "wrong.py"]


def test_a_signal_ends_the_whole_and_what_was_not_come_to_is_named(
    two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = report(result(), result("q", "incomplete", bound="stopped by SIGINT"))
    monkeypatch.setattr(campaign, "run", lambda *given: stopped)
    assert main(["check", "--all", "--quiet"]) == 3
    assert capsys.readouterr().out.splitlines()[0] == "INCOMPLETE: not come to: wrong"
    whole = report(violated(), result("q", "incomplete", bound="stopped by SIGINT"))
    monkeypatch.setattr(campaign, "run", lambda *given: whole)
    assert main(["check", "--all", "--quiet"]) == 1


def test_the_time_bound_is_of_all_specs_together(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def run(asked: Request, progress: object) -> Report:
        given.append(asked.limits.seconds)
        now[0] += 70.0
        return report(result())

    now = [0.0]
    monkeypatch.setattr("modelcheck.cli.check_all.time.monotonic", lambda: now[0])
    monkeypatch.setattr(campaign, "run", run)
    assert main(["check", "--all", "--quiet", "--max-time", "100"]) == 0
    assert main(["check", "--all", "--quiet", "--max-time", "60"]) == 0
    assert main(["check", "--all", "--quiet"]) == 0
    assert given == [100.0, 30.0, 60.0, 0.001, 0.0, 0.0]

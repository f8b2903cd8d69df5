"""Every counterexample in traces/ replays, is the one the index says, and fits a mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelcheck.trace.file import read_trace, trace_id
from modelcheck.trace.replay import replay
from modelcheck.view import render
from specs import dirty_logging, pfncache, runstate

FOLDER = Path(__file__).parents[2] / "traces"
FILES = sorted(FOLDER.glob("*.json"))
SPECS = {spec.name: spec for spec in (runstate.SPEC, pfncache.SPEC, dirty_logging.SPEC)}


def index() -> dict[str, tuple[str, str, str]]:
    """The index by file: version, property and case."""
    found = {}
    for line in (FOLDER / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0].endswith(".json"):
            assert cells[0] not in found
            found[cells[0]] = (cells[1], cells[2], cells[3])
            assert len(cells) == 5 and cells[4].endswith("."), line
    return found


def test_the_index_lists_exactly_the_files() -> None:
    assert FILES
    assert sorted(index()) == [path.name for path in FILES]


def test_other_files_are_pictures_of_saved_traces() -> None:
    stems = {path.stem for path in FILES}
    others = [path for path in FOLDER.iterdir() if path.suffix != ".json" and path.name != "README.md"]
    assert all(path.suffix == ".svg" and path.stem in stems for path in others)


def test_each_known_case_and_each_broken_sibling_is_there() -> None:
    traces = [read_trace(path) for path in FILES]
    cases = {trace.case for trace in traces}
    assert cases >= {case.id for spec in SPECS.values() for case in spec.cases if case.trace}
    broken = {dict(trace.parameters)["without"] for trace in traces if trace.spec == "runstate"}
    assert broken == {"none", "update-bit", "check", "lock", "retry", "mapping", "pause"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_saved_trace_replays(path: Path) -> None:
    trace = read_trace(path)
    said = replay(trace, SPECS[trace.spec])
    assert said.startswith(f"{trace.property} of {trace.spec} {trace.version} is violated: {len(trace.steps)} steps ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_saved_trace_is_the_one_the_index_says(path: Path) -> None:
    trace = read_trace(path)
    assert index()[path.name] == (trace.version, trace.property, trace.case)
    assert path.name == f"{trace.spec}-{trace.property}-{trace_id(trace)}.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("full", [False, True])
def test_a_saved_trace_pastes_into_75_columns(path: Path, full: bool) -> None:
    text = render(read_trace(path), "paste", full)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 75


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem)
def test_a_saved_picture_is_the_one_its_trace_gives(path: Path) -> None:
    assert path.read_text("utf-8").rstrip("\n") == render(read_trace(path.with_suffix(".json")), "svg").rstrip("\n")

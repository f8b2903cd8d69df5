"""`check` on a made-up campaign: the table, the JSON object, the exit status, and the request its options make."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import report, result, violated

from modelcheck import campaign
from modelcheck.cli.main import main
from modelcheck.errors import InternalError, SpecError, UsageError
from modelcheck.results import Coverage, Limits, Report, Request, Result, Unreached

Check = Callable[..., int]
SPEC = '''
"""A spec that is never built."""
from modelcheck.spec import Parameter, PropertyInfo, Spec, Version

def build(setting, projection):
    raise AssertionError("the campaign is made up")

SPEC = Spec(
    name="made-up", summary="nothing", build=build,
    versions=(Version("v1", ("old",)), Version("v2"), Version("v3", ("new",))),
    parameters=(Parameter("abi", "layout", ("64", "32"), default=("64", "32")),
                Parameter("offset", "where", lo=0, hi=99),
                Parameter("reader", "who reads", ("a", "b"))),
    properties=(PropertyInfo("p", "first"), PropertyInfo("q", "second")),
)
'''


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """Requests made, in a directory of its own that holds the spec."""
    monkeypatch.chdir(tmp_path)
    Path("made.py").write_text(SPEC)
    return []


@pytest.fixture
def check(asked: list[Request], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs `check` on a campaign that ends with this report, or raises this."""

    def run(outcome: Report | BaseException, *options: str) -> int:
        def made_up(request: Request, progress: campaign.Progress | None = None) -> Report:
            asked.append(request)
            if progress is not None:
                progress("p", 1, 2, 3, 0.5)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(campaign, "run", made_up)
        return main(["check", "./made.py", *options])

    return run


HOLDS, VIOLATED = result(), violated()
INCOMPLETE = result("i", "incomplete", bound="100 states")
VACUOUS = result("w", "vacuous", witnesses=(("retry taken", False), ("accepted", True)))


@pytest.mark.parametrize(("results", "status", "verdict"), [
    ((HOLDS,), 0, "holds"),
    ((HOLDS, VIOLATED), 1, "violated"),
    ((INCOMPLETE, VIOLATED, VACUOUS), 1, "violated"),
    ((HOLDS, INCOMPLETE), 3, "incomplete"),
    ((VACUOUS, INCOMPLETE), 3, "incomplete"),
    ((HOLDS, VACUOUS), 3, "vacuous"),
])
def test_exit_status_and_verdict_of_several(check: Check, capsys: pytest.CaptureFixture[str],
                                            results: tuple[Result, ...], status: int, verdict: str) -> None:
    assert check(report(*results), "--json") == status
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict
    assert check(report(*results)) == status
    assert capsys.readouterr().out.splitlines()[-1].startswith(verdict.upper() + ": ")


@pytest.mark.parametrize(("results", "status"), [
    ((HOLDS,), 0),
    ((result(expected="holds"), violated(expected="violated")), 0),
    ((result(expected="violated"),), 1),
    ((VIOLATED,), 1),
    ((VACUOUS,), 1),
    ((result(verdict="vacuous", expected="vacuous"),), 0),
    ((INCOMPLETE, VIOLATED), 3),
    ((result(verdict="incomplete", expected="holds"), HOLDS), 3),
])
def test_expect_asks_whether_verdicts_are_the_expected_ones(check: Check, results: tuple[Result, ...],
                                                            status: int) -> None:
    assert check(report(*results), "--expect") == status


def test_expect_prints_each_difference_with_its_source(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = result(expected="violated", expected_source="paper, section 6", parameters=(("offset", "4-8"),))
    check(report(wrong, HOLDS), "--expect")
    lines = capsys.readouterr().out.splitlines()
    assert "DIFFERS p offset=4-8: expected violated (paper, section 6), is holds" in lines
    assert lines[-1] == "expectations: 1 of 2 verdicts differ"
    assert check(report(wrong), "--expect", "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "holds"
    assert captured.err.startswith("DIFFERS p: ")


def test_json_object_has_the_keys_of_the_contract(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = (("abi", "64"), ("offset", "0-3"))
    check(report(result(parameters=parameters, witnesses=(("seen", True),)), VIOLATED), "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["seconds"]) == (1, 1.5)
    keys = {"spec", "version", "property", "parameters", "memory", "verdict", "states", "transitions", "depth",
            "seconds", "peak_memory_bytes", "engine", "observations", "solver_queries", "assumptions", "witnesses",
            "uncovered", "bound", "trace"}
    holds, broken = found["results"]
    assert keys <= holds.keys()
    assert keys | {"id", "steps", "switches"} <= broken.keys()
    assert "id" not in holds
    assert (holds["parameters"], holds["witnesses"], holds["trace"]) == (dict(parameters), {"seen": True}, None)
    assert (broken["id"], broken["steps"], broken["switches"]) == ("0123456789", 12, 3)
    assert broken["trace"] == "traces/one.json"


def test_table_has_a_column_for_each_parameter_that_varies(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = (("reader", "a"),)
    check(report(
        result(parameters=(("abi", "64"), ("offset", "0-40"), *fixed), label="aligned", states=12345, seconds=2.25),
        violated(parameters=(("abi", "32"), ("offset", "50"), *fixed), label="across", case="D6"),
    ))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "made-up v1  memory=sc  engine=python  reader=a"
    assert lines[2:6] == [
        "property  abi  offset  group    verdict               states  time",
        "--------  ---  ------  -------  --------------------  ------  ----",
        "p         64   0-40    aligned  HOLDS                 12,345  2.2s",
        "p         32   50      across   VIOLATED (known: D6)      10  0.0s",
    ]


def test_violation_names_what_happened_and_where_it_is(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(report(violated(case="D6", parameters=(("abi", "64"),), trace="my traces/one.json")))
    out = capsys.readouterr().out
    assert ("VIOLATED p (known: D6): 12 steps, 3 context switches\n"
            "  CPU0 stores half. CPU1 reads both halves.\n"
            "    saved to my traces/one.json\n"
            "    modelcheck show 'my traces/one.json'\n") in out


def test_counterexamples_that_say_the_same_are_told_once(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(report(violated(parameters=(("abi", "64"),)), violated(parameters=(("abi", "32"),)),
                 violated(parameters=(("abi", "16"),), trace="traces/two.json"),
                 violated(parameters=(("abi", "8"),), trace="traces/three.json", short="Another thing.")))
    assert ("VIOLATED p: 12 steps, 3 context switches\n"
            "  CPU0 stores half. CPU1 reads both halves.\n"
            "  at abi=64\n"
            "    saved to traces/one.json\n"
            "    modelcheck show traces/one.json\n"
            "  at abi=32\n"
            "  at abi=16\n"
            "    modelcheck show traces/two.json\n"
            "\n"
            "VIOLATED p: 12 steps, 3 context switches\n"
            "  Another thing.\n"
            "  at abi=8\n"
            "    saved to traces/three.json\n"
            "    modelcheck show traces/three.json\n") in capsys.readouterr().out


def test_incomplete_names_its_bound_and_vacuous_its_witnesses(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(report(INCOMPLETE, VACUOUS))
    out = capsys.readouterr().out
    assert "INCOMPLETE i: ended after 10 states: 100 states" in out
    assert "VACUOUS w: never reached: retry taken\n" in out


def test_assumptions_are_listed_once(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(report(result(assumptions=("time grows", "no wrap")), result("q", assumptions=("time grows",))))
    out = capsys.readouterr().out
    assert out.count("time grows") == 1
    assert "Assumptions: time grows; no wrap\n" in out


def test_lines_not_reached_are_told_unless_every_search_ended_early(
        check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    missed = Coverage(3, 2, (Unreached("a.py", 7, "gpc_check", "H3", "yield check()", "no reason given"),))
    check(replace(report(HOLDS, VIOLATED), coverage=missed))
    line = "Coverage: 2 of 3 lines; 1 not reached: a.py:7 (gpc_check H3): no reason given"
    assert line in capsys.readouterr().out.splitlines()
    check(replace(report(INCOMPLETE, VIOLATED), coverage=missed))
    assert "Coverage" not in capsys.readouterr().out
    check(replace(report(INCOMPLETE, VIOLATED), coverage=missed), "--json")
    assert json.loads(capsys.readouterr().out)["coverage"] == {"lines": 3, "reached": 2, "unreached": [
        {"file": "a.py", "line": 7, "function": "gpc_check", "step": "H3", "text": "yield check()",
         "reason": "no reason given"}]}


def test_actors_and_who_was_left_out_are_told(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    alone = result(actors=("writer",), left_out=(("reader", "reads only"),))
    check(report(alone))
    assert "\nActors: writer; without reader: reads only\n" in capsys.readouterr().out
    check(report(alone), "--json")
    (found,) = json.loads(capsys.readouterr().out)["results"]
    assert (found["actors"], found["left_out"]) == (["writer"], {"reader": "reads only"})


def test_where_only_some_rows_of_a_property_leave_a_process_out_they_are_named(
        check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    both = ("writer", "reader")
    check(report(result(parameters=(("abi", "64"),), actors=("writer",), left_out=(("reader", "reads only"),)),
                 result(parameters=(("abi", "32"),), actors=both),
                 result("q", parameters=(("abi", "64"),), actors=both)))
    lines = capsys.readouterr().out.splitlines()
    assert "Actors (p abi=64): writer; without reader: reads only" in lines
    assert "Actors (p abi=32, q): writer, reader" in lines


@pytest.mark.parametrize(("faults", "status"), [(("spec",), 2), (("internal",), 70), (("spec", "internal"), 70)])
@pytest.mark.parametrize("option", [(), ("--expect",)])
def test_an_error_in_one_row_decides_the_exit_status_and_the_others_are_printed(
        check: Check, capsys: pytest.CaptureFixture[str], faults: tuple[str, ...], status: int,
        option: tuple[str, ...]) -> None:
    rows = [result("e", "incomplete", bound="error: no such lock", fault=fault) for fault in faults]
    assert check(report(*rows, VIOLATED, HOLDS), *option) == status
    out = capsys.readouterr().out
    assert "INCOMPLETE e: error: no such lock\n" in out
    assert "VIOLATED p: 12 steps" in out


def test_several_versions_make_a_matrix_with_a_legend(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(report(
        violated(version="v1", case="B4", label="across", expected_source="mail 4"), result(version="v1"),
        result(version="v2"), result("q", version="v2"),
    ), "--version", "all")
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:6] == ["property  v1           v2", "--------  -----------  -----",
                          "p         VIOLATED B4  HOLDS", "q         -            HOLDS"]
    assert "B4: p (across); mail 4" in lines


def test_long_ranges_are_cut_in_the_table_and_whole_in_json(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    offsets = ",".join(f"{64 * i}-{64 * i + 40}" for i in range(20))
    results = report(result(parameters=(("offset", offsets),)), result("q", parameters=(("offset", "7"),)))
    check(results)
    assert "0-40,64-104,... (820)" in capsys.readouterr().out
    check(results, "--json")
    assert json.loads(capsys.readouterr().out)["results"][0]["parameters"]["offset"] == offsets


def test_quiet_prints_the_last_line_only(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(report(HOLDS, VIOLATED), "--quiet") == 1
    captured = capsys.readouterr()
    assert captured.out == "VIOLATED: 1 violated, 1 holds (2 combinations, 20 states, 1.5s)\n"
    assert captured.err == ""


def test_output_in_a_pipe_has_no_colours(check: Check, capsys: pytest.CaptureFixture[str],
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    check(report(HOLDS, VIOLATED, INCOMPLETE, VACUOUS))
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert captured.err == ""


@pytest.mark.parametrize(("error", "status", "sentence"), [
    (UsageError("no such thing"), 2, "error: no such thing\n"),
    (SpecError("two\nlines", "f.py:3"), 2, "error: f.py:3: two lines\n"),
    (KeyboardInterrupt(), 3, "interrupted before there was a result\n"),
])
def test_errors_are_one_sentence(check: Check, capsys: pytest.CaptureFixture[str], error: BaseException, status: int,
                                 sentence: str) -> None:
    assert check(error) == status
    assert capsys.readouterr().err.lstrip("\n") == sentence


@pytest.mark.parametrize("error", [InternalError("broken"), ZeroDivisionError("broken"), RecursionError("broken")])
def test_our_own_error_is_status_70_and_asks_for_a_report(check: Check, capsys: pytest.CaptureFixture[str],
                                                          monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.delenv("MODELCHECK_DEBUG", raising=False)
    assert check(error) == 70
    err = capsys.readouterr().err
    assert err.startswith(f"internal error: {type(error).__name__}: broken (")
    assert err.count("\n") == 1
    assert "please report" in err
    monkeypatch.setenv("MODELCHECK_DEBUG", "1")
    assert check(error) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_no_result_at_all_is_bad_usage(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(report()) == 2
    assert capsys.readouterr().err.startswith("error: none of the combinations")


def test_defaults_are_the_newest_version_and_the_parameters_own(check: Check, asked: list[Request]) -> None:
    check(report(HOLDS))
    request = asked[0]
    assert request.versions == ("v3",)
    assert request.values == (("abi", ("64", "32")),)
    assert (request.properties, request.memory, request.engine, request.without) == ((), "tso", "auto", ())
    assert request.limits == Limits()
    assert request.traces == Path("modelcheck-traces")
    assert (request.spec.path, len(request.spec.digest)) == ("./made.py", 64)
    assert request.workers >= 1


def test_options_become_the_request(check: Check, asked: list[Request], tmp_path: Path) -> None:
    check(report(HOLDS), "--version", "new,old", "--set", "offset=3,0x10,60..62,3", "--set", "abi=32",
          "--property", "q", "--property", "p,q", "--workers", "3", "--no-reduction", "merge", "--max-states", "1000",
          "--max-memory", "1.5G", "--max-time", "2.5", "--traces", "out/deep", "--engine", "python", "--memory", "sc")
    request = asked[0]
    assert request.versions == ("v1", "v3")
    assert request.values == (("abi", ("32",)), ("offset", (3, 16, 60, 61, 62)))
    assert request.properties == ("p", "q")
    assert (request.workers, request.without, request.engine) == (3, ("merge",), "python")
    assert request.limits == Limits(1000, 3 << 29, 2.5)
    assert request.traces == Path("out/deep")
    assert [path.name for path in tmp_path.iterdir()] == ["made.py"]


def test_version_all_is_every_version_in_order(check: Check, asked: list[Request]) -> None:
    check(report(HOLDS), "--version", "all")
    assert asked[0].versions == ("v1", "v2", "v3")

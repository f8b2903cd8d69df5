"""`check --ktap`: read by the rules of Documentation/dev-tools/ktap.rst, and as tools/testing/kunit reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from cli_runs import modelcheck, report, result, violated
from test_cli_own_spec import MINE

from modelcheck.cli.ktap import to_ktap
from modelcheck.results import Report, Result

RESULT = re.compile(r"(ok|not ok) (\d+) ([^#]+?)(?: # (SKIP|XFAIL|XPASS|TIMEOUT|ERROR)(?: ([^#]*))?)?")
KUNIT_RESULT = re.compile(r"^\s*(ok|not ok) ([0-9]+) ?(- )?([^#]*)( # .*)?$")
KUNIT_SKIP = re.compile(r"^\s*(ok|not ok) ([0-9]+) ?(- )?(.*) # SKIP ?(.*)$")


@dataclass
class Test:
    """One test as it was read."""

    __test__ = False
    ok: bool
    name: str
    directive: str = ""
    why: str = ""
    before: list[str] = field(default_factory=list)
    inside: list[Test] = field(default_factory=list)


def read(text: str) -> tuple[list[Test], str]:
    """The tests and the last line of a KTAP text; fails where a rule is broken."""
    assert text.isascii() and text.endswith("\n")
    lines = text.splitlines()
    assert not [line for line in lines if line != line.rstrip() or "\t" in line]
    tests = _block(lines, "")
    (last,) = lines
    return tests, last


def _block(lines: list[str], indent: str, name: str = "") -> list[Test]:
    assert lines.pop(0) == f"{indent}KTAP version 1"
    if name or lines[0].startswith(f"{indent}# Subtest: "):
        assert lines.pop(0).startswith(f"{indent}# Subtest: ")
    plan = re.fullmatch(rf"{indent}1\.\.(\d+)", lines.pop(0))
    assert plan
    tests: list[Test] = []
    while len(tests) < int(plan[1]):
        before: list[str] = []
        inside: list[Test] = []
        while not RESULT.fullmatch(lines[0].removeprefix(indent)) or not lines[0].startswith(indent):
            if lines[0] == f"{indent}  KTAP version 1":
                inside = _block(lines, indent + "  ")
                continue
            assert lines[0].startswith(f"{indent}# "), lines[0]
            before.append(lines.pop(0).removeprefix(f"{indent}# "))
        found = RESULT.fullmatch(lines.pop(0).removeprefix(indent))
        assert found and int(found[2]) == len(tests) + 1
        tests.append(Test(found[1] == "ok", found[3], found[4] or "", found[5] or "", before, inside))
    return tests


KNOWN = violated("torn", case="D6", expected="violated", expected_source="B4")
VACUOUS = result("w", "vacuous", witnesses=(("retry taken", False), ("accepted", True)))


@pytest.mark.parametrize(("one", "ok", "directive", "why", "counted"), [
    (result("p"), True, "", "", "pass"),
    (violated("p"), False, "", "", "fail"),
    (KNOWN, True, "XFAIL", "known: D6", "xfail"),
    (violated("p", expected="violated", expected_source="derived"), True, "XFAIL", "expected: derived", "xfail"),
    (result("p", expected="violated"), True, "XPASS", "expected to be violated", "xpass"),
    (VACUOUS, True, "SKIP", "vacuous, never reached: retry taken", "skip"),
    (result("p", "incomplete", bound="the time bound"), False, "TIMEOUT",
     "incomplete after 10 states: the time bound", "error"),
    (result("p", "incomplete", bound="10 states"), False, "ERROR", "incomplete after 10 states: 10 states", "error"),
    (result("p", "incomplete", bound="error: mine.py:3: x", fault="spec"), False, "ERROR", "error: mine.py:3: x",
     "error"),
])
def test_each_verdict_has_its_result(one: Result, ok: bool, directive: str, why: str, counted: str) -> None:
    (test,), last = read(to_ktap(report(one)))
    assert (test.ok, test.directive, test.why) == (ok, directive, why)
    assert last == "# Totals: " + " ".join(
        f"{name}:{int(name == counted)}" for name in ("pass", "fail", "xfail", "xpass", "skip", "error"))


def several(*versions: str) -> Report:
    places = [(("abi", "64"), ("offset", "0-48")), (("abi", "32"), ("offset", "0-48"))]
    return report(*(each for version in versions for each in (
        result("torn", parameters=places[0], version=version, label="in one line"),
        violated("torn", parameters=places[1], version=version),
        result("dead", parameters=places[0], version=version))))


def test_rows_of_a_property_are_its_subtests() -> None:
    tests, last = read(to_ktap(several("v1")))
    assert [(test.ok, test.name) for test in tests] == [(False, "torn"), (True, "dead")]
    assert [(test.ok, test.name) for test in tests[0].inside] == [(True, "abi=64 (in one line)"), (False, "abi=32")]
    assert tests[0].inside[1].before == [
        "VIOLATED: 10 states, depth 0, 12 steps, 3 context switches",
        "what happens: CPU0 stores half. CPU1 reads both halves.", "to see it: modelcheck show traces/one.json"]
    assert last == "# Totals: pass:2 fail:1 xfail:0 xpass:0 skip:0 error:0"


def test_several_versions_nest_once_more() -> None:
    tests, _ = read(to_ktap(several("v1", "v2")))
    assert [(test.name, [inner.name for inner in test.inside]) for test in tests] == [
        ("v1", ["torn", "dead"]), ("v2", ["torn", "dead"])]
    assert [inner.name for inner in tests[0].inside[0].inside] == ["abi=64 (in one line)", "abi=32"]


def test_a_group_of_which_nothing_was_tested_is_skipped() -> None:
    rows = [result("w", "vacuous", parameters=(("abi", abi),)) for abi in ("64", "32")]
    tests, last = read(to_ktap(report(*rows)))
    assert [(test.ok, test.directive) for test in tests] == [(True, "SKIP")]
    assert last.endswith("skip:2 error:0")


def test_hostile_names_break_no_line() -> None:
    hostile = "- a # SKIP\nok 1 b\n# Subtest: c\r\u2028not ok \x1b[31m \u00e4"
    one = violated(hostile, short=f"Subtest: x\n{hostile}", trace=f"t/{hostile}", case=hostile)
    tests, _ = read(to_ktap(report(one, result("fine", note=hostile))))
    assert [test.name for test in tests] == ["a _ SKIP ok 1 b _ Subtest: c not ok \\x1b[31m a", "fine"]
    assert all(line.startswith(("VIOLATED: ", "what happens: ", "to see it: ")) for line in tests[0].before)


def test_kunit_reads_the_same() -> None:
    text = to_ktap(report(result("p"), KNOWN, VACUOUS, violated("q"), result("i", "incomplete", bound="9 states")))
    found = []
    for line in text.splitlines():
        match, skip = KUNIT_RESULT.match(line), KUNIT_SKIP.match(line)
        if match:
            found.append(("skipped" if skip else "success" if match[1] == "ok" else "failure",
                          (skip or match)[4].strip()))
    assert found == [("success", "p"), ("success", "torn"), ("skipped", "w"), ("failure", "q"), ("failure", "i")]


def test_a_check_prints_ktap_and_keeps_its_exit_status(tmp_path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    outputs = set()
    for seed in ("0", "1"):
        done = modelcheck("check", "./mine.py", "--ktap", cwd=tmp_path, PYTHONHASHSEED=seed)
        assert (done.returncode, done.stderr) == (1, "")
        outputs.add(done.stdout)
    tests, last = read(outputs.pop())
    assert not outputs
    assert [(test.ok, test.name) for test in tests] == [(False, "exclusive"), (True, "deadlock")]
    assert last == "# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:0"
    expected = modelcheck("check", "./mine.py", "--ktap", "--expect", cwd=tmp_path)
    assert expected.returncode == 1
    assert read(expected.stdout)[1] == last
    assert expected.stderr.splitlines()[-1] == "expectations: 1 of 2 verdicts differ"

"""Campaigns on the runstate spec: workers, commands, expectations, and cheap sweeps of all offsets."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from modelcheck.campaign import run
from modelcheck.results import Report, Request, Result
from modelcheck.spec import Value
from modelcheck.trace.file import read_trace, trace_id
from specs.runstate import SPEC

ALL = tuple(version.name for version in SPEC.versions)


FEW: dict[str, tuple[Value, ...]] = {"preemption": ("none",), "ioctls": ("none",), "vmm": ("moves",)}  # small models


def request(versions: tuple[str, ...], *properties: str, workers: int = 1, **values: tuple[Value, ...]) -> Request:
    return Request(SPEC, versions, tuple((FEW | values).items()), properties, workers=workers)


def timeless(results: tuple[Result, ...]) -> list[Result]:
    """Results without what depends on the machine."""
    return [replace(result, seconds=0.0, peak_memory_bytes=0) for result in results]


@pytest.mark.parametrize(
    "asked",
    [
        request(("5ec3289b", "36a85200"), "lock-order", "stale-mapping", abi=("64",), offset=(0, 4081)),
        request(("36a85200",), "torn-read", abi=("64",), offset=(0, 16, 49, 60, 4064)),
        request(("36a85200",), "torn-read", abi=("64",), offset=(0,), flag=("on", "off")),
    ],
    ids=["locks", "offsets", "flags"],
)
def test_two_workers_say_what_one_does(asked: Request) -> None:
    one, two = run(asked), run(replace(asked, workers=2))
    assert timeless(one.results) == timeless(two.results)
    assert one.notes == two.notes


def test_a_check_says_the_same_twice_whatever_was_asked_before() -> None:
    alone = request(("36a85200",), "torn-read", abi=("64",), offset=(49,))
    (first,), (again,) = run(alone).results, run(alone).results
    assert timeless((first,)) == timeless((again,))
    _, after = run(request(("36a85200",), "torn-read", abi=("64",), offset=(0, 49))).results
    assert dict(after.parameters)["offset"] == "49"
    assert timeless((after,)) == timeless((first,))


def asked_by(command: str) -> Request:
    """The request a trace's command stands for."""
    words = shlex.split(command)
    assert words[:3] == ["modelcheck", "check", "runstate"]
    values: list[tuple[str, tuple[Value, ...]]] = []
    version, properties, memory = SPEC.newest, (), "tso"
    for option, argument in zip(words[3::2], words[4::2], strict=True):
        if option == "--set":
            name, _, value = argument.partition("=")
            values.append((name, (int(value) if SPEC.parameter(name).numeric else value,)))
        elif option == "--version":
            version = argument
        elif option == "--memory":
            memory = argument
        else:
            assert option == "--property"
            properties = (argument,)
    return Request(SPEC, (version,), tuple(values), properties, memory)


@pytest.mark.parametrize(
    ("version", "property_name", "values"),
    [
        ("5ec3289b", "torn-read", {"abi": "64", "offset": 4081}),
        ("a795cd43", "torn-read", {"abi": "32", "offset": 56}),
        ("11896456", "torn-read", {"abi": "64", "offset": 8, "flag": "off"}),
        ("d8ba8ba4", "lock-order", {"abi": "32", "offset": 4088}),
        ("36a85200", "stale-mapping", {"abi": "64", "offset": 4081, "without": "retry"}),
    ],
)
def test_the_command_of_a_trace_finds_the_same_counterexample(
    version: str, property_name: str, values: dict[str, Value], tmp_path: Path
) -> None:
    first = request((version,), property_name, **{name: (value,) for name, value in values.items()})
    (found,) = run(replace(first, traces=tmp_path)).results
    trace = read_trace(found.trace or "")
    assert trace.command.startswith(f"modelcheck check runstate --version {version} ")
    assert trace.command.endswith(f" --property {property_name}")
    (again,) = run(replace(asked_by(trace.command), traces=tmp_path)).results
    assert again.id == found.id == trace_id(trace)
    assert again.trace == found.trace


def test_a_trace_found_for_an_equal_model_is_told_of_the_version_asked_for(tmp_path: Path) -> None:
    """The accounting of 5ec3289b, 4438355e and 11896456 is one model; each row's trace names its own version."""
    versions = ("5ec3289b", "4438355e", "11896456")
    asked = request(versions, "time-sum", abi=("64",), offset=(0,), preemption=("full",))
    results = run(replace(asked, traces=tmp_path)).results
    traces = [read_trace(result.trace or "") for result in results]
    assert tuple(trace.version for trace in traces) == versions
    assert len({result.id for result in results}) == 3
    assert len({result.states for result in results}) == 1


def mismatches(report: Report) -> list[Result]:
    return [result for result in report.results if result.verdict != result.expected]


def test_a_small_sweep_of_all_versions_is_as_expected() -> None:
    names = ("flag-clears", "lock-order", "published", "time-sum")
    report = run(request(ALL, *names, offset=(0, 4081), abi=("64",)))
    assert mismatches(report) == []
    assert report.notes[0].startswith("4 combinations do not exist and were left out, such as: offset=4081: a795cd43 ")
    assert sum(result.count for result in report.results) == 8 * 4 * 2 - 4
    assert {result.verdict for result in report.results} == {"holds", "violated"}


@pytest.mark.parametrize("property_name", ["deadlock", "lock-order", "sleep-in-atomic"])
def test_every_offset_of_both_abis_is_covered_by_the_cheap_properties(property_name: str) -> None:
    for version in ("5ec3289b", "36a85200"):
        report = run(request((version,), property_name))
        assert mismatches(report) == []
        assert sum(result.count for result in report.results) == 2 * 4096


def test_an_assumption_and_an_obligation_are_told() -> None:
    report = run(request(("36a85200",), "torn-read", abi=("64",), offset=(0,)))
    assert report.notes[-1].startswith("z3 proved 7 side conditions: user_len1 + user_len2 is the length of the struct")
    assert "clock readings strictly increase" in report.results[0].assumptions

"""One line a case for the tests of specs/runstate: a setting, and what a check of it says."""

from __future__ import annotations

from pathlib import Path

from modelcheck.campaign import run
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.verify import Options, Outcome, verify
from modelcheck.results import Report, Request, Result
from modelcheck.spec import Setting, Value
from modelcheck.trace.file import read_trace
from modelcheck.trace.trace import Trace
from specs.runstate import SPEC

ALL = tuple(version.name for version in SPEC.versions)
V2, V3, V4, V5, V6, V6S, V7, V7P = ALL
FEW: dict[str, Value] = {"preemption": "none", "ioctls": "none", "vmm": "moves"}
"""The vCPU task in KVM_RUN alone, with no preemption in its code: whatever does not need more is checked on this."""


def setting(version: str, property_name: str, **values: Value) -> Setting:
    """A setting with the defaults of a check where nothing is given."""
    chosen: list[tuple[str, Value]] = []
    for parameter in SPEC.parameters:
        if parameter.name in values:
            chosen.append((parameter.name, values[parameter.name]))
        elif parameter.name in ("abi", "offset"):
            chosen.append((parameter.name, "64" if parameter.name == "abi" else 0))
        else:
            default = parameter.default or SPEC.defaults(parameter.name, tuple(chosen))
            chosen.append((parameter.name, default[0]))
    return Setting(version, property_name, tuple(sorted(chosen)))


def report(
    versions: str | tuple[str, ...], property_name: str, traces: Path | None = None, **values: Value | tuple[Value, ...]
) -> Report:
    """A check of every combination of the values given."""
    names = (versions,) if isinstance(versions, str) else versions
    given = tuple((name, value if isinstance(value, tuple) else (value,)) for name, value in values.items())
    return run(Request(SPEC, names, given, (property_name,), traces=traces))


def results(
    versions: str | tuple[str, ...], property_name: str, **values: Value | tuple[Value, ...]
) -> tuple[Result, ...]:
    """The results of `report`."""
    return report(versions, property_name, **values).results


def result(version: str, property_name: str, **values: Value) -> Result:
    """The one result of one setting."""
    (only,) = results(version, property_name, **values)
    return only


def verdict(version: str, property_name: str, **values: Value) -> str:
    """Its verdict, which must be the one the spec expects of that setting."""
    found = result(version, property_name, **values)
    if found.expected:
        assert found.verdict == found.expected, found
    return found.verdict


def traced(version: str, property_name: str, folder: Path, **values: Value) -> tuple[Result, Trace]:
    """A violated setting, with its saved counterexample."""
    (found,) = report(version, property_name, traces=folder, **values).results
    assert found.trace is not None, found
    return found, read_trace(found.trace)


def decided(one: Setting, without: tuple[str, ...] = ()) -> list[Outcome]:
    """What became of every projection of a setting, without the campaign; reductions can be left out."""
    return [
        verify(
            SPEC.build(one, projection),
            one.property,
            Bounds(),
            Options(frozenset(without)),
            full=lambda: SPEC.build(one, None),
        )
        for projection in SPEC.projections(one)
    ]

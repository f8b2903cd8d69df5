"""Saving the counterexample of a protocol without a piece: a trace that names the piece, so that it replays."""

from __future__ import annotations

import shlex
from dataclasses import replace

from modelcheck.ablate.results import AblationRequest, Broken
from modelcheck.decided import told
from modelcheck.errors import UsageError
from modelcheck.explain import explained
from modelcheck.explore.verify import Outcome
from modelcheck.spec import Spec
from modelcheck.trace.build import build_trace
from modelcheck.trace.file import trace_id, write_trace


def saved(
    request: AblationRequest, spec: Spec, key: str, broken: Broken, outcome: Outcome, faults: list[str]
) -> Broken:
    """What is broken, with the trace that was written; a trace that could not be is told in `faults`."""
    assert request.traces is not None
    setting = broken.setting
    origin = (spec.path or spec.name, spec.digest)
    model = spec.model(setting, None)
    trace = build_trace(model, setting, outcome, origin, "", _command(request, broken))
    try:
        trace = explained(trace, model, setting.property)
    except Exception as error:  # the counterexample is saved all the same, without what explains it
        faults.append(told(error)[1])
    trace = replace(trace, without=key, initial=(f"left out: {key}", *trace.initial))
    identity = trace_id(trace)
    where = request.traces / f"{spec.name}-without-{setting.property}-{identity}.json"
    short = trace.consequence[:1].upper() + trace.consequence[1:] + "."
    broken = replace(broken, steps=len(trace.steps), id=identity, short=short)
    try:
        request.traces.mkdir(parents=True, exist_ok=True)
        write_trace(trace, where)
    except UsageError as why:
        faults.append(str(why))
        return broken
    return replace(broken, trace=str(where))


def _command(request: AblationRequest, broken: Broken) -> str:
    """The command that finds this counterexample again."""
    setting, spec = broken.setting, request.spec
    sets = " ".join(f"--set {name}={value}" for name, value in setting.values)
    version = f"--version {setting.version}" if len(spec.versions) > 1 else ""
    parts = ["modelcheck ablate", shlex.quote(spec.path or spec.name), version, sets, f"--memory {setting.memory}"]
    return " ".join([*(part for part in parts if part), f"--property {setting.property}"])

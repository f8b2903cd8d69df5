"""The object `check --json` prints: a contract with other tools (design.md section 8), versioned by `schema`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from modelcheck.cli.status import worst

if TYPE_CHECKING:
    from modelcheck.results import Report, Result

SCHEMA = 1


def to_json(report: Report) -> str:
    """The whole report as one JSON object in ASCII, with a newline at the end."""
    return json.dumps(to_object(report), indent=2) + "\n"


def to_object(report: Report) -> dict[str, Any]:
    """The report as plain dicts and lists, results in the order they were asked for."""
    return {
        "schema": SCHEMA,
        "verdict": worst([result.verdict for result in report.results]),
        "seconds": round(report.seconds, 3),
        "results": [result_object(result) for result in report.results],
        "notes": [*report.notes, *report.faults],
        "solver": {**asdict(report.solver), "seconds": round(report.solver.seconds, 3)},
        "searched": report.searched,
        "spared": report.spared,
        "coverage": {
            "lines": report.coverage.lines,
            "reached": report.coverage.reached,
            "unreached": [asdict(each) for each in report.coverage.unreached],
        },
    }


def result_object(result: Result) -> dict[str, Any]:
    """One result as a plain dict."""
    found: dict[str, Any] = {
        "spec": result.spec,
        "version": result.version,
        "property": result.property,
        "parameters": dict(result.parameters),
        "memory": result.memory,
        "verdict": result.verdict,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "seconds": round(result.seconds, 3),
        "peak_memory_bytes": result.peak_memory_bytes,
        "engine": result.engine,
        "observations": result.observations,
        "solver_queries": result.solver_queries,
        "assumptions": list(result.assumptions),
        "witnesses": dict(result.witnesses),
        "uncovered": list(result.uncovered),
        "bound": result.bound,
        "trace": result.trace,
        "label": result.label,
        "settings": result.count,
        "case": result.case,
        "expected": result.expected,
        "expected_source": result.expected_source,
        "actors": list(result.actors),
        "left_out": dict(result.left_out),
        "note": result.note,
        "fault": result.fault,
    }
    if result.verdict == "violated":
        found |= {"id": result.id, "steps": result.steps, "switches": result.switches, "short": result.short}
    return found

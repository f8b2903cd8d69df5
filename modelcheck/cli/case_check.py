"""`check --case` and `check --bugs`: the checks of known bugs, each against the verdict that tells the bug.

A check may have several results (groups of offsets); its verdict is the worst of them.  Its one invariant: a check that
a bound or an error ended agrees with nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from modelcheck import campaign
from modelcheck.cli.bugs import chosen
from modelcheck.cli.grid import Grid, draw
from modelcheck.cli.json_report import result_object
from modelcheck.cli.progress import duration
from modelcheck.cli.request import Options, request
from modelcheck.cli.rows import wrapped
from modelcheck.cli.status import HOLDS, INCOMPLETE, VIOLATED, fault_status, worst
from modelcheck.decided import told
from modelcheck.errors import UsageError
from modelcheck.results import Report, Request, Result
from modelcheck.spec import Case, Spec, Trial


@dataclass(frozen=True, slots=True)
class Tried:
    """One check of a case, made: `when` is "before" or "after"."""

    case: Case
    when: str
    trial: Trial
    report: Report

    @property
    def verdict(self) -> str:
        """The worst of its results."""
        return worst([result.verdict for result in self.report.results])

    @property
    def agrees(self) -> bool:
        """Whether it is the verdict that tells the case, and nothing went wrong on the way."""
        return self.verdict == self.trial.verdict and not any(result.fault for result in self.report.results)


def check_cases(spec: Spec, ids: tuple[str, ...], options: Options, progress: campaign.Progress) -> list[Tried]:
    """Makes every check of the cases, equal ones once; raises UsageError for an unknown id or a case that asks none."""
    given = [name for name, value in (("--version", options.versions), ("--set", options.settings),
                                      ("--property", options.properties)) if value]
    if given:
        raise UsageError(f"--case and --bugs say themselves what is checked; leave {given[0]} out")
    asked = [(case, when, trial) for case in chosen(spec, ids)
             for when, trials in (("before", case.before), ("after", case.after)) for trial in trials]
    if not asked:
        raise UsageError(f"there is nothing to check for {', '.join(ids)}; `modelcheck list --bugs` says why")
    requests = {trial: request(spec, replace(
        options, versions=(trial.version,), properties=(trial.property,), memory=trial.memory,
        settings=tuple(f"{name}={value}" for name, value in trial.values))) for _, _, trial in asked}
    reports = {trial: _run(one, progress) for trial, one in requests.items()}
    return [Tried(case, when, trial, reports[trial]) for case, when, trial in asked]


def _run(asked: Request, progress: campaign.Progress) -> Report:
    """The check of one trial; an error is its own result and leaves the other trials theirs."""
    try:
        return campaign.run(asked, progress)
    except Exception as error:
        fault, sentence = told(error)
        result = Result(asked.spec.name, asked.versions[0], asked.properties[0], (), asked.memory, "incomplete",
                        bound=f"error: {sentence}", fault=fault)
        return Report((result,))


def render(tried: list[Tried], quiet: bool) -> str:
    """A row for each check, then each difference, the counterexamples and the answer."""
    if quiet:
        return answer(tried) + "\n"
    rows = []
    for one in tried:
        values = " ".join(f"{name}={value}" for name, value in one.trial.values)
        same = "" if one.agrees else f"  (expected {one.trial.verdict})"
        rows.append((one.case.id, one.when, one.trial.version, one.trial.property,
                     " ".join(filter(None, (values, f"memory={one.trial.memory}"))), one.verdict.upper() + same,
                     duration(one.report.seconds)))
    headings = ("case", "", "version", "property", "setting", "verdict", "time")
    lines = [wrapped(line) for line in _differences(tried)]
    shown = dict.fromkeys(f"    modelcheck show {result.trace}" for one in tried for result in one.report.results
                          if result.trace)
    return "\n".join(filter(None, (draw(Grid(headings, tuple(rows), frozenset({"time"}))), *shown, *lines,
                                   answer(tried)))) + "\n"


def _differences(tried: list[Tried]) -> Iterator[str]:
    for one in tried:
        if one.agrees:
            continue
        why = "".join(dict.fromkeys(f"; {text}" for result in one.report.results for text in (result.bound, result.note)
                                    if text))
        yield (f"DIFFERS {one.case.id} {one.when}: {one.trial.property} of {one.trial.version} is expected "
               f"{one.trial.verdict}, is {one.verdict}{why}")


def answer(tried: list[Tried]) -> str:
    """Whether every case is as it is told, in one line."""
    cases = len(dict.fromkeys(one.case.id for one in tried))
    different = sum(not one.agrees for one in tried)
    of = f"{len(tried)} checks of {cases} case{'s' * (cases != 1)}"
    return f"cases: {different} of {of} differ" if different else f"cases: all {of} are as expected"


def to_json(tried: list[Tried]) -> str:
    """All checks as one JSON object, by case."""
    cases: dict[Case, dict[str, Any]] = {}
    for one in tried:
        case = cases.setdefault(one.case, {"spec": one.report.results[0].spec, "id": one.case.id,
                                           "title": one.case.title, "status": one.case.status, "checks": []})
        case["checks"].append({
            "when": one.when, "version": one.trial.version, "property": one.trial.property,
            "values": dict(one.trial.values), "memory": one.trial.memory, "expected": one.trial.verdict,
            "verdict": one.verdict, "agrees": one.agrees, "results": [result_object(r) for r in one.report.results],
        })
    seconds = sum({id(one.report): one.report.seconds for one in tried}.values())
    return json.dumps({"schema": 1, "agrees": all(one.agrees for one in tried), "seconds": round(seconds, 3),
                       "cases": list(cases.values())}, indent=2) + "\n"


def status(tried: list[Tried]) -> int:
    """0 where all agree, 1 where some differ; 3 where one is incomplete, and 2 or 70 where an error ended one."""
    results = [result for one in tried for result in one.report.results]
    if any(result.fault for result in results):
        return fault_status(results)
    if any(one.verdict == "incomplete" for one in tried):
        return INCOMPLETE
    return HOLDS if all(one.agrees for one in tried) else VIOLATED

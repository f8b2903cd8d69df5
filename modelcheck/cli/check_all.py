"""`check --all`: every spec there is, one after the other, each with its own defaults; one exit status, one report.

Its one invariant: a spec that was not come to, because a signal ended one before it, is named; what the signal ended is
INCOMPLETE, and so is the answer.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from modelcheck import campaign
from modelcheck.cli import loader
from modelcheck.cli.output import emit, tell
from modelcheck.cli.pages import report_directory, write_all
from modelcheck.cli.progress import ProgressLine
from modelcheck.cli.report import expectation_lines, render, totals
from modelcheck.cli.request import Options, request
from modelcheck.cli.status import USAGE, exit_status, expect_status
from modelcheck.errors import InternalError, ModelcheckError
from modelcheck.explore.engine import native_missing
from modelcheck.results import Report, Request
from modelcheck.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST = 0.001  # seconds: what --max-time leaves to a spec that is come to after it


def check_all(options: Options, expect: bool, quiet: bool, pages: str | None) -> int:
    """Checks every spec and answers with the exit status; nothing is searched before all options fit all specs."""
    asked = [(spec, request(spec, options)) for spec in loader.load_all()]
    directory = None if pages is None else report_directory(pages, asked[0][1].traces)
    if asked[0][1].engine == "auto" and native_missing() and not quiet:
        tell(f"note: the Python engine searches, many times slower than the native one: {native_missing()}")
    done = _run(asked, quiet)
    whole = together([report for _, report in done])
    if expect:
        emit("".join(f"{line}\n" for line in expectation_lines(whole.results)))
    missed = [spec.name for spec, _ in asked[len(done):]]
    if missed:
        emit(f"INCOMPLETE: not come to: {', '.join(missed)}\n")
    emit(totals(whole) + "\n")
    faults = list(whole.faults)
    if directory is not None:
        try:
            write_all([(report, spec) for spec, report in done], directory)
        except InternalError:
            raise
        except ModelcheckError as error:
            faults.append(str(error))
    for fault in faults:
        tell(f"error: {fault}")
    if faults:
        return USAGE
    return expect_status(whole.results) if expect else exit_status(whole.results)


def _run(asked: Sequence[tuple[Spec, Request]], quiet: bool) -> list[tuple[Spec, Report]]:
    """The reports, each printed when it is there; a signal ends the whole."""
    started = time.monotonic()
    done = []
    for spec, one in asked:
        most = one.limits.seconds
        left = max(most - (time.monotonic() - started), LEAST) if most else most
        with ProgressLine(quiet, left) as progress:
            report = campaign.run(replace(one, limits=replace(one.limits, seconds=left)), progress)
        done.append((spec, report))
        if not quiet:
            emit(render(report) + "\n")
        if any(result.bound.startswith("stopped by") for result in report.results):
            break
    return done


def together(reports: Sequence[Report]) -> Report:
    """The results of several checks as those of one; their coverage stays theirs."""
    return Report(
        tuple(result for report in reports for result in report.results),
        sum(report.seconds for report in reports),
        searched=sum(report.searched for report in reports),
        spared=sum(report.spared for report in reports),
        faults=tuple(dict.fromkeys(fault for report in reports for fault in report.faults)),
    )

"""`modelcheck check`: verify every combination asked for, print what came out, answer with the exit status.

Results go to stdout, progress and messages to stderr.  The engine is imported when the options have been understood.
"""

from __future__ import annotations

import gc
from typing import Any

import click

from modelcheck.cli.output import emit, tell
from modelcheck.cli.request import Options, request
from modelcheck.cli.status import exit_status, expect_status
from modelcheck.errors import UsageError


@click.command(name="check", short_help="Verify a spec and print a verdict for each property.")
@click.argument("spec", required=False)
@click.option("--version", "versions", multiple=True, metavar="V|all", help="Versions to check; default the newest.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE[,VALUE|LO..HI]",
              help="Values of a parameter; all combinations are checked.")
@click.option("--property", "properties", multiple=True, metavar="P", help="Properties to check; default all.")
@click.option("--memory", default="tso", show_default=True, metavar="sc|tso|weak", help="The memory model.")
@click.option("--engine", default="auto", show_default=True, metavar="auto|python|native", help="The search engine.")
@click.option("--workers", metavar="N", help="Processes to search with; default one for each core.")
@click.option("--no-reduction", "without", multiple=True, metavar="NAME", help="Search without that reduction.")
@click.option("--max-states", metavar="N", help="Stop a search that stores more states.")
@click.option("--max-memory", metavar="SIZE", help="Stop when this much is in use, all workers together; default 4G.")
@click.option("--max-time", metavar="SECONDS", help="Stop after this time.")
@click.option("--traces", metavar="DIR", help="Where counterexamples are saved; default ./modelcheck-traces.")
@click.option("--expect", is_flag=True, help="Ask instead whether every verdict is the one the spec expects.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Check a known bug: found, and gone where fixed?")
@click.option("--bugs", is_flag=True, help="Check every known bug; see `modelcheck list --bugs`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress, and only the last line of the report.")
def command(
    spec: str | None, expect: bool, cases: tuple[str, ...], bugs: bool, as_json: bool, quiet: bool, **options: Any
) -> int:
    """Verify SPEC, a name or a path to a .py file, for all combinations of versions, properties and parameters.

    Several names go into one option with commas, or the option is repeated. Verdicts: HOLDS for every schedule;
    VIOLATED with a counterexample saved; INCOMPLETE, a bound or a signal ended it; VACUOUS, what the property is about
    was never reached.
    """
    from modelcheck.cli import loader

    if cases or bugs:
        return _check_cases(spec, () if bugs else cases, Options(**options), as_json, quiet)
    loaded = loader.load(loader.default_name() if spec is None else spec)
    asked = request(loaded, Options(**options))
    from modelcheck import campaign
    from modelcheck.cli.progress import ProgressLine
    from modelcheck.explore.engine import native_missing

    if asked.engine == "auto" and native_missing() and not quiet:
        tell(f"note: the Python engine searches, many times slower than the native one: {native_missing()}")
    gc.set_threshold(50_000, 20, 20)  # tables and machines stay to the end: looking for garbage among them is in vain
    with ProgressLine(quiet) as progress:
        report = campaign.run(asked, progress)
    if not report.results:
        raise UsageError("none of the combinations asked for exists; `modelcheck list` shows what there is")
    if as_json:
        from modelcheck.cli.json_report import to_json

        emit(to_json(report))
    else:
        from modelcheck.cli.report import render

        emit(render(report, quiet))
    for fault in report.faults:
        tell(f"error: {fault}")
    if report.faults:
        return 2
    if not expect:
        return exit_status(report.results)
    from modelcheck.cli.report import expectation_lines

    for line in expectation_lines(report.results):
        if as_json:
            tell(line)
        else:
            emit(line + "\n")
    return expect_status(report.results)


def _check_cases(spec: str | None, ids: tuple[str, ...], options: Options, as_json: bool, quiet: bool) -> int:
    """Known bugs instead of a request, of every spec where none is named: what is checked is theirs."""
    if click.get_current_context().get_parameter_source("memory") != click.core.ParameterSource.DEFAULT:
        raise UsageError("--case and --bugs say themselves what is checked; leave --memory out")
    from modelcheck.cli import case_check
    from modelcheck.cli.bugs import asked_of
    from modelcheck.cli.progress import ProgressLine

    names = tuple(name.strip() for text in ids for name in text.split(","))
    gc.set_threshold(50_000, 20, 20)  # as above
    with ProgressLine(quiet) as progress:
        tried = [one for loaded, its in asked_of(spec, names)
                 for one in case_check.check_cases(loaded, its, options, progress)]
    emit(case_check.to_json(tried) if as_json else case_check.render(tried, quiet))
    faults = [fault for one in tried for fault in one.report.faults]
    for fault in dict.fromkeys(faults):
        tell(f"error: {fault}")
    return 2 if faults else case_check.status(tried)

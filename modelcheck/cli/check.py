"""`modelcheck check`: verify every combination asked for, print what came out, answer with the exit status.

Results go to stdout, progress and messages to stderr.  The engine is imported when the options have been understood.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from modelcheck.cli.output import emit, tell
from modelcheck.cli.request import Options, request
from modelcheck.cli.status import exit_status, expect_status
from modelcheck.errors import InternalError, ModelcheckError, UsageError

if TYPE_CHECKING:
    from modelcheck.results import Report
    from modelcheck.spec import Spec


@click.command(name="check", short_help="Verify a spec and print a verdict for each property.")
@click.argument("spec", required=False)
@click.option("--all", "every", is_flag=True, help="Check every spec there is, each with its defaults.")
@click.option("--version", "versions", multiple=True, metavar="V|all", help="Versions to check; default the newest.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE[,VALUE|LO..HI]",
              help="Values of a parameter; all combinations are checked.")
@click.option("--property", "properties", multiple=True, metavar="P", help="Properties to check; default all.")
@click.option("--memory", default="tso", show_default=True, metavar="sc|tso|weak", help="The memory model.")
@click.option("--engine", default="auto", show_default=True, metavar="auto|python|native", help="The search engine.")
@click.option("--workers", metavar="N", help="Processes to search with; default one for each core.")
@click.option("--no-reduction", "without", multiple=True, metavar="NAME|all", help="Search without that reduction.")
@click.option("--max-states", metavar="N", help="Stop a search that stores more states.")
@click.option("--max-memory", metavar="SIZE", help="Stop when this much is in use, all workers together; default 4G.")
@click.option("--max-time", metavar="SECONDS", help="Stop after this time.")
@click.option("--traces", metavar="DIR", help="Where counterexamples are saved; default ./modelcheck-traces.")
@click.option("--expect", is_flag=True, help="Ask instead whether every verdict is the one the spec expects.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Check a known bug: found, and gone where fixed?")
@click.option("--bugs", is_flag=True, help="Check every known bug; see `modelcheck list --bugs`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--ktap", "as_ktap", is_flag=True, help="Print KTAP, as kernel test harnesses read it.")
@click.option("--lines", "as_lines", is_flag=True, help="Print what is found as file:line: warning: text, for editors.")
@click.option("--report", "pages", metavar="DIR", help="Also write web pages to DIR: matrix, traces, coverage.")
@click.option("--graph", metavar="FILE", help="Also draw the reachable states of the one combination checked: "
                                              ".dot, .graphml or .html, as FILE ends.")
@click.option("--quiet", is_flag=True, help="No progress, and of the report only the last line.")
def command(
    spec: str | None, every: bool, expect: bool, cases: tuple[str, ...], bugs: bool, quiet: bool, pages: str | None,
    graph: str | None, as_json: bool, as_ktap: bool, as_lines: bool, **options: Any
) -> int:
    """Verify SPEC, a name or a path to a .py file, for all combinations of versions, properties and parameters.

    Several names go into one option with commas, or the option is repeated. Verdicts: HOLDS for every schedule;
    VIOLATED with a counterexample saved; INCOMPLETE, a bound or a signal ended it; VACUOUS, what the property is about
    was never reached.
    """
    form = _form(as_json, as_ktap, as_lines)
    if every:
        for option, given in ((f"the spec {spec!r}", spec), ("--case", cases), ("--bugs", bugs), ("--graph", graph),
                              (f"--{form}", form != "text")):
            if given:
                raise UsageError(f"--all checks every spec with its defaults; leave it or {option} out")
        from modelcheck.cli.check_all import check_all

        return check_all(Options(**options), expect, quiet, pages)
    if cases or bugs:
        for option, given in (("--report", pages), ("--graph", graph), (f"--{form}", form not in ("text", "json"))):
            if given:
                raise UsageError(f"{option} is of one check, and --case and --bugs make many; leave one of them out")
        return _check_cases(spec, () if bugs else cases, Options(**options), as_json, quiet)
    from modelcheck.cli import loader, state_graph
    from modelcheck.cli.pages import report_directory, write_pages

    loaded = loader.load(loader.default_name() if spec is None else spec)
    asked = request(loaded, Options(**options))
    drawn = None if graph is None else state_graph.graph_file(graph)
    setting = None if drawn is None else state_graph.one_setting(asked)
    directory = None if pages is None else report_directory(pages, asked.traces)
    from modelcheck import campaign
    from modelcheck.cli.progress import ProgressLine
    from modelcheck.explore.engine import native_missing

    if asked.engine == "auto" and native_missing() and not quiet:
        tell(f"note: the Python engine searches, many times slower than the native one: {native_missing()}")
    gc.set_threshold(50_000, 20, 20)  # tables and machines stay to the end: looking for garbage among them is in vain
    with ProgressLine(quiet, asked.limits.seconds) as progress:
        report = campaign.run(asked, progress)
    if not report.results:
        raise UsageError("none of the combinations asked for exists; `modelcheck list` shows what there is")
    emit(_rendered(report, form, quiet, loaded))
    faults = list(report.faults)
    stopped = next((one.bound for one in report.results if one.bound.startswith("stopped by")), "")
    if drawn is not None and stopped:
        tell(f"note: no graph was written to {drawn}: {stopped}")
    elif drawn is not None and setting is not None:
        faults += _attempt(lambda: state_graph.write_graph(asked, setting, drawn, report.seconds))
    if directory is not None:
        faults += _attempt(lambda: write_pages(report, loaded, directory))
    for fault in faults:
        tell(f"error: {fault}")
    return _status(report, form, expect) if not faults else 2


def _form(as_json: bool, as_ktap: bool, as_lines: bool) -> str:
    """What goes to stdout: text, json, ktap or lines."""
    asked = [name for name, given in (("json", as_json), ("ktap", as_ktap), ("lines", as_lines)) if given]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} both say what is printed; leave one of them out")
    return asked[0] if asked else "text"


def _rendered(report: Report, form: str, quiet: bool, spec: Spec) -> str:
    if form == "json":
        from modelcheck.cli.json_report import to_json

        return to_json(report)
    if form == "ktap":
        from modelcheck.cli.ktap import to_ktap

        return to_ktap(report)
    if form == "lines":
        from modelcheck.cli.editor_lines import to_lines

        return to_lines(report, spec)
    from modelcheck.cli.report import render

    return render(report, quiet)


def _attempt(write: Callable[[], None]) -> list[str]:
    """What went wrong in writing something beside the verdicts, which are told all the same."""
    try:
        write()
    except InternalError:
        raise
    except ModelcheckError as error:
        return [str(error)]
    return []


def _status(report: Report, form: str, expect: bool) -> int:
    if not expect:
        return exit_status(report.results)
    from modelcheck.cli.report import expectation_lines

    for line in expectation_lines(report.results):
        if form == "text":
            emit(line + "\n")
        else:
            tell(line)
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

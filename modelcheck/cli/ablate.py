"""`modelcheck ablate`: leave out every piece of a protocol in turn, and say what breaks without it.

Results go to stdout, progress and messages to stderr.  The engine is imported when the options have been understood.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from modelcheck.cli.output import emit, tell
from modelcheck.cli.request import (
    ENGINES,
    MEMORY_MODELS,
    available_cores,
    chosen_properties,
    chosen_values,
    chosen_versions,
    limits_of,
    one_of,
    positive,
    writable_directory,
)
from modelcheck.cli.status import HOLDS, INCOMPLETE, USAGE
from modelcheck.errors import UsageError

if TYPE_CHECKING:
    from modelcheck.spec import Spec, Value


@click.command(name="ablate", short_help="Leave out each piece of a spec in turn: what breaks without it.")
@click.argument("spec", required=False)
@click.option("--version", "versions", multiple=True, metavar="V", help="The version; default the newest.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE[,VALUE|LO..HI]",
              help="Values of a parameter; the others are those the spec names for this.")
@click.option("--property", "properties", multiple=True, metavar="P", help="Properties to ask; default all.")
@click.option("--memory", "memories", multiple=True, metavar="sc|tso|weak", help="Memory models; default all three.")
@click.option("--engine", default="auto", show_default=True, metavar="auto|python|native", help="The search engine.")
@click.option("--workers", metavar="N", help="Pieces to work on at a time; default one for each core.")
@click.option("--max-states", metavar="N", help="Stop a search that stores more states.")
@click.option("--max-memory", metavar="SIZE", help="Stop when this much is in use, all workers together; default 4G.")
@click.option("--max-time", metavar="SECONDS", help="Stop after this time, with what is finished by then.")
@click.option("--traces", metavar="DIR", help="Save a counterexample for everything that breaks.")
@click.option("--every", is_flag=True, help="Ask on after the first property that breaks without a piece.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress, and only the last line of the report.")
def command(spec: str | None, versions: Sequence[str], settings: Sequence[str], properties: Sequence[str],
            memories: Sequence[str], engine: str, workers: str | None, max_states: str | None, max_memory: str | None,
            max_time: str | None, traces: str | None, every: bool, as_json: bool, quiet: bool) -> int:
    """Leave out each barrier, lock, test, condition, retry, store, wait, order of two steps and assumption of SPEC,
    one at a time, and ask its properties again.

    The table tells which property breaks without a piece, and under which memory model, or that it is not needed, with
    the properties and the number of states that prove it. For a barrier it prints what it pairs with, as the comment to
    put over it. Pieces are found in the spec's own actions.

    Ctrl-C and --max-time keep the pieces that are finished. --json has for each piece key, kind, without, function,
    step, file, line, processes, settings, pairs, and for each memory model verdict (needed, not-needed, lost,
    incomplete, not-asked), breaks, never, holds, states, seconds, asked, decided and bound.

    Exit status: 0 every piece was decided; 2 bad usage or bad input; 3 a bound or a signal ended it, and what was
    finished is printed; 70 an error of modelcheck itself.
    """
    from modelcheck.cli import loader

    loaded = loader.load(loader.default_name() if spec is None else spec)
    names = chosen_versions(loaded, versions)
    if len(names) > 1:
        raise UsageError(f"one version is taken apart at a time, and these are {', '.join(names)}; name one")
    models = tuple(dict.fromkeys(
        one_of("memory model", name.strip(), MEMORY_MODELS) for text in memories for name in text.split(",")
    ))  # fmt: skip
    values = _set(loaded, settings)
    chosen = chosen_properties(loaded, properties)
    limits = limits_of(max_states, max_memory, max_time)
    count = available_cores() if workers is None else positive("--workers", workers)
    searcher = one_of("engine", engine, ENGINES)
    directory = None if traces is None else writable_directory(traces)
    from modelcheck.ablate import AblationRequest, ablate
    from modelcheck.cli import ablate_report
    from modelcheck.cli.progress import ProgressLine

    request = AblationRequest(
        loaded, names[0], values, chosen, models, searcher, count, limits, directory, every
    )
    gc.set_threshold(50_000, 20, 20)  # as in `check`
    with ProgressLine(quiet) as progress:
        found = ablate(request, progress)
    emit(ablate_report.to_json(found) if as_json else ablate_report.render(found, quiet))
    for fault in found.faults:
        tell(f"error: {fault}")
    if found.faults:
        return USAGE
    return HOLDS if found.complete else INCOMPLETE


def _set(spec: Spec, texts: Sequence[str]) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    """The values of the parameters that are set, and of no other."""
    given = {text.partition("=")[0].strip() for text in texts}
    return tuple((name, values) for name, values in chosen_values(spec, texts) if name in given)

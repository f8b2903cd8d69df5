"""`modelcheck litmus`: every final state of every test under a memory model, in herd's shape.

Files are decided in parallel and printed in order; one that is malformed or not supported stops no other.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelcheck.cli.output import emit, tell
from modelcheck.cli.request import ENGINES, MEMORY_MODELS, available_cores, limits_of, one_of, positive
from modelcheck.cli.status import HOLDS, INCOMPLETE, USAGE, VIOLATED
from modelcheck.errors import InternalError, ModelcheckError, UsageError

if TYPE_CHECKING:
    from modelcheck.cli.litmus_report import Answer
    from modelcheck.explore.bounds import Bounds
    from modelcheck.explore.engine import Engine
    from modelcheck.results import Limits

@click.command(name="litmus", short_help="Run litmus tests and print their final states as herd does.")
@click.argument("paths", nargs=-1, metavar="FILE|DIR...")
@click.option("--memory", default="tso", show_default=True, metavar="sc|tso|weak", help="The memory model.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--expect", metavar="FILE.tsv", help="Print only what disagrees with the verdicts in a table.")
@click.option("--engine", default="auto", show_default=True, metavar="auto|python|native", help="The search engine.")
@click.option("--workers", metavar="N", help="Tests to run at a time; default one for each core.")
@click.option("--max-states", metavar="N", help="Stop the search of a test that stores more states.")
@click.option("--max-memory", metavar="SIZE", help="Stop when this much is in use, all workers together; default 4G.")
@click.option("--max-time", metavar="SECONDS", help="Stop after this time, all tests together.")
def command(paths: tuple[str, ...], memory: str, as_json: bool, expect: str | None, engine: str, workers: str | None,
            max_states: str | None, max_memory: str | None, max_time: str | None) -> int:
    """Run litmus tests in herd's x86 format and the kernel's C format; of a directory, every *.litmus below it.

    Witnesses counts final states (herd counts executions). A test with RCU, loops or another thing that is not modelled
    is listed with its line and counted, and changes no exit status. --expect takes a table with the columns file
    (relative to the table), x86_tso, sc, lkmm and note, and compares the column of the memory model: under weak the
    column weak where there is one, and otherwise lkmm, which weak may be stronger than, but not weaker.

    Exit status: 0 every test was run or is not supported; 1 --expect found a disagreement; 2 a file is malformed or the
    call is wrong; 3 a bound or a signal ended a search.
    """
    memory = one_of("memory model", memory, MEMORY_MODELS)
    engine = one_of("engine", engine, ENGINES)
    count = available_cores() if workers is None else positive("--workers", workers)
    limits = limits_of(max_states, max_memory, max_time)
    from modelcheck.cli import litmus_expect

    table = litmus_expect.read(Path(expect)) if expect is not None else None
    if not paths and table is None:
        raise UsageError("no litmus test is named; give files or directories, as in `modelcheck litmus tests/`")
    files = _files(paths) if paths else [(Path(name), name) for name in table.files()] if table is not None else []
    started = time.monotonic()
    answers = _run(files, memory, engine, count, limits)
    from modelcheck.cli import litmus_report
    from modelcheck.litmus.verdict import Verdict

    taken = time.monotonic() - started
    found = None if table is None else litmus_expect.compare(table, answers, memory)
    if as_json:
        emit(litmus_report.to_json(answers, memory, taken, found))
    elif found is not None:
        emit(litmus_expect.render(found, answers))
    else:
        emit(litmus_report.render(answers))
    for answer in answers:
        if isinstance(answer, litmus_report.Refused) and not answer.unsupported:
            tell(f"error: {answer.message}")
    if any(isinstance(answer, litmus_report.Refused) and not answer.unsupported for answer in answers):
        return USAGE
    incomplete = any(isinstance(answer, Verdict) and answer.bound for answer in answers)
    if found is not None and found.disagreements and not incomplete:
        return VIOLATED
    return INCOMPLETE if incomplete else HOLDS


def _files(paths: tuple[str, ...]) -> list[tuple[Path, str]]:
    """The files with the names they go by, sorted within a directory, each once."""
    found: dict[Path, str] = {}
    for text in paths:
        path = Path(text)
        if path.is_dir():
            inside = sorted(path.rglob("*.litmus"))
            if not inside:
                raise UsageError(f"{text} holds no *.litmus file; name a directory that does, or the files themselves")
            for file in inside:
                found.setdefault(file, str(file))
        elif path.exists():
            found.setdefault(path, text)
        else:
            raise UsageError(f"there is no file or directory {text!r}; name litmus files or directories of them")
    return list(found.items())


def _run(files: list[tuple[Path, str]], memory: str, engine: str, count: int, limits: Limits) -> list[Answer]:
    from modelcheck.cli.progress import ProgressLine
    from modelcheck.explore.bounds import Bounds, Stop, stop_on_signals
    from modelcheck.explore.engine import Engine, best_engine, native_missing
    from modelcheck.workers import decide_all

    if engine == "native" and native_missing():
        raise UsageError(f"there is no native engine: {native_missing()}; leave --engine out")
    chosen = Engine() if engine == "python" else best_engine()
    gc.set_threshold(50_000, 20, 20)  # as in `check`: tables live as long as their search
    with ProgressLine() as progress, stop_on_signals(Stop()) as stop:
        deadline = time.monotonic() + limits.seconds if limits.seconds else 0.0
        bounds = Bounds(limits.states, limits.memory // min(count, max(len(files), 1)), deadline, time.monotonic, stop)

        def task(number: int) -> Answer:
            return _answer(*files[number], memory, bounds, chosen)

        def tick(done: int) -> None:
            progress(f"{done} of {len(files)} tests", 0, 0, 0, done / len(files))

        return decide_all(len(files), task, count, tick, stop)


def _answer(path: Path, shown: str, memory: str, bounds: Bounds, engine: Engine) -> Answer:
    from modelcheck.cli.litmus_report import Refused
    from modelcheck.litmus.errors import LitmusError, Unsupported
    from modelcheck.litmus.parse import parse_file
    from modelcheck.litmus.verdict import decide

    try:
        return decide(parse_file(path, shown), memory, bounds, engine)
    except (LitmusError, Unsupported) as error:
        reason = error.reason if isinstance(error, Unsupported) else ""
        return Refused(shown, error.where, str(error), reason)
    except InternalError as error:
        raise InternalError(f"{shown}: {error}") from error
    except ModelcheckError as error:
        raise InternalError(f"{shown}: the model made of it is refused: {error}") from error

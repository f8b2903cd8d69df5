"""`modelcheck bench`: measures the checker on the workloads of its own checkout.

The workloads, what is expected of them and other checkers' models lie under tests/, which no wheel installs; this verb
finds their `suite.py` in a checkout, hands it the options, and knows nothing of what they are.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import click

from modelcheck.cli.request import ENGINES, available_cores, one_of, positive, seconds
from modelcheck.errors import InternalError, UsageError

SUITE = Path("tests", "bench", "suite.py")
OURS = Path("modelcheck", "cli", "bench.py")  # what tells a checkout from another project with a bench
LIMIT = "300"


@click.command(name="bench", short_help="Measure the checker on its benchmark workloads.")
@click.argument("workloads", nargs=-1)
@click.option("--peers", is_flag=True, help="Run the other checkers that are installed on the same work, too.")
@click.option("--engine", default="auto", show_default=True, metavar="auto|python|native", help="The search engine.")
@click.option("--workers", metavar="N", help="Most processes and threads to use; default one for each core.")
@click.option("--limit", default=LIMIT, show_default=True, metavar="SECONDS", help="Most time for one measurement.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    workloads: tuple[str, ...], peers: bool, engine: str, workers: str | None, limit: str, as_json: bool
) -> int:
    """Measure WORKLOADS, by default all: whole commands, and searches of whole graphs, each in a process of its own.

    It needs a checkout of modelcheck, at or above the working directory or around the package. Exit status: 0
    everything came out as expected; 1 a verdict or a count did not; 3 a measurement was not finished.
    """
    chosen = one_of("engine", engine, ENGINES)
    most = available_cores() if workers is None else positive("--workers", workers)
    patience = seconds("--limit", limit)
    run = getattr(load(find_suite()), "run", None)
    if run is None:
        raise InternalError(f"{SUITE} defines no run()")
    return int(run(workloads, peers, chosen, most, patience, as_json))


def find_suite(start: Path | None = None, package: Path | None = None) -> Path:
    """The suite of the checkout around `start` (the working directory), else of the one around the package itself."""
    for root in _roots(start or Path.cwd(), package or Path(__file__).parents[1]):
        if (root / SUITE).is_file() and (root / OURS).is_file():
            return root / SUITE
    raise UsageError(
        f"bench needs a checkout of modelcheck ({SUITE} is not installed with the package); "
        "change into one and run `modelcheck bench` there"
    )


def _roots(start: Path, package: Path) -> Iterator[Path]:
    start = start.resolve()
    yield start
    yield from start.parents
    yield package.resolve().parent


def load(path: Path) -> types.ModuleType:
    """The file as a module; nothing is written beside it."""
    spec = importlib.util.spec_from_file_location("_modelcheck_bench_suite", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module

"""What `modelcheck bench` measures: workloads W1 to W5 and W-inf, and the full default check under tso and sc.

Two measurements of a work, each in a process of its own, so that neither inherits memory or imports:

- its *command*: `modelcheck check` as a user types it, start-up included, all properties, all reductions, all cores;
- its *search*: the whole graph, nothing reduced, by the engine alone, with one thread and with as many as there are.

What takes little is measured up to three times, and the quickest counts: the others tell of what else the machine did.

Every verdict, every counterexample's length where the bench's README gives it, and every count of a whole graph is
compared with what is expected; times never are, but a table says which of the project's targets they meet.  With
`peers` the other checkers run the same workloads in the same run, so that ratios are of one machine on one day.

This file is also the program that the searches run in: `suite.py WORK ENGINE THREADS SECONDS` prints one JSON object.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import modelcheck
from modelcheck.errors import UsageError

HERE = Path(__file__).resolve().parent
PACKAGE = Path(modelcheck.__file__).resolve().parents[1]
MEMORY = 8 << 30  # bytes for the search of a whole graph
AS_EXPECTED = "as expected"
TIMES = 3  # how often a measurement is taken at most
ENOUGH = 10.0  # seconds in all after which it is not taken again


def _sibling(path: Path) -> types.ModuleType:
    """A module beside this one, which is on no import path when the command line loads this file."""
    name = f"_modelcheck_bench_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


peers: Any = _sibling(HERE.parent / "peers" / "peers.py")


# -- what there is to measure ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """A work: the arguments of its `check`, and what is known of it from the bench's README.

    `steps` is the length of the shortest counterexample to `torn` where it is known; `whole` the states and transitions
    of the whole graph, where that is to be searched.  `most_seconds` and `most_bytes` are targets for the command.
    """

    name: str
    arguments: tuple[str, ...]
    steps: int = 0
    whole: tuple[int, int] | None = None
    most_seconds: float = 0.0
    most_bytes: int = 0


def _workload(name: str, file: str, **known: Any) -> Work:
    return Work(name, (str(HERE / file), "--set", f"workload={name}", "--memory", "sc"), **known)


GIB = 1 << 30
WORKS = (
    _workload("W1", "w.py", whole=(1_693_326, 4_573_213)),
    _workload("W2", "w.py", most_seconds=10, most_bytes=GIB),
    _workload("W3", "w.py", whole=(77_986_434, 391_636_455), most_seconds=10, most_bytes=GIB),
    _workload("W4", "w.py", steps=17, most_seconds=0.3),
    _workload("W5a", "w.py", steps=25, most_seconds=0.3),
    _workload("W5b", "w.py", steps=25, most_seconds=0.3),
    _workload("W5c", "w.py"),
    _workload("W-inf-a", "winf.py", whole=(263_121, 850_591), most_seconds=1),
    _workload("W-inf-s", "winf.py", whole=(2_428_425, 7_863_738), most_seconds=1),
    Work("check", (), most_seconds=10, most_bytes=GIB),
    Work("check-sc", ("--memory", "sc"), most_seconds=10, most_bytes=GIB),
)
ON_REQUEST = (Work("check-all", ("--version", "all"), most_seconds=60),)  # measured only when it is named
COMMAND, SEARCH = "command", "search"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: what came out, and `outcome`: as expected, or in which way not.

    `cores` are the most workers of a command, the threads of a search.  `seconds` are of the whole process for a
    command, of the search alone for a search.  `peak_bytes` is of the largest process.  `bytes_per_state` beyond
    `packed_bytes` is what a stored state costs beside itself.
    """

    work: str
    measured: str
    engine: str
    cores: int
    outcome: str
    verdict: str = ""
    states: int = 0
    transitions: int = 0
    depth: int = 0
    steps: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0
    bytes_per_state: float = 0.0
    packed_bytes: int = 0

    @property
    def finished(self) -> bool:
        """Whether there is something to compare."""
        return not self.outcome.startswith(("not finished", "failed"))

    @property
    def rate(self) -> float | None:
        """States a second; None where it was not finished."""
        return self.states / self.seconds if self.finished and self.seconds else None


def _environment() -> dict[str, str]:
    """That of this process, with the package that runs it before all others."""
    path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _run(row: Row, command: list[str], limit: float) -> tuple[Row, Any]:
    """The row with what was measured of a command, and the JSON object it printed, None where it did not."""
    with tempfile.TemporaryDirectory(prefix="modelcheck-bench-") as directory:
        done = peers.run_command(command, directory, _environment(), limit)
    row = replace(row, seconds=done.seconds, peak_bytes=done.peak_bytes)
    if done.late:
        return replace(row, outcome=f"not finished in {limit:g} s"), None
    try:
        return row, json.loads(done.text)
    except ValueError:
        lines = done.errors.strip().splitlines() or [f"status {done.status}"]
        return replace(row, outcome=f"failed: {lines[-1]}"), None


def measure_command(work: Work, engine: str, cores: int, limit: float) -> Row:
    """The whole `check` of a work."""
    options = ["--engine", engine, "--workers", str(cores), "--json", "--traces", "."]
    command = [sys.executable, "-m", "modelcheck", "check", *work.arguments, *options]
    row, report = _run(Row(work.name, COMMAND, engine, cores, AS_EXPECTED), command, limit)
    return row if report is None else judged(row, work, report)


def judged(row: Row, work: Work, report: Any) -> Row:
    """The row with what the report says, compared with what the spec and the bench's README expect."""
    results = report["results"]
    row = replace(
        row,
        engine="/".join(dict.fromkeys(result["engine"] for result in results)),
        verdict=report["verdict"],
        states=sum(result["states"] for result in results),
        transitions=sum(result["transitions"] for result in results),
        depth=max(result["depth"] for result in results),
        steps=max(result.get("steps", 0) for result in results),
    )
    if report["verdict"] == "incomplete":
        return replace(row, outcome=f"not finished: {next(r['bound'] for r in results if r['bound'])}")
    wrong = [f"{r['property']} {r['verdict']}" for r in results if r["verdict"] != (r["expected"] or "holds")]
    if not wrong and work.steps and row.steps != work.steps:
        wrong = [f"{row.steps} steps, not {work.steps}"]
    return replace(row, outcome=f"differs: {', '.join(wrong)}") if wrong else row


def measure_search(work: Work, engine: str, threads: int, limit: float) -> Row:
    """The search of a work's whole graph."""
    assert work.whole is not None
    command = [sys.executable, str(HERE / "suite.py"), work.name, engine, str(threads), str(limit)]
    row, found = _run(Row(work.name, SEARCH, engine, threads, AS_EXPECTED), command, limit + 30)  # it bounds itself
    if found is None:
        return row
    names = ("states", "transitions", "depth", "seconds", "bytes_per_state", "packed_bytes")
    row = replace(row, **{name: found[name] for name in names})
    if found["violated"]:
        return replace(row, outcome=f"differs: {found['violated']} is violated, so this is not the whole graph")
    if found["bound"]:
        return replace(row, outcome=f"not finished: {found['bound']}")
    if (row.states, row.transitions) == work.whole:
        return row
    return replace(row, outcome="differs: {:,} states, {:,} transitions expected".format(*work.whole))


def search_here(name: str, engine: str, threads: int, limit: float) -> dict[str, Any]:
    """What the process of a search does: the whole graph of a work, for the property `torn`."""
    from modelcheck.explore.bounds import Bounds
    from modelcheck.explore.engine import Engine
    from modelcheck.explore.whole import search_whole

    bounded, unbounded = _sibling(HERE / "w.py"), _sibling(HERE / "winf.py")
    if name in bounded.WORKLOADS:
        model = bounded.build_workload(bounded.WORKLOADS[name])
    else:
        model = unbounded.build_workload(name, early=False)
    bounds = Bounds(memory=MEMORY, deadline=time.monotonic() + limit, clock=time.monotonic)
    return asdict(search_whole(model, "torn", bounds, Engine(engine, threads)))


# -- the project's targets ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """A figure the project wants to reach, what was measured, and whether that reaches it."""

    what: str
    measured: str
    wanted: str
    met: bool


def targets(rows: Sequence[Row], others: Sequence[Any]) -> Iterator[Target]:
    """Those that these measurements say something about."""
    commands = {row.work: row for row in rows if row.measured == COMMAND and row.finished}
    searches = {(row.work, row.cores): row for row in rows if row.measured == SEARCH and row.finished}
    known = {(run.peer, run.workload): run for run in others if run.finished}
    for work in (*WORKS, *ON_REQUEST):
        row = commands.get(work.name)
        if row is not None and work.most_seconds:
            took, most = row.seconds, work.most_seconds
            yield Target(f"{work.name}, command", seconds(took), f"under {most:g} s", took < most)
        if row is not None and work.most_bytes:
            yield Target(f"{work.name}, peak", memory(row.peak_bytes), "under 1 GiB", row.peak_bytes < work.most_bytes)
    for peer, least in (("spin", 10), ("harmony", 5)):
        if "W1" in commands and (peer, "W1") in known:
            ratio = known[peer, "W1"].seconds / commands["W1"].seconds
            yield _ratio(f"W1, command against that of {peer}", ratio, least)
    unreduced = known.get(("spin -DNOREDUCE", "W1"))
    for (work_name, threads), row in searches.items():
        if work_name == "W1" and unreduced is not None and threads in (1, 2):
            ratio = (row.rate or 0) / (unreduced.rate or 1)
            with_ = f"{threads} thread{'s' * (threads > 1)}"
            yield _ratio(f"W1, states/s without reduction against SPIN's, {with_}", ratio, threads)
    if ("W3", 1) in searches and ("W3", 2) in searches:
        ratio = searches["W3", 1].seconds / searches["W3", 2].seconds
        yield _ratio("W3, two threads against one", ratio, 1.6)
    if "check" in commands and "check-sc" in commands:
        ratio = commands["check"].seconds / commands["check-sc"].seconds
        yield Target("check under tso against sc", f"{ratio:.1f}x", "at most 2x", ratio <= 2)
    for row in searches.values():
        if row.bytes_per_state and row.cores == 1:
            more = row.bytes_per_state - row.packed_bytes
            yield Target(f"{row.work}, memory a state beside itself", f"{more:.1f} B", "at most 32 B", more <= 32)


def _ratio(what: str, ratio: float, least: float) -> Target:
    return Target(what, f"{ratio:.1f}x", f"at least {least:g}x", ratio >= least)


# -- printing -------------------------------------------------------------------------------------------------------


def seconds(time_taken: float) -> str:
    """A time of a measurement: 0.31s, 12.0s, 204s."""
    digits = 2 if time_taken < 10 else 1 if time_taken < 100 else 0
    return f"{time_taken:.{digits}f}s"


def memory(amount: int) -> str:
    """An amount of memory in MiB."""
    return f"{amount / (1 << 20):,.0f} MiB"


def count(number: int) -> str:
    """A count, empty where there is none."""
    return f"{number:,}" if number else ""


def rate(value: float | None) -> str:
    """States a second, to three digits."""
    return "" if value is None else f"{float(f'{value:.3g}'):,.0f}"


_RIGHT = frozenset({"cores", "states", "transitions", "states/s", "time", "search", "peak", "steps", "measured"})


def _tables(rows: Sequence[Row], others: Sequence[Any], found: Sequence[Target]) -> str:
    from modelcheck.cli.grid import Grid, draw

    ours = Grid(
        ("work", "what", "engine", "cores", "states", "transitions", "states/s", "time", "peak", "steps", "result"),
        tuple(
            (r.work, r.measured, r.engine, str(r.cores), count(r.states), count(r.transitions), rate(r.rate),
             seconds(r.seconds), memory(r.peak_bytes), count(r.steps), _result(r.verdict, r.outcome))
            for r in rows
        ),
        _RIGHT,
    )
    theirs = Grid(
        ("work", "checker", "states", "transitions", "states/s", "time", "search", "peak", "steps", "result"),
        tuple(
            (r.workload, r.peer, count(r.states), count(r.transitions), rate(r.rate), seconds(r.seconds),
             "" if r.search_seconds is None else seconds(r.search_seconds), memory(r.peak_bytes), count(r.steps),
             r.outcome.upper() if r.finished else r.outcome)
            for r in others
        ),
        _RIGHT,
    )
    wanted = Grid(
        ("target", "measured", "wanted", "met"),
        tuple((t.what, t.measured, t.wanted, "yes" if t.met else "NO") for t in found),
        _RIGHT,
    )
    return "\n".join(draw(grid) for grid in (ours, theirs, wanted) if grid.rows)


def _result(verdict: str, outcome: str) -> str:
    return ", ".join(filter(None, (verdict.upper(), outcome)))


# -- the verb -------------------------------------------------------------------------------------------------------


def chosen(names: Sequence[str]) -> list[Work]:
    """The works of those names, in order, each once; all but those on request where none is named."""
    known = {work.name: work for work in (*WORKS, *ON_REQUEST)}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no workload {name!r} to measure; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] if names else list(WORKS)


def engine_named(name: str) -> str:
    """The engine that `auto` stands for, or the one named; raises UsageError where there is none of that name."""
    from modelcheck.explore.engine import native_missing

    missing = native_missing()
    if name == "native" and missing:
        raise UsageError(f"there is no native engine to measure: {missing}; leave --engine out")
    return name if name != "auto" else "python" if missing else "native"


def quickest(what: str, measure: Callable[[], Any]) -> Any:
    """The quickest of a few measurements; the last where one did not come out as it should."""
    from modelcheck.cli.output import tell

    if sys.stderr.isatty():
        tell(f"measuring {what}")
    started, best = time.monotonic(), measure()
    for _ in range(TIMES - 1):
        if time.monotonic() - started >= ENOUGH or not best.finished:
            break
        again = measure()
        best = again if again.seconds < best.seconds or not again.finished else best
    return best


def measured(works: Iterable[Work], engine: str, cores: int, limit: float) -> Iterator[Row]:
    """Every command, and every search with one thread and with as many as there are."""
    for work in works:
        yield quickest(f"{work.name}, command", partial(measure_command, work, engine, cores, limit))
        for threads in sorted({1, cores} if engine == "native" else {1}) if work.whole is not None else ():
            what = f"{work.name}, search with {threads} threads"
            yield quickest(what, partial(measure_search, work, engine, threads, limit))


def peer_runs(works: Iterable[Work], limit: float) -> Iterator[Any]:
    """The other checkers on the same works; the search without reduction on W1, where its rate is compared."""
    for work in works:
        for peer in peers.PEERS if work.name in peers.WORKLOADS else ():
            if peer.name != "spin -DNOREDUCE" or work.name == "W1":
                yield quickest(f"{work.name}, {peer.name}", partial(peers.run, peer, work.name, limit))


def run(names: Sequence[str], with_peers: bool, engine: str, cores: int, limit: float, as_json: bool) -> int:
    """Measures, prints, and answers with the exit status: 1 where something differs, 3 where something did not end."""
    from modelcheck.cli.output import emit

    works, engine, started = chosen(names), engine_named(engine), time.monotonic()
    rows = list(measured(works, engine, cores, limit))
    others = list(peer_runs(works, limit)) if with_peers else []
    found = list(targets(rows, others))
    if as_json:
        report = {
            "schema": 1,
            "seconds": round(time.monotonic() - started, 3),
            "machine": {"system": " ".join(os.uname()[i] for i in (0, 2, 4)), "cores": os.cpu_count()},
            "python": sys.version.split()[0],
            "rows": [{**asdict(row), "states_per_second": row.rate} for row in rows],
            "peers": [{**asdict(run), "states_per_second": run.rate} for run in others],
            "targets": [asdict(target) for target in found],
        }
        emit(json.dumps(report, indent=2) + "\n")
    else:
        emit(_tables(rows, others, found))
    if any(row.outcome.startswith(("differs", "failed")) for row in rows):
        return 1
    return 0 if all(row.finished for row in rows) else 3


if __name__ == "__main__":
    print(json.dumps(search_here(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))))

"""Runs the bench's workloads in other checkers: SPIN, Harmony and Rumur, where they are installed.

The models lie beside this file, one for each checker, and say how they are run by hand.  `run` gives a `PeerRun`; it
installs nothing and raises nothing for a checker that is missing, fails or takes too long: that is its `outcome`.

    apt-get install spin rumur        pip install harmony        (and a C compiler)

What is measured is what a user waits for: the whole command, translation and compile included.  The search alone is
what the checker says of it; where it says nothing or zero, and for Rumur, which prints whole seconds, how long its
last command ran.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
WORKLOADS = ("W1", "W2", "W3", "W4", "W5a", "W5b", "W5c")
VIOLATED = ("W4", "W5a", "W5b")
ADDRESS_SPACE = 10 << 30  # bytes for one process: a checker that wants more fails instead of taking the machine along
WANTED = 5  # words of what a failed command said last


@dataclass(frozen=True, slots=True)
class PeerRun:
    """What came of one workload in one checker.

    `outcome`: holds, violated, "not installed", "not finished in N s" or "failed: ...".  `seconds` are of the whole
    command, `search_seconds` of the search alone (None where there was none).  `peak_bytes` is the largest of its
    processes; `steps` the length of the counterexample (0 where it prints none).  Counts are 0 where it did not say.
    """

    peer: str
    workload: str
    outcome: str
    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    search_seconds: float | None = None
    peak_bytes: int = 0
    steps: int = 0

    @property
    def finished(self) -> bool:
        """Whether it came to a verdict."""
        return self.outcome in ("holds", "violated")

    @property
    def rate(self) -> float | None:
        """States a second of the search alone, None where it did not finish."""
        return self.states / self.search_seconds if self.finished and self.search_seconds else None


Commands = Callable[[str], list[list[str]]]
Parse = Callable[[str, PeerRun], PeerRun]


@dataclass(frozen=True, slots=True)
class Peer:
    """A checker: the programs it needs, its model, the commands for a workload, and how its output is read.

    `edit` puts a workload's constants into the model's text where the checker has no option for that.
    """

    name: str
    programs: tuple[str, ...]
    model: str
    commands: Commands
    parse: Parse
    edit: Callable[[str, str], str] = lambda text, workload: text


# -- SPIN -----------------------------------------------------------------------------------------------------------

_SPIN: dict[str, str] = {
    "W1": "",
    "W2": "-DNUPD=3 -DNINV=3 -DNRD=2",
    "W3": "-DANYORDER",
    "W4": "-DNOBIT",
    "W5a": "-DFLAGONLY",
    "W5b": "-DFLAGONLY -DE0HILO -DE1HILO",
    "W5c": "-DFLAGONLY -DE1HILO",
}


def _spin(*extra: str) -> Commands:
    """Depth first, exact; breadth first where a counterexample is looked for, so that it is a shortest one."""

    def commands(workload: str) -> list[list[str]]:
        collapse = ("-DCOLLAPSE",) if workload in ("W2", "W3") else ()
        breadth = ("-DBFS",) if workload in VIOLATED else ()
        flags = ["-O2", "-DSAFETY", f"-DMEMLIM={ADDRESS_SPACE >> 21}", *collapse, *breadth, *extra]
        return [
            ["spin", "-a", *_SPIN[workload].split(), "runstate.pml"],
            ["cc", "-w", *flags, "-o", "pan", "pan.c"],
            ["./pan", "-m200000"],
        ]

    return commands


def _read_spin(text: str, run: PeerRun) -> PeerRun:
    if "max search depth too small" in text:
        return replace(run, outcome="failed: its depth bound was reached")
    if "-DMEMLIM bound" in text or "out of memory" in text:
        return replace(run, outcome="failed: out of memory")
    failed = re.search(r"assertion violated.*\(at depth (\d+)\)", text)
    return replace(
        run,
        outcome="violated" if failed else "holds" if "errors: 0" in text else "failed: no verdict",
        states=int(_number(r"^\s*(\d+) states, stored", text) or 0),
        transitions=int(_number(r"^\s*(\d+) transitions \(=", text) or 0),
        search_seconds=_number(r"pan: elapsed time ([\d.]+) seconds", text) or run.search_seconds,
        steps=int(failed[1]) + 1 if failed else 0,  # it counts from 0
    )


# -- Harmony --------------------------------------------------------------------------------------------------------

_HARMONY: dict[str, dict[str, int]] = {
    "W1": {},
    "W2": {"NUPD": 3, "NINV": 3, "NRD": 2},
    "W3": {"ANY": True},
    "W4": {"BIT": False},
    "W5a": {"FLAG_ONLY": True},
    "W5b": {"FLAG_ONLY": True, "FIRST_HIGH": True, "SECOND_HIGH": True},
    "W5c": {"FLAG_ONLY": True, "SECOND_HIGH": True},
}


def _harmony(workload: str) -> list[list[str]]:
    constants = [word for name, value in _HARMONY[workload].items() for word in ("-c", f"{name}={value}")]
    return [["harmony", "--noweb", *constants, "runstate.hny"]]


def _read_harmony(text: str, run: PeerRun) -> PeerRun:
    """Its counterexample is told in turns of threads, so its length is not comparable."""
    outcome = "violated" if "Safety Violation" in text else "holds" if "No issues found" in text else ""
    return replace(
        run,
        outcome=outcome or "failed: no verdict",
        states=int(_number(r"\* (\d+) states \(time", text) or 0),
        transitions=int(_number(r"/(\d+) computations/edges", text) or 0),
        search_seconds=_number(r"states \(time ([\d.]+)s", text) or run.search_seconds,
    )


# -- Rumur ----------------------------------------------------------------------------------------------------------

_RUMUR: dict[str, dict[str, int]] = {
    "W1": {},
    "W2": {"NUPD": 3, "NINV": 3, "NRD": 2},
    "W3": {"ANY": 1},
    "W4": {"UPD": 0},
    "W5a": {"FLAG_ONLY": 1},
    "W5b": {"FLAG_ONLY": 1, "FIRST_HIGH": 1, "SECOND_HIGH": 1},
    "W5c": {"FLAG_ONLY": 1, "SECOND_HIGH": 1},
}


def _rumur(workload: str) -> list[list[str]]:
    """All cores, but one where a counterexample is looked for, so that it is a shortest one."""
    threads = ["--threads", "1"] if workload in VIOLATED else []
    options = ["--deadlock-detection", "stuck", "--output-format", "machine-readable", *threads]
    wide = ["-mcx16"] if os.uname().machine == "x86_64" else []
    return [
        ["rumur", *options, "--output", "verifier.c", "runstate.m"],
        ["cc", "-w", "-std=c11", "-O3", "-march=native", *wide, "verifier.c", "-o", "verifier", "-lpthread"],
        ["./verifier"],
    ]


def _edit_rumur(text: str, workload: str) -> str:
    for name, value in _RUMUR[workload].items():
        text, count = re.subn(rf"^(  {name}) : \d+;", rf"\1 : {value};", text, flags=re.MULTILINE)
        assert count == 1, f"{name} is no constant of the model"
    return text


def _read_rumur(text: str, run: PeerRun) -> PeerRun:
    summary = re.search(r'<summary states="(\d+)" rules_fired="(\d+)" errors="(\d+)"', text)
    if summary is None:
        return replace(run, outcome="failed: no verdict")
    violated = summary[3] != "0"
    return replace(
        run,
        outcome="violated" if violated else "holds",
        states=int(summary[1]),
        transitions=int(summary[2]),
        steps=text.count("<transition>") - 1 if violated else 0,  # the start state is one
    )


# -- running --------------------------------------------------------------------------------------------------------

PEERS = (
    Peer("spin", ("spin", "cc"), "runstate.pml", _spin(), _read_spin),
    Peer("spin -DNOREDUCE", ("spin", "cc"), "runstate.pml", _spin("-DNOREDUCE"), _read_spin),
    Peer("harmony", ("harmony",), "runstate.hny", _harmony, _read_harmony),
    Peer("rumur", ("rumur", "cc"), "runstate.m", _rumur, _read_rumur, _edit_rumur),
)


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else None


def search_path(environment: Mapping[str, str] = os.environ) -> str:
    """Where programs are looked for: PATH, and beside the interpreter (a checker installed into the same venv)."""
    return os.pathsep.join((environment.get("PATH", os.defpath), str(Path(sys.executable).parent)))


def run(peer: Peer, workload: str, limit: float, path: str = "") -> PeerRun:
    """Runs one workload in one checker, for at most `limit` seconds, in a directory of its own; `path` is for PATH."""
    path = path or search_path()
    result = PeerRun(peer.name, workload, "")
    if any(shutil.which(program, path=path) is None for program in peer.programs):
        return replace(result, outcome="not installed")
    started = time.monotonic()
    peak = 0
    with tempfile.TemporaryDirectory(prefix="modelcheck-peer-") as directory:
        model = (HERE / peer.model).read_text(encoding="utf-8")
        (Path(directory) / peer.model).write_text(peer.edit(model, workload), encoding="utf-8")
        commands = peer.commands(workload)
        for number, command in enumerate(commands):
            try:
                left = limit - (time.monotonic() - started)
                done = run_command(command, directory, {**os.environ, "PATH": path}, left, ADDRESS_SPACE)
            except OSError as error:
                return replace(result, outcome=f"failed: {command[0]}: {error.strerror}", peak_bytes=peak)
            peak = max(peak, done.peak_bytes)
            if done.late:
                return replace(result, outcome=f"not finished in {limit:g} s", seconds=limit, peak_bytes=peak)
            if done.status != 0 and number < len(commands) - 1:  # the status of the search itself tells its verdict
                return replace(result, outcome=f"failed: {command[0]}: {done.last_words}", peak_bytes=peak)
    result = replace(result, seconds=time.monotonic() - started, peak_bytes=peak, search_seconds=done.seconds)
    return peer.parse(f"{done.text}\n{done.errors}", result)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: `late` where it was killed at its limit, `text` and `errors` what it wrote."""

    status: int
    text: str
    errors: str
    seconds: float
    peak_bytes: int
    late: bool

    @property
    def last_words(self) -> str:
        """The beginning of the last line it wrote, or its status."""
        lines = f"{self.text}\n{self.errors}".strip().splitlines() or [f"status {self.status}"]
        return " ".join(lines[-1].split()[:WANTED])


def run_command(
    command: list[str], directory: str, environment: Mapping[str, str], seconds: float, address_space: int = 0
) -> Done:
    """One command, its output and the peak memory of the largest of it and its children; at the limit all are killed.

    `address_space` bounds each process in bytes, 0 for no bound.  The command leads a process group of its own, and is
    only reaped once that group has been killed, so that the group's number cannot have become another's.
    """
    late, started = threading.Event(), time.monotonic()
    with tempfile.TemporaryFile(dir=directory) as output, tempfile.TemporaryFile(dir=directory) as errors:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )

        def stop() -> None:
            late.set()
            _kill_group(process.pid)

        timer = threading.Timer(max(seconds, 0.0), stop)
        try:
            if address_space:
                with contextlib.suppress(ProcessLookupError):  # it was quick
                    resource.prlimit(process.pid, resource.RLIMIT_AS, (address_space, address_space))
            timer.start()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            timer.cancel()
            _kill_group(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - started
        text, wrong = _read(output), _read(errors)
    return Done(process.returncode, text, wrong, took, usage.ru_maxrss * 1024, late.is_set())


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)

"""Running the command line in tests: as a subprocess, as a person does, or in this process on a made-up campaign."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modelcheck.results import Report, Result

ROOT = Path(__file__).resolve().parents[2]


def modelcheck(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m modelcheck` in `cwd` and waits for it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    return subprocess.run([sys.executable, "-m", "modelcheck", *arguments], cwd=cwd, env=env, capture_output=True,
                          text=True, timeout=50, stdin=subprocess.DEVNULL, check=False)


def result(property: str = "p", verdict: str = "holds", **fields: object) -> Result:
    """A result of a made-up spec."""
    given: dict[str, object] = {"spec": "made-up", "version": "v1", "parameters": (), "memory": "sc", "states": 10,
                                "count": 1, **fields}
    return Result(property=property, verdict=verdict, **given)  # type: ignore[arg-type]


def violated(property: str = "p", **fields: object) -> Result:
    """A violated result with its counterexample."""
    given: dict[str, object] = {"trace": "traces/one.json", "id": "0123456789", "steps": 12, "switches": 3,
                                "short": "CPU0 stores half. CPU1 reads both halves.", **fields}
    return result(property, "violated", **given)


def report(*results: Result, seconds: float = 1.5) -> Report:
    """A report of these results."""
    return Report(tuple(results), seconds)

"""Finds every saved counterexample anew: `python tests/specs/find_again.py` from the project's root.

A trace names lines of its spec, and its id is of its steps, so that a change of a spec makes files in traces/ stale.
Each is found again by its own last line, the command; where the id has changed, whatever names the file follows.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "traces"


def find(path: Path, folder: Path) -> Path | None:
    """The counterexample that the command of the one at `path` finds; None where it finds none."""
    command = shlex.split(json.loads(path.read_text("utf-8"))["command"])[1:]  # the file may be of an older schema
    made = folder / path.stem
    subprocess.run(
        [sys.executable, "-m", "modelcheck", *command, "--quiet", "--traces", str(made)],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    return next(iter(sorted(made.glob("*.json"))), None)


def naming() -> list[Path]:
    """What else may name a trace: the cases of the specs, tests, and the script that runs them."""
    return [*sorted(path for folder in ("specs", "tests") for path in (ROOT / folder).rglob("*.py")), ROOT / ".ci/run"]


def main() -> int:
    """Replaces what has changed; the exit status is the number of traces that were not found."""
    sys.path.insert(0, str(ROOT))
    paths, lost = sorted(FOLDER.glob("*.json")), 0
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        for old, new in zip(paths, pool.map(lambda path: find(path, Path(name)), paths), strict=True):
            if new is None:
                print(f"not found: {old.name}")
                lost += 1
                continue
            if new.name != old.name:
                print(f"{old.name} is now {new.name}")
                ids = [path.stem.rpartition("-")[2] for path in (old, new)]
                for text in (FOLDER / "README.md", ROOT / "README.md", *naming()):
                    text.write_text(text.read_text("utf-8").replace(*ids), "utf-8")
                old.unlink()
            shutil.copy(new, FOLDER / new.name)
            picture = old.with_suffix(".svg")
            if picture.exists():
                from modelcheck.trace.file import read_trace
                from modelcheck.view import render

                picture.unlink()
                drawn = FOLDER / new.with_suffix(".svg").name
                drawn.write_text(render(read_trace(new), "svg").rstrip("\n") + "\n", "utf-8")
    return lost


if __name__ == "__main__":
    sys.exit(main())

"""Finds a saved counterexample: by its path, or by its id or the beginning of it.

An id is the end of a file's name, as `check` writes it.  It is looked for among the counterexamples of the last checks
and, in a checkout, among the saved ones.  A file of that name always comes first.
"""

from __future__ import annotations

import re
from pathlib import Path

from modelcheck.errors import UsageError

TRACES = "modelcheck-traces"
FEWEST = 4  # digits of an id
_ID = re.compile(r"[0-9a-f]{4,10}")
_FILE = re.compile(r".+-([0-9a-f]{10})\.json")


def find_trace(named: str, directory: str | None = None) -> str:
    """The path of the trace that `named` is, or whose id it begins; raises UsageError where there is not just one.

    `directory` is where counterexamples are saved, the usual one for None.
    """
    if Path(named).exists() or not _ID.fullmatch(named):
        if directory is None or Path(named).exists():
            return named
        raise UsageError(f"--traces is for an id, and {named!r} is none: ids are {FEWEST} to 10 hex digits")
    places = [Path(TRACES if directory is None else directory), *_saved()]
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob("*.json")) if place.is_dir() else ():
            match = _FILE.fullmatch(path.name)
            if match is not None and match[1].startswith(named):
                found.setdefault(match[1], path)
    where = " and ".join(str(place) for place in places)
    if not found:
        raise UsageError(f"no counterexample in {where} has an id that begins {named}; name its file, or check again")
    if len(found) > 1:
        raise UsageError(f"{len(found)} counterexamples in {where} have ids that begin {named}: {', '.join(found)}")
    return str(next(iter(found.values())))


def _saved() -> list[Path]:
    """The project's own counterexamples, where this runs from a checkout, or is installed and started in one."""
    roots = [Path(__file__).resolve().parents[2], Path.cwd()]
    found = [root / "traces" for root in roots if (root / "pyproject.toml").is_file() and (root / "traces").is_dir()]
    return list(dict.fromkeys(found))

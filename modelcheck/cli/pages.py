"""`check --report DIR`: the pages of a check in a directory, written whole or not at all.

A directory is *ours* where a list of the files we wrote is in it and no other file is; only that is replaced.  Its one
invariant: another person's file is never removed, and at every moment the directory is the old one or the new one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelcheck.errors import ModelcheckError, UsageError

if TYPE_CHECKING:
    from modelcheck.results import Report
    from modelcheck.spec import Spec
    from modelcheck.view.report import Shown, TracePage

LIST = "modelcheck-report.txt"
ADVICE = "name a directory of its own with --report DIR"


def report_directory(text: str, traces: Path | None) -> Path:
    """The directory for a report, known to be writable and not to hold anything else."""
    if text == "":
        raise UsageError(f"--report needs a directory, and '' is none; {ADVICE}")
    try:
        path = Path(os.path.realpath(text))
        _check_free(path, text)
        if Path.cwd().is_relative_to(path):
            raise UsageError(f"cannot write the report to {text}: the current directory is there; {ADVICE}")
        if traces is not None and Path(os.path.realpath(traces)).is_relative_to(path):
            raise UsageError(f"cannot write the report to {text}: the traces are saved there; {ADVICE}")
        there = path.parent
        while not there.exists():
            there = there.parent
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(text, error) from None
    return path


def _unwritable(path: str | Path, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(f"cannot write the report to {path}: {reason.lower()}; {ADVICE}")


def _check_free(path: Path, shown: str | Path) -> None:
    """Refuses what is neither missing, nor empty, nor a report of ours and nothing else."""
    if not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"cannot write the report to {shown}: it is a file; {ADVICE}")
    there = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_symlink() or
                   not each.is_dir())
    if not there and not any(path.iterdir()):
        return
    listed: list[str] = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        listed = [LIST, *(path / LIST).read_text(encoding="utf-8").splitlines()]
    others = [name for name in there if name not in listed]
    if others or not listed:
        example = others[0] if others else next(path.iterdir()).name
        raise UsageError(f"cannot write the report to {shown}: it holds {example}, which is no part of a report of "
                         f"ours; {ADVICE}")


def write_pages(report: Report, spec: Spec, directory: Path) -> None:
    """Makes the pages and puts them in the place of what was there."""
    _put(_made(report, spec)[1], directory)


def write_all(done: Sequence[tuple[Report, Spec]], directory: Path) -> None:
    """The same for several specs: a page that leads to all, and the pages of each in a directory of its name."""
    from modelcheck.view.report import INDEX, overview_page

    made = [_made(report, spec) for report, spec in done]
    files = {f"{shown.name}/{name}": text for shown, its in made for name, text in its.items()}
    _put({INDEX: overview_page([shown for shown, _ in made]), **files}, directory)


def _made(report: Report, spec: Spec) -> tuple[Shown, dict[str, str]]:
    """What is shown of one spec, and its files by name."""
    from modelcheck.view.report import Shown, pages

    traces, files = _traces(report)
    shown = Shown(
        report, spec.name, spec.summary, frozenset(p.name for p in spec.parameters if p.numeric),
        {info.name: info.help for info in spec.properties}, {v.name: v.summary for v in spec.versions},
        {case.id: case.title for case in spec.cases}, traces,
    )
    return shown, files | pages(shown)


def _put(files: dict[str, str], directory: Path) -> None:
    """Writes the files and the list of them in the place of what was there."""
    files[LIST] = "".join(f"{name}\n" for name in sorted(files))
    try:
        _replace(directory, files)
    except (OSError, ValueError) as error:
        raise _unwritable(directory, error) from None


def _traces(report: Report) -> tuple[dict[str, TracePage], dict[str, str]]:
    """The counterexamples by id, and their files by name; one that cannot be read or shown has none."""
    from modelcheck.trace.file import read_trace, to_text
    from modelcheck.view import FORMS, render
    from modelcheck.view.report import TracePage

    form = "html" if "html" in FORMS else "svg"
    found: dict[str, TracePage] = {}
    files: dict[str, str] = {}
    for result in report.results:
        if result.trace is None or result.id in found:
            continue
        with contextlib.suppress(ModelcheckError):
            trace = read_trace(result.trace)
            page, data = f"traces/{result.id}.{form}", f"traces/{result.id}.json"
            files[page], files[data] = render(trace, form), to_text(trace)
            found[result.id] = TracePage(page, data, trace.command)
    return found, files


def _replace(directory: Path, files: dict[str, str]) -> None:
    """Writes the files beside the directory and then changes their names."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    stem = directory.with_name(f".{directory.name[:200]}.{secrets.token_hex(6)}")
    new, old = stem.with_suffix(".tmp"), stem.with_suffix(".old")
    try:
        new.mkdir()  # not tempfile: its directories are private to the user, and a report is to be handed on
        for name, text in files.items():
            target = new / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        _check_free(directory, directory)  # somebody may have put a file there while it was searched
        if directory.exists():
            directory.rename(old)
        try:
            new.rename(directory)
        except BaseException:
            if old.exists():
                old.rename(directory)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise

"""The known bugs of one spec or of all, for `list --bugs`: in short, or one whole with the report that can be mailed.

Where no spec is named, an id is looked for in every one.

Text is as wide as the terminal and no wider than `list` is; below NARROW columns nothing stands beside another.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from modelcheck.errors import UsageError
from modelcheck.spec import Case, Spec, Trial

WIDEST = 110
NARROW = 60
TRACES = "traces"


def show(name: str | None, id: str | None, as_json: bool) -> str:
    """The bugs of a spec, or of all where none is named, or one bug; `name` may be the id of one instead."""
    if name is not None and id is None and not _names_a_spec(name):
        name, id = None, name
    specs = specs_of(name)
    if id is not None:
        spec = owner(specs, id)
        case = spec.case(id)
        return _dumped({"schema": 1, **_object(spec, case)}) if as_json else whole(spec, case)
    if as_json:
        of = {"spec": specs[0].name} if name is not None else {}
        return _dumped({"schema": 1, **of, "bugs": [_object(spec, case) for spec in specs for case in spec.cases]})
    return short(specs)


def specs_of(name: str | None) -> tuple[Spec, ...]:
    """The spec of that name, or every one, the default first."""
    from modelcheck.cli import loader

    return loader.load_all() if name is None else (loader.load(name),)


def owner(specs: tuple[Spec, ...], id: str) -> Spec:
    """The spec that has the bug of this id; raises UsageError with what there is."""
    found = [spec for spec in specs if any(case.id == id for case in spec.cases)]
    if len(specs) == 1 or len(found) == 1:
        return (found or specs)[0]  # one that lacks it says so itself
    if found:
        raise UsageError(f"{len(found)} specs have a bug {id!r}: {', '.join(s.name for s in found)}; name one of them")
    known = "; ".join(f"{', '.join(case.id for case in spec.cases)} of {spec.name}" for spec in specs if spec.cases)
    raise UsageError(f"no spec has a bug {id!r}; there are {known or 'none'}")


def _names_a_spec(name: str) -> bool:
    from modelcheck.cli import loader

    return name in loader.spec_names() or name.endswith(".py") or "/" in name


def _dumped(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2) + "\n"


def _object(spec: Spec, case: Case) -> dict[str, Any]:
    """A case as plain data; each of its checks with the command that makes it."""

    def trials(which: tuple[Trial, ...]) -> list[dict[str, Any]]:
        return [{**asdict(trial), "values": dict(trial.values), "command": trial_command(spec, trial)}
                for trial in which]

    return {"spec": spec.name, **asdict(case), "before": trials(case.before), "after": trials(case.after)}


def _width() -> int:
    return max(min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns), 30)


def short(specs: tuple[Spec, ...]) -> str:
    """Every case in a few lines, spec by spec: its id and title, what became of it, where."""
    lines = [line for spec in specs if spec.cases or len(specs) == 1 for line in _short(spec)]
    example = next((case.id for spec in specs for case in spec.cases), "")
    if example:
        what = "shows one whole; modelcheck check --bugs checks that each is found, and gone where it was fixed"
        lines += _paragraph(f"modelcheck list --bug {example} {what}", _width(), 2)
    return "\n".join(lines) + "\n"


def _short(spec: Spec) -> Iterator[str]:
    if not spec.cases:
        yield f"{spec.name} has no known bugs"
        return
    width, names = _width(), max(len(case.id) for case in spec.cases)
    indent = names + 6 if width >= NARROW else 4
    yield from (f"known bugs of {spec.name}", "")
    for case in spec.cases:
        head = f"  {case.id:{names}}    " if width >= NARROW else f"  {case.id}: "
        yield from textwrap.wrap(case.title, width, initial_indent=head, subsequent_indent=" " * indent)
        for text in (_standing(case), f"in {case.versions}" if case.versions else "", case.conditions):
            yield from _paragraph(text, width, indent)
    yield ""


def whole(spec: Spec, case: Case) -> str:
    """One case with its conditions, its checks as commands, its counterexample and its report."""
    width = _width()
    lines = textwrap.wrap(f"{case.id}: {case.title}", width)
    lines += _paragraph(_standing(case), width, 2)
    lines += _paragraph(f"versions: {case.versions}" if case.versions else "", width, 2)
    lines += _paragraph(f"needs: {case.conditions}" if case.conditions else "", width, 2)
    lines += ["", *_paragraph(case.story, width, 0)]
    for heading, trials in (("before", case.before), ("after", case.after)):
        for trial in trials:
            lines += ["", f"{heading}: {trial.verdict}", *_command(trial_command(spec, trial), width)]
    if case.trace:
        lines += ["", "counterexample", *_command(f"modelcheck show {TRACES}/{case.trace}", width)]
    if case.report:
        lines += ["", "report", "", case.report.strip("\n")]
    return "\n".join(lines) + "\n"


def _standing(case: Case) -> str:
    if not case.fixed_by:
        return case.status
    return f"fixed by {case.fixed_by}" if case.status == "fixed" else f"{case.status}; {case.fixed_by}"


def _paragraph(text: str, width: int, indent: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=" " * indent, subsequent_indent=" " * indent,
                         break_on_hyphens=False)


def _command(command: str, width: int) -> Iterator[str]:
    """A command over lines that can be pasted: all but the last end in a backslash."""
    words = re.split(r" (?=--)", command)  # an option and its value stay together
    while words:
        line = "    " + words.pop(0)
        while words and len(line) + len(words[0]) + 3 <= width:
            line += " " + words.pop(0)
        yield line + (" \\" if words else "")


def trial_command(spec: Spec, trial: Trial) -> str:
    """The command that makes one check of a case by itself."""
    name = spec.path or spec.name
    version = f" --version {trial.version}" if len(spec.versions) > 1 else ""
    values = "".join(f" --set {name}={value}" for name, value in trial.values)
    memory = "" if trial.memory == "tso" else f" --memory {trial.memory}"
    return f"modelcheck check {shlex.quote(name)}{version}{values}{memory} --property {trial.property}"


def chosen(spec: Spec, ids: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases of these ids in the order of the spec, all where none is named; raises UsageError."""
    if not spec.cases:
        raise UsageError(f"spec {spec.name!r} has no known bugs to check")
    wanted = {spec.case(id) for id in ids}
    return tuple(case for case in spec.cases if not ids or case in wanted)


def asked_of(name: str | None, ids: tuple[str, ...]) -> tuple[tuple[Spec, tuple[str, ...]], ...]:
    """Which of these bugs each spec is asked for: all of it where none is named; raises UsageError."""
    specs = specs_of(name)
    if not ids:
        return tuple((spec, ()) for spec in specs if spec.cases or len(specs) == 1)
    owners = [owner(specs, id) for id in ids]
    asked = [(spec, tuple(id for id, of in zip(ids, owners, strict=True) if of is spec)) for spec in specs]
    return tuple((spec, its) for spec, its in asked if its)

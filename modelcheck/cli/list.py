"""`modelcheck list`: what can be checked, without importing the engine."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import click

from modelcheck.cli.output import emit
from modelcheck.spec import Parameter, Spec, Value

WIDTH = 110  # columns in all
NAME = 34  # columns for a name; a longer one has a line of its own

@click.command(name="list", short_help="Show what can be checked.")
@click.argument("spec", required=False)
@click.option("--bugs", is_flag=True, help="Show the known bugs, or with the id of one (--bugs D2) that one.")
@click.option("--bug", metavar="ID", help="Show one known bug whole, with its report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(spec: str | None, bugs: bool, bug: str | None, as_json: bool) -> int:
    """Show what can be checked: specs, versions, properties, parameters.

    SPEC is a name or a path to a .py file; default every spec there is, with --bugs too.
    """
    from modelcheck.cli import loader

    if bugs or bug is not None:
        from modelcheck.cli.bugs import show

        emit(show(spec, bug, as_json))
        return 0
    default = loader.default_name()
    specs = loader.load_all() if spec is None else (loader.load(spec),)
    if as_json:
        emit(json.dumps({"schema": 1, "default": default, "specs": [_object(s) for s in specs]}, indent=2) + "\n")
    else:
        emit("\n".join(_text(s, s.name == default and not s.path) for s in specs))
    return 0


def _object(spec: Spec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "path": spec.path,
        "summary": spec.summary,
        "newest": spec.newest,
        "versions": [{"name": v.name, "aliases": list(v.aliases), "summary": v.summary} for v in spec.versions],
        "properties": [{"name": p.name, "help": p.help} for p in spec.properties],
        "parameters": [
            {"name": p.name, "help": p.help, "values": p.describe(), "default": _spans(p.default)}
            for p in spec.parameters
        ],
    }


def _text(spec: Spec, is_default: bool) -> str:
    title = spec.name + (" (default)" if is_default else "") + (f": {spec.summary}" if spec.summary else "")
    newest = spec.versions[-1]
    versions = [
        ("=".join((v.name, *v.aliases)), v.summary + (" (default)" if v is newest and len(spec.versions) > 1 else ""))
        for v in spec.versions
    ]
    parameters = [(f"{p.name}={p.describe()}", p.help + _default(p)) for p in spec.parameters]
    sections = [("versions", versions), ("properties", [(p.name, p.help) for p in spec.properties]),
                ("parameters", parameters)]
    lines = [title]
    for heading, rows in sections:
        lines += ["", f"  {heading}", *_rows(rows or [("none", "")])]
    return "\n".join(lines) + "\n"


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    width = min(max(len(name) for name, _ in rows), NAME)
    lines = []
    for name, text in rows:
        described = textwrap.wrap(text, WIDTH - width - 6, break_on_hyphens=False) or [""]
        *above, last = _cut(name, WIDTH - 4)
        if len(last) > width or above:
            described.insert(0, "")
        lines += [f"    {part}" for part in above]
        lines.append(f"    {last:{width}}  {described[0]}".rstrip())
        lines += [f"{'':{width + 6}}{more}" for more in described[1:]]
    return lines


def _cut(name: str, columns: int) -> list[str]:
    """A parameter with its choices over lines of so many columns, each but the last ending in a `|`."""
    lines = [""]
    for part in name.replace("|", "| ").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > columns:
            lines.append("  ")
        lines[-1] += part
    return lines


def _default(parameter: Parameter) -> str:
    spans = _spans(parameter.default)
    if not spans:
        return ""
    return " (default all)" if spans == parameter.describe() or _all(parameter) else f" (default {spans})"


def _all(parameter: Parameter) -> bool:
    return bool(parameter.choices) and set(parameter.default) == set(parameter.choices)


def _spans(values: tuple[Value, ...]) -> str:
    """The values as one writes them after `--set NAME=`, neighbouring numbers as LO..HI."""
    spans: list[tuple[Value, Value]] = []
    for value in values:
        if spans and isinstance(value, int) and isinstance(spans[-1][1], int) and value == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], value)
        else:
            spans.append((value, value))
    return ",".join(str(lo) if lo == hi else f"{lo}..{hi}" for lo, hi in spans)

"""Trace files: a trace as one JSON object, written whole or not at all, and read with every field checked.

Its one invariant: `from_json(to_json(trace)) == trace`, and the same trace gives the same bytes.  The bytes of a memory
event are stored as runs (`lo`, `hi`, `version`, `variant`, `step`, and `values` in hex or ""), which keeps a file
readable.  What a valid file is, is written in `schema.json` and `validation.py`; replaying it is done elsewhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import secrets
import types
import typing
from pathlib import Path
from typing import Any, NoReturn

from modelcheck.errors import UsageError
from modelcheck.trace.trace import SCHEMA, ByteSource, Trace

FORMAT = "modelcheck-trace"
MAX_BYTES = 64 * 1024 * 1024


def trace_id(trace: Trace) -> str:
    """Ten hex digits that name the counterexample: what was checked and the schedule, never lines, files or values."""
    canonical = {
        "spec": trace.spec,
        "version": trace.version,
        "property": trace.property,
        "parameters": trace.parameters,
        "memory": trace.memory,
        "steps": [(trace.processes[step.process].name, step.choice) for step in trace.steps],
        **({"without": trace.without} if trace.without else {}),
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:10]


def to_json(trace: Trace) -> dict[str, Any]:
    """The trace as a JSON object of fresh dicts and lists, fields in the order of the dataclasses."""
    return {"format": FORMAT, "schema": SCHEMA, "id": trace_id(trace), **_encode(trace)}


def to_text(trace: Trace) -> str:
    """The bytes of a trace file, as ASCII text with a newline at the end."""
    return json.dumps(to_json(trace), indent=1) + "\n"


def from_json(obj: object) -> Trace:
    """The trace a JSON object holds; UsageError, in one sentence, when it holds none."""
    from modelcheck.trace.validation import check_shape, check_trace

    if not isinstance(obj, dict) or obj.get("format") != FORMAT:
        raise UsageError(f'this JSON is no trace (it has no "format": "{FORMAT}"); traces come from `check --traces`')
    schema = obj.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise UsageError(f"written by a newer modelcheck: schema {schema}, this one reads {SCHEMA}")
    if type(schema) is int and schema < SCHEMA:
        raise UsageError(f"written by an older modelcheck: schema {schema}, this one reads {SCHEMA}; check again")
    check_shape(obj)
    trace: Trace = _decode(Trace, obj)
    check_trace(trace)
    if obj["id"] != trace_id(trace):
        raise UsageError(f"edited or damaged: it says id {obj['id']}, but its steps have id {trace_id(trace)}")
    return trace


def write_trace(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Writes the trace file at `path` whole, or raises UsageError and leaves what was there as it was."""
    target = Path(path)
    try:
        from_json(to_json(trace))
    except UsageError as error:
        raise UsageError(f"cannot write the trace {shown(path)}: {error}") from None
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        # Not tempfile: its files are private to the user, and a trace is to be handed on.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(to_text(trace).encode("ascii"))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except (OSError, ValueError) as error:
        why = f"{_reason(error)}; name a directory that can be written"
        raise UsageError(f"cannot write the trace {shown(path)}: {why}") from None


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """The trace in the file at `path`; UsageError, in one sentence that names the file, when it cannot be had."""
    try:
        return from_json(_parse(_read(path)))
    except UsageError as error:
        raise UsageError(f"cannot read the trace {shown(path)}: {error}") from None


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text that is safe to print: as it is, or quoted and escaped."""
    text = os.fspath(path)
    return text if text.isprintable() and text else ascii(text)


def _read(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{_reason(error)}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"it is larger than {MAX_BYTES >> 20} MB, which no trace is")
    if not data.strip():
        raise UsageError("it is empty")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"it is not UTF-8 text (byte {error.start} is {data[error.start]:#04x})") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _parse(text: str) -> object:
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        ended = text.rstrip()
        if text.lstrip()[:1] == "{" and (error.pos >= len(ended) or ended[-1] != "}"):
            raise UsageError(f"it is truncated: the JSON stops in line {ended.count(chr(10)) + 1}") from None
        raise UsageError(f"it is not JSON ({error.msg} at line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise UsageError("its JSON is nested too deeply to be a trace") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"its JSON has the key {ascii(twice)[:60]} twice in one object")
    return made


def _no_constant(name: str) -> NoReturn:
    raise UsageError(f"its JSON holds {name}, which is no JSON number")


def _no_float(text: str) -> NoReturn:
    raise UsageError(f"its JSON holds the number {text[:40]}, and a trace holds whole numbers only")


def _integer(text: str) -> int:
    if len(text) > 1300:  # the widest field, 512 bytes, has 1234 digits
        raise UsageError(f"its JSON holds a number of {len(text)} digits")
    return int(text)


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            field.name: _runs(item) if field.name == "bytes" else _encode(item)
            for field in dataclasses.fields(value)
            for item in (getattr(value, field.name),)
        }
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _runs(sources: tuple[ByteSource, ...]) -> list[dict[str, Any]]:
    """Neighbouring bytes of one origin as one object; the order of the bytes is kept."""
    runs: list[dict[str, Any]] = []
    for source in sources:
        origin = {"version": source.version, "variant": source.variant, "step": source.step}
        digits = "" if source.value < 0 else f"{source.value:02x}"
        last = runs[-1] if runs else None
        adjacent = last is not None and last["hi"] == source.offset and bool(last["values"]) == bool(digits)
        if last is not None and adjacent and origin.items() <= last.items():
            last["hi"] += 1
            last["values"] += digits
        else:
            runs.append({"lo": source.offset, "hi": source.offset + 1, **origin, "values": digits})
    return runs


def _sources(runs: list[dict[str, Any]]) -> tuple[ByteSource, ...]:
    return tuple(
        ByteSource(offset, run["version"], run["variant"], run["step"], values[offset - run["lo"]] if values else -1)
        for run in runs
        for values in (bytes.fromhex(run["values"]),)
        for offset in range(run["lo"], run["hi"])
    )


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    """Builds what the type hint `kind` says from checked JSON."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return kind(**{
            name: _sources(value[name]) if name == "bytes" else _decode(hint, value[name])
            for name, hint in _hints(kind).items()
        })
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and arguments[-1] is Ellipsis:
        return tuple(_decode(arguments[0], item) for item in value)
    if typing.get_origin(kind) is tuple:
        return tuple(_decode(hint, item) for hint, item in zip(arguments, value, strict=True))
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return None if value is None else _decode(arguments[0], value)
    return value

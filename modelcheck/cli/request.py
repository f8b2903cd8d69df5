"""Turns the options of `check` into a campaign's Request, or refuses them in one sentence with what there is.

Its one invariant: nothing is searched and nothing is written before every option has been understood.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelcheck.errors import UsageError
from modelcheck.spec import Parameter, Spec, Value

if TYPE_CHECKING:
    from modelcheck.results import Limits, Request

MEMORY_MODELS = ("sc", "tso", "weak")
ENGINES = ("auto", "python", "native")
TRACES = "modelcheck-traces"
_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)([KMGT]?)(iB)?", re.IGNORECASE | re.ASCII)
_UNIT = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_NUMBER = re.compile(r"-?\d{1,18}|0x[0-9a-f]{1,15}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `check` as typed; None or empty where not given."""

    versions: Sequence[str] = ()
    settings: Sequence[str] = ()
    properties: Sequence[str] = ()
    memory: str = "tso"
    engine: str = "auto"
    workers: str | None = None
    without: Sequence[str] = ()
    max_states: str | None = None
    max_memory: str | None = None
    max_time: str | None = None
    traces: str | None = None


def request(spec: Spec, options: Options) -> Request:
    """The request the options make of this spec; raises UsageError."""
    from modelcheck import results

    limits = limits_of(options.max_states, options.max_memory, options.max_time)
    return results.Request(
        spec=spec,
        versions=chosen_versions(spec, options.versions),
        values=chosen_values(spec, options.settings),
        properties=chosen_properties(spec, options.properties),
        memory=one_of("memory model", options.memory, MEMORY_MODELS),
        engine=one_of("engine", options.engine, ENGINES),
        workers=available_cores() if options.workers is None else positive("--workers", options.workers),
        without=chosen_reductions(options.without),
        limits=limits,
        traces=writable_directory(options.traces),
    )


def limits_of(max_states: str | None, max_memory: str | None, max_time: str | None) -> Limits:
    """The bounds that these options give, the standard ones where they are left out."""
    from modelcheck import results

    standard = results.Limits()
    return results.Limits(
        states=standard.states if max_states is None else positive("--max-states", max_states),
        memory=standard.memory if max_memory is None else size("--max-memory", max_memory),
        seconds=standard.seconds if max_time is None else seconds("--max-time", max_time),
    )


def _items(option: str, texts: Sequence[str]) -> list[str]:
    """The comma-separated items of a repeatable option, without repeats, in order."""
    items = [item.strip() for text in texts for item in text.split(",")]
    if "" in items:
        raise UsageError(f"{option} {','.join(texts)!r} has an empty item; give names with one comma between two")
    return list(dict.fromkeys(items))


def chosen_versions(spec: Spec, texts: Sequence[str]) -> tuple[str, ...]:
    """The versions by their full names, in the order of the spec; the newest when none is asked for."""
    names = _items("--version", texts)
    if not names:
        return (spec.newest,)
    if "all" in names:
        names = [version.name for version in spec.versions] + [name for name in names if name != "all"]
    wanted = {spec.version(name).name for name in names}
    return tuple(version.name for version in spec.versions if version.name in wanted)


def chosen_properties(spec: Spec, texts: Sequence[str]) -> tuple[str, ...]:
    """The properties in the order of the spec; empty, which means all, when none is asked for."""
    names = _items("--property", texts)
    known = [info.name for info in spec.properties]
    for name in names:
        if name not in known:
            raise UsageError(f"spec {spec.name!r} has no property {name!r}; there are {', '.join(known) or 'none'}")
    return tuple(name for name in known if name in names)


def chosen_reductions(texts: Sequence[str]) -> tuple[str, ...]:
    """The reductions to switch off."""
    names = _items("--no-reduction", texts)
    if not names:
        return ()
    from modelcheck.explore.verify import REDUCTIONS

    if "all" in names:
        names += REDUCTIONS
    for name in names:
        if name not in (*REDUCTIONS, "all"):
            raise UsageError(f"there is no reduction {name!r} to switch off; there are {', '.join(REDUCTIONS)}, 'all'")
    return tuple(name for name in REDUCTIONS if name in names)


def chosen_values(spec: Spec, texts: Sequence[str]) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    """The values of each parameter set, or with a default of its own that all properties take, sorted by name."""
    found: dict[str, tuple[Value, ...]] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name or not values:
            raise UsageError(f"--set {text!r} is not NAME=VALUE[,VALUE|LO..HI]; {_parameters(spec)}")
        parameter = spec.parameter(name)
        if name in found:
            raise UsageError(f"--set {name} is given twice; give all its values at once, as in {_example(parameter)}")
        found[name] = _values(parameter, values)
    for parameter in spec.parameters:
        if parameter.name not in found and parameter.default and not parameter.only:
            found[parameter.name] = parameter.default
    return tuple(sorted(found.items()))


def _parameters(spec: Spec) -> str:
    if not spec.parameters:
        return f"spec {spec.name!r} has no parameters"
    return "there are " + ", ".join(f"{p.name}={p.describe()}" for p in spec.parameters)


def _example(parameter: Parameter) -> str:
    if parameter.numeric:
        return f"--set {parameter.name}={parameter.lo},{parameter.hi}"
    return f"--set {parameter.name}={','.join(parameter.choices[:2])}"


def _values(parameter: Parameter, text: str) -> tuple[Value, ...]:
    found: list[Value] = []
    for item in _items(f"--set {parameter.name}", [text]):
        if not parameter.numeric:
            if item not in parameter.choices:
                raise _no_value(parameter, item)
            found.append(item)
            continue
        lo, dots, hi = item.partition("..")
        first, last = _number(parameter, lo, item), _number(parameter, hi if dots else lo, item)
        if first > last:
            raise UsageError(f"--set {parameter.name}={item} is an empty range; the smaller number comes first")
        found.extend(range(first, last + 1))
    return tuple(dict.fromkeys(found))


def _number(parameter: Parameter, text: str, item: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise _no_value(parameter, item)
    number = int(text, 16) if "x" in text.lower() else int(text)
    if not parameter.lo <= number <= parameter.hi:
        raise _no_value(parameter, item)
    return number


def _no_value(parameter: Parameter, item: str) -> UsageError:
    there = f"it takes {parameter.describe()}"
    if parameter.numeric:
        there = f"it takes whole numbers and ranges within {parameter.describe()}"
    return UsageError(f"parameter {parameter.name!r} has no value {item!r}; {there}")


def one_of(what: str, name: str, known: tuple[str, ...]) -> str:
    """The name, when it is known."""
    if name in known:
        return name
    there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
    raise UsageError(f"there is no {what} {name!r}; {there}")


def positive(option: str, text: str) -> int:
    """A whole number of at least 1."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or int(text) == 0:
        raise UsageError(f"{option} {text!r} is not a whole number of at least 1; leave the option out for its default")
    return int(text)


def size(option: str, text: str) -> int:
    """A size in bytes: a number with K, M, G or T (powers of 1024), or KiB and so on."""
    match = _SIZE.fullmatch(text.strip()) if len(text) < 20 else None
    count = int(float(match[1]) * (1 << _UNIT[match[2].upper()])) if match and not (match[3] and not match[2]) else 0
    if count <= 0:
        raise UsageError(f"{option} {text!r} is not a size above zero; write bytes, or K, M, G as in 512M or 2GiB")
    return count


def seconds(option: str, text: str) -> float:
    """A time in seconds above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{option} {text!r} is not a number of seconds above zero; write it as in 90 or 0.5")
    return value


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def writable_directory(text: str | None) -> Path:
    """The directory for traces, known to be writable; it is not made before there is a trace to save.

    Writing is tried, not asked for: permissions alone do not tell (root, a read-only or a virtual file system).
    """
    path = Path(TRACES if text is None else text)
    advice = "name a directory that can be written with --traces DIR"
    if text == "":
        raise UsageError(f"--traces needs a directory, and '' is none; {advice}")
    try:
        there = path.absolute()
        while not os.path.lexists(there):
            there = there.parent
        if not there.is_dir():
            raise UsageError(f"cannot save traces in {path}: {there} is not a directory; {advice}")
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot save traces in {path}: {reason.lower()}; {advice}") from None
    return path

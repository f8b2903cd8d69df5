"""What makes a JSON object a trace: its shape (`schema.json`), and what a schema cannot say.

Its one invariant: a trace that passes can be shown by every view and replayed without a further check.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from modelcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelcheck.trace.trace import AreaInfo, MemoryEvent, Step, Trace

MAX_SOURCES = 4_000_000


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON schema of a trace file (draft 2020-12)."""
    loaded: dict[str, Any] = json.loads(resources.files("modelcheck.trace").joinpath("schema.json").read_text("utf-8"))
    return loaded


def check_shape(obj: dict[str, Any]) -> None:
    """Raises UsageError, with the JSON path of the first wrong field, unless the object fits the schema."""
    import jsonschema

    errors = jsonschema.Draft202012Validator(schema()).iter_errors(obj)
    found = min(errors, key=lambda error: [str(part).rjust(9, "0") for part in error.absolute_path], default=None)
    if found is not None:
        _invalid(_path(found.absolute_path), _complaint(found.validator, found.validator_value, found.instance))
    _check_text(obj, ())
    _check_runs(obj["steps"])


def _check_runs(steps: list[dict[str, Any]]) -> None:
    """Bounds what the runs expand to before anything expands them."""
    total = 0
    for index, step in enumerate(steps):
        for number, run in enumerate(step["memory"]["bytes"] if step["memory"] else ()):
            where = f"steps[{index}].memory.bytes[{number}]"
            if run["lo"] >= run["hi"]:
                _invalid(where, f"covers bytes {run['lo']} to {run['hi']}, which is none")
            if run["values"] and len(run["values"]) != 2 * (run["hi"] - run["lo"]):
                _invalid(f"{where}.values", f"has {len(run['values']) // 2} bytes for {run['hi'] - run['lo']}")
            total += run["hi"] - run["lo"]
            if total > MAX_SOURCES:
                _invalid(where, f"is past the {MAX_SOURCES} bytes that the steps of a trace may touch")


def check_trace(trace: Trace) -> None:
    """Raises UsageError unless every index, byte range and reads-from of the trace points at what it should."""
    names = [process.name for process in trace.processes]
    if len(set(names)) != len(names):
        _invalid("processes", "has one name twice, and replay finds a process by its name")
    if not -1 <= trace.deciding < len(trace.steps):
        _invalid("deciding", f"is {trace.deciding}, and there are {len(trace.steps)} steps")
    if trace.area is not None:
        _check_area(trace.area)
    _check_updates(trace)
    _check_words(trace)
    _check_other_schedules(trace)
    for index, edge in enumerate(trace.lock_order):
        _in_range(f"lock_order[{index}].process", edge.process, len(names))
    stored: list[set[int]] = []  # the offsets each step stored, one entry per step
    for index, step in enumerate(trace.steps):
        _in_range(f"steps[{index}].process", step.process, len(names))
        if step.memory is not None:
            _check_memory(trace, index, step.memory, stored)
        memory = step.memory if step.memory and step.memory.op == "store" else None
        stored.append({source.offset for source in memory.bytes} if memory else set())


def _check_area(area: AreaInfo) -> None:
    for index, (_, lo, hi) in enumerate(area.fields):
        if not lo < hi <= area.size:
            _invalid(f"area.fields[{index}]", f"covers bytes {lo} to {hi} of an area of {area.size}")


def _check_updates(trace: Trace) -> None:
    versions = [update.version for update in trace.updates]
    if len(set(versions)) != len(versions):
        _invalid("updates", "has one version twice")
    widths = {name: hi - lo for name, lo, hi in trace.area.fields} if trace.area else {}
    for index, update in enumerate(trace.updates):
        for field, value in update.fields:
            if value >> (8 * widths.get(field, 512)):
                _invalid(f"updates[{index}].fields", f"gives {field[:60]!a} a value that does not fit in its bytes")


def _check_words(trace: Trace) -> None:
    places = [(step, slot) for step, slot, _ in trace.words]
    if len(set(places)) != len(places):
        _invalid("words", "gives one slot two values at one step")
    for index, (step, slot, value) in enumerate(trace.words):
        if not -1 <= step < len(trace.steps):
            _invalid(f"words[{index}]", f"is about step {step}, and there are {len(trace.steps)} steps")
        if value >> 512:
            _invalid(f"words[{index}]", f"gives {slot[:60]!a} a value of more than 512 bits")


def _check_other_schedules(trace: Trace) -> None:
    if trace.fate is not None and not trace.fate.step < len(trace.steps):
        _invalid("fate.step", f"is {trace.fate.step}, and there are {len(trace.steps)} steps")
    if trace.passing is not None and trace.passing.switch >= len(trace.steps):
        _invalid("passing.switch", f"is {trace.passing.switch}, and there are {len(trace.steps)} steps")


def _check_memory(trace: Trace, index: int, memory: MemoryEvent, stored: list[set[int]]) -> None:
    where = f"steps[{index}].memory"
    limit = trace.area.size if trace.area else memory.whole[1]
    if not memory.whole[0] <= memory.lo < memory.hi <= memory.whole[1] <= limit:
        _invalid(where, f"covers bytes {memory.lo} to {memory.hi} of an access to {memory.whole[0]} to "
                        f"{memory.whole[1]}, in an area of {limit}")
    before = memory.lo - 1
    for source in memory.bytes:
        if not before < source.offset < memory.hi:
            _invalid(f"{where}.bytes", f"has byte {source.offset} out of order or outside {memory.lo} to {memory.hi}")
        before = source.offset
        if memory.op == "store" and source.step != index:
            _invalid(f"{where}.bytes", f"says step {source.step} stored byte {source.offset}, and it is step {index}")
        if memory.op == "load" and source.step != -1 and not (
            source.step < index and (source.offset in stored[source.step] or _forwards(trace, index, source.step))
        ):
            what = f"reads byte {source.offset} from step {source.step}, which is no earlier store to it"
            _invalid(f"{where}.bytes", what)


def _forwards(trace: Trace, load: int, store: int) -> bool:
    """True when step `store` issued a store, not performed yet, that its own process reads at step `load`."""
    step: Step = trace.steps[store]
    return step.kind == "store" and step.memory is None and step.process == trace.steps[load].process


def _in_range(where: str, index: int, size: int) -> None:
    if index >= size:
        _invalid(where, f"is {index}, and there are {size} processes")


def _check_text(value: object, path: tuple[str | int, ...]) -> None:
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            _invalid(_path(path), "holds half a surrogate pair, which is no text")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, (*path, index))


def _path(parts: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".") or "the object"


def _complaint(rule: object, wanted: Any, instance: object) -> str:
    """What is wrong with `instance` under one rule of the schema, never quoting more than 40 characters of it."""
    was = ascii(instance)
    was = was if len(was) <= 40 else was[:37] + "..."
    if rule == "required" and isinstance(instance, dict):
        return f"lacks {', '.join(name for name in wanted if name not in instance)}"
    if rule == "additionalProperties":
        return "has a field that no trace has"
    if rule == "type":
        return f"is {was}, and must be {' or '.join([wanted] if isinstance(wanted, str) else wanted)}"
    if rule == "enum":
        return f"is {was}, and must be one of {', '.join(map(str, wanted))}"
    limits = {
        "minimum": "is {was}, below {wanted}",
        "maximum": "is {was}, above {wanted}",
        "maxLength": "is longer than {wanted} characters",
        "minLength": "is shorter than {wanted} characters",
        "maxItems": "has more than {wanted} items",
        "minItems": "has fewer than {wanted} items",
        "pattern": "is {was}, and does not match {wanted}",
    }
    return limits.get(str(rule), "is {was}, and breaks {rule} {wanted}").format(was=was, wanted=wanted, rule=rule)


def _invalid(where: str, what: str) -> None:
    raise UsageError(f"invalid field: {where} {what}")

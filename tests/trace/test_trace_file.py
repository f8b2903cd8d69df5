"""Trace files round trip, are written whole or not at all, and every damaged file ends in one sentence."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.errors import UsageError
from modelcheck.trace.file import from_json, read_trace, to_json, to_text, trace_id, write_trace
from modelcheck.trace.trace import Fate, Passing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelcheck.trace.trace import Trace

SAMPLES = [torn_read, lock_order, nested_deadlock, long_trace]


@pytest.mark.parametrize("make", SAMPLES)
def test_a_written_trace_reads_back_equal(make: Callable[[], Trace], tmp_path: Path) -> None:
    write_trace(make(), tmp_path / "t.json")
    assert read_trace(tmp_path / "t.json") == make()
    assert os.listdir(tmp_path) == ["t.json"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_reads_back_equal(text: str, tmp_path: Path) -> None:
    write_trace(hostile(text), tmp_path / "t.json")
    assert read_trace(tmp_path / "t.json") == hostile(text)
    assert (tmp_path / "t.json").read_bytes().isascii()


@given(traces())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_reads_back_equal(trace: Trace) -> None:
    assert from_json(json.loads(to_text(trace))) == trace


def test_same_trace_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_trace(torn_read(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == to_text(torn_read()).encode()
    assert (tmp_path / "a").read_bytes().endswith(b"}\n")


def test_id_is_pinned_and_ignores_lines_files_and_values() -> None:
    trace = torn_read()
    assert trace_id(trace) == PINNED_ID
    moved = replace(trace, consequence="", why=(), updates=(), command="", steps=tuple(
        replace(step, file="x", line=0, label="", memory=None) for step in trace.steps))
    assert trace_id(moved) == trace_id(trace)
    other = replace(trace, steps=(replace(trace.steps[0], choice="x"), *trace.steps[1:]))
    assert len({trace_id(t) for t in (trace, other, replace(trace, memory="sc"), replace(trace, version="x"))}) == 4


PINNED_ID = "9a01b1ac0f"


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(obj: dict[str, Any]) -> None:
        target: Any = obj
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = to
    return change


def _words(to: list[list[Any]]) -> Callable[[dict[str, Any]], None]:
    return _set("words", to=to)


LOAD = ("steps", 0, "memory")
DAMAGED: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (_set("format", to="x"),
     'this JSON is no trace (it has no "format": "modelcheck-trace"); traces come from `check --traces`'),
    (_set("schema", to=4), "written by a newer modelcheck: schema 4, this one reads 3"),
    (_set("schema", to=0), "written by an older modelcheck: schema 0, this one reads 3; check again"),
    (_set("schema", to="1"), "invalid field: schema is '1', and breaks const 3"),
    (_set("schema", to=True), "invalid field: schema is True, and breaks const 3"),
    (_words([[99, "x", 1]]), "invalid field: words[0] is about step 99, and there are 21 steps"),
    (_words([[0, "x", 1], [0, "x", 2]]), "invalid field: words gives one slot two values at one step"),
    (_words([[-1, "x", -1]]), "invalid field: words[0][2] is -1, below 0"),
    (_words([[-1, "x", 1 << 512]]), "invalid field: words[0] gives 'x' a value of more than 512 bits"),
    (_set("schema", to=1), "written by an older modelcheck: schema 1, this one reads 3; check again"),
    (_set("fate", to={"step": 21, "states": 1, "open": ""}),
     "invalid field: fate.step is 21, and there are 21 steps"),
    (_set("fate", to={"step": -2, "states": 1, "open": ""}), "invalid field: fate.step is -2, below -1"),
    (_set("passing", to={"switch": 21, "by": 1, "text": "", "steps": []}),
     "invalid field: passing.switch is 21, and there are 21 steps"),
    (lambda o: o.pop("why"), "invalid field: the object lacks why"),
    (_set("extra", to=1), "invalid field: the object has a field that no trace has"),
    (_set("memory", to=7), "invalid field: memory is 7, and must be string"),
    (_set("memory", to="x" * 201), "invalid field: memory is longer than 200 characters"),
    (_set("id", to="0123456789"), "edited or damaged: it says id 0123456789, but its steps have id " + PINNED_ID),
    (_set("id", to="xyz"), "invalid field: id is 'xyz', and does not match ^[0-9a-f]{10}$"),
    (_set("steps", 1, "choice", to="other"), None),  # type: ignore[list-item]
    (_set("steps", 3, "process", to=2), "invalid field: steps[3].process is 2, and there are 2 processes"),
    (_set("steps", 3, "process", to=-1), "invalid field: steps[3].process is -1, below 0"),
    (_set("steps", 3, "process", to=True), "invalid field: steps[3].process is True, and must be integer"),
    (_set("deciding", to=99), "invalid field: deciding is 99, and there are 21 steps"),
    (_set(*LOAD, "op", to="peek"), "invalid field: steps[0].memory.op is 'peek', and must be one of load, store"),
    (_set(*LOAD, "whole", to=[8]), "invalid field: steps[0].memory.whole has fewer than 2 items"),
    (_set(*LOAD, "whole", to=[8, 60]),
     "invalid field: steps[0].memory covers bytes 8 to 12 of an access to 8 to 60, in an area of 48"),
    (_set(*LOAD, "hi", to=8),
     "invalid field: steps[0].memory covers bytes 8 to 8 of an access to 8 to 16, in an area of 48"),
    (_set(*LOAD, "bytes", 0, "hi", to=13), "invalid field: steps[0].memory.bytes[0].values has 4 bytes for 5"),
    (_set(*LOAD, "bytes", 0, "values", to="0"),
     "invalid field: steps[0].memory.bytes[0].values is '0', and does not match ^([0-9a-f]{2})*$"),
    (_set(*LOAD, "bytes", 0, "step", to=4),
     "invalid field: steps[0].memory.bytes reads byte 8 from step 4, which is no earlier store to it"),
    (_set("steps", 9, "memory", "bytes", 0, "step", to=4),
     "invalid field: steps[9].memory.bytes reads byte 16 from step 4, which is no earlier store to it"),
    (_set("steps", 4, "memory", "bytes", 0, "step", to=-1),
     "invalid field: steps[4].memory.bytes says step -1 stored byte 15, and it is step 4"),
    (_set("area", "fields", 0, to=["state", 4, 60]),
     "invalid field: area.fields[0] covers bytes 4 to 60 of an area of 48"),
    (_set("area", "fields", 0, to=["state", 4]), "invalid field: area.fields[0] has fewer than 3 items"),
    (_set("updates", 0, "fields", 0, to=["state", 1 << 32]),
     "invalid field: updates[0].fields gives 'state' a value that does not fit in its bytes"),
    (_set("updates", 1, "version", to=1), "invalid field: updates has one version twice"),
    (_set("processes", 1, "name", to="writer"),
     "invalid field: processes has one name twice, and replay finds a process by its name"),
    (_set("consequence", to="\ud800"), "invalid field: consequence holds half a surrogate pair, which is no text"),
]


@pytest.mark.parametrize(("change", "sentence"), DAMAGED)
def test_a_wrong_field_is_named(change: Callable[[dict[str, Any]], Any], sentence: str | None, tmp_path: Path) -> None:
    obj = to_json(torn_read())
    change(obj)
    path = tmp_path / "t.json"
    path.write_text(json.dumps(obj))
    with pytest.raises(UsageError) as caught:
        read_trace(path)
    message = str(caught.value).removeprefix(f"cannot read the trace {path}: ")
    if sentence is None:
        assert message.startswith("edited or damaged: it says id " + PINNED_ID)
    else:
        assert message == sentence


WHOLE = to_text(torn_read()).encode()
FILES = [
    (b"", "it is empty"), (b" \n", "it is empty"),
    (WHOLE[: len(WHOLE) // 2], "it is truncated: the JSON stops in line "),
    (WHOLE[:-2], "it is truncated: the JSON stops in line "),
    (b"{", "it is truncated: the JSON stops in line 1"),
    (b"hello", "it is not JSON (Expecting value at line 1, column 1)"),
    (b"\xff\xfe", "it is not UTF-8 text (byte 0 is 0xff)"),
    (b"[1, 2]", "this JSON is no trace"), (b"{}", "this JSON is no trace"), (b"null", "this JSON is no trace"),
    (b'{"a": 1, "a": 2}', "its JSON has the key 'a' twice in one object"),
    (b'{"a": NaN}', "its JSON holds NaN, which is no JSON number"),
    (b'{"a": -Infinity}', "its JSON holds -Infinity, which is no JSON number"),
    (b'{"a": 1.0}', "its JSON holds the number 1.0, and a trace holds whole numbers only"),
    (b'{"a": ' + b"9" * 5000 + b"}", "its JSON holds a number of 5000 digits"),
    (b"[" * 200_000 + b"]" * 200_000, "its JSON is nested too deeply to be a trace"),
    (b'{"a":' * 200_000, "its JSON is nested too deeply to be a trace"),
    (b"\x80\x04K\x01.", "it is not UTF-8 text (byte 0 is 0x80)"),
]


@pytest.mark.parametrize(("data", "sentence"), FILES, ids=[str(number) for number in range(len(FILES))])
def test_a_damaged_file_is_refused_in_one_sentence(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"cannot read the trace {path}: {sentence}")
    assert "\n" not in str(caught.value)


def test_every_truncation_is_refused() -> None:
    small = to_text(replace(lock_order(), initial=())).encode()
    from modelcheck.trace.file import _parse

    for end in range(1, len(small) - 1, 7):
        with pytest.raises(UsageError, match="truncated"):
            _parse(small[:end].decode())


def test_a_missing_file_a_directory_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or directory"):
        read_trace(tmp_path / "none")
    with pytest.raises(UsageError, match="is a directory"):
        read_trace(tmp_path)
    with open(tmp_path / "huge", "wb") as stream:
        stream.truncate(65 * 1024 * 1024)
    with pytest.raises(UsageError, match="larger than 64 MB"):
        read_trace(tmp_path / "huge")
    with pytest.raises(UsageError, match=r"cannot read the trace 'a\\nb\\x00'"):
        read_trace("a\nb\0")


def test_runs_that_expand_to_too_much_are_refused() -> None:
    obj = to_json(torn_read())
    run = dict(obj["steps"][0]["memory"]["bytes"][0], lo=0, hi=65536, values="")
    obj["steps"][0]["memory"]["bytes"] = [run] * 100
    with pytest.raises(UsageError, match="past the 4000000 bytes"):
        from_json(obj)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.json").write_text("old")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UsageError, match="permission denied; name a directory that can be written"):
        write_trace(torn_read(), tmp_path / "t.json")
    assert (tmp_path / "t.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["t.json"]


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or directory"):
        write_trace(torn_read(), tmp_path / "none" / "t.json")
    (tmp_path / "dir").mkdir()
    with pytest.raises(UsageError, match="cannot write the trace"):
        write_trace(torn_read(), tmp_path / "dir")
    assert os.listdir(tmp_path) == ["dir"]


def test_a_trace_that_would_not_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="deciding is 1000"):
        write_trace(replace(torn_read(), deciding=1000), tmp_path / "t.json")
    assert os.listdir(tmp_path) == []


def test_a_load_may_read_its_own_store_before_it_performs() -> None:
    trace = torn_read()
    issue = replace(trace.steps[3], kind="store", process=1)
    load = trace.steps[9]
    assert load.memory is not None
    forwarded = replace(load, memory=replace(load.memory, bytes=tuple(replace(b, step=3) for b in load.memory.bytes)))
    steps = (*trace.steps[:3], issue, *trace.steps[4:9], forwarded, *trace.steps[10:])
    assert from_json(to_json(replace(trace, steps=steps))).steps == steps


def test_what_else_could_happen_is_kept() -> None:
    trace = torn_read()
    first = replace(trace.steps[0], source="yield x", enabled=(("p", "a"), ("q", "b")), waits=(("q", "lock"),))
    trace = replace(
        trace, steps=(first, *trace.steps[1:]), conjunct="x == y", fate=Fate(3, 17, ""),
        passing=Passing(4, -1, "moved", (("p", "a"),)),
    )  # fmt: skip
    assert from_json(to_json(trace)) == trace
    assert trace_id(trace) == PINNED_ID


def test_words_are_kept() -> None:
    trace = replace(torn_read(), words=((-1, "x", 2**64 - 1), (3, "x", 0)))
    assert from_json(to_json(trace)) == trace
    assert trace_id(trace) == PINNED_ID

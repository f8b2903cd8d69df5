"""Liveness and stack depth: exact on small codes, and checked by meaning on random ones."""

from __future__ import annotations

import ast
import asyncio.base_events
import contextlib
import difflib
import os
import re
import tokenize
import traceback
import types
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from process_samples import Programs, answers, compiled

from modelcheck.process import liveness
from modelcheck.process.liveness import live_locals, stack_depth, yield_points

if TYPE_CHECKING:
    from collections.abc import Iterator


def live_by_line(function) -> dict[int, set[str]]:
    """The live names at each yield, by line counted from the `def`."""
    code = function.__code__
    return {point.line - code.co_firstlineno: set(point.live) for point in yield_points(code).values()}


def depths(function) -> list[int]:
    code = function.__code__
    return [point.depth for _, point in sorted({(p.line, p) for p in yield_points(code).values()}, key=lambda x: x[0])]


def test_a_local_is_live_until_its_last_read():
    def process(x):
        y = 1
        yield 1
        yield y
        return x

    assert live_by_line(process) == {2: {"x", "y"}, 3: {"x"}}


def test_a_local_overwritten_by_the_answer_is_dead():
    def process():
        x = 1
        x = yield x
        yield x

    assert live_by_line(process) == {2: set(), 3: set()}


def test_a_loop_keeps_alive_what_its_next_turn_reads():
    def process():
        n = 0
        while n < 3:
            t = n
            yield t
            n = n + 1

    assert live_by_line(process) == {4: {"n"}}


def test_cells_and_free_variables_are_always_live():
    free = 1

    def process(arg):
        cell = 2
        if arg:
            return lambda: (cell, arg)
        yield free

    assert live_by_line(process) == {4: {"cell", "arg", "free"}}


def test_a_finally_keeps_alive_what_it_reads():
    def process(x):
        try:
            yield 1
            print()
        finally:
            y = 3
            yield x, y
        yield 2

    assert live_by_line(process) == {2: {"x"}, 6: set(), 7: set()}


def test_a_handler_keeps_alive_what_it_reads_where_something_may_raise():
    def process(x, y):
        try:
            yield 1
            x()
        except KeyError:
            print(y)
        try:
            yield 2
        except KeyError:
            print(y)
        yield 3

    assert live_by_line(process) == {2: {"x", "y"}, 7: set(), 10: set()}


def test_locals_call_reads_everything():
    def process(x):
        yield 1
        return locals()

    assert live_by_line(process) == {1: {"x"}}


def test_deleting_counts_as_reading():
    def process(x, y):
        yield 1
        del x
        yield 2
        y = 3
        yield y

    assert live_by_line(process) == {1: {"x"}, 3: set(), 5: set()}


def test_an_unknown_fast_opcode_counts_as_a_read_of_all(monkeypatch):
    def process(x, y):
        yield 1
        x = 2
        yield x

    assert live_by_line(process)[1] == set()
    monkeypatch.setattr(liveness, "_ONE_READ", set())
    monkeypatch.setattr(liveness, "_TWO_READS", set())
    yield_points.cache_clear()
    try:
        assert live_by_line(process)[1] == {"y"}  # x is written before the load that is unknown now
    finally:
        yield_points.cache_clear()


def test_offsets_are_those_of_suspended_frames():
    def inner():
        yield 1

    def process(x):
        yield x
        yield from inner()

    running = process(5)
    next(running)
    assert live_locals(running.gi_code, running.gi_frame.f_lasti) == {"x"} - {"x"} | {"inner"}
    assert stack_depth(running.gi_code, running.gi_frame.f_lasti) == 0
    next(running)
    assert stack_depth(running.gi_code, running.gi_frame.f_lasti) == 1


def test_stack_depth_counts_what_lies_below_the_yielded_value():
    def process(f, c):
        yield 1
        for _ in f:
            yield 2
            for _ in f:
                yield from f
        f((yield 3))
        x = (yield 4) == \
            (yield 5)
        with c:
            yield 6
        try:
            f()
        except KeyError:
            yield 7
        finally:
            yield x

    found = {point.line - process.__code__.co_firstlineno: point for point in yield_points(process.__code__).values()}
    assert [found[line].depth for line in (1, 3, 5, 7, 8)] == [0, 1, 3, 0, 1]
    assert found[6].depth > 0
    assert found[10].depth > 0
    assert found[14].depth > 0
    assert [line for line, point in found.items() if point.delegates] == [5]


def codes_of(module: types.ModuleType) -> Iterator[types.CodeType]:
    with open(module.__file__) as file:
        waiting = [compile(file.read(), module.__file__, "exec")]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, types.CodeType)]


@pytest.mark.parametrize("module", [ast, asyncio.base_events, contextlib, difflib, os, tokenize, traceback],
                         ids=lambda module: module.__name__)
def test_every_yield_of_the_standard_library_has_a_depth_within_its_stack(module):
    for code in codes_of(module):
        for point in yield_points(code).values():
            assert 0 <= point.depth < code.co_stacksize
            assert point.live <= set(code.co_varnames + code.co_cellvars + code.co_freevars)


def codes(space: dict[str, object]) -> dict[str, types.CodeType]:
    """The codes of a program's functions."""
    return {name: f.__code__ for name, f in space.items() if isinstance(f, types.FunctionType) and name != "choose"}


def poisoned(source: str, code_of: dict[str, types.CodeType]) -> str:
    """The program with every dead local overwritten at every yield."""
    live: dict[int, frozenset[str]] = {}
    for code in code_of.values():
        for point in yield_points(code).values():  # a `finally` is compiled twice, on one line
            live[point.line] = live.get(point.line, frozenset()) | point.live
    lines = source.splitlines()
    for i, line in enumerate(lines):
        if re.search(r"= yield act$", line):
            dead = [name for name in "xyz" if name not in live[i + 1]]
            indent = line[:len(line) - len(line.lstrip())]
            lines[i] = indent + "".join(f"{name} = 'poison'; " for name in dead) + line.strip()
    return "\n".join(lines) + "\n"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.lists(st.integers(0, 2), max_size=40))
def test_writing_to_dead_locals_changes_nothing(seed, responses):
    program = Programs(seed)
    plain = compiled(program.source, "<plain>")
    variant = compiled(poisoned(program.source, codes(plain)), "<poisoned>")
    assert answers(plain["process"](), responses) == answers(variant["process"](), responses)


def test_the_poison_reaches_some_locals():
    changed = 0
    for seed in range(30):
        program = Programs(seed)
        space = compiled(program.source, "<plain>")
        changed += poisoned(program.source, codes(space)).count("poison")
    assert changed > 100

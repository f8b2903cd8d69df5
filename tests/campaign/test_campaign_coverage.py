"""Which lines no combination reached, and who took part: told once for the whole check."""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from dataclasses import replace

import pytest

from modelcheck import Model, Parameter, PropertyInfo, Setting, Spec, assign, choose, reach, wait
from modelcheck.action import test as ask
from modelcheck.campaign import run
from modelcheck.cli.report import actors, coverage
from modelcheck.results import Coverage, Report, Request, Unreached


def build(setting: Setting, projection: Hashable = None) -> Model:
    """Side 0 or 1 of a branch is reached, the third never; a reader looks on."""
    m = Model("sides")
    side, never, seen = m.bool("side", setting["side"] == 1), m.bool("never"), m.bool("seen")

    def writer():
        if (yield ask(side)):
            yield reach("one").at("W1", "write_one")
        else:
            yield reach("zero").at("W0", "write_zero")
        if (yield ask(never).at("W2", "write_never")):
            yield reach("gone").at("W3", "write_never")
        if setting["side"] == 7:
            yield reach("no model has this")

    def reader():
        yield assign(seen, side)
        if (yield choose("look on?", True, False)):
            yield reach("looked on")

    m.process("writer", writer)
    m.process("reader", reader)
    m.invariant("small", side.le(1))
    m.terminates("ends", "writer", side.eq(1))
    m.terminates("ends too", "writer", side.eq(0))
    return m


SIDES = Spec("sides", "", build, parameters=(Parameter("side", "", lo=0, hi=7, default=(0, 1)),),
             properties=tuple(PropertyInfo(name, "") for name in ("small", "ends", "ends too")))
FIRST = inspect.getsourcelines(build)[1]


def checked(*properties: str, sides: tuple[int, ...] = (0, 1), spec: Spec = SIDES) -> Report:
    return run(Request(spec, ("only",), (("side", sides),), properties))


def missed(report: Report) -> list[tuple[int, str, str, str]]:
    return [(each.line - FIRST, each.function, each.step, each.reason) for each in report.coverage.unreached]


GONE = (11, "write_never", "W3", "no reason given")
NOWHERE = (13, "writer", "", "no reason given")


def test_a_line_that_one_combination_reaches_is_reached():
    report = checked("small")
    assert missed(report) == [GONE, NOWHERE]
    assert (report.coverage.lines, report.coverage.reached) == (9, 7)
    assert missed(checked("small", sides=(1,))) == [(9, "write_zero", "W0", "no reason given"), GONE, NOWHERE]


def test_the_file_is_told_without_what_is_of_this_machine():
    assert {each.file for each in checked("small").coverage.unreached} == {"test_campaign_coverage.py"}
    assert checked("small").coverage.unreached[0].text == 'yield reach("gone").at("W3", "write_never")'


@pytest.mark.parametrize("what", ["write_never W3", "write_never", 'yield reach("gone").at("W3", "write_never")'])
def test_a_reason_names_a_function_a_step_or_a_line(what):
    spec = replace(SIDES, unreached=lambda: ((what, "never is false"), ("write_never W3", "too late")))
    assert missed(checked("small", spec=spec)) == [(11, "write_never", "W3", "never is false"), NOWHERE]


@pytest.mark.parametrize("what", ["write_never W2", "W3", "write", "gone", ""])
def test_a_reason_for_another_line_is_no_reason(what):
    spec = replace(SIDES, unreached=lambda: ((what, "never is false"),))
    assert missed(checked("small", spec=spec)) == [GONE, NOWHERE]


def test_lines_of_a_process_that_took_no_part_say_so():
    report = checked("ends")
    assert {function: reason for _, function, _, reason in missed(report)} == {
        "write_never": "no reason given", "writer": "no reason given", "reader": "reader takes no part: reads only"}
    (result,) = report.results
    assert (result.actors, result.left_out) == (("writer",), (("reader", "reads only"),))
    assert missed(checked("ends", "small")) == [GONE, NOWHERE]


def test_actors_are_told_for_each_group_of_properties():
    assert actors(checked("ends", "small", "ends too").results) == [
        "Actors (ends, ends too): writer; without reader: reads only", "Actors (small): writer, reader"]
    assert actors(checked("small").results) == ["Actors: writer, reader"]


def test_a_process_that_writes_for_another_that_took_no_part_is_told_apart():
    def chain(setting: Setting, projection: Hashable = None) -> Model:
        m = Model("chain")
        a, b = m.bool("a"), m.bool("b")

        def alone():
            yield assign(a, 1)

        def feeds():
            yield assign(b, 1)

        def eats():
            yield wait(b)

        for body in (alone, feeds, eats):
            m.process(body.__name__, body)
        m.invariant("all", a.le(1))
        m.terminates("ends", "alone", a.eq(1))
        return m

    spec = Spec("chain", "", chain, properties=(PropertyInfo("ends", ""),))
    (result,) = run(Request(spec, ("only",))).results
    assert result.left_out == (("feeds", "writes nothing that this property depends on"), ("eats", "reads only"))


def test_the_line_for_people_names_places_by_reason():
    def line(file: str, number: int, function: str, step: str, reason: str) -> Unreached:
        return Unreached(file, number, function, step, "", reason)

    unreached = (line("a.py", 3, "f", "R1", "why"), line("a.py", 4, "", "", "why not"), line("b.py", 1, "g", "", "why"))
    assert coverage(Coverage(5, 2, unreached)) == [
        "Coverage: 2 of 5 lines; 3 not reached: a.py:3 (f R1); b.py:1 (g): why; a.py:4: why not"]
    assert coverage(Coverage(5, 5)) == ["Coverage: 5 of 5 lines"]
    assert coverage(Coverage()) == []

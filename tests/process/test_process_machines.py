"""Machines that are kept: what is extracted once for many processes, and what is extracted each time."""

from __future__ import annotations

import enum
import types
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from process_samples import GPC1, a, release, take

from modelcheck.action import choose
from modelcheck.errors import SpecError
from modelcheck.process import Context, StepMachine, extract, machine_of, machines

if TYPE_CHECKING:
    from collections.abc import Callable

LABEL = "before"
OPTIONS = ["one"]
MODULE = types.ModuleType("a_module_of_the_spec")


class Colour(enum.Enum):
    RED = "red"

    def action(self):
        return a(self.value)


class Named:
    name = "a point"

    @property
    def text(self) -> str:
        return self.name


@dataclass(frozen=True)
class Point(Named):
    x: object

    def action(self):
        return a(f"{self.text} {self.x}")


@pytest.fixture(autouse=True)
def extractions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the processes extracted in a test, with nothing kept from before it."""
    names: list[str] = []

    def counted(factory: Callable[[], Any], name: str, **rest: Any) -> StepMachine:
        names.append(name)
        return extract(factory, name, **rest)

    monkeypatch.setattr(machines, "extract", counted)
    monkeypatch.setattr(machines, "_kept", {})
    return names


def labels(machine: StepMachine) -> list[str]:
    return [node.action.label for node in machine.nodes if node.action is not None]


def process(*values: object):
    yield a(repr(values))


def test_equal_arguments_share_a_machine(extractions):
    first = machine_of(partial(process, Point((1, "x"))), "P")
    assert machine_of(partial(process, Point((1, "x"))), "P") is first
    assert machine_of(partial(process, Point((1, "x"))), "another name") is first
    assert extractions == ["P"]
    assert first == extract(partial(process, Point((1, "x"))), "P")


@pytest.mark.parametrize(("left", "right"), [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), ((1,), (True,)),
                                             (Point(0), Point(False)), (frozenset({1}), frozenset({True}))])
def test_arguments_that_compare_equal_and_behave_differently_do_not(left, right, extractions):
    for value in (left, right, left, right):
        assert labels(machine_of(partial(process, value), "P")) == [repr((value,))]
    assert len(extractions) == 2


def test_an_argument_that_can_change_is_extracted_each_time(extractions):
    values = ["one"]

    def chosen(values: list[str]):
        labels = tuple(values)
        del values
        label = yield choose("which", *labels)
        yield a(label)

    assert labels(machine_of(partial(chosen, values), "P")) == ["which", "one"]
    values[:] = ["two", "three"]
    assert labels(machine_of(partial(chosen, values), "P")) == ["which", "two", "three"]
    assert len(extractions) == 2


def test_two_functions_with_one_code_and_other_closures_or_defaults_are_apart(extractions):
    def made(label: str):
        def inner():
            yield a(label)

        return inner

    def other(label: str):
        def inner(label=label):
            yield a(label)

        return inner

    for make in (made, other):
        assert [labels(machine_of(make(label), "P")) for label in ("x", "y", "x")] == [["x"], ["y"], ["x"]]
    assert len(extractions) == 4


def test_a_closure_that_changes_is_noticed(extractions):
    label = "x"

    def inner():
        yield a(label)

    assert labels(machine_of(inner, "P")) == ["x"]
    label = "y"
    assert labels(machine_of(inner, "P")) == ["y"]


def test_where_a_process_starts_tells_it_apart(extractions):
    def locked():
        yield release()
        yield take()

    held = machine_of(locked, "P", Context((GPC1,)))
    assert held.nodes[0].context.held == (GPC1,)
    with pytest.raises(SpecError, match="which it does not hold here"):
        machine_of(locked, "P")
    assert machine_of(locked, "P", Context((GPC1,))) is held


def test_what_is_refused_is_refused_again():
    def broken():
        yield 3

    for _ in range(2):
        with pytest.raises(SpecError, match="no action"):
            machine_of(broken, "P")


# -- what the code reads besides its arguments ------------------------------------------------------------------------


def helper():
    yield a(LABEL)


def reads_a_global():
    yield a(LABEL)


def reads_it_in_a_callee():
    yield from helper()


def reads_it_in_an_inner_function():
    yield a((lambda: LABEL)())


def reads_a_module():
    yield a(MODULE.label)


def calls_a_method(point: Point):
    yield point.action()


def makes_a_point():
    yield Point(1).action()


def decorated(function: Callable[[], Any]) -> Callable[[], Any]:
    def wrapper():
        yield from function()

    return wrapper


wrapped = decorated(helper)


def calls_a_wrapper():
    yield from wrapped()


@pytest.mark.parametrize("body", [reads_a_global, reads_it_in_a_callee, reads_it_in_an_inner_function, calls_a_wrapper,
                                  decorated(helper)])
def test_a_global_bound_anew_is_noticed(body, extractions, monkeypatch):
    first = machine_of(body, "P")
    assert machine_of(body, "P") is first
    monkeypatch.setitem(globals(), "LABEL", "after")
    assert labels(machine_of(body, "P")) == ["after"]
    monkeypatch.undo()
    monkeypatch.setattr(machines, "_kept", {})
    assert labels(machine_of(body, "P")) == ["before"]


def test_a_callee_bound_anew_is_noticed(monkeypatch):
    def other():
        yield a("other")

    assert labels(machine_of(reads_it_in_a_callee, "P")) == ["before"]
    monkeypatch.setitem(globals(), "helper", other)
    assert labels(machine_of(reads_it_in_a_callee, "P")) == ["other"]


def test_a_cell_of_a_decorated_function_is_noticed():
    assert labels(machine_of(calls_a_wrapper, "P")) == ["before"]
    cell = wrapped.__closure__[0]
    known = cell.cell_contents

    def other():
        yield a("other")

    cell.cell_contents = other
    try:
        assert labels(machine_of(calls_a_wrapper, "P")) == ["other"]
    finally:
        cell.cell_contents = known


def test_an_attribute_of_a_module_is_noticed(monkeypatch):
    monkeypatch.setattr(MODULE, "label", "x", raising=False)
    assert labels(machine_of(reads_a_module, "P")) == ["x"]
    monkeypatch.setattr(MODULE, "label", "y")
    assert labels(machine_of(reads_a_module, "P")) == ["y"]


@pytest.mark.parametrize("body", [partial(calls_a_method, Point(1)), makes_a_point])
def test_methods_and_constants_of_classes_are_noticed(body, extractions, monkeypatch):
    for _ in range(2):
        assert labels(machine_of(body, "P")) == ["a point 1"]
    monkeypatch.setattr(Named, "name", "the point")
    assert labels(machine_of(body, "P")) == ["the point 1"]
    monkeypatch.setattr(Named, "text", property(lambda self: LABEL))
    for label in ("before", "after"):
        monkeypatch.setitem(globals(), "LABEL", label)
        assert labels(machine_of(body, "P")) == [f"{label} 1"]
    monkeypatch.setattr(Point, "action", lambda self: a("no point"))
    assert labels(machine_of(body, "P")) == ["no point"]
    assert len(extractions) == 5


def test_methods_of_an_enum_are_noticed(monkeypatch):
    body = partial(calls_a_method, Colour.RED)
    assert labels(machine_of(body, "P")) == ["red"]
    monkeypatch.setattr(Colour, "action", lambda self: a("blue"))
    assert labels(machine_of(body, "P")) == ["blue"]


def reads_a_list():
    yield choose("which", *OPTIONS)


def test_a_global_that_can_change_makes_a_process_extracted_each_time(extractions, monkeypatch):
    monkeypatch.setitem(globals(), "OPTIONS", ["one"])
    assert len(machine_of(reads_a_list, "P").nodes[0].targets) == 1
    OPTIONS.append("two")
    assert len(machine_of(reads_a_list, "P").nodes[0].targets) == 2
    assert len(extractions) == 2


def test_one_code_in_two_namespaces_is_two_processes():
    code = compile("def process():\n    yield a(LABEL)\n", "spec.py", "exec")
    found = []
    for label in ("x", "y"):
        namespace: dict[str, Any] = {"a": a, "LABEL": label, "__name__": "spec"}
        exec(code, namespace)
        found.append(machine_of(namespace["process"], "P"))
    assert [labels(machine) for machine in found] == [["x"], ["y"]]


def test_limit_a_global_found_by_a_computed_name_is_not_noticed(monkeypatch):
    def hidden():
        yield a(globals()["LAB" + "EL"])

    assert labels(machine_of(hidden, "P")) == ["before"]
    monkeypatch.setitem(globals(), "LABEL", "after")
    assert labels(machine_of(hidden, "P")) == ["before"]


def test_what_was_not_used_for_longest_goes_first(extractions, monkeypatch):
    monkeypatch.setattr(machines, "MOST_KEPT", 2)
    for value in (1, 2, 1, 3, 1, 2):
        machine_of(partial(process, value), str(value))
    assert extractions == ["1", "2", "3", "2"]
    assert len(machines._kept) == 2

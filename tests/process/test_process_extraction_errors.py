"""Every error of a spec names the process, file and line, the variable or value, and what to do."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
import sys

import pytest
from process_samples import GPC1, GPC2, a, load, refused, release, take, try_take

from modelcheck.action import choose, equal
from modelcheck.errors import SpecError
from modelcheck.process import extract

hidden_by_frame: dict[int, int] = {}


@dataclasses.dataclass
class Unfrozen:
    x: int = 0


def test_a_plain_function_is_refused():
    def process():
        return a()

    refused(process, 0, "returns a Action and no generator", "a generator function (one with a yield)")


def test_a_function_that_returns_nothing_is_refused():
    refused(lambda: None, 0, "returns a NoneType and no generator")


def test_a_generator_in_place_of_its_function_is_refused():
    def process():
        yield a()

    with pytest.raises(SpecError, match="P is made from a generator, which cannot be called; pass the function"):
        extract(process(), "P")
    with pytest.raises(SpecError, match="P is made from a int, which cannot be called; pass a generator function"):
        extract(3, "P")


def test_a_factory_that_raises_is_told():
    def process():
        return 1 // 0

    refused(process, 1, "raises ZeroDivisionError: integer division or modulo by zero")


def test_a_factory_that_needs_arguments_is_told():
    def process(vcpu):
        yield a(vcpu)

    refused(process, None, "raises TypeError", "vcpu")


def test_a_process_that_raises_is_told_with_its_line():
    def process():
        yield a()
        yield a(undefined)  # noqa: F821

    refused(process, 2, "raises NameError", "undefined")


def test_the_line_is_the_innermost_in_a_file_of_the_spec():
    def helper(n):
        return random.Random(0).sample((1, 2), n)

    def process():
        yield a()
        yield choose("n", *helper(3))

    refused(process, None, "raises ValueError", f"{helper.__code__.co_firstlineno + 1}:")


def test_a_branch_on_a_loaded_value_is_told_with_its_line():
    def process():
        x = yield load()
        yield a()
        if x:
            yield a()

    refused(process, 3, "a loaded value has no truth value")


def test_a_comparison_of_something_else_is_told_with_its_line():
    def process():
        x = yield load()
        yield equal(x, 3)

    refused(process, 2, "equal() takes loaded values, and got 3")


@pytest.mark.parametrize(("make", "said"), [
    (lambda: "lock", "yields 'lock', a str and no action; yield what a primitive"),
    (lambda: None, "yields None, a NoneType and no action"),
    (lambda: True, "yields True, a bool and no action"),
    (lambda: take, "yields a function and no action; call it"),
    (lambda: (x for x in ()), "yields a generator and no action; write `yield from`"),
], ids=("str", "None", "bool", "function", "generator"))
def test_a_yield_of_something_else_is_refused(make, said):
    def process():
        yield a()
        yield make()

    refused(process, 2, said)


def test_an_action_with_a_list_inside_is_refused():
    def process():
        yield choose("pick", [1], [2])

    refused(process, 1, "yields 'pick', which holds a value that can change", "list")


# The operand stack

def test_a_comparison_of_two_yields_is_refused():
    def process():
        return (yield choose("one", 1, 2)) == (yield choose("two", 1, 2))

    refused(process, 1, "type int waits on the operand stack", "`x = yield ...`")


def test_a_yield_among_call_arguments_is_refused():
    def process():
        return max((yield choose("one", 1, 2)), 1)

    refused(process, 1, "waits on the operand stack", "calls")


@pytest.mark.parametrize("make", [
    lambda: (None, (yield a())), lambda: (iter(()), (yield a())), lambda: [*range(2), (yield a())],
    lambda: (iter(range(3)), (yield a()))], ids=("None", "iterator", "list", "range"))
def test_a_yield_in_a_display_is_refused(make):
    refused(make, None, "waits on the operand stack")


def test_a_yield_from_in_a_larger_expression_is_refused():
    def inner():
        return (yield choose("one", 1, 2))

    def process():
        return 1 + (yield from inner())

    refused(process, 1, "type int waits on the operand stack")


def test_a_yield_inside_with_is_refused():
    def process():
        with contextlib.nullcontext():
            yield a()

    refused(process, 2, "yields inside a with block")


def test_a_yield_inside_except_is_refused():
    def process():
        for _ in range(2):
            try:
                raise KeyError
            except KeyError:
                yield a()

    refused(process, 5, "yields inside an except block", "after the block")


def test_a_yield_from_inside_except_is_refused():
    def inner():
        yield a()

    def process():
        try:
            raise KeyError
        except KeyError:
            yield from inner()

    refused(process, 4, "yields inside an except block")


def test_a_finally_that_yields_on_an_exception_is_refused():
    def process():
        try:
            raise KeyError
        finally:
            yield a()

    refused(process, 4, "yields inside an except block")


def test_a_loop_goes_on_after_an_except_block():
    def process():
        for i in (1, 2):
            try:
                raise KeyError
            except KeyError:
                caught = True
            yield a(f"{i}{caught}")

    assert len(extract(process, "P").nodes) == 3


@pytest.mark.parametrize(("over", "kind"), [
    (lambda: [1, 2], "list_iterator"), (lambda: {1: 2}, "dict_keyiterator"), (lambda: {1}, "set_iterator"),
    (lambda: enumerate("ab"), "enumerate"),
    (lambda: zip("ab", "cd", strict=False), "zip"), (lambda: (x for x in "ab"), "generator"),
    (lambda: map(str, (1, 2)), "map"), (itertools.count, "count"), (lambda: b"ab", "bytes_iterator"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_loop_over_anything_but_range_tuple_and_str_is_refused(over, kind):
    def process():
        for _ in over():
            yield a()

    refused(process, 2, f"yields inside a loop over a {kind}", "a range, a tuple or a str")


def test_a_yield_from_a_list_is_refused():
    def process():
        yield from [a("one"), a("two")]

    if any(isinstance(const, tuple) for const in process.__code__.co_consts):
        pytest.skip("compiled to a tuple")
    refused(process, 1, "yields inside a loop over a list_iterator")


def test_loops_that_share_an_iterator_are_refused():
    def process():
        shared = iter(range(5))
        for _ in shared:
            for _ in shared:
                yield a()
            break

    refused(process, 4, "two loops share one iterator")


# Locals

MUTABLE = {
    "list": (lambda: [1], "list", "use a tuple"),
    "dict": (lambda: {1: 2}, "dict", "use a tuple of pairs or a frozen dataclass"),
    "set": (lambda: {1}, "set", "use a frozenset"),
    "dataclass": (Unfrozen, "Unfrozen", "declare Unfrozen with @dataclass(frozen=True)"),
    "iterator": (lambda: iter(range(3)), "range_iterator", "loop over the range, tuple or str itself"),
    "generator": (lambda: (x for x in ()), "generator", "yield from"),
    "object": (object, "object", "`del` it before the yield"),
}


@pytest.mark.parametrize(("make", "kind", "fix"), MUTABLE.values(), ids=MUTABLE)
def test_a_mutable_local_is_refused(make, kind, fix):
    def process():
        fine = make()
        yield_here = fine
        del fine
        yield a()
        return yield_here

    refused(process, 4, f"local `yield_here` of process() holds a value of type {kind} across a yield", fix)


def test_a_mutable_local_that_is_dead_is_allowed():
    def process():
        numbers = [1, 2]
        total = sum(numbers)
        yield a(str(total))
        numbers = []

    assert len(extract(process, "P").nodes) == 2


def test_a_mutable_value_deep_inside_is_named_by_its_path():
    def process():
        pair = (1, (2, [3]))
        yield a()
        return pair

    refused(process, 2, "local `pair` of process() holds (at pair[1][1]) a value of type list")


def test_a_mutable_local_of_a_sub_procedure_names_its_line():
    def inner(log):
        yield a()
        log.append(1)

    def process():
        yield from inner([])

    text = refused(process, None, "local `log` of inner() holds a value of type list")
    assert f":{inner.__code__.co_firstlineno + 1}: " in text


def test_a_mutable_closure_is_refused():
    log = []

    def process():
        yield a()
        log.append(1)

    refused(process, 1, "closure variable `log` of process() holds a value of type list", "use a tuple")


def test_a_mutable_closure_of_a_nested_function_is_refused():
    def process():
        log = []

        def note():
            log.append(1)

        yield a()
        note()

    refused(process, 6, "local `log` of process() holds a value of type list")


def test_a_lambda_over_a_list_is_refused():
    make = (lambda log: lambda: log.append(1))([])

    def process(note=make):
        yield a()
        note()

    refused(process, 1, "local `note` of process() holds (at note closure `log`) a value of type list")


# Hidden state

def test_a_hidden_global_counter_is_refused():
    global turns
    turns = 0

    def process():
        global turns
        while True:
            turns += 1
            yield a("odd" if turns % 2 else "even")

    refused(process, 4, "is not a function of its frame", "`odd`", "`even`", "hides state", "a local or a slot")


def test_a_counter_in_a_straight_process_is_refused():
    seen = itertools.count()
    globals()["hidden"] = seen

    def process():
        yield a("first")
        yield a(f"run {next(hidden)}")  # noqa: F821

    refused(process, 2, "is not a function of its frame", "`run 0`", "`run 1`")


def test_a_counter_that_moves_the_end_is_refused():
    globals()["left"] = [1]

    def process():
        yield a("first")
        if left:  # noqa: F821
            left.pop()  # noqa: F821
            yield a("second")

    refused(process, 4, "is not a function of its frame", "its end")


def test_a_counter_that_changes_only_a_local_is_refused():
    globals()["hidden"] = itertools.count()

    def process():
        x = next(hidden)  # noqa: F821
        yield a("always")
        return x

    refused(process, 2, "is not a function of its frame", "with different locals")


def test_a_second_history_that_goes_on_differently_is_refused():
    globals()["last"] = [0]

    def process():
        last[0] = yield choose("x", 1, 2)  # noqa: F821
        yield a("between")
        yield a(f"x{last[0]}")  # noqa: F821

    refused(process, 3, "is not a function of its frame", "`x1`", "`x2`")


def test_state_hidden_by_frame_is_found_by_a_second_history():
    hidden_by_frame.clear()

    def process():
        hidden_by_frame[id(sys._getframe())] = yield choose("x", 1, 2)
        yield a("between")
        yield a(f"x{hidden_by_frame[id(sys._getframe())]}")

    refused(process, 3, "is not a function of its frame", "`x1`", "`x2`")


def test_a_toggle_of_each_start_is_refused_though_its_effect_is_rare():
    globals()["starts"] = [0]

    def process():
        starts[0] += 1  # noqa: F821
        if (yield choose("way", True, False)):
            yield a(f"start {starts[0] % 2}")  # noqa: F821
        else:
            yield a("other")
            yield a("steps")

    refused(process, 3, "is not a function of its frame", "`start 1`", "`start 0`")


def test_a_random_choice_is_refused():
    source = random.SystemRandom()
    globals()["dice"] = source

    def process():
        for _ in range(60):
            yield a(str(dice.random()))  # noqa: F821

    refused(process, 2, "is not a function of its frame", "a random number")


# Locks and bounds

def test_a_release_of_a_lock_not_held_is_refused():
    def process():
        yield take(GPC1)
        if (yield try_take(GPC2)):
            yield a()
        yield release(GPC2)

    refused(process, 4, "releases `gpc2`, which it does not hold here (it holds `gpc1`)", "on every path")


def test_a_release_with_no_lock_held_is_refused():
    def process():
        yield release(GPC1)

    refused(process, 1, "releases `gpc1`", "(it holds none)")


def test_ending_with_a_lock_held_is_left_to_the_search():
    def process():
        yield take(GPC1)

    assert [node.context.held for node in extract(process, "P").nodes] == [(), (GPC1,)]


def test_the_cap_names_the_local_that_grows():
    def process():
        i = n = 0
        while n < 3:
            i += 1
            yield a()
            n = i % 2

    refused(process, 4, "has more than 50 local states", "local `i` of process() took 50 values; bound it",
            "move it to a slot", cap=50)


def test_the_cap_names_the_local_of_a_sub_procedure():
    def inner():
        tries = 0
        while not (yield choose("try", True, False)):
            tries += 1

    def process():
        yield from inner()

    refused(process, None, "local `tries` of inner() took ", "bound it", cap=100)


def test_a_deep_machine_stops_at_a_number_of_steps():
    def process():
        i = 0
        while (yield choose("again", True, False)):
            i += 1

    refused(process, 2, "local states so far and grows too deep to explore: local `i`", cap=1000)


def test_the_cap_names_a_loop():
    def process():
        for _ in range(1000):
            yield a()

    refused(process, 2, "a loop of process() took 50 values", cap=50)


def test_the_cap_names_the_variable_of_a_loop_rather_than_the_loop():
    def process():
        for i in range(1000):
            yield a()
            yield a(str(i))

    refused(process, None, "local `i` of process() took 25 values", cap=50)


def test_the_cap_names_the_locks():
    def process():
        while True:
            yield take()

    refused(process, 2, "the locks held took 50 values", cap=50)


def test_the_cap_names_the_depth_of_calls():
    def process():
        yield a()
        yield from process()

    refused(process, 1, "the depth of its `yield from` chain took 50 values", cap=50)


def test_a_machine_at_its_cap_is_fine():
    def process():
        for _ in range(9):
            yield a()

    assert len(extract(process, "P", cap=10).nodes) == 10
    refused(process, 2, "has more than 9 local states", cap=9)

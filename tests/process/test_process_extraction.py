"""Extraction: the step machine does what the generator does, with the context, registers and facts of each node."""

from __future__ import annotations

import gc
import types
import warnings

from hypothesis import given, settings
from hypothesis import strategies as st
from process_samples import FLAG, GPC1, GPC2, MUTEX, Programs, a, answers, compiled, load, release, take, try_take

from modelcheck.action import Action, Branch, check, choose, equal, has_variant, observe, smp_rmb, test
from modelcheck.process import Context, Fact, StepMachine, extract
from modelcheck.process.run import close

yes_no = test  # a name that pytest does not collect
del test


def labels(machine: StepMachine) -> list[str]:
    return [node.action.label if node.action else "end" for node in machine.nodes]


def walk(machine: StepMachine, responses: list[int]) -> list[Action | None]:
    """What `answers` gives, read off the machine."""
    node = machine.nodes[0]
    seen = [node.action]
    for response in responses:
        if node.action is None:
            break
        node = machine.nodes[node.targets[response % len(node.targets)]]
        seen.append(node.action)
    return seen


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.lists(st.lists(st.integers(0, 2), max_size=60), min_size=1, max_size=8))
def test_the_machine_answers_as_the_generator_does(seed, runs):
    space = compiled(Programs(seed).source, f"<program {seed}>")
    machine = extract(space["process"], "random")
    for responses in runs:
        assert walk(machine, responses) == answers(space["process"](), responses)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.lists(st.integers(0, 2), max_size=60))
def test_each_node_names_the_line_the_generator_rests_at(seed, responses):
    space = compiled(Programs(seed).source, f"<program {seed}>")
    machine = extract(space["process"], "random")
    assert {(n.file, n.line) for n in machine.nodes if n.action} <= set(machine.lines)
    running = space["process"]()
    action, node = next(running), machine.nodes[0]
    for response in responses:
        innermost, depth = running, 1
        while isinstance(innermost.gi_yieldfrom, types.GeneratorType):
            innermost, depth = innermost.gi_yieldfrom, depth + 1
        assert (node.line, node.code, node.depth) == (innermost.gi_frame.f_lineno, innermost.gi_code.co_name, depth)
        node = machine.nodes[node.targets[response]]
        try:
            action = running.send(action.branches[response].response)
        except StopIteration:
            assert node.action is None
            break
    close(running)


def test_extraction_is_the_same_twice():
    space = compiled(Programs(7).source, "<program 7>")
    assert extract(space["process"], "P") == extract(space["process"], "P")


def test_node_zero_is_the_start_and_nodes_are_numbered_breadth_first():
    def process():
        if (yield choose("first", 0, 1, 2)):
            yield a("left")
        yield a("right")

    machine = extract(process, "P")
    assert labels(machine) == ["first", "right", "left", "end"]
    assert [node.targets for node in machine.nodes] == [(1, 2, 2), (3,), (1,), ()]
    line = process.__code__.co_firstlineno
    assert [node.line - line for node in machine.nodes[:3]] == [1, 3, 2]
    assert [line_of - line for _, line_of in machine.lines] == [1, 2, 3]


def test_a_process_without_a_step_is_its_end():
    def process():
        return
        yield

    machine = extract(process, "P")
    assert labels(machine) == ["end"]


def test_dead_locals_do_not_multiply_nodes():
    def process():
        while True:
            x = yield choose("x", 0, 1, 2, 3)
            y = x % 2
            yield a("even" if y else "odd")

    assert labels(extract(process, "P")) == ["x", "odd", "even"]


def test_live_locals_are_told_apart():
    def process():
        x = yield choose("x", 0, 1, 2, 3)
        yield a("between")
        yield a(f"x{x % 2}")

    assert labels(extract(process, "P")) == ["x", "between", "between", "x0", "x1", "end"]  # four, merged to two


def test_true_and_one_are_told_apart():
    def process():
        x = yield choose("x", 1, True)
        yield a("between")
        yield a(str(x))

    assert labels(extract(process, "P")) == ["x", "between", "between", "1", "True", "end"]


def test_true_and_one_as_responses_are_told_apart():
    def process():
        x = yield choose("first", 0, 1)
        x = yield choose("second", True) if x else choose("second", 1)
        yield a(repr(x))

    assert labels(extract(process, "P")) == ["first", "second", "second", "1", "True", "end"]


def test_a_stay_branch_targets_its_own_node():
    queue = Action("lock", "queue", (Branch(True), Branch(stay=True)))

    def process():
        yield a("before")
        yield queue

    assert [node.targets for node in extract(process, "P").nodes] == [(1,), (2, 1), ()]


def test_a_breaking_branch_ends_the_process():
    def process():
        yield check(FLAG, "torn-read")
        yield a("after")

    machine = extract(process, "P")
    assert labels(machine) == ["check flag", "after", "end"]
    assert machine.nodes[0].targets == (1, 2)


def test_the_end_is_one_node_per_context():
    def process():
        if (yield try_take()):
            return
        yield a("after")

    machine = extract(process, "P")
    ends = [node for node in machine.nodes if node.action is None]
    assert [node.context.held for node in ends] == [(GPC1,), ()]
    assert [node.targets for node in ends] == [(), ()]


def test_the_context_follows_locks_and_interrupts():
    irq_off = Action("local", "irq off", (Branch(irq="off"),))
    irq_on = Action("local", "irq on", (Branch(irq="on"),))

    def process():
        yield irq_off
        yield take(GPC1)
        yield take(MUTEX)
        yield release(GPC1)
        yield irq_on
        yield release(MUTEX)

    contexts = [node.context for node in extract(process, "P").nodes]
    assert contexts == [Context(), Context((), True), Context((GPC1,), True), Context((GPC1, MUTEX), True),
                        Context((MUTEX,), True), Context((MUTEX,), False), Context()]


def test_one_place_in_two_contexts_is_two_nodes():
    def process():
        got = yield try_take()
        yield a("either")
        if got:
            yield release()

    machine = extract(process, "P")
    assert [node.context.held for node in machine.nodes if node.action == a("either")] == [(GPC1,), ()]


def test_a_process_may_start_in_a_context():
    def process():
        yield release()

    machine = extract(process, "P", initial=Context((GPC1,)))
    assert [node.context.held for node in machine.nodes] == [(GPC1,), ()]


def test_a_lock_taken_twice_is_left_to_the_search():
    def process():
        yield take()
        yield take()

    assert len(extract(process, "P").nodes) == 3


def test_a_load_fills_the_smallest_register_that_is_free():
    def process():
        first = yield load(0, 1)
        yield load(1, 2)
        third = yield load(2, 3)
        yield equal(first, third)
        fourth = yield load(3, 4)  # second is dead by now
        yield observe("seen", one=first, three=third, four=fourth)
        yield load(4, 5)

    nodes = extract(process, "P").nodes
    loads = [node for node in nodes if node.register >= 0]
    # second is never read, so third takes its place; two loads of fourth, one for each outcome of equal()
    assert [(node.register, node.live) for node in loads] == [
        (0, ()), (1, (0,)), (1, (0,)), (2, (0, 1)), (2, (0, 1)), (0, ())]
    assert {node.live for node in nodes if node.action and node.action.kind == "observe"} == {(0, 1, 2)}


def test_a_gap_among_the_registers_is_filled_first():
    def process():
        first = yield load(0, 1)
        second = yield load(1, 2)
        yield has_variant(first, "busy")
        third = yield load(2, 3)
        yield observe("seen", two=second, three=third)

    nodes = extract(process, "P").nodes
    assert [(node.register, node.live) for node in nodes if node.register >= 0] == [(0, ()), (1, (0,)), (0, (1,))]


def test_the_registers_of_an_action_are_live_while_it_is_issued():
    def process():
        first = yield load(0, 1)
        second = yield load(1, 2)
        if (yield equal(first, second)):
            yield a("same")
        else:
            yield a("differ")

    compare = next(node for node in extract(process, "P").nodes if node.action and node.action.kind == "compare")
    assert compare.live == (0, 1)
    assert compare.register == -1


def test_registers_come_back_so_a_retry_loop_closes():
    def process():
        while True:
            first = yield load(0, 1)
            yield smp_rmb()
            second = yield load(0, 1)
            if (yield equal(first, second)):
                yield observe("accepted", value=first)

    nodes = extract(process, "P").nodes
    assert len(nodes) == 5
    assert [node.register for node in nodes] == [0, -1, 1, -1, -1]


def test_facts_hold_while_their_registers_do():
    def process():
        first = yield load(0, 1)
        second = yield load(1, 2)
        same = yield equal(first, second)
        torn = yield has_variant(first, "busy")
        yield a("between")
        if same and not torn:
            yield observe("accepted", one=first)
        yield a("after")

    nodes = extract(process, "P").nodes
    by_kind = {label: [node.facts for node in nodes if node.action and node.action.label == label]
               for label in ("busy set?", "between", "accepted: accepted", "after")}
    assert by_kind["busy set?"] == [(), ()]  # second is read no more, so what equal() said is gone with it
    assert by_kind["accepted: accepted"] == [(Fact("variant:busy", (0,), False),)]
    assert by_kind["after"] == [()]


def test_facts_reach_the_observation_they_are_about():
    def process():
        first = yield load(0, 1)
        second = yield load(1, 2)
        if not (yield has_variant(first, "busy")) and (yield equal(first, second)):
            yield observe("accepted", one=first, two=second)

    observed = [node for node in extract(process, "P").nodes if node.action and node.action.kind == "observe"]
    assert [node.facts for node in observed] == [(Fact("equal", (0, 1), True), Fact("variant:busy", (0,), False))]


def test_a_register_loaded_anew_loses_its_facts():
    def process():
        value = yield load(0, 1)
        yield has_variant(value, "busy")
        value = yield load(1, 2)
        yield observe("accepted", value=value)

    nodes = extract(process, "P").nodes
    assert [node.register for node in nodes] == [0, -1, 0, -1, -1]
    assert all(node.facts == () for node in nodes)


def test_a_finally_that_yields_is_followed_on_every_way_out():
    def process():
        yield take()
        try:
            for _ in range(2):
                if (yield choose("leave", True, False)):
                    return
        finally:
            yield release()
        yield a("after")

    machine = extract(process, "P")
    assert labels(machine).count("unlock gpc1") == 2  # before returning, and before going on
    assert all(node.context.held == () for node in machine.nodes if node.action is None)


def test_runs_in_a_finally_end_without_a_word():
    def process():
        while True:
            try:
                yield choose("again", 1, 2)
            finally:
                yield a("cleanup")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(extract(process, "P").nodes) == 2
        gc.collect()


def test_runs_in_nested_finally_blocks_of_a_chain_end_without_a_word():
    def inner():
        try:
            try:
                try:
                    yield choose("again", 1, 2)
                finally:
                    yield a("first")
            finally:
                yield a("second")
        finally:
            yield a("third")

    def process():
        while True:
            try:
                yield from inner()
            finally:
                yield from inner()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(extract(process, "P").nodes) == 4
        gc.collect()


def test_nested_functions_go_by_code_and_cells():
    def process():
        while True:
            n = yield choose("n", 1, 2)

            def visit(n=n):
                yield a(f"visit {n}")

            def twice():
                yield from visit()
                yield from visit()

            yield from twice()

    machine = extract(process, "P")
    # the function objects are new in each round, and the loop closes all the same
    assert labels(machine) == ["n", "visit 1", "visit 2", "visit 1", "visit 2"]


def test_the_same_lambda_over_other_cells_is_told_apart():
    def process():
        n = yield choose("n", 1, 2)
        f = (lambda k: lambda: k)(n)
        del n
        yield a("between")
        yield a(f"got {f()}")

    assert labels(extract(process, "P")).count("between") == 2


def test_an_exception_caught_inside_is_ordinary_control_flow():
    def inner():
        if (yield choose("raise", True, False)):
            raise KeyError("x")

    def process():
        try:
            yield from inner()
        except KeyError:
            failed = True
        else:
            failed = False
        yield a(f"failed {failed}")

    assert labels(extract(process, "P")) == ["raise", "failed True", "failed False", "end"]


def test_nodes_name_function_and_depth():
    def inner():
        yield a("inner")

    def process():
        yield a("outer")
        yield from inner()

    nodes = extract(process, "P").nodes
    assert [(node.code, node.depth) for node in nodes[:2]] == [("process", 1), ("inner", 2)]
    assert nodes[1].file == __file__
    assert nodes[1].line == inner.__code__.co_firstlineno + 1


def test_lines_list_every_yield_of_an_action_and_no_yield_from():
    def inner():
        if False or FLAG is None:
            yield a("never")
        yield a(
            "inner",
        )

    def process():
        yield a("outer")
        yield from inner()

    machine = extract(process, "P")
    first = inner.__code__.co_firstlineno
    assert [line - first for _, line in machine.lines] == [2, 3, 8]


def test_a_long_loop_extracts_without_replaying_each_step():
    started = 0

    def steps():
        for _ in range(3000):
            yield a()

    def process():
        nonlocal started
        started += 1
        return steps()

    assert len(extract(process, "P").nodes) == 3001
    assert started == 2  # once to find the nodes, once to check


def test_two_locks_and_a_trylock_make_the_expected_graph():
    def process(split):
        while True:
            yield take(GPC1)
            if split and not (yield try_take(GPC2)):
                yield release(GPC1)
                continue
            yield a("write")
            if split:
                yield release(GPC2)
            yield release(GPC1)

    assert len(extract(lambda: process(False), "P").nodes) == 3
    assert len(extract(lambda: process(True), "P").nodes) == 6

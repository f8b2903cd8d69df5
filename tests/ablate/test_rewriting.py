"""Machines without a piece, against machines of processes written without it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ablate_specs import cached, counter, message

from modelcheck import Action, Branch, SpinLock, assign, equal, has_variant, lift, observe
from modelcheck import test as asks
from modelcheck.memory.area import Area
from modelcheck.process import extract
from modelcheck.process.ablation import Piece, pieces_of, without
from modelcheck.process.rewriting import Endless, kept, rewrite
from modelcheck.process.step_machine import StepMachine
from modelcheck.spec import Setting
from modelcheck.system.link import step_machine
from modelcheck.system.model import Model
from specs.runstate import SPEC
from specs.runstate.scene import build


def setting(offset: int, left_out: str = "none", **values: str) -> Setting:
    """The newest version's 64-bit area at an offset, with a guard left out by the spec itself."""
    base = {
        "abi": "64", "reader": "linux64", "preemption": "none", "flag": "on", "clock": "increasing", "tear": "copies",
        "compiler": "free", "fix": "none", "ioctls": "none", "to": "last", "vmm": "moves", "mode": "fixed",
        "steal": "exact", "refresher": "own", **values,
    }  # fmt: skip
    found = {**base, "offset": offset, "without": left_out}
    return Setting(SPEC.newest, "torn-read", tuple(sorted(found.items())), "weak")


def machines(model: Model) -> dict[str, StepMachine]:
    """The machine of each process."""
    return {process.name: step_machine(process) for process in model.processes}


def piece(machine: StepMachine, kind: str, step: str, detail: str = "") -> Piece:
    """The piece of that kind, step and detail."""
    every = dict.fromkeys(found.piece for found in pieces_of(machine))
    found = [each for each in every if (each.kind, each.site.step, each.detail) == (kind, step, detail)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("offset", [0, 4072])
def test_rewriting_nothing_changes_nothing(offset: int) -> None:
    every = [*machines(build(setting(offset))).values(), *machines(build(setting(offset, reader="linux32"))).values()]
    every += [machine for make in (cached, counter, message) for machine in machines(make()).values()]
    for machine in every:
        nodes = machine.nodes
        assert rewrite(nodes, lambda at, context, mode, nodes=nodes: kept(nodes[at])) == nodes
    assert len(every) == 14


@pytest.mark.parametrize("offset", [0, 4072])
@pytest.mark.parametrize(
    ("left_out", "process", "step"),
    [("first-wmb", "vcpu", "G8"), ("first-wmb", "sched_out", "G8"), ("second-wmb", "vcpu", "G11"),
     ("second-wmb", "sched_out", "G11"), ("first-rmb", "reader", "S2"), ("second-rmb", "reader", "S4")],
)  # fmt: skip
def test_a_machine_without_a_barrier_is_that_of_the_process_without(
    offset: int, left_out: str, process: str, step: str
) -> None:
    machine = machines(build(setting(offset)))[process]
    sibling = machines(build(setting(offset, left_out)))[process]
    assert without(machine, piece(machine, "barrier", step)).nodes == sibling.nodes != machine.nodes


@pytest.mark.parametrize("process", ["vcpu", "sched_out"])
def test_a_machine_whose_checks_are_taken_as_true_is_that_of_the_process_without(process: str) -> None:
    machine = machines(build(setting(4072)))[process]
    first = without(machine, piece(machine, "test", "G3", "True"))
    both = without(first, piece(first, "test", "G6", "True"))
    assert both.nodes == machines(build(setting(4072, "check")))[process].nodes


def test_a_lock_takes_its_releases_with_it_and_leaves_those_of_other_places() -> None:
    machine = machines(cached())["user"]
    first = piece(machine, "lock", "U1")
    less = without(machine, first)
    taken = [n.action.step for n in less.nodes if n.action is not None and n.action.kind == "lock"]
    assert sorted(taken) == ["U10", "U3", "U4", "U6", "U8"]  # U3 and U10 where U8 was taken, not U1
    held = {n.action.step: [h.mode for h in n.context.held] for n in less.nodes if n.action is not None}
    assert held["U4"] == [] and held["U10"] == ["read"]


def test_interrupts_stay_off_where_only_the_lock_is_left_out() -> None:
    lock = SpinLock("lock")
    slot = Model("m").bool("slot")

    def process():  # type: ignore[no-untyped-def]
        yield lock.lock(irq="off")
        yield assign(slot, 1)
        yield lock.unlock(irq="on")
        yield assign(slot, 0)

    machine = extract(process, "process")
    nodes = without(machine, piece(machine, "lock", "")).nodes
    assert [(n.action.label if n.action else "", n.context.irq_off, n.context.held) for n in nodes] == [
        ("slot = 1", True, ()), ("slot = 0", False, ()), ("", False, ())
    ]  # fmt: skip
    nodes = without(machine, piece(machine, "irq", "")).nodes
    assert [n.context.irq_off for n in nodes] == [False] * 5


def test_what_a_comparison_told_is_forgotten_with_it() -> None:
    area = Area("area", 2)

    def process():  # type: ignore[no-untyped-def]
        while True:
            one = yield area.load(0, 1)
            two = yield area.load(1, 2)
            if (yield equal(one, two)) and not (yield has_variant(one, "flag")):
                yield observe("p", one=one, two=two)

    machine = extract(process, "process")
    asked = [node for node in machine.nodes if node.action is not None and node.action.observes]
    assert [(f.test, f.outcome) for f in asked[0].facts] == [("equal", True), ("variant:flag", False)]
    nodes = without(machine, next(f.piece for f in pieces_of(machine) if f.piece.detail == "True")).nodes
    asked = [node for node in nodes if node.action is not None and node.action.observes]
    assert [(f.test, f.outcome) for f in asked[0].facts] == [("variant:flag", False)]


def test_what_would_loop_without_a_step_is_no_piece() -> None:
    slot = Model("m").bool("slot")

    def process():  # type: ignore[no-untyped-def]
        while not (yield asks(slot, "there?")):
            pass

    machine = extract(process, "process")
    found = [(f.piece.kind, f.piece.detail) for f in pieces_of(machine)]
    assert found == [("test", "True"), ("retry", "True")]
    with pytest.raises(Endless):
        without(machine, replace(pieces_of(machine)[0].piece, detail="False"))


def test_a_retry_looks_the_first_time_and_not_again() -> None:
    slot = Model("m").bool("slot")
    other = Model("m").bool("other")

    def process():  # type: ignore[no-untyped-def]
        while not (yield asks(slot, "there?")):
            yield assign(other, 1)
        yield assign(other, 0)

    machine = extract(process, "process")
    nodes = without(machine, next(f.piece for f in pieces_of(machine) if f.piece.kind == "retry")).nodes
    texts = [node.action.label if node.action else "end" for node in nodes]
    assert texts == ["there?", "other = 0", "other = 1", "end"]
    assert [node.targets for node in nodes] == [(1, 2), (3,), (1,), ()]


def test_stores_change_places_across_the_barrier_between_them() -> None:
    machine = machines(build(setting(0)))["sched_out"]
    swap = next(
        f.piece for f in pieces_of(machine)
        if f.piece.kind == "order" and f.piece.site.step == "G8" and f.piece.other and f.piece.other.step == "G9"
    )  # fmt: skip
    nodes = without(machine, swap).nodes
    at = next(i for i, node in enumerate(nodes) if node.action is not None and node.action.step == "G9")
    steps = []
    while len(steps) < 6:
        action = nodes[at].action
        assert action is not None
        steps.append((action.step, action.kind))
        at = nodes[at].targets[0]
    store = "store"
    assert steps == [("G9", store), ("G9", store), ("G9", store), ("G8", "fence"), ("G8", store), ("G11", "fence")]


def test_a_step_that_stores_one_thing_or_another_is_a_store_and_no_test() -> None:
    slot, other = Model("m").bool("slot"), Model("m").bool("other")

    def process():  # type: ignore[no-untyped-def]
        branches = (Branch(guard=slot.eq(1), updates=((other, lift(1)),)), Branch(guard=slot.eq(0)))
        yield Action("shared", "other = slot", branches)
        yield assign(slot, 0)

    machine = extract(process, "process")
    found = [each.piece for each in pieces_of(machine)]
    assert [(each.kind, each.site.text) for each in found] == [("store", "other = slot"), ("store", "slot = #")]
    nodes = without(machine, found[0]).nodes
    assert [node.action.label if node.action else "end" for node in nodes] == ["slot = 0", "end"]

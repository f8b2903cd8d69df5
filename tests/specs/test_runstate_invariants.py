"""What every model of the spec keeps: locks and interrupts of each process, the fields of the caches, its witnesses.

Slots never leave their domain in any search: the engine refuses a step that would (`test_a_slot_that_...`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from runstate_cases import ALL, FEW, V2, V3, V7P, result, setting

from modelcheck import Model, Setting, SpecError, lift, shared
from modelcheck.campaign import run
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, best_engine
from modelcheck.explore.verify import Options, verify
from modelcheck.process import StepMachine
from modelcheck.process.step_machine import Context
from modelcheck.results import Request
from modelcheck.system.link import step_machine
from specs.pfncache.properties import type_invariant
from specs.runstate import SPEC, config, data, properties, scene, vcpu
from specs.runstate.properties import SLOTS
from specs.runstate.scene import Projection, build, scene_of

NAMES = tuple(info.name for info in SPEC.properties if info.name not in data.NAMES)
HEADS = {
    "the VMM calls", "invalidate", "mn_active_invalidate_count++", "ioctl", "preempt", "on another CPU", "last pass?",
}  # fmt: skip


def machines(one: Setting) -> list[tuple[str, StepMachine]]:
    """Every process of a model, extracted."""
    return [(process.name, step_machine(process)) for process in SPEC.build(one, None).processes]


def heads(machine: StepMachine) -> list[Context]:
    """The contexts at the head of a process's outer loop, and where it ends (but for a violation)."""
    taken = {
        target
        for node in machine.nodes
        if node.action is not None
        for branch, target in zip(node.action.branches, node.targets, strict=True)
        if not branch.breaks
    }
    return [
        node.context
        for number, node in enumerate(machine.nodes)
        if (number in taken if node.action is None else node.action.label in HEADS)
    ]


@pytest.mark.parametrize("preemption", ["full", "rt"])
@pytest.mark.parametrize("version", [V2, V3, V7P])
def test_every_process_releases_what_it_took_and_turns_interrupts_on(version: str, preemption: str) -> None:
    """At the head of each loop, and at each end: a context is part of a node, so this is about all schedules."""
    for name in NAMES:
        for vmm in ("moves", "memslots", "both") if name in SLOTS else ("moves",):
            one = setting(version, name, offset=0 if version == V2 else 4060, preemption=preemption, vmm=vmm)
            for process, machine in machines(one):
                assert set(heads(machine)) <= {Context()}, (name, process)


def test_the_ioctl_that_leaves_interrupts_off_on_realtime_is_seen() -> None:
    """protocol.md D4 (b); as the control of the test above."""
    one = setting(V7P, "deadlock", preemption="rt", ioctls="runnable")
    ((_, machine), *_) = machines(one)
    assert {context.irq_off for context in heads(machine)} == {False, True}


# -- the caches ------------------------------------------------------------------------------------------------------


def typed(one: Setting, wrong: bool = False) -> Model:
    """The model with the caches' type invariant as its one property; `wrong` claims too much."""
    model, made = build(one, Projection(frozenset())), scene_of(one)
    good = type_invariant(made.gpc1, made.kvm) & type_invariant(made.gpc2, made.kvm)
    for gpc in (made.gpc1, made.gpc2):
        good = good & (gpc.lock.readers.eq(0) | gpc.lock.writer.eq(0)) & made.kvm.count.le(1)
    model.invariant("type", good & made.gpc1.valid if wrong else good, "the fields of the caches fit together")
    return model


@pytest.mark.parametrize("vmm", ["moves", "memslots"])
@pytest.mark.parametrize("version", ALL)
def test_the_fields_of_the_caches_fit_together_in_every_state(version: str, vmm: str) -> None:
    one = setting(version, "stale-mapping", abi="64", offset=0, preemption="none", vmm=vmm)
    options = Options(polish=False, engine=best_engine())
    bounds = Bounds(states=20_000_000)
    assert verify(typed(one), "type", bounds, options).verdict == "holds"


def test_an_invariant_that_claims_too_much_is_violated() -> None:
    one = setting(V7P, "stale-mapping", abi="64", offset=0, **FEW)
    assert verify(typed(one, wrong=True), "type", Bounds(states=1_000_000)).verdict == "violated"


# -- witnesses and errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["torn-read", "published", "flag-clears", "own-read", "lost-dirty"])
def test_an_update_that_is_never_published_makes_a_property_vacuous(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock nobody stores: nothing is violated, and nothing holds either."""
    for module in (vcpu, config):
        monkeypatch.setattr(module, "update_runstate", nothing, raising=False)
        monkeypatch.setattr(module, "update_runstate_guest", nothing, raising=False)
    found = result(V7P, name, abi="64", offset=0, **FEW)
    assert found.verdict == "vacuous", found
    assert "update published" in [witness for witness, there in found.witnesses if not there]


def nothing(made: scene.Scene, call: object, guest: bool = True):  # type: ignore[no-untyped-def]
    """An update that gives up at once."""
    yield from ()
    return "refresh failed"


@pytest.mark.parametrize("name", ["published", "out-of-area"])
def test_a_witness_that_is_not_reached_makes_a_property_vacuous(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = properties.writer_witnesses
    monkeypatch.setattr(properties, "writer_witnesses", lambda *args: (*known(*args), "pigs fly"))
    found = result(V7P, name, abi="64", offset=0, **FEW)
    assert found.verdict == "vacuous"
    assert [witness for witness, there in found.witnesses if not there] == ["pigs fly"]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_one_version_leaves_the_others_theirs(workers: int) -> None:
    def builds(one: Setting, projection: object = None) -> Model:
        if one.version == V3:
            raise SpecError("no such cache", "scene.py:1")
        return build(one, projection)

    broken = replace(SPEC, build=builds)
    given = tuple((name, (value,)) for name, value in (FEW | {"abi": "64", "offset": 0}).items())
    found = run(Request(broken, (V2, V3, V7P), given, ("lock-order", "flag-clears"), workers=workers)).results
    assert [(one.version, one.property, one.verdict, one.fault) for one in found] == [
        (V2, "lock-order", "violated", ""),
        (V2, "flag-clears", "holds", ""),
        (V3, "lock-order", "incomplete", "spec"),
        (V3, "flag-clears", "incomplete", "spec"),
        (V7P, "lock-order", "holds", ""),
        (V7P, "flag-clears", "holds", ""),
    ]


def test_a_slot_that_would_leave_its_domain_is_refused() -> None:
    model = Model("count")
    count = model.range("count", 0, 1)

    def counting():  # type: ignore[no-untyped-def]
        while True:
            yield shared("count++", (count, count + lift(1)))

    model.process("counting", counting)
    model.invariant("small", count.le(1), "it is no more than 1")
    for engine in (REFERENCE, best_engine()):
        with pytest.raises(SpecError, match=r"count became 2, outside 0[.][.]1; widen its range or guard the step"):
            verify(model, "small", options=Options(engine=engine))

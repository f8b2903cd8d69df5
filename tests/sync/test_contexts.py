"""Interrupts and preemption switched by hand: what may sleep, and where a nested process may start."""

from __future__ import annotations

import pytest

from modelcheck import (
    Model,
    SpecError,
    assign,
    check,
    local_irq_restore,
    local_irq_save,
    preempt_disable,
    preempt_enable,
    reach,
    sleep_point,
)
from modelcheck.explore.verify import REDUCTIONS, Options, verify

OPTIONS = [Options(), Options(without=frozenset(REDUCTIONS))]
SWITCHES = [(local_irq_save(), local_irq_restore()), (preempt_disable(), preempt_enable())]


def sleeper(*actions) -> Model:
    m = Model("sleeper")

    def runs():
        for number in range(len(actions)):
            yield actions[number]
        yield sleep_point("copies")

    m.process("runs", runs)
    m.sleep_in_atomic()
    return m


@pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full"])
@pytest.mark.parametrize(("off", "on"), SWITCHES, ids=["irq", "preemption"])
def test_nothing_sleeps_between_off_and_on(off, on, options):
    assert verify(sleeper(off), "sleep-in-atomic", options=options).steps[-1] == (0, "copies sleeps")
    assert verify(sleeper(off, on), "sleep-in-atomic", options=options).verdict == "holds"


def test_disabled_preemption_is_counted_and_interrupts_are_not():
    two = preempt_disable(), preempt_disable(), preempt_enable()
    assert verify(sleeper(*two), "sleep-in-atomic").verdict == "violated"
    assert verify(sleeper(*two, preempt_enable()), "sleep-in-atomic").verdict == "holds"
    irqs = local_irq_save(), local_irq_save(), local_irq_restore()
    assert verify(sleeper(*irqs), "sleep-in-atomic").verdict == "holds"


def test_enabling_preemption_that_was_not_disabled_is_an_error_of_the_spec():
    with pytest.raises(SpecError, match="releases `preemption`, which it does not hold here"):
        verify(sleeper(reach("start"), preempt_enable()), "sleep-in-atomic")


@pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full"])
@pytest.mark.parametrize(("off", "on"), SWITCHES, ids=["irq", "preemption"])
def test_nothing_nests_between_off_and_on(off, on, options):
    def model(guarded: bool) -> Model:
        m = Model("nested")
        inside = m.bool("inside")

        def host():
            while True:
                if guarded:
                    yield off
                yield assign(inside, 1)
                yield assign(inside, 0)
                if guarded:
                    yield on

        def preempts():
            yield check(inside.eq(0), "alone")
            yield reach("nested")

        m.process("host", host)
        m.process("preempts", preempts, host="host")
        m.assertion("alone", witnesses=("nested",))
        return m

    assert verify(model(True), "alone", options=options).verdict == "holds"
    assert verify(model(False), "alone", options=options).verdict == "violated"

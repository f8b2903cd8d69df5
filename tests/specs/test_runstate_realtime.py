"""PREEMPT_RT: locks that sleep and a writer that may be preempted between the flag and the data (protocol.md 7.2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from runstate_cases import ALL, V2, V3, V7P, result, setting, traced

from modelcheck.explore.engine import best_engine
from modelcheck.explore.verify import Options, verify
from modelcheck.spec import Value
from specs.runstate import SPEC

RT: dict[str, Value] = {"abi": "64", "offset": 0, "preemption": "rt", "vmm": "moves"}
SPINS, TRIES = ALL[:3], ALL[3:]  # the atomic path waits for the lock, or gives up


@pytest.mark.parametrize("version", [V2, V3, V7P])
def test_a_nested_writer_clears_the_flag_of_the_one_it_interrupts(version: str) -> None:
    """protocol.md D3."""
    found = result(version, "torn-read", **RT, ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D3", "violated")


def test_the_shortest_is_a_writer_whose_shadow_changes_while_it_is_preempted_between_its_stores(tmp_path: Path) -> None:
    """Less than D3 says: the nested sched_out need not write, its accounting is enough."""
    _, trace = traced(V7P, "torn-read", tmp_path, **RT, ioctls="none")
    told = [(trace.processes[step.process].name, step.step) for step in trace.steps]
    assert told.index(("vcpu", "G8")) < told.index(("sched_out", "A9")) < told.index(("vcpu", "G12"))
    assert ("sched_out", "G8") not in told


@pytest.mark.parametrize("offset", [4064, 4081])  # the entry time in one page, and over two
def test_a_nested_writer_clears_the_flag_over_two_pages_too(offset: int) -> None:
    found = result(V7P, "torn-read", **(RT | {"offset": offset}), ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D3", "violated")


def test_over_two_pages_the_shadow_is_taken_before_the_copies(tmp_path: Path) -> None:
    """An accounting alone harms between G8, where the entry time is taken, and G9, where the rest is assembled."""
    _, trace = traced(V7P, "torn-read", tmp_path, **(RT | {"offset": 4064}), ioctls="none")
    told = [(trace.processes[step.process].name, step.step) for step in trace.steps]
    assert told.index(("vcpu", "G8")) < told.index(("sched_out", "A9")) < told.index(("vcpu", "G9"))
    assert told.index(("vcpu", "G9")) < told.index(("vcpu", "G10"))
    assert ("sched_out", "G8") not in told


@pytest.mark.parametrize("version", ALL)
def test_the_last_readers_unlock_wakes_a_writer_under_the_run_queue_lock(version: str) -> None:
    """protocol.md D4 (a): the lock a wakeup needs is held by the one that wakes."""
    found = result(version, "deadlock", **RT, ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D4", "violated")


@pytest.mark.parametrize("version", ALL)
def test_a_sleeping_lock_under_the_run_queue_lock_is_an_error_until_the_atomic_path_tries(version: str) -> None:
    """protocol.md 7.2: rq->__lock spins on PREEMPT_RT too."""
    found = result(version, "sleep-in-atomic", **RT, ioctls="none")
    assert (found.verdict, found.case) == (("violated", "D4") if version in SPINS else ("holds", ""))
    assert found.expected == found.verdict


@pytest.mark.parametrize("version", [TRIES[0], TRIES[-1]])
def test_an_ioctl_that_takes_the_atomic_path_returns_with_interrupts_off(version: str) -> None:
    """protocol.md D4 (b): read_unlock_irqrestore() restores nothing there."""
    one = setting(version, "sleep-in-atomic", **RT, ioctls="runnable")
    known = SPEC.expected(one)
    assert known is not None and (known.verdict, known.case) == ("violated", "D4")
    (projection,) = SPEC.projections(one)
    options = Options(polish=False, engine=best_engine())
    assert verify(SPEC.build(one, projection), one.property, options=options).verdict == "violated"


def test_without_such_an_ioctl_nothing_sleeps_while_atomic() -> None:
    assert result(V7P, "sleep-in-atomic", **RT, ioctls="usual").verdict == "holds"

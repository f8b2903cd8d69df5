"""PREEMPT_RT: locks that sleep and a writer that may be preempted between the flag and the data (protocol.md 7.2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from runstate_cases import ALL, V7P, result, traced

from modelcheck.spec import Value

RT: dict[str, Value] = {"abi": "64", "offset": 0, "preemption": "rt", "vmm": "moves"}
SPINS, TRIES = ALL[:3], ALL[3:]  # the atomic path waits for the lock, or gives up


@pytest.mark.parametrize("version", ALL)
def test_a_nested_writer_clears_the_flag_of_the_one_it_interrupts(version: str) -> None:
    """protocol.md D3."""
    found = result(version, "torn-read", **RT, ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D3", "violated")


def test_the_counterexample_is_of_a_writer_preempted_with_the_flag_set(tmp_path: Path) -> None:
    _, trace = traced(V7P, "torn-read", tmp_path, **RT, ioctls="none")
    told = [(trace.processes[step.process].name, step.step) for step in trace.steps]
    nested = [i for i, (name, step) in enumerate(told) if name == "sched_out" and step == "G8"]
    assert any(("vcpu", "G8") in told[:at] and ("vcpu", "G12") not in told[told.index(("vcpu", "G8")):at]
               for at in nested), told


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


@pytest.mark.parametrize("version", TRIES)
def test_an_ioctl_that_takes_the_atomic_path_returns_with_interrupts_off(version: str) -> None:
    """protocol.md D4 (b): read_unlock_irqrestore() restores nothing there."""
    found = result(version, "sleep-in-atomic", **RT, ioctls="runnable")
    assert (found.verdict, found.case, found.expected) == ("violated", "D4", "violated")


def test_without_such_an_ioctl_nothing_sleeps_while_atomic() -> None:
    assert result(V7P, "sleep-in-atomic", **RT, ioctls="usual").verdict == "holds"

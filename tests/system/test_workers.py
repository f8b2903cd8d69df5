"""Deciding many tasks in several processes: the answers of one, in order, whatever becomes of a worker."""

from __future__ import annotations

import os
import signal
import time
import warnings
from pathlib import Path

import pytest

from modelcheck import Model, assign, check
from modelcheck.explore.bounds import Bounds, Stop
from modelcheck.explore.verify import verify
from modelcheck.workers import Waiting, decide_all

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def model(n: int) -> Model:
    m = Model(f"up to {n}")
    x = m.range("x", 0, 9)

    def climbs():
        for _ in range(n):
            yield assign(x, x + 1)
        yield check(x.ne(5), "not five")

    m.process("climbs", climbs)
    m.process("climbs too", climbs if n < 5 else lambda: iter_nothing(x))
    m.assertion("not five")
    return m


def iter_nothing(x):
    yield check(x.le(9), "small")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_answers_are_those_of_one_process_in_order(workers):
    expected = [verify(model(n), "not five") for n in range(8)]
    ticks: list[int] = []
    answers = decide_all(8, lambda n: verify(model(n), "not five"), workers, ticks.append, alone=0)
    assert answers == expected
    assert ticks == sorted(ticks) and ticks[-1] == 8


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_task_and_one_task(workers):
    assert decide_all(0, lambda n: n, workers, lambda n: None, alone=0) == []
    assert decide_all(1, lambda n: n + 7, workers, lambda n: None, alone=0) == [7]


@pytest.mark.parametrize(
    "dies", [lambda: os._exit(9), lambda: os.kill(os.getpid(), signal.SIGKILL)], ids=["exit", "kill"]
)
@pytest.mark.parametrize("workers", [2, 4])
def test_a_worker_that_dies_takes_no_answer_with_it(tmp_path: Path, workers, dies):
    died, parent = tmp_path / "died", os.getpid()

    def task(n: int) -> int:
        if n == 3 and os.getpid() != parent and not died.exists():
            died.touch()
            dies()
        return n * n

    assert decide_all(10, task, workers, lambda n: None, alone=0) == [n * n for n in range(10)]
    assert died.exists()


def test_what_a_task_raises_is_raised_here():
    def task(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n

    for workers in (1, 2):
        with pytest.raises(ValueError, match="two"):
            decide_all(4, task, workers, lambda n: None, alone=0)


@pytest.mark.parametrize("early", [True, False])
def test_a_stop_noted_here_is_seen_by_forked_workers(early: bool):
    stop = Stop()
    if early:
        stop.note(signal.SIGTERM)

    def task(n: int) -> tuple[bool, str]:
        if not early:
            stop.note(signal.SIGTERM)
        return os.getpid() == parent, verify(model(4), "not five", Bounds(stop=stop)).bound

    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = decide_all(2, task, 2, lambda n: None, stop, alone=0)
    assert told == [(False, "stopped by SIGTERM")] * 2
    assert stop.reason == "stopped by SIGTERM"


def test_what_takes_no_time_is_decided_here():
    parent = os.getpid()
    assert decide_all(5, lambda n: os.getpid() == parent, 2, lambda n: None, alone=60) == [True] * 5


def test_what_is_left_after_a_moment_is_decided_by_workers_that_know_what_was_decided_here():
    parent, known = os.getpid(), []

    def task(n: int) -> tuple[bool, bool]:
        known.append(n)
        time.sleep(0.02)
        return os.getpid() == parent, 0 in known

    told = decide_all(6, task, 2, lambda n: None, alone=0.01)
    assert told == [(True, True)] + [(False, True)] * 5


def test_a_worker_takes_alike_tasks_in_order_and_then_helps_where_most_is_left():
    waiting = Waiting(range(1, 9), "-aabbbbcc")
    assert [waiting.next_for(worker) for worker in "xyxyx"] == [1, 3, 2, 4, 7]
    assert [waiting.next_for(worker) for worker in "xxyx"] == [8, 6, 5, None]
    assert waiting.next_for("y") is None


def test_tasks_that_nobody_calls_alike_are_taken_in_order():
    waiting = Waiting(range(4))
    assert [waiting.next_for(worker) for worker in "xyxyx"] == [0, 1, 2, 3, None]


def test_alike_tasks_find_what_the_one_before_left_in_memory():
    here: list[int] = []

    def task(n: int) -> list[int]:
        here.append(n)
        return list(here)

    told = decide_all(2, task, 2, lambda n: None, alone=0, about="ab")
    assert told == [[0], [1]]

"""Deciding many tasks in several processes: the answers of one, in order, whatever becomes of a worker."""

from __future__ import annotations

import os
import signal
import warnings
from pathlib import Path

import pytest

from modelcheck import Model, assign, check
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.verify import verify
from modelcheck.workers import decide_all, shared_stop

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
    answers = decide_all(8, lambda n: verify(model(n), "not five"), workers, ticks.append)
    assert answers == expected
    assert ticks == sorted(ticks) and ticks[-1] == 8


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_task_and_one_task(workers):
    assert decide_all(0, lambda n: n, workers, lambda n: None) == []
    assert decide_all(1, lambda n: n + 7, workers, lambda n: None) == [7]


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

    assert decide_all(10, task, workers, lambda n: None) == [n * n for n in range(10)]
    assert died.exists()


def test_what_a_task_raises_is_raised_here():
    def task(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n

    for workers in (1, 2):
        with pytest.raises(ValueError, match="two"):
            decide_all(4, task, workers, lambda n: None)


def test_a_stop_noted_here_is_seen_by_forked_workers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stop = shared_stop(2)
        stop.note(signal.SIGTERM)
        told = decide_all(2, lambda n: verify(model(4), "not five", Bounds(stop=stop)).bound, 2, lambda n: None)
    assert told == ["stopped by SIGTERM"] * 2
    assert shared_stop(1).flag is None

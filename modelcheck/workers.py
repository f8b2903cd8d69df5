"""Deciding many tasks in several processes: the same answers in the same order as in one.

Workers are forked, so tasks are numbers and nothing is sent but answers.  A worker that dies takes no answer with it:
what it left is decided here.  Where processes cannot be forked, everything is decided here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from modelcheck.explore.bounds import Stop

Answer = TypeVar("Answer")
ALONE = 0.1  # seconds
POLL = 0.2  # seconds between two looks at the workers

_TASK: Callable[[int], Any] | None = None


def _work(number: int) -> Any:
    assert _TASK is not None
    return _TASK(number)


def _forks(workers: int) -> bool:
    if workers <= 1 or sys.platform != "linux":
        return False
    import multiprocessing

    return "fork" in multiprocessing.get_all_start_methods()


def decide_all(
    count: int,
    task: Callable[[int], Answer],
    workers: int,
    tick: Callable[[int], None],
    stop: Stop | None = None,
    alone: float = ALONE,
) -> list[Answer]:
    """The answers of `task(0)` to `task(count - 1)`, in order; `tick` gets how many there are, now and then.

    The first `alone` seconds' worth are decided here, since starting workers takes about as long; the workers, if it
    comes to that, find ready what these tasks left in memory.  `stop` is made known to the workers.
    """
    answers: dict[int, Answer] = {}
    started = time.monotonic()
    for number in range(count):
        if count - number > 1 and workers > 1 and time.monotonic() - started >= alone and _forks(workers):
            _decide_forked(range(number, count), task, workers, tick, stop, answers)
            break
        answers[number] = task(number)
        tick(len(answers))
    for number in range(count):
        if number not in answers:  # a worker died with it
            answers[number] = task(number)
            tick(len(answers))
    return [answers[number] for number in range(count)]


def _decide_forked(
    numbers: range,
    task: Callable[[int], Answer],
    workers: int,
    tick: Callable[[int], None],
    stop: Stop | None,
    answers: dict[int, Answer],
) -> None:
    """Adds what workers answer; where one of them dies, what is missing is left."""
    import multiprocessing
    from concurrent.futures import Future, ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool

    global _TASK
    context = multiprocessing.get_context("fork")
    if stop is not None and stop.flag is None:
        stop.flag = context.Value("i", 0, lock=False)
    _TASK = task
    try:
        with ProcessPoolExecutor(min(workers, len(numbers)), mp_context=context) as pool:
            waiting: dict[Future[Any], int] = {pool.submit(_work, number): number for number in numbers}
            while waiting:
                done, _ = wait(waiting, timeout=POLL, return_when="FIRST_COMPLETED")
                for future in done:
                    answers[waiting.pop(future)] = future.result()
                tick(len(answers))
    except BrokenProcessPool:
        pass
    finally:
        _TASK = None

"""Deciding many tasks in several processes: the same answers in the same order as in one.

Workers are forked, so tasks are numbers and nothing is sent but answers.  A worker that dies takes no answer with it:
what it left is decided here.  Where processes cannot be forked, everything is decided here.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from modelcheck.explore.bounds import Stop

Answer = TypeVar("Answer")
POLL = 0.2  # seconds between two looks at the workers

_TASK: Callable[[int], Any] | None = None


def _work(number: int) -> Any:
    assert _TASK is not None
    return _TASK(number)


def shared_stop(workers: int) -> Stop:
    """A stop that forked workers see."""
    return Stop(multiprocessing.get_context("fork").Value("i", 0, lock=False) if _forks(workers) else None)


def _forks(workers: int) -> bool:
    return workers > 1 and sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


def decide_all(count: int, task: Callable[[int], Answer], workers: int, tick: Callable[[int], None]) -> list[Answer]:
    """The answers of `task(0)` to `task(count - 1)`, in order; `tick` gets how many there are, now and then."""
    global _TASK
    answers: dict[int, Answer] = {}
    if _forks(workers) and count > 1:
        _TASK = task
        context = multiprocessing.get_context("fork")
        try:
            with ProcessPoolExecutor(min(workers, count), mp_context=context) as pool:
                waiting: dict[Future[Any], int] = {pool.submit(_work, number): number for number in range(count)}
                while waiting:
                    done, _ = wait(waiting, timeout=POLL, return_when="FIRST_COMPLETED")
                    for future in done:
                        answers[waiting.pop(future)] = future.result()
                    tick(len(answers))
        except BrokenProcessPool:
            pass  # what is missing is decided below
        finally:
            _TASK = None
    for number in range(count):
        if number not in answers:
            answers[number] = task(number)
            tick(len(answers))
    return [answers[number] for number in range(count)]

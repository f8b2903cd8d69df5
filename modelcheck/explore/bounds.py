"""Bounds on a search, and the signals that end one: reaching any of them is INCOMPLETE, never HOLDS.

The clock is handed in, so that an algorithm reads none.  Memory is what the process holds now, so the bound covers the
interpreter too, and a search that it ended leaves the next one its room.
"""

from __future__ import annotations

import resource
import signal
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


class Flag(Protocol):
    """A number shared between processes."""

    value: int


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def held_memory() -> int:
    """The memory this process holds now, in bytes; where the system does not say, the most it has held."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak_memory()


class Stop:
    """Whether a signal asked to end; truthy once it did.  `flag` shares that with worker processes."""

    def __init__(self, flag: Flag | None = None) -> None:
        self._reason = ""
        self.flag = flag

    @property
    def reason(self) -> str:
        """What ended the search, "" while nothing has."""
        if not self._reason and self.flag is not None and self.flag.value:
            return f"stopped by {signal.Signals(self.flag.value).name}"
        return self._reason

    def note(self, number: int) -> None:
        """A signal came."""
        self._reason = f"stopped by {signal.Signals(number).name}"
        if self.flag is not None:
            self.flag.value = number

    def __bool__(self) -> bool:
        return bool(self.reason)


@contextmanager
def stop_on_signals(stop: Stop) -> Iterator[Stop]:
    """Turns Ctrl-C and SIGTERM into `stop` while inside; a second signal acts as usual."""
    previous: dict[int, object] = {}

    def note(number: int, frame: types.FrameType | None) -> None:
        stop.note(number)
        signal.signal(number, previous[number])  # type: ignore[arg-type]

    try:
        for which in (signal.SIGINT, signal.SIGTERM):
            previous[which] = signal.signal(which, note)
    except ValueError:
        previous.clear()  # not in the main thread: signals are somebody else's
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most states stored, most bytes of memory, latest time on `clock` in seconds; 0 is no bound."""

    states: int = 0
    memory: int = 0
    deadline: float = 0.0
    clock: Callable[[], float] = lambda: 0.0
    stop: Stop | None = None

    def reached(self, states: int) -> str:
        """Which bound is reached, in words; "" while none is.  Cheap enough for every few hundred states."""
        if self.stop:
            return self.stop.reason
        if self.states and states >= self.states:
            return f"{self.states:,} states"
        if self.deadline and self.clock() >= self.deadline:
            return "the time bound"
        if self.memory and held_memory() >= self.memory:
            return f"{self.memory / 2**20:,.0f} MiB of memory"
        return ""

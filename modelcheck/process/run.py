"""One run of a process: a generator driven by responses, with every failure told as an error of the spec.

Its one invariant: `action` is what the generator waits on, None once it has returned.  It does not decide which
responses to give.
"""

from __future__ import annotations

from functools import partial
from types import FrameType, GeneratorType, TracebackType
from typing import TYPE_CHECKING

from modelcheck.action import Action
from modelcheck.errors import SpecError
from modelcheck.process.frame_key import chain_of, place

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from modelcheck.process.frame_key import Process, Suspended

_CLOSE_ATTEMPTS = 100  # each yield inside a `finally` refuses once


class Runs:
    """Every run of one process: starts them, counts them and their steps, and closes what is left open."""

    def __init__(self, factory: Callable[[], Process], name: str) -> None:
        self.factory, self.name = factory, name
        self.starts = 0
        self.steps = 0
        self._open: dict[Run, None] = {}  # a set that keeps its order

    def start(self) -> Run:
        """A new run at its first action."""
        run = Run(self, _made(self.factory, self.name))
        self._open[run] = None
        self.starts += 1
        run.send(None)
        return run

    def close(self, run: Run) -> None:
        """Ends a run that is not needed any more."""
        close(run.generator)
        self._open.pop(run, None)

    def close_all(self) -> None:
        """Ends every run still open."""
        for run in tuple(self._open):
            self.close(run)


class Run:
    """A generator and the action it waits on."""

    __slots__ = ("action", "generator", "runs")

    def __init__(self, runs: Runs, generator: Suspended) -> None:
        self.runs = runs
        self.generator = generator
        self.action: Action | None = None

    def send(self, response: Hashable) -> None:
        """Answers the action waited on and goes to the next one."""
        self.runs.steps += 1
        try:
            action = self.generator.send(response)
        except StopIteration:
            self.action = None
            return
        except Exception as error:
            raise _raised(self.runs.name, error) from error
        if not isinstance(action, Action):
            shown = f"{action!r:.60}, " if action is None or isinstance(action, (int, str)) else ""
            raise self.error(f"yields {shown}a {type(action).__name__} and no action; {_hint(action)}")
        self.action = action

    def error(self, message: str) -> SpecError:
        """An error of the spec at the yield where this run rests."""
        file, line, _ = place(self.generator)
        return SpecError(f"process {self.runs.name} {message}", f"{file}:{line}")


def close(generator: Suspended) -> None:
    """Ends a generator from the innermost of its chain outwards, quietly even where a `finally` yields once more."""
    for _ in range(_CLOSE_ATTEMPTS):
        alive = [member for member in chain_of(generator) if member.gi_frame is not None]
        if not alive:
            return
        for member in reversed(alive):
            try:
                member.close()
            except Exception:  # what a spec raises while it is dropped decides nothing
                break  # closing what is around it would drop it half closed, for Python to complain


def _made(factory: object, name: str) -> Suspended:
    """The generator that `factory` makes; it is an object since whoever calls extract() need not run mypy."""
    if not callable(factory):
        hint = "pass the function uncalled" if isinstance(factory, GeneratorType) else "pass a generator function"
        raise SpecError(f"process {name} is made from a {type(factory).__name__}, which cannot be called; {hint}")
    try:
        made = factory()
    except Exception as error:
        raise _raised(name, error) from error
    if not isinstance(made, GeneratorType):
        code = getattr(factory.func if isinstance(factory, partial) else factory, "__code__", None)
        raise SpecError(f"process {name}: its function returns a {type(made).__name__} and no generator; make it a "
                        "generator function (one with a yield) or let it return what one answers",
                        f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "")
    return made


def _hint(value: object) -> str:
    if isinstance(value, GeneratorType):
        return "write `yield from` to run a sub-procedure"
    if callable(value):
        return "call it"
    return "yield what a primitive such as test(), choose() or fence() returns"


def _raised(name: str, error: Exception) -> SpecError:
    """The error for an exception out of a spec, at its innermost line in a file that holds one of its generators."""
    if isinstance(error, SpecError) and error.where:
        return error
    frames = list(_frames(error.__traceback__))[1:]
    files = {frame.f_code.co_filename for frame, _ in frames if frame.f_code.co_flags & 0x20} or {
        frame.f_code.co_filename for frame, _ in frames}
    places = [f"{frame.f_code.co_filename}:{line}" for frame, line in frames if frame.f_code.co_filename in files]
    text = str(error) if isinstance(error, SpecError) else f"raises {type(error).__name__}: {error}"
    return SpecError(f"process {name}: {text}", places[-1] if places else "")


def _frames(traceback: TracebackType | None) -> list[tuple[FrameType, int]]:
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found

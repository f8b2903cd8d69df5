"""One run of a process: a generator driven by responses, with every failure told as an error of the spec.

Its one invariant: `action` is what the generator waits on, None once it has returned.  It does not decide which
responses to give.
"""

from __future__ import annotations

from types import FrameType, GeneratorType, TracebackType
from typing import TYPE_CHECKING

from modelcheck.action import Action
from modelcheck.errors import SpecError
from modelcheck.process.frame_key import place

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from modelcheck.process.frame_key import Process, Suspended

_CLOSE_ATTEMPTS = 100  # each yield inside a `finally` refuses once


class Run:
    """A generator at its first action, made by calling `factory`."""

    __slots__ = ("action", "generator", "name")

    def __init__(self, factory: Callable[[], Process], name: str, opened: dict[Run, None]) -> None:
        """`opened` gets this run as a key as soon as it must be closed."""
        self.name = name
        self.action: Action | None = None
        untyped: object = factory  # whoever calls extract() need not run mypy
        if not callable(untyped):
            hint = "pass the function uncalled" if isinstance(untyped, GeneratorType) else "pass a generator function"
            raise SpecError(f"process {name} is made from a {type(untyped).__name__}, which cannot be called; {hint}")
        try:
            made = factory()
        except Exception as error:
            raise _raised(name, error) from error
        if not isinstance(made, GeneratorType):
            code = getattr(factory, "__code__", None)
            raise SpecError(f"process {name}: its function returns a {type(made).__name__} and no generator; make it a "
                            "generator function (one with a yield) or let it return what one answers",
                            f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "")
        self.generator: Suspended = made
        opened[self] = None
        self.send(None)

    def send(self, response: Hashable) -> None:
        """Answers the action waited on and goes to the next one."""
        try:
            action = self.generator.send(response)
        except StopIteration:
            self.action = None
            return
        except Exception as error:
            raise _raised(self.name, error) from error
        if not isinstance(action, Action):
            raise self.error(f"yields {action!r:.60}, a {type(action).__name__} and no action; {_hint(action)}")
        self.action = action

    def error(self, message: str) -> SpecError:
        """An error of the spec at the yield where this run rests."""
        file, line, _ = place(self.generator)
        return SpecError(f"process {self.name} {message}", f"{file}:{line}")

    def close(self) -> None:
        """Ends the generator quietly, also where a `finally` yields once more."""
        for _ in range(_CLOSE_ATTEMPTS):
            try:
                self.generator.close()
                return
            except Exception:  # what a spec raises when it is dropped decides nothing
                continue


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

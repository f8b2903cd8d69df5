"""The three families of error: the user's spec, the user's call, and our own bug.

Every message says what was asked, what there was, and what to do next, in one sentence.  A violated property
is a result and never raised.
"""

from __future__ import annotations

from pathlib import PurePath


class ModelcheckError(Exception):
    """The base of every error this package raises on purpose; its text is one sentence for a person."""


class SpecError(ModelcheckError):
    """A spec breaks a rule of the engine; `where` is `file:line` when it is known."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class OutOfRange(SpecError):
    """A step gives a slot a number outside its domain: what a spec calls impossible happened."""


class UsageError(ModelcheckError):
    """The call names something that is not there, or a value out of its range."""


class InternalError(ModelcheckError):
    """An invariant of the engine itself broke; the verdict at hand must not be believed."""


def fault_of(error: Exception) -> tuple[str, str]:
    """Whose fault an error is, "spec" (theirs, the call's included) or "internal" (ours), and what it says."""
    if isinstance(error, ModelcheckError) and not isinstance(error, InternalError):
        return "spec", one_line(str(error))
    return "internal", f"internal error: {internal_sentence(error)}"


def internal_sentence(error: Exception) -> str:
    """An error of ours as one sentence: what it is and where it was raised."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        parts = PurePath(trace.tb_frame.f_code.co_filename).parts
        place = f" ({'/'.join(parts[-3:])}:{trace.tb_lineno})"
        trace = trace.tb_next
    what = f"{type(error).__name__}: {one_line(str(error))}" if str(error) else type(error).__name__
    return f"{what}{place}; this is a bug of modelcheck, please report it (MODELCHECK_DEBUG=1 shows the traceback)"


def one_line(text: str) -> str:
    """A text with each stretch of white space as one blank."""
    return " ".join(text.split())

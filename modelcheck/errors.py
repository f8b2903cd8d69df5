"""The three families of error: the user's spec, the user's call, and our own bug.

Every message says what was asked, what there was, and what to do next, in one sentence.  A violated property
is a result and never raised.
"""

from __future__ import annotations


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

"""What can be wrong with a litmus file: the text itself, or what it asks of us.

The two are classes apart, since they are counted apart: a malformed file is bad input, one with RCU in it is not.
"""

from __future__ import annotations

from modelcheck.errors import ModelcheckError, SpecError


class LitmusError(SpecError):
    """A malformed litmus test; `where` is `file:line:column`."""


class Unsupported(ModelcheckError):
    """A well-formed litmus test that uses what is not modelled; `reason` names it, the same for all tests with it."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason} is not supported" if where else f"{reason} is not supported")
        self.reason = reason
        self.where = where

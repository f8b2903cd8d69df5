"""Why some lines are reached in no check: the reasons behind the report's coverage."""

from __future__ import annotations


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return ()

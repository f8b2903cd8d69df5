"""The trace file's own JSON, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import to_text

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace


def render(trace: Trace, full: bool = False) -> str:
    """The bytes `write_trace` writes; `full` changes nothing."""
    return to_text(trace)

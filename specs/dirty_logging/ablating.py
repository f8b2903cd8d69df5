"""Where the pieces of the fault path are left out one by one: every scenario but those of two vCPUs and a block.

Two vCPUs beside a block have millions of states, and would be searched once for each piece.  There are no projections:
each model is the full one.
"""

from __future__ import annotations

from specs.dirty_logging.scenarios import SCENARIOS

Values = tuple[tuple[str, int | str], ...]
LARGE = ("two-vcpus-block", "all")


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked; the spec refuses those in which nothing could break it."""
    return tuple((("actors", each), ("form", "kernel")) for each in SCENARIOS if each not in LARGE)

"""Settings that the cases name, and how a check of one is written."""

from __future__ import annotations

from modelcheck import Trial

Values = tuple[tuple[str, int | str], ...]
ALIGNED: Values = (("abi", "64"), ("offset", 0))
SPLIT: Values = (("abi", "64"), ("offset", 4081))
COMPAT: Values = (("abi", "32"), ("offset", 56), ("preemption", "none"))
RT: Values = (*ALIGNED, ("preemption", "rt"))
V2, V3, V4, V5, V6, V6S, V7, V7P = (
    "a795cd43", "5ec3289b", "d8ba8ba4", "bbe17c62", "4438355e", "11896456", "36a85200", "da260bcb"
)  # fmt: skip


def holds(version: str, name: str, values: Values = ALIGNED) -> Trial:
    """A check that finds nothing."""
    return Trial(version, name, values, verdict="holds")

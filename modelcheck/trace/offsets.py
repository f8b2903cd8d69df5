"""Sets of bytes as text: `0-3,7`, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def ranges(offsets: Iterable[int]) -> list[tuple[int, int]]:
    """The offsets as (first, last) of runs without a gap, in order."""
    runs: list[tuple[int, int]] = []
    for offset in sorted(offsets):
        if runs and runs[-1][1] == offset - 1:
            runs[-1] = (runs[-1][0], offset)
        else:
            runs.append((offset, offset))
    return runs


def short_ranges(offsets: Iterable[int]) -> str:
    """`0-3` or `0-3,7`.

    >>> short_ranges([0, 1, 2, 3, 7])
    '0-3,7'
    """
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in ranges(offsets))


def offsets_of(text: str) -> list[int]:
    """The offsets that `short_ranges` wrote.

    >>> offsets_of("0-3,7")
    [0, 1, 2, 3, 7]
    """
    found: list[int] = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found

"""One line of progress on stderr, when that is a terminal: what is searched, how far it is, how long it may take.

Written by hand and not with rich's live display: that needs a thread or hides the cursor, and the search may fork
workers or be killed at any time.  It has no colours, so NO_COLOR asks nothing of it; a terminal that cannot go back to
a line's beginning (TERM=dumb) gets none.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from types import TracebackType

from modelcheck.cli.estimate import Estimate

EVERY = 0.1  # seconds between two updates
FIRST = 0.5  # seconds before the first: a short check prints none
AGREE = 1.3  # the larger of two times by the smaller: up to here it is one time


class ProgressLine:
    """A campaign.Progress that draws over one line, and removes it when its block ends.

    `most` are the seconds after which the run is ended, 0 for no such bound.
    """

    def __init__(self, quiet: bool = False, most: float = 0.0) -> None:
        self.shown = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.start = self.last = time.monotonic()
        self.next = self.start + FIRST
        self.estimate = Estimate(most)
        self.states = 0
        self.rate = 0.0
        self.width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.width:
            self._draw("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def __call__(self, what: str, states: int, depth: int, frontier: int, share: float) -> None:
        """Shows how far the search is, at most ten times a second."""
        if not self.shown:
            return
        now = time.monotonic()
        self.estimate.note(now - self.start, share)
        if now < self.next:
            return
        fresh = states - self.states if states >= self.states else states
        self.rate = fresh / max(now - self.last, 1e-6)
        self.states, self.last, self.next = states, now, now + EVERY
        seconds = now - self.start
        left = told(self.estimate.left(seconds))
        self._draw(describe(what, states, self.rate, depth, frontier, share, seconds, left))

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = text[:width]
        sys.stderr.write("\r" + text.ljust(min(self.width, width)))
        sys.stderr.flush()
        self.width = len(text)


def describe(
    what: str, states: int, rate: float, depth: int, frontier: int, share: float, elapsed: float, left: str = ""
) -> str:
    """The line, what may be cut off last: share, states, rate, depth, frontier, time, what is left of it, what.

    The share is of combinations, so there is none while the first is searched, and figures of one search only where it
    is told of.
    """
    done = f"{share:4.0%} " if 0 < share < 1 else ""
    figures = f"{states:,} states ({rate:,.0f}/s), depth {depth}, frontier {frontier:,}, " if states else ""
    return f"{done}{figures}{duration(elapsed)}{left}: {what}"


def told(left: tuple[float, float] | None) -> str:
    """What is left in words, after a comma; "" where it is not known."""
    if left is None:
        return ""
    least, most = left
    if most <= AGREE * least:
        return f", about {duration((least + most) / 2)} left"
    return f", {duration(least)} to {duration(most)} left"


def duration(seconds: float) -> str:
    """A time for people: 0.4s, 12s, 3m05s, 2h10m."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"

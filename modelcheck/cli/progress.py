"""One line of progress on stderr, when that is a terminal: what is searched, how far it is, how long it may take.

Written by hand and not with rich's live display: that needs a thread or hides the cursor, and the search may fork
workers or be killed at any time.
"""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

EVERY = 0.1  # seconds between two updates
FIRST = 0.5  # seconds before the first: a short check prints none
ESTIMATE_FROM = 0.02  # the share done from which an estimate means something


class ProgressLine:
    """A campaign.Progress that draws over one line, and removes it when its block ends."""

    def __init__(self, quiet: bool = False) -> None:
        self.shown = not quiet and sys.stderr.isatty()
        self.start = self.last = time.monotonic()
        self.next = self.start + FIRST
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
        now = time.monotonic()
        if not self.shown or now < self.next:
            return
        fresh = states - self.states if states >= self.states else states
        self.rate = fresh / max(now - self.last, 1e-6)
        self.states, self.last, self.next = states, now, now + EVERY
        self._draw(describe(what, states, self.rate, depth, frontier, share, now - self.start))

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = text[:width]
        sys.stderr.write("\r" + text.ljust(min(self.width, width)))
        sys.stderr.flush()
        self.width = len(text)


def describe(what: str, states: int, rate: float, depth: int, frontier: int, share: float, elapsed: float) -> str:
    """The line, what may be cut off last: share, states, rate, depth, frontier, time, an estimate of the rest, what."""
    left = f", about {duration(elapsed / share - elapsed)} left" if ESTIMATE_FROM <= share < 1 else ""
    return (f"{share:4.0%} {states:,} states ({rate:,.0f}/s), depth {depth}, frontier {frontier:,}, "
            f"{duration(elapsed)}{left}: {what}")


def duration(seconds: float) -> str:
    """A time for people: 0.4s, 12s, 3m05s, 2h10m."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"

"""How long the rest of a run may take, from the share that is done: a time, a span, or nothing where nobody can say.

Systems differ in size, so the pace so far and the pace of late are both asked: where they agree there is one time, else
a span between them, and where they are far apart, or one system takes all of the second half, no word.  Its one
invariant: no number is given that the two paces do not bear out.
"""

from __future__ import annotations

FROM_SHARE = 0.05  # done, before anything is said
FROM_SECONDS = 2.0
APART = 4.0  # the larger of two times by the smaller: from here on nothing is said


class Estimate:
    """The share done over time; `most` are the seconds after which a run is ended, 0 for no such bound."""

    def __init__(self, most: float = 0.0) -> None:
        self.most = most
        self.history: list[tuple[float, float]] = [(0.0, 0.0)]  # (seconds, share), where the share changed

    def note(self, seconds: float, share: float) -> None:
        """So much is done after so many seconds; a share that falls begins anew."""
        if share < self.history[-1][1]:
            self.history = [(seconds, share)]
        elif share > self.history[-1][1]:
            self.history.append((seconds, share))

    def left(self, seconds: float) -> tuple[float, float] | None:
        """The least and the most seconds that are left, None where that is not known."""
        start, begun = self.history[0]
        share = self.history[-1][1]
        passed = seconds - start
        if not FROM_SHARE <= share < 1 or passed < FROM_SECONDS:
            return None
        half = max((at for at in self.history if at[0] - start <= passed / 2), default=self.history[0])
        if half[1] >= share:
            return None
        paces = ((share - begun) / passed, (share - half[1]) / (seconds - half[0]))
        least, most = sorted((1 - share) / pace for pace in paces)
        if most > APART * least:
            return None
        if self.most:
            rest = max(self.most - seconds, 0.0)
            least, most = min(least, rest), min(most, rest)
        return least, most

"""Where the pieces of the cache are left out one by one: every scenario but the two that have all actors at once.

A scenario has the fewest actors that show a bug of the cache, and most pieces are there against one of those.  What it
takes every actor to show is not asked: `all` has millions of states, and it would be searched once for each piece
(`modelcheck ablate pfncache --set actors=all --property stale-mapping` does).  There are no projections: each model is
the full one.
"""

from __future__ import annotations

from specs.pfncache.properties import ENDS
from specs.pfncache.scenarios import SCENARIOS

Values = tuple[tuple[str, int | str], ...]
LARGE = ("all", "all-moving")


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked; the spec refuses those in which nothing could break it.

    A refresh ends where the invalidations do (else it need not, protocol.md B28).
    """
    invalidations = "once" if name == ENDS.name else "unending"
    return tuple((("actors", each), ("invalidations", invalidations)) for each in SCENARIOS if each not in LARGE)

"""Where the pieces of the protocol are left out one by one: the merged form, where both caches come and go.

The area is one whose 64-bit layout alone crosses the page, so that a switch of the mode decides whether there is a
second cache.  What a switch breaks in every form (`overrun`) is asked with Xen's rule, without which it does not hold.
stale-mapping is asked of one cache: over two it has eight million states, and would be searched once for each piece
(`modelcheck ablate runstate` asks it there).  There are no projections: each model is the full one.
"""

from __future__ import annotations

Values = tuple[tuple[str, int | str], ...]


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked."""
    form = {"caches": "two", "area": "between", "latched": "no", "writers": "one"}
    if name == "overrun":
        form |= {"area": "inside", "latched": "yes"}
    if name == "stale-mapping":
        form |= {"caches": "one", "area": "inside"}
    return (tuple(form.items()),)

"""Where the pieces of event delivery are left out one by one: a cache by user address, and a VMM that does one thing.

Disabling and switching are the same for a cache by guest frame.  What such a cache needs while memslots change is asked
of `pfncache`; here it would be searched for half a minute for each piece (`modelcheck ablate shared_info --set
flavour=gpa --set vmm=moves --property stale-mapping` does).  There are no projections: each model is the full one.
"""

from __future__ import annotations

Values = tuple[tuple[str, int | str], ...]


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked; the spec refuses those in which nothing could break it.

    An event is delivered where the invalidations end (else it need not be, protocol.md B28).
    """
    delivered = name == "delivered"
    usual = (("flavour", "hva"), ("invalidations", "once" if delivered else "unending"), ("vcpu_info", "valid"))
    kinds = ("idle", "moves") if delivered else ("moves", "disables", "switches")
    return tuple((("vmm", kind), *usual) for kind in kinds)

"""The versions of gfn_to_pfn_cache, 5.17 to 7.3.3, and what each fix changed (protocol.md 3.8).

A version is named by the commit that made it and has every change before it; the order is that of the mainline
history.  Left out: what changes no step that is modelled (345b0fd6fe5f, 3dddf65b4f4c, 85165781c5d9: references to
pages) and 58f5ee5fedd9 (before it a refresh stored the gpa its caller had read without the lock; here it never does).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Cache:
    """What one version of virt/kvm/pfncache.c does.

    `offset_in_uhva`: another offset in the page counts as another user address.  `serialized`: one refresh at a time.
    `late_valid`: valid only once the pfn is there, and mn_active_invalidate_count is looked at instead of
    mmu_invalidate_in_progress.  `lock_once`: activation does not initialise the lock again.  `rejects_inactive`:
    check and refresh fail on an inactive cache; activation and deactivation change `active` under the lock.
    `moves_khva`: khva follows an offset that changes within the page.  `unmap_serialized`: deactivation unmaps under
    the refresh_lock.  `read_first`: the notifier looks under the read lock first.  `self_contained`: activation and
    deactivation hold the refresh_lock throughout.  `own_seq`: invalidations are counted in gpc_invalidate_seq, whether
    a memslot overlaps or not.
    """

    name: str
    subject: str = ""
    offset_in_uhva: bool = False
    serialized: bool = False
    late_valid: bool = False
    lock_once: bool = False
    rejects_inactive: bool = False
    moves_khva: bool = False
    unmap_serialized: bool = False
    read_first: bool = False
    self_contained: bool = False
    own_seq: bool = False


_HISTORY: tuple[tuple[str, str, dict[str, bool]], ...] = (
    ("982ed0de4753", "5.17, Reinstate gfn_to_pfn_cache with invalidation support", {"offset_in_uhva": True}),
    ("3ba2c95ea180", "6.0, Do not incorporate page offset into user address", {"offset_in_uhva": False}),
    (
        "93984f19e7bc",
        "6.0, Fully serialize gfn=>pfn cache refresh via mutex",
        {"serialized": True, "unmap_serialized": True},
    ),
    ("58cd407ca4c6", "6.0, Fix multiple races in gfn=>pfn cache refresh", {"late_valid": True}),
    ("52491a38b2c2", "6.1, Initialize gfn_to_pfn_cache locks in dedicated helper", {"lock_once": True}),
    ("ecbcf030b456", "6.1, Reject attempts to consume or refresh inactive cache", {"rejects_inactive": True}),
    ("8332f0ed4f18", "6.1, Update khva when it moves within the same page", {"moves_khva": True}),
    ("9f87791d686d", "6.2, Drop temporary-unmap API", {"unmap_serialized": False}),
    ("9fa336e343b2", "6.9, check the need for invalidation under read lock first", {"read_first": True}),
    ("6addfcf27139", "6.9, simplify locking and make more self-contained", {"self_contained": True}),
    ("da260bcb56fe", "7.3.3, use a dedicated invalidation sequence for cache refresh", {"own_seq": True}),
)


def _versions() -> tuple[Cache, ...]:
    found: list[Cache] = []
    for name, subject, changes in _HISTORY:
        last = found[-1] if found else Cache("")
        found.append(replace(last, name=name, subject=subject, **changes))
    return tuple(found)


CACHES = _versions()
_BY_NAME = {each.name: each for each in CACHES}


def cache(name: str) -> Cache:
    """The version of the cache that this commit made."""
    return _BY_NAME[name]

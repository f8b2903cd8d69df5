"""The versions of event delivery through shared_info, 6.1-rc3 and later, and the cache each runs on (protocol.md 8.1).

A version is named by the commit that made it and has every change before it.  Sources beside protocol.md:
arch/x86/kvm/xen.c at 003d914220c9, and the diff of 7a36d680658b; of 5831fb3e6b39 the subject alone is known, and is
taken to mean that long_mode is read once.
"""

from __future__ import annotations

from dataclasses import dataclass

from specs.kvm.cache_versions import Cache, cache


@dataclass(frozen=True, slots=True)
class Form:
    """What one version does.

    `hva`: KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA is there, and the content is set up apart from the cache.  `slow_lock`:
    kvm_xen_set_evtchn() refreshes under kvm->lock, later xen_lock.  `reinit`: a switch of long_mode writes the wall
    clock again.  `latch`: long_mode is read once for both halves of an event.
    """

    name: str
    releases: tuple[str, ...]
    subject: str
    cache: Cache
    hva: bool = True
    slow_lock: bool = False
    reinit: bool = True
    latch: bool = False


_LOCKS, _OLD, _DROPPED = "52491a38b2c2", "8332f0ed4f18", "9f87791d686d"
_CONTAINED, _OWN_SEQ = "6addfcf27139", "da260bcb56fe"

FORMS = (
    Form(_LOCKS, (), "6.1-rc3, by guest address alone", cache(_LOCKS), False, True, False),
    Form(_OLD, ("6.1",), "6.1, Update khva when it moves within the same page", cache(_OLD), False, True, False),
    Form(_DROPPED, ("6.2",), "6.2, Drop temporary-unmap API", cache(_DROPPED), False, True, False),
    Form("b9220d32799a", (), "6.9, allow shared_info to be mapped by fixed HVA", cache(_DROPPED), slow_lock=True),
    Form("7a36d680658b", ("6.9",), "6.9, stop taking xen_lock to set an event", cache(_CONTAINED)),
    Form(_OWN_SEQ, ("7.3.3",), "7.3.3, use a dedicated invalidation sequence for cache refresh", cache(_OWN_SEQ)),
    Form("5831fb3e6b39", (), "after 7.3, Latch shinfo mode in kvm_xen_set_evtchn_fast()", cache(_OWN_SEQ), latch=True),
)
_BY_NAME = {each.name: each for each in FORMS}


def form(name: str) -> Form:
    """The version that this commit made."""
    return _BY_NAME[name]

"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.kvm.cache_versions import Cache, cache
from specs.pfncache.scenarios import SCENARIOS, Actors

KEPT = """\
found by this checker: until 58cd407ca4c6 a refresh that finds no slot unmaps khva and leaves it in the cache with its
pfn, and the next refresh, which finds the same pfn once the slot is back, takes that khva over
"""
REOPENED = """\
protocol.md 3.8, 6addfcf27139, which gives no first version.  Deactivation that unmaps beside a refresh is as old as the
cache; ecbcf030b456 happened to close it (the unmap takes the refresh_lock, and a refresh looks at active), and
9f87791d686d, which takes khva at deactivation without the refresh_lock, opened it again
"""
UNDER_A_REFRESH = """\
protocol.md 3.8, ecbcf030b456: activation starts from nothing without the lock: it clears valid, khva and uhva under a
refresh that has found the inactive cache valid and trusts khva, or that is about to make it valid again
"""


def expected(setting: Setting) -> Expectation:
    """The expectation of one setting."""
    actors, version = SCENARIOS[setting.text("actors")], cache(setting.version)
    if setting.property == "refresh-ends":
        return _ends(setting)
    case, source = _bug(setting.property, actors, version)
    return Expectation("violated" if source else "holds", case, source or "protocol.md 3.8: no fix after this version")


def _bug(name: str, actors: Actors, version: Cache) -> tuple[str, str]:
    """The case that a property shows ("" for none) and the source; no source where it holds."""
    match name:
        case "stale-mapping":
            return _stale(actors, version)
        case "inactive-valid":
            return _inactive(actors, version)
        case "out-of-area" if actors.moves and not version.offset_in_uhva and not version.moves_khva:
            return "B14", "protocol.md 3.8, 8332f0ed4f18; 3ba2c95ea180 introduced it"
        case "lock-init" if actors.config and not version.lock_once:
            return "B15", "protocol.md 3.8, 52491a38b2c2"
        case "half-refresh" if not version.serialized:
            return "B13", "protocol.md 3.8, 93984f19e7bc"
        case "half-refresh" if _cleared(actors, version):
            return "B16", UNDER_A_REFRESH
        case "type" if _cleared(actors, version) and version.late_valid:  # before, it promises nothing of khva
            return "B16", UNDER_A_REFRESH
    return "", ""


def _cleared(actors: Actors, version: Cache) -> bool:
    """Whether activation clears what a refresh works on, and memslots make one look again at a valid cache."""
    return actors.config and actors.memslots and not version.rejects_inactive


def _stale(actors: Actors, version: Cache) -> tuple[str, str]:
    if actors.hva and not version.own_seq:
        return "B24", "protocol.md 3.8, da260bcb56fe"
    found = _inactive(actors, version)
    if found[0] or version.late_valid:
        return found
    if actors.owners == 1 and actors.notifier == "frees":
        return "B11", "protocol.md 3.8, 58cd407ca4c6 (a)"
    if actors.memslots:
        return "", KEPT
    if actors.owners + actors.refreshers > 1 or actors.users and actors.refreshers or actors.config:
        return "B12", "protocol.md 3.8, 58cd407ca4c6 (b)"
    if actors.moves and version.offset_in_uhva:
        return "B12", "protocol.md 3.8, 58cd407ca4c6 (b): where the offset counts, a move in the page is a refresh"
    return "", ""


def _inactive(actors: Actors, version: Cache) -> tuple[str, str]:
    """{inactive, valid}, which takes a refresh beside a deactivation, and a cache that was invalidated before."""
    if not (actors.config and actors.owners and actors.notifier):
        return "", ""
    if not version.rejects_inactive:
        if actors.notifier == "keeps":
            return "B19", REOPENED
        return "B16", "protocol.md 3.8, ecbcf030b456"
    if not version.unmap_serialized and not version.self_contained:
        return "B19", REOPENED
    return "", ""


def _ends(setting: Setting) -> Expectation:
    if setting.text("invalidations") == "once":
        return Expectation("holds", "", "derived: the last turn of the loop sees no invalidation")
    return Expectation("violated", "B28", "protocol.md 3.8, not merged, and B28: H7 retries on any invalidation")

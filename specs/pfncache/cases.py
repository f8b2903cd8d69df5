"""The known bugs of gfn_to_pfn_cache: the checks that show each, and those that show it gone.

Ids are those of protocol.md 6.1 and 6.2.  B12, B13, B15, B16 and B19 take a second task on the cache: a fiction for
runstate, whose caches one task alone checks, refreshes, moves and deactivates (protocol.md 12.1 item 1).  Events check
shared_info's in any task, so that B12 and B15 are real there.  But they refresh it, and it is activated and
deactivated, under one lock (kvm->lock, later xen_lock) until 7a36d680658b, whose cache has 93984f19e7bc and
6addfcf27139: B13 and B19 are a fiction for it too, and B16 takes no race there (the shared_info spec shows it).
"""

from __future__ import annotations

from modelcheck import Case, Trial

V517, SAME_PAGE, SERIAL, LATE = "982ed0de4753", "3ba2c95ea180", "93984f19e7bc", "58cd407ca4c6"
LOCKS, REJECTS, MOVES, DROPPED = "52491a38b2c2", "ecbcf030b456", "8332f0ed4f18", "9f87791d686d"
READ_FIRST, CONTAINED, OWN_SEQ = "9fa336e343b2", "6addfcf27139", "da260bcb56fe"
ONE_TASK = "a fiction for runstate, whose caches have one task"
USERS = f"{ONE_TASK}; real for shared_info, which events use in any task"
LOCKED = f"{ONE_TASK}, and for shared_info, whose refreshes and configuration held one lock until 7a36d680658b"


def tries(actors: str, name: str, versions: tuple[str, ...], verdict: str = "violated") -> tuple[Trial, ...]:
    """One check of each version."""
    values = (("actors", actors), ("invalidations", "unending"))
    return tuple(Trial(version, name, values, verdict=verdict) for version in versions)


CASES = (
    Case(
        "B11",
        "a refresh installs a page that is being freed",
        "5.17 to 5.19",
        "fixed",
        "An invalidation clears valid and has yet to raise mmu_invalidate_in_progress when a refresh looks the page "
        "up, sees no invalidation and installs it. The page is then freed, and nobody clears valid again.",
        before=tries("owner-notifier", "stale-mapping", (V517, SAME_PAGE, SERIAL)),
        after=tries("owner-notifier", "stale-mapping", (LATE, OWN_SEQ), "holds"),
        fixed_by='58cd407ca4c6 "Fix multiple races in gfn=>pfn cache refresh"',
        conditions="one task that refreshes, beside an MMU notifier: runstate's caches too",
        trace="pfncache-stale-mapping-2223327cb8.json",
    ),
    Case(
        "B12",
        "check() passes a cache whose page is not known yet",
        "5.17 to 5.19",
        "fixed",
        "A refresh marks the cache valid, drops the lock and only then looks the page up. A user that checks meanwhile "
        "stores through a khva that is NULL.",
        before=tries("user-refresher", "stale-mapping", (V517, SAME_PAGE, SERIAL)),
        after=tries("user-refresher", "stale-mapping", (LATE, OWN_SEQ), "holds"),
        fixed_by='58cd407ca4c6 "Fix multiple races in gfn=>pfn cache refresh"',
        conditions=f"a user beside another task's refresh: {USERS}",
        trace="pfncache-stale-mapping-8a5693bb75.json",
    ),
    Case(
        "B13",
        "a second refresh trusts the first one's half-done work",
        "5.17 to 5.19",
        "fixed",
        "The first refresh has marked the cache valid and dropped the lock to look the page up. The second finds it "
        "valid and up to date, and answers that it may be used while khva is still NULL.",
        before=tries("two-owners", "half-refresh", (V517, SAME_PAGE)),
        after=tries("two-owners", "half-refresh", (SERIAL, OWN_SEQ), "holds"),
        fixed_by='93984f19e7bc "Fully serialize gfn=>pfn cache refresh via mutex"',
        conditions=f"two tasks that refresh one cache: {LOCKED}",
        trace="pfncache-half-refresh-419b252a56.json",
    ),
    Case(
        "B14",
        "a cache that moves within its page keeps the old offset",
        "6.0 to 6.1-rc6 (since 3ba2c95ea180)",
        "fixed",
        "The area is registered again at another offset of the same page, and the refresh finds the user address of "
        "the page unchanged and does nothing. Stores go on to the old offset, with no race at all.",
        before=tries("same-page-move", "out-of-area", (SAME_PAGE, SERIAL, LATE, LOCKS, REJECTS)),
        after=tries("same-page-move", "out-of-area", (V517, MOVES, OWN_SEQ), "holds"),
        fixed_by='8332f0ed4f18 "Update gfn_to_pfn_cache khva when it moves within the same page"',
        conditions="an area that is registered again in its page, as runstate's may be; no second task is needed",
        trace="pfncache-out-of-area-668da71cf9.json",
    ),
    Case(
        "B15",
        "activation initialises a lock that is in use",
        "5.17 to 6.1-rc2 (CVE-2022-49884)",
        "fixed",
        "A user holds the cache's lock while the cache is deactivated. Activation then initialises the lock, and the "
        "user's unlock is of a lock that nobody holds.",
        before=tries("user-config", "lock-init", (V517, SAME_PAGE, SERIAL, LATE)),
        after=tries("user-config", "lock-init", (LOCKS, OWN_SEQ), "holds"),
        fixed_by='52491a38b2c2 "Initialize gfn_to_pfn_cache locks in dedicated helper"',
        conditions=f"a configuration beside a user: {USERS}",
        trace="pfncache-lock-init-dbff1c4590.json",
    ),
    Case(
        "B16",
        "a refresh makes a cache valid that is being deactivated",
        "5.17 to 6.1-rc2",
        "fixed",
        "Deactivation has unmapped the cache, which is off the list of the notifiers, and a user's refresh makes it "
        "valid again before it is inactive. An inactive cache that is valid misses invalidations, and its next "
        "activation clears khva under a user that has checked it.",
        before=(
            *tries("owner-config-notifier", "inactive-valid", (V517, SERIAL, LATE, LOCKS)),
            *tries("owner-config-notifier", "stale-mapping", (LATE, LOCKS)),
        ),
        after=(
            *tries("owner-config-notifier", "inactive-valid", (REJECTS, MOVES, OWN_SEQ), "holds"),
            *tries("owner-config-notifier", "stale-mapping", (REJECTS, MOVES, OWN_SEQ), "holds"),
        ),
        fixed_by='ecbcf030b456 "Reject attempts to consume or refresh inactive gfn_to_pfn_cache"',
        conditions=f"a configuration beside a task that refreshes: {ONE_TASK}; for shared_info an event after "
        "disabling is enough, with no race (the shared_info spec shows it)",
        trace="pfncache-inactive-valid-ca6eb04e6e.json",
    ),
    Case(
        "B19",
        "a refresh beside a deactivation leaves the cache inactive and valid",
        "5.17 to 6.1-rc2, and again 6.2 to 6.8 (9f87791d686d to 6addfcf27139); not 6.1 (ecbcf030b456)",
        "fixed",
        "A refresh drops the lock to look the page up, and deactivation takes khva and unmaps it meanwhile. The "
        "refresh, which looked at active before, then installs a mapping (the unmapped one where it finds the same "
        "page) into a cache that is no longer active.",
        before=(
            *tries("owner-config-keeping", "inactive-valid", (V517, LOCKS, DROPPED, READ_FIRST)),
            *tries("owner-config-keeping", "stale-mapping", (V517, LOCKS, DROPPED, READ_FIRST)),
        ),
        after=(
            *tries("owner-config-keeping", "inactive-valid", (REJECTS, MOVES, CONTAINED, OWN_SEQ), "holds"),
            *tries("owner-config-keeping", "stale-mapping", (REJECTS, MOVES, CONTAINED, OWN_SEQ), "holds"),
        ),
        fixed_by='6addfcf27139 "simplify locking and make more self-contained"',
        conditions=f"a configuration beside a task that refreshes, and an invalidation that keeps the page: {LOCKED}",
        trace="pfncache-inactive-valid-a6dd04bee6.json",
    ),
    Case(
        "B24",
        "a refresh of an HVA cache misses an invalidation that no memslot overlaps",
        "6.9 to 7.3.2",
        "fixed",
        "Only an invalidation that overlaps a memslot bumps mmu_invalidate_seq, so one of any other page that begins "
        "and ends while a refresh looks the page up leaves no sign, and the refresh installs a page that was freed. "
        "Runstate's caches, like all that are activated by guest address, are not affected: their page lies in a "
        "memslot, and where the slot goes meanwhile the generation no longer matches.",
        before=(
            *tries("hva-outside", "stale-mapping", (READ_FIRST, CONTAINED)),
            *tries("hva-slot-goes", "stale-mapping", (CONTAINED,)),
        ),
        after=(
            *tries("hva-outside", "stale-mapping", (OWN_SEQ,), "holds"),
            *tries("hva-slot-goes", "stale-mapping", (OWN_SEQ,), "holds"),
            *tries("owner-notifier", "stale-mapping", (CONTAINED,), "holds"),
            *tries("owner-memslots-notifier", "stale-mapping", (CONTAINED,), "holds"),
        ),
        fixed_by='da260bcb56fe "use a dedicated invalidation sequence for cache refresh"',
        conditions="a cache activated by user address (shared_info, vcpu_info) outside every memslot, beside an MMU "
        "notifier; the last two checks are of caches by guest address, as runstate's",
        trace="pfncache-stale-mapping-0d0032386f.json",
    ),
    Case(
        "B28",
        "a refresh never ends while invalidations of other pages go on",
        "all",
        "known, not fixed",
        "A refresh starts over when any page of the VM was invalidated since it looked, though no cache has that page. "
        "A stream of such invalidations keeps it going for ever; it ends once they do.",
        before=tries("owner-elsewhere", "refresh-ends", (V517, LATE, DROPPED, CONTAINED, OWN_SEQ)),
        after=tuple(
            Trial(version, "refresh-ends", (("actors", actors), ("invalidations", "once")), verdict="holds")
            for actors in ("owner-elsewhere", "owner-notifier")
            for version in (V517, OWN_SEQ)
        ),
        conditions="a task that refreshes, beside invalidations without end of pages that no cache has: runstate's "
        "caches too",
        trace="pfncache-refresh-ends-599907c416.json",
    ),
)

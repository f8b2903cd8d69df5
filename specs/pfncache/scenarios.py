"""Who works on one cache: the sets of actors (`actors`) that the spec can be checked with.

A scenario has the fewest actors that show its bug; `all` has every actor, `all-moving` a cache that moves as well (up
to 34 million states: half a minute).

The caches of a runstate area are used, refreshed, moved and deactivated by one task only (protocol.md 12.1 item 1), so
that whoever works beside an owner is a fiction for them.  shared_info's is used by events in any task: a user beside a
refresh or a configuration is real there, while a refresh beside another, or beside a configuration, came with
7a36d680658b (6.9), which stopped taking xen_lock; `cases` says what that means for each bug.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actors:
    """Who works on the cache.

    `owners` check, store, and refresh where the check fails; `users` never refresh; `refreshers` do nothing else.
    `config` deactivates it and activates it again, `moves` activates it at any of its places; with `memslots` the slot
    behind its first place is deleted and made again.  `notifier` invalidates pages that it "frees" or "keeps", or
    pages "elsewhere" that no cache has.
    `places` are (page, offset in it), pages counted from 1.  `valid` is how it starts; `hva` how it was activated;
    `in_memslot` whether a memslot covers its pages; `sleeping` takes the locks of PREEMPT_RT.
    """

    owners: int = 0
    users: int = 0
    refreshers: int = 0
    notifier: str = ""
    config: bool = False
    moves: bool = False
    memslots: bool = False
    places: tuple[tuple[int, int], ...] = ((1, 0),)
    valid: bool = True
    hva: bool = False
    in_memslot: bool = True
    sleeping: bool = False

    @property
    def alone(self) -> bool:
        """Whether nobody but a notifier disturbs the one owner: where `refresh-ends` is asked."""
        others = self.users or self.refreshers or self.config or self.moves or self.memslots
        return self.owners == 1 and bool(self.notifier) and not others

    @property
    def tasks(self) -> int:
        """How many tasks refresh the cache."""
        return self.owners + self.refreshers + int(self.config or self.moves)

    def describe(self) -> str:
        """The actors in a few words."""
        found = [f"{count} {kind}{'s' * (count > 1)}" for count, kind in
                 ((self.owners, "owner"), (self.users, "user"), (self.refreshers, "refresher")) if count]
        if self.config:
            found.append("config that moves" if self.moves else "config")
        elif self.moves:
            found.append("mover")
        if self.memslots:
            found.append("memslots")
        if self.notifier:
            found.append(f"notifier ({self.notifier})" if self.notifier != "elsewhere" else "notifier elsewhere")
        return ("HVA cache: " if self.hva else "") + ", ".join(found)


SCENARIOS = {
    "owner-notifier": Actors(owners=1, notifier="frees"),  # B11
    "user-refresher": Actors(users=1, refreshers=1, valid=False),  # B12
    "two-owners": Actors(owners=2, valid=False),  # B13
    "same-page-move": Actors(users=1, moves=True, places=((1, 0), (1, 1))),  # B14
    "user-config": Actors(users=1, config=True),  # B15
    "owner-config-notifier": Actors(owners=1, config=True, notifier="frees"),  # B16
    "owner-config-keeping": Actors(owners=1, config=True, notifier="keeps"),  # B19
    "hva-outside": Actors(owners=1, notifier="frees", hva=True, in_memslot=False),  # B24
    "owner-elsewhere": Actors(owners=1, notifier="elsewhere", valid=False),  # B28
    "hva-slot-goes": Actors(owners=1, notifier="frees", hva=True, memslots=True),  # B24, as long as there is a slot
    "owner-memslots": Actors(owners=1, memslots=True),
    "owner-memslots-notifier": Actors(owners=1, memslots=True, notifier="frees"),
    "all": Actors(owners=1, config=True, memslots=True, notifier="frees"),
    "all-moving": Actors(owners=1, config=True, moves=True, memslots=True, notifier="frees", places=((1, 0), (1, 1))),
}

"""Who works on the huge page: the sets of actors (`actors`) that the spec can be checked with.

A scenario has the fewest that show its case; `all` has every one.  Pages, blocks and vCPUs are few and finite; faults,
stores, harvests, invalidations and migrations are without number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actors:
    """Who there is.

    `pages` are those of the huge page; `blocks`: it may be mapped as one.  With `migrates` there are harvests, and
    with `toggles` logging is switched on and off.  `invalidates`: the MMU notifier; `splits`: also of one page alone,
    which the host's huge page is split for.
    """

    vcpus: int = 1
    pages: int = 1
    blocks: bool = False
    migrates: bool = True
    toggles: bool = False
    invalidates: bool = False
    splits: bool = False

    def describe(self) -> str:
        """The actors in a few words."""
        found = [f"{self.vcpus} vCPU{'s' * (self.vcpus > 1)}", f"{self.pages} page{'s' * (self.pages > 1)}"]
        if self.blocks:
            found.append("blocks")
        if self.migrates:
            found.append("migrations" if self.toggles else "harvests")
        if self.invalidates:
            found.append("notifier that splits" if self.splits else "notifier")
        return ", ".join(found)


SCENARIOS = {
    "page": Actors(),  # L1, L2
    "two-vcpus": Actors(vcpus=2),
    "toggled": Actors(toggles=True),
    "block": Actors(pages=2, blocks=True, toggles=True),  # L3, L4, L6, L7
    "notifier": Actors(vcpus=2, invalidates=True),
    "split": Actors(pages=2, blocks=True, migrates=False, invalidates=True, splits=True),  # L5
    "block-notifier": Actors(pages=2, blocks=True, toggles=True, invalidates=True),
    "two-vcpus-block": Actors(vcpus=2, pages=2, blocks=True, toggles=True),
    "all": Actors(vcpus=2, pages=2, blocks=True, toggles=True, invalidates=True),
}

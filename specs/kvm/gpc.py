"""gfn_to_pfn_cache: its state and check(), as protocol.md 3.1 and 3.2 have them.

Source: virt/kvm/pfncache.c (Linux 5.17 to 7.3.4).  `making` makes these, `pfncache` has the R, H and N2 steps,
`activation` activate and deactivate, `invalidators` the notifier, `memslots` the memslot updater, `cache_versions` what
each fix changed.

A pfn is a name: fresh when a page is freed (and for an error pfn), compared for equality only.  So are the sequence
numbers of the notifier, the memslots' generation and the kernel mappings.  Places are numbers: a gpa or khva is 0
(INVALID, NULL) or the number of one of the cache's places, and a uhva 0 (an error) or the number of a user page.

A model that does not move, deactivate or re-slot a cache has none of the slots for it (they are None) and none of the
steps that look at them: then check() is the valid bit, as it is for the caches of a running vCPU.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from modelcheck import Action, Expr, Mutex, RwLock, Slot, SpinLock, Srcu, test
from specs.kvm.cache_versions import Cache, cache

Steps = Generator[Action, Any, Any]
Requirement = tuple[Expr, str]
PLAIN = cache("6addfcf27139")  # what a model of the writer runs on where no other version is asked for


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the VMM's memory: the pfn behind it now, and whether a memslot may cover it (3.6, N3)."""

    name: str
    pfn: Slot
    in_memslot: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A guest address that may be registered: the pages a memslot may put behind it, and where in the page it lies.

    `slot` is the page's number in `pages` that the memslots lead to now, 0 for none; None where they never change.
    `invalid` is KVM_MEMSLOT_INVALID (or READONLY): the slot is there for the notifier, and nobody may look it up.
    `retired` are ghosts, one a page: the ioctl that took it away has returned.
    """

    name: str
    pages: tuple[Page, ...]
    offset: int = 0
    slot: Slot | None = None
    invalid: Slot | None = None
    retired: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Kvm:
    """Per-VM state: the notifier's counts and their locks, the memslots, a run queue; and the version of the caches.

    `new_pfn`, `mmu_seq` and what follows are the locals of hva_to_pfn_retry() and its callers, one of each for every
    task.  `in_progress` is there before 58cd407ca4c6 only, `generation` and `srcu` where memslots change.  Without
    `faults` hva_to_pfn() always finds a page: an assumption.
    """

    count: Slot
    seq: Slot
    gpc_lock: SpinLock
    rq_lock: SpinLock
    new_pfn: Slot
    mmu_seq: Slot
    cache: Cache = PLAIN
    in_progress: Slot | None = None
    generation: Slot | None = None
    srcu: Srcu | None = None
    old_pfn: Slot | None = None
    old_map: Slot | None = None
    new_map: Slot | None = None
    faults: bool = True

    @property
    def slots_lock(self) -> Mutex:
        """Serialises memslot updates."""
        return Mutex("kvm->slots_lock")


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a cache that may be moved or deactivated has beside valid and pfn.

    `khva` is the place whose offset it has, `map` which kernel mapping it lies in.  `gone` is a ghost: that mapping has
    been unmapped; `unmapped` the mapping unmapped last (one is enough: between a refresh's look at the old mapping and
    its reuse no second one comes and goes, since mapping needs the refresh_lock or is that refresh's own).
    """

    khva: Slot
    map: Slot
    gone: Slot
    unmapped: Slot


@dataclass(frozen=True, slots=True)
class Gpc:
    """One gfn_to_pfn_cache: its two locks, `valid` and the pfn behind khva, and the places it may be registered at.

    `gpa` and `uhva` are there where it may move, `generation` where memslots change (a GPA cache only; `newest` is
    that of the memslots), `active`, `listed` (on gpc_list) and the ghost `closed` (deactivate has returned) where it
    may be deactivated.
    """

    name: str
    lock: RwLock
    refresh_lock: Mutex
    valid: Slot
    pfn: Slot
    places: tuple[Place, ...]
    gpa: Slot | None = None
    uhva: Slot | None = None
    generation: Slot | None = None
    active: Slot | None = None
    listed: Slot | None = None
    closed: Slot | None = None
    mapping: Mapping | None = None
    newest: Slot | None = None
    accepts_inactive: bool = False

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages any of its places may have, each once; uhva counts them from 1."""
        return tuple(dict.fromkeys(page for place in self.places for page in place.pages))

    def mapped(self) -> Expr:
        """khva still leads to the page (P6): its pfn was not freed since it was looked up."""
        found: Expr | None = None
        for number, page in enumerate(self.pages, 1):
            same = self.pfn.eq(page.pfn)
            here = same if self.uhva is None else self.uhva.eq(number) & same
            found = here if found is None else found | here
        assert found is not None
        return found

    def requires(self) -> tuple[Requirement, ...]:
        """What must hold of every store through khva: P6 in all its forms, and the offset (P7)."""
        stale: list[Expr] = [self.mapped()]
        if self.mapping is not None:
            stale += [self.mapping.khva.ne(0), self.mapping.gone.eq(0)]
        if self.closed is not None:
            stale.append(self.closed.eq(0))
        stale += self._retired()
        found = tuple((each, "stale-mapping") for each in stale)
        if self.gpa is not None and self.mapping is not None:
            found += ((self.mapping.khva.eq(0) | self.mapping.khva.eq(self.gpa), "out-of-area"),)
        return found

    def _retired(self) -> list[Expr]:
        """Not through a page that an ioctl, which has returned, took from this place."""
        found: list[Expr] = []
        if self.generation is None:
            return found
        for number, place in enumerate(self.places, 1):
            for page, gone in zip(place.pages, place.retired, strict=False):
                here = gone if self.gpa is None else gone & self.gpa.eq(number)
                there = here if self.uhva is None else here & self.uhva.eq(self.pages.index(page) + 1)
                found.append(~there)
        return found

    def check(self, step: str) -> Action:
        """kvm_gpc_check(): pure reads under the lock, no comparison of addresses (protocol.md 3.2)."""
        good: Expr = self.valid
        if self.active is not None and not self.accepts_inactive:
            good = good & self.active
        if self.generation is not None and self.newest is not None:
            good = good & self.generation.eq(self.newest)
        if self.uhva is not None:
            good = good & self.uhva.ne(0)
        return test(good, f"kvm_gpc_check({self.name})").at(step, "kvm_gpc_check")

    def words(self) -> tuple[tuple[Expr, str], ...]:
        """What the conditions of `requires` and of the other checks say."""
        found = [(self.mapped(), f"the page that {self.name}->khva leads to was not taken away")]
        if self.mapping is not None:
            found.append((self.mapping.gone.eq(0), f"the mapping that {self.name}->khva lies in was not unmapped"))
        if self.mapping is not None and self.gpa is not None:
            offset = self.mapping.khva.eq(0) | self.mapping.khva.eq(self.gpa)
            found.append((offset, f"{self.name}->khva has the registered offset"))
        if self.closed is not None:
            found.append((self.closed.eq(0), f"{self.name} was not deactivated"))
        return (*found, *((each, f"the memslot behind {self.name} was not taken away") for each in self._retired()))

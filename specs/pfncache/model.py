"""The model of one cache: its state, the actors of a scenario, the properties."""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import Model, Setting
from specs.kvm.cache_versions import cache
from specs.kvm.invalidators import mmu_notifier
from specs.kvm.memslots import memslot_updater
from specs.kvm.pfncache import Gpc, Kvm, make_gpc, make_kvm, make_page, make_place
from specs.pfncache.actors import config, mover, refresher, user
from specs.pfncache.properties import ENDS, declare, declare_end
from specs.pfncache.scenarios import SCENARIOS, Actors


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; there are no projections."""
    actors, once = SCENARIOS[setting.text("actors")], setting.text("invalidations") == "once"
    return build_scenario(actors, setting.version, once, setting.property == ENDS.name)


def build_scenario(actors: Actors, version: str, once: bool = False, ends: bool = False) -> Model:
    """The cache of that version with these actors, of whose invalidations there may be only one (`once`).

    `ends` asks for `refresh-ends` and its ghost, instead of the other properties.
    """
    model = Model("pfncache")
    kvm = make_kvm(model, cache(version), actors.memslots, tracked=True, notifiers=1, sleeping=actors.sleeping)
    gpc = make_cache(model, actors, kvm)
    busy = model.bool("a refresh is under way") if ends else None
    for number in range(1, actors.owners + 1):
        model.process(f"owner{number}", user, gpc, kvm, True, busy, title=f"owner {number} of the cache")
    for number in range(1, actors.users + 1):
        model.process(f"user{number}", user, gpc, kvm, False, title=f"user {number} of the cache")
    for number in range(1, actors.refreshers + 1):
        model.process(f"refresher{number}", refresher, gpc, kvm, title="refresh from another thread")
    if actors.config:
        model.process("config", config, gpc, kvm, actors.moves, title="configuration thread")
    elif actors.moves:
        model.process("mover", mover, gpc, kvm, title="configuration thread")
    if actors.notifier:
        notifier(model, actors, kvm, gpc, once)
    if actors.memslots:
        model.process("memslots", memslot_updater, kvm, gpc.places[0], title="memslot update")
    for condition, text in gpc.words():
        model.say(condition, text)
    model.assumptions += assumptions(actors, once)
    if busy is None:
        declare(model, actors, gpc, kvm)
    else:
        model.say(busy.eq(0), "no refresh is under way")
        declare_end(model, actors, kvm, busy)
    return model


def assumptions(actors: Actors, once: bool) -> list[str]:
    """What is bounded: how many work on the cache at once, never how often."""
    found = ["nobody works on the cache but the actors named, each again and again"]
    if actors.notifier:
        found.append("there is one invalidation alone" if once else "one invalidation at a time")
    return found


def notifier(model: Model, actors: Actors, kvm: Kvm, gpc: Gpc, once: bool) -> None:
    """The MMU notifier, for any of the cache's pages, or for pages of the VM that no cache has."""
    pages = ((),) if actors.notifier == "elsewhere" else tuple((page,) for page in gpc.pages)
    frees = actors.notifier == "frees"
    model.process("notifier", mmu_notifier, kvm, (gpc,), None, pages, once, frees, title="MMU notifier")


def make_cache(model: Model, actors: Actors, kvm: Kvm) -> Gpc:
    """The cache with its places; all of them lie in the slot that a memslot updater changes."""
    numbers = sorted({page for page, _ in actors.places})
    pages = {number: make_page(model, f"page {number}", number, actors.in_memslot) for number in numbers}
    places = tuple(
        make_place(model, f"place {i}", (pages[page],), offset, actors.memslots and i == 1)
        for i, (page, offset) in enumerate(actors.places, 1)
    )
    return make_gpc(model, "gpc", places, kvm, deactivates=actors.config, valid=actors.valid, hva=actors.hva)

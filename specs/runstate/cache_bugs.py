"""A gfn_to_pfn_cache by itself, used from any thread: the models that show its own bugs (protocol.md 3.8, 6.1).

The caches of a runstate area are refreshed, moved and deactivated by one task only (protocol.md 12.1 item 1), where
those of shared_info are not.  So the second user or refresher of one cache, and a configuration that runs beside its
users, are a fiction for runstate and real for shared_info; each case says which it needs.  A case has the fewest actors
that show its bug; `all` has every actor, `all-moving` a cache that moves as well (34 million states: half a minute).

Stores are `check` actions here: what a store through khva requires (`Gpc.requires`), with no bytes behind it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from modelcheck import Action, Expr, Model, Setting, check, choose, reach
from specs.runstate.activation import activate, deactivate
from specs.runstate.cache_versions import cache
from specs.runstate.invalidators import mmu_notifier
from specs.runstate.memslots import memslot_updater
from specs.runstate.pfncache import Gpc, Kvm, Steps, make_gpc, make_kvm, make_page, make_place, refresh

PROPERTIES = {
    "stale-mapping": "no store goes through a mapping whose page was taken away (P6)",
    "out-of-area": "no store goes to an offset that is not the registered one (P7)",
    "inactive-valid": "a cache that is activated was not valid (KVM_BUG_ON since 6.2)",
    "half-refresh": "a refresh that trusts a valid cache finds khva there",
    "lock-init": "no lock is initialised while somebody has it or waits for it",
}


@dataclass(frozen=True, slots=True)
class Case:
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


CASES = {
    "owner-notifier": Case(owners=1, notifier="frees"),  # B11
    "user-refresher": Case(users=1, refreshers=1, valid=False),  # B12
    "two-owners": Case(owners=2, valid=False),  # B13
    "same-page-move": Case(users=1, moves=True, places=((1, 0), (1, 1))),  # B14
    "user-config": Case(users=1, config=True),  # B15
    "owner-config-notifier": Case(owners=1, config=True, notifier="frees"),  # B16
    "owner-config-keeping": Case(owners=1, config=True, notifier="keeps"),  # B19
    "hva-outside": Case(owners=1, notifier="frees", hva=True, in_memslot=False),  # B24
    "owner-elsewhere": Case(owners=1, notifier="elsewhere", valid=False),  # B28, which takes a liveness property
    "hva-slot-goes": Case(owners=1, notifier="frees", hva=True, memslots=True),  # B24, as long as there is a slot
    "owner-memslots": Case(owners=1, memslots=True),
    "owner-memslots-notifier": Case(owners=1, memslots=True, notifier="frees"),
    "all": Case(owners=1, config=True, memslots=True, notifier="frees"),
    "all-moving": Case(owners=1, config=True, moves=True, memslots=True, notifier="frees", places=((1, 0), (1, 1))),
}


def build_cache(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one case (`actors`) and one version of the cache."""
    return build_case(CASES[setting.text("actors")], setting.version)


def build_case(case: Case, version: str) -> Model:
    """The cache of that version with the actors of a case."""
    model = Model("pfncache", "sc")
    kvm = make_kvm(model, cache(version), case.memslots, tracked=True, notifiers=1, sleeping=case.sleeping)
    gpc = make_cache(model, case, kvm)
    for kind, count, refreshes in (("owner", case.owners, True), ("user", case.users, False)):
        for number in range(1, count + 1):
            model.process(f"{kind}{number}", user, gpc, kvm, refreshes, title=f"{kind} {number} of the cache")
    for number in range(1, case.refreshers + 1):
        model.process(f"refresher{number}", refresher, gpc, kvm, title="refresh from another thread")
    if case.config:
        model.process("config", config, gpc, kvm, case.moves, title="configuration thread")
    elif case.moves:
        model.process("mover", mover, gpc, kvm, title="configuration thread")
    if case.notifier:
        pages = ((),) if case.notifier == "elsewhere" else tuple((page,) for page in gpc.pages)
        frees = case.notifier == "frees"
        model.process("notifier", mmu_notifier, kvm, (gpc,), None, pages, False, frees, title="MMU notifier")
    if case.memslots:
        model.process("memslots", memslot_updater, kvm, gpc.places[0], title="memslot update")
    for name, text in PROPERTIES.items():
        model.assertion(name, text, witnesses(case, kvm))
    model.deadlock("deadlock", "no process is stuck for ever", witnesses(case, kvm))
    model.sleep_in_atomic("sleep-in-atomic", "nothing sleeps while atomic", witnesses(case, kvm))
    model.lock_order("lock-order", "no cycle in the order of lock classes", witnesses(case, kvm))
    model.invariant("type", type_invariant(gpc, kvm), "the fields fit together", witnesses(case, kvm))
    return model


def type_invariant(gpc: Gpc, kvm: Kvm) -> Expr:
    """What the fields are to each other while nobody has the lock for writing, as far as this version promises it."""
    version, good = kvm.cache, gpc.lock.readers.eq(0) | gpc.lock.writer.eq(0)
    if version.late_valid and gpc.mapping is not None:
        good = good & (~gpc.valid | gpc.mapping.khva.ne(0))
    if version.moves_khva and gpc.gpa is not None and gpc.mapping is not None:
        good = good & (~gpc.valid | gpc.mapping.khva.eq(gpc.gpa))
    if version.late_valid and gpc.uhva is not None:
        good = good & (~gpc.valid | gpc.uhva.ne(0))
    if version.rejects_inactive and gpc.active is not None and gpc.listed is not None:
        good = good & (~gpc.active | gpc.listed)
    if version.self_contained and gpc.active is not None:
        good = good & (~gpc.valid | gpc.active)
    if version.own_seq:
        good = good & (~gpc.valid | gpc.mapped())
    return gpc.lock.writer.ne(0) | good


def make_cache(model: Model, case: Case, kvm: Kvm) -> Gpc:
    """The cache of a case, with its places; all of them lie in the slot that a memslot updater changes."""
    numbers = sorted({page for page, _ in case.places})
    pages = {number: make_page(model, f"page {number}", number, case.in_memslot) for number in numbers}
    places = tuple(
        make_place(model, f"place {i}", (pages[page],), offset, case.memslots and i == 1)
        for i, (page, offset) in enumerate(case.places, 1)
    )
    return make_gpc(model, "gpc", places, kvm, deactivates=case.config, valid=case.valid, hva=case.hva)


def witnesses(case: Case, kvm: Kvm) -> tuple[str, ...]:
    """What the actors of a case must be seen to do; until 58cd407ca4c6 only overlaps of a memslot make it retry."""
    found = []
    if case.owners or case.users:
        found.append("stored")
    if case.notifier and case.owners and (case.in_memslot or kvm.cache.late_valid):
        found.append("refresh retried")
    if case.memslots:
        found += ["memslot deleted", "memslot created"]
    if case.config:
        found.append("activated again")
    if case.moves:
        found.append("moved")
    return tuple(found)


def user(gpc: Gpc, kvm: Kvm, refreshes: bool) -> Steps:
    """An event sender: under the read lock check and store; else refresh and start over (or give up)."""
    fn = "kvm_xen_set_evtchn_fast"
    while True:
        if kvm.srcu is not None:
            yield kvm.srcu.read_lock().at("", fn)
        yield gpc.lock.read_lock(irq="off").at("G2", fn)
        if (yield gpc.check("G3")):
            yield store(gpc, "stale-mapping").at("G9", fn)
            yield store(gpc, "out-of-area").at("G9", fn)
            yield reach("stored")
            yield gpc.lock.read_unlock(irq="on").at("G13", fn)
        else:
            yield gpc.lock.read_unlock(irq="on").at("G3", fn)
            if refreshes:
                yield from refresh(gpc, kvm)
        if kvm.srcu is not None:
            yield kvm.srcu.read_unlock().at("", fn)


def store(gpc: Gpc, name: str) -> Action:
    """A store through khva, as far as this property looks at it."""
    needed = [condition for condition, of in gpc.requires() if of == name]
    whole: Expr = gpc.valid.eq(gpc.valid)
    for condition in needed:
        whole = whole & condition
    return check(whole, name, f"store through {gpc.name}->khva ({name})")


def refresher(gpc: Gpc, kvm: Kvm) -> Steps:
    """Another thread that keeps the cache valid."""
    while True:
        if kvm.srcu is not None:
            yield kvm.srcu.read_lock().at("", "refresh")
        yield from refresh(gpc, kvm)
        if kvm.srcu is not None:
            yield kvm.srcu.read_unlock().at("", "refresh")


def config(gpc: Gpc, kvm: Kvm, moves: bool) -> Steps:
    """KVM_XEN_ATTR_TYPE_SHARED_INFO from any thread: off, and on again at one of the places."""
    while True:
        if moves and (yield choose("ioctl", "move", "deactivate")) == "move":
            yield from placed(gpc, kvm)
            yield reach("moved")
            continue
        yield from deactivate(gpc, kvm)
        yield from placed(gpc, kvm)
        yield reach("activated again")


def mover(gpc: Gpc, kvm: Kvm) -> Steps:
    """The attribute set again and again, at any of the places."""
    while True:
        yield from placed(gpc, kvm)
        yield reach("moved")


def placed(gpc: Gpc, kvm: Kvm) -> Steps:
    """Activation at any of the places, under SRCU as the ioctl is."""
    where = 1
    if len(gpc.places) > 1:
        where = yield choose("place", *range(1, len(gpc.places) + 1))
    if kvm.srcu is not None:
        yield kvm.srcu.read_lock().at("", "kvm_xen_hvm_set_attr")
    yield from activate(gpc, kvm, where)
    if kvm.srcu is not None:
        yield kvm.srcu.read_unlock().at("", "kvm_xen_hvm_set_attr")

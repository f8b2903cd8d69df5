"""The processes of the models: who checks and stores, who refreshes, who configures (protocol.md 3.2, 3.5, 5.1).

Stores are `check` actions here: what a store through khva requires (`Gpc.requires`), with no bytes behind it.
"""

from __future__ import annotations

from modelcheck import Action, Expr, Slot, assign, check, choose, reach
from specs.kvm.activation import activate, deactivate
from specs.kvm.pfncache import Gpc, Kvm, Steps, refresh


def user(gpc: Gpc, kvm: Kvm, refreshes: bool, busy: Slot | None = None) -> Steps:
    """An event sender: under the read lock check and store; else refresh and start over (or give up).

    `busy` is a ghost: a refresh of this task has begun and not ended.
    """
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
                if busy is not None:
                    yield assign(busy, 1).as_("a refresh begins").at("R1", fn)
                yield from refresh(gpc, kvm)
                if busy is not None:
                    yield assign(busy, 0).as_("the refresh has ended").at("R12", fn)
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

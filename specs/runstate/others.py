"""Tasks beside the vCPU task and the guest: another CPU, whoever sets attributes of the VM, a second refresher.

They take the locks of the same classes in the orders of protocol.md 5.5 and 7.3.  None but the second refresher touches
this vCPU's area or caches, since all users of a runstate cache are its own vCPU's task (protocol.md 12.1 item 1).  A
second refresher is therefore a fiction: it shows what the protocol would do if another task were allowed to refresh,
and turns cycles of lock classes into deadlocks of instances.
"""

from __future__ import annotations

from collections.abc import Callable

from modelcheck import Slot, assign, choose, reach, shared
from specs.kvm.pfncache import Gpc, Kvm, Steps, refresh, release_pfn
from specs.runstate.readers import View
from specs.runstate.setup import Locks, enter, leave, lock, unlock

SET_ATTR = "kvm_xen_hvm_set_attr"


def other_cpu(gpc: Gpc, kvm: Kvm, locks: Locks) -> Steps:
    """Another CPU: another vCPU's task refreshes its own cache, somebody wakes a task on the first CPU, or sets an
    attribute of the VM.

    Of the refresh, the steps that take locks: the cache is another instance of the same classes, which nobody else here
    uses, so what it finds does not matter.
    """
    kinds = ("refresh", "wake") if locks.attributes is None else ("refresh", "wake", "attribute")
    while True:
        what = yield choose("on another CPU", *kinds)
        if what == "attribute":
            yield from lock(locks.attributes, SET_ATTR)
            yield from unlock(locks.attributes, SET_ATTR)
        elif what == "refresh":
            yield gpc.refresh_lock.lock().at("R1", "__kvm_gpc_refresh")
            yield gpc.lock.write_lock(irq="off").at("R3", "__kvm_gpc_refresh")
            yield from release_pfn(kvm)
            yield gpc.lock.write_unlock(irq="on").at("R11", "__kvm_gpc_refresh")
            yield gpc.refresh_lock.unlock().at("R12", "__kvm_gpc_refresh")
        else:
            yield kvm.rq_lock.lock(irq="off").at("", "try_to_wake_up")
            yield kvm.rq_lock.unlock(irq="on").at("", "try_to_wake_up")


def vm_attributes(long_mode: Slot, locks: Locks) -> Steps:
    """Another thread switches long mode, by KVM_XEN_ATTR_TYPE_LONG_MODE or the hypercall page (protocol.md 5.2)."""
    while True:
        yield from lock(locks.attributes, SET_ATTR)
        mode = yield choose("long mode", 0, 1).at("", SET_ATTR)
        yield assign(long_mode, mode).at("", SET_ATTR)
        yield from unlock(locks.attributes, SET_ATTR)


def flag_attribute(update_flag: Slot, asked: Slot, locks: Locks, waits: bool) -> Steps:
    """KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG, once: the guest's vm_assist hypercall asks for the flag.

    `asked` is set when the hypercall has returned.  Nothing waits for an update that has looked at the flag before;
    with `waits` (fix=flag) synchronize_srcu() does, since every update runs in a read section of kvm->srcu.  It comes
    after the lock is released: KVM_RUN may want that in its own read section.

    Once is enough: a guest that turns the flag off reads no other vCPU's area from then on, and when it turns it on
    again everything is as it was at first.
    """
    yield from lock(locks.attributes, SET_ATTR)
    yield assign(update_flag, 1).as_("runstate_update_flag = true").at("", SET_ATTR)
    yield from unlock(locks.attributes, SET_ATTR)
    if waits and locks.srcu is not None:
        yield from locks.srcu.synchronize("", SET_ATTR)
    yield assign(asked, 1).as_("HYPERVISOR_vm_assist() returns").at("", "xen_time_setup_guest")
    yield reach("the guest may rely on the flag")


def once_asked(asked: Slot, reader: Callable[[View], Steps], view: View) -> Steps:
    """A reader that begins when the guest may rely on the flag."""
    yield shared("the flag was asked for", when=asked.eq(1)).at("", "xen_time_setup_guest")
    yield from reader(view)


def second_refresher(caches: tuple[Gpc, ...], kvm: Kvm, locks: Locks) -> Steps:
    """Another task that makes this vCPU's caches valid again: there is none, see the module."""
    while True:
        gpc = caches[0]
        if len(caches) > 1 and (yield choose("refresh", *(each.name for each in caches))) != gpc.name:
            gpc = caches[1]
        yield from enter(locks.srcu, "kvm_gpc_refresh")
        yield from refresh(gpc, kvm)
        yield from leave(locks.srcu)

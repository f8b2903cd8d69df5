"""Tasks beside the vCPU task and the guest: another vCPU's task, a waker, whoever sets attributes of the VM.

They take the locks of the same classes in the orders of protocol.md 5.5 and 7.3; none of them touches this vCPU's area
or caches, since all users of a runstate cache are its own vCPU's task (protocol.md 12.1 item 1).
"""

from __future__ import annotations

from modelcheck import Slot, SpinLock, assign, choose, sleep_point
from specs.runstate.pfncache import Gpc, Kvm, Steps, refresh
from specs.runstate.setup import Locks, enter, leave, lock, unlock


def other_vcpu(gpc: Gpc, kvm: Kvm, locks: Locks) -> Steps:
    """The task of another vCPU refreshes its own cache: other instances of the same lock classes."""
    while True:
        yield sleep_point("vcpu_run()", preemptible=True).at("", "vcpu_run")
        yield from enter(locks.srcu)
        yield gpc.lock.read_lock(irq="off").at("G2", "kvm_xen_update_runstate_guest")
        valid = yield gpc.check("G3")
        yield gpc.lock.read_unlock(irq="on").at("G3", "kvm_xen_update_runstate_guest")
        if not valid:
            yield from refresh(gpc, kvm)
        yield from leave(locks.srcu)


def waker(rq_lock: SpinLock) -> Steps:
    """try_to_wake_up() of a task on the vCPU's run queue, from any interrupt."""
    while True:
        yield rq_lock.lock(irq="off").at("", "try_to_wake_up")
        yield rq_lock.unlock(irq="on").at("", "try_to_wake_up")


def vm_attributes(long_mode: Slot, locks: Locks) -> Steps:
    """Another thread switches long mode, by KVM_XEN_ATTR_TYPE_LONG_MODE or the hypercall page (protocol.md 5.2)."""
    while True:
        yield from lock(locks.attributes, "kvm_xen_hvm_set_attr")
        mode = yield choose("long mode", 0, 1).at("", "kvm_xen_hvm_set_attr")
        yield assign(long_mode, mode).at("", "kvm_xen_hvm_set_attr")
        yield from unlock(locks.attributes, "kvm_xen_hvm_set_attr")

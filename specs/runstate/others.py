"""Tasks beside the vCPU task and the guest: another CPU, whoever sets attributes of the VM.

They take the locks of the same classes in the orders of protocol.md 5.5 and 7.3; none of them touches this vCPU's area
or caches, since all users of a runstate cache are its own vCPU's task (protocol.md 12.1 item 1).
"""

from __future__ import annotations

from modelcheck import Slot, assign, choose
from specs.kvm.pfncache import Gpc, Kvm, Steps, release_pfn
from specs.runstate.setup import Locks, lock, unlock


def other_cpu(gpc: Gpc, kvm: Kvm) -> Steps:
    """Another CPU: the task of another vCPU refreshes its own cache, or somebody wakes a task on the first CPU.

    Of the refresh, the steps that take locks: the cache is another instance of the same classes, which nobody else here
    uses, so what it finds does not matter.
    """
    while True:
        if (yield choose("on another CPU", "refresh", "wake")) == "refresh":
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
        yield from lock(locks.attributes, "kvm_xen_hvm_set_attr")
        mode = yield choose("long mode", 0, 1).at("", "kvm_xen_hvm_set_attr")
        yield assign(long_mode, mode).at("", "kvm_xen_hvm_set_attr")
        yield from unlock(locks.attributes, "kvm_xen_hvm_set_attr")

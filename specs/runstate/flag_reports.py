"""What could be mailed to the KVM list on the update flag's attribute: N1, found by this checker."""

from __future__ import annotations

N1_REPORT = """\
Subject: KVM: x86/xen: an update in progress ignores
 KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG after the ioctl has returned

The attribute is set under xen_lock. kvm_xen_update_runstate_guest() looks at
runstate_update_flag once for each update, without that lock, so an update that
looked before stores the whole struct without the flag, and the ioctl does not
wait for it. Once the ioctl, and with it the guest's vm_assist hypercall, has
returned, the guest may read other vCPUs' areas and take a clear flag for proof:

  vCPU 0's task, an update         VMM, and the guest on vCPU 1
  update_bit = NULL (flag is off)
  *rs_state = new state
                                   ioctl(RUNSTATE_UPDATE_FLAG, 1) returns
                                   vm_assist(runstate_update_flag) returns
                                   e1: old entry time, flag clear
                                   copies the state (new) and times (old)
                                   e2: old entry time, flag clear: accepted
  rs_times[0] = new entry time

The copy has the state of one update, and the times of the one before.

Conditions: d8ba8ba4c801 (6.2) and later, any preemption model, any offset; a
guest that turns the flag on while other vCPUs run, and reads one of their areas
within the rest of one update. Linux turns it on when it boots, before the other
vCPUs are up, so it is a question of what the interface promises.

synchronize_srcu(&kvm->srcu) after the flag is set and xen_lock released is
enough (checked: fix=flag): every update runs in a read section of it. It must
not be called with xen_lock held, which KVM_RUN takes in its own read section
when the guest writes the hypercall page's MSR.

Found by a model checker on a model of the protocol, not on a running kernel.
"""

"""What could be mailed to the KVM list on where the area lies, D1 and D6 of protocol.md; numbers of 12.3."""

from __future__ import annotations

D1_REPORT = """\
Subject: KVM: x86/xen: runstate: stores beyond the guest's area when
 RUNSTATE_ADDR is preempted (5ec3289b31ab to 6.10)

KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR moves an area that crosses a page from A
to B: it activates gpc1 at B, and then gpc2 at B's second page. In between gpc1
is valid at B and gpc2 still valid at A's second page. kvm_gpc_check() compares
no addresses. If the task is preempted there, kvm_sched_out() writes the area
through both: the tail of the struct, of the length that B's cut leaves, goes to
the start of A's second page.

With A at 0x10ff1 (64-bit, 15 + 33 bytes) and B at 0x20fff (1 + 47): the flag
byte goes to 0x1100e and 47 bytes to 0x11000..0x1102e. A ended at 0x11020, so 14
bytes beyond the old area are written, in a page that the guest may use for
anything. B's second page gets nothing until the ioctl goes on.

  CPU0, RUNSTATE_ADDR(B)           CPU0, sched_out on the same task
  C3 kvm_gpc_activate(gpc1, B)
  C4 kvm_gpc_activate(gpc2, ...):
     mutex_lock(): preempted
                                   read_trylock(gpc1), check: valid, at B
                                   read_trylock(gpc2), check: valid, at A
                                   memcpy(gpc2->khva, &rs + 1, 47)

Conditions: 5ec3289b31ab (6.2) to 6.10, an area over a page before and a longer
tail after the move, a preemption between the two activations (the mutex in the
second is one with voluntary preemption too). Not since 118964562969 (6.11):
sched_out does nothing outside KVM_RUN. Not where the area moves to the same
offset of a page. For a stable kernel, taking gpc2 down before gpc1 is moved is
enough (checked: fix=address).

Found by a model checker on a model of the protocol, not on a running kernel.
"""

D6_REPORT = """\
Subject: KVM: x86/xen: runstate: a 64-bit load of state_entry_time that crosses
 a cache line can miss XEN_RUNSTATE_UPDATE

Since 5ec3289b31ab the runstate area may lie at any address. The update flag
is then written as one byte, so a reader that loads state_entry_time in two
halves, high half first and last, sees either the flag or a changed high half.

A 64-bit guest has no reason to load it in halves. Where the field crosses a
cache line or a page, one 8-byte load is not atomic on x86, and the two parts
may be seen at different times. With the area at page end minus 15, which is
where xen_shinfo_test puts it, the flag is the first byte of the second page:

  guest, another vCPU              KVM
  e1, byte 7: flag clear
                                   flag byte |= XEN_RUNSTATE_UPDATE
                                   stores the new entry time
  e1, bytes 0-6: new
  copies the state: still old
                                   stores the rest, clears the flag
  copies the times: new
  e2: new, flag clear; e1 == e2, so the copy is accepted

The copy has the state of one update and the times of the next. The other
order of the two parts ends the same way.

Linux guests are not affected, their area is aligned to 8. Nor is a guest that
aligns it to 4 and loads the field by 32-bit words, as 32-bit Linux does. So it
is a question of what guests may rely on: the interface does not ask for an
alignment, and does not say how the field must be loaded.

Found by a model checker on a model of the protocol, not on a running kernel.
"""

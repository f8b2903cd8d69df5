"""The known bugs of the protocol, and what was taken for one: the checks that show each, and those that show it gone.

Ids are those of protocol.md sections 6 and 12: B was reported, D was derived from the code.  Offsets stand for their
class; `check --version all` sweeps all of them.
"""

from __future__ import annotations

from modelcheck import Case, Trial

TORN, SPLIT = "torn-read", (("abi", "64"), ("offset", 4081))
COMPAT = (("abi", "32"), ("offset", 56), ("reader", "linux32"))
ALIGNED = (("abi", "64"), ("offset", 0), ("reader", "linux64"))

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

CASES = (
    Case(
        "B4",
        "the first store of an update is torn across a cache line",
        "5.12 to 6.1 (a795cd43 is checked)",
        "fixed",
        "The first store of an update is the whole 64-bit entry time with the flag in it, and across a line its low "
        "half is visible before the flag. A 32-bit guest reads the new low half with the old high half twice, and "
        "accepts an entry time that no update had.",
        before=(Trial("a795cd43", TORN, COMPAT),),
        after=(Trial("5ec3289b", TORN, COMPAT, verdict="holds"),),
        fixed_by='5ec3289b31ab "KVM: x86/xen: Compatibility fixes for shared runstate area"',
        conditions="a 32-bit guest, an area aligned to 4 whose entry time crosses a line (56 mod 64), a remote reader",
        trace="runstate-torn-read-d0b2cc8e87.json",
    ),
    Case(
        "B8",
        "lockdep reports the second cache's lock as recursive",
        "6.2-rc1 to 6.2-rc3 (5ec3289b, d8ba8ba4)",
        "refuted",
        "A split area is written with both caches' locks held, which are of one class, so lockdep sees a recursion. "
        "They are two locks, always taken in one order: nobody can be stuck, and the fix only tells lockdep so.",
        before=(
            Trial("5ec3289b", "deadlock", SPLIT, verdict="holds"),
            Trial("d8ba8ba4", "deadlock", SPLIT, verdict="holds"),
        ),
        after=(Trial("bbe17c62", "deadlock", SPLIT, verdict="holds"),),
        fixed_by='23e60258aeaf "KVM: x86/xen: Fix lockdep warning on "recursive" gpc locking"',
        conditions="an area across a page",
    ),
    Case(
        "B9",
        "sched_out waits for gpc->lock with the run-queue lock held",
        "5.18 to 6.2-rc3 (a795cd43, 5ec3289b, d8ba8ba4)",
        "fixed",
        "sched_out holds the run-queue lock and waits for gpc->lock; a refresh holds gpc->lock for writing and drops "
        "a page, which may need a run-queue lock. That is a cycle of lock classes; by instance nothing deadlocks, "
        "since the task that refreshes is the one that would be scheduled out.",
        before=(
            Trial("a795cd43", "lock-order", ALIGNED),
            Trial("5ec3289b", "lock-order", SPLIT),
            Trial("d8ba8ba4", "lock-order", SPLIT),
            Trial("a795cd43", "deadlock", ALIGNED, verdict="holds"),
            Trial("d8ba8ba4", "deadlock", SPLIT, verdict="holds"),
        ),
        after=(Trial("bbe17c62", "lock-order", SPLIT, verdict="holds"),),
        fixed_by='bbe17c625d68 "KVM: x86/xen: Fix potential deadlock in kvm_xen_update_runstate_guest()"',
        conditions="a refresh that drops a page, beside a vCPU that is scheduled out",
        trace="runstate-lock-order-6cd0e586e2.json",
    ),
    Case(
        "D5",
        "an update that does not change the entry time",
        "all",
        "control",
        "A reader takes an unchanged entry time for an unchanged struct, so an update that moves anything else without "
        "it can be torn. Here any field may move: this is what readers rely on, not what the accounting does.",
        before=(Trial("36a85200", TORN, (*ALIGNED, ("clock", "may-repeat"))),),
        after=(Trial("36a85200", TORN, ALIGNED, verdict="holds"),),
        conditions="two updates with one entry time and different data",
        trace="runstate-torn-read-e80c227a23.json",
    ),
    Case(
        "D6",
        "a 64-bit load of the entry time that the machine splits",
        "6.2 and later",
        "confirmed",
        "The entry time crosses a cache line or a page and a 64-bit guest loads it in one instruction, of which the "
        "half with the flag is performed before the update and the other half during it. The guest sees the new entry "
        "time without a flag, and copies the old state with it.",
        before=(
            Trial("5ec3289b", TORN, SPLIT),
            Trial("36a85200", TORN, SPLIT),
            Trial("36a85200", TORN, (("abi", "64"), ("offset", 49))),
        ),
        after=(
            Trial("36a85200", TORN, ALIGNED, verdict="holds"),
            Trial("36a85200", TORN, (("abi", "64"), ("offset", 4064)), verdict="holds"),
        ),
        conditions="a 64-bit guest whose entry time crosses a line, a remote reader that loads it in one instruction",
        trace="runstate-torn-read-d3c60a5181.json",
        report=D6_REPORT,
    ),
    Case(
        "D11",
        "a remote reader of a guest that did not ask for the update flag",
        "6.2 and later (d8ba8ba4)",
        "control",
        "Without the flag nothing tells a remote reader of an update in progress. The interface says so: a guest that "
        "reads another vCPU's area must ask for the flag.",
        before=(
            Trial("d8ba8ba4", TORN, (*ALIGNED, ("flag", "off"))),
            Trial("36a85200", TORN, (*ALIGNED, ("flag", "off"))),
        ),
        after=(Trial("36a85200", TORN, ALIGNED, verdict="holds"),),
        conditions="the flag is not enabled, a remote reader",
        trace="runstate-torn-read-9d1707926e.json",
    ),
)

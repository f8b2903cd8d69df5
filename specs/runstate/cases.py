"""The known bugs of the protocol, and what was taken for one: the checks that show each, and those that show it gone.

Ids are those of protocol.md sections 6 and 12: B was reported, D was derived from the code; N is new, found by this
checker.  Offsets stand for their class; `check --version all` sweeps all of them.  The bugs of the cache alone are in
the pfncache spec.
"""

from __future__ import annotations

from modelcheck import Case, Trial
from specs.runstate.accounting_cases import B23, D2, D5, D12
from specs.runstate.area_reports import D1_REPORT, D6_REPORT
from specs.runstate.flag_reports import N1_REPORT
from specs.runstate.trials import ALIGNED, COMPAT, RT, SPLIT, V2, V3, V4, V5, V6, V6S, V7, V7P, holds

CASES = (
    Case(
        "B3",
        "an update is abandoned half way and leaves the flag set",
        "5.12 to 5.17 (shown on a795cd43 without its mapping)",
        "fixed",
        "Before the cache each put_user() to the guest could fault, and the rest of the update was dropped with the "
        "flag set. A remote reader spins until an update gets through, and nothing says that one will.",
        before=(Trial(V2, "flag-clears", (*ALIGNED, ("without", "mapping"))),),
        after=(holds(V2, "flag-clears", ALIGNED),),
        fixed_by='a795cd43c5b5 "KVM: x86/xen: Use gfn_to_pfn_cache for runstate area"',
        conditions="a page of the area that faults between the first store and the last",
        trace="runstate-flag-clears-7996364458.json",
    ),
    Case(
        "B4",
        "the first store of an update is torn across a cache line",
        "5.12 to 6.1 (a795cd43 is checked)",
        "fixed",
        "The first store of an update is the whole 64-bit entry time with the flag in it, and across a line its low "
        "half is visible before the flag. A 32-bit guest reads the new low half with the old high half twice, and "
        "accepts an entry time that no update had.",
        before=(Trial(V2, "torn-read", COMPAT),),
        after=(holds(V3, "torn-read", COMPAT),),
        fixed_by='5ec3289b31ab "KVM: x86/xen: Compatibility fixes for shared runstate area"',
        conditions="a 32-bit guest, an area aligned to 4 whose entry time crosses a line (56 mod 64), a remote reader",
        trace="runstate-torn-read-a50a6af975.json",
    ),
    Case(
        "B5",
        "an area that crosses a page is refused",
        "5.17 to 6.1 (a795cd43)",
        "fixed",
        "Up to a795cd43 RUNSTATE_ADDR asks for 48 bytes in one page, of a 32-bit guest too, and answers -EINVAL where"
        " they are not there. It is no race: the checker has no such settings of a795cd43, and checks them from "
        "5ec3289b on.",
        after=(holds(V3, "torn-read", (("abi", "64"), ("offset", 4064))),),
        fixed_by='5ec3289b31ab "KVM: x86/xen: Compatibility fixes for shared runstate area"',
        conditions="an area less than 48 bytes before the end of its page",
    ),
    Case(
        "B6",
        "RUNSTATE_ADDR, CURRENT and ADJUST do not write the area",
        "5.12 to 6.1 (a795cd43 is checked)",
        "fixed",
        "The ioctls change the shadow, or only register the area, and answer success. The guest's copy stays what it "
        "was until the next update in KVM_RUN.",
        before=(Trial(V2, "published", ALIGNED),),
        after=(
            holds(V3, "published", ALIGNED),
            holds(V3, "published", SPLIT),
        ),
        fixed_by='5ec3289b31ab "KVM: x86/xen: Compatibility fixes for shared runstate area"',
        conditions="any of the three ioctls",
        trace="runstate-published-1d05a3721a.json",
    ),
    Case(
        "B7",
        "the update flag is shown to guests that never asked",
        "5.12 to 6.1, 6.2-rc1 (5ec3289b)",
        "refuted",
        "The flag is always set during an update. The vCPU itself cannot see it, since a writer with a mapping never "
        "stops half way; another vCPU can, and a guest that did not ask must not look there.",
        before=(
            holds(V2, "own-read", ALIGNED),
            holds(V3, "own-read", ALIGNED),
            holds(V3, "own-read", SPLIT),
        ),
        fixed_by='d8ba8ba4c801 "KVM: x86/xen: Allow XEN_RUNSTATE_UPDATE flag behaviour to be configured"',
        conditions="a guest that reads the area of another vCPU without the flag enabled (see D11)",
    ),
    Case(
        "B8",
        "lockdep reports the second cache's lock as recursive",
        "6.2-rc1 to 6.2-rc3 (5ec3289b, d8ba8ba4)",
        "refuted",
        "A split area is written with both caches' locks held, which are of one class, so lockdep sees a recursion. "
        "They are two locks, always taken in one order: nobody can be stuck, and the fix only tells lockdep so.",
        before=(
            holds(V3, "deadlock", SPLIT),
            holds(V4, "deadlock", SPLIT),
        ),
        after=(holds(V5, "deadlock", SPLIT),),
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
            Trial(V2, "lock-order", ALIGNED),
            Trial(V3, "lock-order", SPLIT),
            Trial(V4, "lock-order", SPLIT),
            holds(V2, "deadlock", ALIGNED),
            holds(V4, "deadlock", SPLIT),
        ),
        after=(
            holds(V5, "lock-order", SPLIT),
            Trial(V4, "deadlock", (*ALIGNED, ("refresher", "second"), ("vmm", "moves"))),
            holds(V5, "deadlock", (*ALIGNED, ("refresher", "second"), ("vmm", "moves"))),
        ),
        fixed_by='bbe17c625d68 "KVM: x86/xen: Fix potential deadlock in kvm_xen_update_runstate_guest()"',
        conditions="a refresh that drops a page, beside a vCPU that is scheduled out",
        trace="runstate-lock-order-1696371870.json",
    ),
    Case(
        "B18",
        "pages are marked dirty from a cache that is not locked",
        "5.18 to 6.8 (a795cd43 to bbe17c62)",
        "refuted",
        "After both unlocks the memslot and the gpa are read again to mark the pages. All who could change them are "
        "the same task, so nothing changes in between; what migration misses there is B22, and with KVM_RUN alone it "
        "misses nothing in any order.",
        before=(holds(V7, "lost-dirty", ALIGNED),),
        fixed_by='4438355ec6e1 "KVM: x86/xen: mark guest pages dirty with the pfncache lock held"',
        conditions="another thread that reconfigures the vCPU's caches, which there is not",
    ),
    Case(
        "B22",
        "a page is dirtied after migration's last harvest",
        "up to 6.10 (a795cd43 to 4438355e)",
        "fixed",
        "The VMM has stopped the vCPU and taken the last dirty bitmap, and issues some ioctl on the vCPU. It is "
        "preempted, sched_out writes the runstate area, and no harvest will tell.",
        before=(
            Trial(V2, "lost-dirty", ALIGNED),
            Trial(V6, "lost-dirty", ALIGNED),
        ),
        after=(
            holds(V6S, "lost-dirty", ALIGNED),
            holds(V7, "lost-dirty", ALIGNED),
        ),
        fixed_by='118964562969 "KVM: Mark a vCPU as preempted/ready iff it\'s scheduled out while running"',
        conditions="any vCPU ioctl after the last harvest; cond_resched() is enough",
        trace="runstate-lost-dirty-e200bc2c1d.json",
    ),
    B23,
    Case(
        "D1",
        "the second page of the old area is written while the area moves",
        "6.2 to 6.10 (5ec3289b to 4438355e)",
        "fixed",
        "RUNSTATE_ADDR has moved gpc1 and not yet gpc2, and is preempted; sched_out finds both valid and writes the "
        "tail of the struct into the old area's second page. Where the new tail is longer, bytes beyond the old area "
        "are overwritten.",
        before=(
            Trial(V3, "out-of-area", SPLIT),
            Trial(V6, "out-of-area", SPLIT),
            Trial(V6, "out-of-area", (*SPLIT, ("preemption", "voluntary"))),
        ),
        after=(
            holds(V6S, "out-of-area", SPLIT),
            holds(V6, "out-of-area", (*SPLIT, ("fix", "address"))),
            holds(V6, "out-of-area", (*SPLIT, ("to", "same"))),
            holds(V6, "out-of-area", (*SPLIT, ("preemption", "none"))),
        ),
        fixed_by='118964562969 "KVM: Mark a vCPU as preempted/ready iff it\'s scheduled out while running"',
        conditions="an area across a page that moves to where its tail is longer; voluntary preemption or full",
        trace="runstate-out-of-area-17f7865a30.json",
        report=D1_REPORT,
    ),
    D2,
    Case(
        "D3",
        "PREEMPT_RT: a nested writer clears the flag of the one it interrupts",
        "all with PREEMPT_RT",
        "confirmed",
        "On PREEMPT_RT the read lock disables neither interrupts nor preemption, so sched_out may nest between the "
        "stores of an update. It takes the same lock again, writes a whole update and clears the flag; the "
        "interrupted call goes on storing with the flag clear.",
        before=(Trial(V7, "torn-read", RT),),
        after=(holds(V7, "torn-read", ALIGNED),),
        conditions="PREEMPT_RT with CONFIG_KVM_XEN, which nobody is known to run",
        trace="runstate-torn-read-446aaa9151.json",
    ),
    Case(
        "D4",
        "PREEMPT_RT: the unlock wakes a writer with the run-queue lock held",
        "all with PREEMPT_RT",
        "confirmed",
        "sched_out's read_unlock is the last one and a writer waits, so it wakes the writer, which takes the run-"
        "queue lock that sched_out holds already. And read_unlock_irqrestore() restores nothing there, so that "
        "RUNSTATE_CURRENT(runnable) returns with interrupts off.",
        before=(
            Trial(V7, "deadlock", (*RT, ("vmm", "moves"))),
            Trial(V7, "sleep-in-atomic", (*RT, ("ioctls", "runnable"), ("vmm", "moves"))),
            Trial(V2, "sleep-in-atomic", (*RT, ("vmm", "moves"))),
        ),
        after=(holds(V7, "deadlock", (*ALIGNED, ("vmm", "moves"))),),
        conditions="PREEMPT_RT with CONFIG_KVM_XEN, and an invalidation at that moment",
        trace="runstate-deadlock-b09fc0353f.json",
    ),
    D5,
    Case(
        "D6",
        "a 64-bit load of the entry time that the machine splits",
        "6.2 and later",
        "confirmed",
        "The entry time crosses a cache line or a page and a 64-bit guest loads it in one instruction, of which the "
        "half with the flag is performed before the update and the other half during it. The guest sees the new entry"
        " time without a flag, and copies the old state with it.",
        before=(
            Trial(V3, "torn-read", SPLIT),
            Trial(V7, "torn-read", SPLIT),
            Trial(V7, "torn-read", (("abi", "64"), ("offset", 49))),
        ),
        after=(
            holds(V7, "torn-read", ALIGNED),
            holds(V7, "torn-read", (("abi", "64"), ("offset", 4064))),
        ),
        conditions="a 64-bit guest whose entry time crosses a line, a remote reader that loads it in one instruction",
        trace="runstate-torn-read-75a0de5577.json",
        report=D6_REPORT,
    ),
    Case(
        "D7",
        "an ioctl that answers success and has written nothing",
        "6.2 and later",
        "confirmed",
        "RUNSTATE_CURRENT or ADJUST with the state runnable take the atomic path of the update, which gives up where "
        "a cache is invalid or its lock contended. The ioctl answers 0 and the guest's copy stays old; by design, it "
        "may be said.",
        before=(
            Trial(V3, "published", (*ALIGNED, ("ioctls", "runnable"))),
            Trial(V7, "published", (*ALIGNED, ("ioctls", "runnable"))),
        ),
        after=(holds(V7, "published", ALIGNED),),
        conditions="CURRENT or ADJUST with state runnable, beside an invalidation",
        trace="runstate-published-34c88dbc6b.json",
    ),
    Case(
        "D8",
        "an update in sched_out that is skipped",
        "all",
        "confirmed",
        "Where a cache is invalid sched_out writes nothing, and the guest's copy says running while the vCPU waits. "
        "It is old and not wrong: the next sched_in asks for an update before the guest runs, and the copy is whole.",
        before=(
            holds(V7, "own-read", ALIGNED),
            holds(V7, "torn-read", ALIGNED),
        ),
        conditions="an invalidation while the vCPU is scheduled out",
    ),
    Case(
        "D9",
        "migration copies a page in the middle of an update",
        "all",
        "confirmed",
        "The copy has the flag set and half an update. The page is marked dirty afterwards, so it is copied again, "
        "unless that copy was the last: then the VMM must have stopped the vCPU, as VMMs do.",
        before=(Trial(V7, "lost-dirty", (*ALIGNED, ("without", "pause"))),),
        after=(holds(V7, "lost-dirty", ALIGNED),),
        conditions="a last copy while the vCPU runs",
        trace="runstate-lost-dirty-a91291ccb2.json",
    ),
    Case(
        "D10",
        "the layout changes between its look and the stores",
        "all",
        "confirmed",
        "long_mode is read without a lock. A guest that leaves long mode then has the 64-bit layout written, 4 "
        "bytes beyond its compat struct, until the next update. a795cd43 reads it twice, and may store 48 bytes where "
        "it checked 44; they are in the page, since it registers 48 in either mode.",
        before=(
            Trial(V2, "out-of-area", (*ALIGNED, ("mode", "switches"))),
            Trial(V7, "out-of-area", (*ALIGNED, ("mode", "switches"))),
        ),
        after=(holds(V7, "out-of-area", ALIGNED),),
        conditions="a switch from 64-bit to compat mode while an update runs",
        trace="runstate-out-of-area-5e5ff14660.json",
    ),
    Case(
        "D11",
        "a remote reader of a guest that did not ask for the update flag",
        "6.2 and later (d8ba8ba4)",
        "control",
        "Without the flag nothing tells a remote reader of an update in progress. The interface says so: a guest that"
        " reads another vCPU's area must ask for the flag.",
        before=(Trial(V4, "torn-read", (*ALIGNED, ("flag", "off"))),),
        after=(holds(V4, "torn-read", ALIGNED),),
        conditions="flag not enabled, a remote reader",
        trace="runstate-torn-read-d7230e3bb3.json",
    ),
    D12,
    Case(
        "N1",
        "an update in progress does not know that the guest has asked for the flag",
        "6.2 and later (d8ba8ba4)",
        "confirmed",
        "RUNSTATE_UPDATE_FLAG is set under a lock that the writer does not take, and nobody waits for an update that "
        "looked at the flag before. The guest's hypercall has returned, it reads that vCPU's area, sees no flag, and "
        "accepts a copy of two updates.",
        before=(
            Trial(V4, "torn-read", (*ALIGNED, ("flag", "switches"))),
            Trial(V7P, "torn-read", (*ALIGNED, ("flag", "switches"), ("preemption", "none"))),
        ),
        after=(
            holds(V7P, "torn-read", (*ALIGNED, ("flag", "switches"), ("fix", "flag"))),
            holds(V7P, "torn-read", ALIGNED),
        ),
        conditions="a guest that turns the flag on while other vCPUs run, and reads one of their areas at once",
        trace="runstate-torn-read-caa19f9cf6.json",
        report=N1_REPORT,
    ),
)

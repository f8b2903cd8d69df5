"""The bugs of the accounting and of the times that it publishes: B23, D2, D5 and D12 of protocol.md."""

from __future__ import annotations

from modelcheck import Case, Trial
from specs.runstate.accounting_reports import D2_REPORT, D12_REPORT
from specs.runstate.trials import ALIGNED, V2, V6, V6S, V7, V7P, Values, holds

DATA: Values = (*ALIGNED, ("ioctls", "data"), ("fix", "accounting"))
ADJUST: Values = (*ALIGNED, ("ioctls", "adjust"), ("preemption", "none"))

B23 = Case(
    "B23",
    "a clock or run_delay that does not fit makes times negative",
    "up to 7.2 (to 11896456)",
    "fixed",
    "The accounting takes differences as unsigned numbers. A kvmclock that steps back, or a run_delay that moved "
    "further than kvmclock, books a negative time, and a time goes back or wraps. RUNSTATE_ADJUST leads there too: it "
    "moves the entry time forward and leaves last_steal.",
    before=(
        Trial(V6S, "monotonic", (*ALIGNED, ("clock", "may-step-back"), ("preemption", "none"))),
        Trial(V6S, "monotonic", (*ALIGNED, ("steal", "free"), ("preemption", "none"))),
        Trial(V6S, "monotonic", ADJUST),
    ),
    after=(
        holds(V7, "monotonic", (*ALIGNED, ("clock", "may-step-back"), ("preemption", "none"))),
        holds(V7, "monotonic", (*ALIGNED, ("steal", "free"), ("preemption", "none"))),
        holds(V7, "monotonic", ADJUST),
    ),
    fixed_by='36a85200643e "KVM: x86/xen: Prevent runstate times from becoming negative"',
    conditions="KVM_SET_CLOCK back, or a run_delay on another time base, or RUNSTATE_ADJUST that moves the entry time "
    "forward after the vCPU thread has waited for a CPU",
    trace="runstate-monotonic-fc6f764f7a.json",
)

D2 = Case(
    "D2",
    "times are counted twice when the accounting is preempted",
    "all (a795cd43 to da260bcb)",
    "confirmed",
    "record_steal_time() is preempted between the clock and the store of the entry time; sched_out books the time"
    " since the old entry time, and the interrupted call books it again and stores its older clock reading. The "
    "sum of times is too large for ever, and the entry time goes back; a 32-bit guest's get64() can then be torn "
    "too. Up to 6.10 sched_out may also come between the stores of RUNSTATE_DATA and ADJUST: it publishes a mixed "
    "shadow, and the stores that remain make the sum wrong for good.",
    before=(
        Trial(V2, "time-sum", ALIGNED),
        Trial(V7P, "time-sum", ALIGNED),
        Trial(V7P, "monotonic", ALIGNED),
        Trial(V7P, "torn-read", (("abi", "32"), ("offset", 0))),
        Trial(V6, "time-sum", DATA),
        Trial(V6, "time-sum", (*ALIGNED, ("ioctls", "adjust"), ("fix", "accounting"))),
    ),
    after=(
        holds(V7P, "time-sum", (*ALIGNED, ("fix", "accounting"))),
        holds(V7P, "monotonic", (*ALIGNED, ("fix", "accounting"))),
        holds(V7P, "torn-read", (("abi", "32"), ("offset", 0), ("fix", "accounting"))),
        holds(V7P, "time-sum", (*ALIGNED, ("preemption", "voluntary"))),
        holds(V7P, "torn-read", ALIGNED),
        holds(V6S, "time-sum", DATA),
        holds(V6, "time-sum", (*ALIGNED, ("ioctls", "data"), ("preemption", "voluntary"))),
    ),
    conditions="a kernel that preempts in kernel mode (full, lazy, PREEMPT_RT); for the ioctls also one before "
    "118964562969",
    trace="runstate-monotonic-f75bf7cad5.json",
    report=D2_REPORT,
)

D5 = Case(
    "D5",
    "times move and the entry time does not",
    "a795cd43 to 11896456 by the clock; 5ec3289b and later by RUNSTATE_ADJUST",
    "confirmed",
    "A reader takes an unchanged entry time for an unchanged struct. RUNSTATE_ADJUST with state -1 and deltas that "
    "cancel out publishes other times with the old entry time, and a remote reader's copy mixes the two. Before "
    "36a85200 two updates at one kvmclock value did so too where run_delay moved meanwhile; since then only the state "
    "moves there, which no copy can mix.",
    before=(
        Trial(V7P, "torn-read", ADJUST),
        Trial(V6S, "torn-read", (*ALIGNED, ("clock", "may-repeat"), ("steal", "free"), ("preemption", "none"))),
    ),
    after=(
        holds(V2, "torn-read", ADJUST),
        holds(V7P, "torn-read", (*ADJUST, ("reader", "state-only"))),
        holds(V7P, "torn-read", (*ALIGNED, ("ioctls", "data"), ("preemption", "none"))),
        holds(V7, "torn-read", (*ALIGNED, ("clock", "may-repeat"), ("steal", "free"), ("preemption", "none"))),
        holds(V6S, "torn-read", (*ALIGNED, ("clock", "may-repeat"), ("preemption", "none"))),
    ),
    conditions="a VMM that adjusts times by deltas that cancel out while another CPU reads (the in-tree selftest does, "
    "with nobody reading); or, before 36a85200, two updates at one clock value and a run_delay that moved",
    trace="runstate-torn-read-f1ae8e647b.json",
)

D12 = Case(
    "D12",
    "a wait for a CPU is booked as running",
    "all (a795cd43 to da260bcb)",
    "confirmed",
    "The preemption comes after the clock was read and before run_delay is. The interrupted call then takes the "
    "new run_delay without booking the wait, and the next update books all of it as running: steal time is lost.",
    before=(
        Trial(V2, "steal-booked", ALIGNED),
        Trial(V7P, "steal-booked", ALIGNED),
    ),
    after=(
        holds(V7P, "steal-booked", (*ALIGNED, ("fix", "accounting"))),
        holds(V7P, "steal-booked", (*ALIGNED, ("preemption", "voluntary"))),
    ),
    conditions="a kernel that preempts in kernel mode; put_cpu() at the end of get_kvmclock_ns() is the usual "
    "point",
    trace="runstate-steal-booked-9eab50a453.json",
    report=D12_REPORT,
)

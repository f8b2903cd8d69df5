"""What could be mailed to the KVM list on the accounting's races, D2 and D12 of protocol.md.

Tables are `modelcheck show TRACE --as paste`, numbers z3's; `modelcheck list --bug D2` prints them.
"""

from __future__ import annotations

D2_REPORT = """\
Subject: KVM: x86/xen: preemption inside kvm_xen_update_runstate() corrupts
the runstate times for good

What happens. kvm_xen_update_runstate() reads the clock, computes delta_ns =
now - runstate_entry_time, adds it to a time and stores the new entry time.
From record_steal_time() it runs preemptible. If the vCPU task is preempted
after delta_ns was computed and before runstate_entry_time is stored,
kvm_sched_out() runs the same function for the same vCPU
(RUNSTATE_runnable): it books the time since the old entry time and stores a
newer one. The outer call then books its own delta_ns, which is the same
time once more, and stores its older clock reading as the entry time. So

- the sum of the four times exceeds state_entry_time from then on, by (clock
  of the nested update) - (entry time before): everything since the last
  update, not the width of the window. After a long HLT these are seconds;
- state_entry_time, as published, goes back by the difference of the two
  clock readings;
- if the preemption comes between the addition and the store, the nested
  update itself publishes a struct whose times do not add up.

The update that kvm_vcpu_exit_request() forces after the sched_in does not
repair it: it, and every later one, adds now - runstate_entry_time to both
sides. KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA with consistent values does; but
a VMM that gets RUNSTATE_DATA and sets it again (migration) is refused with
-EINVAL, since the sum differs from the entry time.

Conditions. Every version from a795cd43 (5.18) to 36a85200 (7.3); the code
before is the same by its description and was not read. CONFIG_KVM_XEN, the
Xen hypercall MSR set, a runstate area registered or not (the shadow is
corrupted either way), and a kernel that preempts in kernel mode:
CONFIG_PREEMPT, lazy or dynamic preemption, PREEMPT_RT. With none or
voluntary there is no preemption point inside: the checker proves that all
of it holds there. Points at which a preemption does it: in 36a85200 from
the computation of delta_ns to the addition to runstate_times[] (before the
store of the entry time, 6 steps of 11); before it also between the later
stores, up to that of the entry time.

Race (36a85200; shortest for "no published time goes back"; `modelcheck
check --set preemption=full --property monotonic`). Values by z3, with a
preference for small ones; they are those of the calculation by hand.

    Initially: entry_time = 1000, time[running] = 600, time[runnable] =
               300, time[blocked] = 0, time[offline] = 100, last_steal =
               50, clock = 1090, run_delay = 140

    CPU0 (vCPU task, KVM_RUN)
    vcpu_enter_guest()
      the last to change the state was -> a sched_out: runnable
        kvm_xen_update_runstate()
          now = get_kvmclock_ns() -> clock = 1100, now = 1100
          run_delay = current->sched_info.run_delay -> rd = 140
          delta = now - entry_time -> delta = 100
    --> sched_out
        preempt
            kvm_xen_update_runstate()
            now = get_kvmclock_ns() -> clock = 1110, now = 1110
            run_delay = current->sched_info.run_delay -> rd = 140
            delta = now - entry_time -> delta = 110
            steal = run_delay - last_steal -> steal = 90
            if (!entry_time) current_runstate = offline -> False
            current_runstate == running && steal > 0? -> False
            time[current_runstate] += delta -> time[runnable] = 410
            entry_time = now -> entry_time = 1110
            current_runstate = runnable
            last_steal = rd -> last_steal = 140
            kvm_xen_update_runstate_guest()
            the guest gets entry_time and time[]
              -> guest entry_time = 1110, guest time[runnable] = 410
          __schedule()
            waits for a CPU -> away = 390
          kvm_sched_in()
            kvm_sched_in()
              -> clock = 1500, run_delay = 530, time[runnable] at sched_out
                = 410
        ...
        resume
    <-- vCPU task, KVM_RUN
          steal = run_delay - last_steal
          if (!entry_time) current_runstate = offline -> False
          time[current_runstate] += delta -> time[runnable] = 510
          entry_time = now -> entry_time = 1100
          current_runstate = running
          last_steal = rd
      kvm_xen_update_runstate_guest()
        the guest gets entry_time and time[]
          -> guest entry_time = 1100, guest time[runnable] = 510
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    => for the guest, entry_time goes back from 1110 to 1100
       Published: entry_time 1100, running 600, runnable 510, blocked 0,
       offline 100.
       runstate 36a85200 monotonic; known: D2; 2 context switches;
       id 981602166d.

Consequence in numbers. Before: entry time 1000 = 600 + 300 + 0 + 100. After
the outer update: entry time 1100, times 600 + 510 + 0 + 100 = 1210, 110 too
much (1110 - 1000). After the forced update at 1510: entry time 1510, times
620 + 900 + 0 + 100 = 1620, still 110 too much. The nested update had
published entry time 1110; then the guest sees 1100.

The same seen earlier, in what the nested update publishes when it comes
between the addition and the store:

    Initially: entry_time = 1000, time[running] = 600, time[runnable] =
               300, time[blocked] = 0, time[offline] = 100, last_steal =
               50, clock = 1090, run_delay = 140

    CPU0 (vCPU task, KVM_RUN)
    vcpu_enter_guest()
      the last to change the state was -> a sched_out: runnable
        kvm_xen_update_runstate()
          now = get_kvmclock_ns() -> clock = 1100, now = 1100
          run_delay = current->sched_info.run_delay -> rd = 140
          delta = now - entry_time -> delta = 100
          steal = run_delay - last_steal -> steal = 90
          if (!entry_time) current_runstate = offline -> False
          time[current_runstate] += delta -> time[runnable] = 400
    --> sched_out
        preempt
            kvm_xen_update_runstate()
            now = get_kvmclock_ns() -> clock = 1110, now = 1110
            run_delay = current->sched_info.run_delay -> rd = 140
            delta = now - entry_time -> delta = 110
            steal = run_delay - last_steal -> steal = 90
            if (!entry_time) current_runstate = offline -> False
            current_runstate == running && steal > 0? -> False
            time[current_runstate] += delta -> time[runnable] = 510
            entry_time = now -> entry_time = 1110
            current_runstate = runnable
            last_steal = rd -> last_steal = 140
            kvm_xen_update_runstate_guest()
            the guest gets entry_time and time[]
              -> guest entry_time = 1110, guest time[runnable] = 510
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    => the guest reads times whose sum is 1210, 100 more than the entry
       time 1110
       The sum of times 600 + 510 + 0 + 100 = 1210 != entry time 1110.
       No later update takes the difference away: each adds the time since
       the entry time to both.
       runstate 36a85200 time-sum; known: D2; 1 context switch;
       id c50454d965.

Fix that the checker proves. No preemption from the clock reading to the
last store of the shadow (A1 to A11; the model takes interrupts off, `--set
fix=accounting`, and preempt_disable()/preempt_enable() excludes the same
nested update, sched_out being the only one). The guest half stays outside:
it may sleep, and it publishes whatever the shadow then is. Proved for all
64-bit values, by induction for any number of updates: `modelcheck check
--version all --set fix=accounting --set preemption=none,voluntary,full,rt
--property time-sum --property monotonic --property steal-booked`, all 84
combinations of one area hold. Assumed, by name: clock readings increase and
are below 2^62 ns, run_delay advances with the clock while the task waits,
the VMM changes the shadow by whole updates only. Not run on a kernel.

Up to 6.10 sched_out counts outside KVM_RUN too, so the same race is in the
accounting of RUNSTATE_CURRENT and ADJUST, and between the plain stores of
RUNSTATE_DATA and the additions of RUNSTATE_ADJUST: a mixed shadow is
published, and the ioctl then stores the rest of its words over what
sched_out booked (checked: ioctls=data and ioctls=adjust, 4438355e, with the
accounting itself repaired). Since 118964562969 it does nothing there, and
with that fix and the one above RUNSTATE_DATA keeps the sum, and the order
of a VMM that sets no time back.
"""

D12_REPORT = """\
Subject: KVM: x86/xen: steal time lost when kvm_xen_update_runstate() is
preempted before it reads run_delay

What happens. From 36a85200 on the function reads the clock, then
current->sched_info.run_delay, then computes both differences.
get_kvmclock_ns() ends in a put_cpu(), which is a preemption point: after
the clock was read, before run_delay is. If the vCPU task is preempted
there, the nested update in kvm_sched_out() stores a newer entry time. The
task waits. When it is back it reads a run_delay that contains the wait
already; delta_ns is negative, so no time is booked and the entry time stays
at the sched_out, but the state becomes running and last_steal takes the new
run_delay. The update forced after the sched_in then has state == running
and a steal of 0: all of the wait is booked as running. The times still add
up and never go back; the guest just sees no steal.

Before 36a85200 the same happens with the preemption before or after
delta_ns is computed, up to the reading of run_delay; there the entry time
and time[runnable] go back as well (delta_ns wraps), or the time is counted
twice (D2).

Conditions. As for D2: every version, any kernel that preempts in kernel
mode. The point is not rare: preempt_enable() in put_cpu() reschedules at
once if a reschedule was due while preemption was off.

Race (36a85200; shortest; `modelcheck check --set preemption=full --property
steal-booked`).

    Initially: entry_time = 1000, time[running] = 600, time[runnable] =
               300, time[blocked] = 0, time[offline] = 100, last_steal =
               50, clock = 1090, run_delay = 140

    CPU0 (vCPU task, KVM_RUN)
    vcpu_enter_guest()
      the last to change the state was -> a sched_out: runnable
        kvm_xen_update_runstate()
          now = get_kvmclock_ns() -> clock = 1100, now = 1100
    --> sched_out
        preempt
            kvm_xen_update_runstate()
            now = get_kvmclock_ns() -> clock = 1110, now = 1110
            run_delay = current->sched_info.run_delay -> rd = 140
            delta = now - entry_time -> delta = 110
            steal = run_delay - last_steal -> steal = 90
            if (!entry_time) current_runstate = offline -> False
            current_runstate == running && steal > 0? -> False
            time[current_runstate] += delta -> time[runnable] = 410
            entry_time = now -> entry_time = 1110
            current_runstate = runnable
            last_steal = rd -> last_steal = 140
            kvm_xen_update_runstate_guest()
            the guest gets entry_time and time[]
              -> guest entry_time = 1110, guest time[runnable] = 410
          __schedule()
            waits for a CPU -> away = 390
          kvm_sched_in()
            kvm_sched_in()
              -> clock = 1500, run_delay = 530, time[runnable] at sched_out
                = 410
        ...
        resume
    <-- vCPU task, KVM_RUN
          run_delay = current->sched_info.run_delay -> rd = 530
          delta = now - entry_time -> delta = 2^64-10
          steal = run_delay - last_steal -> steal = 390
          if (!entry_time) current_runstate = offline -> False
          current_runstate = running
          last_steal = rd -> last_steal = 530
      kvm_xen_update_runstate_guest()
        the guest gets entry_time and time[]
    vcpu_enter_guest()
      KVM_REQ_STEAL_UPDATE? -> True
        kvm_xen_update_runstate()
          now = get_kvmclock_ns() -> clock = 1510, now = 1510
          run_delay = current->sched_info.run_delay
          delta = now - entry_time -> delta = 400
          steal = run_delay - last_steal -> steal = 0
          if (!entry_time) current_runstate = offline -> False
          time[current_runstate] += delta -> time[running] = 1000
          entry_time = now -> entry_time = 1510
          last_steal = rd
      kvm_xen_update_runstate_guest()
        the guest gets entry_time and time[]
          -> guest entry_time = 1510, guest time[running] = 1000
    ...
    the wait is in time[runnable]
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    => of the 390 the task waited for a CPU, 0 are booked as runnable
       time[runnable] was 410 when the wait began and is 410 after the
       update that follows it.
       Published: entry_time 1510, running 1000, runnable 410, blocked 0,
       offline 100.
       runstate 36a85200 steal-booked; known: D12; 2 context switches;
       id 5e95806df8.

Consequence in numbers. 390 of waiting; running 1000 and runnable 410 at
1510. Had the preemption come before the clock was read (outer update at
1502, forced update at 1510): running 608 and runnable 802, as it should be.
Preempted after run_delay was read, the wait is recovered by the forced
update (last_steal is then the old one).

Fix that the checker proves. The same as for D2: no preemption from the
clock reading to the last store of the shadow. It is needed: reading
run_delay before the clock leaves D2.

A limit that stays. With a clock that steps back (KVM_SET_CLOCK) 36a85200
books nothing while the clock is behind the entry time, but takes the new
state and run_delay: a wait that begins there is booked as running once the
clock has caught up, with any preemption model and with the fix (`--set
clock=may-step-back --property steal-booked`).
"""

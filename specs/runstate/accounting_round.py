"""A round of the accounting: who runs around kvm_xen_update_runstate(), and why a round speaks for all there are.

Who runs: the vCPU task in KVM_RUN makes a sleeping update after a sched-in (record_steal_time()).  sched_out nests on
it with the atomic update, waits for a CPU, and its sched_in raises KVM_REQ_STEAL_UPDATE again, so that
kvm_vcpu_exit_request() forces another update before the guest runs (protocol.md 2.1, 12.2).

One round: any shadow that satisfies the invariant (`data`), that update, one sched_out at any point where the task may
be preempted, the update that follows it.  Why one nested update is enough where a property HOLDS: there nothing nests
inside A1..A11 (no preemption point, or interrupts off), so whatever happens is a sequence of whole updates, each from a
shadow that the one before it left.  A round has each kind of update from any shadow of the invariant, which is checked
again after the sched_out, once the task is back, and at the end; so by induction a property holds for any number of
updates in any order.  (What an update books depends on the state before it, not on the one it sets, so those of ioctls,
and a second sched_out before the task got anywhere, are the same.  RUNSTATE_DATA and ADJUST set times themselves: where
they are asked for, a round may begin with one of them, and the invariant is checked after it.)  With preemption inside
A1..A11, or inside such an ioctl, a round is a counterexample or nothing: no verdict HOLDS rests on it.

A round starts with the shadow published.  Where the atomic guest half had given up, the guest has an older one; what is
published next is not before the shadow, and that is not before the older one.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck import Action, any_word, assign, check, choose, shared, sleep_point, test
from specs.runstate.accounting import BLOCKED, LIMIT, OFFLINE, RUNNABLE, RUNNING, Accounting, Steps, update_runstate
from specs.runstate.layout import RUNSTATES
from specs.runstate.shadow_ioctls import set_times


def vcpu(one: Accounting) -> Steps:
    """The vCPU task: perhaps an ioctl; an update, and another where a sched_out came between it and the guest."""
    yield start(one)
    if one.ioctl is not None:
        called = yield choose("the VMM calls", "KVM_RUN", f"RUNSTATE_{one.ioctl.name}").at("", "kvm_vcpu_ioctl")
        if called != "KVM_RUN":
            yield from set_times(one, one.ioctl)
            if one.whole:
                yield check(one.ioctl.leaves, one.name, "a round may start from this shadow")
        yield assign(one.ioctl.in_run, 1).as_("wants_to_run = true").at("", "kvm_arch_vcpu_ioctl_run")
    yield sleep_point("vcpu_enter_guest()", preemptible=True).at("", "vcpu_enter_guest")
    yield from update_runstate(one, RUNNING)
    yield sleep_point("kvm_vcpu_exit_request()", preemptible=True).at("", "vcpu_enter_guest")
    requested = one.shadow.requested
    if (yield test(requested.eq(1), "KVM_REQ_STEAL_UPDATE?", then=((requested, 0),)).at("", "vcpu_enter_guest")):
        yield from update_runstate(one, RUNNING, "updated again after the sched_out")
        if one.name == "steal-booked":
            grown = one.shadow.times[RUNNABLE] - one.shadow.before
            yield check(one.shadow.away.le(grown), one.name, "the wait is in time[runnable]")
    yield check(one.invariant, one.name, "a round may start from this shadow")


def sched_out(one: Accounting) -> Steps:
    """kvm_sched_out() from __schedule(), the wait for a CPU, and sched_in; the run-queue lock is no part of this."""
    shadow, counts = one.shadow, True
    if one.ioctl is not None and not one.ioctl.counts:
        counts = yield test(one.ioctl.in_run.eq(1), "wants_to_run?").at("", "kvm_sched_out")
    if counts:
        yield from update_runstate(one, RUNNABLE, "sched_out published")
    fits = (shadow.clock + shadow.away).lt(LIMIT) & (shadow.run_delay + shadow.away).lt(LIMIT)
    yield any_word(
        shadow.away, "waits for a CPU", shadow.away.lt(LIMIT) & fits, prefer=(shadow.away.eq(390),)
    ).at("", "__schedule")
    waited = ((shadow.run_delay, shadow.run_delay + shadow.away),) if one.exact else ()
    yield shared(
        "kvm_sched_in()",
        (shadow.clock, shadow.clock + shadow.away),
        *waited,
        (shadow.before, shadow.times[RUNNABLE]),
        (shadow.requested, 1),
    ).at("", "kvm_sched_in")
    if one.whole and counts:
        yield check(one.invariant, one.name, "a round may start from this shadow")


def start(one: Accounting) -> Action:
    """Any shadow of the invariant, all of it published; from here on the task may be preempted."""
    shadow = one.shadow
    copied = tuple(zip((shadow.guest_entry, *shadow.guest_times), (shadow.entry, *shadow.times), strict=True))
    last = ((RUNNABLE, "a sched_out"), (BLOCKED, "an ioctl"), (OFFLINE, "an ioctl"), (RUNNING, "an update"))
    branches = [
        replace(shared("", (shadow.state, state), *copied).branches[0], response=f"{by}: {RUNSTATES[state]}", irq="on")
        for state, by in last
    ]
    return Action("choose", "the last to change the state was", tuple(branches)).at("", "vcpu_enter_guest")

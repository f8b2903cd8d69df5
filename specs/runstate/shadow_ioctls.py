"""The ioctls that set the shadow's times themselves, over 64-bit words: RUNSTATE_DATA and ADJUST of protocol.md 5.1.

Each looks at what the VMM passes, and then sets the words one after the other with plain stores.  What is refused
(-EINVAL) changes nothing.  RUNSTATE_DATA never writes guest memory; ADJUST with state -1 runs the guest half alone from
5ec3289b on, with a valid state a whole update, as KVM_RUN does from the same shadow.

Up to 6.10 a sched_out counts outside KVM_RUN too (protocol.md D2, last line): it may come between the stores, and
publishes a mixed shadow, of which the ioctl then overwrites a part.  Since 11896456 it does nothing here.

What the VMM passes for `monotonic` does not lie behind the shadow when the ioctl looks at it: whoever sets a time back
moves it back, and no kernel can help.  Differences are below 2^60 ns there: the ioctl's own test that they add up is
modulo 2^64, so four large ones may move the entry time back and pass.
"""

from __future__ import annotations

from modelcheck import Action, Branch, any_word, assign, lift, shared, sleep_point, test
from specs.runstate.accounting import LIMIT, OFFLINE, Accounting, Ioctl, Steps, publish, read_clock
from specs.runstate.layout import RUNSTATES

SET_ATTR = "kvm_xen_vcpu_set_attr"
DONE = "the VMM has set the times"
LIKELY = (0, 0, 60, 0)  # by how much times move, for counterexamples that read well


def set_times(one: Accounting, call: Ioctl) -> Steps:
    """One of the ioctls; those of the vCPU run on its task, under xen_lock (kvm->lock before 310bc39546a4)."""
    yield sleep_point("mutex_lock()", preemptible=True).at("", SET_ATTR)
    yield from passed(one, call)
    yield read_clock(one).at(call.name, SET_ATTR)
    yield from (runstate_data if call.name == "DATA" else runstate_adjust)(one, call)


def passed(one: Accounting, call: Ioctl) -> Steps:
    """What the VMM passes: a time, or a difference, for each state, and their sum, since another is refused."""
    monotonic = one.name == "monotonic"
    for k in range(len(RUNSTATES)):
        slot = call.times[k]
        least, limit = (one.shadow.times[k], LIMIT) if call.name == "DATA" else (lift(0), LIMIT // 4)
        fits = least.le(slot) & slot.lt(limit) if monotonic else lift(0).le(slot)
        likely = (slot.eq(least + LIKELY[k]),)
        yield any_word(slot, f"the VMM passes time[{RUNSTATES[k]}]", fits, prefer=likely).at("", "the VMM")
    a, b, c, d = call.times
    yield assign(call.entry, a + b + c + d).as_("the VMM passes state_entry_time, their sum").at("", "the VMM")


def runstate_data(one: Accounting, call: Ioctl) -> Steps:
    """KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA: state, entry time, times and last_steal are replaced."""
    shadow = one.shadow
    if not (yield test(call.entry.le(shadow.registers.now), "state_entry_time <= now?").at("DATA", SET_ATTR)):
        return
    states = tuple([Branch(name, updates=((shadow.state, lift(k)),)) for k, name in enumerate(RUNSTATES)])
    yield Action("choose", "current_runstate = the VMM's", states).at("DATA", SET_ATTR)
    yield assign(shadow.entry, call.entry).as_("entry_time = the VMM's").at("DATA", SET_ATTR)
    for k in range(len(RUNSTATES)):
        yield assign(shadow.times[k], call.times[k]).as_(f"time[{RUNSTATES[k]}] = the VMM's").at("DATA", SET_ATTR)
    label = "last_steal = current->sched_info.run_delay"
    if one.exact:
        yield assign(shadow.last_steal, shadow.run_delay).as_(label).at("DATA", SET_ATTR).reaching(DONE)
    else:
        last = shadow.last_steal
        yield any_word(last, label, last.lt(LIMIT)).at("DATA", SET_ATTR).reaching(DONE)


def runstate_adjust(one: Accounting, call: Ioctl) -> Steps:
    """KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST with state -1: what the VMM passes is added; last_steal stays."""
    shadow = one.shadow
    fits = (shadow.entry + call.entry).le(shadow.registers.now)
    if not (yield test(fits, "entry_time + delta <= now?").at("ADJUST", SET_ATTR)):
        return
    yield shared("entry_time += delta", (shadow.entry, shadow.entry + call.entry)).at("ADJUST", SET_ATTR)
    for k in range(len(RUNSTATES)):
        time = shadow.times[k]
        added = shared(f"time[{RUNSTATES[k]}] += delta", (time, time + call.times[k])).at("ADJUST", SET_ATTR)
        yield added if k < OFFLINE else added.reaching(DONE)
    if call.writes:
        yield publish(one).at("ADJUST", SET_ATTR)

"""The accounting half: kvm_xen_update_runstate(), A1 to A12 of protocol.md 2.2 in both its forms, over 64-bit words.

One yield is one step, with the kernel's names; what the compiler keeps in registers (now, delta, run_delay, steal) is a
local word.  `x += y` on the shadow is one step: an interrupt, at whose end a task is preempted, does not come inside an
instruction.  The guest half is one step here, which copies the shadow to the guest (G0 to G13 are in `writer`).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from modelcheck import OLD, Action, Branch, Expr, Slot, any_word, assign, check, ite, shared, test
from specs.runstate.layout import RUNSTATES

Steps = Generator[Action, Any, Any]
RUNNING, RUNNABLE, BLOCKED, OFFLINE = range(4)
UPDATE = "kvm_xen_update_runstate"
GUEST = "kvm_xen_update_runstate_guest"
LIMIT = 1 << 62  # of clock and run_delay readings, in nanoseconds: 146 years


@dataclass(frozen=True, slots=True)
class Registers:
    """The local variables of one kvm_xen_update_runstate(), one set for each process."""

    now: Slot
    delta: Slot
    run_delay: Slot
    steal: Slot


@dataclass(frozen=True, slots=True)
class Shadow:
    """The shadow in struct kvm_vcpu_xen, what was last published of it, and the clocks it is computed from.

    `clock` is kvmclock as it was last read or left by a sched_in, `run_delay` that of the task.  `away` is how long the
    task waited for a CPU after the nested sched_out, `before` what time[runnable] was when that began.
    """

    state: Slot
    entry: Slot
    times: tuple[Slot, ...]
    last_steal: Slot
    guest_entry: Slot
    guest_times: tuple[Slot, ...]
    clock: Slot
    run_delay: Slot
    away: Slot
    before: Slot
    requested: Slot
    registers: Registers

    @property
    def total(self) -> Expr:
        """The sum of the times."""
        a, b, c, d = self.times
        return a + b + c + d


@dataclass(frozen=True, slots=True)
class Ioctl:
    """What the VMM may call beside KVM_RUN: RUNSTATE_`name`, with a time for each state and their sum.

    `counts`: a sched_out counts as preemption outside KVM_RUN too (up to 11896456), which `in_run` tells.  `writes`:
    the ioctl runs the guest half itself.  `leaves` is what the shadow satisfies after it.
    """

    name: str
    times: tuple[Slot, ...]
    entry: Slot
    in_run: Slot
    counts: bool
    writes: bool
    leaves: Expr


@dataclass(frozen=True, slots=True)
class Accounting:
    """One setting: the shadow, `clamped` from 36a85200 on, what is known of the clocks, and what is checked.

    `invariant` is what a round starts from and must end with; `published` what a shadow must satisfy when it is
    published, None for nothing.  Both are about property `name`.  `fixed`: interrupts are off around the accounting;
    `whole`: nothing nests inside it, nor inside an ioctl.
    """

    shadow: Shadow
    name: str
    clamped: bool
    clock: str
    exact: bool
    fixed: bool
    whole: bool
    invariant: Expr
    published: Expr | None
    ioctl: Ioctl | None = None


def update_runstate(one: Accounting, state: int, witness: str = "update published") -> Steps:
    """kvm_xen_update_runstate(): A1 to A9 or A11, then the guest half."""
    hold = one.fixed and state == RUNNING  # sched_out has them off anyway
    if hold:
        yield Action("local", "local_irq_save()", (Branch(irq="off"),)).at("A0", UPDATE)
    yield from (clamped(one, state) if one.clamped else wrapping(one, state))
    if hold:
        yield Action("local", "local_irq_restore()", (Branch(irq="on"),)).at("A11", UPDATE)
    yield publish(one).at("A12" if one.clamped else "A10", GUEST).reaching(witness)


def wrapping(one: Accounting, state: int) -> Steps:
    """V0 to V6: all in u64 arithmetic."""
    shadow, regs = one.shadow, one.shadow.registers
    yield read_clock(one).at("A1", UPDATE)
    yield assign(regs.delta, regs.now - shadow.entry).as_("delta = now - entry_time").at("A2", UPDATE)
    yield read_run_delay(one).at("A3", UPDATE)
    yield no_entry_yet(shadow).at("A4", UPDATE)
    if (yield test(shadow.state.eq(RUNNING), "current_runstate == running?").at("A5", UPDATE)):
        steal = regs.run_delay - shadow.last_steal
        yield assign(regs.steal, steal).as_("steal = run_delay - last_steal").at("A5", UPDATE)
        yield book_steal(shadow).at("A5", UPDATE)
    yield assign(shadow.last_steal, regs.run_delay).at("A6", UPDATE)
    yield book_delta(shadow).at("A7", UPDATE)
    yield set_state(shadow, state).at("A8", UPDATE)
    yield assign(shadow.entry, regs.now).at("A9", UPDATE)


def clamped(one: Accounting, state: int) -> Steps:
    """V7: delta and steal are signed; a negative delta waits until the clock catches up, a negative steal is none."""
    shadow, regs = one.shadow, one.shadow.registers
    yield read_clock(one).at("A1", UPDATE)
    yield read_run_delay(one).at("A2", UPDATE)
    yield assign(regs.delta, regs.now - shadow.entry).as_("delta = now - entry_time").at("A3", UPDATE)
    yield assign(regs.steal, regs.run_delay - shadow.last_steal).as_("steal = run_delay - last_steal").at("A4", UPDATE)
    yield no_entry_yet(shadow).at("A5", UPDATE)
    if not (yield test(regs.delta.slt(0), "delta < 0?").at("A6", UPDATE)):
        stolen = shadow.state.eq(RUNNING) & ~regs.steal.sle(0)
        if (yield test(stolen, "current_runstate == running && steal > 0?").at("A7", UPDATE)):
            more = regs.delta.slt(regs.steal)
            yield test(more, "steal = min(steal, delta)", then=((regs.steal, regs.delta),)).at("A7", UPDATE)
            yield book_steal(shadow).at("A7", UPDATE)
        yield book_delta(shadow).at("A8", UPDATE)
        yield assign(shadow.entry, regs.now).at("A9", UPDATE)
    yield set_state(shadow, state).at("A10", UPDATE)
    yield assign(shadow.last_steal, regs.run_delay).at("A11", UPDATE)


def read_clock(one: Accounting) -> Action:
    """A reading of kvmclock: later than the one before, or as the setting has it."""
    clock = one.shadow.clock
    order = {"increasing": OLD.lt(clock), "may-repeat": OLD.le(clock)}.get(one.clock)
    when = clock.lt(LIMIT) & (clock.ne(0) if order is None else order)
    return any_word(
        clock, "now = get_kvmclock_ns()", when, (one.shadow.registers.now,), prefer=(clock.eq(OLD + 10),)
    )


def read_run_delay(one: Accounting) -> Action:
    """A reading of the task's run_delay: on kvmclock's time base, or anything."""
    label, register = "run_delay = current->sched_info.run_delay", one.shadow.registers.run_delay
    if one.exact:
        return assign(register, one.shadow.run_delay).as_(label)
    return any_word(register, label, register.lt(LIMIT), prefer=(register.eq(one.shadow.last_steal),))


def no_entry_yet(shadow: Shadow) -> Action:
    """Before the first update the vCPU was offline."""
    return test(shadow.entry.eq(0), "if (!entry_time) current_runstate = offline", then=((shadow.state, OFFLINE),))


def book_steal(shadow: Shadow) -> Action:
    """The time stolen is taken from delta and was spent runnable."""
    regs, runnable = shadow.registers, shadow.times[RUNNABLE]
    label = "delta -= steal, time[runnable] += steal"
    return shared(label, (regs.delta, regs.delta - regs.steal), (runnable, runnable + regs.steal))


def book_delta(shadow: Shadow) -> Action:
    """The rest was spent in the state the vCPU was in."""
    delta = shadow.registers.delta
    return shared(
        "time[current_runstate] += delta",
        *((time, ite(shadow.state.eq(k), time + delta, time)) for k, time in enumerate(shadow.times)),
    )


def set_state(shadow: Shadow, state: int) -> Action:
    """The new state."""
    return assign(shadow.state, state).as_(f"current_runstate = {RUNSTATES[state]}")


def publish(one: Accounting) -> Action:
    """The guest half as one step: the guest has this shadow."""
    shadow = one.shadow
    copied = tuple(zip((shadow.guest_entry, *shadow.guest_times), (shadow.entry, *shadow.times), strict=True))
    label = "the guest gets entry_time and time[]"
    if one.published is None:
        return shared(label, *copied)
    return check(one.published, one.name, label, then=copied)

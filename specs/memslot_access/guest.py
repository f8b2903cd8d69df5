"""The guest: the vCPU that stores and handles its faults, one that changes page tables, and one that looks on.

The vCPUs run guest code between emulations; what they do there is theirs, and only the fault handler's choice counts:
it maps the page again and the store is executed again, or the store is never executed again (a signal, say).
"""

from __future__ import annotations

from modelcheck import Slot, assign, check, choose, reach, shared, test
from specs.kvm.gpc import Steps
from specs.memslot_access.emulator import begin, emulate
from specs.memslot_access.machine import ANSWERED, STORED, Machine, Page

ENTER = "vcpu_enter_guest"


def vcpu(machine: Machine) -> Steps:
    """Stores across the two pages for ever; each execution of the store is emulated."""
    while True:
        yield begin(machine).at("", "guest")
        while True:
            yield assign(machine.emulating, 1).as_("VM exit: the store is emulated").at("", ENTER)
            yield machine.srcu.read_lock().at("", ENTER)
            faulted = yield from emulate(machine)
            if faulted is None:
                if machine.asked == "written-once":
                    both = machine.pages[0].written & machine.pages[1].written
                    yield check(both, "written-once", "the instruction is complete").at("", "x86_emulate_instruction")
                yield reach("completed a store")
            elif machine.asked == "fault-atomic":
                injected = "inject #PF with no byte written"
                yield check(machine.none_written(), "fault-atomic", injected).at("", "inject_emulated_exception")
            yield machine.srcu.read_unlock().at("", ENTER)
            yield shared("VM entry", *entered(machine)).at("", ENTER)
            if faulted is None:
                break
            yield reach("faulted")
            if not (yield from handle_fault(machine, faulted)):
                break


def entered(machine: Machine) -> list[tuple[Slot, int]]:
    """What VM entry changes; record_steal_time() clears st->preempted and makes up for a flush that did not wait."""
    cleared = [] if machine.preempted is None else [(machine.preempted, 0)]
    return [(machine.emulating, 0), *cleared]


def handle_fault(machine: Machine, page: Page) -> Steps:
    """The guest's page fault handler: whether the store is executed again."""
    fn = "guest's #PF handler"
    if (yield choose("the store is", "executed again", "given up").at("", fn)) == "given up":
        return False
    yield machine.mm_lock.lock().at("", fn)
    yield shared(f"map {page.name}", (page.mapped, 1), (page.flushed, 0)).at("", fn)
    yield machine.mm_lock.unlock().at("", fn)
    return True


def unmapper(machine: Machine) -> Steps:
    """Another vCPU unmaps or write-protects a page and flushes TLBs: no vCPU acknowledges in the middle of a store.

    With KVM_FEATURE_PV_TLB_FLUSH it does not wait for a vCPU whose steal time says that it is preempted.
    """
    fn, acknowledged = "guest's unmap", machine.emulating.eq(0)
    if machine.preempted is not None:
        acknowledged = acknowledged | machine.preempted
    while True:
        number = yield choose("unmap", 1, 2).at("", fn)
        page = machine.pages[number - 1]
        yield machine.mm_lock.lock().at("", fn)
        yield assign(page.mapped, 0).as_(f"unmap {page.name}").at("", fn)
        flushed = shared(f"TLB flush of {page.name} done", (page.flushed, 1), when=acknowledged)
        yield flushed.at("", "kvm_flush_tlb_multi")
        yield machine.mm_lock.unlock().at("", fn)


def observer(machine: Machine) -> Steps:
    """Another vCPU that reads both pages, and may answer a store that it has seen by one of its own to that page.

    It reads both at once, the strongest that a reader can be: two loads could miss even a store that were atomic.
    """
    fn = "guest on another vCPU"
    while True:
        if machine.asked == "seen-whole":
            yield check(machine.whole(), "seen-whole", "read both pages").at("", fn)
        elif machine.asked == "seen-outside":
            settled = machine.whole() | machine.emulating
            yield check(settled, "seen-outside", "read both pages").at("", fn)
        number = yield choose("look at", 1, 2).at("", fn)
        page = machine.pages[number - 1]
        seen = test(page.content.eq(STORED), f"{page.name} has the store's bytes? then answer",
                    ((page.content, ANSWERED),))  # fmt: skip
        if (yield seen.at("", fn)):
            yield reach("answered")


def scheduler(machine: Machine) -> Steps:
    """The host schedules the vCPU out and in again in the middle of an instruction, or KVM_RUN exits there."""
    assert machine.preempted is not None
    while True:
        out = shared("st->preempted = KVM_VCPU_PREEMPTED", (machine.preempted, 1), when=machine.emulating)
        yield out.at("", "kvm_steal_time_set_preempted")
        yield reach("preempted")

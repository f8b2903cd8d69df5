"""user_mem_abort(): the fault path, F0 to F9 of protocol.md 8.3, by one vCPU, for ever.

A vCPU faults on what the tables do not allow at that moment: a read of what is not mapped, a write of what is not
writable; what permission was missing of (fault_granule) stays what it was then.  GUP sleeps, answers the host's page,
and for a read may offer a writable one.
"""

from __future__ import annotations

from modelcheck import Action, Branch, Expr, check, choose, reach, shared, sleep_point, test
from specs.dirty_logging.forms import Form
from specs.dirty_logging.mapping import Fault, map_block, map_page
from specs.dirty_logging.slots import Vm
from specs.dirty_logging.stage2 import BLOCK_RO, READ, Steps
from specs.dirty_logging.versions import FaultPath

ABORT, OUTER = "user_mem_abort", "kvm_handle_guest_abort"


def vcpu(vm: Vm, path: FaultPath, form: Form) -> Steps:
    """One vCPU's faults."""
    kvm, s2, log = vm.kvm, vm.s2, vm.log
    assert kvm.srcu is not None and kvm.in_progress is not None
    while True:
        fault = yield faults(vm).at("", OUTER)
        if fault is None:
            continue
        page, write = fault.page, fault.write
        if not form.no_srcu:
            yield kvm.srcu.read_lock().at("F0", OUTER)
        logging = yield test(log.logging, "memslot->dirty_bitmap?").at("F0", ABORT)
        yield shared("mmu_seq = mmu_invalidate_seq", (kvm.mmu_seq, kvm.seq)).at("F2", ABORT)
        yield sleep_point("gfn_to_pfn_prot() may sleep").at("F3", ABORT)
        yield shared("pfn = the host's page", (kvm.new_pfn, s2.host)).at("F3", ABORT)
        writable = write or (yield choose("writable", True, False).at("F3", ABORT))
        if logging and not write and path.read_stays_read:
            writable = False
        if form.mark_early and writable:
            yield log.mark(page, path.in_slot and logging).at("F8", ABORT)
        yield s2.lock.fault_lock().at("F4", ABORT)
        quiet = kvm.in_progress.eq(0) & kvm.seq.eq(kvm.mmu_seq)
        if form.no_seq or (yield test(quiet, "no invalidation since F2?").at("F4", ABORT)):
            huge = s2.blocks and (not logging or form.block_logging)
            if huge and s2.huge is not None:
                huge = yield test(s2.huge, "PageTransCompoundMap(pfn)?").at("F5", ABORT)
            yield check(kvm.new_pfn.eq(s2.host), "stale-mapping", "the pfn is still the host's").at("F6", ABORT)
            if marks_before(path, form, writable, huge):
                yield log.mark(page, False).at("F8", ABORT)
            if huge:
                done = yield from map_block(s2, path, form, fault, writable)
            else:
                done = yield from map_page(s2, path, form, fault, writable, logging)
            marked = marks_after(path, form, write, writable and done, logging)
            if marked and path.marks != "unlocked":
                yield log.mark(page, path.in_slot).at("F8", ABORT)
            yield s2.lock.fault_unlock().at("F9", ABORT)
            if marked and path.marks == "unlocked":
                yield log.mark(page, path.in_slot).at("F8", ABORT)
            yield reach("fault handled" if done else "fault to be taken again")
        else:
            yield s2.lock.fault_unlock().at("F9", ABORT)
            yield reach("fault retried")
        if not form.no_srcu:
            yield kvm.srcu.read_unlock().at("F9", OUTER)
        yield shared("back to the guest", (log.inside, log.inside - 1)).at("F9", OUTER)


def faults(vm: Vm) -> Action:
    """A vCPU faults: answers on what; None where the guest may read and write all of it, and runs on."""
    s2, log = vm.s2, vm.log
    into = ((log.inside, log.inside + 1),)
    branches: list[Branch] = []
    runs: Expr = log.stopped.eq(0)
    for page in s2.pages:
        ways = [
            (Fault(page, True, "page"), s2.ptes[page].eq(READ)),
            (Fault(page, True, ""), ~s2.mapped(page)),
            (Fault(page, False, ""), ~s2.mapped(page)),
        ]
        if s2.blocks:
            ways.insert(0, (Fault(page, True, "block"), s2.pmd.eq(BLOCK_RO)))
        branches += [Branch(fault, log.stopped.eq(0) & when, into) for fault, when in ways]
        runs = runs & s2.writable(page)
    return Action("shared", "fault", (*branches, Branch(None, runs)))


def marks_before(path: FaultPath, form: Form, writable: bool, huge: bool) -> bool:
    """F8 ahead of F7: what is writable, and of pages only (blocks are not for a slot with a bitmap)."""
    return path.marks == "before" and not form.mark_early and writable and (not huge or form.block_logging)


def marks_after(path: FaultPath, form: Form, write: bool, mapped: bool, logging: bool) -> bool:
    """F8 after F7: v14 on a write fault, and later where a writable entry was made; `in_slot`, F0's slot must log."""
    if form.mark_early or path.marks == "before" or path.in_slot and not logging:
        return False
    return write if path.marks == "write-fault" else mapped

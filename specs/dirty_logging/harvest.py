"""Migration: logging switched on, harvests, a last one with the vCPUs stopped, logging switched off, for ever.

Each harvest is KVM_GET_DIRTY_LOG: under mmu_lock the bitmap is taken and its pages are write-protected; TLBs are
flushed, and then the VMM copies the pages.  After the last one migration is cancelled or fails, the vCPUs run on, and
all of it begins anew.  Left out: KVM_CLEAR_DIRTY_LOG, which splits one harvest in two, and the dirty ring.
"""

from __future__ import annotations

from modelcheck import Expr, assign, check, choose, reach, shared, test, wait
from specs.dirty_logging.forms import Form
from specs.dirty_logging.slots import Vm
from specs.dirty_logging.stage2 import FLUSH_ALL, Steps
from specs.kvm.memslots import publish

HARVEST, SET, COPY = "kvm_get_dirty_log_protect", "kvm_set_memory_region", "ram_save_page"


def migration(vm: Vm, form: Form, toggles: bool) -> Steps:
    """The VMM's migration thread; without `toggles` logging is on for ever."""
    log = vm.log
    while True:
        if toggles:
            yield from start_logging(vm)
            for page in vm.s2.pages:
                yield assign(log.unsaved[page], 0).as_(f"page {page} is copied").at("", COPY)
        while (yield choose("pass", "another", "last").at("", "migration_thread")) == "another":
            yield from harvest(vm, form)
        yield assign(log.stopped, 1).at("", "vm_stop")
        if not form.no_wait:
            yield wait(log.inside.eq(0), "no vCPU is in a fault").at("", "vm_stop")
        yield from harvest(vm, form)
        for page in vm.s2.pages:
            same = log.unsaved[page].eq(0)
            yield check(same, "lost-dirty", f"page {page} is as its copy?").at("", "migration_completion")
        yield reach("last harvest done")
        gone = tuple((ghost, 0) for ghost in (*log.unsaved, log.tracked)) if toggles else ()
        yield shared("the vCPUs run again", (log.stopped, 0), *gone).at("", "vm_start")
        if toggles:
            yield from stop_logging(vm)


def start_logging(vm: Vm) -> Steps:
    """KVM_MEM_LOG_DIRTY_PAGES set: the slot with a bitmap, synchronize_srcu(), then all of it is write-protected."""
    kvm, s2, log = vm.kvm, vm.s2, vm.log
    commit = "kvm_mmu_wp_memory_region"
    yield kvm.slots_lock.lock().at("", SET)
    yield from publish(kvm, "with a dirty bitmap", (log.logging, 1))
    yield s2.lock.lock().at("", commit)
    for page in s2.pages:
        yield s2.protect(page).at("", commit)
    yield s2.lock.unlock().at("", commit)
    yield s2.flush_all().at("", FLUSH_ALL)
    yield kvm.slots_lock.unlock().at("", SET)
    yield assign(log.tracked, 1).as_("migration begins to copy").at("", COPY).reaching("logging started")


def stop_logging(vm: Vm) -> Steps:
    """The flag cleared: the slot without a bitmap, synchronize_srcu(), and the bitmap is freed."""
    kvm, log = vm.kvm, vm.log
    yield kvm.slots_lock.lock().at("", SET)
    yield from publish(kvm, "without a dirty bitmap", (log.logging, 0))
    freed = tuple((bit, 0) for bit in log.bits)
    yield shared("dirty_bitmap is freed", *freed).at("", "kvm_destroy_dirty_bitmap").reaching("logging stopped")
    yield kvm.slots_lock.unlock().at("", SET)


def harvest(vm: Vm, form: Form) -> Steps:
    """KVM_GET_DIRTY_LOG, and the copies of what it reports; the pages share a word of the bitmap."""
    kvm, s2, log = vm.kvm, vm.s2, vm.log
    yield kvm.slots_lock.lock().at("", HARVEST)
    yield s2.lock.lock().at("", HARVEST)
    mask: tuple[bool, ...] = ()
    for page in s2.pages:
        taken = yield test(log.bits[page], f"xchg(dirty_bitmap[{page}], 0)", ((log.bits[page], 0),)).at("", HARVEST)
        mask = (*mask, taken)
    for page in s2.pages:
        if not mask[page]:
            marked: Expr = ~s2.writable(page) | log.bits[page]
            yield check(marked, "harvest-marked", f"page {page} is marked, if writable?").at("", HARVEST)
    for page in s2.pages:
        if mask[page]:
            yield s2.protect(page).at("", "kvm_mmu_write_protect_pt_masked")
    yield s2.lock.unlock().at("", HARVEST)
    if any(mask) and not form.no_flush:
        yield s2.flush_all().at("", FLUSH_ALL)
    yield kvm.slots_lock.unlock().at("", HARVEST)
    for page in s2.pages:
        if mask[page]:
            copied = assign(log.unsaved[page], 0).as_(f"page {page} is copied").at("", COPY)
            yield copied.reaching("dirty page copied")

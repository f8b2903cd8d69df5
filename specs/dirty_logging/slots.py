"""The memslot's dirty bitmap, and ghosts: which pages differ from migration's copy (protocol.md 8.3, 5.6)."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Action, Expr, Model, Slot, shared
from specs.dirty_logging.stage2 import Stage2, Steps
from specs.kvm.pfncache import Kvm


@dataclass(frozen=True, slots=True)
class Log:
    """The bitmap, and what the VMM knows.

    `logging`: the memslots that are published have a bitmap.  `unsaved` are ghosts: the page has been written since
    migration last copied it, as long as the copies are `tracked`.  `inside` counts the vCPUs that are in the kernel for
    a fault, `stopped` keeps them in the VMM.
    """

    logging: Slot
    bits: tuple[Slot, ...]
    unsaved: tuple[Slot, ...]
    tracked: Slot
    inside: Slot
    stopped: Slot

    def mark(self, page: int, always: bool) -> Action:
        """The page's bit, in the bitmap of F0's slot (`always`), or in that of the slot there is now, if it has one."""
        now: Expr | int = 1 if always else self.bits[page] | self.logging
        return shared(f"set_bit_le({page}, dirty_bitmap)", (self.bits[page], now))


@dataclass(frozen=True, slots=True)
class Vm:
    """All that the processes share."""

    kvm: Kvm
    s2: Stage2
    log: Log


def make_log(model: Model, pages: int, vcpus: int, logging: bool) -> Log:
    """Nothing written yet; with `logging` from the start the bitmap is there and migration has its first copy."""
    return Log(
        model.bool("memslot->dirty_bitmap", logging),
        tuple(model.bool(f"dirty_bitmap[{page}]") for page in range(pages)),
        tuple(model.bool(f"page {page} differs from its copy") for page in range(pages)),
        model.bool("migration has copies", logging),
        model.range("vCPUs in a fault", 0, vcpus),
        model.bool("VMM stops the vCPUs"),
    )


def stores(vm: Vm, page: int) -> Steps:
    """The guest's stores to one page, by any vCPU: whenever some vCPU may write it and vCPUs run."""
    s2, log = vm.s2, vm.log
    may = s2.stored_through(page) & log.stopped.eq(0)
    while True:
        store = shared(f"store to page {page}", (log.unsaved[page], log.tracked), when=may)
        yield store.at("", "guest").reaching("guest stored")

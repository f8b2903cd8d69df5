"""The properties of dirty logging, their witnesses, and what the state is at all times (the type invariant)."""

from __future__ import annotations

from modelcheck import Expr, Model, PropertyInfo
from specs.dirty_logging.scenarios import Actors
from specs.dirty_logging.slots import Vm
from specs.dirty_logging.stage2 import EMPTY, LOCKED, NONE, READ, TABLE, WRITE

LOST = PropertyInfo("lost-dirty", "no guest store is missing from every later harvest, the last one included (P8)")
MARKED = PropertyInfo("harvest-marked", "at a harvest, under mmu_lock, a writable page is marked or reported (8.3)")
STALE = PropertyInfo("stale-mapping", "no translation of a page whose invalidation overlapped the fault, or is over")
BREAK = PropertyInfo("break-before-make", "no block and no table is made while a TLB has the other's translation")
INTACT = PropertyInfo("block-intact", "stage2_set_pte() without the logging flag finds no block (L5)")
ASSERTIONS = (LOST, MARKED, STALE, BREAK, INTACT)
DEADLOCK = PropertyInfo("deadlock", "no process is stuck for ever, by lock instance (P9)")
LOCK_ORDER = PropertyInfo("lock-order", "no cycle in the order of lock classes, as lockdep sees it (P9)")
SLEEPS = PropertyInfo("sleep-in-atomic", "nothing sleeps under mmu_lock (P10)")
TYPE = PropertyInfo("type", "entries, TLBs, the bitmap and the ghosts fit together")
PROPERTIES = (*ASSERTIONS, DEADLOCK, LOCK_ORDER, SLEEPS, TYPE)


def declare(model: Model, actors: Actors, vm: Vm) -> None:
    """Declares all of them."""
    seen = witnesses(actors)
    for info in ASSERTIONS:
        model.assertion(info.name, info.help, seen)
    model.deadlock(DEADLOCK.name, DEADLOCK.help, seen)
    model.lock_order(LOCK_ORDER.name, LOCK_ORDER.help, seen)
    model.sleep_in_atomic(SLEEPS.name, SLEEPS.help, seen)
    model.invariant(TYPE.name, type_invariant(vm), TYPE.help, seen)


def witnesses(actors: Actors) -> tuple[str, ...]:
    """What the actors must be seen to do."""
    found = ["fault handled", "guest stored"]
    if actors.migrates:
        found += ["dirty page copied", "last harvest done"]
    if actors.toggles:
        found += ["logging started", "logging stopped"]
    if actors.toggles and actors.blocks:
        found += ["block dissolved", "block instead of a table"]
    if actors.invalidates:
        found += ["page freed", "fault retried"]
    return tuple(found)


def type_invariant(vm: Vm) -> Expr:
    """What holds between any two steps: TLBs have what the tables say, marks need a bitmap, ghosts copies."""
    s2, log = vm.s2, vm.log
    good: Expr = log.tracked.eq(0) | log.logging
    if s2.blocks:
        no_block = s2.pmd.eq(EMPTY) | s2.pmd.eq(TABLE) | s2.pmd.eq(LOCKED)
        good = good & (no_block | s2.tlb_block.ne(NONE)) & (~s2.block_right().eq(WRITE) | s2.tlb_block.eq(WRITE))
    for page in s2.pages:
        pte, tlb = s2.ptes[page], s2.tlb[page]
        good = good & (pte.eq(NONE) | s2.pmd.eq(TABLE)) & (~pte.eq(WRITE) | tlb.eq(WRITE))
        good = good & (~pte.eq(READ) | tlb.ne(NONE)) & (log.unsaved[page].eq(0) | log.tracked)
    return good

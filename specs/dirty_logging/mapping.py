"""How a fault puts its translation into stage 2 (F7): mmu.c's own functions until 5.9, the walkers of pgtable.c since.

Each answers whether it did; -EAGAIN sends the vCPU back to fault again.  Simplified: breaking and making a pte is one
step, since between the two other vCPUs only fault again; a block that takes an entry's place is set after that was
cleared and flushed, as in 4.8 (v14 sets and then flushes); memory for tables never runs out, so no map fails half way.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import check, reach, test
from specs.dirty_logging.forms import Form
from specs.dirty_logging.stage2 import FLUSH_IPA, NONE, READ, TABLE, WRITE, Stage2, Steps
from specs.dirty_logging.versions import FaultPath

RELAX = "kvm_pgtable_stage2_relax_perms"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a vCPU faulted on: the page, and the size of the entry whose permission was missing ("" for no entry)."""

    page: int
    write: bool
    size: str

    def __str__(self) -> str:
        missing = f"the {self.size} is read-only" if self.size else "nothing is mapped"
        return f"{'write' if self.write else 'read'} of page {self.page}, {missing}"


def map_page(s2: Stage2, path: FaultPath, form: Form, fault: Fault, writable: bool, logging: bool) -> Steps:
    """The page of the fault."""
    page, right = fault.page, WRITE if writable else READ
    if not path.walker:
        return (yield from stage2_set_pte(s2, page, right, logging))
    if fault.size == "page" and writable:
        return (yield s2.relax(page, "page" if form.relax_checked else "").at("F7", RELAX))
    return (yield from walk_to_page(s2, page, right))


def map_block(s2: Stage2, path: FaultPath, form: Form, fault: Fault, writable: bool) -> Steps:
    """The block that the page of the fault is in."""
    page, right = fault.page, WRITE if writable else READ
    if not path.walker:
        return (yield from stage2_set_pmd_huge(s2, path, page, right))
    if fault.size == "block" and writable:
        return (yield s2.relax(page, "block" if form.relax_checked else "").at("F7", RELAX))
    return (yield from walk_to_block(s2, right))


# -- arch/arm/kvm/mmu.c, later virt/kvm/arm/mmu.c: under mmu_lock, alone ---------------------------------------------


def stage2_set_pte(s2: Stage2, page: int, right: int, logging: bool) -> Steps:
    """A page's pte; with the logging flag a block is dissolved first, by break-before-make."""
    fn, dissolve = "stage2_set_pte", "stage2_dissolve_pmd"
    if s2.blocks:
        entry = yield s2.look().at("F7", fn)
        if entry == "block" and not logging:  # the block would be taken for a table
            yield check(s2.pmd.eq(TABLE), "block-intact", "pte_offset_kernel(pmd) of a block").at("F7", fn)
        if entry == "block":
            yield s2.clear_pmd().at("F7", dissolve)
            yield s2.flush_page(page).at("F7", dissolve)
            yield reach("block dissolved")
        if entry != "table":
            yield s2.set_table().at("F7", fn)
    there = yield test(s2.ptes[page].ne(NONE), f"pte_present(pte[{page}])?").at("F7", fn)
    yield s2.set_pte(page, right).at("F7", fn)
    if there:
        yield s2.flush_page(page).at("F7", FLUSH_IPA)
    return True


def stage2_set_pmd_huge(s2: Stage2, path: FaultPath, page: int, right: int) -> Steps:
    """A block, in the place of whatever is there; until 3c3736cd32bf with one address flushed, whatever it was."""
    fn = "stage2_set_pmd_huge"
    entry = yield s2.look().at("F7", fn)
    if entry == "table" and path.unmaps_table:
        yield s2.clear_pmd().at("F7", "unmap_stage2_range")
        yield s2.flush_all().at("F7", "unmap_stage2_range")
        yield reach("block instead of a table")
    elif entry != "empty":
        yield s2.clear_pmd().at("F7", fn)
        yield s2.flush_page(page).at("F7", FLUSH_IPA)
        if entry == "table":
            yield reach("block instead of a table")
    yield s2.set_block(right).at("F7", fn)
    return True


# -- arch/arm64/kvm/hyp/pgtable.c: others may walk too, from 1577cb5823ce on -----------------------------------------


def walk_to_page(s2: Stage2, page: int, right: int) -> Steps:
    """stage2_map_walk_leaf(): a block in the way becomes a table, and the pte is made if there is none."""
    fn = "stage2_map_walk_leaf"
    if s2.blocks:
        entry = yield s2.look().at("F7", fn)
        if entry == "locked":
            return False
        if entry == "block":
            if not (yield s2.try_break("block").at("F7", fn)):
                return False
            yield s2.flush_page(page).at("F7", "stage2_try_break_pte")
            yield s2.set_table().at("F7", "stage2_make_pte")
            yield reach("block dissolved")
        elif entry == "empty" and not (yield s2.first().at("F7", fn)):
            return False
    return (yield s2.leaf(page, right).at("F7", "stage2_map_walker_try_leaf"))


def walk_to_block(s2: Stage2, right: int) -> Steps:
    """stage2_map_walk_table_pre(), or _leaf(): a block where nothing is, or in the place of a table."""
    fn = "stage2_map_walk_table_pre"
    entry = yield s2.look().at("F7", fn)
    if entry in ("locked", "block"):  # a block of other permissions is left alone
        return False
    if entry == "empty":
        return (yield s2.first(right).at("F7", "stage2_map_walker_try_leaf"))
    if not (yield s2.try_break("table").at("F7", fn)):
        return False
    yield s2.flush_all().at("F7", "stage2_try_break_pte")
    yield s2.set_block(right).at("F7", "stage2_make_pte")
    yield reach("block instead of a table")
    return True

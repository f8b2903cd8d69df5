"""Stage 2 of one huge page: the pmd entry, the ptes below it, and what TLBs may hold of them.

A pmd entry is empty, a block, a table, or locked (pgtable.c while it breaks one before making another).  Ptes are none,
read-only or writable, and none where there is no table.

TLBs are as unkind as they may be: what the tables allow is cached at once, for every vCPU, and stays until it is
flushed.  That a vCPU walks the tables instead adds no store, since what the tables allow is cached too.  TLBI of one
address takes the block's translation with it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from modelcheck import Action, Branch, Expr, Model, RwLock, Slot, SpinLock, check, ite, lift, shared

Steps = Generator[Action, Any, Any]
Update = tuple[Slot, Expr | int]
NONE, READ, WRITE = range(3)
EMPTY, BLOCK_RO, BLOCK_RW, TABLE, LOCKED = range(5)
FLUSH_IPA, FLUSH_ALL = "kvm_tlb_flush_vmid_ipa", "kvm_flush_remote_tlbs"


@dataclass(frozen=True, slots=True)
class MmuLock:
    """kvm->mmu_lock: a spinlock, or the rwlock of 6.2 that faults take for reading."""

    spin: SpinLock | None
    rw: RwLock

    def fault_lock(self) -> Action:
        """For a fault."""
        return self.spin.lock() if self.spin is not None else self.rw.read_lock()

    def fault_unlock(self) -> Action:
        """After a fault."""
        return self.spin.unlock() if self.spin is not None else self.rw.read_unlock()

    def lock(self) -> Action:
        """For everybody else."""
        return self.spin.lock() if self.spin is not None else self.rw.write_lock()

    def unlock(self) -> Action:
        """After everybody else."""
        return self.spin.unlock() if self.spin is not None else self.rw.write_unlock()


@dataclass(frozen=True, slots=True)
class Stage2:
    """The entries, what TLBs may hold of pages and of the block, the lock, and the page of the VMM behind it all.

    `host` names the host's page: a fresh one when it is freed.  `blocks`: whether blocks may be mapped; `huge` whether
    the host's page is a huge one now (None: always).
    """

    pmd: Slot
    ptes: tuple[Slot, ...]
    tlb: tuple[Slot, ...]
    tlb_block: Slot
    lock: MmuLock
    host: Slot
    blocks: bool
    huge: Slot | None = None

    @property
    def pages(self) -> range:
        """The numbers of the pages."""
        return range(len(self.ptes))

    def block(self) -> Expr:
        """The pmd entry is a block."""
        return self.pmd.eq(BLOCK_RO) | self.pmd.eq(BLOCK_RW)

    def mapped(self, page: int) -> Expr:
        """The tables translate the page."""
        return self.ptes[page].ne(NONE) | self.block()

    def writable(self, page: int) -> Expr:
        """The tables let the guest write it."""
        return self.ptes[page].eq(WRITE) | self.pmd.eq(BLOCK_RW)

    def stored_through(self, page: int) -> Expr:
        """Some vCPU may write it: by its TLB, or by the tables."""
        return self.tlb[page].eq(WRITE) | self.tlb_block.eq(WRITE)

    def unmapped(self, page: int) -> Expr:
        """Neither the tables nor a TLB have it."""
        return ~self.mapped(page) & self.tlb[page].eq(NONE) & self.tlb_block.eq(NONE)

    def block_right(self) -> Expr:
        """What the block allows, NONE where there is none."""
        return ite(self.pmd.eq(BLOCK_RW), WRITE, ite(self.pmd.eq(BLOCK_RO), READ, NONE))

    # -- single steps ------------------------------------------------------------------------------------------------

    def look(self) -> Action:
        """What the pmd entry is: `block`, `table`, `empty` or `locked`."""
        kinds = (("block", self.block()), ("table", self.pmd.eq(TABLE)), ("empty", self.pmd.eq(EMPTY)),
                 ("locked", self.pmd.eq(LOCKED)))  # fmt: skip
        return Action("shared", "pmd?", tuple(Branch(kind, guard) for kind, guard in kinds))

    def set_pte(self, page: int, right: int) -> Action:
        """A pte is made."""
        return shared(f"pte[{page}] = {right_text(right)}", *self._pte(page, right))

    def _pte(self, page: int, right: int) -> tuple[Update, ...]:
        cached: Expr | int = WRITE if right == WRITE else ite(self.tlb[page].eq(WRITE), WRITE, READ)
        return (self.ptes[page], right), (self.tlb[page], cached)

    def clean(self) -> Expr:
        """No TLB has a translation of one of the pages by itself."""
        clean: Expr = self.tlb[0].eq(NONE)
        for each in self.tlb[1:]:
            clean = clean & each.eq(NONE)
        return clean

    def set_block(self, right: int) -> Action:
        """A block is made, where no TLB may have a translation of one of its pages left."""
        cached: Expr | int = WRITE if right == WRITE else ite(self.tlb_block.eq(WRITE), WRITE, READ)
        done = (self.pmd, BLOCK_RW if right == WRITE else BLOCK_RO), (self.tlb_block, cached)
        return check(self.clean(), "break-before-make", f"pmd = {right_text(right)} block", done)

    def set_table(self) -> Action:
        """A table is made, where no TLB may have the block left."""
        return check(self.tlb_block.eq(NONE), "break-before-make", "pmd = table", ((self.pmd, TABLE),))

    def clear_pmd(self) -> Action:
        """The pmd entry goes, and with a table its ptes."""
        return shared("pmd_clear()", (self.pmd, EMPTY), *((pte, NONE) for pte in self.ptes))

    def try_break(self, kind: str) -> Action:
        """stage2_try_break_pte() on a pmd entry that was found a `block` or `table`: locked, unless it has changed."""
        same = self.block() if kind == "block" else self.pmd.eq(TABLE)
        gone = ((self.pmd, lift(LOCKED)), *((pte, lift(NONE)) for pte in self.ptes))
        return Action("shared", "cmpxchg(pmd, locked)?", (Branch(True, same, gone), Branch(False, ~same)))

    def first(self, right: int | None = None) -> Action:
        """A table, or a block of a `right`, where nothing is, unless another fault has put something there."""
        if right is None:
            label, clean, table = "pmd = table?", self.tlb_block.eq(NONE), (self.pmd, lift(TABLE))
            done: tuple[tuple[Slot, Expr], ...] = (table,)
        else:
            label, clean = f"pmd = {right_text(right)} block?", self.clean()
            done = (self.pmd, lift(BLOCK_RW if right == WRITE else BLOCK_RO)), (self.tlb_block, lift(right))
        empty = self.pmd.eq(EMPTY)
        branches = (
            Branch(True, empty & clean, done), Branch(True, empty & ~clean, done, breaks="break-before-make"),
            Branch(False, ~empty),
        )  # fmt: skip
        return Action("check", label, branches)

    def leaf(self, page: int, right: int) -> Action:
        """stage2_map_walker_try_leaf() on a pte of the table that the walk has found: answers whether it did it.

        A pte that is there already is left alone (-EAGAIN); a table that another fault has taken out meanwhile is
        written to, in vain.
        """
        there, none = self.pmd.eq(TABLE), self.ptes[page].eq(NONE)
        done = tuple((slot, lift(value)) for slot, value in self._pte(page, right))
        branches = (Branch(True, there & none, done), Branch(False, there & ~none), Branch(True, ~there))
        return Action("shared", f"pte[{page}] = {right_text(right)}?", branches)

    def relax(self, page: int, size: str = "") -> Action:
        """kvm_pgtable_stage2_relax_perms(): the leaf that the walk finds becomes writable, whatever its size.

        The walk finds a pte by way of a table, so there is one leaf or none.  With a `size`, `page` or `block`, only a
        leaf of that size.
        """
        found = self.pmd.eq(TABLE) & self.ptes[page].ne(NONE)
        pte = Branch(True, found, ((self.ptes[page], lift(WRITE)), (self.tlb[page], lift(WRITE))))
        block = Branch(True, self.block(), ((self.pmd, lift(BLOCK_RW)), (self.tlb_block, lift(WRITE))))
        ways = tuple(way for way, kind in ((pte, "page"), (block, "block")) if size in ("", kind))
        none: Expr = ~ways[0].guard
        for way in ways[1:]:
            none = none & ~way.guard
        return Action("shared", f"the leaf of page {page} becomes writable?", (*ways, Branch(False, none)))

    def flush_page(self, page: int) -> Action:
        """TLBI by address: what is cached is what the tables say."""
        return shared(f"TLBI page {page}", (self.tlb[page], self.ptes[page]), (self.tlb_block, self.block_right()))

    def flush_all(self) -> Action:
        """TLBI of all of it."""
        pages = tuple((cached, pte) for cached, pte in zip(self.tlb, self.ptes, strict=True))
        return shared("TLBI all pages", *pages, (self.tlb_block, self.block_right()))

    def protect(self, page: int) -> Action:
        """stage2_wp_range() of one page: its pte, or the block that it is in."""
        entry = f"pte[{page}]" + (" or the block" if self.blocks else "")
        updates: tuple[Update, ...] = ((self.ptes[page], ite(self.ptes[page].eq(WRITE), READ, self.ptes[page])),)
        if self.blocks:
            updates += ((self.pmd, ite(self.pmd.eq(BLOCK_RW), BLOCK_RO, self.pmd)),)
        return shared(f"{entry} is write-protected", *updates)

    def unmap(self, page: int) -> Action:
        """unmap_stage2_range() of one page: its pte, or the block whole; a table that is empty then goes too."""
        updates: tuple[Update, ...] = ((self.ptes[page], NONE),)
        if self.blocks:
            others: Expr = self.pmd.eq(TABLE)
            for other in self.pages:
                if other != page:
                    others = others & self.ptes[other].eq(NONE)
            updates += ((self.pmd, ite(self.block() | others, EMPTY, self.pmd)),)
        return shared(f"page {page} is unmapped", *updates)


def right_text(right: int) -> str:
    """What an entry allows, in words."""
    return "writable" if right == WRITE else "read-only"


def make_stage2(model: Model, pages: int, blocks: bool, splits: bool, parallel: bool) -> Stage2:
    """Nothing mapped; without blocks there is a table already."""
    rights = ("none", "read-only", "writable")
    pmd = model.enum("pmd", "empty", "read-only block", "writable block", "table", "locked")
    return Stage2(
        pmd if blocks else replace(pmd, initial=TABLE),
        tuple(model.enum(f"pte[{page}]", *rights) for page in range(pages)),
        tuple(model.enum(f"TLB of page {page}", *rights) for page in range(pages)),
        model.enum("TLB of the block", *rights),
        MmuLock(None if parallel else SpinLock("kvm->mmu_lock"), RwLock("kvm->mmu_lock")),
        model.name_of("the host's page", "pfn"),
        blocks,
        model.bool("the host's page is huge", True) if splits else None,
    )

"""What could be lost, and what is: the checks that show each case, and those that show it gone.

L1 to L6 are protocol.md 8.3's; L7 to L9 came out of the checks.  L2, L3 and L6 are controls: forms that no kernel has,
and what is lost in them.
"""

from __future__ import annotations

from modelcheck import Case, Trial

V14, MERGED, UNMAPS, SUCCESS = "v14", "15a49a44fc36", "3c3736cd32bf", "509552e65ae8"
PARALLEL, UNLOCKED = "1577cb5823ce", "9c30fc615daa"
WALKERS = (SUCCESS, PARALLEL, UNLOCKED)


def tries(
    actors: str, versions: tuple[str, ...], verdict: str = "violated", name: str = "lost-dirty", form: str = "kernel"
) -> tuple[Trial, ...]:
    """One check of each version."""
    return tuple(Trial(each, name, (("actors", actors), ("form", form)), verdict=verdict) for each in versions)


L9_REPORT = """\
KVM: arm64: a permission fault on a page may make a whole block writable while dirty logging begins

user_mem_abort() relaxes permissions instead of mapping where the size it wants is that of the entry that the fault was
on (fault_granule, from ESR).  kvm_pgtable_stage2_relax_perms() then walks to the leaf that translates the address now,
and sets S2AP_W in it whatever its level is.  Between the fault and the walk a table may have become a block:

 1. KVM_MEM_LOG_DIRTY_PAGES: the memslot with a bitmap is published; synchronize_srcu() waits for vCPU A, which is in
    a fault with the memslot without one.
 2. vCPU B, with the new memslot, has mapped a page of the same 2 MiB read-only, in a table, writes to it, and takes a
    permission fault of page size.
 3. vCPU A maps its block, in the place of the table.
 4. synchronize_srcu() returns, and the whole slot is write-protected, the block as well.
 5. vCPU B: logging is on, so PAGE_SIZE is wanted, which is fault_granule: the block becomes writable.  One page is
    marked.  The guest writes the other 511, no fault comes, and no harvest reports them.

No invalidation is involved, so mmu_invalidate_retry() does not help.  In the model, a walker that relaxes only a leaf
of the level of the fault (else -EAGAIN, and the guest faults again) loses nothing.

Confidence 90 %: derived by a model, each step read in the sources, not run on a kernel.  Read: 7d894834a305, which
compares with fault_granule since 5.10, and pgtable.c of 5.14, of 6.6 and of a tree later than 6.14:
stage2_attr_walker() asks whether the entry is valid and nothing else, and stage2_try_set_pte(), since 6.2, compares
with what the same walk has read.  With KVM_DIRTY_LOG_INITIALLY_SET it is KVM_CLEAR_DIRTY_LOG that write-protects,
which is not in the model; by reading, the same can happen there.
"""

CASES = (
    Case(
        "L1",
        "a read fault maps writable while logging, and marks nothing",
        "v14",
        "fixed",
        "GUP may offer a writable page for a read fault, and v14 then maps it writable, but marks pages on write "
        "faults only. The guest writes it with no further fault, and no harvest reports it.",
        before=tries("page", (V14,)),
        after=tries("page", (MERGED, UNLOCKED), "holds"),
        fixed_by='15a49a44fc36 "KVM: arm: page logging 2nd stage fault handling"',
        conditions="one vCPU and one page",
        trace="dirty_logging-lost-dirty-038dca0859.json",
    ),
    Case(
        "L2",
        "a page is marked before mmu_lock, and mapped after a harvest",
        "none (form=mark-early)",
        "control",
        "The fault marks the page, a harvest takes the mark and finds nothing to write-protect, and then the fault "
        "maps the page writable. What the guest writes then is not reported.",
        before=tries("page", (MERGED, UNLOCKED), form="mark-early"),
        after=tries("two-vcpus", (MERGED, UNMAPS, SUCCESS, PARALLEL, UNLOCKED), "holds"),
        conditions="one vCPU and one page",
        trace="dirty_logging-lost-dirty-04af629f7f.json",
    ),
    Case(
        "L3",
        "logging is looked at outside SRCU",
        "none (form=no-srcu)",
        "control",
        "A fault has seen that logging is off, and logging begins: with no SRCU reader to wait for, all is "
        "write-protected before the fault maps a writable block. Of pages alone nothing was lost until marks went to "
        "the memslot of the fault (found by this checker): mark_page_dirty() looked the memslot up anew.",
        before=(
            *tries("block", (MERGED, UNMAPS, SUCCESS, UNLOCKED), form="no-srcu"),
            *tries("toggled", (PARALLEL, UNLOCKED), form="no-srcu"),
        ),
        after=(
            *tries("block", (MERGED, UNMAPS, SUCCESS, PARALLEL, UNLOCKED), "holds"),
            *tries("toggled", (MERGED, UNMAPS, SUCCESS), "holds", form="no-srcu"),
        ),
        conditions="logging is switched on beside a fault",
        trace="dirty_logging-lost-dirty-316ae87654.json",
    ),
    Case(
        "L4",
        "a block is dissolved, and the other pages lose their translations",
        "all",
        "refuted",
        "While logging a write fault on a block clears it, flushes it, and maps one page of it in a table. The others "
        "fault again, which costs time and loses nothing.",
        after=tries("block", (MERGED, UNMAPS, SUCCESS, PARALLEL, UNLOCKED), "holds"),
        conditions="a block that was mapped before logging began",
    ),
    Case(
        "L5",
        "->change_pte() passes no logging flag",
        "v14 to 5.9",
        "refuted",
        "stage2_set_pte() without the flag would take a block for a table. It finds none there: the notifier has "
        "unmapped the block before, and no fault maps one until the invalidation ends.",
        after=(
            *tries("split", (V14, MERGED, UNMAPS), "holds", "block-intact"),
            *tries("block-notifier", (V14, MERGED, UNMAPS), "holds", "block-intact"),
        ),
        conditions="an invalidation of one page of a huge page, which ends in ->change_pte()",
    ),
    Case(
        "L6",
        "blocks are mapped while logging, and one page of each is marked",
        "none (form=block-logging)",
        "control",
        "A write fault maps a block writable and marks the page that it was on. The guest writes another page of the "
        "block with no further fault.",
        before=tries("block", (MERGED, UNLOCKED), form="block-logging"),
        after=tries("block", (MERGED, UNLOCKED), "holds"),
        conditions="one vCPU, a huge page",
        trace="dirty_logging-lost-dirty-92de522152.json",
    ),
    Case(
        "L7",
        "a block takes a table's place while TLBs have its pages",
        "v14 to 5.0",
        "fixed",
        "Logging was cancelled and huge pages are used again: a fault maps a block where the table of a dissolved one "
        "is, and flushes one address. TLBs then have translations of the block and of its other pages at once.",
        before=tries("block", (V14, MERGED), name="break-before-make"),
        after=tries("block", (UNMAPS, SUCCESS, UNLOCKED), "holds", "break-before-make"),
        fixed_by='3c3736cd32bf "KVM: arm/arm64: Fix handling of stage2 huge mappings"',
        conditions="a huge page that was dissolved while logging, after logging was switched off; or a fault that "
        "found logging off beside one that found it on",
        trace="dirty_logging-break-before-make-0f1f56cdd7.json",
    ),
    Case(
        "L8",
        "a harvest finds a page writable and not marked",
        "since 9c30fc615daa (6.12 and before)",
        "control",
        "The page is marked after mmu_lock was dropped, so that a harvest in between leaves it writable and does not "
        "report it. The mark comes, and the last harvest waits until no vCPU is in a fault: one that did not would "
        "lose the page.",
        before=(
            *tries("page", (UNLOCKED,), name="harvest-marked"),
            *tries("page", (UNLOCKED,), form="no-wait"),
        ),
        after=(
            *tries("page", (MERGED, SUCCESS, PARALLEL), "holds", "harvest-marked"),
            *tries("two-vcpus", (UNLOCKED,), "holds"),
            *tries("page", (SUCCESS, PARALLEL), "holds", form="no-wait"),
        ),
        conditions="one vCPU and one page; the invariant of the sheet is what is not kept, and nothing is lost",
        trace="dirty_logging-harvest-marked-f83b219531.json",
    ),
    Case(
        "L9",
        "a permission fault on a page makes a block writable as logging begins",
        "5.10 (7d894834a305) to the newest",
        "confirmed",
        "A vCPU faults on a page that is read-only in a table; another, which found logging off, puts a block in the "
        "table's place, and the start of logging write-protects it. The first then makes the leaf that it finds "
        "writable, which is the block, and marks one page.",
        before=tries("two-vcpus-block", WALKERS),
        after=(
            *tries("two-vcpus-block", WALKERS, "holds", form="relax-checked"),
            *tries("two-vcpus-block", (MERGED, UNMAPS), "holds"),
            *tries("block", WALKERS, "holds"),
        ),
        conditions="two vCPUs that fault in one huge page while logging is switched on; confidence 90 %: each step is "
        "read in the sources of 5.10, 5.14, 6.6 and later than 6.14, and none was run on a kernel",
        trace="dirty_logging-lost-dirty-cb0dded752.json",
        report=L9_REPORT,
    ),
)

"""The versions of stage 2's fault path that differ in what protocol.md 8.3 is about, oldest first.

Ids and subjects are those of the commits, except that the first is a patch revision that was never merged and that
15a49a44fc36 is from memory (protocol.md 11 item 9).  Code read beside the sheet: arch/arm/kvm/mmu.c of 4.8 and
arch/arm64/kvm/hyp/pgtable.c of 6.6; for L9 the latter of 5.14 and later than 6.14, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class FaultPath:
    """One version of user_mem_abort() and what it calls.

    `read_stays_read`: a read fault while logging maps read-only, whatever GUP answers.  `marks` says when a page is
    marked: on a "write-fault", "before" the pte of a page is set if that is writable, "after" a successful map, or
    after mmu_lock was "unlocked".  `unmaps_table`: a block that takes a table's place flushes all pages of it first.
    `walker`: pgtable.c, which relaxes permissions on their own.  `parallel`: faults take mmu_lock for reading.
    `in_slot`: the mark goes to the memslot of F0, not to the one that is there now.
    """

    name: str
    release: str
    subject: str
    read_stays_read: bool = True
    marks: str = "before"
    unmaps_table: bool = True
    walker: bool = False
    parallel: bool = False
    in_slot: bool = False

    @property
    def change_pte(self) -> bool:
        """Whether ->change_pte() sets a pte by stage2_set_pte(), as it does before pgtable.c."""
        return not self.walker


_MERGED = FaultPath(
    "15a49a44fc36", "4.0", "KVM: arm: page logging 2nd stage fault handling", unmaps_table=False
)
_UNMAPS = replace(_MERGED, name="3c3736cd32bf", release="5.1", unmaps_table=True,
                  subject="KVM: arm/arm64: Fix handling of stage2 huge mappings")  # fmt: skip
_SUCCESS = replace(_UNMAPS, name="509552e65ae8", release="5.12", marks="after", walker=True,
                   subject="KVM: arm64: Mark the page dirty only if the fault is handled successfully")  # fmt: skip
_PARALLEL = replace(_SUCCESS, name="1577cb5823ce", release="6.2", parallel=True, in_slot=True,
                    subject="KVM: arm64: Handle stage-2 faults in parallel")  # fmt: skip
PATHS = (
    replace(_MERGED, name="v14", release="", read_stays_read=False, marks="write-fault",
            subject="[PATCH v14 7/7] KVM: arm: page logging 2nd stage fault handling, 2014-11-14"),
    _MERGED,
    _UNMAPS,
    _SUCCESS,
    _PARALLEL,
    replace(_PARALLEL, name="9c30fc615daa", release="6.12", marks="unlocked",
            subject="KVM: arm64: Move setting the page as dirty out of the critical section"),
)  # fmt: skip


def path(name: str) -> FaultPath:
    """The version of that name."""
    return next(each for each in PATHS if each.name == name)

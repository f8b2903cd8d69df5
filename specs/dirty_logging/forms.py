"""Forms of the protocol that no kernel has, each with one thing done otherwise (protocol.md 8.3, L2, L3 and L6).

They say what the thing is for: `kernel` is a version as it is, `relax-checked` one with a fix that no kernel has.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """What is done otherwise, where it is.

    `relax_checked` is a fix of L9: permissions are relaxed only of a leaf of the size that the fault was on.

    `mark_early` (L2): the page is marked before mmu_lock is taken.  `block_logging` (L6): blocks are mapped while
    logging.  `no_srcu` (L3): the memslot is looked at outside SRCU.  `no_seq`: F4 does not look for invalidations.
    `no_flush`: a harvest flushes no TLB.  `no_wait`: the last harvest does not wait for vCPUs that are in a fault.
    """

    text: str = "as the kernel has it"
    mark_early: bool = False
    block_logging: bool = False
    no_srcu: bool = False
    no_seq: bool = False
    no_flush: bool = False
    no_wait: bool = False
    relax_checked: bool = False


FORMS = {
    "kernel": Form(),
    "mark-early": Form("marks before mmu_lock", mark_early=True),
    "block-logging": Form("blocks while logging", block_logging=True),
    "no-srcu": Form("memslot outside SRCU", no_srcu=True),
    "no-seq": Form("no look at mmu_seq", no_seq=True),
    "no-flush": Form("harvest without a flush", no_flush=True),
    "relax-checked": Form("relaxes a leaf of the fault's size only", relax_checked=True),
    "no-wait": Form("last harvest beside a fault", no_wait=True),
}

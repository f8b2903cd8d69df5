"""The known bugs of a store across two pages, and what the two schemes cannot do: the checks that show each.

M3 and M4 were reported and fixed.  M1 and M2 are protocol.md 8.2's naive scheme as emulator_read_write() has it to this
day; nobody has reported a guest that minds.  M5 to M11 say what each rule of the right scheme is for.
"""

from __future__ import annotations

from modelcheck import Case, Trial
from specs.memslot_access.machine import BOUNDARY, FRAGMENTS, ONE_EXIT, PV_FLUSH, TWO_PHASE

KERNELS = (ONE_EXIT, FRAGMENTS, PV_FLUSH, BOUNDARY)
BOTH = (BOUNDARY, TWO_PHASE)


def tries(
    versions: tuple[str, ...], names: str, first: str, second: str, verdict: str = "violated", **more: str
) -> tuple[Trial, ...]:
    """One check of each version and each of the properties named."""
    changing = {"vmm": "thread"} if "changes" in (first, second) else {}
    values = tuple(({"first": first, "second": second} | changing | more).items())
    return tuple(Trial(version, name, values, verdict=verdict) for name in names.split() for version in versions)


CASES = (
    Case(
        "M1",
        "a store across two pages that faults on the second has written the first",
        "all, to 7.3",
        "known, not fixed",
        "emulator_read_write() writes the bytes of the first page, and only then translates the second, which the "
        "guest does not map. The fault is injected with half of the store in memory, for other vCPUs to see while the "
        "handler runs, and for ever if the instruction is not executed again. If it is, page 1 is written twice.",
        before=(
            *tries(KERNELS, "fault-atomic seen-outside", "rw", "rw"),
            *tries((FRAGMENTS, BOUNDARY), "written-once", "rw", "rw"),
            *tries((BOUNDARY,), "fault-atomic", "rw", "readonly"),
        ),
        after=(
            *tries((TWO_PHASE,), "fault-atomic seen-outside written-once", "rw", "rw", "holds"),
            *tries((TWO_PHASE,), "fault-atomic written-once", "changes", "changes", "holds"),
        ),
        conditions="an emulated store that crosses into a page which is not mapped for writing; the first page is RAM",
        trace="memslot_access-fault-atomic-e2117b347f.json",
    ),
    Case(
        "M2",
        "a store that is executed again overwrites another vCPU's answer to it",
        "all, to 7.3",
        "known, not fixed",
        "The first page is written and the second faults, and another vCPU sees the bytes (a lock released, say) and "
        "stores to the first page itself. The handler returns, the instruction is executed again, and writes its old "
        "bytes over the newer ones.",
        before=tries(KERNELS, "not-overwritten", "rw", "rw"),
        after=(
            *tries((TWO_PHASE,), "not-overwritten", "rw", "rw", "holds"),
            *tries((TWO_PHASE,), "not-overwritten", "changes", "changes", "holds"),
        ),
        conditions="as M1, and another vCPU that stores to the first page in answer to what it saw there",
        trace="memslot_access-not-overwritten-7a96478d4d.json",
    ),
    Case(
        "M3",
        "of a store across two pages of MMIO only the second page's bytes leave",
        "to 3.4",
        "fixed",
        "An instruction had room for one exit in mmio_phys_addr and mmio_data, and an MMIO write does not stop the "
        "emulation. The second page overwrites what the first one left there, and userspace never sees the first.",
        before=tries((ONE_EXIT,), "written-once", "readonly", "readonly"),
        after=tries((FRAGMENTS, BOUNDARY, TWO_PHASE), "written-once", "readonly", "readonly", "holds"),
        fixed_by='f78146b0f923 "KVM: Fix page-crossing MMIO"',
        conditions="two adjacent pages without RAM (read-only slots came with 3.7; a hole is the same here)",
        trace="memslot_access-written-once-adaaa32be4.json",
    ),
    Case(
        "M4",
        "a store goes to a page that the guest has unmapped and flushed",
        "4.16 to 5.18 (CVE-2022-39189)",
        "fixed",
        "The vCPU is scheduled out between its walk of the guest's page table and the write, and its steal time says "
        "preempted. Another vCPU unmaps the page, and its paravirtual TLB flush does not wait for a vCPU that is "
        "preempted; the write goes to what the page is used for next.",
        before=tries((PV_FLUSH,), "stale-translation", "rw", "rw"),
        after=tries((FRAGMENTS, BOUNDARY, TWO_PHASE), "stale-translation", "rw", "rw", "holds"),
        fixed_by='6cd88243c7e0 "KVM: x86: do not report a vCPU as preempted outside instruction boundaries"',
        conditions="a guest with KVM_FEATURE_PV_TLB_FLUSH, and any emulated store, across pages or not",
        trace="memslot_access-stale-translation-ac13d4f5a7.json",
    ),
    Case(
        "M5",
        "another vCPU sees one half of a store",
        "all, and the two-phase scheme",
        "confirmed",
        "The two pages are written one after the other, and another vCPU looks in between. Translating first does not "
        "change that: it makes the store all or nothing with respect to faults, and to whoever looks while no store is "
        "being emulated.",
        before=tries(BOTH, "seen-whole", "rw", "rw"),
        after=tries((TWO_PHASE,), "seen-outside", "rw", "rw", "holds"),
        conditions="two pages of RAM",
        trace="memslot_access-seen-whole-71ea6db0de.json",
    ),
    Case(
        "M6",
        "a piece is written into a slot that is no longer published",
        "all, and the two-phase scheme",
        "refuted",
        "The slot is looked up under SRCU, and before the write an INVALID copy of it is published. So a slot need not "
        "be live when it is written, as protocol.md 8.2 (I3) has it; what holds is that the ioctl which takes it away "
        "does not return before the write.",
        before=tries(BOTH, "published-slot", "rw", "changes"),
        after=tries(BOTH, "live-slot", "rw", "changes", "holds"),
        conditions="a memslot deleted beside a store; harmless, as the VMM may not reuse the memory before the return",
        trace="memslot_access-published-slot-e4afd104fd.json",
    ),
    Case(
        "M7",
        "userspace is handed an MMIO write for a page that is RAM by then",
        "all, and the two-phase scheme",
        "confirmed",
        "A page has no slot that may be written, so its bytes leave as a fragment, and SRCU is dropped on the way out. "
        "The slot is made writable and its ioctl returns before userspace handles the fragment, which is not looked up "
        "again; with two fragments the vCPU's own thread is enough, as it may do so when it handles the first.",
        before=(
            *tries(BOTH, "mmio-route", "rw", "changes"),
            *tries((FRAGMENTS, *BOTH), "mmio-route", "readonly", "changes", vmm="handler"),
        ),
        after=(
            *tries(BOTH, "mmio-route", "rw", "changes", "holds", srcu="across-exit"),
            *tries((ONE_EXIT,), "mmio-route", "readonly", "changes", "holds", vmm="handler"),
        ),
        conditions="a VMM that makes a slot writable beside a running vCPU, and drops or misroutes the late fragment; "
        "what would help is a deadlock (M9)",
        trace="memslot_access-mmio-route-d41d4991af.json",
    ),
    Case(
        "M8",
        "a list of entries that is kept over an exit writes into a deleted slot",
        "the two-phase scheme, run in the order of addresses",
        "confirmed",
        "The first entry leaves for userspace and SRCU is dropped; the second has the slot that was looked up before. "
        "The slot is deleted meanwhile, by the handler of that very exit if need be, and the write goes into it.",
        before=(
            *tries((TWO_PHASE,), "live-slot", "readonly", "changes", order="by-address"),
            *tries((TWO_PHASE,), "live-slot", "changes", "changes", order="by-address", vmm="handler"),
        ),
        after=(
            *tries((TWO_PHASE,), "live-slot", "readonly", "changes", "holds"),
            *tries((TWO_PHASE,), "live-slot", "changes", "changes", "holds", vmm="handler"),
        ),
        conditions="run_iolist() of the mail read literally: entries in order, the list kept while userspace works; "
        "entries in RAM first, as emulator_read_write() has it, are safe",
        trace="memslot_access-live-slot-829bf8cd6c.json",
    ),
    Case(
        "M9",
        "SRCU held over an exit deadlocks with the handler of the exit",
        "none: why SRCU is dropped",
        "control",
        "A device model changes a memslot before it answers the exit, as a flash chip that leaves ROM mode does. "
        "synchronize_srcu() then waits for the vCPU's own read section, which ends when the device model returns.",
        before=tries(BOTH, "deadlock lock-order", "rw", "changes", srcu="across-exit", vmm="handler"),
        after=(
            *tries(BOTH, "deadlock lock-order", "rw", "changes", "holds", vmm="handler"),
            *tries(BOTH, "deadlock lock-order", "rw", "changes", "holds", srcu="across-exit"),
        ),
        conditions="broken on purpose: srcu=across-exit",
        trace="memslot_access-deadlock-dea4869f53.json",
    ),
    Case(
        "M10",
        "a slot looked up under SRCU is written outside it",
        "none",
        "control",
        "SRCU is dropped between the lookup and the write. The slot is deleted, the ioctl returns since there is no "
        "reader to wait for, and the write goes into memory that the VMM has taken back.",
        before=tries(BOTH, "live-slot", "rw", "changes", srcu="dropped"),
        after=tries(BOTH, "live-slot", "rw", "changes", "holds"),
        conditions="broken on purpose: srcu=dropped",
        trace="memslot_access-live-slot-618db2be0a.json",
    ),
    Case(
        "M11",
        "a slot looked up without write intent is written although it is read-only",
        "none: why gfn_to_hva() asks for writing",
        "control",
        "The lookup answers the address of any slot that is there. The store goes into the ROM, where it should have "
        "left as MMIO.",
        before=tries(BOTH, "live-slot", "rw", "readonly", intent="read"),
        after=tries(BOTH, "live-slot", "rw", "readonly", "holds"),
        conditions="broken on purpose: intent=read",
        trace="memslot_access-live-slot-82d4821f0f.json",
    ),
)

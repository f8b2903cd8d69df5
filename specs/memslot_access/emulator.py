"""emulator_read_write(): a store across two pages, in pieces or in two phases (protocol.md 8.2, steps V1 to V4).

Source: arch/x86/kvm/x86.c and virt/kvm/kvm_main.c (Linux 3.4 to 7.3.4), and for the second scheme Avi Kivity's mail of
2012-06-18, which names its functions gva_to_tlb, tlb_to_io and run_iolist; the seed document has it.

Simplified: what an in-kernel device takes is as a write to RAM, done on the spot; __copy_to_user() to a live slot
succeeds, for which the VMM keeps its memory mapped; a fragment has at most 8 bytes, so that each is one exit.
"""

from __future__ import annotations

from modelcheck import Action, Branch, Expr, check, reach, shared, test
from modelcheck import Slot as StateSlot
from specs.kvm.gpc import Steps
from specs.memslot_access.machine import (
    OLD_BYTES,
    READONLY,
    STORED,
    WRITABLE,
    Machine,
    Page,
    handed_out,
    requirement,
)
from specs.memslot_access.vmm import handles_exit

ONEPAGE, EXIT = "emulator_read_write_onepage", "kvm_arch_vcpu_ioctl_run"
Pages = tuple[Page, ...]


def emulate(machine: Machine) -> Steps:
    """Emulates the store once; answers the page that faulted, or None where the instruction is complete.

    Entered and left with kvm->srcu held, as vcpu_enter_guest() holds it.
    """
    if machine.form.two_phase:
        return (yield from two_phase(machine))
    pending: Pages = ()
    for page in machine.pages:
        first = page == machine.pages[0]
        if not (yield translate(page, "V1" if first else "V3")):
            return page  # fragments that were queued are forgotten
        label = "V2" if first else "V4"
        found = yield look_up(machine, page).at(label, "__gfn_to_hva_many")
        if found == "mmio":
            yield reach("left as MMIO").as_(f"mmio_fragments[]: {page.name}").at(label, ONEPAGE)
            pending = (page,) if machine.form.one_exit else (*pending, page)
        else:
            if machine.form.srcu == "dropped":
                yield machine.srcu.read_unlock().at(label, "kvm_vcpu_write_guest")
            yield write(machine, page, found).at(label, "__kvm_write_guest_page")
            if machine.form.srcu == "dropped":
                yield machine.srcu.read_lock().at(label, "kvm_vcpu_write_guest")
    for page in pending:
        yield from exits(machine, page)
    return None


def two_phase(machine: Machine) -> Steps:
    """gva_to_tlb() for all, tlb_to_io() for all, then run_iolist(): what can fault does so before anything is done."""
    one, two = machine.pages
    if not (yield translate(one, "V1", "gva_to_tlb")):
        return one
    if not (yield translate(two, "V2", "gva_to_tlb")):
        return two
    first = yield look_up(machine, one).at("V2", "tlb_to_io")
    second = yield look_up(machine, two).at("V2", "tlb_to_io")
    if machine.form.srcu == "dropped":
        yield machine.srcu.read_unlock().at("V2", "tlb_to_io")
    if first != "mmio":
        yield write(machine, one, first).at("V3", "run_iolist")
    elif machine.form.by_address:
        yield from exits(machine, one)
    if second != "mmio":
        yield write(machine, two, second).at("V4", "run_iolist")
    if machine.form.srcu == "dropped":
        yield machine.srcu.read_lock().at("V4", "run_iolist")
    if first == "mmio" and not machine.form.by_address:
        yield from exits(machine, one)
    if second == "mmio":
        yield from exits(machine, two)
    return None


def translate(page: Page, label: str, function: str = "vcpu_mmio_gva_to_gpa") -> Action:
    """The walk of the guest's page table for a write: whether it finds the page, else there is a fault."""
    return test(page.mapped, f"{page.name} mapped for writing?").at(label, function)


def look_up(machine: Machine, page: Page) -> Action:
    """The memslot behind a page: `ram`, or `mmio` where there is none that may be written.

    Without the write intent a read-only slot is found as any other (`readonly`).
    """
    intent = machine.form.intent
    text = f"gfn_to_hva({page.name}, write={'true' if intent else 'false'})"
    if page.place is None:
        kind = "ram" if page.kind == WRITABLE else "mmio" if intent else "readonly"
        return Action("shared", text, (Branch(kind),))
    slot, invalid = page.place.slot, page.place.invalid
    assert slot is not None and invalid is not None
    ram, rom = slot.eq(WRITABLE) & ~invalid, slot.eq(READONLY) & ~invalid
    if intent:
        return Action("shared", text, (Branch("ram", ram), Branch("mmio", ~ram)))
    return Action("shared", text, (Branch("ram", ram), Branch("readonly", rom), Branch("mmio", ~ram & ~rom)))


def write(machine: Machine, page: Page, found: str) -> Action:
    """__copy_to_user() of the bytes for one page, to where its slot was when it was looked up."""
    done = ((page.content, STORED), (page.written, 1))
    return step(machine, requirement(machine, page, found), f"copy the bytes of {page.name}", done).reaching(
        f"wrote {page.name}"
    )


def exits(machine: Machine, page: Page) -> Steps:
    """KVM_EXIT_MMIO with one fragment, what the VMM does with it, and KVM_RUN again (complete_emulated_mmio)."""
    held = machine.form.srcu == "across-exit"
    if not held:
        yield machine.srcu.read_unlock().at("", EXIT)
    text = f"the VMM takes the bytes of {page.name}"
    yield step(machine, handed_out(machine, page), text, ((page.written, 1),)).at("", "KVM_EXIT_MMIO")
    yield reach("handled an exit")
    if machine.form.handler and machine.changing:
        yield from handles_exit(machine)
    if not held:
        yield machine.srcu.read_lock().at("", EXIT)


def step(machine: Machine, needed: Expr | None, text: str, done: tuple[tuple[StateSlot, int], ...]) -> Action:
    """A step that does this, and that the property asked may require something of."""
    return shared(text, *done) if needed is None else check(needed, machine.asked, text, done)


def begin(machine: Machine) -> Action:
    """The guest comes to its next store: whatever is in memory is old (a ghost)."""
    old = tuple((page.content, OLD_BYTES) for page in machine.pages)
    return shared("the next store", *old, *((page.written, 0) for page in machine.pages))

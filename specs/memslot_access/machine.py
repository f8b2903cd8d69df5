"""What the actors share: two guest pages under one store, their memslots, page table entries, and the forms there are.

The bytes of a page are told apart by who wrote them last: they are old (from before the store in progress), the
store's, or another vCPU's answer, written after it saw the store's.  With each new store all bytes are old again, so
there is no bound on the number of stores.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Expr, Model, Mutex, Slot, Srcu, lift
from specs.kvm.gpc import Kvm, Place
from specs.kvm.making import make_kvm, make_page, make_place

OLD_BYTES, STORED, ANSWERED = range(3)
WRITABLE, READONLY = 1, 2  # what the memslot behind a page may be; 0 is none
ONE_EXIT, FRAGMENTS, PV_FLUSH, BOUNDARY = "before-f78146b0f923", "f78146b0f923", "f38a7b75267f", "6cd88243c7e0"
TWO_PHASE = "two-phase"


@dataclass(frozen=True, slots=True)
class Form:
    """How a store is emulated: the version, and what is left to choose in it.

    `srcu` is held until the pieces are written and dropped over exits to userspace (`held`), or dropped once the slots
    are looked up (`dropped`), or held over the exits too (`across-exit`).  `by_address`: a two-phase list is run in the
    order of its addresses, else RAM first.  `intent`: slots are looked up for writing.  `handler`: the memslots are
    changed by what handles an exit, in the vCPU's own thread (a flash chip that leaves ROM mode), else by another.
    """

    version: str
    srcu: str = "held"
    by_address: bool = False
    intent: bool = True
    handler: bool = False

    @property
    def two_phase(self) -> bool:
        """Avi Kivity's scheme."""
        return self.version == TWO_PHASE

    @property
    def one_exit(self) -> bool:
        """Whether an instruction has room for one MMIO exit, and the last page that leaves takes it."""
        return self.version == ONE_EXIT

    @property
    def reports_anywhere(self) -> bool:
        """Whether a vCPU that is scheduled out in the middle of an instruction is reported as preempted."""
        return self.version == PV_FLUSH


@dataclass(frozen=True, slots=True)
class Page:
    """A guest page that the store has bytes in.

    `place` is the memslot behind it where that changes, else `kind` says what it is for ever.  `mapped`: the guest's
    page table maps it for writing.  `flushed` is a ghost: it was unmapped and every vCPU has flushed its TLB.
    `written` is a ghost: the store's bytes for it were written, or handed to userspace, once.
    """

    name: str
    kind: int
    place: Place | None
    mapped: Slot
    flushed: Slot
    content: Slot
    written: Slot

    @property
    def untouched(self) -> Expr:
        """No byte of the store is in it."""
        return self.content.eq(OLD_BYTES)


@dataclass(frozen=True, slots=True)
class Machine:
    """The guest's memory, the vCPU that emulates a store, and which property is asked.

    `emulating`: the vCPU is out of guest mode, in the middle of an instruction, and acknowledges no TLB flush.
    `preempted` is what its steal time says to the guest's other vCPUs, where that may be in such a place.
    """

    kvm: Kvm
    pages: tuple[Page, Page]
    emulating: Slot
    preempted: Slot | None
    form: Form
    asked: str

    @property
    def srcu(self) -> Srcu:
        """What memslots are looked up under."""
        assert self.kvm.srcu is not None
        return self.kvm.srcu

    @property
    def mm_lock(self) -> Mutex:
        """The guest's own lock of its page tables."""
        return Mutex("guest's mmap_lock")

    @property
    def changing(self) -> tuple[Place, ...]:
        """The places whose memslots change."""
        return tuple(page.place for page in self.pages if page.place is not None)

    def none_written(self) -> Expr:
        """No byte of the store was written anywhere."""
        return ~self.pages[0].written & ~self.pages[1].written

    def whole(self) -> Expr:
        """Both pages have bytes of the store, or neither."""
        one, two = (page.untouched for page in self.pages)
        return (one & two) | (~one & ~two)


def make_machine(model: Model, form: Form, kinds: tuple[str, str], asked: str) -> Machine:
    """Two pages of these kinds: `rw`, `readonly`, or one that `changes` (and starts read-only for a `handler`)."""
    kvm = make_kvm(model, memslots=True, notifiers=1)
    pages = tuple(make_guest_page(model, number, kind, form) for number, kind in enumerate(kinds, 1))
    emulating = model.bool("vCPU is emulating")
    preempted = model.bool("st->preempted") if form.reports_anywhere else None
    return Machine(kvm, (pages[0], pages[1]), emulating, preempted, form, asked)


def make_guest_page(model: Model, number: int, kind: str, form: Form) -> Page:
    """One guest page with its memslot."""
    name, place = f"page {number}", None
    if kind == "changes":
        slots = make_page(model, "writable slot", 1), make_page(model, "read-only slot", 2)
        place = make_place(model, name, slots, memslots=True, slot=READONLY if form.handler else WRITABLE)
    return Page(
        name,
        READONLY if kind == "readonly" else WRITABLE,
        place,
        model.bool(f"{name} is mapped", True),
        model.bool(f"{name} was unmapped and flushed"),
        model.enum(f"bytes in {name}", "old", "the store's", "an answer"),
        model.bool(f"{name} has its bytes"),
    )


def requirement(machine: Machine, page: Page, found: str) -> Expr | None:
    """What the property that is asked requires of a write to a page whose slot was `found` so; None for nothing."""
    match machine.asked:
        case "written-once":
            return ~page.written
        case "not-overwritten":
            return page.content.ne(ANSWERED)
        case "stale-translation":
            return ~page.flushed
        case "live-slot" if found == "readonly":
            return lift(0)
        case "live-slot" if page.place is not None:
            return ~page.place.retired[WRITABLE - 1]
        case "published-slot" if page.place is not None:
            return writable_now(page.place)
    return None


def handed_out(machine: Machine, page: Page) -> Expr | None:
    """What the property that is asked requires when a fragment for this page is handled in userspace."""
    match machine.asked:
        case "written-once":
            return ~page.written
        case "mmio-route" if page.place is not None:
            return ~writable_now(page.place) | machine.kvm.slots_lock.owner.ne(0)
    return None


def writable_now(place: Place) -> Expr:
    """A writable slot, and not one that is INVALID, is published."""
    assert place.slot is not None and place.invalid is not None
    return place.slot.eq(WRITABLE) & ~place.invalid

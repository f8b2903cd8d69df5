"""Live migration: harvests of the dirty bitmap and copies of the pages found, until a last pass (protocol.md 5.6, D9).

A page of the area is `unsaved` while its bytes differ from migration's copy.  Before the last pass the VMM stops the
vCPU, that is, waits until its thread is in no call that is meant to write guest memory; it may still issue others on it
(protocol.md B22).  A store after the
last copy, or a page that is unsaved then, is lost at the destination.

The bitmap speaks for the dirty ring too: the task that stores pushes into its own vCPU's ring, where it would set the
bit (G13) and so after its stores; a store after a harvest is a new entry, and a reset takes only entries that were
harvested, so that, as with the bitmap's xchg(), what a harvest takes away are marks it copies the pages of.  A ring
that is full is left out (protocol.md 11 item 7).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Action, Branch, Model, Slot, assign, check, choose, lift, reach, test, wait
from specs.kvm.pfncache import Steps

HARVEST = "kvm_get_dirty_log_protect"


@dataclass(frozen=True, slots=True)
class Dirty:
    """The dirty bits of the area's pages, whether each is unsaved, the VMM's stop of the vCPU, and the end.

    `busy`: the vCPU's thread is in KVM_RUN or in an ioctl that writes the area.
    """

    bits: tuple[Slot, ...]
    unsaved: tuple[Slot, ...]
    stopped: Slot
    busy: Slot
    final: Slot


def make_dirty(model: Model, pages: int) -> Dirty:
    """All pages clean and copied once."""
    return Dirty(
        tuple(model.bool(f"dirty_bitmap[{page}]") for page in range(pages)),
        tuple(model.bool(f"page {page} unsaved") for page in range(pages)),
        model.bool("VMM stopped the vCPU"),
        model.bool("the vCPU's thread is at work"),
        model.bool("migration is over"),
    )


def unsave(dirty: Dirty, page: int) -> Action:
    """A store reaches the page: it differs from migration's copy, for ever once that is over."""
    text, over = f"page {page} differs from migration's copy", dirty.final.eq(1)
    return Action(
        "check", text, (Branch(None, ~over, ((dirty.unsaved[page], lift(1)),)), Branch(None, over, breaks="lost-dirty"))
    )


def migration(dirty: Dirty, stops: bool) -> Steps:
    """The migration thread; `stops`: it waits for the vCPU to stop before the last pass."""
    while not (yield choose("last pass?", False, True).at("", "migration_thread")):
        yield from harvest(dirty)
    if stops:
        yield assign(dirty.stopped, 1).at("", "vm_stop")
        yield wait(dirty.busy.eq(0), "the vCPU has stopped").at("", "vm_stop")
    yield from harvest(dirty)
    yield reach("last pass done")
    for unsaved in dirty.unsaved:
        yield check(unsaved.eq(0), "lost-dirty", f"{unsaved.name}?").at("", "migration_completion")
    yield assign(dirty.final, 1).at("", "migration_completion")


def harvest(dirty: Dirty) -> Steps:
    """One pass: each page whose bit is found set is copied, after the bit was cleared.

    The kernel takes a word of bits with one xchg(); a bit set again between the look and the clearing was set already.
    """
    for page in range(len(dirty.bits)):
        bit = dirty.bits[page]
        if (yield test(bit, f"{bit.name}?").at("", HARVEST)):
            yield assign(bit, 0).at("", HARVEST)
            yield assign(dirty.unsaved[page], 0).as_(f"page {page} is copied").at("", "ram_save_page")
            yield reach("dirty page copied")

"""The properties of a store across two pages, their witnesses, and the type invariant."""

from __future__ import annotations

from modelcheck import Expr, Model, PropertyInfo
from specs.memslot_access.machine import ANSWERED, READONLY, WRITABLE, Machine

FAULT = PropertyInfo("fault-atomic", "a store that faults has written no byte (I1)")
ONCE = PropertyInfo("written-once", "each byte of a store is written, or handed to userspace, exactly once (I2)")
ANSWER = PropertyInfo("not-overwritten", "a store does not overwrite what another vCPU stored after seeing it")
LIVE = PropertyInfo("live-slot", "no write into a read-only slot, nor into one whose deletion has returned (I3)")
PUBLISHED = PropertyInfo("published-slot", "a piece is written only while its slot is published (I3 to the letter)")
ROUTE = PropertyInfo("mmio-route", "userspace is handed no piece for a page that is writable RAM by then")
STALE = PropertyInfo("stale-translation", "no write by a translation that was unmapped and flushed")
WHOLE = PropertyInfo("seen-whole", "another vCPU sees all of a store or nothing (I4)")
OUTSIDE = PropertyInfo("seen-outside", "while no store is being emulated, another vCPU sees all of one or nothing")
DEADLOCK = PropertyInfo("deadlock", "no process is stuck for ever")
LOCK_ORDER = PropertyInfo("lock-order", "no cycle in the order of lock classes, SRCU among them")
TYPE = PropertyInfo("type", "bytes, page table entries and slots fit together")
ASSERTIONS = (FAULT, ONCE, ANSWER, LIVE, PUBLISHED, ROUTE, STALE, WHOLE, OUTSIDE)
PROPERTIES = (*ASSERTIONS, DEADLOCK, LOCK_ORDER, TYPE)


def declare(model: Model, machine: Machine) -> None:
    """Declares the property that is asked."""
    seen = witnesses(machine)
    for info in ASSERTIONS:
        if info.name == machine.asked:
            model.assertion(info.name, info.help, seen)
    if machine.asked == DEADLOCK.name:
        model.deadlock(DEADLOCK.name, DEADLOCK.help, seen)
    elif machine.asked == LOCK_ORDER.name:
        model.lock_order(LOCK_ORDER.name, LOCK_ORDER.help, seen)
    elif machine.asked == TYPE.name:
        model.invariant(TYPE.name, type_invariant(machine), TYPE.help, seen)


def witnesses(machine: Machine) -> tuple[str, ...]:
    """What the actors must be seen to do."""
    found = ["completed a store", "faulted"]
    for page in machine.pages:
        if page.place is not None or page.kind == WRITABLE:
            found += [f"wrote {page.name}"]
    if machine.changing:
        found += ["memslot deleted", "memslot created"]
    if machine.changing or machine.form.intent and any(page.kind == READONLY for page in machine.pages):
        found.append("handled an exit")
    if any(page.place is not None or page.kind == WRITABLE for page in machine.pages):
        found.append("answered")
    if machine.preempted is not None:
        found.append("preempted")
    return tuple(found)


def type_invariant(machine: Machine) -> Expr:
    """What is flushed is unmapped, what has bytes was written, an INVALID slot is one, SRCU has one reader at most."""
    good: Expr = (machine.srcu.readers(0) + machine.srcu.readers(1)).le(1)
    for page in machine.pages:
        good = good & (~page.flushed | ~page.mapped) & (page.untouched | page.written)
        if page.place is not None and page.place.slot is not None and page.place.invalid is not None:
            good = good & (~page.place.invalid | page.place.slot.ne(0))
    return good


def words(machine: Machine) -> tuple[tuple[Expr, str], ...]:
    """What the conditions of the checks say."""
    found: list[tuple[Expr, str]] = [(machine.emulating, "the store is being emulated")]
    for page in machine.pages:
        found += [
            (~page.written, f"{page.name} did not have its bytes yet"),
            (page.content.ne(ANSWERED), f"{page.name} has no answer of another vCPU"),
            (~page.flushed, f"{page.name} was not unmapped and flushed"),
        ]
        if page.place is not None:
            found.append((~page.place.retired[WRITABLE - 1], f"the writable slot of {page.name} was not taken away"))
    return tuple(found)

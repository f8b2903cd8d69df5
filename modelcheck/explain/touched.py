"""What each process of a system reads and writes, found from its actions alone, and which of it matters to one process.

The tables of a whole model take seconds to build (a copy's pieces come in any order); this looks at each action once.
Its one invariant: a slot that is left out never reaches a guard, a comparison or an observation of a process that is
kept, and a process that is left out writes no slot that is kept; so leaving them out leaves every run of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modelcheck.action import Access, Register
from modelcheck.expression import PROCESS, TRUE, Arbitrary, Const, Expr, Slot, slots_of, sorts_of
from modelcheck.system.link import System
from modelcheck.system.local_space import LocalSpace


@dataclass(slots=True)
class Touched:
    """Of one process: slots that decide (`guards`), from what each slot it sets is made (`feeds`), and its `makes`.

    `makes` are the sorts of which it creates a member, `sets` the constants it sets a slot to, None where it also sets
    it to something else.  Dicts without values stand for ordered sets.
    """

    guards: dict[Slot, None] = field(default_factory=dict)
    feeds: dict[Slot, dict[Slot, None]] = field(default_factory=dict)
    makes: dict[str, None] = field(default_factory=dict)
    sets: dict[Slot, frozenset[int] | None] = field(default_factory=dict)
    fresh: dict[Slot, None] = field(default_factory=dict)  # slots set to a member that is created


def touched(system: System, process: int) -> Touched:
    """What a process touches; a nested one also the flag that it runs, which its host reads where that is there."""
    space, found = system.spaces[process], Touched()
    for node in space.machine.nodes:
        action = node.action
        if action is None:
            continue
        for branch in action.branches:
            found.guards.update(dict.fromkeys(slots_of(space.link(branch.guard))))
            for slot, value in branch.updates:
                _feed(found, space.own(slot), space.link(value))
        for register in action.registers if action.kind in ("compare", "observe") else ():
            found.guards.update(dict.fromkeys(cells_of(system, process, register)))
        for register in action.forgets:
            for slot in cells_of(system, process, register):
                found.feeds.setdefault(slot, {})
        if action.access is not None:
            _access(system, space, action.access, node.register, found)
    if system.host[process] >= 0:
        found.feeds.setdefault(system.active(process), {})
        found.guards[system.active(process)] = None
    return found


def _feed(found: Touched, slot: Slot, value: Expr) -> None:
    found.feeds.setdefault(slot, {}).update(dict.fromkeys(slots_of(value)))
    known = found.sets.get(slot, frozenset())
    found.sets[slot] = known | {value.value} if isinstance(value, Const) and known is not None else None
    if isinstance(value, Arbitrary):
        found.guards.update(dict.fromkeys([slot, value.slot, *slots_of(value.condition)]))
    found.makes.update(dict.fromkeys(sorts_of(value)))
    if any(True for _ in sorts_of(value)):
        found.fresh[slot] = None


def _access(system: System, space: LocalSpace, access: Access, register: int, found: Touched) -> None:
    for condition, _ in access.requires:
        found.guards.update(dict.fromkeys(slots_of(space.link(condition))))
    found.guards.update(dict.fromkeys(slots_of(space.link(access.when))))
    if access.area in system.reserved:
        reserved = Slot(f"{access.area}.reserved", PROCESS)
        found.guards[reserved] = None
        found.feeds.setdefault(reserved, {})
    version = space.link(access.version) if access.version is not None else None
    for cell in system.cells[access.area].within(access.lo, access.hi):
        form = cell.form_slot()
        if access.when != TRUE:
            found.guards[cell.slot()] = None
        if access.loads:
            copy = cell.form_slot(f"r{register}.")
            loaded = found.feeds.setdefault(space.own(cell.slot(f"r{register}.")), {})
            loaded[cell.slot()] = None
            if version is not None or system.memory.forwards:
                loaded.update(dict.fromkeys(_stored(system, space, access)))
            if form is not None and copy is not None:
                found.feeds.setdefault(space.own(copy), {})[form] = None
        if version is not None:
            found.feeds.setdefault(cell.slot(), {}).update(dict.fromkeys([*slots_of(version), cell.slot()]))
            found.makes.update(dict.fromkeys(sorts_of(version)))
            if form is not None:
                found.feeds.setdefault(form, {})


def _stored(system: System, space: LocalSpace, access: Access) -> Iterator[Slot]:
    """What own stores to the same area are made of: a load may take its bytes from one on its way to memory."""
    for other in space.machine.accesses:
        if other.area == access.area and other.version is not None:
            yield from slots_of(space.link(other.version))


def cells_of(system: System, process: int, register: Register) -> list[Slot]:
    """The slots that hold a loaded value: stamps or a number, and forms."""
    space, found = system.spaces[process], []
    for cell in system.cells[register.access.area].within(register.access.lo, register.access.hi):
        form = cell.form_slot(f"r{register.index}.")
        found.append(space.own(cell.slot(f"r{register.index}.")))
        if form is not None:
            found.append(space.own(form))
    return found


@dataclass(frozen=True, slots=True)
class Matters:
    """Which processes take part, which slots are held (in order), and which of these are touched by two processes.

    `touched` is what each of these processes touches.
    """

    processes: tuple[int, ...]
    slots: tuple[Slot, ...]
    shared: frozenset[Slot]
    touched: tuple[Touched, ...]


def matters(system: System, roots: frozenset[int], extra: tuple[Slot, ...] = (), makers: bool = False) -> Matters:
    """What matters to the `roots`: all that writes a slot which decides for one of them, or for one of those.

    `extra` are slots that matter anyhow.  With `makers` every process that creates a version of an area's content
    takes part, since versions are then counted.
    """
    found = [touched(system, process) for process in range(len(system.processes))]
    kept = set(roots)
    if makers:
        sorts = {area.sort for area in system.model.areas.values() if area.domain is None}
        kept |= {p for p, one in enumerate(found) if not sorts.isdisjoint(one.makes)}
    while True:
        kept |= {system.host[p] for p in kept if system.host[p] >= 0}
        made = [slot for p in sorted(kept) for slot in found[p].fresh] if makers else []
        needed = _needed([found[p] for p in sorted(kept)], (*extra, *made))
        more = {p for p, one in enumerate(found) if p not in kept and not needed.keys().isdisjoint(one.feeds)}
        if not more:
            break
        kept |= more
    order = tuple(sorted(kept))
    flags = {system.active(p) for p in order if system.host[p] >= 0}  # a host reads its nested process's
    taking = [found[p] for p in order]
    shared = frozenset(_shared(taking, needed)).union(flags, extra)  # whoever sets one of `extra` is noticed
    return Matters(order, tuple(needed), shared, tuple(taking))


def _needed(found: list[Touched], extra: tuple[Slot, ...]) -> dict[Slot, None]:
    feeds: dict[Slot, dict[Slot, None]] = {}
    for one in found:
        for slot, sources in one.feeds.items():
            feeds.setdefault(slot, {}).update(sources)
    todo = [*extra, *(slot for one in found for slot in one.guards)]
    needed: dict[Slot, None] = {}
    while todo:
        slot = todo.pop()
        if slot not in needed:
            needed[slot] = None
            todo += feeds.get(slot, ())
    return dict.fromkeys(sorted(needed, key=lambda slot: slot.name))


def _shared(found: list[Touched], needed: dict[Slot, None]) -> Iterator[Slot]:
    for slot in needed:
        users = [one for one in found if slot in one.guards or slot in one.feeds
                 or any(slot in sources for sources in one.feeds.values())]
        if len(users) > 1 and any(slot in one.feeds for one in users):
            yield slot

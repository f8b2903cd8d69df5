"""Systems whose size is known in advance: counters that each count up by themselves, (top + 1) ** n states.

Layers are wide, so that several threads share them; what else happens, happens in the middle.
"""

from __future__ import annotations

from modelcheck.explore.table import Move, Observes, ProcessTable, SeenCell, SeenValue, Step, Tables
from modelcheck.expression import TRUE, Const, Domain, Expr, Fresh, Op, Slot, range_domain
from modelcheck.system.edge import Edge, Local

STAMP = Domain("stamp", sort="s")


def counters(n: int, top: int) -> tuple[Slot, ...]:
    """The slots of `n` counters from 0 to `top`."""
    return tuple(Slot(f"c{i}", range_domain(0, top)) for i in range(n))


def stamps(n: int) -> tuple[Slot, ...]:
    """`n` stamps of one sort."""
    return tuple(Slot(f"s{i}", STAMP) for i in range(n))


def step(
    process: int, guard: Expr, *updates: tuple[Slot, Expr], breaks: str = "", observes: Observes | None = None
) -> Step:
    """One step out of a process's only local state, back to it."""
    edge = Edge(process, Local(0), Local(0), 0, 0, f"step {process}", breaks=breaks)
    return Step((Move(guard, updates, edge, observes, lines=((f"file{process}.py", 1),)),), 0)


def one_up(process: int, slot: Slot, *more: tuple[Slot, Expr]) -> Step:
    """Counts up to the end of the slot's range."""
    return step(process, slot.lt(slot.domain.hi), (slot, slot + 1), *more)


def all_are(slots: tuple[Slot, ...], value: int) -> Expr:
    """Whether every counter has that value."""
    return Op("and", tuple(slot.eq(value) for slot in slots))


def tables_of(*processes: tuple[Step, ...], invariant: Expr | None = None) -> Tables:
    """Processes of one local state each."""
    tables = tuple(ProcessTable(f"p{p}", p, (Local(0),), (steps,)) for p, steps in enumerate(processes))
    return Tables(tables, (("small", invariant),) if invariant is not None else ())


def grid(n: int, top: int, *watches: Step, invariant: Expr | None = None) -> Tables:
    """The counters, and a process with the steps `watches` (whose process is `n`)."""
    counts = tuple((one_up(p, slot),) for p, slot in enumerate(counters(n, top)))
    return tables_of(*counts, *((watches,) if watches else ()), invariant=invariant)


def seen(slots: tuple[Slot, ...], form: Slot | None = None) -> Observes:
    """Hands over those stamps; with `form`, in the form that slot holds."""
    forms = () if form is None else tuple(str(i) for i in range(form.domain.hi + 1))
    cells = tuple(SeenCell((i,), slot, form, forms) for i, slot in enumerate(slots))
    return Observes("seen", (SeenValue("a", 0, len(slots), cells),), ())


def stamped_grid(n: int, top: int, *, observed: bool = True) -> Tables:
    """Counters that renew a stamp at each step, and a process that looks at the stamps.

    It observes all, in the form c0 has, or it only compares two of them.
    """
    marks = stamps(n)
    slots = counters(n, top)
    counts = [(one_up(p, slot, (marks[p], Fresh("s"))),) for p, slot in enumerate(slots)]
    looks = step(n, TRUE, observes=seen(marks, slots[0])) if observed else step(n, marks[0].lt(marks[1]))
    return tables_of(*counts, (looks,))


def leaves_range(n: int, top: int, at: int) -> Tables:
    """Counters, and a process that adds ten to the first one when all are `at`."""
    slots = counters(n, top)
    return grid(n, top, step(n, all_are(slots, at), (slots[0], slots[0] + Const(10))))

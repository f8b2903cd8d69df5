"""Random tables: all that a step can be, more than the actions of a model make of it.

Slots of every kind, two sorts, registers that hold nothing yet, updates that read what the same step writes, several
moves in one step, ranges that are left, guards on other processes' places, observations, invariants.  Every move is one
that `check_move` accepts.  `Draws` is where choices come from, as in random_systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from random_systems import Draws

from modelcheck.explore.table import (
    Move,
    Observes,
    ProcessTable,
    SeenCell,
    SeenValue,
    Step,
    Tables,
    check_move,
)
from modelcheck.expression import (
    BOOL,
    TRUE,
    Const,
    Domain,
    Expr,
    Fresh,
    Op,
    Slot,
    enum_domain,
    ite,
    range_domain,
)
from modelcheck.system.edge import Edge, Local

FORMS = ("", "flagged", "other")


@dataclass
class TableGrammar:
    """What tables may have; `leaves`: one update in that many may leave its slot's range (0: none)."""

    processes: int = 3
    locals: int = 5
    steps: int = 3
    leaves: int = 0
    order: bool = True  # whether stamps are compared by order
    observes: bool = True
    breaks: bool = True

    def tables(self, draws: Draws) -> Tables:
        """One system."""
        return _Tables(self, draws).tables()


class _Tables:
    def __init__(self, grammar: TableGrammar, draws: Draws) -> None:
        self.grammar = grammar
        self.draws = draws
        below = draws.below
        self.plain = [Slot("b", BOOL, below(2))]
        for i in range(1 + below(2)):
            lo = below(7) - 4
            self.plain.append(Slot(f"v{i}", range_domain(lo, lo + below(4)), lo))
        self.plain.append(Slot("e", enum_domain(*FORMS), below(3)))
        self.versioned: dict[str, list[Slot]] = {}
        for kind, sort in (("stamp", "s"), ("name", "n"), ("stamp", "r")):
            domain = Domain(kind, sort=sort)  # type: ignore[arg-type]
            count = below(4) if sort != "r" else below(3)
            self.versioned[sort] = [Slot(f"{sort}{i}", domain, -below(2)) for i in range(count)]
        count = 1 + min(below(grammar.processes + 1), grammar.processes - 1)
        self.sizes = [1 + below(grammar.locals) for _ in range(count)]
        self.pcs = [Slot(f"p{p}.pc", range_domain(0, size - 1)) for p, size in enumerate(self.sizes)]

    def tables(self) -> Tables:
        processes = tuple(self._process(p) for p in range(len(self.sizes)))
        below = self.draws.below
        invariants = tuple((f"invariant{i}", self._loose()) for i in range(below(2)))
        asked = tuple(self._truth(2) for _ in range(below(3)))
        return Tables(processes, invariants, asked)

    def _loose(self) -> Expr:
        """A condition that seldom fails."""
        return Op("or", (self._truth(1), self._truth(1), *(Op("ne", (slot, Const(slot.domain.hi)))
                                                          for slot in self.plain)))

    def _process(self, p: int) -> ProcessTable:
        below = self.draws.below
        steps = tuple(
            tuple(self._step(p, pc, which) for which in range(below(8) and 1 + below(self.grammar.steps)))
            for pc in range(self.sizes[p])
        )
        return ProcessTable(f"p{p}", p, tuple(Local(i) for i in range(self.sizes[p])), steps)

    def _step(self, p: int, pc: int, which: int) -> Step:
        below = self.draws.below
        target = below(self.sizes[p]) if below(2) else (pc + 1) % self.sizes[p]
        breaks = "broken" if self.grammar.breaks and below(40) == 0 else ""
        observes = self._observes() if self.grammar.observes and not breaks and below(6) == 0 else None
        moves = [self._move(p, pc, target, f"{pc}.{which}.{i}", breaks if i == 0 else "", observes if i == 0 else None)
                 for i in range(1 + (below(4) == 0))]
        return Step(tuple(moves), target)

    def _move(self, p: int, pc: int, target: int, choice: str, breaks: str, observes: Observes | None) -> Move:
        below = self.draws.below
        slots = [*self.plain, *(s for sort in self.versioned.values() for s in sort)]
        chosen: dict[Slot, Expr] = {}
        for _ in range(below(4)):
            slot = self.draws.of(slots)
            value = self._value(slot)
            if value is not None:
                chosen[slot] = value
        guard = self._truth(2) if below(2) else TRUE
        edge = Edge(p, Local(pc), Local(target), 0, 0, choice, breaks=breaks)
        updates = tuple(chosen.items())
        move = Move(guard, updates, edge, observes, below(5) == 0, lines=((f"file{p}.py", 10 * pc + target),))
        check_move(move)
        return move

    # -- expressions ------------------------------------------------------------------------------------------------

    def _value(self, slot: Slot) -> Expr | None:
        draws, domain = self.draws, slot.domain
        if domain.kind in ("stamp", "name"):
            peers = self.versioned[domain.sort]
            kind = draws.below(4)
            if kind == 0 and slot.initial < 0:
                return Const(-1)
            return Fresh(domain.sort) if kind <= 1 else draws.of(peers)
        if self.grammar.leaves and draws.below(self.grammar.leaves) == 0:
            return self._leaving()
        if domain.kind == "bool":
            return Op("ne", (self._truth(2), Const(0)))
        kind = draws.below(4)
        if kind == 0:
            return Const(domain.lo + draws.below(domain.hi - domain.lo + 1))
        if kind == 1:  # one up, round at the end
            return ite(slot.eq(domain.hi), domain.lo, slot + 1)
        if kind == 2:  # another, where it fits
            other = draws.of(self.plain)
            fits = Op("and", (Op("le", (Const(domain.lo), other)), Op("le", (other, Const(domain.hi)))))
            return ite(fits, other, domain.lo)
        return ite(self._truth(1), domain.lo, domain.hi)

    def _leaving(self) -> Expr:
        draws = self.draws
        kind = draws.below(3)
        if kind == 0:
            return Const(draws.below(9) - 4)
        if kind == 1:
            return draws.of(self.plain[1:])
        return Op(draws.of(("add", "sub")), (self._number(1), self._number(1)))

    def _number(self, depth: int) -> Expr:
        draws = self.draws
        kind = draws.below(6) if depth else draws.below(3)
        if kind == 0:
            return Const(draws.below(9) - 4)
        if kind <= 2:
            return draws.of(self.plain)
        if kind == 3:
            return ite(self._truth(depth - 1), self._number(depth - 1), self._number(depth - 1))
        return Op(draws.of(("add", "sub")), (self._number(depth - 1), self._number(depth - 1)))

    def _truth(self, depth: int) -> Expr:
        draws = self.draws
        kind = draws.below(9) if depth else draws.below(6)
        if kind == 0:
            return self.plain[0]
        if kind == 1:
            pc = draws.of(self.pcs)
            return Op("in", (pc, *(Const(i) for i in range(pc.domain.hi + 1) if draws.below(2))))
        if kind == 2:
            return self._versions()
        if kind == 3:
            slot = draws.of(self.plain)
            return Op(draws.of(("eq", "ne")), (slot, Const(slot.domain.lo + draws.below(3))))
        if kind == 4:
            return Op(draws.of(("eq", "ne", "lt", "le")), (self._number(0), self._number(0)))
        if kind == 5:
            values = dict.fromkeys(draws.below(12) - 6 for _ in range(draws.below(4)))
            return Op("in", (self._number(min(depth, 1)), *map(Const, values)))
        if kind == 6:
            return ~self._truth(depth - 1)
        if kind == 7:
            return Op(draws.of(("and", "or")), tuple(self._truth(depth - 1) for _ in range(2 + draws.below(2))))
        return self._number(1)  # where a truth is asked for a number is one, as in `evaluate`

    def _versions(self) -> Expr:
        """A comparison of two stamps or two names."""
        draws = self.draws
        sorts = [sort for sort, slots in self.versioned.items() if slots]
        if not sorts:
            return self.plain[0]
        sort = draws.of(sorts)
        ordered = self.grammar.order and sort != "n"
        operators = ("eq", "ne", "lt", "le") if ordered else ("eq", "ne")
        return Op(draws.of(operators), (draws.of(self.versioned[sort]), draws.of(self.versioned[sort])))

    def _observes(self) -> Observes | None:
        """Some stamps, some of them with a form; both of one value and of several."""
        draws = self.draws
        stamps = [*self.versioned["s"], *self.versioned["r"]]
        if not stamps:
            return None
        form = self.plain[-1]
        values = []
        for name in ("a", "b")[: 1 + draws.below(2)]:
            cells = tuple(
                SeenCell((offset,), draws.of(stamps), form if draws.below(2) else None, FORMS)
                for offset in range(1 + draws.below(3))
            )
            values.append(SeenValue(name, 0, len(cells), cells))
        facts: tuple[Any, ...] = (("equal", (0, len(values) - 1), True),) if draws.below(2) else ()
        return Observes("seen", tuple(values), facts)

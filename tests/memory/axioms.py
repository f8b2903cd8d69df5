"""The weak model as axioms over whole executions, knowing nothing of windows or of a search.

After herd (Alglave, Maranget, Tautschnig, Herding Cats, TOPLAS 2014): an execution is a path through each process, what
each load reads from (rf) and an order of the stores to each location (co).  It is one where per-location coherence
holds, a read-modify-write reads its co-predecessor, and ob is acyclic: rf, co and fr between processes, and what
`preserved` keeps.  A read-modify-write that is not fully ordered is two events, a read and a write with no other store
between; the rules are those modelcheck/memory/weak.py states.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import Any, NamedTuple

from memory.programs import Copy, Fence, If, Load, Rmw, Store, locations, row, stored

ORDERS = {
    **dict.fromkeys(("smp_mb", "mb", "mfence"), ("RR", "RW", "WR", "WW")),
    **{f"smp_mb__{beside}": ("RR", "RW", "WR", "WW") for beside in ("before_atomic", "after_atomic")},
    **{f"smp_mb__{beside}": ("RR", "RW", "WR", "WW") for beside in ("after_spinlock", "after_unlock_lock")},
    **dict.fromkeys(("smp_rmb", "rmb", "lfence"), ("RR",)),
    **dict.fromkeys(("smp_wmb", "wmb", "sfence"), ("WW",)),
    "barrier": (),
}


class Event(NamedTuple):
    """A statement at its place in the path of a process, or half of it; -1 for what wrote an initial value."""

    process: int
    place: int
    says: Any
    half: str = ""

    @property
    def at(self) -> tuple[int, str]:
        """Where it is in program order."""
        return self.place, self.half

    @property
    def mode(self) -> str:
        """Acquire is of the half that reads, release of the half that writes."""
        lost = {"R": "release", "W": "acquire"}.get(self.half)
        return "once" if self.says.mode == lost else self.says.mode

    @property
    def reads(self) -> bool:
        return isinstance(self.says, (Load, Rmw)) and self.half != "W"

    @property
    def writes(self) -> bool:
        return isinstance(self.says, (Store, Rmw)) and self.half != "R"

    @property
    def does(self) -> str:
        return "R" * self.reads + "W" * self.writes


def events_of(process: int, path: tuple) -> list:
    """The events of a path, in program order."""
    found = []
    for place, says in enumerate(path):
        if isinstance(says, (Load, Store, Rmw)):
            halves = ("R", "W") if isinstance(says, Rmw) and says.mode != "full" else ("",)
            found += [Event(process, place, says, half) for half in halves]
    return found


class Branch(NamedTuple):
    """A branch on a path: the register is the number, or is not."""

    reg: str
    number: int
    taken: bool


def paths(block) -> list:
    """Every path through a process."""
    if not block:
        return [()]
    first, rest = block[0], block[1:]
    if isinstance(first, If):
        return [
            (Branch(first.reg, first.number, taken), *more)
            for taken, arm in ((True, first.then), (False, first.other))
            for more in paths((*arm, *rest))
        ]
    return [(first, *more) for more in paths(rest)]


def acyclic(edges: set) -> bool:
    after: dict[Any, list[Any]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
    colour: dict[Any, int] = {}

    def fine(a) -> bool:
        colour[a] = 1
        for b in after.get(a, ()):
            if colour.get(b) == 1 or b not in colour and not fine(b):
                return False
        colour[a] = 2
        return True

    return all(a in colour or fine(a) for a in list(after))


class Candidate:
    """The executions of one choice of paths; `without` names rules to leave out of what is preserved."""

    def __init__(self, processes, chosen, without: frozenset[str]) -> None:
        self.processes, self.chosen, self.without = processes, chosen, without
        self.events = [e for p, path in enumerate(chosen) for e in events_of(p, path)]
        self.loads = [{e.says.reg: e for e in self.events if e.process == p and e.reads} for p in range(len(chosen))]
        self.fixed = {(a, b) for a in self.events for b in self.events if self.preserved(a, b)}

    # -- preserved program order ------------------------------------------------------------------------------------

    def needs(self, event: Event, *kinds: str) -> set:
        """The loads an event depends on, by kinds of dependency; the half that reads only has an address."""
        says, found = event.says, set()
        for kind in kinds:
            if event.writes or kind == "addr":
                found.update(getattr(says, kind, ()))
        if "data" in kinds and event.writes and isinstance(says.number, Copy):
            found.add(says.number.reg)
        return {self.loads[event.process][reg] for reg in found}

    def preserved(self, a: Event, b: Event) -> bool:
        """Whether `a` is performed before `b` of the same process, whatever is read."""
        if a.process != b.process or a.at >= b.at:
            return False
        if a.place == b.place or "full" in (a.mode, b.mode) or a.mode == "acquire" or b.mode == "release":
            return True
        if a.mode == "release" and isinstance(b.says, Rmw) and b.mode == "acquire":
            return True
        if a in self.needs(b, "data", "addr", "ctrl"):
            return True
        between = self.chosen[a.process][a.place : b.place]
        fences = [pair for says in between if isinstance(says, Fence) for pair in ORDERS[says.kind]]
        if any(x + y in fences for x in a.does for y in b.does):
            return True
        return a.says.loc == b.says.loc and self.same_location(a, b)

    def same_location(self, a: Event, b: Event) -> bool:
        """Two accesses to one location, but a store and a later load, and two loads with a store between."""
        if b.writes:
            return True
        if a.writes:
            newer = any(a.at < e.at < b.at and isinstance(e.says, Store) for e in self.of(a.says.loc, a.process))
            updates = {"after an update": b if newer else a, "into an update": b}
            return any(isinstance(e.says, Rmw) for rule, e in updates.items() if rule not in self.without)
        if "same-location loads" in self.without:
            return False
        return not any(a.at < e.at < b.at and e.writes for e in self.of(a.says.loc, a.process))

    def of(self, loc: str, process: int = -1) -> list:
        return [e for e in self.events if e.says.loc == loc and process in (-1, e.process)]

    # -- executions -------------------------------------------------------------------------------------------------

    def coherent(self, loc: str) -> list:
        """Every (rf, co) of one location that coherence and atomicity allow; co starts with the initial store."""
        events = self.of(loc)
        writes, reads = [e for e in events if e.writes], [e for e in events if e.reads]
        initial = Event(-1, 0, Store(loc, 0))
        po = {(a, b) for a in events for b in events if a.process == b.process and a.at < b.at}
        atomic = {r: r if r.writes else r._replace(half="W") for r in reads if isinstance(r.says, Rmw)}
        found = []
        for order in permutations(writes):
            co = (initial, *order)
            for sources in product(co, repeat=len(reads)):
                rf = dict(zip(reads, sources, strict=True))
                if all(co.index(w) == co.index(rf[r]) + 1 for r, w in atomic.items()) and acyclic(
                    po | self.communication(rf, co)
                ):
                    found.append((rf, co))
        return found

    def communication(self, rf: dict, co: tuple) -> set:
        """rf, co and fr."""
        later = {(a, b) for i, a in enumerate(co) for b in co[i + 1 :]}
        fr = {(r, b) for r, w in rf.items() for a, b in later if a == w and b != r}
        return {(w, r) for r, w in rf.items()} | later | fr

    def rows(self) -> set:
        """The final states of all executions."""
        found = set()
        places = locations(self.processes)
        for each in product(*(self.coherent(loc) for loc in places)):
            rf = {r: w for some, _ in each for r, w in some.items()}
            communication = set().union(*(self.communication(some, co) for some, co in each))
            external = {(a, b) for a, b in communication if a.process != b.process}
            if not acyclic(external | self.fixed | self.forwarded(rf)):
                continue
            numbers = self.numbers(rf)
            if numbers is not None:
                regs = [{reg: numbers[e][0] for reg, e in loads.items()} for loads in self.loads]
                memory = {loc: numbers[co[-1]][1] for loc, (_, co) in zip(places, each, strict=True)}
                found.add(row(self.processes, regs, memory))
        return found

    def forwarded(self, rf: dict) -> set:
        """(data | addr); rfi: a load that reads an own store waits for what the store's value and place depend on."""
        return {
            (needed, r)
            for r, w in rf.items()
            if r.process == w.process
            for needed in self.needs(w, "data", "addr")
        }

    def numbers(self, rf: dict) -> dict | None:
        """What each event read and wrote; None where that contradicts a branch or what a load waits for."""
        found: dict[Event, tuple[int, int]] = {}

        def of(event: Event) -> tuple[int, int]:
            if event not in found:
                old = of(rf[event])[1] if event.reads else of(event._replace(half="R"))[0] if event.half else 0
                known = {e.says.reg: of(e)[0] for e in self.needs(event, "data")} if event.process >= 0 else {}
                found[event] = old, stored(event.says, known, old) if event.writes else old
            return found[event]

        for event in self.events:
            if event.reads and event.says.when not in (-1, of(event)[0]):
                return None
            of(event)
        for p, path in enumerate(self.chosen):
            for says in path:
                if isinstance(says, Branch) and (of(self.loads[p][says.reg])[0] == says.number) != says.taken:
                    return None
        for w in {w for w in rf.values() if w.process < 0}:
            of(w)
        for loc in locations(self.processes):
            found.setdefault(Event(-1, 0, Store(loc, 0)), (0, 0))
        return found


def executions(processes, without: frozenset[str] = frozenset()) -> set:
    """The final states of every execution that the axioms allow."""
    return set().union(*(Candidate(processes, chosen, without).rows() for chosen in product(*map(paths, processes))))

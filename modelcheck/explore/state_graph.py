"""Every reachable state of a model as the search of one property stores them, with what violates the property marked.

A check stops at its first violation; this goes on.  A step that violates leads to a state of its own, which nothing
leads out of; an observation that z3 finds a violation on a whole run is remembered, and its steps are marked.  The
graph is that of the reductions that are on: parts that are equal but for names are one.

Its one invariant: the same numbers, steps and marks for any engine and any number of threads.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace

from modelcheck.explore.analysis import Finding, lock_orders, spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.confirm import MOST_TRIES, Confirmer
from modelcheck.explore.engine import REFERENCE, Engine, run_search
from modelcheck.explore.fairness import starves
from modelcheck.explore.found import Answer, Found, Goals, Path, State
from modelcheck.explore.merging import Renamed, renumber_watchers
from modelcheck.explore.observing import Observer
from modelcheck.explore.reduce import On, Part, plain_part, reduce_part, root_sets, whole_tables
from modelcheck.explore.table import ProcessTable, Step, Tables
from modelcheck.explore.tables_key import tables_key
from modelcheck.expression import Expr, evaluate
from modelcheck.smt.solver import Solver
from modelcheck.smt.values import Observation
from modelcheck.system.edge import Local
from modelcheck.system.link import System
from modelcheck.system.model import Model, Property

_END = Local(-1_000_000)  # where a violating step leads


@dataclass
class Explored:
    """One search: its states by number, and what is marked.

    `roots` are the positions of the processes the property is about.  `breaks` are the steps that violate it, as
    (process, local state, step); `bad` are states that do, each with why.  `ends[p]` is the local state of process p
    that a violating step leads to, -1 for none.
    """

    system: System
    found: Found
    roots: frozenset[int]
    ends: tuple[int, ...]
    breaks: frozenset[tuple[int, int, int]]
    bad: dict[int, str] = field(default_factory=dict)
    observed: frozenset[Observation] = frozenset()

    @property
    def tables(self) -> Tables:
        """The tables that were searched."""
        return self.found.tables

    def ended(self, state: State) -> bool:
        """Whether a violating step led to the state."""
        return any(end >= 0 and state[p] == end for p, end in enumerate(self.ends))

    def violates(self, state: State, process: int, which: int, observer: Observer) -> bool:
        """Whether that step out of the state violates the property."""
        pc = state[process]
        if (process, pc, which) in self.breaks:
            return True
        observes = self.tables.processes[process].steps[pc][which].observes
        return bool(self.observed) and observes is not None and observer.observation(observes, state) in self.observed


def explored(
    model: Model,
    name: str,
    on: On,
    bounds: Bounds,
    engine: Engine = REFERENCE,
    solver: Solver | None = None,
    full: Callable[[], Model] | None = None,
) -> Iterator[Explored]:
    """The searches that decide property `name`, one for each part that is not equal to one before.

    A `data` property has no states, and none is asked for.
    A search that a bound ended is handed on with its `found.bound`, and is the last.
    """
    prop = model.properties[name]
    system = System(model, frozenset({name}))
    whole = whole_tables(system, prop)
    if prop.kind == "observation" and solver is None and model.values is not None:
        solver = Solver(model.values)
    confirmer = Confirmer(full or (lambda: model), system.watched, solver)
    known: set[Hashable] = set()
    for roots in root_sets(system, prop, whole, on):
        plain = plain_part(whole, prop, roots, on)
        names = frozenset(whole.processes[i].name for i in roots)
        if on("symmetry"):
            key = frozenset(i for i, table in enumerate(plain.processes) if table.name in names), tables_key(plain)
            if key in known:
                continue
            known.add(key)
        part = reduce_part(plain, prop, names, on, bounds, engine)
        one = _search(system, prop, part, names, on, bounds, engine, confirmer)
        yield one
        if one.found.bound:
            return


def _search(
    system: System, prop: Property, part: Part, names: frozenset[str], on: On, bounds: Bounds, engine: Engine,
    confirmer: Confirmer,
) -> Explored:
    tables, ends, breaks = _going_on(part.tables)
    roots = frozenset(i for i, table in enumerate(tables.processes) if table.name in names)
    confirmed = _Confirmed(part, tables, confirmer)
    decide = confirmed.decide if prop.kind == "observation" and confirmer.solver is not None else None
    ample = on("ample") and prop.kind not in ("terminates", "eventually")
    found = run_search(tables, bounds, Goals(decide, keep_graph=True), ample, engine=engine)
    one = Explored(system, found, roots, ends, breaks, observed=frozenset(confirmed.bad))
    if not found.bound:
        _mark(one, prop, bounds)
    return one


def _going_on(tables: Tables) -> tuple[Tables, tuple[int, ...], frozenset[tuple[int, int, int]]]:
    """The tables with violating steps that end nothing, where these lead to, and which they are."""
    breaks = frozenset(
        (p, pc, which)
        for p, table in enumerate(tables.processes)
        for pc, steps in enumerate(table.steps)
        for which, step in enumerate(steps)
        if step.breaks
    )
    ends = tuple(
        len(table.steps) if any(p == q for q, _, _ in breaks) else -1 for p, table in enumerate(tables.processes)
    )
    longer = tuple(_longer(table, end) for table, end in zip(tables.processes, ends, strict=True))
    renamed: Renamed = {
        old.pc: (new.pc, {i: i for i in range(len(old.steps))})
        for old, new in zip(tables.processes, longer, strict=True)
        if new is not old
    }
    asked = (*(condition for _, condition in tables.invariants), *tables.asked)
    return renumber_watchers(replace(tables, processes=longer, invariants=(), asked=asked), renamed), ends, breaks


def _longer(table: ProcessTable, end: int) -> ProcessTable:
    if end < 0:
        return table

    def onward(step: Step) -> Step:
        if not step.breaks:
            return step
        first, *rest = step.moves
        return Step((replace(first, edge=replace(first.edge, breaks="")), *rest), end)

    steps = tuple(tuple(onward(step) for step in out) for out in table.steps)
    return replace(table, locals=(*table.locals, _END), steps=(*steps, ()))


class _Confirmed:
    """Says of no observation that the search may end, and remembers those that z3 finds violated on a whole run."""

    def __init__(self, part: Part, tables: Tables, confirmer: Confirmer) -> None:
        self.part = part
        self.tables = tables
        self.confirmer = confirmer
        self.observer = Observer(tables.index)
        self.tried: dict[Observation, int] = {}
        self.bad: dict[Observation, None] = {}

    def decide(self, state: State, step: Step, path: Callable[[], Path]) -> Answer:
        assert step.observes is not None and self.confirmer.solver is not None
        observation = self.observer.observation(step.observes, state)
        tried = self.tried.get(observation, 0)
        self.tried[observation] = tried + 1
        if observation in self.bad or tried >= MOST_TRIES:
            return Answer.NEVER
        if not tried and not self.confirmer.solver.possible(observation):
            self.tried[observation] = MOST_TRIES
            return Answer.NEVER
        if self.confirmer.confirm(self.part, [taken.step(self.part.tables) for taken in path()]) is None:
            return Answer.OPEN
        self.bad[observation] = None
        return Answer.NEVER


def _mark(one: Explored, prop: Property, bounds: Bounds) -> None:
    """Marks the states that violate the property: all that do so by themselves, and a loop where one is found."""
    found, tables = one.found, one.tables
    if prop.kind == "invariant" and tables.asked:
        broken = set(range(found.size)) - set(_where(found, tables.asked[0]))
        one.bad.update((number, "the invariant is false") for number in sorted(broken))
    elif prop.kind == "deadlock":
        one.bad.update(_dead(found))
    elif prop.kind == "lock-order":
        finding = lock_orders(found, one.system)
        if finding is not None:
            chain = " -> ".join([a.held.lock_class for a in finding.attempts] + [finding.attempts[0].held.lock_class])
            one.bad[_walk(found, finding.path)[-1]] = f"the last of a cycle of lock classes: {chain}"
    elif prop.kind in ("terminates", "eventually") and prop.condition is not None:
        finding = _for_ever(one, prop, bounds)
        if finding is not None:
            for number in _walk(found, (*finding.path, *finding.loop))[len(finding.path):]:
                one.bad[number] = "in a loop that may go on for ever" if finding.loop else "nobody need go on"


def _where(found: Found, condition: Expr) -> Iterator[int]:
    """The states in which a condition holds."""
    slots = found.tables.slots
    for number in range(found.size):
        if evaluate(condition, dict(zip(slots, found.state(number), strict=True))):
            yield number


def _dead(found: Found) -> dict[int, str]:
    """The states in which a process that has not finished never steps again, whatever comes."""
    stuck: dict[int, list[str]] = {}
    for p, table in enumerate(found.tables.processes):
        alive = found.alive(p)
        rests = [all(step.moves[0].edge.preempts for step in steps) for steps in table.steps]
        number = alive.find(0)
        while number >= 0:
            if not rests[found.state(number)[p]]:
                stuck.setdefault(number, []).append(table.name)
            number = alive.find(0, number + 1)
    return {number: f"never moves again: {', '.join(stuck[number])}" for number in sorted(stuck)}


def _for_ever(one: Explored, prop: Property, bounds: Bounds) -> Finding | None:
    found = one.found
    place = {table.name: p for p, table in enumerate(found.tables.processes)}
    if prop.kind == "terminates":
        return spins(found, place[prop.process], 0)
    return starves(found, [place[name] for name in sorted(prop.fair, key=place.__getitem__)], 0, 1, bounds)


def _walk(found: Found, path: Path) -> list[int]:
    """The states a path passes, the first included."""
    numbers = [0]
    for taken in path:
        here = next((after for p, which, after in found.out(numbers[-1])
                     if (p, which) == (taken.process, taken.number)), -1)
        if here < 0:
            break
        numbers.append(here)
    return numbers


def depths(found: Found) -> array[int]:
    """How many steps each state is from the initial one; numbers are in that order, so one pass tells."""
    depth = array("i", [-1]) * found.size
    depth[0] = 0
    for number in range(found.size):
        for _, _, after in found.out(number):
            if depth[after] < 0:
                depth[after] = depth[number] + 1
    return depth

"""Deciding one property of one model: link, reduce, search, and confirm what was found on the full model.

Its one invariant: a verdict is HOLDS only after a search that no bound ended, and VIOLATED only with a run of the full
model that the reference semantics took step by step and, where values matter, z3 solved as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace

from modelcheck.errors import UsageError
from modelcheck.explore.analysis import Finding, deadlocks, lock_orders, spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.confirm import MOST_TRIES, Confirmed, Confirmer
from modelcheck.explore.engine import run_search
from modelcheck.explore.fairness import asks, starves
from modelcheck.explore.found import Answer, Found, Goals, Path, Report, State
from modelcheck.explore.observing import Observer, Pattern, observing
from modelcheck.explore.reduce import REDUCTIONS, Part, plain_part, reduce_part, root_sets, whole_tables
from modelcheck.explore.shown import Shown, Violation, shown_of
from modelcheck.explore.slicing import left_out
from modelcheck.explore.table import Step, Tables
from modelcheck.explore.tables_key import graph_key
from modelcheck.explore.verdict import Line, Options, Outcome, Searched
from modelcheck.smt.solver import Solver
from modelcheck.smt.values import Observation
from modelcheck.system.link import System
from modelcheck.system.model import Model, Property

OF_LOCKS = ("deadlock", "lock-order", "sleep-in-atomic")  # one graph speaks for all

__all__ = ["OF_LOCKS", "REDUCTIONS", "Line", "Options", "Outcome", "Searched", "verify"]


def verify(
    model: Model,
    name: str,
    bounds: Bounds = Bounds(),
    options: Options = Options(),
    solver: Solver | None = None,
    full: Callable[[], Model] | None = None,
    report: Report | None = None,
    known: dict[Hashable, Searched] | None = None,
) -> Outcome:
    """Decides property `name` of `model`.

    `full` makes the unprojected model that counterexamples are lifted to (the model itself when None).  `known` holds
    what equal parts of other models came to, and is added to; it must be of one set of bounds.  Raises UsageError for
    an unknown property and SpecError for a broken spec.
    """
    prop = model.properties.get(name)
    if prop is None:
        there = ", ".join(model.properties) or "none"
        raise UsageError(f"model {model.name!r} has no property {name!r}; there are {there}")
    if prop.kind == "data":
        from modelcheck.explore.data import verify_data  # with what it imports, only where it is asked for

        return verify_data(model, prop, bounds, options, report)
    return _Verification(model, prop, bounds, options, solver, full, report, {} if known is None else known).run()


@dataclass(slots=True)
class _Verification:
    model: Model
    prop: Property
    bounds: Bounds
    options: Options
    solver: Solver | None
    full: Callable[[], Model] | None
    report: Report | None
    known: dict[Hashable, Searched]
    system: System = field(init=False)
    whole: Tables = field(init=False)
    confirmer: Confirmer = field(init=False)
    asked: dict[Observation, int] = field(default_factory=dict)
    open: set[Observation] = field(default_factory=set)
    met: dict[tuple[int, Pattern], Observation] = field(default_factory=dict)  # in the part that is being searched
    confirmed: Confirmed | None = None
    part: Part = field(init=False)  # the one that is being searched
    observer: Observer = field(init=False)  # of its states
    lines: set[Line] = field(default_factory=set)
    searched: int = 0
    spared: int = 0
    actors: dict[int, str] = field(default_factory=dict)

    def run(self) -> Outcome:
        self.system = System(self.model, frozenset({self.prop.name}))
        if self.prop.kind == "observation" and self.solver is None and self.model.values is not None:
            self.solver = Solver(self.model.values)
        self.confirmer = Confirmer(self.full or (lambda: self.model), self.system.watched, self.solver)
        whole = self.whole = whole_tables(self.system, self.prop)
        done: list[Searched] = []
        counted: list[tuple[Hashable, frozenset[Observation]]] = []  # equal parts that observe the same count once
        violations: list[Violation] = []
        bound = ""
        for roots in root_sets(self.system, self.prop, whole, self.options.on):
            plain = plain_part(whole, self.prop, roots, self.options.on)
            self._note(plain)
            names = frozenset(whole.processes[i].name for i in roots)
            key = self._key(plain, names) if self.options.on("symmetry") else None
            spared = self._spared(key, plain)
            if spared is not None:
                self.spared += 1
                if (key, spared.asked) not in counted:
                    counted.append((key, spared.asked))
                    done.append(spared)
                continue
            self.part = reduce_part(plain, self.prop, names, self.options.on, self.bounds, self.options.engine)
            self.searched += 1
            found, violation = self._search()
            done.append(self._searched(found))
            bound = bound or found.bound
            if violation is not None:
                violations.append(violation)
            elif key is not None and not found.bound and not self.open:
                self.known[key] = done[-1]
                counted.append((key, done[-1].asked))
        return self._outcome(done, violations, bound or self.system.window_bound(sorted(self.actors)))

    def _note(self, plain: Tables) -> None:
        """Remembers what the part is made of, for coverage and the report."""
        for table in plain.processes:
            self.actors[table.process] = table.name
            self.lines.update(self.system.spaces[table.process].machine.lines)

    def _key(self, plain: Tables, roots: frozenset[str]) -> Hashable:
        """Equal for parts of which one speaks for the other, across all models of a sweep."""
        passed = tuple(self._start_lines(table.process) for table in plain.processes)
        kind: Hashable = self.prop.kind
        if kind in OF_LOCKS:  # whole graphs, whatever the roots
            hosts = tuple(self.system.host[table.process] for table in plain.processes)
            kind = OF_LOCKS, self._held(plain), hosts
        else:
            about = tuple(p for p, table in enumerate(plain.processes) if table.name in roots)
            asked = (self.prop.process, *self.prop.fair)
            kind = kind, about, tuple(p for p, table in enumerate(plain.processes) if table.name in asked)
        return kind, passed, self.options.without, graph_key(plain)

    def _spared(self, key: Hashable, plain: Tables) -> Searched | None:
        """What an equal part came to, if nothing that it observed is a violation with the bytes that it is here."""
        known = self.known.get(key) if key is not None else None
        if known is None or known.clear and self.prop.kind not in known.clear:
            return None
        if not known.patterns:
            return known
        assert self.solver is not None
        steps, observer = observing(plain), Observer(plain.index)
        asked = [observer.told(steps[place], pattern) for place, pattern in known.patterns]
        if any(self.solver.possible(observation) for observation in asked):
            return None
        return replace(known, asked=frozenset(asked))

    def _held(self, plain: Tables) -> Hashable:
        """What the analyses of locks look at beside the tables."""
        return tuple(
            tuple(
                (node.context.held, node.action.lock if node.action is not None and node.action.blocking else None)
                for local in table.locals
                for node in (self.system.spaces[table.process].node(local),)
            )
            for table in plain.processes
        )

    def _start_lines(self, process: int) -> tuple[Line, ...]:
        space = self.system.spaces[process]
        return tuple((space.machine.nodes[i].file, space.machine.nodes[i].line) for i in space.start_passed)

    # -- the search of one part ---------------------------------------------------------------------------------

    def _search(self) -> tuple[Found, Violation | None]:
        kind = self.prop.kind
        keep = kind in ("deadlock", "lock-order", "eventually")
        decide = self._decide if kind == "observation" else None
        # these are looked for from states and on fair runs, and partial-order reduction keeps only steps
        ample = self.options.on("ample") and kind not in ("terminates", "eventually")
        self.confirmed = None
        self.met.clear()
        self.observer = Observer(self.part.tables.index, observing(self.part.plain))
        found = run_search(
            self.part.tables, self.bounds, Goals(decide, keep), ample, self.report, self.options.engine
        )
        finding = self._analyse(found)
        if found.violated or finding is not None:
            return found, Violation(self.part, found, finding, self.confirmed)
        return found, None

    def _decide(self, state: State, step: Step, path: Callable[[], Path]) -> Answer:
        """Whether an observing step is a violation: possible for some values, by itself and on a whole path."""
        assert step.observes is not None and self.solver is not None
        tables = self.part.tables
        pattern = self.observer.pattern(step.observes, state)
        observation = self.observer.told(step.observes, pattern)
        self.met[self.observer.place(step.observes), pattern] = observation
        if observation in self.asked:
            if self.asked[observation] == 0 or self.asked[observation] > MOST_TRIES:
                return Answer.NEVER
        elif not self.solver.possible(observation):
            self.asked[observation] = 0
            return Answer.NEVER
        self.asked[observation] = self.asked.get(observation, 0) + 1
        self.open.add(observation)
        self.confirmed = self.confirmer.confirm(self.part, [taken.step(tables) for taken in path()])
        if self.confirmed is None:
            return Answer.OPEN
        self.open.discard(observation)
        return Answer.VIOLATED

    def _analyse(self, found: Found) -> Finding | None:
        if found.bound:
            return None
        if self.prop.kind == "deadlock":
            return deadlocks(found)
        if self.prop.kind == "lock-order":
            return lock_orders(found, self.system)
        if self.prop.kind == "terminates" and self.prop.condition is not None:
            process = next(i for i, table in enumerate(found.tables.processes) if table.name == self.prop.process)
            return spins(found, process, len(found.tables.invariants))
        if self.prop.kind == "eventually":
            fair = [i for i, table in enumerate(found.tables.processes) if table.name in self.prop.fair]
            return starves(found, fair, len(found.tables.invariants), len(found.tables.invariants) + 1, self.bounds)
        return None

    def _searched(self, found: Found) -> Searched:
        reached: set[str] = set()
        covered: set[Line] = set()
        moves = [m for p, pc, which in found.taken for m in found.tables.processes[p].steps[pc][which].moves]
        summary = self.part.summary
        if summary is not None:
            moves += summary.hidden_moves()
        for move in moves:
            reached.update(move.reaches)
            covered.update(move.lines)
        if self.prop.asked and asks(found, len(found.tables.invariants) + 1):
            reached.add(self.prop.asked)
        for table in self.part.plain.processes:
            covered.update(self._start_lines(table.process))
        return Searched(
            found.size + (summary.states if summary is not None else 0),
            found.transitions + (summary.transitions if summary is not None else 0),
            found.depth,
            frozenset(reached),
            frozenset(covered),
            frozenset(self.met.values()),
            found.fallback,
            tuple(self.met),
            self._clear(found),
        )

    def _clear(self, found: Found) -> tuple[str, ...]:
        """Which of the properties of locks the graph has, if it was searched for one of them; that is found soon."""
        if self.prop.kind not in OF_LOCKS or found.bound or found.violated:
            return ()
        if self.prop.kind == "deadlock" and lock_orders(found, self.system) is None:
            return OF_LOCKS
        return self.prop.kind, "sleep-in-atomic"

    # -- after the search ---------------------------------------------------------------------------------------

    def _outcome(self, done: list[Searched], violations: list[Violation], bound: str) -> Outcome:
        reached = frozenset[str]().union(*(each.reached for each in done))
        verdict, shown = "holds", Shown()
        if violations:
            verdict, bound = "violated", ""
            every = [shown_of(each, self.confirmer, self.prop, self.options, self.bounds) for each in violations]
            shown = min(every, key=lambda each: each.rank)
        elif bound:
            verdict = "incomplete"
        elif self.open or self.solver is not None and self.solver.unknown:
            verdict = "incomplete"
            bound = f"{len(self.open)} observations are possible by themselves, and no whole path to one was found"
        elif any(witness not in reached for witness in self.prop.witnesses):
            verdict = "vacuous"
        asked = set(self.asked).union(*(each.asked for each in done))
        finding = shown.finding
        covered = frozenset[Line]().union(*(each.covered for each in done))
        return Outcome(
            verdict,
            sum(each.states for each in done),
            sum(each.transitions for each in done),
            max(each.depth for each in done),
            len(asked),
            len(asked) + self.confirmer.paths,
            bound,
            shown.steps,
            finding.attempts if finding is not None else (),
            finding.stuck if finding is not None else (),
            shown.loop,
            tuple(shown.numbers),
            shown.how,
            reached,
            covered,
            frozenset(self.lines),
            tuple(name for _, name in sorted(self.actors.items())),
            next((each.fallback for each in done if each.fallback), ""),
            self.searched,
            self.spared,
            tuple(left_out(self.whole, frozenset(self.actors))),
            tuple((space.process.name, frozenset(space.machine.lines)) for space in self.system.spaces),
            tuple(dict(self._steps_of()).items()),
        )

    def _steps_of(self) -> Iterator[tuple[Line, tuple[str, str]]]:
        """The kernel function and step of each line that has them."""
        for space in self.system.spaces:
            for node in space.machine.nodes:
                if node.action is not None and node.action.function:
                    yield (node.file, node.line), (node.action.function, node.action.step)

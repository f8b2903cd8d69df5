"""Deciding one property of one model: link, reduce, search, and confirm what was found on the full model.

Its one invariant: a verdict is HOLDS only after a search that no bound ended, and VIOLATED only with a run of the full
model that the reference semantics took step by step and, where values matter, z3 solved as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from modelcheck.errors import UsageError
from modelcheck.explore.analysis import Attempt, Finding, deadlocks, lock_orders, spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.confirm import MOST_TRIES, Confirmed, Confirmer, edges_of
from modelcheck.explore.engine import REFERENCE, Engine, run_search
from modelcheck.explore.fairness import asks, starves
from modelcheck.explore.found import Answer, Found, Goals, Path, Report, State
from modelcheck.explore.observing import Observer
from modelcheck.explore.reduce import REDUCTIONS, Part, plain_part, reduce_part, root_sets, whole_tables
from modelcheck.explore.run import Run
from modelcheck.explore.shown import Shown, starved
from modelcheck.explore.slicing import left_out
from modelcheck.explore.table import Step, Tables
from modelcheck.explore.tables_key import tables_key
from modelcheck.smt.solver import Solver
from modelcheck.smt.values import Observation
from modelcheck.system.link import System
from modelcheck.system.model import Model, Property

__all__ = ["REDUCTIONS", "Line", "Options", "Outcome", "Searched", "verify"]

Line = tuple[str, int]  # of source: file and number


@dataclass(frozen=True, slots=True)
class Options:
    """Which reductions are on, and the bound in states of the search for the canonical trace.

    Without `polish` a violation is only confirmed: its run is not made canonical and gets no concrete values.
    """

    without: frozenset[str] = frozenset()
    polish: bool = True
    canonical_states: int = 60_000
    engine: Engine = REFERENCE

    def on(self, reduction: str) -> bool:
        """Whether a reduction is on."""
        return reduction not in self.without


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one property of one model.

    `steps` are the run of the full model as (process, choice); `attempts` what is asked for at its end and never had,
    or the lock classes in a cycle; `loop` how many of the last steps repeat for ever.  `numbers` are the versions'
    values; `words`, of a property of words, are the values taken as (step, slot, value), step -1 for the start, and
    `seconds` what z3 took.  `reached` are witnesses, `covered` source lines that some explored step ran, `lines` those
    of the `actors`, the processes that took part; `left_out` are the others, each with why.  `sources` are the lines of
    every process, `steps_of` the kernel function and step of those that have them.
    """

    verdict: str
    states: int = 0
    transitions: int = 0
    depth: int = 0
    observations: int = 0
    queries: int = 0
    bound: str = ""
    steps: tuple[tuple[int, str], ...] = ()
    attempts: tuple[Attempt, ...] = ()
    stuck: tuple[int, ...] = ()
    loop: int = 0
    numbers: tuple[dict[str, int], ...] = ()
    shortest: str = ""
    reached: frozenset[str] = frozenset()
    covered: frozenset[Line] = frozenset()
    lines: frozenset[Line] = frozenset()
    actors: tuple[str, ...] = ()
    fallback: str = ""  # why the engine asked for did not run it, "" where it did
    searched: int = 0  # parts that were searched
    spared: int = 0  # parts that were equal to one searched before, here or in another model
    left_out: tuple[tuple[str, str], ...] = ()
    sources: tuple[tuple[str, frozenset[Line]], ...] = ()
    steps_of: tuple[tuple[Line, tuple[str, str]], ...] = ()
    words: tuple[tuple[int, str, int], ...] = ()
    seconds: float = 0.0


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
    what equal parts of other models came to, and is added to; it must be of one solver and one set of bounds.  Raises
    UsageError for an unknown property and SpecError for a broken spec.
    """
    prop = model.properties.get(name)
    if prop is None:
        there = ", ".join(model.properties) or "none"
        raise UsageError(f"model {model.name!r} has no property {name!r}; there are {there}")
    if prop.kind == "data":
        from modelcheck.explore.data import verify_data  # it needs what is defined here

        return verify_data(model, prop, bounds, options, report)
    return _Verification(model, prop, bounds, options, solver, full, report, {} if known is None else known).run()


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search of one part came to, where it was complete and found nothing: what an equal part need not ask."""

    states: int
    transitions: int
    depth: int
    reached: frozenset[str]
    covered: frozenset[Line]
    asked: frozenset[Observation]
    fallback: str


@dataclass(slots=True)
class _Violation:
    """A violation in one part: the path or what was found on the graph, and the confirmed run where values matter."""

    part: Part
    found: Found
    finding: Finding | None
    confirmed: Confirmed | None


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
    met: set[Observation] = field(default_factory=set)  # in the part that is being searched
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
        violations: list[_Violation] = []
        bound = ""
        for roots in root_sets(self.system, self.prop, whole, self.options.on):
            plain = plain_part(whole, self.prop, roots, self.options.on)
            self._note(plain)
            names = frozenset(whole.processes[i].name for i in roots)
            key = self._key(plain, names) if self.options.on("symmetry") else None
            if key is not None and key in self.known:
                self.spared += 1
                if not any(self.known[key] is each for each in done):
                    done.append(self.known[key])
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
        return self._outcome(done, violations, bound or self.system.window_bound(sorted(self.actors)))

    def _note(self, plain: Tables) -> None:
        """Remembers what the part is made of, for coverage and the report."""
        for table in plain.processes:
            self.actors[table.process] = table.name
            self.lines.update(self.system.spaces[table.process].machine.lines)

    def _key(self, plain: Tables, roots: frozenset[str]) -> Hashable:
        """Equal for parts of which one speaks for the other, across all models of a sweep."""
        values = self.model.values.key if self.model.values is not None and self.prop.kind == "observation" else None
        about = tuple(p for p, table in enumerate(plain.processes) if table.name in roots)
        asked = (self.prop.process, *self.prop.fair)
        ended = tuple(p for p, table in enumerate(plain.processes) if table.name in asked)
        passed = tuple(self._start_lines(table.process) for table in plain.processes)
        kind = self.prop.kind
        held = self._held(plain) if kind in ("deadlock", "lock-order") else None
        hosts = tuple(self.system.host[table.process] for table in plain.processes) if held is not None else None
        return kind, values, about, ended, passed, held, hosts, self.options.without, tables_key(plain)

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

    def _search(self) -> tuple[Found, _Violation | None]:
        kind = self.prop.kind
        keep = kind in ("deadlock", "lock-order", "terminates", "eventually")
        decide = self._decide if kind == "observation" else None
        # these are looked for from states and on fair runs, and partial-order reduction keeps only steps
        ample = self.options.on("ample") and kind not in ("terminates", "eventually")
        self.confirmed = None
        self.met.clear()
        self.observer = Observer(self.part.tables.index)
        found = run_search(
            self.part.tables, self.bounds, Goals(decide, keep), ample, self.report, self.options.engine
        )
        finding = self._analyse(found)
        if found.violated or finding is not None:
            return found, _Violation(self.part, found, finding, self.confirmed)
        return found, None

    def _decide(self, state: State, step: Step, path: Callable[[], Path]) -> Answer:
        """Whether an observing step is a violation: possible for some values, by itself and on a whole path."""
        assert step.observes is not None and self.solver is not None
        tables = self.part.tables
        observation = self.observer.observation(step.observes, state)
        self.met.add(observation)
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
            frozenset(self.met),
            found.fallback,
        )

    # -- after the search ---------------------------------------------------------------------------------------

    def _outcome(self, done: list[Searched], violations: list[_Violation], bound: str) -> Outcome:
        reached = frozenset[str]().union(*(each.reached for each in done))
        verdict, shown = "holds", Shown()
        if violations:
            verdict, bound = "violated", ""
            shown = min((self._shown(violation) for violation in violations), key=lambda each: each.rank)
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

    def _shown(self, violation: _Violation) -> Shown:
        """The run that is shown for a violation: canonical, with concrete values, where that was asked for."""
        options, part, path = self.options, violation.part, violation.found.path or ()
        if violation.confirmed is None:
            return self._replayed(violation)
        run, observation = violation.confirmed
        if not options.polish:
            return Shown(run)
        (run, observation), how = self.confirmer.best(
            part, path, violation.confirmed, options.canonical_states, self.bounds, options.engine
        )
        return Shown(run, self.confirmer.numbers(observation), how=how)

    def _replayed(self, violation: _Violation) -> Shown:
        finding, found, part = violation.finding, violation.found, violation.part
        path = finding.path if finding is not None else found.path or ()
        loop = finding.loop if finding is not None else ()
        how = "shortest of the reduced graph"
        edges = edges_of(part, [taken.step(found.tables) for taken in path])
        if finding is None and self.prop.kind != "invariant" and self.options.polish:
            options = self.options
            paths = canonical_paths(
                part.plain,
                lambda _, step: step.breaks == self.prop.name,
                len(edges),
                options.canonical_states,
                self.bounds,
                options.engine,
            )
            better = next(paths, None)
            if better is not None:
                edges, how = [step.moves[0].edge for step in better], "shortest, then fewest switches"
        repeated = [m.edge for taken in loop for m in taken.step(found.tables).moves]
        if self.prop.kind == "eventually" and finding is not None:
            return starved(self.confirmer, self.prop, edges, repeated, finding)
        whole = edges + repeated
        ends = finding is not None or self.prop.kind == "invariant"

        def accept(run: Run) -> bool:
            return ends or bool(run.steps) and run.steps[-1].edge.breaks == self.prop.name

        run = self.confirmer.replayed(whole, accept, self.prop.name)
        return Shown(run, loop=len(whole) - len(edges), how=how, finding=finding)

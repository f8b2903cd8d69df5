"""Deciding one property of one model: link, reduce, search, and confirm what was found on the full model.

Its one invariant: a verdict is HOLDS only after a search that no bound ended, and VIOLATED only with a run of the full
model that the reference semantics took step by step and, where values matter, z3 solved as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice

from modelcheck.errors import InternalError, UsageError
from modelcheck.explore.analysis import Attempt, Finding, deadlocks, lock_orders, spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.dead_slots import reset_dead_slots
from modelcheck.explore.lift import lifts
from modelcheck.explore.merging import merge_local_steps
from modelcheck.explore.observing import observation_of
from modelcheck.explore.run import Run
from modelcheck.explore.search import Found, Goals, Path, Report, search
from modelcheck.explore.slicing import influencing, may_block, slice_tables
from modelcheck.explore.successors import State
from modelcheck.explore.summary import Summary, summarise
from modelcheck.explore.table import Move, Step, Tables, build_tables
from modelcheck.smt.solver import Solver
from modelcheck.smt.values import Observation
from modelcheck.system.link import System
from modelcheck.system.local_space import Edge
from modelcheck.system.model import Model, Property

REDUCTIONS = ("slice", "dead", "merge", "ample", "summary")
MOST_TRIES = 8  # paths tried for one observation before its question is left open


@dataclass(frozen=True, slots=True)
class Options:
    """Which reductions are on, and the bound in states of the search for the canonical trace.

    Without `polish` a violation is only confirmed: its run is not made canonical and gets no concrete values.
    """

    without: frozenset[str] = frozenset()
    polish: bool = True
    canonical_states: int = 60_000

    def on(self, reduction: str) -> bool:
        """Whether a reduction is on."""
        return reduction not in self.without


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one property of one model.

    `steps` are the run of the full model as (process, choice); `attempts` what is asked for at its end and never had,
    or the lock classes in a cycle; `loop` how many of the last steps repeat for ever.  `numbers` are the versions'
    values. `reached` are witnesses, `covered` source lines that some explored step ran.
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
    covered: frozenset[tuple[str, int]] = frozenset()
    lines: frozenset[tuple[str, int]] = frozenset()
    actors: tuple[str, ...] = ()


def verify(
    model: Model,
    name: str,
    bounds: Bounds = Bounds(),
    options: Options = Options(),
    solver: Solver | None = None,
    full: Callable[[], Model] | None = None,
    report: Report | None = None,
) -> Outcome:
    """Decides property `name` of `model`.

    `full` makes the unprojected model that counterexamples are lifted to (the model itself when None).  Raises
    UsageError for an unknown property and SpecError for a broken spec.
    """
    prop = model.properties.get(name)
    if prop is None:
        known = ", ".join(model.properties) or "none"
        raise UsageError(f"model {model.name!r} has no property {name!r}; there are {known}")
    return _Verification(model, prop, bounds, options, solver, full, report).run()


@dataclass(slots=True)
class _Verification:
    model: Model
    prop: Property
    bounds: Bounds
    options: Options
    solver: Solver | None
    full: Callable[[], Model] | None
    report: Report | None
    system: System = field(init=False)
    plain: Tables = field(init=False)  # sliced, nothing more
    unmerged: Tables = field(init=False)  # all but merging
    summary: Summary | None = None
    asked: dict[Observation, int] = field(default_factory=dict)
    open: set[Observation] = field(default_factory=set)
    confirmed: tuple[Run, Observation] | None = None  # a run of the full model, and what it hands over
    target: System | None = None
    paths: int = 0  # whole paths put to z3
    tables: Tables = field(init=False)

    def run(self) -> Outcome:
        self.system = System(self.model, frozenset({self.prop.name}))
        if self.prop.kind == "observation" and self.solver is None and self.model.values is not None:
            self.solver = Solver(self.model.values)
        tables = self._reduced()
        keep = self.prop.kind in ("deadlock", "lock-order", "terminates")
        decide = self._decide if self.prop.kind == "observation" else None
        self.tables = tables
        # run-alone loops are looked for from states, not on steps, and partial-order reduction keeps only steps
        ample = self.options.on("ample") and self.prop.kind != "terminates"
        found = search(tables, self.bounds, Goals(decide, keep), ample, self.report)
        finding = self._analyse(found)
        return self._outcome(found, finding)

    # -- before the search --------------------------------------------------------------------------------------

    def _reduced(self) -> Tables:
        prop, on = self.prop, self.options.on
        invariants = ((prop.name, prop.condition),) if prop.kind == "invariant" and prop.condition is not None else ()
        tables = build_tables(self.system, invariants)
        if prop.kind == "terminates" and prop.condition is not None:
            tables = replace(tables, asked=(prop.condition,))
        roots = self._roots(tables)
        if on("slice"):
            tables = slice_tables(tables, self._with_witnesses(tables, roots))
        self.plain = tables
        if on("dead"):
            tables = reset_dead_slots(tables)
        names = {self.model.processes[i].name for i in roots}
        observers = frozenset(i for i, table in enumerate(tables.processes) if table.name in names)
        if on("summary") and prop.kind in ("observation", "terminates"):
            self.summary = summarise(tables, observers, self.bounds)
            if self.summary is not None:
                tables = self.summary.tables
                if on("dead"):
                    tables = reset_dead_slots(tables)
        self.unmerged = tables
        if on("merge"):
            tables = merge_local_steps(tables)
        return tables

    def _with_witnesses(self, tables: Tables, roots: frozenset[int]) -> frozenset[int]:
        """The roots, and the processes that alone can reach a witness of the property."""
        reached = [{w for move in table.all_moves() for w in move.reaches} for table in tables.processes]
        kept = influencing(tables, roots)
        missing = set(self.prop.witnesses).difference(*(reached[i] for i in kept))
        return roots | {i for i, found in enumerate(reached) if found & missing}

    def _roots(self, tables: Tables) -> frozenset[int]:
        """The processes the property is about."""
        kind, name = self.prop.kind, self.prop.name
        if kind == "deadlock":
            return frozenset(i for i, table in enumerate(tables.processes) if may_block(table))
        if kind == "terminates":
            return frozenset(i for i, table in enumerate(tables.processes) if table.name == self.prop.process)
        if kind == "invariant":
            return frozenset(range(len(tables.processes)))
        found = set()
        for i, table in enumerate(tables.processes):
            space = self.system.spaces[i]
            for move in table.all_moves():
                if (
                    move.edge.breaks == name
                    or move.observes is not None
                    and move.observes.property == name
                    or kind == "lock-order"
                    and space.attempt(move.edge) is not None
                ):
                    found.add(i)
        if kind == "sleep-in-atomic":
            found |= {
                i
                for i, space in enumerate(self.system.spaces)
                if any(node.action is not None and node.action.sleeps for node in space.machine.nodes)
            }
        if kind == "assertion":
            found |= self._checking(name)
        return frozenset(found)

    def _checking(self, name: str) -> set[int]:
        """Processes with a step that could break the property, even where its guard folds away."""
        found = set()
        for i, space in enumerate(self.system.spaces):
            for node in space.machine.nodes:
                access = node.action.access if node.action is not None else None
                if (
                    access is not None
                    and access.store
                    and (any(p == name for _, p in access.requires) or self.model.areas[access.area].bounds == name)
                ):
                    found.add(i)
        return found

    # -- during the search --------------------------------------------------------------------------------------

    def _decide(self, state: State, step: Step, path: Callable[[], Path]) -> bool:
        """Whether an observing step is a violation: possible for some values, by itself and on a whole path."""
        assert step.observes is not None and self.solver is not None
        observation = observation_of(step.observes, self.tables.index, state)
        if observation in self.asked:
            if self.asked[observation] == 0 or self.asked[observation] > MOST_TRIES:
                return False
        elif not self.solver.possible(observation):
            self.asked[observation] = 0
            return False
        self.asked[observation] = self.asked.get(observation, 0) + 1
        self.open.add(observation)
        if self._confirm([taken.step(self.tables) for taken in path()]):
            self.open.discard(observation)
            return True
        return False

    def _edges(self, steps: list[Step]) -> list[Edge]:
        moves = [move for step in steps for move in step.moves]
        return [move.edge for move in self.summary.undo(moves)] if self.summary is not None else [m.edge for m in moves]

    def _target(self) -> System:
        if self.target is None:
            model = self.full() if self.full is not None else self.model
            self.target = System(model, self.system.watched)
        return self.target

    def _confirm(self, steps: list[Step]) -> bool:
        assert self.solver is not None
        for run in lifts(self._target(), self._edges(steps)):
            observation = whole_observation(run)
            if observation is None:
                continue
            self.paths += 1
            if self.solver.solves(observation):
                self.confirmed = run, observation
                return True
        return False

    def _numbers(self, observation: Observation) -> list[dict[str, int]]:
        """Concrete values for the run that is shown."""
        assert self.solver is not None
        numbers = self.solver.concrete(observation)
        if numbers is None:
            raise InternalError("z3 lost an answer it had; please report this")
        return numbers

    def _best(self, found: Found) -> tuple[tuple[Run, Observation], str]:
        """A canonical confirmed run where one is found, else the first one; and how short it is known to be."""
        assert self.confirmed is not None and self.solver is not None
        first, solver, self.tables = self.confirmed, self.solver, self.unmerged
        index = self.unmerged.index
        longest = sum(len(taken.step(found.tables).moves) for taken in found.path or ())

        def goal(state: State, step: Step) -> bool:
            return step.observes is not None and solver.possible(observation_of(step.observes, index, state))

        paths = canonical_paths(self.unmerged, goal, longest, self.options.canonical_states, self.bounds)
        for path in islice(paths, MOST_TRIES):
            if self._confirm(list(path)):
                whole = "shortest" if self.summary is None else "shortest beside the summary of the other processes"
                return self.confirmed, f"{whole}, then fewest switches"
        return first, "shortest of the reduced graph"

    # -- after the search ---------------------------------------------------------------------------------------

    def _analyse(self, found: Found) -> Finding | None:
        if found.bound:
            return None
        if self.prop.kind == "deadlock":
            return deadlocks(found)
        if self.prop.kind == "lock-order":
            return lock_orders(found, self.system)
        if self.prop.kind == "terminates" and self.prop.condition is not None:
            process = next(i for i, table in enumerate(found.tables.processes) if table.name == self.prop.process)
            return spins(found, process, self.prop.condition)
        return None

    def _outcome(self, found: Found, finding: Finding | None) -> Outcome:
        reached, covered = self._evidence(found)
        verdict, bound = "holds", found.bound
        run: Run | None = None
        numbers: list[dict[str, int]] = []
        loop, how = 0, ""
        if found.violated and self.confirmed is not None:
            verdict, (run, observation) = "violated", self.confirmed
            if self.options.polish:
                (run, observation), how = self._best(found)
                numbers = self._numbers(observation)
        elif found.violated or finding is not None:
            verdict = "violated"
            run, loop, how = self._replayed(found, finding)
        elif found.bound:
            verdict = "incomplete"
        elif self.open or self.solver is not None and self.solver.unknown:
            verdict = "incomplete"
            bound = f"{len(self.open)} observations are possible by themselves, and no whole path to one was found"
        elif any(witness not in reached for witness in self.prop.witnesses):
            verdict = "vacuous"
        hidden = (self.summary.states, self.summary.transitions) if self.summary is not None else (0, 0)
        steps = tuple((step.edge.process, step.edge.choice) for step in run.steps) if run is not None else ()
        lines = frozenset(
            line for table in self.plain.processes for line in self.system.spaces[table.process].machine.lines
        )
        return Outcome(
            verdict,
            len(found.states) + hidden[0],
            found.transitions + hidden[1],
            found.depth,
            len(self.asked),
            len(self.asked) + self.paths,
            bound,
            steps,
            finding.attempts if finding is not None else (),
            finding.stuck if finding is not None else (),
            loop,
            tuple(numbers),
            how,
            frozenset(reached),
            frozenset(covered),
            lines,
            tuple(table.name for table in self.plain.processes),
        )

    def _replayed(self, found: Found, finding: Finding | None) -> tuple[Run, int, str]:
        path = finding.path if finding is not None else found.path or ()
        loop = finding.loop if finding is not None else ()
        how = "shortest of the reduced graph"
        steps = [taken.step(found.tables) for taken in path]
        edges = self._edges(steps)
        if finding is None and self.prop.kind != "invariant" and self.options.polish:
            paths = canonical_paths(
                self.plain,
                lambda _, step: step.breaks == self.prop.name,
                len(edges),
                self.options.canonical_states,
                self.bounds,
            )
            better = next(paths, None)
            if better is not None:
                edges, how = [step.moves[0].edge for step in better], "shortest, then fewest switches"
        whole = edges + [m.edge for taken in loop for m in taken.step(found.tables).moves]
        for run in lifts(self._target(), whole):
            if finding is not None or run.steps and run.steps[-1].edge.breaks == self.prop.name:
                return run, len(whole) - len(edges), how
            if self.prop.kind == "invariant":
                return run, 0, how
        raise InternalError(
            f"the counterexample to {self.prop.name} does not replay on the full model; please report this"
        )

    def _evidence(self, found: Found) -> tuple[set[str], set[tuple[str, int]]]:
        reached: set[str] = set()
        covered: set[tuple[str, int]] = set()

        def note(move: Move) -> None:
            reached.update(move.reaches)
            covered.update(move.lines)

        for p, pc, which in found.taken:
            for move in found.tables.processes[p].steps[pc][which].moves:
                note(move)
        if self.summary is not None:
            for move in self.summary.hidden_moves():
                note(move)
        for space in self.system.spaces:
            covered.update((space.machine.nodes[i].file, space.machine.nodes[i].line) for i in space.start_passed)
        return reached, covered


def whole_observation(run: Run) -> Observation | None:
    """The observation that the last step of a run makes, over all versions of the run; None where it makes none."""
    if not run.steps:
        return None
    edge = run.steps[-1].edge
    action = run.system.spaces[edge.process].machine.nodes[edge.node].action
    if action is None or not action.observes or edge.piece is not None:
        return None
    seen = tuple(
        run.seen(edge.process, register.index, register.access.lo, register.access.hi, name)
        for name, register in zip(action.names, action.registers, strict=True)
    )
    sorts = {run.system.model.areas[register.access.area].sort for register in action.registers}
    newest = max((run.newest.get(sort, 0) for sort in sorts), default=0)
    return Observation(action.observes, seen, tuple(fact for _, fact in run.facts), newest + 1, whole=True)

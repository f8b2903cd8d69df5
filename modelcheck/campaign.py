"""What one `check` is: the combinations asked for, each decided once, and the results.

Settings that the spec calls equivalent are decided once (their systems are equal), every projection of a setting must
hold, and z3's answers are shared by all models with the same account of values.  Its one invariant: a result covers
exactly the settings it counts, and a bound or a signal leaves INCOMPLETE what was not finished.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from modelcheck.combinations import Group, combinations
from modelcheck.coverage import coverage_of
from modelcheck.decided import Decided, failed, told
from modelcheck.errors import UsageError
from modelcheck.explain import explained
from modelcheck.explore.bounds import Bounds, Stop, peak_memory, stop_on_signals
from modelcheck.explore.engine import Engine, best_engine, native_missing
from modelcheck.explore.verdict import Options, Outcome, Searched
from modelcheck.explore.verify import OF_LOCKS, REDUCTIONS, verify
from modelcheck.results import Report, Request, Result, SolverCost
from modelcheck.smt.obligation import prove
from modelcheck.smt.solver import Solver
from modelcheck.spec import Expectation, Setting
from modelcheck.system.model import Model
from modelcheck.trace.build import build_trace, home
from modelcheck.trace.file import trace_id, write_trace
from modelcheck.workers import decide_all

COLLECT = (100_000, 50, 50)  # objects made, and collections of the younger, before the next
Progress = Callable[[str, int, int, int, float], None]
"""Called now and then: what is being checked, states, depth, frontier, share of the combinations done (0 to 1)."""


def run(request: Request, progress: Progress | None = None) -> Report:
    """Checks every combination of the request; raises UsageError where none of them exists."""
    unknown = [name for name in request.without if name not in REDUCTIONS]
    if unknown:
        raise UsageError(f"there is no reduction {unknown[0]!r}; there are {', '.join(REDUCTIONS)}")
    if request.engine == "native" and native_missing():
        raise UsageError(f"there is no native engine: {native_missing()}; install again with one, or use --engine auto")
    with stop_on_signals(Stop()) as stop, few_collections():
        return _Campaign(request, progress, stop).run()


@contextmanager
def few_collections() -> Iterator[None]:
    """Looks for cycles of garbage seldom: tables are many objects in few cycles; it took a seventh of a check."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(slots=True)
class Task:
    """A setting to decide; whether its counterexample, if there is one, is shown."""

    setting: Setting
    shown: bool = False


class _Campaign:
    def __init__(self, request: Request, progress: Progress | None, stop: Stop) -> None:
        self.request = request
        self.spec = request.spec
        self.progress = progress
        self.started = time.monotonic()
        deadline = self.started + request.limits.seconds if request.limits.seconds else 0.0
        memory = request.limits.memory // max(request.workers, 1)
        self.bounds = Bounds(request.limits.states, memory, deadline, time.monotonic, stop)
        self.engine = Engine() if request.engine == "python" else best_engine()
        self.options = Options(frozenset(request.without), polish=False, engine=self.engine)
        self.solvers: dict[Hashable, Solver] = {}
        self.known: dict[Hashable, Searched] = {}
        self.kinds: dict[str, str] = {}
        self.share = 0.0
        self.notes: list[str] = []
        self.faults: list[str] = []

    def run(self) -> Report:
        asked = combinations(self.request)
        if asked.left_out:
            self.notes.append(asked.left_out)
        unproved = self._prove(asked.groups[0].first)
        tasks: dict[Hashable, Task] = {}
        rows_begun: set[Hashable] = set()
        for group in asked.groups:
            task = tasks.setdefault(group.key, Task(group.first))
            if group.row not in rows_begun:  # the first of a row is what it shows, whatever the verdict
                rows_begun.add(group.row)
                task.shown = True
        decided = dict(zip(tasks, self._decide_all(list(tasks.values())), strict=True))
        if all(one.error is not None for one in decided.values()):  # there is nothing to report beside it
            raise next(one.error for one in decided.values() if one.error is not None)
        rows: dict[Hashable, list[tuple[Group, Decided]]] = {}
        for group in asked.groups:
            one = decided[group.key]
            rows.setdefault((group.row, one.verdict, one.fault), []).append((group, one))
        self.options = replace(self.options, engine=self.engine)
        cost = self._polish([parts[0][1] for parts in rows.values()])
        results = self._traced(list(rows.values()), [self._result(parts, unproved) for parts in rows.values()])
        return Report(
            tuple(results),
            time.monotonic() - self.started,
            tuple(self.notes),
            sum((one.solver for one in decided.values()), cost),
            sum(one.searched for one in decided.values()),
            sum(one.spared for one in decided.values()),
            tuple(self.faults),
            coverage_of((o for one in decided.values() for o in one.outcomes), self.spec.unreached()),
        )

    def _decide_all(self, tasks: list[Task]) -> list[Decided]:
        """One setting of every class, in order, by as many workers as asked for.

        A worker keeps to one property as long as it can: what it then finds in memory is of most use.
        """
        live = self.request.workers <= 1 or len(tasks) <= 1
        if len(tasks) <= 1:  # what would be several workers is several threads
            self.options = replace(self.options, engine=replace(self.engine, threads=self.request.workers))

        def task(number: int) -> Decided:
            self.share = number / len(tasks)
            try:
                return self._decide(tasks[number], live)
            except Exception as error:
                return failed(tasks[number].setting, error)

        def tick(done: int) -> None:
            if self.progress is not None and not live:
                self.progress(f"{done} of {len(tasks)} systems decided", 0, 0, 0, done / len(tasks))

        about = [self._alike(task.setting) for task in tasks]
        return decide_all(len(tasks), task, self.request.workers, tick, self.bounds.stop, about=about)

    def _prove(self, setting: Setting) -> str:
        """Proves the spec's obligations; answers what could not be proved, "" where all was."""
        obligations = self.spec.obligations((setting,))
        for obligation in obligations:
            why = prove(obligation)
            if why:
                return f"{obligation.name}: {why}"
        if obligations:
            self.notes.append(
                f"z3 proved {len(obligations)} side conditions: " + "; ".join(o.name for o in obligations)
            )
        return ""

    def _alike(self, setting: Setting) -> str:
        """The same for properties that one search may decide."""
        if setting.property not in self.kinds:
            self.kinds[setting.property] = setting.property
            with suppress(Exception):  # which is told where the setting is decided
                if self.spec.model(setting, None).properties[setting.property].kind in OF_LOCKS:
                    self.kinds[setting.property] = "locks"
        return self.kinds[setting.property]

    # -- deciding -----------------------------------------------------------------------------------------------

    def _solver(self, model: Model) -> Solver | None:
        if model.values is None:
            return None
        return self.solvers.setdefault(model.values.key, Solver(model.values))

    def _cost(self) -> SolverCost:
        """What the solvers of this process have cost so far."""
        solvers = self.solvers.values()
        return SolverCost(
            0,
            sum(solver.asked for solver in solvers),
            sum(solver.spared for solver in solvers),
            sum(solver.queries for solver in solvers),
            sum(solver.seconds for solver in solvers),
        )

    def _polish(self, shown: list[Decided]) -> SolverCost:
        """Makes the counterexamples that are shown canonical, with concrete values, where that was not done at once."""
        violated = list({id(one): one for one in shown if one.verdict == "violated" and not one.polished}.values())

        def task(number: int) -> tuple[Outcome | tuple[str, str], SolverCost]:
            one, before = violated[number], self._cost()
            try:
                projection = self.spec.projections(one.setting)[len(one.outcomes) - 1]  # the violated one is the last
                return self._verify(one.setting, projection, True, False), self._cost() - before
            except Exception as error:
                return told(error), self._cost() - before

        outcomes = decide_all(len(violated), task, self.request.workers, lambda done: None, self.bounds.stop)
        for one, (outcome, _) in zip(violated, outcomes, strict=True):
            if not isinstance(outcome, Outcome):
                one.fault, one.note = outcome  # violated all the same, as it was confirmed
            elif outcome.verdict == "violated":  # else a signal came: the confirmed run is shown as it is
                one.outcomes[-1] = outcome
        return sum((cost for _, cost in outcomes), SolverCost())

    def _verify(self, setting: Setting, projection: Hashable, polish: bool, live: bool) -> Outcome:
        model = self.spec.model(setting, projection)
        solver = self._solver(model) if model.properties[setting.property].kind == "observation" else None
        report = self._reporter(setting) if live else None
        options = replace(self.options, polish=polish)
        full = partial(self.spec.model, setting, None)
        return verify(model, setting.property, self.bounds, options, solver, full, report, self.known)

    def _decide(self, task: Task, live: bool) -> Decided:
        """Every projection of one setting, up to the first that is violated."""
        setting = task.setting
        started, before = time.monotonic(), self._cost()
        full = self.spec.model(setting, None)
        prop = full.properties[setting.property]
        solver = self._solver(full) if prop.kind == "observation" else None
        asked = solver.assumptions() if solver is not None else ()
        result = Decided(
            setting,
            [],
            assumptions=(*prop.assumptions, *asked, *full.assumptions, *memory_assumptions(setting.memory)),
            witnesses=prop.witnesses,
        )
        for projection in self.spec.projections(setting):
            result.bound = self.bounds.reached(0)
            if result.bound:
                break
            try:
                outcome, result.polished = self._verify(setting, projection, task.shown, live), task.shown
            except Exception:
                if not task.shown:
                    raise
                outcome = self._verify(setting, projection, False, live)  # what is found counts, shown or not
            result.outcomes.append(outcome)
            if outcome.verdict == "violated":
                break  # a projection that is only incomplete leaves the next one to find a violation
        result.seconds = time.monotonic() - started
        result.searched = sum(outcome.searched for outcome in result.outcomes)
        result.spared = sum(outcome.spared for outcome in result.outcomes)
        result.solver = replace(
            self._cost() - before, observations=sum(outcome.observations for outcome in result.outcomes)
        )
        if prop.kind == "data":  # which asks z3 itself
            result.solver += SolverCost(
                queries=sum(outcome.queries for outcome in result.outcomes),
                seconds=sum(outcome.seconds for outcome in result.outcomes),
            )
        result.memory = peak_memory()
        return result

    def _reporter(self, setting: Setting) -> Callable[[int, int, int], None] | None:
        if self.progress is None:
            return None
        progress = self.progress
        shown = ", ".join(
            f"{k}={v}" for k, v in setting.values if k in ("abi", "offset", "reader") or self.spec.parameter(k).numeric
        )
        what = f"{setting.version} {setting.property}" + (f" ({shown})" if shown else "")
        return lambda states, depth, frontier: progress(what, states, depth, frontier, self.share)

    # -- results ------------------------------------------------------------------------------------------------

    def _result(self, parts: list[tuple[Group, Decided]], unproved: str) -> Result:
        first, decided = parts[0][0].first, list({id(d): d for _, d in parts}.values())
        outcomes = [outcome for one in decided for outcome in one.outcomes]
        verdict = decided[0].verdict
        bound = next((t for one in decided for t in (one.bound, *(o.bound for o in one.outcomes)) if t), "")
        if unproved and verdict != "violated":
            verdict, bound = "incomplete", unproved
        expectation = parts[0][0].expectation
        none: frozenset[str] = frozenset()
        reached = [none.union(*(o.reached for o in one.outcomes)) for one in decided]
        nowhere: frozenset[tuple[str, int]] = frozenset()
        lines = nowhere.union(*(o.lines for o in outcomes)) - nowhere.union(*(o.covered for o in outcomes))
        return Result(
            self.spec.name,
            first.version,
            first.property,
            _parameters([group for group, _ in parts]),
            self.request.memory,
            verdict,
            sum(o.states for o in outcomes),
            sum(o.transitions for o in outcomes),
            max((o.depth for o in outcomes), default=0),
            sum(one.seconds for one in decided),
            max(one.memory for one in decided),
            self.engine.name,
            sum(o.observations for o in outcomes),
            sum(o.queries for o in outcomes),
            decided[0].assumptions,
            tuple((w, all(w in r for r in reached)) for w in decided[0].witnesses),
            tuple(f"{home(file)}:{line}" for file, line in sorted(lines)),
            bound,
            label=self.spec.label(first),
            count=sum(group.count for group, _ in parts),
            expected=expectation.verdict if expectation else "",
            expected_source=expectation.source if expectation else "",
            actors=tuple(dict.fromkeys(name for o in outcomes for name in o.actors)),
            left_out=outcomes[0].left_out if outcomes else (),
            note=next((t for t in (*(one.note for one in decided), *(o.fallback for o in outcomes)) if t), ""),
            fault=next((one.fault for one in decided if one.fault), ""),
        )

    def _traced(self, rows: list[list[tuple[Group, Decided]]], results: list[Result]) -> list[Result]:
        """The results, those that are violated with their traces, written by as many workers as asked for."""
        violated = [number for number, result in enumerate(results) if result.verdict == "violated"]

        def task(number: int) -> tuple[Result, str]:
            return self._shown(rows[violated[number]], results[violated[number]])

        traced = decide_all(len(violated), task, self.request.workers, lambda done: None, self.bounds.stop)
        for number, (result, fault) in zip(violated, traced, strict=True):
            results[number] = result
            self.faults += [fault] if fault else []
        return results

    def _shown(self, parts: list[tuple[Group, Decided]], result: Result) -> tuple[Result, str]:
        """A violated result with its trace, and why that could not be written, "" where it was or was not wanted."""
        first, decided = parts[0][0].first, [one for _, one in parts]
        # equal models: the offset that was decided, else the row's own values, so that the trace names what was asked
        decided_at = dict(decided[0].setting.values)
        values = tuple((k, decided_at[k] if k in parts[0][0].numbers else v) for k, v in first.values)
        shown = Setting(first.version, first.property, values, first.memory)
        try:
            return self._with_trace(result, shown, decided[0], parts[0][0].expectation)
        except Exception as error:  # what was found is told all the same
            fault, note = told(error)
            return replace(result, fault=fault, note=note), ""

    def _with_trace(
        self, result: Result, setting: Setting, decided: Decided, expectation: Expectation | None
    ) -> tuple[Result, str]:
        outcome = next(o for o in decided.outcomes if o.verdict == "violated")
        case = expectation.case if expectation is not None and expectation.verdict == "violated" else ""
        spec = (self.spec.path or self.spec.name, self.spec.digest)
        model = self.spec.model(setting, None)
        trace = build_trace(model, setting, outcome, spec, case, self._command(setting))
        trace = replace(trace, parameters=self.spec.told(setting))
        identity = trace_id(trace)
        path, unwritten = None, ""
        if self.request.traces is not None:
            try:
                trace = explained(trace, model, setting.property)
            except Exception as error:  # the counterexample is saved all the same, without what explains it
                fault, note = told(error)
                result = replace(result, fault=fault, note=note)
            where = self.request.traces / f"{self.spec.name}-{setting.property}-{identity}.json"
            try:
                self.request.traces.mkdir(parents=True, exist_ok=True)
                write_trace(trace, where)
                path = str(where)
            except UsageError as why:  # a full disk, say: what was found is told all the same
                unwritten = str(why)
        short = trace.consequence[:1].upper() + trace.consequence[1:] + "."
        result = replace(
            result, trace=path, id=identity, steps=len(trace.steps), switches=trace.switches, case=case, short=short
        )
        return result, unwritten

    def _command(self, setting: Setting) -> str:
        """The command that finds this counterexample again."""
        spec = self.spec.path or self.spec.name
        defaults = {p.name: p.default for p in self.spec.parameters}
        sets = [f"--set {k}={v}" for k, v in setting.values if len(defaults[k]) != 1 or defaults[k][0] != v]
        version = [f"--version {setting.version}"] if len(self.spec.versions) > 1 else []
        memory = [] if setting.memory == "tso" else [f"--memory {setting.memory}"]
        return " ".join(["modelcheck check", spec, *version, *sets, *memory, f"--property {setting.property}"])


def memory_assumptions(memory: str) -> tuple[str, ...]:
    """What a result under a memory model other than sc rests on beside the model."""
    if memory == "sc":
        return ()
    return ("locks and flags outside memory areas are in program order and order what is around them",)


def _parameters(groups: list[Group]) -> tuple[tuple[str, str], ...]:
    """The values of all settings of some groups as text, numbers as ranges."""
    numbers = {name: [n for group in groups for n in group.numbers[name]] for name in groups[0].numbers}
    return tuple((k, ranges(numbers[k]) if k in numbers else str(v)) for k, v in groups[0].first.values)


def ranges(numbers: list[int]) -> str:
    """Whole numbers as text: adjacent ones as `lo-hi`, separated by commas."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in parts)

"""What one `check` is: the combinations asked for, each decided once, and the results.

Settings that the spec calls equivalent are decided once (their systems are equal), every projection of a setting must
hold, and z3's answers are shared by all models with the same account of values.  Its one invariant: a result covers
exactly the settings it counts, and a bound or a signal leaves INCOMPLETE what was not finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import partial

from modelcheck.coverage import coverage_of
from modelcheck.decided import Decided, failed, told
from modelcheck.errors import UsageError
from modelcheck.explain import explained
from modelcheck.explore.bounds import Bounds, Stop, peak_memory, stop_on_signals
from modelcheck.explore.engine import Engine, best_engine, native_missing
from modelcheck.explore.verify import REDUCTIONS, Options, Outcome, Searched, verify
from modelcheck.results import Report, Request, Result, SolverCost
from modelcheck.smt.obligation import prove
from modelcheck.smt.solver import Solver
from modelcheck.spec import Expectation, Setting, Value
from modelcheck.system.model import Model
from modelcheck.trace.build import build_trace, home
from modelcheck.trace.file import trace_id, write_trace
from modelcheck.workers import decide_all

Progress = Callable[[str, int, int, int, float], None]
"""Called now and then: what is being checked, states, depth, frontier, share of the combinations done (0 to 1)."""


def run(request: Request, progress: Progress | None = None) -> Report:
    """Checks every combination of the request; raises UsageError where none of them exists."""
    unknown = [name for name in request.without if name not in REDUCTIONS]
    if unknown:
        raise UsageError(f"there is no reduction {unknown[0]!r}; there are {', '.join(REDUCTIONS)}")
    if request.engine == "native" and native_missing():
        raise UsageError(f"there is no native engine: {native_missing()}; install again with one, or use --engine auto")
    with stop_on_signals(Stop()) as stop:
        return _Campaign(request, progress, stop).run()


class _Campaign:
    def __init__(self, request: Request, progress: Progress | None, stop: Stop) -> None:
        self.request = request
        self.spec = request.spec
        self.wide = frozenset(p.name for p in self.spec.parameters if p.numeric)  # shown as ranges in one row
        self.progress = progress
        self.started = time.monotonic()
        deadline = self.started + request.limits.seconds if request.limits.seconds else 0.0
        memory = request.limits.memory // max(request.workers, 1)
        self.bounds = Bounds(request.limits.states, memory, deadline, time.monotonic, stop)
        self.engine = Engine() if request.engine == "python" else best_engine()
        self.options = Options(frozenset(request.without), polish=False, engine=self.engine)
        self.solvers: dict[Hashable, Solver] = {}
        self.known: dict[Hashable, Searched] = {}
        self.share = 0.0
        self.notes: list[str] = []
        self.faults: list[str] = []

    def run(self) -> Report:
        settings = self._settings()
        unproved = self._prove(settings)
        classes: dict[tuple[str, str, Hashable, Hashable], list[Setting]] = {}
        for setting in settings:
            row = (setting.version, setting.property, self.spec.equivalence(setting), self._pinned(setting))
            classes.setdefault(row, []).append(setting)
        first: dict[Hashable, Setting] = {}
        for (_, _, key, _), members in classes.items():
            first.setdefault(key, members[0])
        decided = dict(zip(first, self._decide_all(list(first.values())), strict=True))
        if all(one.error is not None for one in decided.values()):  # there is nothing to report beside it
            raise next(one.error for one in decided.values() if one.error is not None)
        rows: dict[Hashable, list[tuple[list[Setting], Decided]]] = {}
        for (_, _, key, _), members in classes.items():
            one = decided[key]
            for expectation, group in self._by_expectation(members):
                place: Hashable = (
                    members[0].version,
                    members[0].property,
                    self._pinned(members[0]),
                    self.spec.label(members[0]),
                    one.verdict,
                    one.fault,
                    expectation,
                )
                rows.setdefault(place, []).append((group, one))
        self.options = replace(self.options, engine=self.engine)
        cost = self._polish([parts[0][1] for parts in rows.values()])
        results = tuple(self._result(parts, unproved) for parts in rows.values())
        return Report(
            results,
            time.monotonic() - self.started,
            tuple(self.notes),
            sum((one.solver for one in decided.values()), cost),
            sum(one.searched for one in decided.values()),
            sum(one.spared for one in decided.values()),
            tuple(self.faults),
            coverage_of((o for one in decided.values() for o in one.outcomes), self.spec.unreached()),
        )

    def _decide_all(self, settings: list[Setting]) -> list[Decided]:
        """One setting of every class, in order, by as many workers as asked for."""
        live = self.request.workers <= 1 or len(settings) <= 1
        if len(settings) <= 1:  # what would be several workers is several threads
            self.options = replace(self.options, engine=replace(self.engine, threads=self.request.workers))

        def task(number: int) -> Decided:
            self.share = number / len(settings)
            try:
                return self._decide(settings[number], live)
            except Exception as error:
                return failed(settings[number], error)

        def tick(done: int) -> None:
            if self.progress is not None and not live:
                self.progress(f"{done} of {len(settings)} systems decided", 0, 0, 0, done / len(settings))

        return decide_all(len(settings), task, self.request.workers, tick, self.bounds.stop)

    # -- what there is to do ------------------------------------------------------------------------------------

    def _settings(self) -> list[Setting]:
        properties = self.request.properties or tuple(info.name for info in self.spec.properties)
        found: list[Setting] = []
        refused: dict[str, int] = {}
        for version in self.request.versions:
            for name in properties:
                for values in self._combinations(name, (), 0):
                    setting = Setting(version, name, tuple(sorted(values)), self.request.memory)
                    why = self.spec.refuse(setting)
                    if why:
                        refused[why] = refused.get(why, 0) + 1
                    else:
                        found.append(setting)
        if not found:
            raise UsageError(next(iter(refused), "none of the combinations asked for exists"))
        if refused:
            self.notes.append(
                f"{sum(refused.values())} combinations do not exist and were left out, such as: {next(iter(refused))}"
            )
        return found

    def _combinations(
        self, name: str, chosen: tuple[tuple[str, Value], ...], place: int
    ) -> Iterator[tuple[tuple[str, Value], ...]]:
        if place == len(self.spec.parameters):
            yield chosen
            return
        parameter = self.spec.parameters[place]
        given = dict(self.request.values).get(parameter.name)
        usual = parameter.default if not parameter.only or name in parameter.only else parameter.default[:1]
        for value in given or usual or self.spec.defaults(parameter.name, chosen):
            yield from self._combinations(name, (*chosen, (parameter.name, value)), place + 1)

    def _prove(self, settings: list[Setting]) -> str:
        """Proves the spec's obligations; answers what could not be proved, "" where all was."""
        obligations = self.spec.obligations(tuple(settings[:1]))
        for obligation in obligations:
            why = prove(obligation)
            if why:
                return f"{obligation.name}: {why}"
        if obligations:
            self.notes.append(
                f"z3 proved {len(obligations)} side conditions: " + "; ".join(o.name for o in obligations)
            )
        return ""

    def _pinned(self, setting: Setting) -> tuple[tuple[str, Value], ...]:
        return tuple([pair for pair in setting.values if pair[0] not in self.wide])

    def _by_expectation(self, members: list[Setting]) -> Iterator[tuple[Expectation | None, list[Setting]]]:
        found: dict[Expectation | None, list[Setting]] = {}
        for setting in members:
            found.setdefault(self.spec.expected(setting), []).append(setting)
        yield from found.items()

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
        """Makes the counterexamples that are shown canonical, with concrete values; the others were only confirmed."""
        violated = list({id(one): one for one in shown if one.verdict == "violated"}.values())

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

    def _decide(self, setting: Setting, live: bool) -> Decided:
        """Every projection of one setting, up to the first that is violated."""
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
            outcome = self._verify(setting, projection, False, live)
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
            f"{k}={v}" for k, v in setting.values if k in ("abi", "offset", "reader") or k in self.wide
        )
        what = f"{setting.version} {setting.property}" + (f" ({shown})" if shown else "")
        return lambda states, depth, frontier: progress(what, states, depth, frontier, self.share)

    # -- results ------------------------------------------------------------------------------------------------

    def _result(self, parts: list[tuple[list[Setting], Decided]], unproved: str) -> Result:
        settings = [setting for group, _ in parts for setting in group]
        first, decided = settings[0], list({id(d): d for _, d in parts}.values())
        outcomes = [outcome for one in decided for outcome in one.outcomes]
        verdict = decided[0].verdict
        bound = next((t for one in decided for t in (one.bound, *(o.bound for o in one.outcomes)) if t), "")
        if unproved and verdict != "violated":
            verdict, bound = "incomplete", unproved
        expectation = self.spec.expected(first)
        none: frozenset[str] = frozenset()
        reached = [none.union(*(o.reached for o in one.outcomes)) for one in decided]
        nowhere: frozenset[tuple[str, int]] = frozenset()
        lines = nowhere.union(*(o.lines for o in outcomes)) - nowhere.union(*(o.covered for o in outcomes))
        result = Result(
            self.spec.name,
            first.version,
            first.property,
            self._parameters(settings),
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
            count=len(settings),
            expected=expectation.verdict if expectation else "",
            expected_source=expectation.source if expectation else "",
            actors=tuple(dict.fromkeys(name for o in outcomes for name in o.actors)),
            left_out=outcomes[0].left_out if outcomes else (),
            note=next((t for t in (*(one.note for one in decided), *(o.fallback for o in outcomes)) if t), ""),
            fault=next((one.fault for one in decided if one.fault), ""),
        )
        if verdict != "violated":
            return result
        # equal models: the offset that was decided, else the row's own values, so that the trace names what was asked
        decided_at = dict(decided[0].setting.values)
        values = tuple((k, decided_at[k] if k in self.wide else v) for k, v in first.values)
        shown = Setting(first.version, first.property, values, first.memory)
        try:
            return self._with_trace(result, shown, decided[0], expectation)
        except Exception as error:  # what was found is told all the same
            fault, note = told(error)
            return replace(result, fault=fault, note=note)

    def _parameters(self, settings: list[Setting]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (k, ranges([s.number(k) for s in settings]) if k in self.wide else str(v)) for k, v in settings[0].values
        )

    def _with_trace(
        self, result: Result, setting: Setting, decided: Decided, expectation: Expectation | None
    ) -> Result:
        outcome = next(o for o in decided.outcomes if o.verdict == "violated")
        case = expectation.case if expectation is not None and expectation.verdict == "violated" else ""
        spec = (self.spec.path or self.spec.name, self.spec.digest)
        model = self.spec.model(setting, None)
        trace = build_trace(model, setting, outcome, spec, case, self._command(setting))
        trace = replace(trace, parameters=self.spec.told(setting))
        identity = trace_id(trace)
        path = None
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
                self.faults.append(str(why))
        short = trace.consequence[:1].upper() + trace.consequence[1:] + "."
        return replace(
            result, trace=path, id=identity, steps=len(trace.steps), switches=trace.switches, case=case, short=short
        )

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


def ranges(numbers: list[int]) -> str:
    """Whole numbers as text: adjacent ones as `lo-hi`, separated by commas."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in parts)

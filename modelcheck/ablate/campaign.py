"""Leaving out every piece of a spec in turn, and asking every property again.

A property is asked of a piece at the settings that have the piece and where the whole protocol has the property: what
is violated already tells nothing.  A violation counts once it is confirmed on the full model without the piece, as in a
check.  That nothing breaks is proved by the projections that the spec names for the purpose, since those of a check may
rest on what is left out; where a projection has less of the piece than the full model, the full model is searched.

What breaks already is not asked where that is dear: at settings whose search has more than `DEAR` states.  So the first
of its properties are found, not all.  A property of words is asked once for all memory models, which do not touch it.

Its one invariant: each piece is decided by itself, so what is finished when a bound or a signal comes is kept as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from modelcheck.ablate.pairing import pairs_of
from modelcheck.ablate.pieces import Part, parts_of, steps_of
from modelcheck.ablate.results import Ablation, AblationRequest, Broken, Cell, Row
from modelcheck.ablate.settings import Values, memories, names, settings_of
from modelcheck.ablate.traces import saved
from modelcheck.ablate.without import Without
from modelcheck.campaign import Progress
from modelcheck.errors import OutOfRange, SpecError, UsageError
from modelcheck.explore.bounds import Bounds, Stop, stop_on_signals
from modelcheck.explore.engine import Engine, best_engine, native_missing
from modelcheck.explore.verdict import Options, Outcome, Searched
from modelcheck.explore.verify import verify
from modelcheck.smt.solver import Solver
from modelcheck.spec import Setting, Spec
from modelcheck.system.model import Model
from modelcheck.trace.build import home
from modelcheck.workers import decide_all

Reached = tuple[frozenset[str], frozenset[tuple[str, int]]]  # witnesses, and source lines
RANGE = "a range"  # in place of a property: a number leaves the range that the spec gives it
DEAR = 300_000  # states


@dataclass(slots=True)
class _Known:
    """What is known of one piece: the parts of models that were searched, and the answers on words, without memory."""

    parts: dict[Hashable, Searched] = field(default_factory=dict)
    words: dict[Setting, list[Outcome]] = field(default_factory=dict)


def ablate(request: AblationRequest, progress: Progress | None = None) -> Ablation:
    """Takes the spec apart; raises UsageError where no setting exists."""
    if request.engine == "native" and native_missing():
        raise UsageError(f"there is no native engine: {native_missing()}; install again with one, or use --engine auto")
    with stop_on_signals(Stop()) as stop:
        return _Ablating(request, progress, stop).run()


class _Ablating:
    def __init__(self, request: AblationRequest, progress: Progress | None, stop: Stop) -> None:
        self.request, self.spec, self.progress = request, request.spec, progress
        self.combinations = settings_of(request)
        self.values = tuple(dict.fromkeys(setting.values for setting in self.combinations))
        self.memories = memories(request, self.combinations[0])
        self.started = time.monotonic()
        deadline = self.started + request.limits.seconds if request.limits.seconds else 0.0
        memory = request.limits.memory // max(request.workers, 1)
        self.bounds = Bounds(request.limits.states, memory, deadline, time.monotonic, stop)
        self.engine = Engine() if request.engine == "python" else best_engine()
        self.solvers: dict[Hashable, Solver] = {}
        self.whole: dict[Setting, Reached] = {}  # where the whole protocol has a property
        self.sizes: dict[Setting, int] = {}  # states, in the most demanding memory model
        self.known = _Known()
        self.skipped: list[str] = []
        self.bound = ""
        self.steps: dict[tuple[str, int], str] = {}

    def run(self) -> Ablation:
        properties = names(self.request)
        combinations = [replace(setting, memory=self.memories[0]) for setting in self.combinations]
        parts = [part for part in parts_of(self.spec, combinations) if self.request.keep(part.row())]
        self.steps = steps_of(self.spec, combinations)
        self._ask_whole(combinations)
        for part in parts:  # the cheapest first
            part.settings = dict.fromkeys(sorted(part.settings, key=lambda each: self.sizes.get(_bare(each), 0)))
        done = decide_all(
            len(parts), lambda number: self._piece(parts[number]), self.request.workers, self._tick(len(parts)),
            self.bounds.stop,
        )  # fmt: skip
        rows = tuple(row for row, _ in done)
        faults = tuple(dict.fromkeys(fault for _, found in done for fault in found))
        shown = tuple(_named(each, self.values) for each in self.values)
        return Ablation(
            self.spec.name, self.request.version, self.memories, properties, shown, rows,
            time.monotonic() - self.started, tuple(self.skipped), (), faults, self.bound or self.bounds.reached(0),
        )  # fmt: skip

    def _tick(self, count: int) -> Callable[[int], None]:
        def tick(done: int) -> None:
            if self.progress is not None:
                self.progress(f"{done} of {count} pieces left out", 0, 0, 0, done / max(count, 1))

        return tick

    # -- the whole protocol -------------------------------------------------------------------------------------

    def _ask_whole(self, combinations: list[Setting]) -> None:
        """Which properties the protocol has as it is: only those can be lost."""
        whole = replace(self.spec, projections=lambda setting: self.spec.ablate_projections(setting, ""))
        failed: dict[tuple[str, str], list[Values]] = {}
        for setting in (replace(each, memory=memory) for memory in self.memories for each in combinations):
            outcomes = self._outcomes(whole, setting, self.known)
            verdicts = {outcome.verdict for outcome in outcomes}
            if "violated" in verdicts:
                failed.setdefault((setting.property, setting.memory), []).append(setting.values)
            elif "incomplete" in verdicts:
                self.bound = self.bound or next(o.bound for o in outcomes if o.verdict == "incomplete")
                self.skipped.append(f"{setting.property} ({setting.memory}) is not decided as it is: {self.bound}")
            else:
                self.whole[setting] = _reached(outcomes)
                size = sum(outcome.states for outcome in outcomes)
                self.sizes[_bare(setting)] = max(size, self.sizes.get(_bare(setting), 0))
        for (name, memory), found in failed.items():
            every = tuple(each.values for each in self.combinations if each.property == name)
            where = "" if len(found) == len(every) else " at " + "; ".join(_named(each, every) for each in found)
            self.skipped.append(f"{name} ({memory}) is violated with nothing left out{where}: not asked there")

    def _outcomes(self, spec: Spec, setting: Setting, known: _Known) -> list[Outcome]:
        """What each projection came to, up to the first that is violated."""
        found = list(known.words.get(_bare(setting), []))
        if found:
            return found
        ended = self.bounds.reached(0)
        if ended:
            return [Outcome("incomplete", bound=ended)]  # before models are built for it
        for projection in spec.projections(setting):
            bound = self.bounds.reached(0)
            if bound:
                return [*found, Outcome("incomplete", bound=bound)]
            found.append(self._verify(spec, setting, projection, known, polish=False))
            if found[-1].verdict == "violated":
                break
        kinds = {spec.model(setting, None).properties[setting.property].kind} if found else set()
        if kinds == {"data"} and "incomplete" not in {outcome.verdict for outcome in found}:
            known.words[_bare(setting)] = found
        return found

    def _verify(
        self, spec: Spec, setting: Setting, projection: Hashable, known: _Known, polish: bool
    ) -> Outcome:
        model = spec.model(setting, projection)
        solver = self._solver(model) if model.properties[setting.property].kind == "observation" else None
        options = Options(polish=polish, engine=self.engine)
        return verify(
            model, setting.property, self.bounds, options, solver, lambda: spec.model(setting, None), known=known.parts
        )

    def _solver(self, model: Model) -> Solver | None:
        if model.values is None:
            return None
        return self.solvers.setdefault(model.values.key, Solver(model.values))

    # -- one piece ----------------------------------------------------------------------------------------------

    def _piece(self, part: Part) -> tuple[Row, tuple[str, ...]]:
        spec = Without(part).spec(self.spec)
        known = _Known(dict(self.known.parts))  # a copy: what one piece leaves serves no other
        faults: list[str] = []
        cells = tuple(self._cell(part, spec, memory, known, faults) for memory in self.memories)
        pairs: tuple[str, ...] = ()
        if part.piece is not None and part.kind == "barrier":
            pairs = pairs_of(self.spec.model(next(iter(part.settings)), None), part.piece)
        return replace(part.row(), cells=cells, pairs=pairs), tuple(faults)

    def _cell(
        self, part: Part, spec: Spec, memory: str, known: _Known, faults: list[str]
    ) -> Cell:
        started = time.monotonic()
        asked = decided = states = 0
        bound = ""
        broken: dict[str, Broken] = {}
        before: dict[Values, Reached] = {}
        after: dict[Values, Reached] = {}
        for setting in (replace(each, memory=memory) for each in part.settings):
            if setting not in self.whole or setting.property in broken:
                continue
            if broken and self.sizes[_bare(setting)] > DEAR:
                continue
            asked += 1
            try:
                outcomes = self._outcomes(spec, setting, known)
            except OutOfRange as impossible:  # what the spec calls impossible is not to happen either
                short = str(impossible).removeprefix(f"{impossible.where}: ").split(";")[0]
                broken.setdefault(RANGE, Broken(RANGE, setting, 0, short=short))
                decided += 1
                continue
            except SpecError as too_large:
                bound = bound or str(too_large)
                continue
            states += sum(outcome.states for outcome in outcomes)
            verdicts = {outcome.verdict for outcome in outcomes}
            if "violated" in verdicts:
                broken[setting.property] = self._broken(spec, part, setting, outcomes, faults)
            elif "incomplete" in verdicts:
                bound = bound or next(o.bound for o in outcomes if o.verdict == "incomplete") or "a bound"
                continue
            else:
                before[setting.values] = _union(before.get(setting.values), self.whole[setting])
                after[setting.values] = _union(after.get(setting.values), _reached(outcomes))
            decided += 1
        lost = () if broken else self._lost(part, before, after)
        seconds = time.monotonic() - started
        return Cell(memory, tuple(broken.values()), lost, states, seconds, asked, decided, bound)

    def _lost(self, part: Part, before: dict[Values, Reached], after: dict[Values, Reached]) -> tuple[str, ...]:
        """The witnesses that the whole protocol reaches; where all are, the steps it takes, but for the piece's own."""
        witnesses = {name for values, (names, _) in before.items() for name in names - after[values][0]}
        if witnesses or part.kind in ("lock", "trylock", "order"):  # with a lock go its releases, or giving up
            return tuple(sorted(witnesses))
        lines = {line for values, (_, lines) in before.items() for line in lines - after[values][1]} - part.places
        steps = tuple(dict.fromkeys(self.steps[line] for line in sorted(lines) if line in self.steps))
        return steps or tuple(f"{home(file)}:{number}" for file, number in sorted(lines))

    def _broken(
        self, spec: Spec, part: Part, setting: Setting, outcomes: list[Outcome], faults: list[str]
    ) -> Broken:
        violated = outcomes[-1]
        plain = Broken(setting.property, setting, len(violated.steps))
        if self.request.traces is None:
            return plain
        projection = spec.projections(setting)[len(outcomes) - 1]
        polished = self._verify(spec, setting, projection, _Known(), polish=True)
        shown = polished if polished.verdict == "violated" else violated
        return saved(self.request, spec, part.key, plain, shown, faults)


def _reached(outcomes: list[Outcome]) -> Reached:
    names = frozenset[str]().union(*(outcome.reached for outcome in outcomes))
    return names, frozenset[tuple[str, int]]().union(*(outcome.covered for outcome in outcomes))


def _bare(setting: Setting) -> Setting:
    """A setting, whatever the memory model."""
    return replace(setting, memory="")


def _union(one: Reached | None, other: Reached) -> Reached:
    return other if one is None else (one[0] | other[0], one[1] | other[1])


def _named(values: Values, every: tuple[Values, ...]) -> str:
    """The parameters that differ among the settings; all of them where there is one setting."""
    varying = [name for name, value in values if len({dict(each)[name] for each in every}) > 1]
    return ", ".join(f"{name}={value}" for name, value in values if not varying or name in varying)

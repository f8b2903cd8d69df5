"""Leaving out every piece of a spec in turn, and asking its properties again.

A property is asked of a piece at the settings that have the piece and where the whole protocol has the property: what
is violated already tells nothing.  The smallest searches come first, and the first property that breaks ends the
asking, unless all that break are wanted; under the next memory model that one is asked first.  A violation counts once
it is confirmed on the full model without the piece, as in a check.  That nothing breaks is proved by the projections
that the spec names for the purpose, since those of a check may rest on what is left out; where a projection has less of
the piece than the full model, the full model is searched.

Its one invariant: each piece is decided by itself, so what is finished when a bound or a signal comes is kept as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modelcheck.ablate.asking import Asker, Known, Reached, bare, reached, union
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
from modelcheck.explore.verdict import Outcome
from modelcheck.spec import Setting, Spec
from modelcheck.trace.build import home
from modelcheck.workers import decide_all

RANGE = "a range"  # in place of a property: a number leaves the range that the spec gives it


def ablate(request: AblationRequest, progress: Progress | None = None) -> Ablation:
    """Takes the spec apart; raises UsageError where no setting exists."""
    if request.engine == "native" and native_missing():
        raise UsageError(f"there is no native engine: {native_missing()}; install again with one, or use --engine auto")
    with stop_on_signals(Stop()) as stop:
        return _Ablating(request, progress, stop).run()


@dataclass(slots=True)
class _Tally:
    """What has come out for one piece under one memory model so far; `bound` is what ended the first search of all."""

    asked: int = 0
    decided: int = 0
    states: int = 0
    bound: str = ""
    broken: dict[str, Broken] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    before: dict[Values, Reached] = field(default_factory=dict)
    after: dict[Values, Reached] = field(default_factory=dict)


class _Ablating:
    def __init__(self, request: AblationRequest, progress: Progress | None, stop: Stop) -> None:
        self.request, self.spec, self.progress = request, request.spec, progress
        self.combinations = settings_of(request)
        self.values = tuple(dict.fromkeys(setting.values for setting in self.combinations))
        self.memories = memories(request, self.combinations[0])
        self.started = time.monotonic()
        deadline = self.started + request.limits.seconds if request.limits.seconds else 0.0
        memory = request.limits.memory // max(request.workers, 1)
        bounds = Bounds(request.limits.states, memory, deadline, time.monotonic, stop)
        self.asker = Asker(bounds, Engine() if request.engine == "python" else best_engine())
        self.whole: dict[Setting, Reached] = {}  # where the whole protocol has a property
        self.undecided: dict[Setting, str] = {}  # where a bound came before that was known
        self.sizes: dict[Setting, int] = {}  # states, in the most demanding memory model
        self.known = Known()
        self.skipped: list[str] = []
        self.steps: dict[tuple[str, int], str] = {}

    def run(self) -> Ablation:
        combinations = [replace(setting, memory=self.memories[0]) for setting in self.combinations]
        parts = [part for part in parts_of(self.spec, combinations) if self.request.keep(part.row())]
        self.steps = steps_of(self.spec, combinations)
        self._ask_whole(combinations, parts)
        for part in parts:  # the cheapest first
            part.settings = dict.fromkeys(sorted(part.settings, key=lambda each: self.sizes.get(bare(each), 0)))
        bounds = self.asker.bounds
        done = decide_all(
            len(parts), lambda number: self._piece(parts[number]), self.request.workers, self._tick(len(parts)),
            bounds.stop,
        )  # fmt: skip
        rows = tuple(row for row, _ in done)
        faults = tuple(dict.fromkeys(fault for _, found in done for fault in found))
        shown = tuple(_named(each, self.values) for each in self.values)
        bound = next(iter(self.undecided.values()), "") or bounds.reached(0)
        return Ablation(
            self.spec.name, self.request.version, self.memories, names(self.request), shown, rows,
            time.monotonic() - self.started, tuple(self.skipped), faults=faults, bound=bound,
        )  # fmt: skip

    def _tick(self, count: int) -> Callable[[int], None]:
        def tick(done: int) -> None:
            if self.progress is not None:
                self.progress(f"{done} of {count} pieces left out", 0, 0, 0, done / max(count, 1))

        return tick

    # -- the whole protocol -------------------------------------------------------------------------------------

    def _ask_whole(self, combinations: list[Setting], parts: list[Part]) -> None:
        """Which properties the protocol has as it is, where some piece is: only those can be lost."""
        whole = replace(self.spec, projections=lambda setting: self.spec.ablate_projections(setting, ""))
        asked = {setting for part in parts for setting in part.settings}
        wanted = [replace(each, memory=m) for m in self.memories for each in combinations if each in asked]
        failed: dict[tuple[str, str], list[Values]] = {}
        for setting in wanted:
            if self.progress is not None:
                self.progress(f"{setting.property} ({setting.memory}) with nothing left out", 0, 0, 0, 0)
            outcomes = self.asker.outcomes(whole, setting, self.known)
            verdicts = {outcome.verdict for outcome in outcomes}
            if "violated" in verdicts:
                failed.setdefault((setting.property, setting.memory), []).append(setting.values)
            elif "incomplete" in verdicts:
                self.undecided[setting] = next(o.bound for o in outcomes if o.verdict == "incomplete") or "a bound"
            else:
                self.whole[setting] = reached(outcomes)
                size = sum(outcome.states for outcome in outcomes)
                self.sizes[bare(setting)] = max(size, self.sizes.get(bare(setting), 0))
        for setting, bound in self.undecided.items():
            self.skipped.append(f"{setting.property} ({setting.memory}) is not decided as it is: {bound}")
        for (name, memory), found in failed.items():
            every = tuple(each.values for each in wanted if (each.property, each.memory) == (name, memory))
            where = "" if len(found) == len(every) else " at " + "; ".join(_named(each, every) for each in found)
            self.skipped.append(f"{name} ({memory}) is violated with nothing left out{where}: not asked there")

    # -- one piece ----------------------------------------------------------------------------------------------

    def _piece(self, part: Part) -> tuple[Row, tuple[str, ...]]:
        spec = Without(part).spec(self.spec)
        known = Known(dict(self.known.parts))  # a copy: what one piece leaves serves no other
        faults: list[str] = []
        cells: list[Cell] = []
        first: list[Setting] = []
        for memory in self.memories:
            begin = [replace(each, memory=memory) for each in first]
            cells.append(self._cell(part, spec, begin, memory, known, faults))
            first += [bare(broken.setting) for broken in cells[-1].broken if bare(broken.setting) not in first]
        pairs: tuple[str, ...] = ()
        if part.piece is not None and part.kind == "barrier":
            found = (pairs_of(self.spec.model(setting, None), part.piece) for setting in part.settings)
            pairs = next(filter(None, found), ())  # not every property has the partner's process in its model
        return replace(part.row(), cells=tuple(cells), pairs=pairs), tuple(faults)

    def _cell(
        self, part: Part, spec: Spec, first: list[Setting], memory: str, known: Known, faults: list[str]
    ) -> Cell:
        """What becomes of the piece under one memory model; `first` are the settings to begin with."""
        started = time.monotonic()
        tally = _Tally()
        others = [replace(each, memory=memory) for each in part.settings]
        for setting in dict.fromkeys((*first, *others)):
            if tally.broken and not self.request.every:
                break
            if setting in self.undecided:
                tally.asked += 1
                tally.bound = tally.bound or self.undecided[setting]
            elif setting in self.whole and setting.property not in tally.broken:
                self._ask(part, spec, setting, known, tally, faults)
        lost = () if tally.broken else self._lost(part, tally.before, tally.after)
        seconds = time.monotonic() - started
        return Cell(
            memory, tuple(tally.broken.values()), lost, tuple(tally.held.items()), tally.states, seconds, tally.asked,
            tally.decided, tally.bound,
        )  # fmt: skip

    def _ask(self, part: Part, spec: Spec, setting: Setting, known: Known, tally: _Tally, faults: list[str]) -> None:
        """Asks one property at one setting without the piece."""
        tally.asked += 1
        try:
            outcomes = self.asker.outcomes(spec, setting, known)
        except OutOfRange as impossible:  # what the spec calls impossible is not to happen either
            short = str(impossible).removeprefix(f"{impossible.where}: ").split(";")[0]
            tally.broken.setdefault(RANGE, Broken(RANGE, setting, 0, short=short))
            tally.decided += 1
            return
        except SpecError as too_large:
            tally.bound = tally.bound or str(too_large)
            return
        tally.states += sum(outcome.states for outcome in outcomes)
        verdicts = {outcome.verdict for outcome in outcomes}
        if "violated" in verdicts:
            tally.broken[setting.property] = self._broken(spec, part, setting, outcomes, faults)
        elif "incomplete" in verdicts:
            tally.bound = tally.bound or next(o.bound for o in outcomes if o.verdict == "incomplete") or "a bound"
            return
        else:
            tally.held[setting.property] = tally.held.get(setting.property, 0) + 1
            tally.before[setting.values] = union(tally.before.get(setting.values), self.whole[setting])
            tally.after[setting.values] = union(tally.after.get(setting.values), reached(outcomes))
        tally.decided += 1

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
        polished = self.asker.verify(spec, setting, projection, Known(), polish=True)
        shown = polished if polished.verdict == "violated" else violated
        return saved(self.request, spec, part.key, plain, shown, faults)


def _named(values: Values, every: tuple[Values, ...]) -> str:
    """The parameters that differ among the settings; all of them where there is one setting."""
    varying = [name for name, value in values if len({dict(each)[name] for each in every}) > 1]
    return ", ".join(f"{name}={value}" for name, value in values if not varying or name in varying)

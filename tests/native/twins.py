"""The same question to both engines, and everything they answer, side by side.

Importing this skips the importing test module where there is no native engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any
from zlib import crc32

import pytest

from modelcheck import Model
from modelcheck.errors import SpecError
from modelcheck.explore.analysis import deadlocks, spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import canonical_paths
from modelcheck.explore.engine import REFERENCE, Engine, native_missing, run_search
from modelcheck.explore.found import Answer, Found, Goals, Path, State
from modelcheck.explore.observing import observation_of
from modelcheck.explore.table import Step, Tables
from modelcheck.explore.verify import Options, verify

if native_missing():
    pytest.skip(f"{native_missing()}: `pip install -e .` builds it here", allow_module_level=True)

NATIVE = Engine("native")
SEVERAL = (Engine("native", 2), Engine("native", 4))
ENGINES = (NATIVE, *SEVERAL)
# seeds of memory systems; with the others a process has thousands of local states, which Python compiles for a minute
MEMORY = [seed for seed in range(60) if seed not in (8, 9, 14, 29, 57)]


def weight(what: object) -> int:
    """A number that depends on nothing but what the value looks like: chance that is the same for both engines."""
    return crc32(repr(what).encode())


@dataclass(slots=True)
class Judge:
    """Takes the solver's place: `possible` and `solves` are chance, the same for equal observations."""

    one_in: int = 3
    unknown: int = 0
    queries: int = 0
    spared: int = 0
    asked: list[object] = field(default_factory=list)

    def possible(self, observation: object) -> bool:
        self.asked.append(observation)
        return weight(observation) % self.one_in == 0

    def solves(self, observation: object) -> bool:
        return weight(observation) % 2 == 0

    def concrete(self, observation: object) -> list[dict[str, int]]:
        return [{"weight": weight(observation)}]


def two_of(what: object) -> tuple[Engine, Engine]:
    """One thread, and two or four by chance: where searches are small, threads make no difference worth three runs."""
    return NATIVE, SEVERAL[weight(what) % 2]


# -- one property of one model ------------------------------------------------------------------------------------


def outcome(
    model: Model, name: str, engine: Engine, bounds: Bounds = Bounds(), options: Options = Options(), **more: Any
) -> dict[str, Any]:
    """Every field of the outcome, or the text of the SpecError."""
    try:
        found = verify(model, name, bounds, replace(options, engine=engine), **more)
    except SpecError as error:
        return {"error": str(error)}
    return {each.name: getattr(found, each.name) for each in fields(found)}


def same_outcome(
    make: Callable[[], Model], name: str, bounds: Bounds = Bounds(), options: Options = Options(),
    judged: bool = False, **more: Any
) -> dict[str, Any]:
    """The reference engine's outcome, which is that of the native one with one thread and with several.

    With `judged` a Judge takes the solver's place, and what it is asked, and in which order, is compared too.
    """
    judges: list[Judge] = []

    def solver() -> dict[str, Any]:
        judges.append(Judge())
        return {"solver": judges[-1]} if judged else {}

    expected = outcome(make(), name, REFERENCE, bounds, options, **solver(), **more)
    for engine in two_of(expected):
        found = outcome(make(), name, engine, bounds, options, **solver(), **more)
        assert (engine, found) == (engine, expected)
        assert first_times(judges[-1].asked) == first_times(judges[0].asked)
    return expected


def first_times(asked: list[object]) -> list[object]:
    """Without repeats, in order: the native engine does not ask again what was answered for good."""
    return list(dict.fromkeys(asked))


# -- one search of tables -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Asked:
    """Decides observations by chance; `paths` has for each observation the path it was first met at."""

    tables: Tables
    violated_one_in: int = 0
    paths: dict[object, Path] = field(default_factory=dict)

    def decide(self, state: State, step: Step, path: Callable[[], Path]) -> Answer:
        assert step.observes is not None
        observation = observation_of(step.observes, self.tables.index, state)
        if observation not in self.paths:
            self.paths[observation] = path()
        chance = weight(observation)
        if self.violated_one_in and chance % self.violated_one_in == 0:
            return Answer.VIOLATED
        return Answer.OPEN if chance % 5 == 0 else Answer.NEVER


@dataclass(frozen=True, slots=True)
class Question:
    """A search to compare: reductions by partial order, whether the graph is kept, how observations are decided."""

    ample: bool = False
    keep_graph: bool = False
    decides: bool = True
    violated_one_in: int = 0
    bounds: Bounds = Bounds()


FEW = 1000  # states of which everything is compared; of more, as many samples


def everything(found: Found, asked: Asked, keep_graph: bool) -> dict[str, Any]:
    """All that a search says, in one value."""
    tables = found.tables
    slots = range(len(tables.slots))
    numbers = range(0, found.size, found.size // FEW + 1)
    answers: dict[str, Any] = {
        "figures": (found.size, found.transitions, found.depth, found.bound, found.violated, found.path),
        "taken": found.taken,
        "observations": asked.paths,
        "states": [tuple(map(int, found.state(number))) for number in numbers],
        "paths": [found.path_to(number) for number in numbers],
        "distinct": [
            list(found.distinct([i for i in slots if i % 3 != rest], condition))
            for rest in range(3)
            for condition in range(-1, len(tables.conditions))
        ],
    }
    if keep_graph:
        answers["edges"] = [list(map(tuple, found.out(number))) for number in numbers]
        if not (found.violated or found.bound):
            answers["alive"] = [found.alive(p) for p in range(len(tables.processes))]
            answers["deadlocks"] = deadlocks(found)
            answers["spins"] = list(_spins(found))
    return answers


def _spins(found: Found) -> Iterator[object]:
    for process in range(len(found.tables.processes)):
        for condition in range(len(found.tables.conditions)):
            try:
                yield spins(found, process, condition)
            except SpecError as error:
                yield str(error)


def searched(tables: Tables, question: Question, engine: Engine) -> dict[str, Any]:
    """Everything one engine says of a search, or the text of the SpecError."""
    asked = Asked(tables, question.violated_one_in)
    goals = Goals(asked.decide if question.decides else None, question.keep_graph)
    try:
        found = run_search(tables, question.bounds, goals, question.ample, None, engine)
    except SpecError as error:
        return {"error": str(error)}
    assert not found.fallback, found.fallback
    return everything(found, asked, question.keep_graph)


def same_search(tables: Tables, question: Question, engines: tuple[Engine, ...] = ()) -> dict[str, Any]:
    """What the reference engine says, which is what the native one says with one thread and with several."""
    expected = searched(tables, question, REFERENCE)
    for engine in engines or two_of(expected.get("figures")):
        found = searched(tables, question, engine)
        for name in {**expected, **found}:
            assert (engine, name, found.get(name)) == (engine, name, expected.get(name))
    return expected


def same_canonical_paths(tables: Tables, depth: int, most_states: int) -> list[object]:
    """The best paths to a step that breaks something, or observes what chance chooses; equal for both engines."""

    def goal(state: State, step: Step) -> bool:
        if step.breaks:
            return step.breaks == "broken"
        return step.observes is not None and weight(observation_of(step.observes, tables.index, state)) % 3 == 0

    def paths(engine: Engine) -> object:
        try:
            found = canonical_paths(tables, goal, depth, most_states, Bounds(), engine)
            return [[(step.moves[0].edge.choice, step.target) for step in path] for path in found]
        except SpecError as error:
            return str(error)

    expected = paths(REFERENCE)
    native = paths(NATIVE)
    assert native == expected, (native, expected)
    return list(expected) if isinstance(expected, list) else []

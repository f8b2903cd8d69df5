"""Random and mutated programs for the native engine's entry points: each is refused or runs, and nothing else.

`python tests/native/fuzzing.py SECONDS [SEED]` is the longer loop of .ci/run; a seed that failed is told on stderr, and
`python tests/native/fuzzing.py 0 SEED` runs that one again.
"""

from __future__ import annotations

import sys
import time
from array import array
from collections.abc import Callable
from typing import Any

from random_systems import Draws, Grammar, memory_system, model_of, seeded
from random_tables import TableGrammar
from twins import MEMORY

from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import Program, program_of
from modelcheck.explore.table import Tables, build_tables
from modelcheck.system.link import System

MOST_STATES = 2000
MOST_BYTES = 64 << 20
MOST_CALLS = 200  # of each callback; the next one stops the search
EXTREME = (-(1 << 31), (1 << 31) - 1, -1, 0, 1, 2, 3, 63, 64, 65, 1023, 1024, 1 << 16, 1 << 30)
ARGUMENTS = (-(1 << 70), -(1 << 31), -2, -1, 0, 1, 2, 3, 31, 1 << 20, (1 << 32) - 1, 1 << 32, 1 << 64, 1 << 70,
             None, "", "x", 1.5, (), (0, 1), [0, -1], (1 << 80,), {}, b"abcd", object())
BUFFERS = (b"", b"12345678", b"123", memoryview(b"0123456789ab")[1:9], None, 7)
REFUSALS = (ValueError, TypeError, IndexError, OverflowError, MemoryError, RuntimeError)


class Raised(Exception):
    """What a callback raises here."""


# -- programs -------------------------------------------------------------------------------------------------------


def random_parts(draws: Draws) -> dict[str, Any]:
    """Arrays of small, large and extreme numbers; nothing of a program but the names of its parts."""
    names = ("slots", "sorts", "locals", "steps", "code", "observations", "conditions", "ample")
    return {name: array("i", [number(draws) for _ in range(draws.below(13))]) for name in names}


def number(draws: Draws) -> int:
    return draws.of(EXTREME) if draws.below(4) == 0 else draws.below(25) - 2


def a_program(draws: Draws) -> Program:
    """The program of a random system, or of random tables."""
    if draws.below(3):
        return program_of(TableGrammar(leaves=draws.of((0, 10))).tables(draws), bool(draws.below(2)))
    return program_of(a_system(draws), bool(draws.below(2)))


def a_system(draws: Draws) -> Tables:
    groups = ("var", "lock", "stamp", "check", "progress")
    if draws.below(2):
        model = memory_system(seeded(draws.of(MEMORY)))
    else:
        model = model_of(Grammar(groups, nested=True, depth=1).system(draws))
    return build_tables(System(model, frozenset(model.properties)))


def mutated(draws: Draws, program: Program, change: int) -> dict[str, Any]:
    """Its parts with up to `change` numbers changed, put in, taken out, or copied from elsewhere."""
    parts = {name: array("i", part) for name, part in program.parts.items()}
    for _ in range(draws.below(change + 1)):
        part = parts[draws.of(tuple(parts))]
        at = draws.below(len(part) + 1)
        kind = draws.below(8)
        if kind == 0 and at < len(part):
            part[at] = number(draws)
        elif kind in (1, 5, 6) and at < len(part):
            part[at] = draws.of(part)
        elif kind == 7 and at < len(part):
            part[at] = max(-(1 << 31), min(part[at] + draws.of((-1, 1, 2)), (1 << 31) - 1))
        elif kind == 2:
            part.insert(at, number(draws))
        elif kind == 3 and at < len(part):
            del part[at : at + 1 + draws.below(3)]
        elif kind == 4:
            other = parts[draws.of(tuple(parts))]
            start = draws.below(len(other) + 1)
            part[at:at] = other[start : start + draws.below(6)]
    return parts


# -- calls ----------------------------------------------------------------------------------------------------------


class Caller:
    """Calls a search in every way; counts the searches that ran, and how they ended."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.ended: dict[object, int] = {}

    def some(self, mutants: int) -> None:
        """A program as it is and so many mutants of it, each searched and asked about, or refused."""
        program = a_program(self.draws)
        for change in range(mutants + 1):
            self.one(mutated(self.draws, program, change), program.invariants)
        self.one(random_parts(self.draws), 0)

    def one(self, parts: dict[str, Any], invariants: int) -> None:
        """One program, searched and asked about, or refused."""
        draws = self.draws
        if draws.below(20) == 0:  # buffers of other kinds
            parts[draws.of(tuple(parts))] = draws.of(BUFFERS)
        if draws.below(20) == 0:
            invariants = draws.of((0, 1, 2, -1, 1 << 40, 1 << 64))
        try:
            search = _engine.Search(
                **parts, invariants=invariants, keep_graph=bool(draws.below(2)), layered=draws.below(4) == 0
            )
        except REFUSALS as error:
            self.note(type(error))
            return
        self.ask(search)
        for _ in range(1 + draws.below(3)):
            self.run(search)
            self.ask(search)

    def note(self, what: object) -> None:
        self.ended[what] = self.ended.get(what, 0) + 1

    def run(self, search: _engine.Search) -> None:
        """Runs it with callbacks that answer, raise, or call back."""
        draws, calls = self.draws, [0]
        kind = draws.below(6)

        def called(most: int) -> bool:
            calls[0] += 1
            if kind == 0 and draws.below(5) == 0:
                raise Raised
            if kind == 1 and draws.below(5) == 0:
                self.ask(search)
                self.refused(search.run, decide, tick, 1, 0, 0)
            return calls[0] > most

        def decide(state: int, step: int) -> Any:
            if called(MOST_CALLS):
                raise Raised
            if kind == 2 and draws.below(10) == 0:
                return draws.of(ARGUMENTS)
            return draws.of((0, 0, 2, 2, 2, 1)) if draws.below(10) else 1

        def tick(states: int, depth: int, frontier: int) -> Any:
            stop = called(MOST_CALLS)
            return draws.of(ARGUMENTS) if kind == 3 else stop

        most_bytes = draws.of((0, 0, 0, 0, 1, MOST_BYTES))
        arguments: list[Any] = [decide, tick, 1 + draws.below(4), MOST_STATES, most_bytes]
        if kind == 4:
            arguments[draws.below(3)] = draws.of(ARGUMENTS)
        try:
            self.note(search.run(*arguments))
        except (Raised, *REFUSALS) as error:
            self.note(type(error))

    def refused(self, call: Callable[..., Any], *arguments: Any) -> None:
        try:
            call(*arguments)
        except REFUSALS:
            return
        raise AssertionError(f"{call} takes {arguments}")

    def ask(self, search: _engine.Search) -> None:
        """Every method, with numbers that may exist and with what cannot be a number."""
        draws = self.draws
        size = search.figures()["states"]

        def some(most: int) -> Any:
            return draws.below(max(most, 1)) if draws.below(3) else draws.of(ARGUMENTS)

        def slots() -> Any:
            return [draws.below(6) for _ in range(draws.below(4))] if draws.below(3) else draws.of(ARGUMENTS)

        methods: list[tuple[Callable[..., Any], Callable[[], tuple[Any, ...]]]] = [
            (search.state, lambda: (some(size),)),
            (search.path, lambda: (some(size),)),
            (search.edges, lambda: (some(size),)),
            (search.taken, tuple),
            (search.goals, tuple),
            (search.to_goals, tuple),
            (search.alive, lambda: (some(3),)),
            (search.loops, lambda: (some(3), some(2), slots())),
            (search.distinct, lambda: (slots(), some(2))),
            (search.figures, tuple),
        ]
        for _ in range(1 + draws.below(12)):
            method, arguments = draws.of(methods)
            given = arguments()
            if draws.below(20) == 0:
                given = (*given, 0) if draws.below(2) else given[1:]
            try:
                method(*given)
            except REFUSALS:
                continue


def run_seed(seed: int) -> dict[object, int]:
    """One seed of the loop: how its searches ended."""
    caller = Caller(seeded(seed))
    caller.some(6)
    return caller.ended


def main(seconds: float, seed: int) -> int:
    """Runs seeds until the time is over; at least one."""
    ended: dict[object, int] = {}
    started, first = time.monotonic(), seed
    while True:
        try:
            for what, count in run_seed(seed).items():
                ended[what] = ended.get(what, 0) + count
        except BaseException:
            print(f"seed {seed}", file=sys.stderr)
            raise
        seed += 1
        if time.monotonic() - started >= seconds:
            break
    names = {getattr(_engine, name): name for name in ("COMPLETE", "BROKEN", "VIOLATED", "INVARIANT", "STOPPED",
                                                       "STATES", "MEMORY", "FAILED", "LAYER")}
    shown = {str(names.get(what, getattr(what, "__name__", what))): count for what, count in ended.items()}
    print(f"seeds {first} to {seed - 1}:", ", ".join(f"{count} {name}" for name, count in sorted(shown.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))

"""What is asked for when one property is decided, and what came of it.  Plain data, which `verify` makes and takes."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.explore.analysis import Attempt
from modelcheck.explore.engine import REFERENCE, Engine
from modelcheck.explore.observing import Pattern
from modelcheck.smt.values import Observation

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


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search of one part came to, where it was complete and found nothing; it speaks for equal parts."""

    states: int
    transitions: int
    depth: int
    reached: frozenset[str]
    covered: frozenset[Line]
    asked: frozenset[Observation]
    fallback: str
    patterns: tuple[tuple[int, Pattern], ...] = ()  # of `asked`, each with the place of the step that observes
    clear: tuple[str, ...] = ()  # the kinds of property it speaks for, where these are several

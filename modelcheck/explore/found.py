"""What a search is asked and what it found, whichever engine ran it.

Its one invariant: a state's number is its place in breadth-first order, so two engines that search the same tables
agree on every number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from modelcheck.explore.table import Step, Tables

State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of a path: which process took which of the steps out of its local state."""

    process: int
    pc: int
    number: int

    def step(self, tables: Tables) -> Step:
        """The step itself."""
        return tables.processes[self.process].steps[self.pc][self.number]


Path = tuple[Taken, ...]
Edge = tuple[int, int, int]  # process, which of the steps out of its local state, next state's number
Report = Callable[[int, int, int], None]  # states, depth, frontier


class Answer(IntEnum):
    """What an observing step is: no violation whenever the same is observed, a violation, or to be asked again."""

    NEVER = 0
    VIOLATED = 1
    OPEN = 2


Decide = Callable[[State, Step, Callable[[], Path]], Answer]


@dataclass(frozen=True, slots=True)
class Goals:
    """What ends a search: a step that breaks a property, or an observation that `decide` calls a violation.

    `decide(state, step, path)` is asked about observing steps, until it answers NEVER to what they observe.
    """

    decide: Decide | None = None
    keep_graph: bool = False


class Found(ABC):
    """The outcome of a search: the graph's size, and the violation if there is one.

    `bound` says in words what ended the search early ("" if it is complete).  `taken` are the steps that were taken,
    as (process, local state, which).  Edges are there where the graph was kept.
    """

    tables: Tables
    transitions: int = 0
    depth: int = 0
    bound: str = ""
    violated: str = ""
    fallback: str = ""  # why the engine asked for did not run it, "" where it did
    path: Path | None = None
    taken: set[tuple[int, int, int]]

    @property
    @abstractmethod
    def size(self) -> int:
        """How many states there are."""

    @abstractmethod
    def state(self, number: int) -> State:
        """The state of that number."""

    @abstractmethod
    def out(self, number: int) -> Sequence[Edge]:
        """The edges out of a state, in the order they were taken."""

    def steps(self, number: int) -> Sequence[tuple[tuple[int, int, int], int]]:
        """The same with each step's place, as in `taken`, and the next state's number."""
        pcs = self.state(number)
        return [((process, pcs[process], which), after) for process, which, after in self.out(number)]

    @abstractmethod
    def path_to(self, number: int) -> Path:
        """The steps from the initial state to the state of that number."""

    @abstractmethod
    def alive(self, process: int) -> bytes:
        """For each state one byte: whether the process steps on some continuation."""

    @abstractmethod
    def distinct(self, slots: Sequence[int], condition: int = -1) -> Iterator[int]:
        """The first states with each value of the slots, of those where a condition of `tables` holds (-1: of all).

        Conditions are numbered as in `Tables.conditions`.
        """

    @abstractmethod
    def loops(self, process: int, condition: int, slots: Sequence[int]) -> bool:
        """Whether the process, alone, may loop without progress from a state where the condition holds.

        True also where that was not found out; `slots` are all that the process touches.
        """

    def graph(self) -> list[Sequence[Edge]]:
        """The edges out of every state."""
        return [self.out(number) for number in range(self.size)]

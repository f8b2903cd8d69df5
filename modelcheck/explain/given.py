"""What is known of values: those of a trace's updates and words, for schedules that are not the trace's own.

The k-th update made has the values of the trace's k-th update, and the k-th reading of a word is the trace's k-th of
it, whoever makes it: so what a spec assumes of updates in their order holds in any schedule.  Where it also looks at
the steps that made them, others than those of the trace are not followed.  Beyond the trace there are a few more
updates, with values that z3 finds under the same assumptions, and a few more readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelcheck.smt.concrete import Numbers, further, violates
from modelcheck.smt.solver import ConcreteBytes
from modelcheck.smt.values import Observation, Values

FURTHER = 2  # updates beyond those of the trace
READINGS = 3  # readings of a word beyond those of the trace


class Given:
    """Values by version and by reading; `known` is whether bytes of areas have any."""

    def __init__(
        self, values: Values | None, numbers: Numbers, words: tuple[tuple[int, str, int], ...] = ()
    ) -> None:
        self.values = values if numbers else None
        self.numbers = numbers
        self.first = {name: value for step, name, value in words if step < 0}
        self._readings: dict[str, list[int]] = {}
        for step, name, value in sorted(words, key=lambda word: word[0]):
            if step >= 0:
                self._readings.setdefault(name, []).append(value)
        self._bytes = ConcreteBytes(self.values, numbers)
        self._further = False
        self.maker = ""  # the text of the steps that made the trace's versions, "" where that is not looked at
        self.failed: Observation | None = None  # what the trace ends with, where that is an observation
        self._judged: dict[Observation, bool] = {}

    @property
    def known(self) -> bool:
        """Whether the bytes of versions have values."""
        return self.values is not None

    def room(self, made: int) -> bool:
        """Whether there are values for a version more, after `made`; found when they are first asked for."""
        if made >= len(self.numbers) and not self._further and self.values is not None:
            self._further = True
            self.numbers = (*self.numbers, *further(self.values, self.numbers, FURTHER, self._extended()))
            self._bytes = ConcreteBytes(self.values, self.numbers)
        return made < len(self.numbers)

    def made(self, count: int) -> tuple[tuple[str, int], ...]:
        """The makers of so many versions, as an observation has them: all were made by steps of one text."""
        return tuple(("", -1) if version == 0 else (self.maker, version - 1) for version in range(count))

    def _extended(self) -> Observation | None:
        if self.failed is None:
            return None
        count = len(self.numbers) + FURTHER
        return replace(self.failed, versions=count, made=self.made(count))

    def byte(self, version: int, offset: int, form: str) -> int:
        """A byte of a version, -1 where it is not known."""
        return self._bytes(version, offset, form)

    def violates(self, observation: Observation) -> bool:
        """Whether what a process hands over is a violation."""
        assert self.values is not None
        if observation not in self._judged:
            self._judged[observation] = violates(self.values, observation, self.numbers)
        return self._judged[observation]

    def readings(self, name: str, number: int, old: int) -> Iterator[int]:
        """The values that the reading of that number may have, the first that fits to be taken; none past the last."""
        known = self._readings.get(name, [])
        if number < len(known):
            yield known[number]
        if number < len(known) + READINGS:
            yield from (old + 10, old + 1, old, 0)

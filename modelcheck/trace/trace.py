"""Trace values: a counterexample (or witness) as frozen data, complete enough to be shown without the model.

Its one invariant: a trace holds everything the views print; they never ask the model.  Versions of an area's content
are numbered from 0 (the content at the start); `choice` strings let the reference engine replay the schedule.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass

SCHEMA = 3


@dataclass(frozen=True, slots=True)
class ByteSource:
    """One byte an access touched: where it lies in the area, which update and form wrote it, by which step, its value.

    `step` is the index of the store step the byte came from (for a store, its own index), -1 for the initial
    content.  `value` is the concrete byte z3 found, -1 where no value was asked for.
    """

    offset: int
    version: int
    variant: str
    step: int
    value: int


@dataclass(frozen=True, slots=True)
class MemoryEvent:
    """A performed piece of an access: `op` is "load" or "store", bytes `lo` to `hi` (excluded) of the access `text`.

    `whole` is (lo, hi) of the whole access the piece belongs to; equal to (lo, hi) when it was not cut.
    """

    op: str
    lo: int
    hi: int
    whole: tuple[int, int]
    text: str
    bytes: tuple[ByteSource, ...]


@dataclass(frozen=True, slots=True)
class LockEvent:
    """What a step did to a lock: acquire, release, queue (it now waits), fail (trylock) or attempt (blocked)."""

    op: str
    lock: str
    lock_class: str
    mode: str


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic move of one process.

    `process` indexes Trace.processes; `label` is the action's text, `choice` what replay needs to find the step again;
    `kind` is the action's kind; `function` and `step` are kernel names (may be empty); `depth` is the call depth.
    `response` is the answer the process got, as text, "" when it tells nothing.  `changes` are (slot, old, new), as
    text.  `source` is the line of the spec, without its indent.  `enabled` are the other steps that could have been
    taken instead, as (process name, choice); `waits` are the processes that asked for a lock before this step and did
    not have it, as (process name, lock).  The names may be of processes without a lane.
    """

    process: int
    label: str
    choice: str
    kind: str
    file: str
    line: int
    function: str = ""
    step: str = ""
    depth: int = 1
    response: str = ""
    memory: MemoryEvent | None = None
    lock: LockEvent | None = None
    fence: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    source: str = ""
    enabled: tuple[tuple[str, str], ...] = ()
    waits: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One lane: the process's name, a title for people, and the CPU column it belongs to (nested ones share one)."""

    name: str
    title: str
    cpu: int


@dataclass(frozen=True, slots=True)
class AreaInfo:
    """The memory area shown as a ruler: `base` is its address in its page; fields are (name, lo, hi) in bytes."""

    name: str
    size: int
    base: int
    line: int
    page: int
    fields: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Update:
    """One version of the area's content: its number and its fields' values as (field, unsigned value)."""

    version: int
    fields: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LockOrderEdge:
    """lockdep's arrow: while holding class `held`, class `acquired` was asked for, by this process, at this place."""

    held: str
    acquired: str
    held_mode: str
    acquired_mode: str
    process: int
    file: str
    line: int
    function: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """When the failure was decided, over all schedules that go on from the steps of the trace.

    After step `step` every schedule in which the process that fails goes on ends in the failure, and after the one
    before it some does not; -1 where that is so from the start.  `states` is how many were searched for that.  `open`
    says why it is not known, "" where it is; then every schedule fails after `step`, and perhaps after an earlier one.
    """

    step: int
    states: int
    open: str = ""


@dataclass(frozen=True, slots=True)
class Passing:
    """The nearest schedule that passes: the trace's own with one context switch moved.

    `switch` is the first step after the switch that is moved, `by` how many steps later (negative: earlier) it comes;
    `text` says so in one sentence, with what becomes of it; `steps` is the schedule, as (process name, choice).
    """

    switch: int
    by: int
    text: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A counterexample: what was checked, the steps, why it is one.

    `spec` is a spec's name, or a path with `spec_hash` (sha256, hex).  `parameters` are (name, text) sorted by name.
    `initial` are sentences on the state before the first step, `consequence` one sentence on what went wrong, `why`
    the sentences that explain why nothing noticed.  `deciding` is the index of the step that decides.  `case` names a
    known bug ("" if none).  `shortest` says how short it is known to be.  `command` reproduces it.  `words` are the
    values of arbitrary words as (step, slot, value), step -1 for those the words start with.  `without` names the piece
    of the protocol that was left out on purpose, "" for none.  `conjunct` is the part of the property that is false, in
    words.  `fate` and `passing` are None where they were not asked for, or there is none.
    """

    spec: str
    spec_hash: str
    version: str
    property: str
    parameters: tuple[tuple[str, str], ...]
    memory: str
    case: str
    processes: tuple[ProcessInfo, ...]
    area: AreaInfo | None
    initial: tuple[str, ...]
    steps: tuple[Step, ...]
    deciding: int
    consequence: str
    why: tuple[str, ...]
    updates: tuple[Update, ...] = ()
    lock_order: tuple[LockOrderEdge, ...] = ()
    assumptions: tuple[str, ...] = ()
    shortest: str = ""
    command: str = ""
    words: tuple[tuple[int, str, int], ...] = ()
    without: str = ""
    conjunct: str = ""
    fate: Fate | None = None
    passing: Passing | None = None

    @builtins.property  # `property` is a field here
    def switches(self) -> int:
        """How often the running process changes between one step and the next."""
        return sum(a.process != b.process for a, b in zip(self.steps, self.steps[1:], strict=False))

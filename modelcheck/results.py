"""The values of one `check`: what was asked for, and what came out.

Plain data; `campaign` makes the one of the other, the command line prints it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modelcheck.spec import Spec, Value

VERDICTS = ("holds", "violated", "incomplete", "vacuous")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one check: states stored by one search, bytes of memory for all workers, seconds for all; 0 is none."""

    states: int = 0
    memory: int = 4 << 30
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One check as asked for: parameter values are lists to combine; an empty tuple of properties means all."""

    spec: Spec
    versions: tuple[str, ...]
    values: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    properties: tuple[str, ...] = ()
    memory: str = "sc"
    engine: str = "auto"
    workers: int = 1
    without: tuple[str, ...] = ()  # reductions switched off
    limits: Limits = field(default_factory=Limits)
    traces: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One checked combination: the fields of `--json` (design.md section 8), and what the tables add.

    `parameters` holds texts; a group of offsets is written as ranges ("0-48,64").  `label` names the group, `count` is
    how many settings it covers.  `case` is the known bug a violation shows, `expected` what the spec expects ("" if it
    says nothing), `expected_source` why.  `trace` is the path of the saved counterexample or None.
    """

    spec: str
    version: str
    property: str
    parameters: tuple[tuple[str, str], ...]
    memory: str
    verdict: str
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    engine: str = "python"
    observations: int = 0
    solver_queries: int = 0
    assumptions: tuple[str, ...] = ()
    witnesses: tuple[tuple[str, bool], ...] = ()
    uncovered: tuple[str, ...] = ()
    bound: str = ""
    trace: str | None = None
    id: str = ""
    steps: int = 0
    switches: int = 0
    label: str = ""
    count: int = 1
    case: str = ""
    expected: str = ""
    expected_source: str = ""
    actors: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()  # processes that took no part, each with why
    note: str = ""
    fault: str = ""  # whose error ended it: "spec", "internal", "" where none did
    short: str = ""  # a violated property in two or three sentences


@dataclass(frozen=True, slots=True)
class SolverCost:
    """What z3 cost one check, all workers together, in seconds of their time.

    `observations` were looked up, `distinct` decided, `spared` of these without a question because a remembered core
    refuted them; `queries` are the questions z3 got.  Each worker has a solver of its own, so all but the first depend
    on how the work was shared out.
    """

    observations: int = 0
    distinct: int = 0
    spared: int = 0
    queries: int = 0
    seconds: float = 0.0

    def __add__(self, other: SolverCost) -> SolverCost:
        return SolverCost(
            self.observations + other.observations,
            self.distinct + other.distinct,
            self.spared + other.spared,
            self.queries + other.queries,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: SolverCost) -> SolverCost:
        return SolverCost(
            self.observations - other.observations,
            self.distinct - other.distinct,
            self.spared - other.spared,
            self.queries - other.queries,
            self.seconds - other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Unreached:
    """A source line that no checked combination reached: the kernel's function and step it models, its text, and why.

    `function` is the spec's own where no kernel function is named.
    """

    file: str
    line: int
    function: str
    step: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class LineMark:
    """A line of a process: its file by the name it is shown under and by its path, whether a search reached it.

    `function` and `step` are the kernel's, "" where the spec names none.
    """

    file: str
    path: str
    line: int
    reached: bool
    function: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many source lines the processes of the checked models have, how many were reached, and which were not.

    `marks` are all of them in order.
    """

    lines: int = 0
    reached: int = 0
    unreached: tuple[Unreached, ...] = ()
    marks: tuple[LineMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one check, in the order asked for, and how long the whole took in seconds.

    `faults` are what could not be done beside the checking, such as saving a trace on a full disk.
    """

    results: tuple[Result, ...]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    solver: SolverCost = SolverCost()
    searched: int = 0  # systems that were searched
    spared: int = 0  # systems that were equal to one searched before
    faults: tuple[str, ...] = ()
    coverage: Coverage = Coverage()

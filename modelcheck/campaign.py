"""What one `check` is: the combinations asked for, each decided once, and the results.

Placeholder interface; the sweep itself comes with the search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelcheck.spec import Spec, Value

VERDICTS = ("holds", "violated", "incomplete", "vacuous")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one search: states stored, bytes of memory, seconds; 0 is no bound."""

    states: int = 0
    memory: int = 2 << 30
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
    note: str = ""
    short: str = ""  # a violated property in two or three sentences


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one check, in the order asked for, and how long the whole took in seconds."""

    results: tuple[Result, ...]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


Progress = Callable[[str, int, int, int, float], None]
"""Called now and then: what is being checked, states, depth, frontier, share of the combinations done (0 to 1)."""


def run(request: Request, progress: Progress | None = None) -> Report:
    """Checks every combination of the request."""
    raise NotImplementedError

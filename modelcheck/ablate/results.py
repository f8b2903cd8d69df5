"""The values of one ablation: what was asked for, and what became of each piece under each memory model.

Its one invariant: a cell says NOT NEEDED only where every property was decided at every setting that has the piece, by
a search that no bound ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelcheck.results import Limits
from modelcheck.spec import Setting, Spec, Value

VERDICTS = ("needed", "not-needed", "lost", "incomplete", "not-asked")


@dataclass(frozen=True, slots=True)
class AblationRequest:
    """One ablation as asked for; `values` are the parameters that were set, the others are the spec's to choose.

    An empty tuple of properties means all, one of memory models all that the spec can be asked for.  A piece is asked
    for until something breaks without it; with `every` for every property that does.
    Only pieces are taken whose row, still without cells, `keep` accepts.
    """

    spec: Spec
    version: str
    values: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    properties: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()
    engine: str = "auto"
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    traces: Path | None = None
    every: bool = False
    keep: Callable[[Row], bool] = lambda row: True


@dataclass(frozen=True, slots=True)
class Broken:
    """A property that is violated without the piece: where, and the counterexample's size, file and short text.

    `steps` counts the confirmed run, or the canonical one where a trace was asked for.
    """

    property: str
    setting: Setting
    steps: int
    trace: str | None = None
    id: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one piece under one memory model.

    `lost` are witnesses that cannot be reached without it, `held` the properties that hold without it, each with at
    how many settings it was proved, and `states` those of all searches.  `decided` is how many combinations of setting
    and property were decided, of `asked`; `bound` says what ended the others.
    """

    memory: str
    broken: tuple[Broken, ...] = ()
    lost: tuple[str, ...] = ()
    held: tuple[tuple[str, int], ...] = ()
    states: int = 0
    seconds: float = 0.0
    asked: int = 0
    decided: int = 0
    bound: str = ""

    @property
    def verdict(self) -> str:
        """One of VERDICTS.  What is lost breaks nothing, and shows what the piece is for all the same."""
        if self.broken:
            return "needed"
        if self.bound or self.decided < self.asked:
            return "incomplete"
        if not self.asked:  # the protocol as it is has none of the properties there
            return "not-asked"
        return "lost" if self.lost else "not-needed"


@dataclass(frozen=True, slots=True)
class Row:
    """One piece: its key (what a trace names it by), text and place, who runs it, and a cell for each memory model.

    `settings` is how many of the settings have it.  `pairs` are the comments to put over a barrier.
    """

    key: str
    kind: str
    text: str
    function: str
    step: str
    file: str
    line: int
    processes: tuple[str, ...]
    settings: int
    cells: tuple[Cell, ...] = ()
    pairs: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Source file and line, "" for an assumption."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, slots=True)
class Ablation:
    """Everything that came out.  `skipped` says why a combination could not be asked, `notes` what else to know."""

    spec: str
    version: str
    memories: tuple[str, ...]
    properties: tuple[str, ...]
    settings: tuple[str, ...]
    rows: tuple[Row, ...]
    seconds: float
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    bound: str = ""

    @property
    def complete(self) -> bool:
        """Whether every piece was decided under every memory model."""
        cells = [cell for row in self.rows for cell in row.cells]
        return not self.bound and all(not cell.bound and cell.decided == cell.asked for cell in cells)

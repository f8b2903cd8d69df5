"""Which engine runs a search: the reference one in Python, or its native twin where it is installed.

Its one invariant: the choice changes how long a search takes and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.found import Found, Goals, Report
from modelcheck.explore.search import search
from modelcheck.explore.table import Tables

if TYPE_CHECKING:
    from modelcheck.explore.native.program import Untakeable


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine by name, `python` or `native`, and how many threads one native search gets."""

    name: str = "python"
    threads: int = 1


REFERENCE = Engine()


@cache
def native_missing() -> str:
    """Why there is no native engine, "" where there is one."""
    if find_spec("modelcheck.explore.native._engine") is None:
        return "modelcheck was installed without a C compiler"
    try:
        import modelcheck.explore.native._engine  # noqa: F401
    except ImportError as error:
        return f"its extension module does not load ({error})"
    return ""


def best_engine(threads: int = 1) -> Engine:
    """The native engine where it is installed."""
    return Engine("python" if native_missing() else "native", threads)


def run_search(
    tables: Tables,
    bounds: Bounds,
    goals: Goals = Goals(),
    ample: bool = True,
    report: Report | None = None,
    engine: Engine = REFERENCE,
) -> Found:
    """Explores the table's states; tables that the native engine cannot take are searched by the reference one."""
    if engine.name == "native" and tables.processes:
        from modelcheck.explore.native.program import Untakeable
        from modelcheck.explore.native.search import native_search

        try:
            return native_search(tables, bounds, goals, ample, report, engine.threads)
        except Untakeable as why:
            return _instead(why, tables, bounds, goals, ample, report)
    return search(tables, bounds, goals, ample, report)


def _instead(
    why: Untakeable, tables: Tables, bounds: Bounds, goals: Goals, ample: bool, report: Report | None
) -> Found:
    found = search(tables, bounds, goals, ample, report)
    found.fallback = f"searched by the Python engine: {why}"
    return found

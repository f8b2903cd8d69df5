"""From a model and a property to the tables that are searched, in parts.

A part is a set of processes that the property is about, its *roots*, with what they depend on.  A violation of an
assertion or an observation is a step of one process, so it is in the slice of that process alone (slicing.py): roots
that depend on one another make one part, others parts of their own, and the property holds if it does in each
(`split`; one reader suffices, as readers write nothing shared, is an instance).  In a part, violating steps of
processes that are not its roots are left out, and what they observe: these are looked for in their own part.  A step
that violates leads nowhere, so leaving it out hides nothing else.  Parts that are equal up to names are searched once
(`symmetry`, tables_key.py).

Its one invariant: each reduction that is on is applied to every part, in the same order, and decides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelcheck.errors import SpecError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.dead_slots import reset_dead_slots
from modelcheck.explore.engine import Engine
from modelcheck.explore.merging import merge_local_steps
from modelcheck.explore.slicing import influencing, may_block, slice_tables
from modelcheck.explore.summary import Summary, summarise
from modelcheck.explore.table import Step, Tables, build_tables
from modelcheck.system.link import System
from modelcheck.system.model import Property

REDUCTIONS = ("slice", "split", "symmetry", "dead", "merge", "ample", "summary")
On = Callable[[str], bool]


@dataclass(frozen=True)
class Part:
    """One part: its tables `plain` (sliced, nothing more), `unmerged` (all but merging) and as they are searched."""

    plain: Tables
    unmerged: Tables
    tables: Tables
    summary: Summary | None


def whole_tables(system: System, prop: Property) -> Tables:
    """The tables of the whole system, with the conditions that the property asks of states."""
    invariants = ((prop.name, prop.condition),) if prop.kind == "invariant" and prop.condition is not None else ()
    tables = build_tables(system, invariants)
    if prop.kind == "terminates" and prop.condition is not None:
        tables = replace(tables, asked=(prop.condition,))
    if prop.kind == "eventually" and prop.goal is not None and prop.condition is not None:
        tables = replace(tables, asked=(prop.goal, prop.condition))
        unknown = [name for name in prop.fair if name not in {table.name for table in tables.processes}]
        if unknown:
            there = ", ".join(table.name for table in tables.processes)
            raise SpecError(f"property {prop.name!r} is fair to {unknown[0]!r}, which is no process; there are {there}")
    return tables


def root_sets(system: System, prop: Property, tables: Tables, on: On) -> list[frozenset[int]]:
    """The roots of each part, smaller parts first; one part where nothing is split."""
    roots = _roots(system, prop, tables)
    if not on("slice"):
        return [roots]
    extra = _witnessing(prop, tables, roots)
    if not on("split") or prop.kind not in ("assertion", "observation") or len(roots | extra) < 2:
        return [roots | extra]
    by_closure: dict[frozenset[int], set[int]] = {}
    for root in sorted(roots | extra):
        by_closure.setdefault(influencing(tables, frozenset({root})), set()).add(root)
    return [frozenset(by_closure[c]) for c in sorted(by_closure, key=lambda c: (len(c), sorted(by_closure[c])))]


def plain_part(tables: Tables, prop: Property, roots: frozenset[int], on: On) -> Tables:
    """The part of the whole `tables` with these roots, sliced and nothing more."""
    if not on("slice"):
        return tables
    sliced = slice_tables(tables, roots)
    if not on("split") or prop.kind not in ("assertion", "observation"):
        return sliced
    return _without_others(sliced, {tables.processes[i].name for i in roots})


def reduce_part(plain: Tables, prop: Property, roots: frozenset[str], on: On, bounds: Bounds, engine: Engine) -> Part:
    """What is searched of a part; `roots` are the names of its roots."""
    tables = plain
    if on("dead"):
        tables = reset_dead_slots(tables)
    observers = frozenset(i for i, table in enumerate(tables.processes) if table.name in roots)
    summary = None
    if on("summary") and prop.kind in ("observation", "terminates"):
        summary = summarise(tables, observers, bounds, engine)
        if summary is not None:
            tables = summary.tables
            if on("dead"):
                tables = reset_dead_slots(tables)
    unmerged = tables
    if on("merge"):
        tables = merge_local_steps(tables)
    return Part(plain, unmerged, tables, summary)


def _without_others(tables: Tables, names: set[str]) -> Tables:
    """Without the violating steps, and without the observations, of processes that are not among `names`."""

    def keep(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            replace(step, moves=tuple(replace(move, observes=None) for move in step.moves))
            for step in steps
            if not step.breaks
        )

    return replace(
        tables,
        processes=tuple(
            table if table.name in names else replace(table, steps=tuple(keep(steps) for steps in table.steps))
            for table in tables.processes
        ),
    )


def _witnessing(prop: Property, tables: Tables, roots: frozenset[int]) -> frozenset[int]:
    """The processes that alone can reach a witness of the property."""
    reached = [{w for move in table.all_moves() for w in move.reaches} for table in tables.processes]
    missing = set(prop.witnesses).difference(*(reached[i] for i in influencing(tables, roots)))
    return frozenset(i for i, found in enumerate(reached) if found & missing)


def _roots(system: System, prop: Property, tables: Tables) -> frozenset[int]:
    """The processes the property is about."""
    kind, name = prop.kind, prop.name
    if kind == "deadlock":
        return frozenset(i for i, table in enumerate(tables.processes) if may_block(table))
    if kind == "terminates":
        return frozenset(i for i, table in enumerate(tables.processes) if table.name == prop.process)
    if kind == "eventually":
        return frozenset(i for i, table in enumerate(tables.processes) if table.name in prop.fair)
    if kind == "invariant":
        return frozenset(range(len(tables.processes)))
    found = set()
    for i, table in enumerate(tables.processes):
        space = system.spaces[i]
        for move in table.all_moves():
            if (
                move.edge.breaks == name
                or move.observes is not None
                and move.observes.property == name
                or kind == "lock-order"
                and space.attempt(move.edge) is not None
            ):
                found.add(i)
    if kind == "sleep-in-atomic":
        found |= {
            i
            for i, space in enumerate(system.spaces)
            if any(node.action is not None and node.action.sleeps for node in space.machine.nodes)
        }
    if kind == "assertion":
        found |= _checking(system, name)
    return frozenset(found)


def _checking(system: System, name: str) -> set[int]:
    """Processes with a step that could break the property, even where its guard folds away."""
    found = set()
    for i, space in enumerate(system.spaces):
        for node in space.machine.nodes:
            access = node.action.access if node.action is not None else None
            if (
                access is not None
                and access.store
                and (any(p == name for _, p in access.requires) or system.model.areas[access.area].bounds == name)
            ):
                found.add(i)
    return found

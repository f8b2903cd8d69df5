"""Partial-order reduction: in a state, expand only some processes, a *cluster*, when the others cannot interfere.

A cluster C is the closure of one process under: add q if a step out of the current local state of some member is
dependent with anything q may ever do from its own.  Then no path of the others touches what C's steps touch, so the
enabled steps of C are a persistent set (Godefroid, Partial-Order Methods, 1996, section 4; it includes disabled steps,
so the others cannot enable a step of C either).  Proviso against ignoring, static so that counts do not depend on the
order of the search: every cycle of each process's table passes a *sticky* local state, and no cluster smaller than all
contains a process at a sticky one; so every cycle of the reduced graph has a fully expanded state.

Properties are looked for on steps (a step that breaks, observes or asks for a lock), and persistent sets without
ignoring fire every step that the full graph fires.  Steps that write a slot of a state invariant are never in a
cluster smaller than all.  Partial deadlock survives: being stuck is stable, and every full path extends to one that
the reduced graph has, up to the order of independent steps.
"""

from __future__ import annotations

from modelcheck.explore.effects import Effect, feedback, future_effects, local_effects
from modelcheck.explore.table import Tables


class AmpleSets:
    """Clusters for the local states of a system, found once for each tuple of program counters."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.now = [local_effects(table) for table in tables.processes]
        self.future = [future_effects(t, now) for t, now in zip(tables.processes, self.now, strict=True)]
        visible = tables.visible
        self.sticky = []
        for table, now in zip(tables.processes, self.now, strict=True):
            sticky = feedback([[step.target for step in steps] for steps in table.steps], table.start)
            seen = frozenset(i for i, effect in enumerate(now) if not visible.isdisjoint(effect.writes))
            self.sticky.append(sticky | seen)
        self._known: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {}
        self._pairs: dict[tuple[int, int, int, int], bool] = {}

    def clusters(self, pcs: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The clusters smaller than all processes, smallest first; a search expands the first with an enabled step."""
        known = self._known.get(pcs)
        if known is None:
            known = self._known[pcs] = self._find(pcs)
        return known

    def _find(self, pcs: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        running = [p for p, pc in enumerate(pcs) if self._tables.processes[p].steps[pc]]
        found = set()
        for first in running:
            cluster = {first}
            todo = [first]
            while todo and len(cluster) < len(running):
                p = todo.pop()
                for q in running:
                    if q not in cluster and self._interferes(p, pcs[p], q, pcs[q]):
                        cluster.add(q)
                        todo.append(q)
            if len(cluster) < len(running) and not any(pcs[p] in self.sticky[p] for p in cluster):
                found.add(tuple(sorted(cluster)))
        return tuple(sorted(found, key=lambda c: (len(c), c)))

    def _interferes(self, p: int, pc: int, q: int, qc: int) -> bool:
        key = (p, pc, q, qc)
        known = self._pairs.get(key)
        if known is None:
            mine: Effect = self.now[p][pc]
            known = self._pairs[key] = mine.dependent(self.future[q][qc])
        return known

"""Sleepable read-copy-update (kernel `struct srcu_struct`): readers that nobody blocks, and a wait for those there are.

Source: kernel/rcu/srcutiny.c and srcutree.c, reduced to what a grace period promises: two counts of readers, and an
index that says which of them a new reader is counted in.  synchronize() turns the index over and waits until the count
it left is 0: readers that began before are waited for, those that begin after are not.  Simplified: a reader fetches
the index and counts itself in one step, so the first of the kernel's two waits (for readers that fetched an index long
ago) has nothing to wait for and is left out; expedited and normal grace periods are one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from modelcheck.action import Action, Branch, Hold, shared
from modelcheck.expression import BOOL, Const, Expr, Slot, ite, range_domain
from modelcheck.sync.mutex import Mutex

MOST_READERS = 15


@dataclass(frozen=True, slots=True)
class Srcu:
    """An SRCU domain.  Readers may sleep; one process is in at most one read section of a domain at a time.

    A section is told to lockdep as a read hold and synchronize() as waiting for it, so that a lock held across the one
    and wanted in the other is a cycle.
    """

    name: str

    @property
    def index(self) -> Slot:
        """Which count a new reader is in."""
        return Slot(f"{self.name}.index", BOOL)

    @property
    def mine(self) -> Slot:
        """Which count this process is in, while it reads."""
        return Slot(f"{self.name}.mine", BOOL, own=True)

    @property
    def mutex(self) -> Mutex:
        """Serialises grace periods."""
        return Mutex(f"{self.name}.gp_mutex")

    def readers(self, index: int) -> Slot:
        """How many readers one of the two counts has."""
        return Slot(f"{self.name}.readers[{index}]", range_domain(0, MOST_READERS))

    @property
    def hold(self) -> Hold:
        """What a reader holds."""
        return Hold(self.name, self.name, "read", False)

    def _counted(self, index: Expr, by: int) -> tuple[tuple[Slot, Expr], ...]:
        counts = self.readers(0), self.readers(1)
        return tuple((count, count + ite(index.eq(i), by, 0)) for i, count in enumerate(counts))

    def read_lock(self) -> Action:
        """Enters a read section; waits for nobody."""
        update = (*self._counted(self.index, 1), (self.mine, self.index))
        return Action("lock", f"srcu_read_lock({self.name})", (Branch(updates=update, acquires=self.hold),))

    def read_unlock(self) -> Action:
        """Leaves the read section."""
        update = (*self._counted(self.mine, -1), (self.mine, Const(0)))
        return Action("lock", f"srcu_read_unlock({self.name})", (Branch(updates=update, releases=self.name),))

    def synchronize(self, step: str = "", function: str = "") -> Generator[Action, Any, None]:
        """Sleeps until every reader that is there now has left; `step` and `function` are what it is labelled `at`."""
        yield self.mutex.lock().at(step, function)
        yield shared(f"{self.name}: new readers are counted apart", (self.index, Const(1) - self.index)).at(
            step, function
        )
        gone = ite(self.index.eq(0), self.readers(1), self.readers(0)).eq(0)
        label = f"synchronize_srcu({self.name})"
        wait = Action("shared", label, (Branch(guard=gone),), lock=self.hold, blocking=True, sleeps=True)
        yield wait.at(step, function)
        yield self.mutex.unlock().at(step, function)

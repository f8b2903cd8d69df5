"""A spinning lock with one owner (kernel `spinlock_t`, `raw_spinlock_t`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.action import Action, Branch, Hold
from modelcheck.expression import PROCESS, Const, Self, Slot

Irq = Literal["", "off", "on"]


@dataclass(frozen=True, slots=True)
class SpinLock:
    """A spinlock.  `lock_class` is its lockdep class, its own name when empty.  Holders may not sleep."""

    name: str
    lock_class: str = ""

    @property
    def owner(self) -> Slot:
        """Who holds it: 0 for nobody."""
        return Slot(f"{self.name}.owner", PROCESS)

    @property
    def hold(self) -> Hold:
        """What a holder holds."""
        return Hold(self.name, self.lock_class or self.name, "exclusive", True)

    def lock(self, irq: Irq = "") -> Action:
        """Spins until the lock is free and takes it; `irq="off"` disables interrupts first."""
        branch = Branch(None, self.owner.eq(0), ((self.owner, Self()),), acquires=self.hold, irq=irq)
        return Action("lock", f"spin_lock({self.name})", (branch,), lock=self.hold, blocking=True)

    def trylock(self) -> Action:
        """Takes the lock if it is free; answers whether it did."""
        taken = Branch(True, self.owner.eq(0), ((self.owner, Self()),), acquires=self.hold)
        return Action("lock", f"spin_trylock({self.name})", (taken, Branch(False, self.owner.ne(0))), lock=self.hold)

    def unlock(self, irq: Irq = "") -> Action:
        """Releases the lock; `irq="on"` enables interrupts again."""
        branch = Branch(None, updates=((self.owner, Const(0)),), releases=self.name, irq=irq)
        return Action("lock", f"spin_unlock({self.name})", (branch,))

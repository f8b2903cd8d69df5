"""A lock with one owner: spinning (kernel `raw_spinlock_t`, `spinlock_t`), or PREEMPT_RT's `spinlock_t`: sleeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.action import Action, Branch, Hold
from modelcheck.expression import PROCESS, Const, Self, Slot

Irq = Literal["", "off", "on"]


@dataclass(frozen=True, slots=True)
class SpinLock:
    """A spinlock.  `lock_class` is its lockdep class, its own name when empty.

    Holders may not sleep, unless the lock `sleeps` itself: then taking it may sleep and every `irq` is ignored
    (spinlock_t of PREEMPT_RT is an rtmutex, kernel/locking/spinlock_rt.c; whom its unlock wakes is left out).
    """

    name: str
    lock_class: str = ""
    sleeps: bool = False

    @property
    def owner(self) -> Slot:
        """Who holds it: 0 for nobody."""
        return Slot(f"{self.name}.owner", PROCESS)

    @property
    def hold(self) -> Hold:
        """What a holder holds."""
        return Hold(self.name, self.lock_class or self.name, "exclusive", not self.sleeps)

    def _irq(self, irq: Irq) -> Irq:
        return "" if self.sleeps else irq

    def lock(self, irq: Irq = "") -> Action:
        """Waits until the lock is free and takes it; `irq="off"` disables interrupts first."""
        update = ((self.owner, Self()),)
        branch = Branch(None, self.owner.eq(0), update, acquires=self.hold, irq=self._irq(irq))
        label = f"spin_lock({self.name})"
        return Action("lock", label, (branch,), lock=self.hold, blocking=True, sleeps=self.sleeps)

    def trylock(self) -> Action:
        """Takes the lock if it is free; answers whether it did."""
        taken = Branch(True, self.owner.eq(0), ((self.owner, Self()),), acquires=self.hold)
        return Action("lock", f"spin_trylock({self.name})", (taken, Branch(False, self.owner.ne(0))), lock=self.hold)

    def unlock(self, irq: Irq = "") -> Action:
        """Releases the lock; `irq="on"` enables interrupts again."""
        branch = Branch(None, updates=((self.owner, Const(0)),), releases=self.name, irq=self._irq(irq))
        return Action("lock", f"spin_unlock({self.name})", (branch,))

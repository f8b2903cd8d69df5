"""A sleeping lock with one owner (kernel `struct mutex`)."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.action import Action, Branch, Hold
from modelcheck.expression import PROCESS, Const, Self, Slot


@dataclass(frozen=True, slots=True)
class Mutex:
    """A mutex.  Taking it may sleep, so it is forbidden while atomic; holders may sleep."""

    name: str
    lock_class: str = ""

    @property
    def owner(self) -> Slot:
        """Who holds it: 0 for nobody."""
        return Slot(f"{self.name}.owner", PROCESS)

    @property
    def hold(self) -> Hold:
        """What a holder holds."""
        return Hold(self.name, self.lock_class or self.name, "exclusive", False)

    def lock(self) -> Action:
        """Sleeps until the mutex is free and takes it."""
        branch = Branch(None, self.owner.eq(0), ((self.owner, Self()),), acquires=self.hold)
        return Action("lock", f"mutex_lock({self.name})", (branch,), lock=self.hold, blocking=True, sleeps=True)

    def unlock(self) -> Action:
        """Releases the mutex."""
        branch = Branch(None, updates=((self.owner, Const(0)),), releases=self.name)
        return Action("lock", f"mutex_unlock({self.name})", (branch,))

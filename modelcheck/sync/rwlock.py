"""A reader-writer spinning lock whose queued writer blocks new task-context readers (kernel qrwlock).

Source: kernel/locking/qrwlock.c and include/asm-generic/qrwlock.h, by way of protocol.md 7.1.  The lock word has a
reader count, a WAITING bit and a LOCKED byte; here `readers`, `waiting` (which writer queues) and `writer`.  A queued
reader is not modelled apart from a blocked one: it holds the queue's spinlock and makes others wait no longer than it
waits itself, so leaving the queue out only adds schedules (it may raise false alarms of starvation, and misses no bug).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.action import Action, Branch, Hold
from modelcheck.expression import PROCESS, Const, Expr, Self, Slot, range_domain

Irq = Literal["", "off", "on"]
MOST_READERS = 15


@dataclass(frozen=True, slots=True)
class RwLock:
    """A reader-writer lock.  `lock_class` is its lockdep class, its own name when empty.  Holders may not sleep."""

    name: str
    lock_class: str = ""

    @property
    def readers(self) -> Slot:
        """How many hold it for reading."""
        return Slot(f"{self.name}.readers", range_domain(0, MOST_READERS))

    @property
    def waiting(self) -> Slot:
        """The writer that queues (the WAITING bit): 0 for none."""
        return Slot(f"{self.name}.waiting", PROCESS)

    @property
    def writer(self) -> Slot:
        """Who holds it for writing (the LOCKED byte): 0 for nobody."""
        return Slot(f"{self.name}.writer", PROCESS)

    def hold(self, mode: str) -> Hold:
        """What a holder in `mode` (`read` or `write`) holds."""
        return Hold(self.name, self.lock_class or self.name, mode, True)

    def _open(self, in_interrupt: bool) -> Expr:
        free = self.writer.eq(0)
        return free if in_interrupt else free & self.waiting.eq(0)

    def read_lock(self, irq: Irq = "", in_interrupt: bool = False) -> Action:
        """Spins until no writer holds the lock or waits for it; from an interrupt a waiting writer is passed."""
        taken = Branch(
            None, self._open(in_interrupt), ((self.readers, self.readers + 1),), acquires=self.hold("read"), irq=irq
        )
        return Action("lock", f"read_lock({self.name})", (taken,), lock=self.hold("read"), blocking=True)

    def read_trylock(self, irq: Irq = "") -> Action:
        """Takes the lock for reading unless a writer holds it or merely waits; answers whether it did."""
        free = self._open(False)
        taken = Branch(True, free, ((self.readers, self.readers + 1),), acquires=self.hold("read"), irq=irq)
        return Action("lock", f"read_trylock({self.name})", (taken, Branch(False, ~free)), lock=self.hold("read"))

    def read_unlock(self, irq: Irq = "") -> Action:
        """Releases a read hold."""
        branch = Branch(None, updates=((self.readers, self.readers - 1),), releases=self.name, irq=irq)
        return Action("lock", f"read_unlock({self.name})", (branch,))

    def write_lock(self, irq: Irq = "") -> Action:
        """Takes the lock for writing when it is free; else queues, which holds off new readers, and spins."""
        free = self.readers.eq(0) & self.writer.eq(0)
        mine = self.waiting.eq(0) | self.waiting.eq(Self())
        taken = Branch(
            None, free & mine, ((self.writer, Self()), (self.waiting, Const(0))), acquires=self.hold("write"), irq=irq
        )
        queue = Branch(None, self.waiting.eq(0) & ~free, ((self.waiting, Self()),), stay=True)
        return Action("lock", f"write_lock({self.name})", (taken, queue), lock=self.hold("write"), blocking=True)

    def write_unlock(self, irq: Irq = "") -> Action:
        """Releases the write hold."""
        branch = Branch(None, updates=((self.writer, Const(0)),), releases=self.name, irq=irq)
        return Action("lock", f"write_unlock({self.name})", (branch,))

"""A reader-writer lock: the spinning one (kernel qrwlock) and the sleeping one of PREEMPT_RT (rwbase_rt).

Sources: kernel/locking/qrwlock.c, include/asm-generic/qrwlock.h and kernel/locking/rwbase_rt.c, by way of protocol.md
7.1 and 7.2.  qrwlock's word has a reader count, a WAITING bit and a LOCKED byte; here `readers`, `waiting` (which
writer queues) and `writer`.  A queued reader is not modelled apart from a blocked one: it holds the queue's spinlock
and makes others wait no longer than it waits itself, so leaving the queue out only adds schedules (it may raise false
alarms of starvation, and misses no bug).

With `sleeps` the same three slots are rwbase_rt's: a writer takes the rtmutex and removes READER_BIAS (`waiting`), then
sleeps until the count is 0; from then on a trylock fails and a reader sleeps.  Holders and waiters may be preempted and
sleep, and every `irq` is ignored.  Simplified: priority inheritance is left out; the rtmutex and the bias are taken in
one step (a writer that owns the one and has not removed the other lets readers in, as one that has not come yet);
kernels before 6.3 let a blocking reader pass a waiting writer, here it waits; what a writer's unlock wakes is left out.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

from modelcheck.action import Action, Branch, Hold
from modelcheck.expression import PROCESS, Const, Expr, Self, Slot, range_domain
from modelcheck.sync.spinlock import Irq, SpinLock

MOST_READERS = 15


@dataclass(frozen=True, slots=True)
class RwLock:
    """A reader-writer lock.  `lock_class` is its lockdep class, its own name when empty.

    Holders may not sleep, unless the lock `sleeps` itself (PREEMPT_RT).
    """

    name: str
    lock_class: str = ""
    sleeps: bool = False

    @property
    def readers(self) -> Slot:
        """How many hold it for reading."""
        return Slot(f"{self.name}.readers", range_domain(0, MOST_READERS))

    @property
    def waiting(self) -> Slot:
        """The writer that queues (the WAITING bit), or has removed the bias and sleeps: 0 for none."""
        return Slot(f"{self.name}.waiting", PROCESS)

    @property
    def writer(self) -> Slot:
        """Who holds it for writing (the LOCKED byte): 0 for nobody."""
        return Slot(f"{self.name}.writer", PROCESS)

    def hold(self, mode: str) -> Hold:
        """What a holder in `mode` (`read` or `write`) holds."""
        return Hold(self.name, self.lock_class or self.name, mode, not self.sleeps)

    def _irq(self, irq: Irq) -> Irq:
        return "" if self.sleeps else irq

    def _lock(self, mode: Literal["read", "write"], *branches: Branch) -> Action:
        return Action(
            "lock", f"{mode}_lock({self.name})", branches, lock=self.hold(mode), blocking=True, sleeps=self.sleeps
        )

    def _open(self, in_interrupt: bool) -> Expr:
        free = self.writer.eq(0)
        return free if in_interrupt and not self.sleeps else free & self.waiting.eq(0)

    def read_lock(self, irq: Irq = "", in_interrupt: bool = False) -> Action:
        """Waits until no writer holds the lock or waits for it; from an interrupt a spinning waiting one is passed."""
        update = ((self.readers, self.readers + 1),)
        return self._lock(
            "read",
            Branch(None, self._open(in_interrupt), update, acquires=self.hold("read"), irq=self._irq(irq)),
        )

    def read_trylock(self, irq: Irq = "") -> Action:
        """Takes the lock for reading unless a writer holds it or merely waits; answers whether it did."""
        free, update = self._open(False), ((self.readers, self.readers + 1),)
        taken = Branch(True, free, update, acquires=self.hold("read"), irq=self._irq(irq))
        return Action("lock", f"read_trylock({self.name})", (taken, Branch(False, ~free)), lock=self.hold("read"))

    def read_unlock(self, irq: Irq = "") -> Action:
        """Releases a read hold; of a lock that sleeps, `read_unlock_rt` shows whom this wakes."""
        branch = Branch(None, updates=((self.readers, self.readers - 1),), releases=self.name, irq=self._irq(irq))
        return Action("lock", f"read_unlock({self.name})", (branch,))

    def read_unlock_rt(self, rq: SpinLock, step: str = "", function: str = "") -> Generator[Action, Any, None]:
        """PREEMPT_RT's read_unlock(): the last reader wakes a writer that waits, which takes the run queue's lock `rq`.

        The wakeup's chain rtmutex wait_lock -> pi_lock -> rq->__lock is one acquisition here, of the `rq` given.  The
        slow path is the _irq variant: it enables interrupts again, whatever they were before (protocol.md D4).
        `step` and `function` are what the actions are labelled `at`.
        """
        last = self.readers.eq(1) & self.waiting.ne(0)
        update = ((self.readers, self.readers - 1),)
        woken = Branch(True, last, update, releases=self.name)
        alone = Branch(False, ~last, update, releases=self.name)
        if (yield Action("lock", f"read_unlock({self.name}), last?", (woken, alone)).at(step, function)):
            yield rq.lock(irq="off").at(step, "__rwbase_read_unlock")
            yield rq.unlock(irq="on").at(step, "__rwbase_read_unlock")

    def write_lock(self, irq: Irq = "") -> Action:
        """Takes the lock for writing when it is free; else queues, which holds off new readers, and waits."""
        free = self.readers.eq(0) & self.writer.eq(0)
        mine = self.waiting.eq(0) | self.waiting.eq(Self())
        update = ((self.writer, Self()), (self.waiting, Const(0)))
        taken = Branch(None, free & mine, update, acquires=self.hold("write"), irq=self._irq(irq))
        queue = Branch(None, self.waiting.eq(0) & ~free, ((self.waiting, Self()),), stay=True)
        return self._lock("write", taken, queue)

    def write_unlock(self, irq: Irq = "") -> Action:
        """Releases the write hold."""
        branch = Branch(None, updates=((self.writer, Const(0)),), releases=self.name, irq=self._irq(irq))
        return Action("lock", f"write_unlock({self.name})", (branch,))

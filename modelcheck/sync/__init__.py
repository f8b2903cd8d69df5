"""Locks and contexts: what an operation waits for, changes and tells lockdep.  One primitive a module; none knows
the search."""

from modelcheck.sync.context import local_irq_restore, local_irq_save, preempt_disable, preempt_enable
from modelcheck.sync.mutex import Mutex
from modelcheck.sync.rwlock import RwLock
from modelcheck.sync.spinlock import SpinLock
from modelcheck.sync.srcu import Srcu

__all__ = [
    "Mutex", "RwLock", "SpinLock", "Srcu", "local_irq_restore", "local_irq_save", "preempt_disable", "preempt_enable",
]  # fmt: skip

"""Locks: what a lock operation waits for, changes and tells lockdep.  One primitive a module; none knows the search."""

from modelcheck.sync.mutex import Mutex
from modelcheck.sync.rwlock import RwLock
from modelcheck.sync.spinlock import SpinLock

__all__ = ["Mutex", "RwLock", "SpinLock"]

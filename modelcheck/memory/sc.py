"""Sequential consistency: every pair of accesses of one process keeps its program order (Lamport 1979)."""

from modelcheck.action import Access
from modelcheck.memory.ordering import COMPILER, FENCES, MemoryModel


def keeps(earlier: Access, later: Access) -> bool:
    """All pairs."""
    return True


SC = MemoryModel("sc", keeps, dict.fromkeys(FENCES, COMPILER), forwards=False)

"""Memory: areas of bytes, accesses cut into pieces, computed cells, and the window of issued accesses."""

from modelcheck.memory.area import Area

__all__ = ["Area"]

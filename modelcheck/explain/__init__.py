"""Why a trace failed: what of the property is false, when that was decided, and the nearest schedule that passes.

It is told of one trace at a time, for those that are written to a file.  Its one invariant: what is told comes from the
trace and its model alone, and so is the same for every engine, number of workers and hash seed.
"""

from __future__ import annotations

from modelcheck.explain.explanation import explained, passes_again

__all__ = ["explained", "passes_again"]

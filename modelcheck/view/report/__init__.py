"""A report of a whole check as pages that link to one another: the matrix, the figures of each proof, the coverage.

`pages(...)` makes their text; writing them is the command line's.  The same results give the same text but for the one
element with the id `cost`, which holds everything that differs from run to run: seconds, memory, engine, z3's work.
"""

from __future__ import annotations

from modelcheck.view.report.pages import Shown, TracePage, pages

__all__ = ["Shown", "TracePage", "pages"]

"""A report of a whole check as pages that link to one another: the matrix, the figures of each proof, the coverage.

`pages(...)` makes their text, `overview_page(...)` that of a page before those of several specs; writing them is the
command line's.  The same results give the same text but for the one element with the id `cost`, which holds everything
that differs from run to run: seconds, memory, engine, z3's work.
"""

from __future__ import annotations

from modelcheck.view.report.overview import overview_page
from modelcheck.view.report.pages import INDEX, Shown, TracePage, pages

__all__ = ["INDEX", "Shown", "TracePage", "overview_page", "pages"]

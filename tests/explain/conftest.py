"""The tests of explanations use the random systems and the pairs of other tests."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

sys.path += [str(TESTS / folder) for folder in ("explore", "smt") if str(TESTS / folder) not in sys.path]

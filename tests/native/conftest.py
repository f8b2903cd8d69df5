"""What the tests of the native engine share: where the systems are that they compare, and --large.

`.ci/run` runs these tests several times, with other builds of the same sources: with sanitizers, and with thresholds
so small that every search is one of several threads.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

pytest.register_assert_rewrite("twins")
sys.path += [str(TESTS / folder) for folder in ("explore", "specs", "bench") if str(TESTS / folder) not in sys.path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--large", action="store_true", help="also compare the engines on the cases that take long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A parameter `case` of a test whose module lists CASES, and LARGE that only --large adds."""
    if "case" in metafunc.fixturenames:
        large = metafunc.module.LARGE if metafunc.config.getoption("--large", False) else ()
        metafunc.parametrize("case", [*metafunc.module.CASES, *large], ids=str)

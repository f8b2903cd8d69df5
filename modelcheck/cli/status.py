"""Exit statuses, and how many verdicts become one (design.md section 8).

"violated" beats "incomplete" beats "vacuous" beats "holds"; with `--expect` anything incomplete is 3, and otherwise the
question is whether every verdict is the expected one.  An error beats them all: 70 where it is ours, 2 where it is the
spec's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.results import Result

HOLDS = 0
VIOLATED = 1
USAGE = 2
INCOMPLETE = 3
OURS = 70

WORST_FIRST = ("violated", "incomplete", "vacuous", "holds")
_STATUS = {"violated": VIOLATED, "incomplete": INCOMPLETE, "vacuous": INCOMPLETE, "holds": HOLDS}


def worst(verdicts: Sequence[str]) -> str:
    """The verdict of several taken together; of none, "vacuous"."""
    return next((verdict for verdict in WORST_FIRST if verdict in verdicts), "vacuous")


def exit_status(results: Sequence[Result]) -> int:
    """The exit status of a check."""
    if any(result.fault for result in results):
        return fault_status(results)
    return _STATUS[worst([result.verdict for result in results])]


def fault_status(results: Sequence[Result]) -> int:
    """The exit status where an error ended some of the results: ours before the spec's."""
    return OURS if any(result.fault == "internal" for result in results) else USAGE


def expected_verdict(result: Result) -> str:
    """What the result should be: a spec that says nothing expects its properties to hold."""
    return result.expected or "holds"


def differences(results: Sequence[Result]) -> list[Result]:
    """The results whose verdict is not the expected one; an incomplete one is no answer, so no difference either."""
    return [r for r in results if r.verdict not in ("incomplete", expected_verdict(r))]


def expect_status(results: Sequence[Result]) -> int:
    """The exit status of `check --expect`."""
    if any(result.fault for result in results):
        return fault_status(results)
    if not results or any(result.verdict == "incomplete" for result in results):
        return INCOMPLETE
    return VIOLATED if differences(results) else HOLDS

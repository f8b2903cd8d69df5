"""One setting, decided: its outcomes by projection, what they cost, and what went wrong where something did.

Its one invariant: an error while one setting is decided is a value, which leaves every other setting its own result.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass

from modelcheck.errors import fault_of
from modelcheck.explore.verdict import Outcome
from modelcheck.results import SolverCost
from modelcheck.spec import Setting

WORST = ("violated", "incomplete", "vacuous", "holds")


@dataclass(slots=True)
class Decided:
    """One equivalence class, decided: its outcomes by projection, what they cost, and the assumptions they rest on.

    `setting` is the member that was decided, `polished` whether its counterexample was made canonical.  `fault` says
    whose error ended it: "spec", "internal", or "" where none did; `error` is that error where it can be handed on.
    """

    setting: Setting
    outcomes: list[Outcome]
    seconds: float = 0.0
    bound: str = ""
    polished: bool = False
    memory: int = 0
    assumptions: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    solver: SolverCost = SolverCost()
    searched: int = 0
    spared: int = 0
    fault: str = ""
    note: str = ""
    error: Exception | None = None

    @property
    def verdict(self) -> str:
        """The verdict of all projections together."""
        verdicts = {outcome.verdict for outcome in self.outcomes} | ({"incomplete"} if self.bound else set())
        worst = next(verdict for verdict in WORST if verdict in verdicts)
        if worst != "vacuous":
            return worst
        reached: frozenset[str] = frozenset().union(*(outcome.reached for outcome in self.outcomes))
        return (
            "holds" if reached.issuperset(self.witnesses) else "vacuous"
        )  # what one projection misses, another may reach


def failed(setting: Setting, error: Exception) -> Decided:
    """What becomes of a setting that an error ended."""
    fault, sentence = told(error)
    return Decided(setting, [], bound=f"error: {sentence}", fault=fault, error=error if _travels(error) else None)


def told(error: Exception) -> tuple[str, str]:
    """Whose error it is and what it says; with MODELCHECK_DEBUG=1 its traceback goes to stderr."""
    if os.environ.get("MODELCHECK_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    return fault_of(error)


def _travels(error: Exception) -> bool:
    """Whether a worker can hand the error on."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True

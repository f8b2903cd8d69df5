"""What `modelcheck litmus` prints: herd's shape for a test, a summary of several, or JSON.

Its one invariant: a test whose search a bound ended has no Observation line.  Source of the shape: the herd7 manual,
"Running herd"; what herd counts in executions is counted in final states here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelcheck.litmus.verdict import EXPECTATION, Verdict

if TYPE_CHECKING:
    from modelcheck.cli.litmus_expect import Comparison

SCHEMA = 1
OBSERVATIONS = ("Never", "Sometimes", "Always")


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not run: `message` says why; `reason` names what is not supported, "" for a malformed file."""

    path: str
    where: str
    message: str
    reason: str = ""

    @property
    def unsupported(self) -> bool:
        """Whether the file is well-formed."""
        return bool(self.reason)


Answer = Verdict | Refused


def render(answers: Sequence[Answer]) -> str:
    """Every test, and for more than one a summary."""
    text = "".join(f"{_test(answer)}\n" for answer in answers if isinstance(answer, Verdict))
    refused = [answer for answer in answers if isinstance(answer, Refused) and answer.unsupported]
    text += "".join(f"Unsupported {answer.where}: {answer.reason}\n" for answer in refused)
    return text + (summary(answers) + "\n" if len(answers) > 1 else "")


def _test(verdict: Verdict) -> str:
    states = ["".join(f"{name}={value}; " for name, value in zip(verdict.observables, row, strict=True)).rstrip()
              for row in verdict.states]
    lines = [f"Test {verdict.name} {EXPECTATION[verdict.quantifier]}", f"States {len(states)}", *states]
    condition = f"Condition {verdict.quantifier} ({verdict.condition})"
    if verdict.bound:
        return "\n".join([*lines, condition, f"INCOMPLETE {verdict.name} ({verdict.bound})", ""])
    counts = f"{verdict.positive} {verdict.negative}"
    return "\n".join([
        *lines, "Ok" if verdict.validated else "No", "Witnesses",
        f"Positive: {verdict.positive} Negative: {verdict.negative}", condition,
        f"Observation {verdict.name} {verdict.observation} {counts}", ""])  # fmt: skip


def counts(answers: Sequence[Answer]) -> dict[str, Any]:
    """How many tests there are, and how many of each kind."""
    seen = Counter(answer.observation for answer in answers if isinstance(answer, Verdict))
    reasons = Counter(answer.reason.partition(" (")[0] for answer in answers
                      if isinstance(answer, Refused) and answer.unsupported)
    return {
        "tests": len(answers),
        **{word.lower(): seen[word] for word in OBSERVATIONS},
        "incomplete": seen["INCOMPLETE"],
        "unsupported": sum(reasons.values()),
        "malformed": sum(isinstance(answer, Refused) and not answer.unsupported for answer in answers),
        "reasons": dict(sorted(reasons.items())),
    }


def summary(answers: Sequence[Answer]) -> str:
    """One line about several tests."""
    number = counts(answers)
    text = f"{number['tests']} tests: " + ", ".join(f"{word} {number[word.lower()]}" for word in OBSERVATIONS)
    if number["incomplete"]:
        text += f", INCOMPLETE {number['incomplete']}"
    if number["unsupported"]:
        reasons = ", ".join(f"{reason} {count}" for reason, count in number["reasons"].items())
        text += f"; unsupported {number['unsupported']} ({reasons})"
    return text + (f"; malformed {number['malformed']}" if number["malformed"] else "")


def to_json(answers: Sequence[Answer], memory: str, seconds: float, found: Comparison | None) -> str:
    """Everything as one JSON object in ASCII, with a newline at the end."""
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    whole: dict[str, Any] = {
        "schema": SCHEMA,
        "memory": memory,
        "seconds": round(seconds, 3),
        "summary": counts(answers),
        "results": [_object(answer) for answer in answers if isinstance(answer, Verdict)],
        "unsupported": [{"file": a.path, "where": a.where, "reason": a.reason} for a in refused if a.unsupported],
        "malformed": [{"file": a.path, "where": a.where, "message": a.message} for a in refused if not a.unsupported],
    }
    if found is not None:
        whole["compared"] = found.compared
        whole["disagreements"] = [{"file": d.path, "observed": d.observed, "expected": d.expected, "column": d.column}
                                  for d in found.disagreements]
        whole["stronger"] = list(found.stronger)
    return json.dumps(whole, indent=2) + "\n"


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.path,
        "name": verdict.name,
        "kind": EXPECTATION[verdict.quantifier],
        "condition": f"{verdict.quantifier} ({verdict.condition})",
        "observation": verdict.observation,
        "ok": None if verdict.bound else verdict.validated,
        "positive": verdict.positive,
        "negative": verdict.negative,
        "states": [dict(zip(verdict.observables, row, strict=True)) for row in verdict.states],
        "bound": verdict.bound,
        "searched": verdict.searched,
        "seconds": round(verdict.seconds, 3),
    }

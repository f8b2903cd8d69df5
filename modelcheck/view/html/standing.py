"""What stands after each step beside memory and slots: which locks are held, and who waits for whom.

Its one invariant: both are worked out from the lock events and the `waits` of the trace alone, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Standing:
    """After one step: each lock that is held with its holders as text, and who waits, as sentences."""

    held: tuple[str, ...]
    waits: tuple[str, ...]


def standing(trace: Trace) -> list[Standing]:
    """One entry per step."""
    held: dict[str, list[tuple[str, str]]] = {}  # lock -> (process, mode)
    asked: dict[str, str] = {}  # process -> the lock it asked for and does not have
    after = []
    for index, step in enumerate(trace.steps):
        name = trace.processes[step.process].name
        asked.pop(name, None)
        if step.lock is not None:
            holders = held.setdefault(step.lock.lock, [])
            if step.lock.op == "acquire":
                holders.append((name, step.lock.mode))
            elif step.lock.op == "release":
                _drop(holders, name)
            elif step.lock.op in ("attempt", "queue"):
                asked[name] = step.lock.lock
        later = trace.steps[index + 1] if index + 1 < len(trace.steps) else None
        waiting = {**asked, **(dict(later.waits) if later else {})}
        after.append(Standing(
            tuple(f"{lock}: {_named(holders)}" for lock, holders in held.items() if holders),
            tuple(_wait(process, lock, held.get(lock, [])) for process, lock in waiting.items()),
        ))
    return after


def _drop(holders: list[tuple[str, str]], name: str) -> None:
    for place in reversed(range(len(holders))):
        if holders[place][0] == name:
            del holders[place]
            return


def _named(holders: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({mode})" for name, mode in holders)


def _wait(process: str, lock: str, holders: list[tuple[str, str]]) -> str:
    others = [holder for holder in holders if holder[0] != process]
    own = [holder for holder in holders if holder[0] == process]
    if others:
        return f"{process} waits for {lock}, held by {_named(others)}"
    return f"{process} waits for {lock}, which it holds itself" if own else f"{process} waits for {lock}"

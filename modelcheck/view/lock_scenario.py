"""lockdep's picture of a cycle of lock classes: the chain, a scenario on two CPUs, and where each arrow was seen.

Follows print_circular_lock_scenario() and print_deadlock_scenario() of kernel/locking/lockdep.c.  It differs in three
ways: the whole chain is shown, a chain of two classes is shown too, and every reader prints `rlock(`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.escape import ascii_text, wrap

if TYPE_CHECKING:
    from modelcheck.trace.trace import LockOrderEdge, Trace

LEFT = 2
RIGHT = 31


def scenario(trace: Trace, width: int) -> list[str]:
    """The lines, at most `width` columns each; the scenario is left out when the arrows are no cycle."""
    cycle = _cycle(list(trace.lock_order))
    lines: list[str] = []
    if cycle and len(cycle) > 1:
        chain = " --> ".join(edge.held for edge in cycle)
        lines += ["Chain exists of:", *("  " + line for line in wrap(ascii_text(chain), width - 2, 2)), ""]
    if cycle:
        lines += [*_two_cpus(cycle, width), ""]
    for edge in cycle or list(trace.lock_order):
        process = trace.processes[edge.process]
        function = f"{edge.function}(), " if edge.function else ""
        seen = f"{edge.held} --> {edge.acquired}: {function}{process.title or process.name}"
        lines += wrap(ascii_text(seen), width, 4)
    return lines


def _two_cpus(cycle: list[LockOrderEdge], width: int) -> list[str]:
    closing = cycle[-1]  # asks for the chain's first class while holding its last
    if len(cycle) == 1:
        head = ["       CPU0", "       ----"]
        items = [(LEFT, closing.held_mode, closing.held), (LEFT, closing.acquired_mode, closing.acquired)]
    else:
        head = ["       CPU0                    CPU1", "       ----                    ----"]
        before = cycle[-2]
        items = [
            (LEFT, closing.held_mode, closing.held),
            (RIGHT, before.held_mode, before.held),
            (RIGHT, before.acquired_mode, before.acquired),
            (LEFT, closing.acquired_mode, closing.acquired),
        ]
    lines = [" Possible unsafe locking scenario:", "", *head]
    for start, mode, name in items:
        text = f"{'rlock' if mode.startswith('read') else 'lock'}({ascii_text(name)});"
        lines += [" " * start + line for line in wrap(text, width - start, 2)]
    return [*lines, "", " *** DEADLOCK ***"]


def _cycle(edges: list[LockOrderEdge]) -> list[LockOrderEdge]:
    """The arrows in the order of the cycle they close, the last given one last; [] when they close none."""
    if not edges:
        return []
    ordered = [edges[-1]]
    rest = edges[:-1]
    while rest:
        following = next((edge for edge in rest if edge.held == ordered[-1].acquired), None)
        if following is None:
            return []
        rest.remove(following)
        ordered.append(following)
    return [*ordered[1:], ordered[0]] if ordered[-1].acquired == ordered[0].held else []

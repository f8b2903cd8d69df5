"""lockdep's picture of a cycle of locks: the chain, a scenario on two CPUs, and where each arrow was seen.

The cycle is one of lock classes, or, in a deadlock, of the locks that are held and waited for at the end.  Follows
print_circular_lock_scenario(), print_deadlock_scenario() and print_usage_bug_scenario() of kernel/locking/lockdep.c.
It differs in three ways: the whole chain is shown, a chain of two is shown too, and every reader prints `rlock(`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.trace import LockEvent, LockOrderEdge
from modelcheck.view.escape import ascii_text, wrap

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

LEFT = 2
RIGHT = 31


def scenario(trace: Trace, width: int) -> list[str]:
    """The lines, at most `width` columns each; [] where no locks are in question.

    Of an order of classes whose arrows are no cycle the scenario is left out.
    """
    cycle = _cycle(list(trace.lock_order)) if trace.lock_order else _deadlock(trace)
    lines: list[str] = []
    if cycle and len(cycle) > 1:
        chain = " --> ".join(edge.held for edge in cycle)
        lines += ["Chain exists of:", *("  " + line for line in wrap(ascii_text(chain), width - 2, 2)), ""]
    if cycle:
        lines += [*_two_cpus(trace, cycle, width), ""]
    for edge in cycle or list(trace.lock_order):
        process = trace.processes[edge.process]
        function = f"{edge.function}(), " if edge.function else ""
        seen = f"{edge.held} --> {edge.acquired}: {function}{process.title or process.name}"
        lines += wrap(ascii_text(seen), width, 4)
    return lines


def _two_cpus(trace: Trace, cycle: list[LockOrderEdge], width: int) -> list[str]:
    closing = cycle[-1]  # asks for the chain's first lock while holding its last
    interrupts = _interrupts(trace, closing)
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
    for number, (start, mode, name) in enumerate(items, 1):
        if interrupts and number == len(items):
            lines.append(" " * start + "<Interrupt>")
            start += 2
        text = f"{'rlock' if mode.startswith('read') else 'lock'}({ascii_text(name)});"
        lines += [" " * start + line for line in wrap(text, width - start, 2)]
    return [*lines, "", " *** DEADLOCK ***"]


def _interrupts(trace: Trace, edge: LockOrderEdge) -> bool:
    """Whether the lock that is held is not the asking process's own, but of what it is nested on."""
    takers = {
        step.process for step in trace.steps
        if step.lock is not None and step.lock.op == "acquire" and edge.held in (step.lock.lock, step.lock.lock_class)
    }
    cpu = trace.processes[edge.process].cpu
    return edge.process not in takers and any(trace.processes[taker].cpu == cpu for taker in takers)


def _deadlock(trace: Trace) -> list[LockOrderEdge]:
    """The cycle that the last step closes when it waits for a lock: who holds what and waits for what at the end."""
    held: dict[int, list[LockEvent]] = {}  # cpu -> locks held by what runs there
    waiting: dict[int, int] = {}  # process -> the step at which it asked for the lock it waits for
    for index, step in enumerate(trace.steps):
        if step.lock is None:
            continue
        locks = held.setdefault(trace.processes[step.process].cpu, [])
        waiting.pop(step.process, None)
        if step.lock.op == "acquire":
            locks.append(step.lock)
        elif step.lock.op == "release":
            locks[:] = [lock for lock in locks if lock.lock != step.lock.lock]
        elif step.lock.op in ("queue", "attempt"):
            waiting[step.process] = index
    arrows = []
    for process, index in sorted(waiting.items(), key=lambda item: item[1]):
        step = trace.steps[index]
        for lock in held[trace.processes[process].cpu] if step.lock is not None else ():
            assert step.lock is not None
            arrows.append(LockOrderEdge(
                lock.lock, step.lock.lock, lock.mode, step.lock.mode, process, step.file, step.line, step.function))
    return _closed(arrows)


def _closed(arrows: list[LockOrderEdge]) -> list[LockOrderEdge]:
    """The shortest cycle among the arrows that the last process to ask closes, in `_cycle`'s order; [] for none."""
    for closing in (arrow for arrow in arrows if arrow.process == arrows[-1].process):
        paths = [[closing]]
        seen = {closing.acquired}
        for path in paths:  # breadth first: grows while it is read
            if path[-1].acquired == closing.held:
                return _cycle([*path[1:], closing])
            for arrow in arrows:
                if arrow.held == path[-1].acquired and arrow.acquired not in seen - {closing.held}:
                    seen.add(arrow.acquired)
                    paths.append([*path, arrow])
    return []


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

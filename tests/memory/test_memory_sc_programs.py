"""sc with the compiler held to program order, against an interleaver that knows nothing of the engine."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from memory.programs import Copy, Fence, Grammar, If, Load, Rmw, Store, finals, locations, row, stored, systems

QUICK = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FENCES = ("smp_mb", "smp_wmb", "smp_rmb", "barrier")
MODES = Grammar(("plain", "once", "acquire"), ("plain", "once", "release"), ("relaxed", "full"), FENCES, length=5)
STORE_BUFFERING = ((Store("x", 1), Load("r0", "y")), (Store("y", 1), Load("r0", "x")))


def interleavings(processes) -> set:
    """All final states of processes that take turns statement by statement, each finding what was stored last."""
    places = locations(processes)
    start = tuple((block, ()) for block in processes), (0,) * len(places)
    todo, seen, ends = [start], {start}, set()
    while todo:
        running, memory = todo.pop()
        content = dict(zip(places, memory, strict=True))
        if not any(rest for rest, _ in running):
            ends.add(row(processes, [dict(regs) for _, regs in running], content))
        for i, (rest, regs) in enumerate(running):
            after = one_statement(rest, dict(regs), content)
            if after is not None:
                left, held, now = after
                who = (*running[:i], (left, tuple(sorted(held.items()))), *running[i + 1 :])
                state = who, tuple(now[place] for place in places)
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
    return ends


def one_statement(rest, regs, memory):
    """What is left, registers and memory after one statement; None where there is none, or it cannot go on."""
    if not rest:
        return None
    first, left = rest[0], rest[1:]
    if isinstance(first, Fence):
        return left, regs, memory
    if isinstance(first, If):
        return (*(first.then if regs[first.reg] == first.number else first.other), *left), regs, memory
    old = memory[first.loc]
    if isinstance(first, (Load, Rmw)):
        if first.when not in (-1, old):
            return None
        regs = {**regs, first.reg: old}
    if isinstance(first, (Store, Rmw)):
        memory = {**memory, first.loc: stored(first, regs, old)}
    return left, regs, memory


@QUICK
@given(systems(MODES))
@example(STORE_BUFFERING)
@example(((Load("r0", "x"), Store("y", Copy("r0"))), (Load("r0", "y"), Store("x", 1))))
def test_final_states_under_sc_are_those_of_every_interleaving(processes):
    assert finals(processes, "sc") == interleavings(processes)


@settings(QUICK, max_examples=100)
@given(systems(Grammar(fences=FENCES, length=2, accesses=2), (3,)))
def test_final_states_of_three_processes_too(processes):
    assert finals(processes, "sc") == interleavings(processes)


def test_the_interleaver_knows_store_buffering():
    assert interleavings(STORE_BUFFERING) == {(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1)}

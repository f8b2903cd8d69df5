"""What is looked for on a finished graph: processes stuck for ever, loops that spin, orders of lock classes.

Each takes a complete `Found` and answers a `Finding` or None.  None of them explores; a graph that a bound cut short is
not handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from modelcheck.action import Hold
from modelcheck.explore.found import Found, Path, State, Taken
from modelcheck.explore.successors import Successors
from modelcheck.explore.table import Step
from modelcheck.expression import Slot
from modelcheck.system.link import System


@dataclass(frozen=True, slots=True)
class Attempt:
    """A process asks for a lock while holding another: classes, modes, and the node it asks at."""

    process: int
    node: int
    held: Hold
    wanted: Hold


@dataclass(frozen=True, slots=True)
class Finding:
    """A path and what it leads to: stuck processes (positions in the system), a loop, or a cycle of attempts."""

    path: Path
    stuck: tuple[int, ...] = ()
    loop: Path = ()
    attempts: tuple[Attempt, ...] = ()


def deadlocks(found: Found) -> Finding | None:
    """The first state from which some process that has not finished can never step again, though others may.

    Backward reachability from the states where each process steps (design.md section 5).  With partial-order reduction
    it needs the proviso against ignoring, which `ample_set` has.
    """
    first = found.size
    for p, table in enumerate(found.tables.processes):
        alive = found.alive(p)
        number = alive.find(0, 0, first)
        while number >= 0:
            if not _may_rest(table.steps[found.state(number)[p]]):
                first = number
                break
            number = alive.find(0, number + 1, first)
    if first == found.size:
        return None
    return Finding(found.path_to(first), tuple(_stuck_in(found, first)))


def _may_rest(steps: tuple[Step, ...]) -> bool:
    """Whether a process that never steps again is fine: it has finished, or is a nested one that is not running."""
    return all(step.moves[0].edge.preempts for step in steps)


def _stuck_in(found: Found, number: int) -> Iterator[int]:
    """The processes that no state reachable from there lets step; a host whose nested process runs included."""
    reached, todo, moving = {number}, [number], set()
    while todo:
        for p, _, after in found.out(todo.pop()):
            moving.add(p)
            if after not in reached:
                reached.add(after)
                todo.append(after)
    state = found.state(number)
    for p, table in enumerate(found.tables.processes):
        if p not in moving and not _may_rest(table.steps[state[p]]):
            yield table.process


def spins(found: Found, process: int, condition: int) -> Finding | None:
    """The first state, where the condition holds, from which the process alone can loop without progress.

    `process` is a position in the tables, `condition` one in `Tables.conditions`.  The others stand still; the process
    is run from each distinct projection on its place and the slots it touches, independent of reductions (design.md
    section 5).
    """
    tables = found.tables
    table = tables.processes[process]
    step_of = Successors(tables).steps[process]
    touched: set[int] = {process}
    for move in table.all_moves():
        touched |= {tables.index[s] for s in (*move.reads(), *move.writes()) if isinstance(s, Slot)}
    order = sorted(touched)
    if not found.loops(process, condition, order):
        return None
    fine: set[tuple[int, ...]] = set()

    def key(state: State) -> tuple[int, ...]:
        return tuple(state[i] for i in order)

    def ends_turn(step: Step) -> bool:
        """Whether a loop that passes here is none: progress, or a nested process that starts anew."""
        return step.progress or step.moves[0].edge.preempts

    def loop_from(start: State) -> tuple[Path, Path] | None:
        """Depth-first search of the process alone: the way to a loop, and the loop, closed by a state met again."""
        path: list[tuple[State, list[tuple[int, State]], Taken | None]] = []
        on_path: dict[tuple[int, ...], int] = {}

        def push(state: State, taken: Taken | None) -> None:
            on_path[key(state)] = len(path)
            steps = table.steps[state[process]]
            outs = [(n, s) for n, s in step_of[state[process]](state) if not ends_turn(steps[n])]
            path.append((state, outs, taken))

        push(start, None)
        while path:
            state, outs, _ = path[-1]
            if not outs:
                fine.add(key(state))
                del on_path[key(state)]
                path.pop()
                continue
            number, after = outs.pop(0)
            taken = Taken(process, state[process], number)
            if key(after) in on_path:
                down = [t for _, _, t in path[1:] if t is not None]
                first = on_path[key(after)]
                return tuple(down[:first]), (*down[first:], taken)
            if key(after) not in fine:
                push(after, taken)
        return None

    for number in found.distinct(order, condition):
        state = found.state(number)
        if key(state) in fine:
            continue
        closed = loop_from(state)
        if closed is not None:
            lead, loop = closed
            return Finding((*found.path_to(number), *lead), loop=loop)
    return None


def lock_orders(found: Found, system: System) -> Finding | None:
    """A cycle of lock classes, as lockdep sees it: class B waited for while class A is held is an edge A to B.

    A trylock waits for nothing and adds no edge into its class, but is held like any other.  What a nested process asks
    for, it asks while its host's locks are held too (one task, one stack).  A class
    nested in itself is no cycle here: instances taken in one fixed order deadlock nobody.
    """
    attempts: dict[tuple[str, str], tuple[Attempt, int]] = {}
    for number in _places(found, system):
        for attempt in _attempts(found, system, found.state(number)):
            attempts.setdefault((attempt.held.lock_class, attempt.wanted.lock_class), (attempt, number))
    cycle = _cycle(sorted(attempts))
    if not cycle:
        return None
    edges = [attempts[pair] for pair in cycle]
    start = min(range(len(edges)), key=lambda i: edges[i][1])
    edges = edges[start:] + edges[:start]
    path = _through(found, system, [attempt for attempt, _ in edges])
    return Finding(path, attempts=tuple(attempt for attempt, _ in edges))


def _places(found: Found, system: System) -> list[int]:
    """The first states with each local state of each process and of the hosts it may stand on."""
    position = {table.process: p for p, table in enumerate(found.tables.processes)}
    numbers: set[int] = set()
    for process, place in position.items():
        slots, host = [place], system.host[process]
        while host >= 0:
            slots += [position[host]] if host in position else []
            host = system.host[host]
        numbers.update(found.distinct(slots))
    return sorted(numbers)


def _attempts(found: Found, system: System, state: State) -> Iterator[Attempt]:
    places = {table.process: table.locals[state[p]] for p, table in enumerate(found.tables.processes)}
    for process, local in places.items():
        space = system.spaces[process]
        node = space.node(local)
        if node.action is None or not node.action.blocking or local.window or node.action.lock is None:
            continue
        held = list(node.context.held)
        host = system.host[process]
        while host >= 0 and host in places:
            held = [*system.spaces[host].node(places[host]).context.held, *held]
            host = system.host[host]
        for hold in held:
            yield Attempt(process, local.node, hold, node.action.lock)


def _cycle(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One cycle of two or more classes, or nothing."""
    after: dict[str, list[str]] = {}
    for a, b in pairs:
        if a != b:
            after.setdefault(a, []).append(b)
    try:
        TopologicalSorter({a: sorted(bs) for a, bs in sorted(after.items())}).prepare()
    except CycleError as error:
        nodes = list(reversed(error.args[1]))
        forward = list(zip(nodes, nodes[1:], strict=False))
        return forward if all(pair in pairs for pair in forward) else [(b, a) for a, b in reversed(forward)]
    return []


def _through(found: Found, system: System, attempts: list[Attempt]) -> Path:
    """The steps of one run that makes all attempts in turn, each leg a shortest one."""
    path: list[Taken] = []
    at = 0
    for attempt in attempts:
        parents: dict[int, tuple[int, Taken]] = {}
        todo = deque([at])
        seen = {at}
        while todo:
            number = todo.popleft()
            if attempt in _attempts(found, system, found.state(number)):
                break
            for p, which, after in found.out(number):
                if after not in seen:
                    seen.add(after)
                    parents[after] = (number, Taken(p, found.state(number)[p], which))
                    todo.append(after)
        else:
            break
        leg: list[Taken] = []
        back = number
        while back != at:
            back, taken = parents[back]
            leg.append(taken)
        path += reversed(leg)
        at = number
    return tuple(path)

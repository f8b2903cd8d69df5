"""Summaries: what some processes can ever write, as one small process, for observers that cannot disturb them.

Readers write nothing the others read.  So the others (the *sources*) run as if alone, and all an observer can tell of
them is the sequence of updates of the slots it reads.  The sources' control graph is explored once without those slots'
values; its steps are labelled with their updates of them, the rest is hidden, and the automaton is determinised and
minimised (subset construction and partition refinement: Hopcroft, Motwani, Ullman, sections 2.3.5 and 4.4;
compositional minimisation as in Graf, Steffen, Lüttgen, Formal Aspects of Computing 8, 1996).  The observer next to
that automaton takes exactly the steps it can take next to the sources: the same sequences of updates, no more, no
fewer.  So every observation of one exists in the other (safety; what sources do for ever or never is not kept).

A *region* is a stretch of a source that only writes what observers read, unguarded: the stores between two barriers.
It is one label, put back afterwards, so that control graphs differ only where control does and are shared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from modelcheck.errors import InternalError
from modelcheck.explore.automaton import automaton_of
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, Engine, run_search
from modelcheck.explore.found import Found, Goals
from modelcheck.explore.merging import Renamed, renumber_watchers, watched
from modelcheck.explore.slicing import influencing
from modelcheck.explore.table import Move, ProcessTable, Step, Tables
from modelcheck.expression import TRUE, Slot, slots_of
from modelcheck.system.edge import Local


@dataclass(frozen=True)
class Region:
    """A stretch of data moves: `steps[i]` lists (move, next), next -1 at the exit; node 0 is the entry."""

    steps: tuple[tuple[tuple[Move, int], ...], ...]
    exit: int

    @property
    def shows(self) -> bool:
        """Whether it writes anything at all."""
        return any(move.updates for out in self.steps for move, _ in out)

    @property
    def label(self) -> Hashable:
        """What tells regions apart: their updates, what is told of them, and their shape."""
        return tuple(tuple((_told(move), after) for move, after in out) for out in self.steps)


@dataclass(frozen=True)
class Control:
    """The explored control graph of the sources and its automaton over label numbers."""

    found: Found
    labels: dict[tuple[int, int, int], int]  # (source, local, step) to label number, hidden steps left out
    automaton: tuple[tuple[tuple[int, int], ...], ...]  # per state (label number, next state)


@dataclass(frozen=True)
class Summary:
    """The observers beside the summary of their sources (process 0 of `tables`), and what is needed to undo it."""

    tables: Tables
    control: Control
    regions: dict[int, Region]
    states: int
    transitions: int

    def hidden_moves(self) -> Iterator[Move]:
        """Every move of the sources that some explored step took; the moves inside regions are in `tables`."""
        found = self.control.found
        for p, pc, which in sorted(found.taken):
            yield from found.tables.processes[p].steps[pc][which].moves

    def undo(self, moves: Sequence[Move]) -> list[Move]:
        """A path beside the summary as a path beside the sources: each label's hidden steps put before its first move.

        The sources' path is a shortest one with these labels; hidden steps come as late as they can, so that they
        switch no more than they must.
        """
        labels = [move.label for move in moves if move.opens]
        legs = self._legs(labels)
        result: list[Move] = []
        process = -1
        for move in moves:
            if move.label < 0:
                result.append(move)
                continue
            if move.opens:
                hidden, opening, process = legs.pop(0)
                result += hidden
                if move.label not in self.regions:
                    result += opening
                    continue
            elif move.label not in self.regions:
                continue  # the rest of a step that was put in whole
            result.append(replace(move, edge=replace(move.edge, process=process)))
        return result

    def _legs(self, labels: list[int]) -> list[tuple[list[Move], list[Move], int]]:
        """For each label: the hidden moves before its step, the step's own moves, and the process that takes it."""
        found = self.control.found
        start = (0, 0)
        parents: dict[tuple[int, int], tuple[tuple[int, int], int, int, bool]] = {}
        todo = deque([start])
        seen = {start}
        while todo:
            here = number, done = todo.popleft()
            if done == len(labels):
                break
            for p, which, after in found.out(number):
                label = self.control.labels.get((p, found.state(number)[p], which))
                if label is not None and label != labels[done]:
                    continue
                there = (after, done + (label is not None))
                if there not in seen:
                    seen.add(there)
                    parents[there] = (here, p, which, label is not None)
                    todo.append(there)
        else:
            raise InternalError("a summary has a path that its sources do not; please report this")
        legs: list[tuple[list[Move], list[Move], int]] = []
        hidden: list[Move] = []
        while here != start:
            (number, _), p, which, shows = parents[here]
            table = found.tables.processes[p]
            taken = list(table.steps[found.state(number)[p]][which].moves)
            if shows:
                if legs:
                    legs[-1] = (hidden, *legs[-1][1:])
                hidden = []
                legs.append(([], taken, table.process))
            else:
                hidden = taken + hidden
            here = parents[here][0]
        if legs:
            legs[-1] = (hidden, *legs[-1][1:])
        return legs[::-1]


MOST_KEPT = 8  # control graphs, of up to 100 MiB; the settings of one property and version have up to four
_CONTROLS: dict[Hashable, Control] = {}


def summarise(
    tables: Tables, observers: frozenset[int], bounds: Bounds, engine: Engine = REFERENCE
) -> Summary | None:
    """The summary, or None where there is nothing to summarise or the bounds ended it.

    `observers` are positions in `tables.processes`; visible slots must be data, or the observers' own.
    """
    sources = tuple(i for i in range(len(tables.processes)) if i not in observers)
    if not sources or tables.invariants or not influencing(tables, frozenset(sources)).isdisjoint(observers):
        return None
    data = _data_slots(tables, sources)
    read = {s for i in observers for m in tables.processes[i].all_moves() for s in m.reads()}
    written = {s for i in sources for m in tables.processes[i].all_moves() for s in m.writes()}
    written |= {tables.processes[i].pc for i in sources}
    if not read & written <= data:
        return None  # an observer reads what the sources decide on, which labels do not tell
    told = {s for i in sources for m in tables.processes[i].all_moves() for slot, v in m.updates if slot in data
            for s in slots_of(v)}
    if not told & written <= data:
        return None  # what is written depends on what the sources decide on, which labels do not tell either
    own = {s for i in observers for m in tables.processes[i].all_moves() for s, _ in m.updates}
    if not tables.visible <= data | own:
        return None
    control_tables, labels, regions, singles = _control_tables(tables, sources, data)
    key = (_key(control_tables), tuple(sorted(labels.items())))
    control = _CONTROLS.get(key)
    if control is None:
        found = run_search(control_tables, bounds, Goals(keep_graph=True), ample=False, engine=engine)
        if found.bound:
            return None
        control = Control(found, labels, automaton_of(found, labels))
        if len(_CONTROLS) >= MOST_KEPT:
            del _CONTROLS[next(iter(_CONTROLS))]
    _CONTROLS[key] = _CONTROLS.pop(key, control)  # the one used last comes last
    process = _expand(control.automaton, regions, singles)
    rest = tuple(table for i, table in enumerate(tables.processes) if i in observers)
    return Summary(
        replace(tables, processes=(process, *rest)),
        control,
        regions,
        control.found.size,
        control.found.transitions,
    )


def _told(move: Move) -> Hashable:
    """What is told of a move: its updates, its text, its witnesses and its lines.  Equal labels are the same story."""
    return move.updates, move.edge.choice, move.reaches, move.lines


def _one_task(tables: Tables, writers: list[int]) -> bool:
    """Whether the processes that write data are one task: one of them, or one and what is nested on it.

    A nested process runs only where its host may be preempted, which is in no region, and stands on a host that does
    not move; so nobody else writes data while one of them is in a region.
    """
    def nested(inner: int, host: int) -> bool:
        places = watched(replace(tables, processes=(tables.processes[inner],)), tables.processes[host])
        return any(m.edge.preempts for m in tables.processes[inner].all_moves()) and bool(places)

    return all(nested(a, b) or nested(b, a) for i, a in enumerate(writers) for b in writers[i + 1:])


def _data_slots(tables: Tables, sources: tuple[int, ...]) -> frozenset[Slot]:
    """Slots the sources write and never decide on: read in no guard, and only into one another."""
    moves = [move for i in sources for move in tables.processes[i].all_moves()]
    data = {slot for move in moves for slot, _ in move.updates} - {s for m in moves for s in slots_of(m.guard)}
    while True:
        feeds = {s for m in moves for slot, value in m.updates if slot not in data for s in slots_of(value)}
        if feeds.isdisjoint(data):
            return frozenset(data)
        data -= feeds


def _region_at(table: ProcessTable, start: int, data: frozenset[Slot], watched: frozenset[int]) -> Region | None:
    """The region entered at a local state, None where it is none: a cycle, two exits, or nothing but an exit."""

    def inside(i: int) -> bool:
        return (
            bool(table.steps[i])
            and i not in watched
            and all(
                len(step.moves) == 1
                and step.moves[0].guard == TRUE
                and not step.breaks
                and step.observes is None
                and all(slot in data for slot, _ in step.moves[0].updates)
                for step in table.steps[i]
            )
        )

    if not inside(start):
        return None
    numbers, order, exits, steps = {start: 0}, [start], set(), []
    for i in order:
        out = []
        for step in table.steps[i]:
            if inside(step.target):
                if step.target not in numbers:
                    numbers[step.target] = len(order)
                    order.append(step.target)
                out.append((step.moves[0], numbers[step.target]))
            else:
                exits.add(step.target)
                out.append((step.moves[0], -1))
        steps.append(tuple(out))
    ordered = _acyclic([[after for _, after in out if after >= 0] for out in steps])
    return Region(tuple(steps), exits.pop()) if ordered and len(exits) == 1 else None


def _acyclic(targets: list[list[int]]) -> bool:
    state = [0] * len(targets)

    def visit(node: int) -> bool:
        state[node] = 1
        for target in targets[node]:
            if state[target] == 1 or state[target] == 0 and not visit(target):
                return False
        state[node] = 2
        return True

    return visit(0)


def _control_tables(
    tables: Tables, sources: tuple[int, ...], data: frozenset[Slot]
) -> tuple[Tables, dict[tuple[int, int, int], int], dict[int, Region], dict[int, tuple[Move, ...]]]:
    """The sources without data slots, regions as one step; each step's label; regions and single moves by label."""
    numbers: dict[Hashable, int] = {}
    labels: dict[tuple[int, int, int], int] = {}
    regions: dict[int, Region] = {}
    singles: dict[int, tuple[Move, ...]] = {}
    processes = []
    one_task = _one_task(tables, [i for i in sources if any(
        s in data for m in tables.processes[i].all_moves() for s, _ in m.updates)])
    for place, i in enumerate(sources):
        table = tables.processes[i]
        places: frozenset[int] = frozenset().union(*watched(tables, table))
        found = {
            local: region
            for local in range(len(table.locals) if one_task else 0)
            if (region := _region_at(table, local, data, places)) is not None and region.shows
        }
        order, place_of, steps = [table.start], {table.start: 0}, []
        for local in order:
            out = []
            region = found.get(local)
            source = (
                (Step((Move(TRUE, (), region.steps[0][0][0].edge, opens=True),), region.exit),)
                if region
                else table.steps[local]
            )
            for which, step in enumerate(source):
                moved = tuple(
                    replace(m, updates=tuple(u for u in m.updates if u[0] in data))
                    for m in step.moves
                    if any(u[0] in data for u in m.updates)
                )
                if region or moved:
                    label = region.label if region else tuple(map(_told, moved))
                    number = numbers.setdefault(label, len(numbers))
                    labels[place, place_of[local], which] = number
                    if region:
                        regions.setdefault(number, region)
                    else:
                        singles.setdefault(number, moved)
                if step.target not in place_of:
                    place_of[step.target] = len(order)
                    order.append(step.target)
                moves = tuple(replace(m, updates=tuple(u for u in m.updates if u[0] not in data)) for m in step.moves)
                out.append(Step(moves, place_of[step.target]))
            steps.append(tuple(out))
        processes.append(
            (
                table,
                ProcessTable(table.name, table.process, tuple(table.locals[x] for x in order), tuple(steps)),
                place_of,
            )
        )
    return _renumber_watchers(processes), labels, regions, singles


def _renumber_watchers(processes: list[tuple[ProcessTable, ProcessTable, dict[int, int]]]) -> Tables:
    renamed: Renamed = {old.pc: (new.pc, numbers) for old, new, numbers in processes}
    return renumber_watchers(Tables(tuple(new for _, new, _ in processes)), renamed)


def _key(tables: Tables) -> Hashable:
    """Equal for control graphs that are the same and tell the same; what a region tells is its own system's."""
    def move(m: Move) -> Hashable:
        return m.guard, None if m.opens else _told(m)

    return tuple(
        (t.name, t.process, tuple(tuple((tuple(map(move, s.moves)), s.target) for s in steps) for steps in t.steps))
        for t in tables.processes
    )


def _expand(
    automaton: tuple[tuple[tuple[int, int], ...], ...], regions: dict[int, Region], singles: dict[int, tuple[Move, ...]]
) -> ProcessTable:
    """The automaton as a process: labels are put back as the moves they stand for."""
    steps: list[list[Step]] = [[] for _ in automaton]

    def place(moves: tuple[Move, ...], label: int, target: int, opens: bool) -> Step:
        first, *rest = (replace(move, guard=TRUE, label=label) for move in moves)
        return Step((replace(first, opens=opens), *rest), target)

    for state, out in enumerate(automaton):
        for label, target in out:
            if label not in regions:
                steps[state].append(place(singles[label], label, target, True))
                continue
            region = regions[label]
            base = len(steps) - 1  # node 0 of the region is the automaton's own state
            steps.extend([] for _ in region.steps[1:])
            for node, moves in enumerate(region.steps):
                source = state if node == 0 else base + node
                for move, after in moves:
                    steps[source].append(place((move,), label, target if after < 0 else base + after, node == 0))
    locals_ = tuple(Local(-1 - i) for i in range(len(steps)))
    return ProcessTable("sources", -1, locals_, tuple(tuple(out) for out in steps))

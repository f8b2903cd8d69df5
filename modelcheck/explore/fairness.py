"""`eventually`: from every state where `when` holds, every run that is weakly fair to some processes reaches a goal.

A process is *enabled* in a state where a step of it leads out of that state; the start of a nested process is not
counted, since no task is ever owed a preemption.  So a host that stands still under a nested process is not enabled
(and one that is preempted at one point again and again is owed no step), an idle nested process is not, one that waits
for a lock is not while the lock is taken, and one with a buffered store is.  A run is *weakly fair* to a process that
takes infinitely many steps in it or is infinitely often not enabled.  Processes that are not named may stop for ever
or run for ever; where no named process is enabled, all may stop.

A violation is a state where `when` holds and the goal does not, a way from it without the goal, and at its end either
a state where no fair process is enabled, or a strongly connected set of states without the goal in which each fair
process takes a step or is somewhere not enabled: a run may visit all of it for ever.  Both are one condition on
strongly connected components, a single state without a step among them (Emerson, Lei, Modalities for Model Checking,
Science of Computer Programming 8, 1987, section 5, for weak fairness only, where one pass suffices).  Linear in time,
about 80 bytes a state and 6 an edge.

Which reductions keep it.  *slice*: fair processes are roots, as is all that the conditions read; what is dropped
writes nothing that is kept, so a fair run is one with it or without.  *symmetry*: equal tables with equal fair
processes have equal graphs.  *dead*: a bisimulation that keeps who steps and who is enabled.  *merge*: what is joined
cannot wait and is seen by nobody, the conditions included, so each fair run has one that only differs in when such
steps are taken, and each of these is a run.  Off are *ample*, which keeps one order of independent steps of many, and
that one need not be fair; *summary*, which keeps what the others can write, not what they must; and *split*, which is
about steps.

Its one invariant: a component is judged as a whole, so the verdict depends on no order.  The run that is shown is
checked apart (`lasso.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, MutableSequence, Sequence

from modelcheck.explore.analysis import Finding
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.components import strong_components
from modelcheck.explore.found import Found, Path, Taken
from modelcheck.explore.search import CHECK_EVERY


class _Ended(Exception):
    """A bound was reached."""


def starves(found: Found, fair: Sequence[int], goal: int, when: int, bounds: Bounds) -> Finding | None:
    """A shortest way to where a run can avoid the goal for ever, and a short loop there.

    It is fair to `fair`, positions in the tables; the loop is empty where none of them is enabled.  `goal` and
    `when` are places in `Tables.conditions`.  A bound that is reached is written into `found.bound`.
    """
    try:
        return _Starving(found, fair, goal, when, bounds).finding()
    except _Ended as ended:
        found.bound = str(ended)
        return None


def asks(found: Found, when: int) -> bool:
    """Whether the condition holds in some state."""
    return next(iter(found.distinct((), when)), None) is not None


class _Starving:
    def __init__(self, found: Found, fair: Sequence[int], goal: int, when: int, bounds: Bounds) -> None:
        self.found = found
        self.bounds = bounds
        self.bit = {p: 1 << i for i, p in enumerate(fair)}
        self.all = (1 << len(fair)) - 1
        every = range(len(found.tables.slots))  # so that each state is distinct
        self.avoids = bytearray(b"\1") * found.size
        for number in found.distinct(every, goal):
            self.avoids[number] = 0
        self.asks = bytearray(found.size)
        for number in found.distinct(every, when):
            self.asks[number] = self.avoids[number]
        self._read_graph()

    def _tick(self, count: int) -> None:
        if count % (16 * CHECK_EVERY) == 0:
            reason = self.bounds.reached(0)
            if reason:
                raise _Ended(reason)

    def _read_graph(self) -> None:
        """Edges in a row, state after state: where each leads, and whose step it is (-1 - p for a start)."""
        found, tables = self.found, self.found.tables
        starts = [
            [[step.moves[0].edge.preempts for step in steps] for steps in table.steps]
            if any(move.edge.preempts for move in table.all_moves())
            else []
            for table in tables.processes
        ]
        self.first = array("Q", [0])
        self.target = array("I")
        self.who = array("h")
        self.enabled: MutableSequence[int] = array("Q") if len(self.bit) <= 64 else []
        for number in range(found.size):
            self._tick(number)
            mask = 0
            for p, which, after in found.out(number):
                start = bool(starts[p]) and starts[p][found.state(number)[p]][which]
                self.target.append(after)
                self.who.append(-1 - p if start else p)
                if not start:
                    mask |= self.bit.get(p, 0)
            self.first.append(len(self.target))
            self.enabled.append(mask)

    def _edges(self, number: int) -> range:
        return range(self.first[number], self.first[number + 1])

    def _bit_of(self, edge: int) -> int:
        """The fair process whose step it is, as a bit; a start is a step too."""
        who = self.who[edge]
        return self.bit.get(who if who >= 0 else -1 - who, 0)

    # -- where a fair run can stay ------------------------------------------------------------------------------

    def finding(self) -> Finding | None:
        region = self._region()
        self.component = array("I", [0]) * self.found.size  # 0 is none, or not found yet
        fair = bytearray(self.found.size)
        some = False
        for name, states in enumerate(strong_components(self.first, self.target, region, self._tick), 1):
            for number in states:
                self.component[number] = name
            if self._is_fair(states, name):
                some = True
                for number in states:
                    fair[number] = 1
        if not some:
            return None
        way, entry = self._way(fair)
        return Finding(way, loop=self._loop(entry))

    def _region(self) -> bytearray:
        """The states without the goal that a state asked about leads to without the goal."""
        region = bytearray(self.asks)
        todo = [number for number, asked in enumerate(self.asks) if asked]
        while todo:
            number = todo.pop()
            self._tick(number)
            for edge in self._edges(number):
                after = self.target[edge]
                if self.avoids[after] and not region[after]:
                    region[after] = 1
                    todo.append(after)
        return region

    def _is_fair(self, states: list[int], name: int) -> bool:
        """Whether each fair process takes a step inside, or is somewhere not enabled."""
        done = 0
        for number in states:
            done |= self.all & ~self.enabled[number]
            for edge in self._edges(number):
                if self.component[self.target[edge]] == name:
                    done |= self._bit_of(edge)
            if done == self.all:
                return True
        return False

    # -- the run that is shown ----------------------------------------------------------------------------------

    def _way(self, fair: bytearray) -> tuple[Path, int]:
        """A shortest way to a fair component that asks on the way and avoids the goal from there; breadth first.

        Places are 2 * state + whether it has asked.
        """
        before = array("q", [-1]) * (2 * self.found.size)
        edges = array("Q", [0]) * (2 * self.found.size)
        first = self.asks[0]
        layer = [first]
        before[first] = first
        while layer:
            following = []
            for place in layer:
                number, asked = divmod(place, 2)
                self._tick(place)
                if asked and fair[number]:
                    return self._back(place, before, edges), number
                for edge in self._edges(number):
                    after = self.target[edge]
                    then = 2 * after + (self.avoids[after] and (asked or self.asks[after]))
                    if before[then] < 0:
                        before[then] = place
                        edges[then] = edge
                        following.append(then)
            layer = following
        raise AssertionError("a component of the region is reached")

    def _back(self, place: int, before: Sequence[int], edges: Sequence[int]) -> Path:
        way: list[Taken] = []
        while before[place] != place:
            way.append(self._taken(before[place] // 2, edges[place]))
            place = before[place]
        return tuple(reversed(way))

    def _taken(self, number: int, edge: int) -> Taken:
        p, which, _ = self.found.out(number)[edge - self.first[number]]
        return Taken(p, self.found.state(number)[p], which)

    def _loop(self, entry: int) -> Path:
        """A loop through `entry` inside its component in which each fair process steps or is not enabled; greedy."""
        loop: list[Taken] = []
        at, missing = entry, self.enabled[entry]

        def left(edge: int) -> int:
            """What is missing still once this edge was taken."""
            return missing & self.enabled[self.target[edge]] & ~self._bit_of(edge)

        def helps(edge: int) -> bool:
            return left(edge) != missing

        while missing:
            for number, edge in self._leg(at, helps):
                loop.append(self._taken(number, edge))
                at, missing = self.target[edge], left(edge)
        if at != entry:
            loop += [self._taken(number, edge) for number, edge in self._leg(at, lambda e: self.target[e] == entry)]
        return tuple(loop)

    def _leg(self, start: int, accept: Callable[[int], bool]) -> list[tuple[int, int]]:
        """The fewest edges inside the component, as (state, edge), to one that is accepted."""
        name = self.component[start]
        before: dict[int, tuple[int, int]] = {}
        seen, layer = {start}, [start]
        while layer:
            following = []
            for number in layer:
                for edge in self._edges(number):
                    after = self.target[edge]
                    if self.component[after] != name:
                        continue
                    if accept(edge):
                        leg = [(number, edge)]
                        while number != start:
                            leg.append(before[number])
                            number = before[number][0]
                        return leg[::-1]
                    if after not in seen:
                        seen.add(after)
                        before[after] = number, edge
                        following.append(after)
            layer = following
        raise AssertionError("a component is connected, and a fair one has what is asked for")

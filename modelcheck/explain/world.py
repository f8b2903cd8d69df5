"""A world: the states and steps of a linked model with the values that a trace found, so that values leave no choice.

A state is a tuple of ints: the number of each process's local state, then the slots that matter.  Local states and
their steps are found when they are first reached.  Where bytes have values, stamps are the numbers of versions as they
are made, and a comparison has the one outcome that the bytes dictate; a trace's words are taken reading by reading.
Its one invariant: a step of a world is a step of the model that the reference semantics takes for these values, so
every run of a world is a run of the model; a test takes each saved trace in both.
"""

from __future__ import annotations

import itertools

from modelcheck.action import Action
from modelcheck.explain.given import Given
from modelcheck.explain.touched import Matters
from modelcheck.explain.ways import State, Steps, Way, pending_pieces, with_spares
from modelcheck.expression import FALSE, Expr, evaluate, slots_of
from modelcheck.smt.terms import conjuncts
from modelcheck.smt.values import Observation, Seen
from modelcheck.system.edge import Local
from modelcheck.system.link import System

MOST_SLOTS = 4  # of a guard that is asked whether it can ever hold


class World:
    """The processes in `matters` with the slots it names; others stand still for ever."""

    def __init__(
        self, system: System, matters: Matters, given: Given, name: str, invariant: Expr | None = None
    ) -> None:
        """`name` is the property; `invariant` what every state must satisfy, where it is one."""
        self.system, self.given, self.name, self.invariant = system, given, name, invariant
        self.processes = matters.processes
        self.place = {process: i for i, process in enumerate(matters.processes)}
        self.short = False  # whether a step was left out since no value was left for it
        self.steps = Steps(system, matters, given)
        self.index = self.steps.index
        self.versions = frozenset(self.steps.counted)  # sorts whose stamps are numbers of versions
        self._touched = matters.touched
        self.locals: list[list[Local]] = [[system.spaces[p].start] for p in self.processes]
        self._numbers = [dict.fromkeys(found, 0) for found in self.locals]
        self._ways: list[dict[int, tuple[Way, ...]]] = [{} for _ in self.processes]
        self._nested = [
            [i for i, inner in enumerate(self.processes) if system.host[inner] == p] for p in self.processes
        ]
        start = [given.first.get(slot.name, slot.initial) for slot in self.steps.slots]
        self.initial: State = (*(0 for _ in self.processes), *start)

    # -- steps --------------------------------------------------------------------------------------------------

    def local(self, state: State, place: int) -> Local:
        """The local state of the process at that place of the world."""
        return self.locals[place][state[place]]

    def ways(self, place: int, local: int) -> tuple[Way, ...]:
        """The steps out of a local state, in the reference engine's order."""
        found = self._ways[place].get(local)
        if found is None:
            edges = self.system.edges(self.processes[place], self.locals[place][local])
            ways = [
                self.steps.way(place, edge, self._number(place, edge.target))
                for edge in edges
                if FALSE not in conjuncts(edge.guard)
            ]
            space, window = self.system.spaces[self.processes[place]], self.locals[place][local].window
            found = self._ways[place][local] = tuple(with_spares(ways, pending_pieces(space, window)))
        return found

    def _number(self, place: int, local: Local) -> int:
        number = self._numbers[place].setdefault(local, len(self.locals[place]))
        if number == len(self.locals[place]):
            self.locals[place].append(local)
        return number

    def enabled(self, state: State, place: int) -> list[Way]:
        """The steps that the process can take, those included that violate the property."""
        return [way for way in self.ways(place, state[place]) if self._allowed(state, way)]

    def _allowed(self, state: State, way: Way) -> bool:
        if way.guard is not None and not way.guard(state) or way.answered is not None and not way.answered(state):
            return False
        if way.edge.preempts:
            host = self.place[self.system.host[way.edge.process]]
            where = self.system.processes[way.edge.process].where
            if not self.system.preemptible(self.processes[host], self.local(state, host), where):
                return False
        return not way.settled or (after := self.after(state, way)) is None or all(s(after) for s in way.settled)

    def after(self, state: State, way: Way) -> State | None:
        """The state that an enabled step leads to, None (and `short`) where there is no value for what it makes."""
        other = bool(way.makes) and self.given.maker not in ("", way.makes)  # it has other values than the trace's
        moved = None if other else list(state) if way.move is None else way.move(state)
        if moved is None:
            self.short = True
            return None
        moved[way.process] = way.target
        return tuple(moved)

    def never(self, state: State, way: Way) -> bool:
        """Whether a step's guard cannot hold while its process stands, whatever constants others set its slots to."""
        slots = list(dict.fromkeys(slots_of(way.edge.guard)))
        if way.answered is not None or way.settled or way.edge.preempts or len(slots) > MOST_SLOTS:
            return False
        values: list[list[int]] = []
        for slot in slots:
            found = {self.steps.held(slot, state)}
            for place, other in enumerate(self._touched):
                if place != way.process and slot in other.feeds:
                    constants = other.sets.get(slot)
                    if constants is None:
                        return False
                    found |= constants
            values.append(sorted(found))
        return not any(
            evaluate(way.edge.guard, dict(zip(slots, chosen, strict=True))) for chosen in itertools.product(*values)
        )

    def preempted(self, place: int, local: int) -> bool:
        """Whether some process of the world may nest on this one in that local state."""
        at = self.locals[place][local]
        return any(
            self.system.preemptible(self.processes[place], at, self.system.processes[self.processes[inner]].where)
            for inner in self._nested[place]
        )

    # -- what a step means --------------------------------------------------------------------------------------

    def action(self, way: Way) -> Action | None:
        """The action of a step's node: of a piece that is performed, its access."""
        return self.system.spaces[way.edge.process].machine.nodes[way.edge.node].action

    def value(self, expr: Expr, state: State) -> int:
        """The value of an expression in a state."""
        return self.steps.value(expr, state)

    def observed(self, state: State, way: Way) -> Observation | None:
        """What a step hands to the property, None for nothing; a whole path, with the versions made so far."""
        action = self.action(way)
        if action is None or action.observes != self.name or way.edge.piece is not None:
            return None
        seen = [
            Seen(name, register.access.lo, register.access.hi, tuple(
                (offset, state[stamp] if stamp >= 0 else -1, "" if form < 0 else forms[state[form]])
                for offset, stamp, form, forms in self.steps.bytes_of(way.edge.process, register)
            ))
            for name, register in zip(action.names, action.registers, strict=True)
        ]
        made = max((state[self.index[slot]] for slot in self.steps.counted.values()), default=0)
        return Observation(action.observes, tuple(seen), (), made + 1, whole=True, made=self.given.made(made + 1))

    def violates(self, state: State, way: Way) -> bool:
        """Whether a step, enabled in the state, violates the property there."""
        if way.edge.breaks:
            return way.edge.breaks == self.name
        if self.invariant is not None:
            after = self.after(state, way)
            return after is not None and not self.value(self.invariant, after)
        observation = self.observed(state, way) if self.given.known else None
        return observation is not None and self.given.violates(observation)

"""A trace as a schedule: whose turn it is at each step, what each process chose, and the states it goes through.

Its one invariant: steps that no process of the world takes are left out, so that the states are those of the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.errors import InternalError
from modelcheck.explain.turn import Turn
from modelcheck.explain.ways import State, Way
from modelcheck.explain.world import World


@dataclass(slots=True)
class Schedule:
    """The steps of a trace in a world.

    `word` are the processes (places in the world) in order, `ways` the steps, `states` those between them, one more;
    `numbers` the index in the trace of each step; `lanes` each process's own steps in order.
    """

    world: World
    word: list[int] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    lanes: list[list[Way]] = field(default_factory=list)

    def passed(self, turn: Turn, steps: int) -> int:
        """How often the failing process passed its deciding point in the first `steps` steps."""
        return sum(
            bool(turn.passes(self.world, way)) and not turn.fails(self.world, state, way)
            for state, way in zip(self.states[:steps], self.ways[:steps], strict=True)
        )


def follow(world: World, steps: list[tuple[int, str]]) -> Schedule:
    """The schedule of (process, choice); a step that the world cannot take is an error of ours."""
    found = Schedule(world, states=[world.initial], lanes=[[] for _ in world.processes])
    for number, (process, choice) in enumerate(steps):
        place = world.place.get(process)
        if place is None:
            continue
        state = found.states[-1]
        way = next((way for way in world.enabled(state, place) if way.edge.choice == choice), None)
        after = world.after(state, way) if way is not None else None
        if way is None or after is None:
            name = world.system.processes[process].name
            raise InternalError(f"step {number}, {choice!r} by {name}, is none of the world; please report this")
        found.word.append(place)
        found.ways.append(way)
        found.states.append(after)
        found.numbers.append(number)
        found.lanes[place].append(way)
    return found

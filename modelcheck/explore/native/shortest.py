"""The shortest paths to goals by the native engine: layer by layer, and of each only what leads to a goal.

See canonical.py, which chooses among them.
"""

from __future__ import annotations

from array import array

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import Goal, NumberedEdge
from modelcheck.explore.found import Answer, Goals, State
from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import program_of
from modelcheck.explore.native.search import Calls, NativeFound
from modelcheck.explore.table import Step, Tables


class Shortest:
    """A search that stops after each layer.  `ended`: there is no further layer, or a bound was reached."""

    def __init__(self, tables: Tables, goal: Goal, bounds: Bounds) -> None:
        self.tables = tables
        self.goal = goal
        self.ended = False
        self.program = program_of(tables)
        self._search = self.program.search(layered=True)
        found = NativeFound(tables, self.program, self._search)
        self._calls = Calls(found, self.program, self._search, Goals(self._decide), bounds, None)

    def _decide(self, state: State, step: Step, path: object) -> Answer:
        return Answer.VIOLATED if self.goal(state, step) else Answer.NEVER

    @property
    def size(self) -> int:
        """How many states were met."""
        return self._search.figures()["states"]

    def next_layer(self) -> tuple[list[list[NumberedEdge]], list[NumberedEdge]]:
        """The goals out of the next layer, and the edges of each layer before it that lead to one, by layers."""
        outcome = self._search.run(self._calls.decide, self._calls.tick, 1, 0, self._calls.most_bytes())
        figures = self._search.figures()
        self.ended = outcome != _engine.LAYER or figures["expanded"] == figures["states"]
        if outcome == _engine.FAILED:
            self._calls.fail(figures["end_state"])
        goals = [
            self._numbered(state, step, -1)
            for state, step in self._search.goals()
            if self.goal_step(step, state)
        ]
        if outcome != _engine.LAYER or not goals:
            return [], []
        flat = array("I", self._search.to_goals())
        depth: dict[int, int] = {0: 0}
        layers: list[list[NumberedEdge]] = []
        # triples come by state, the largest first; so read backwards each state's layer is known when it is met
        for i in range(len(flat) - 3, -1, -3):
            state, step, after = flat[i : i + 3]
            at = depth[state]
            depth[after] = at + 1
            if at == len(layers):
                layers.append([])
            layers[at].append(self._numbered(state, step, after))
        return layers, goals

    def goal_step(self, step: int, state: int) -> bool:
        """Whether a step that the engine took for a goal is one: any that breaks a property is to it."""
        taken = self._step(step)
        return not taken.breaks or self.goal(self._search.state(state), taken)

    def _step(self, step: int) -> Step:
        p, pc, which = self.program.steps[step]
        return self.tables.processes[p].steps[pc][which]

    def _numbered(self, state: int, step: int, after: int) -> NumberedEdge:
        return state, self.program.steps[step][0], self._step(step), after



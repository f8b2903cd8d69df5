"""Fate and passing by brute force: every state of the whole model, every candidate, nothing reduced or left out.

Only the reference run is used, copied state by state; for models without areas, stamps and words.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count

from modelcheck.explore.run import Run
from modelcheck.system.link import System


def copied(run: Run) -> Run:
    again = Run(run.system)
    again.locals, again.values = list(run.locals), dict(run.values)
    return again


def taken(run: Run, edge) -> Run:
    again = copied(run)
    again.take(edge)
    return again


def key(run: Run):
    return tuple(run.locals), tuple(sorted((slot.name, value) for slot, value in run.values.items()
                                           if value != slot.initial))


@dataclass
class Naive:
    """A property of a system, the failing process and the node of its deciding action."""

    system: System
    name: str
    process: int
    node: int

    def __post_init__(self) -> None:
        self.prop = self.system.model.properties[self.name]
        self.head = self._head()

    def fails(self, run: Run, edge) -> bool:
        if self.prop.kind == "invariant":
            return not taken(run, edge).value(self.prop.condition)
        return edge.breaks == self.name

    def passes(self, edge) -> bool:
        if edge.process != self.process or edge.target.queued:
            return False
        nodes = self.system.spaces[self.process].machine.nodes
        over = edge.target.node == self.head or self.head in edge.passed or nodes[edge.target.node].action is None
        return edge.node == self.node or over

    def _head(self) -> int:
        """The head of the smallest natural loop with the node; dominance by leaving a node out."""
        nodes = self.system.spaces[self.process].machine.nodes

        def reached(start, without, step):
            seen, todo = set(), [start]
            while todo:
                at = todo.pop()
                if at not in seen and at != without:
                    seen.add(at)
                    todo += step(at)
            return seen

        def before(at):
            return [i for i, node in enumerate(nodes) if at in node.targets]

        loops = []
        every = reached(0, -1, lambda at: nodes[at].targets)
        for head in range(len(nodes)):
            others = reached(0, head, lambda at: nodes[at].targets)
            ends = [end for end in before(head) if end in every - others]
            loops += [(head, {head} | reached(end, head, before)) for end in ends]
        merged = {head: set().union(*(part for h, part in loops if h == head)) for head, _ in loops}
        inner = [(len(part), head) for head, part in merged.items() if self.node in part]
        return min(inner)[1] if inner else -1

    # -- fate ---------------------------------------------------------------------------------------------------

    def avoidable(self, start: Run) -> bool:
        seen, todo = {key(start)}, deque([start])
        while todo:
            run = todo.popleft()
            for process in range(len(self.system.processes)):
                for edge in run.enabled(process):
                    if self.fails(run, edge):
                        continue
                    if self.passes(edge):
                        return True
                    after = taken(run, edge)
                    if key(after) not in seen:
                        seen.add(key(after))
                        todo.append(after)
        return False

    def fate(self, steps) -> int:
        """The last step before which it can be avoided, -1 where it never can."""
        runs = [Run(self.system)]
        for process, choice in steps:
            runs.append(taken(runs[-1], runs[-1].find(process, choice)))
        return next((i for i in range(len(steps) - 1, -1, -1) if self.avoidable(runs[i])), -1)

    # -- passing ------------------------------------------------------------------------------------------------

    def passing(self, steps):
        """(switch, by, schedule) of the nearest schedule that passes, None where there is none."""
        word = [process for process, _ in steps]
        wanted = self._passes_of(steps)
        for far in range(1, 40):
            for at in range(len(word) - 1, 0, -1):
                if word[at] == word[at - 1]:
                    continue
                for by in (far, -far):
                    moved = self._moved(word, at, by)
                    dropped = [word[at - 1]] * -by if by < 0 and word[at - 1] not in word[at:] else []
                    run = self._follow(moved, dropped, steps, wanted) if moved is not None else None
                    if run is not None:
                        return at, by, run
        return None

    def _passes_of(self, steps) -> int:
        run, found = Run(self.system), 0
        for process, choice in steps:
            edge = run.find(process, choice)
            found += self.passes(edge) and not self.fails(run, edge)
            run = taken(run, edge)
        return found

    @staticmethod
    def _moved(word, at, by):
        one, rest = word[at - 1], list(word[at:])
        if by > 0:
            nexts = next((i for i, p in enumerate(rest) if p == one), None)
            if nexts is None:
                return word[:at] + [one] * by + rest if by <= 24 else None
            length = next(i for i in count(nexts) if i == len(rest) or rest[i] != one) - nexts
            if by > length:
                return None
            return word[:at] + [one] * by + rest[:nexts] + rest[nexts + by:]
        length = next(i for i in count(1) if at - i == 0 or word[at - i - 1] != one)
        if -by > length:
            return None
        nexts = next((i for i, p in enumerate(rest) if p == one), None)
        back = [] if nexts is None else [one] * -by
        return word[: at + by] + rest[: nexts or 0] + back + rest[nexts or 0:]

    def _follow(self, moved, dropped, steps, wanted):
        lanes = {p: [choice for q, choice in steps if q == p] for p in range(len(self.system.processes))}
        node = {}
        run = Run(self.system)
        for process, choice in steps:
            edge = run.find(process, choice)
            node.setdefault(process, []).append(edge.node)
            run = taken(run, edge)
        run, schedule, passed, last = Run(self.system), [], 0, -1
        todo, done = list(moved), dict.fromkeys(lanes, 0)
        for _ in range(len(moved) + 200):
            if todo:
                process = todo.pop(0)
            else:
                ready = [p for p in [self.process, last, *sorted(lanes)] if run.enabled(p)]
                if not ready:
                    return None
                process = ready[0]
            edges, at = run.enabled(process), done[process]
            if not edges:
                return None
            edge = edges[0]
            if at < len(lanes[process]):
                same = [e for e in edges if e.choice == lanes[process][at]]
                alike = [e for e in edges if e.node == node[process][at]]
                edge = (same or alike or edges)[0]
                done[process] += bool(same or alike)
            if self.fails(run, edge):
                return None
            schedule.append((process, edge.choice))
            run, last = taken(run, edge), process
            passed += self.passes(edge)
            if passed > wanted:
                for other in (p for p in [*todo, *dropped] if p != self.process):
                    edges, at = run.enabled(other), done[other]
                    if edges:
                        wish = lanes[other][at] if at < len(lanes[other]) else ""
                        alike = [e for e in edges if at < len(lanes[other]) and e.node == node[other][at]]
                        same = [e for e in edges if e.choice == wish]
                        edge = (same or alike or edges)[0]
                        done[other] += bool(same or alike)
                        if self.fails(run, edge):
                            return None
                        run = taken(run, edge)
                return schedule
        return None

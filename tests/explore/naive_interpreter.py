"""An interpreter of random programs that shares nothing with the engine: plain dictionaries, no tables, no reduction.

It is the oracle of the full search: the same states, the same steps, the same verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from random_systems import TOP, Flat, Program, flatten

END, IDLE, DONE = -1, -2, -3  # a nested process is IDLE until it preempts and DONE before it hands back


class Naive:
    """A system of programs.  `checks` tells whether failing a check stops the process (it is what is looked for)."""

    def __init__(self, programs: tuple[Program, ...], checks: bool) -> None:
        self.programs = programs
        self.flat: list[Flat] = [flatten(program.block) for program in programs]
        self.checks = checks
        self.names: dict[str, int] = {}
        for flat in self.flat:
            for op, args, _ in flat.code:
                for name in self._mentions(op, args):
                    self.names.setdefault(name, len(self.names))
        self.stamps = [i for name, i in self.names.items() if name[0] == "t"]
        self.ordered = any(op == "older" for flat in self.flat for op, _, _ in flat.code)
        self.states: dict[Any, int] = {}
        self.edges: list[list[tuple[int, int]]] = []
        self.depth = 0
        self.broken: int | None = None  # depth of the first failed check

    @staticmethod
    def _mentions(op: str, args: tuple[Any, ...]) -> tuple[str, ...]:
        if op in ("set", "bump", "test", "wait"):
            return (f"v{args[0]}",)
        if op == "check":
            return (f"v{args[0]}",)
        if op == "copy":
            return (f"v{args[0]}", f"v{args[1]}")
        if op == "fresh":
            return (f"t{args[0]}",)
        if op in ("scopy", "older", "same"):
            return (f"t{args[0]}", f"t{args[1]}")
        if op in ("lock", "unlock", "trylock"):
            return (args[0],)
        if op in ("read", "unread", "write", "unwrite"):
            return (f"{args[0]}.n", f"{args[0]}.w", f"{args[0]}.q")
        return ()

    def initial(self) -> Any:
        places = tuple(
            IDLE if program.host >= 0 else flat.start for program, flat in zip(self.programs, self.flat, strict=True)
        )
        return places, (False,) * len(places), (0,) * len(self.names)

    def preemptible(self, host: int, place: int, queued: bool, where: str) -> bool:
        if place == END or queued:
            return False
        if place in (IDLE, DONE):
            return where == "anywhere"
        if any(name[0] in "sri" for name in self.flat[host].held[place]):
            return False
        op = self.flat[host].code[place][0]
        name = self.flat[host].code[place][1][:1]
        sleeps = op == "sleep" or op == "lock" and name[0][0] == "m"
        return where == "anywhere" or op == "sleep" or where == "sleeps" and sleeps

    def steps(self, state: Any) -> Iterator[tuple[int, Any, str]]:
        """Every step as (process, next state, what it breaks)."""
        places, queued, values = state
        for p, program in enumerate(self.programs):
            if any(q.host == p and places[i] != IDLE for i, q in enumerate(self.programs)):
                continue
            at = places[p]
            if at == IDLE:
                host = program.host
                if self.preemptible(host, places[host], queued[host], program.where):
                    start = self.flat[p].start
                    yield p, self.put(state, p, DONE if start == END else start), ""
                continue
            if at == DONE:
                yield p, self.put(state, p, IDLE), ""
                continue
            if at == END:
                continue
            for target, change, waits, breaks in self.branches(p, at, queued[p], values):
                if target == END and program.host >= 0 and not breaks:
                    target = DONE
                new = list(values)
                for name, value in change.items():
                    new[self.names[name]] = value
                yield p, self.put((places, queued, tuple(new)), p, target, waits), breaks

    def put(self, state: Any, p: int, place: int, waits: bool = False) -> Any:
        places, queued, values = state
        return (*places[:p], place, *places[p + 1 :]), (*queued[:p], waits, *queued[p + 1 :]), self.renamed(values)

    def renamed(self, values: tuple[int, ...]) -> tuple[int, ...]:
        held = [values[i] for i in self.stamps]
        order = sorted(set(held)) if self.ordered else list(dict.fromkeys(held))
        return tuple(order.index(v) if i in self.stamps else v for i, v in enumerate(values))

    def branches(
        self, p: int, at: int, queues: bool, values: tuple[int, ...]
    ) -> Iterator[tuple[int, dict[str, int], bool, str]]:
        op, args, targets = self.flat[p].code[at]
        me, after = p + 1, targets[0]

        def get(name: str) -> int:
            return values[self.names[name]]

        if op in ("nop", "progress", "sleep"):
            yield after, {}, False, ""
        elif op == "set":
            yield after, {f"v{args[0]}": args[1]}, False, ""
        elif op == "copy":
            yield after, {f"v{args[0]}": get(f"v{args[1]}")}, False, ""
        elif op == "bump":
            yield after, {f"v{args[0]}": (get(f"v{args[0]}") + 1) % (TOP + 1)}, False, ""
        elif op == "test":
            yield targets[get(f"v{args[0]}") != args[1]], {}, False, ""
        elif op == "wait":
            if get(f"v{args[0]}") == args[1]:
                yield after, {}, False, ""
        elif op == "check":
            good = get(f"v{args[0]}") != args[1]
            if good or not self.checks:
                yield after, {}, False, ""
            else:
                yield END, {}, False, "asserted"
        elif op == "choose":
            yield targets[0], {}, False, ""
            yield targets[1], {}, False, ""
        elif op == "fresh":
            yield after, {f"t{args[0]}": max(values[i] for i in self.stamps) + 1}, False, ""
        elif op == "scopy":
            yield after, {f"t{args[0]}": get(f"t{args[1]}")}, False, ""
        elif op in ("older", "same"):
            a, b = get(f"t{args[0]}"), get(f"t{args[1]}")
            yield targets[not (a < b if op == "older" else a == b)], {}, False, ""
        elif op == "lock":
            if not get(args[0]):
                yield after, {args[0]: me}, False, ""
        elif op == "trylock":
            free = not get(args[0])
            yield (after, {args[0]: me}, False, "") if free else (targets[1], {}, False, "")
        elif op == "unlock":
            yield after, {args[0]: 0}, False, ""
        else:
            readers, writer, waiting = (get(f"{args[0]}.{x}") for x in "nwq")
            if op == "read":
                if not writer and not waiting:
                    yield after, {f"{args[0]}.n": readers + 1}, False, ""
            elif op == "unread":
                yield after, {f"{args[0]}.n": readers - 1}, False, ""
            elif op == "unwrite":
                yield after, {f"{args[0]}.w": 0}, False, ""
            else:
                free = not readers and not writer
                if free and waiting in (0, me):
                    yield after, {f"{args[0]}.w": me, f"{args[0]}.q": 0}, False, ""
                if not free and not waiting and not queues:
                    yield at, {f"{args[0]}.q": me}, True, ""

    def explore(self, most: int) -> bool:
        """Explores; False when there are more than `most` states."""
        first = self.initial()
        self.states = {first: 0}
        frontier, level = [first], 0
        while frontier:
            following = []
            for state in frontier:
                out = []
                for p, after, breaks in self.steps(state):
                    if breaks and self.broken is None:
                        self.broken = level + 1
                    if after not in self.states:
                        self.states[after] = len(self.states)
                        following.append(after)
                        if len(self.states) > most:
                            return False
                    out.append((p, self.states[after]))
                self.edges.append(out)
            frontier = following
            level += bool(following)
        self.depth = level
        return True

    def transitions(self) -> int:
        return sum(len(out) for out in self.edges)

    def stuck(self) -> bool:
        """Whether from some state a process that has not finished can never step again."""
        order = list(self.states)
        for p, program in enumerate(self.programs):
            alive = {n for n, out in enumerate(self.edges) if any(q == p for q, _ in out)}
            grown = True
            while grown:
                more = {n for n, out in enumerate(self.edges) if n not in alive and any(t in alive for _, t in out)}
                alive |= more
                grown = bool(more)
            rests = (IDLE,) if program.host >= 0 else (END,)
            if any(n not in alive and order[n][0][p] not in rests for n in range(len(order))):
                return True
        return False

    def invariant_breaks(self) -> bool:
        """Whether v0 is 2 while v1 is 1 somewhere."""

        def value(state: Any, name: str) -> int:
            return state[2][self.names[name]] if name in self.names else 0

        return any(value(s, "v0") == 2 and value(s, "v1") == 1 for s in self.states)

    def sleeps_atomic(self) -> bool:
        """Whether some process reaches a sleeping step with a spinning lock held; nothing stops there."""
        for places, _, _ in self.states:
            for p, at in enumerate(places):
                if at < 0:
                    continue
                op, args, _ = self.flat[p].code[at]
                sleeps = op == "sleep" or op == "lock" and args[0][0] == "m"
                if sleeps and any(name[0] in "sri" for name in self.flat[p].held[at]):
                    return True
        return False

    def lock_cycle(self) -> bool:
        """Whether the classes waited for while others are held form a cycle of two or more."""
        classes = {"s1": "c", "m1": "c"}
        pairs = set()
        for places, _, _ in self.states:
            for p, at in enumerate(places):
                if at < 0 or self.flat[p].code[at][0] not in ("lock", "read", "write"):
                    continue
                held = list(self.flat[p].held[at])
                host = self.programs[p].host
                if host >= 0 and places[host] >= 0:
                    held += self.flat[host].held[places[host]]
                wanted = self.flat[p].code[at][1][0]
                pairs |= {(classes.get(h, h), classes.get(wanted, wanted)) for h in held}
        after: dict[str, set[str]] = {}
        for a, b in pairs:
            if a != b:
                after.setdefault(a, set()).add(b)

        def reaches(a: str, goal: str, seen: set[str]) -> bool:
            return any(b == goal or b not in seen and reaches(b, goal, seen | {b}) for b in after.get(a, ()))

        return any(reaches(a, a, set()) for a in after)

    def spins(self, condition: Any) -> bool:
        """Whether p0, run alone from a state where `condition(value)` holds, can loop without progress."""

        def alone(state: Any) -> list[Any]:
            at = state[0][0]
            if at >= 0 and self.flat[0].code[at][0] == "progress":
                return []
            return [after for p, after, breaks in self.steps(state) if p == 0]

        def value(state: Any, name: str) -> int:
            return state[2][self.names[name]] if name in self.names else 0

        for state in self.states:
            if not condition(lambda name, state=state: value(state, name)):
                continue
            reached, todo = set(), [state]
            while todo:
                for after in alone(todo.pop()):
                    if after not in reached:
                        reached.add(after)
                        todo.append(after)
            for each in reached:  # a cycle: some state reached again from itself
                inner, todo = set(), alone(each)
                while todo:
                    here = todo.pop()
                    if here == each:
                        return True
                    if here not in inner:
                        inner.add(here)
                        todo += alone(here)
        return False

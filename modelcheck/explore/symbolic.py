"""The search for properties of words: every schedule, with words as terms over unknowns and all other slots concrete.

A state is the value of every slot, the conditions its path put on the unknowns, and how many unknowns the path made;
states with all three equal are one (King, Symbolic execution and program testing, CACM 19(7), 1976, with states
stored).  A guard over words goes both ways where z3 finds values for both; a condition that those before it imply is
not kept, since it tells states apart that are equal.  Breadth first, layer by layer with the best path to each state,
as in `canonical`: the violation found is the canonical one.

Its one invariant: a step is left out only where z3 proved that no values take it.  A path that makes unknowns for ever
never comes back to a state, so the length of paths is bounded, and reaching that bound is INCOMPLETE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from modelcheck.errors import SpecError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.canonical import Best, extended
from modelcheck.explore.found import Report
from modelcheck.explore.table import VERSIONS, Move, Step, Tables
from modelcheck.expression import FALSE, Arbitrary, Expr, Old, Op, Slot, rebuild
from modelcheck.smt.terms import Term, conjuncts, fold, negation, solution, unknown, value_of
from modelcheck.smt.words import Numbers, WordSolver
from modelcheck.system.model import Model

MOST_STEPS = 400
MOST_BETWEEN = 64  # transitions between two looks at the bounds


class State(NamedTuple):
    """Slot values as the tables order them, conditions on the unknowns beside the assumptions, how many there are."""

    values: tuple[Term, ...]
    path: tuple[Expr, ...] = ()
    unknowns: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """An unknown that a step made: the slot that took it, and the conditions that make it readable."""

    slot: Slot
    unknown: Slot
    wishes: tuple[Expr, ...]


class Taken(NamedTuple):
    """What a step leads to: the state, values that take the path there, and the unknowns it made."""

    state: State
    numbers: Numbers
    choices: tuple[Choice, ...]


@dataclass(slots=True)
class Searched:
    """What came of a search; `path` are the steps of the canonical violation with their process, None for none."""

    states: int = 1
    transitions: int = 0
    depth: int = 0
    bound: str = ""
    path: tuple[tuple[int, Step], ...] | None = None
    moves: dict[int, Move] = field(default_factory=dict)  # those taken, by id


class Words:
    """The successors of states; `assumed` are the conditions on the initial values, `wishes` their preferences."""

    def __init__(self, tables: Tables, model: Model, solver: WordSolver) -> None:
        self.tables = tables
        self.solver = solver
        stamps = [slot.name for slot in tables.slots if slot.domain.kind in VERSIONS]
        if stamps:
            raise SpecError(f"{', '.join(stamps)}: a model with words has no stamps, names or bytes; use words")
        self.arbitrary = tuple(model.arbitrary)
        start: dict[Slot, Term] = {slot: unknown(slot) for slot in self.arbitrary}
        self.initial = State(tuple(start.get(slot, slot.initial) for slot in tables.slots))
        look = {**dict(zip(tables.slots, self.initial.values, strict=True)), **start}
        self.assumed = self._conditions([condition for _, condition in model.assumed], look)
        self.solved = self._solve(look)
        self.initial = State(tuple(look[slot] for slot in tables.slots))
        self.assumed = self._conditions([condition for _, condition in model.assumed], look)
        self.wishes = self._conditions(model.preferred, look)
        numbers = solver.values(self.assumed)
        if numbers is None:
            names = "; ".join(name for name, _ in model.assumed)
            raise SpecError(f"no values satisfy the assumptions of model {model.name!r}: {names}")
        self.numbers = numbers

    def _conditions(self, conditions: list[Expr], look: dict[Slot, Term]) -> tuple[Expr, ...]:
        found: dict[Expr, None] = {}
        for condition in conditions:
            value = fold(condition, look.__getitem__)
            if not isinstance(value, int):
                found.update(dict.fromkeys(conjuncts(value)))
            elif not value:
                found[FALSE] = None
        return tuple(found)

    def _solve(self, look: dict[Slot, Term]) -> dict[Slot, Term]:
        """Initial words that an assumed equality gives in terms of the others, which take their place in `look`.

        What z3 finds hard, a sum that stays what it is, is then decided by the terms alone.
        """
        solved: dict[Slot, Term] = {}
        for condition in self.assumed:
            answer = solution(condition, self.arbitrary) if not solved else None
            if answer is not None:
                solved[answer[0]] = look[answer[0]] = answer[1]
        return solved

    def take(self, state: State, numbers: Numbers, p: int, step: Step) -> Taken | None:
        """What a step leads to, None where no values take it.  `numbers` take the path to `state`."""
        (move,) = step.moves
        index = self.tables.index

        def look(slot: Slot) -> Term:
            return state.values[index[slot]]

        reached = self._assert(state.path, numbers, fold(move.guard, look), True)
        if reached is None:
            return None
        path, numbers = reached
        choices: dict[Slot, Choice] = {}
        values = list(state.values)
        for slot, value in move.updates:
            if isinstance(value, Arbitrary):
                if value.slot not in choices:
                    place = state.unknowns + len(choices)
                    choice, condition = self._choose(value, place, look)
                    numbers = _readable(choice, numbers)
                    reached = self._assert(path, numbers, condition, False)
                    if reached is None:
                        return None
                    path, numbers = reached
                    choices[value.slot] = choice
                values[index[slot]] = unknown(choices[value.slot].unknown)
            else:
                values[index[slot]] = self._checked(slot, fold(value, look), move)
        values[index[self.tables.processes[p].pc]] = step.target
        after = State(tuple(values), path, state.unknowns + len(choices))
        return Taken(after, numbers, tuple(choices.values()))

    def _assert(
        self, path: tuple[Expr, ...], numbers: Numbers, condition: Term, drop: bool
    ) -> tuple[tuple[Expr, ...], Numbers] | None:
        """The path with a condition more and values for it, None where it cannot hold; with `drop`, not if implied."""
        if isinstance(condition, int):
            return (path, numbers) if condition else None
        known = (*self.assumed, *path)
        if not value_of(condition, numbers):
            found = self.solver.values((*known, condition))
            if found is None:
                return None
            numbers = found
        opposite = negation(condition)
        if drop and not isinstance(opposite, int) and self.solver.values((*known, opposite)) is None:
            return path, numbers
        return (*path, *(part for part in conjuncts(condition) if part not in path)), numbers

    def _choose(self, value: Arbitrary, place: int, look: Callable[[Slot], Term]) -> tuple[Choice, Term]:
        made = Slot(f"{value.slot.name}@{place}", value.slot.domain)
        before = Slot(f"{value.slot.name} before", value.slot.domain)

        def inside(slot: Slot) -> Term:
            return unknown(made) if slot == value.slot else look(value.slot) if slot == before else look(slot)

        def folded(condition: Expr) -> Term:
            return fold(rebuild(condition, lambda part: before if isinstance(part, Old) else None), inside)

        wishes = tuple(wish for wish in map(folded, value.prefer) if not isinstance(wish, int))
        return Choice(value.slot, made, wishes), folded(value.condition)

    @staticmethod
    def _checked(slot: Slot, value: Term, move: Move) -> Term:
        where = "{}:{}".format(*move.lines[0]) if move.lines else ""
        if slot.domain.kind == "word":
            return value % (slot.domain.hi + 1) if isinstance(value, int) else value
        if not isinstance(value, int):
            raise SpecError(f"{slot.name} is no word and would depend on one; branch on it with test()", where)
        if slot.domain.kind in ("bool", "range", "enum") and not slot.domain.lo <= value <= slot.domain.hi:
            ends = f"{slot.domain.lo}..{slot.domain.hi}"
            raise SpecError(f"{slot.name} became {value}, outside {ends}; widen its range or guard the step", where)
        return value

    def follow(self, path: tuple[tuple[int, Step], ...]) -> Iterator[Taken]:
        """What each step of a path leads to."""
        state, numbers = self.initial, self.numbers
        for p, step in path:
            taken = self.take(state, numbers, p, step)
            assert taken is not None
            yield taken
            state, numbers = taken.state, taken.numbers

    def solves(self, taken: Taken) -> bool:
        """Whether the values that came with a state do take the path to it: not so where z3 had given up."""
        return all(value_of(condition, taken.numbers) for condition in (*self.assumed, *taken.state.path))


def _readable(choice: Choice, numbers: Numbers) -> Numbers:
    """Values with a first guess for a new unknown, which often saves a question: what its first wish asks for."""
    for wish in choice.wishes:
        if isinstance(wish, Op) and wish.name == "eq":
            rest = value_of(wish.args[0], {**numbers, choice.unknown.name: 0})
            size = choice.unknown.domain.hi + 1
            for guess in (-rest % size, rest):
                if value_of(wish, {**numbers, choice.unknown.name: guess}):
                    return {**numbers, choice.unknown.name: guess}
    return numbers


def search_words(words: Words, name: str, bounds: Bounds, report: Report | None = None) -> Searched:
    """Searches all states up to the layer that holds a violation of `name`."""
    tables, found = words.tables, Searched()
    layer: dict[tuple[State, int], tuple[Best, Numbers]] = {(words.initial, -1): (((0, (), ()), ()), words.numbers)}
    seen = {words.initial}
    kept: dict[tuple[State, int, int], Taken | None] = {}
    for depth in range(MOST_STEPS):
        following: dict[tuple[State, int], tuple[Best, Numbers]] = {}
        goals: list[tuple[Best, tuple[tuple[int, Step], ...]]] = []
        kept.clear()
        for (state, last), (best, numbers) in layer.items():
            for p, table in enumerate(tables.processes):
                pc = state.values[p]
                assert isinstance(pc, int)
                for which, step in enumerate(table.steps[pc]):
                    if (state, p, which) not in kept:  # the same state may have two last processes
                        kept[state, p, which] = words.take(state, numbers, p, step)
                        found.transitions += kept[state, p, which] is not None
                        if found.transitions % MOST_BETWEEN == 0 and not found.bound:
                            found.bound = bounds.reached(len(seen))
                    taken = kept[state, p, which]
                    if taken is None:
                        continue
                    found.moves[id(step.moves[0])] = step.moves[0]
                    longer = extended(best, last, p, step, table.process)
                    if step.breaks:
                        if step.breaks == name and words.solves(taken):
                            goals.append((longer, ()))
                    elif taken.state not in seen:
                        known = following.get((taken.state, p))
                        if known is None or longer[0] < known[0][0]:
                            following[taken.state, p] = longer, taken.numbers
                if found.bound:
                    return _ended(found, seen)
        found.depth = depth + bool(following or goals)
        if goals:
            steps = min((best for best, _ in goals), key=lambda each: each[0])
            processes = [process for process, _ in steps[0][2]]
            place = {table.process: p for p, table in enumerate(tables.processes)}
            found.path = tuple(zip([place[process] for process in processes], steps[1], strict=True))
            return _ended(found, seen | {state for state, _ in following})
        if not following:
            return _ended(found, seen)
        seen |= {state for state, _ in following}
        if report is not None:
            report(len(seen), depth + 1, len(following))
        found.bound = bounds.reached(len(seen))
        if found.bound:
            return _ended(found, seen)
        layer = following
    found.bound = f"paths of {MOST_STEPS} steps"
    return _ended(found, seen)


def _ended(found: Searched, seen: set[State]) -> Searched:
    found.states = len(seen)
    return found

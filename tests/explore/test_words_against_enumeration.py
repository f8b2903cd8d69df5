"""The search over terms against plain enumeration of every value: random models with words of two bits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest

from modelcheck import OLD, Action, Expr, Model, Slot, any_word, assign, check
from modelcheck import test as ask
from modelcheck.explore.verify import verify
from modelcheck.expression import Arbitrary, Op, evaluate, rebuild
from modelcheck.system.edge import Local
from modelcheck.system.link import System

COMPARES = ("eq", "ne", "lt", "le", "slt", "sle")
Values = dict[Slot, int]


def program(rng: random.Random, slots: tuple[Slot, ...]) -> tuple[Action, ...]:
    """A few actions: assignments, arbitrary words, branches with an update, and checks."""

    def term() -> Expr:
        left, right = rng.choice(slots), rng.choice((*slots, *slots))
        return rng.choice((left + right, left - right, left + rng.randrange(4)))

    def condition() -> Expr:
        return Op(rng.choice(COMPARES), (rng.choice(slots), term()))

    made: list[Action] = []
    for number in range(rng.randint(2, 4)):
        slot = rng.choice(slots)
        way = rng.randrange(4)
        if way == 0:
            made.append(assign(slot, term()))
        elif way == 1:
            made.append(any_word(slot, f"any {number}", Op(rng.choice(("lt", "le", "ne")), (OLD, slot)) | condition()))
        elif way == 2:
            made.append(ask(condition(), f"ask {number}", then=((rng.choice(slots), term()),)))
        else:
            made.append(check(condition() | condition(), "p", f"check {number}"))
    return tuple(made)


def model(seed: int) -> Model:
    rng = random.Random(seed)
    m = Model("random")
    slots = m.word("a", 2), m.word("b", 2), m.word("c", 2, initial=rng.randrange(4))
    if rng.random() < 0.5:
        m.assume("of a and b", Op(rng.choice(("eq", "lt", "le")), (slots[0], slots[1] + 0)))

    def run(actions: tuple[Action, ...]) -> Iterator[Action]:
        for action in actions:  # noqa: UP028 (the iterator of a tuple takes no answers)
            yield action

    m.process("host", run, program(rng, slots))
    m.process("guest", run, program(rng, slots), host="host", times=1)
    m.data("p")
    return m


def shortest(m: Model) -> int:
    """The length of a shortest violation by trying every value, 0 for none."""
    system = System(m, frozenset({"p"}))
    slots = list(m.words.values())
    free = set(m.arbitrary)
    starts = product(*(range(4) if slot in free else (slot.initial,) for slot in slots))
    layer = {
        (tuple(space.start for space in system.spaces), values, 0)
        for values in starts
        if all(evaluate(condition, dict(zip(slots, values, strict=True))) for _, condition in m.assumed)
    }
    seen = set(layer)
    depth = 0
    while layer:
        depth += 1
        following = set()
        for locals_, values, active in layer:
            known: Values = dict(zip(slots, values, strict=True)) | {system.active(1): active}
            for p, local in enumerate(locals_):
                for edge in system.edges(p, local):
                    if edge.preempts and not system.preemptible(0, locals_[0], "anywhere"):
                        continue
                    if not evaluate(edge.guard, known):
                        continue
                    for after in outcomes(edge.updates, known):
                        if edge.breaks:
                            return depth
                        moved: tuple[Local, ...] = (*locals_[:p], edge.target, *locals_[p + 1 :])
                        state = moved, tuple(after[slot] for slot in slots), after[system.active(1)]
                        if state not in seen:
                            seen.add(state)
                            following.add(state)
        layer = following
    return 0


def outcomes(updates: tuple[tuple[Slot, Expr], ...], known: Values) -> Iterator[Values]:
    chosen = next((value for _, value in updates if isinstance(value, Arbitrary)), None)
    if chosen is None:
        yield known | {slot: evaluate(value, known) for slot, value in updates}
        return
    old = Slot("old", chosen.slot.domain)
    condition = rebuild(chosen.condition, lambda part: old if part == OLD else None)
    for value in range(4):
        if evaluate(condition, known | {old: known[chosen.slot], chosen.slot: value}):
            yield known | {slot: value for slot, _ in updates}


@pytest.mark.parametrize("part", range(4))
def test_the_shortest_violation_is_as_long_as_by_enumeration(part: int) -> None:
    found = {True: 0, False: 0}
    for seed in range(part * 30, part * 30 + 30):
        outcome, length = verify(model(seed), "p"), shortest(model(seed))
        assert (outcome.verdict, len(outcome.steps)) == (("violated", length) if length else ("holds", 0)), seed
        found[bool(length)] += 1
    assert min(found.values()) >= 3

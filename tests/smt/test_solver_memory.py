"""What a solver keeps from question to question: formulas, cores and figures; no answer depends on it."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import pytest
from pairs import fact, increasing, pair, values

from modelcheck import Observation
from modelcheck.smt.cores import Cores
from modelcheck.smt.guarded import GuardedFormulas
from modelcheck.smt.solver import Solver

KEYS, DATA = 3, 2  # how many of each there are, for the oracle to count through
FORMS = ("", "", "", "flag")


def few(z3, versions):
    """Keys increase and are below KEYS, so there are no four versions; data is below DATA."""
    below = z3.And([z3.And(z3.ULT(v["key"], KEYS), z3.ULT(v["data"], DATA)) for v in versions])
    return [*increasing(z3, versions), ("few", below)]


@cache
def worlds(count: int) -> list[tuple[tuple[int, int], ...]]:
    """All values of `count` versions under `few`, as (key, data)."""
    all_data = list(product(range(DATA), repeat=count))
    return [tuple(zip(keys, data, strict=True)) for keys in combinations(range(KEYS), count) for data in all_data]


def imaginable(observation: Observation) -> bool:
    """The oracle of `possible`: counts through all values, without z3 and without anything remembered."""

    def happens(world: tuple[tuple[int, int], ...]) -> bool:
        def number(offset: int, version: int, form: str) -> int:
            return world[version][offset] | (0x80 if form == "flag" else 0)

        for one in observation.facts:
            left, right = (seen.bytes for seen in one.values)
            pairs = [(a, b) for a, b in zip(left, right, strict=False) if a[1] >= 0 and b[1] >= 0]
            same = all(number(*a) == number(*b) for a, b in pairs)
            complete = len(left) == len(right) == len(pairs)
            if one.outcome and not same or not one.outcome and complete and same:
                return False
        return tuple(number(*place) for place in observation.named("pair").bytes) not in world

    return any(map(happens, worlds(observation.versions)))


def varied(count: int = 400) -> list[Observation]:
    """Distinct observations of one to four versions, with up to three facts, forms, and bytes that are not carried."""
    chance, found = random.Random(1), {}
    while len(found) < count:
        versions = chance.randint(1, 4)
        there = [*range(versions)] * 2 + [-1]  # -1: not carried

        def word() -> tuple:
            offsets = chance.choice([(0,), (1,), (0, 1)])
            return tuple((offset, chance.choice(there), chance.choice(FORMS)) for offset in offsets)  # noqa: B023

        facts = tuple(fact(word(), word(), chance.random() < 0.6) for _ in range(chance.randint(0, 3)))
        key, data = chance.randrange(versions), chance.randrange(versions)
        found[pair(key, data, versions, chance.choice(FORMS), facts)] = None
    return list(found)


@pytest.mark.parametrize("room", [50, 1000])  # the smaller one is too small for all formulas
@pytest.mark.parametrize("order", ["as they come", "backwards", 2, 3])
def test_answers_are_those_of_counting_through_all_values_in_every_order(order: str | int, room: int) -> None:
    observations = varied()
    if order == "backwards":
        observations.reverse()
    elif isinstance(order, int):
        random.Random(order).shuffle(observations)
    solver = Solver(values(few), _formulas=GuardedFormulas(60_000, room))
    wrong = [o for o in observations if solver.possible(o) != imaginable(o)]
    assert wrong == []
    assert solver.unknown == 0 and solver.spared > 100  # else nothing was tried


def test_the_varied_observations_have_both_answers() -> None:
    answers = [imaginable(observation) for observation in varied()]
    assert min(answers.count(True), answers.count(False)) > 50


DATA_0, DATA_1, KEY_0, KEY_1 = ((1, 0, ""),), ((1, 1, ""),), ((0, 0, ""),), ((0, 1, ""),)


def spares(first: Observation, second: Observation, assume=increasing) -> bool:
    """Whether the core of an impossible observation spares another one."""
    solver = Solver(values(assume))
    assert not solver.possible(first) and (solver.queries, solver.spared) == (1, 0)
    solver.possible(second)
    assert solver.queries + solver.spared == 2
    return solver.spared == 1


def test_a_core_spares_an_observation_that_says_more() -> None:
    same_data = pair(0, 1, facts=(fact(DATA_0, DATA_1, True),))
    more = replace(same_data, facts=(fact(KEY_0, KEY_1, False), *same_data.facts))
    assert spares(same_data, more)


def test_a_core_does_not_spare_an_observation_that_says_something_else() -> None:
    same_data = pair(0, 1, facts=(fact(DATA_0, DATA_1, True),))
    assert not spares(same_data, pair(0, 1))
    assert not spares(same_data, pair(0, 1, facts=(fact(DATA_0, DATA_1, False),)))
    assert not spares(same_data, pair(1, 0, facts=(fact(DATA_0, DATA_0, True),)))


def test_the_two_sides_of_a_comparison_may_be_swapped() -> None:
    assert spares(pair(0, 1, facts=(fact(DATA_0, DATA_1, True),)), pair(0, 1, facts=(fact(DATA_1, DATA_0, True),)))


def test_a_core_spares_observations_of_more_versions_where_they_assume_as_much() -> None:
    same_keys = (fact(KEY_0, KEY_1, True),)
    assert spares(pair(0, 1, 2, facts=same_keys), pair(0, 1, 5, facts=same_keys))


def test_a_number_of_versions_that_cannot_exist_refutes_no_smaller_one() -> None:
    solver = Solver(values(few))
    assert not solver.possible(pair(0, 1, 4))
    assert not solver.possible(pair(1, 2, 4))
    assert solver.possible(pair(0, 1, 3))


def test_a_violation_ranges_over_the_versions_of_its_own_observation() -> None:
    """The third version may be the pair that two versions do not have: impossible for three, possible for two."""

    def third(z3, versions):
        key, data = versions[0]["key"], versions[1]["data"]
        return [("third", z3.And(v["key"] == key, v["data"] == data)) for v in versions[2:]]

    for order in ([2, 3], [3, 2]):
        solver = Solver(values(third))
        assert {count: solver.possible(pair(0, 1, count)) for count in order} == {2: True, 3: False}


def test_what_facts_alone_refute_is_spared_before_the_violation_is_built() -> None:
    built = []

    def violated(z3, versions, observation, byte):
        built.append(observation)
        return z3.BoolVal(True)  # so that no core needs it

    solver = Solver(replace(values(), violated=violated))
    for key, data in product(range(3), repeat=2):
        assert not solver.possible(pair(key, data, 3, facts=(fact(KEY_0, KEY_1, True),)))
    assert (len(built), solver.spared) == (1, 8)


def test_figures_add_up() -> None:
    solver = Solver(values())
    same_data = pair(0, 1, facts=(fact(DATA_0, DATA_1, True),))
    more = replace(same_data, facts=(fact(KEY_0, KEY_1, False), *same_data.facts))
    for observation in (same_data, more, pair(0, 1), same_data, more, pair(0, 1)):
        solver.possible(observation)
    assert (solver.asked, solver.spared, solver.queries, solver.unknown) == (3, 1, 2, 0)
    assert solver.solves(pair(0, 1)) and not solver.solves(more)
    assert solver.concrete(pair(0, 1)) is not None and solver.concrete(more) is None
    assert (solver.asked, solver.spared, solver.queries, solver.unknown) == (3, 1, 6, 0)


def test_seconds_are_those_of_questions_and_not_of_known_answers() -> None:
    ticks = iter(range(0, 1000, 5))
    solver = Solver(values(), clock=lambda: next(ticks))
    assert solver.seconds == 0
    for _ in range(3):
        solver.possible(pair(0, 1))
        solver.possible(pair(0, 0))
    assert solver.seconds == 10
    solver.solves(pair(0, 1))
    assert solver.seconds == 15
    solver.concrete(pair(0, 1))
    assert solver.seconds == 20


def test_a_whole_path_is_asked_anew_whatever_was_refuted() -> None:
    observations = varied(60)
    busy = Solver(values(few))
    for observation in observations:
        busy.possible(observation)
    for observation in observations[:30]:
        before = busy.queries
        assert busy.solves(observation) == imaginable(observation)
        assert busy.concrete(observation) == Solver(values(few)).concrete(observation)
        assert busy.queries == before + 2


def test_a_question_z3_gives_up_is_possible_and_refutes_nothing() -> None:
    def factors(z3, versions, observation, byte):
        """Key and data are the factors of a product of two primes of 32 bits."""
        key, data = (z3.ZeroExt(64, versions[0][name]) for name in ("key", "data"))
        return z3.And(key * data == 4294967291 * 4294967279, z3.UGT(key, 1), z3.UGT(data, 1))

    wide = replace(values(), fields=(("key", 0, 8), ("data", 8, 16)), violated=factors)
    solver = Solver(wide, _formulas=GuardedFormulas(1))
    assert solver.possible(pair(0, 1)) and solver.possible(pair(1, 0))
    assert (solver.asked, solver.spared, solver.queries) == (2, 0, 2)
    assert solver.unknown == 2


@pytest.mark.parametrize("answer", [True, False])
def test_a_violation_or_an_assumption_may_be_a_plain_truth_value(answer: bool) -> None:
    always = replace(values(), violated=lambda z3, versions, observation, byte: answer)
    assert Solver(always).possible(pair(0, 0)) == answer
    assert Solver(values(lambda z3, versions: [("plain", answer)])).possible(pair(0, 1)) == answer


def test_cores_refute_what_contains_one() -> None:
    cores = Cores()
    assert not cores.refute({1, 2, 3})
    cores.add(frozenset({1, 3}))
    cores.add(frozenset({0, 2, 3}))
    assert cores.refute({1, 3}) and cores.refute({1, 2, 3, 4}) and cores.refute({0, 2, 3, 4})
    assert not any(cores.refute(question) for question in ({1}, {3}, {1, 2}, {2, 3, 4}, {0, 1, 2}, set()))


def test_equal_formulas_have_one_number_and_a_core_names_those_that_contradict() -> None:
    import z3

    formulas, x = GuardedFormulas(60_000), z3.BitVec("x", 8)
    one, two, low = formulas.number(x == 1), formulas.number(x == 2), formulas.number(z3.ULT(x, 9))
    assert (one, two, low) == (0, 1, 2)
    assert formulas.number(x == 1) == one
    assert formulas.check({one, low}) == (z3.sat, frozenset())
    assert formulas.check({one, two, low}) == (z3.unsat, {one, two})
    assert formulas.check({two}) == (z3.sat, frozenset())


def test_z3_holds_no_more_formulas_than_there_is_room_for_or_a_question_has() -> None:
    import z3

    formulas, x = GuardedFormulas(60_000, room=3), z3.BitVec("x", 8)
    a, b, c, d, e = (formulas.number(x != value) for value in range(5))
    questions = ({a, b}, {c}, {b}, {d}, {a, d}, {a, b, c, d, e})
    held = [(formulas.check(question)[0], formulas.held) for question in questions]
    assert held == [(z3.sat, count) for count in (2, 3, 3, 1, 2, 5)]

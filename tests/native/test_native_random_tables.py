"""Random tables by both engines: the same states in the same order, the same answers to everything asked of them."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from grids import one_up, stamps, step, tables_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_systems import Draws, seeded
from random_tables import TableGrammar
from twins import NATIVE, Question, same_canonical_paths, same_search

from modelcheck.explore.analysis import spins
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, run_search
from modelcheck.explore.found import Goals
from modelcheck.expression import Const, Fresh, Op, Slot, range_domain

MOST = 600


def compared(draws: Draws) -> Counter[str]:
    """Compares the engines on one system; answers what kinds of result it had."""
    grammar = TableGrammar(leaves=draws.of((0, 0, 30)), order=draws.below(3) > 0)
    tables = grammar.tables(draws)
    question = Question(
        ample=draws.below(2) > 0,
        keep_graph=draws.below(2) > 0,
        decides=draws.below(4) > 0,
        violated_one_in=draws.of((0, 0, 4, 20)),
        bounds=Bounds(states=1 + draws.below(MOST) if draws.below(4) == 0 else MOST),
    )
    answers = same_search(tables, question)
    kinds = Counter({"canonical": bool(same_canonical_paths(tables, 1 + draws.below(9), draws.of((5, 50, 500))))})
    if "error" in answers:
        return kinds + Counter({"error": 1})
    size, _, _, bound, violated, _ = answers["figures"]
    return kinds + Counter(
        {
            "bound": bool(bound),
            violated or "none": 1,
            "observed": bool(answers["observations"]),
            "deadlock": bool(answers.get("deadlocks")),
            "spin": any(answers.get("spins", ())),
            "large": size > 100,
        }
    )


@pytest.mark.parametrize("chunk", range(4))
def test_random_tables_are_searched_alike(chunk):
    kinds: Counter[str] = Counter()
    for seed in range(100 * chunk, 100 * chunk + 100):
        kinds += compared(seeded(seed))
    expected = {"error", "bound", "broken", "seen", "invariant0", "none", "observed", "deadlock", "spin", "large"}
    assert expected <= set(kinds)
    assert kinds["canonical"] > 10


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_hypothesis_finds_no_tables_that_are_searched_otherwise(data):
    compared(Draws(lambda n: data.draw(st.integers(0, n - 1))))


def test_sets_are_asked_for_values_below_within_and_above_them():
    slot = Slot("v", range_domain(-70, 130), -70)
    for seed in range(12):
        draws = seeded(seed)
        low, apart = draws.below(60) - 50, 1 + draws.below(90)
        sets = [
            Op("in", (slot, *(Const(low + i) for i in range(apart) if draws.below(3) or i in (0, apart - 1))))
            for _ in range(3)
        ]
        within = Op("or", (slot.lt(-100), Op("and", (slot.lt(200), sets[0]))))  # more code after the bits
        looks = tuple(step(1, each) for each in (*sets, within, Op("in", (slot - 3, Const(low), Const(low + 31)))))
        answers = same_search(tables_of((one_up(0, slot),), looks), Question(keep_graph=True))
        assert answers["figures"][0] == 201


def test_a_sort_of_more_stamps_than_a_word_has_bits_is_renamed_alike():
    """Each stamp is renewed in turn, so that all differ; then some are copied over others."""
    slots, turn = stamps(80), Slot("turn", range_domain(0, 80))
    renews = [step(0, turn.eq(i), (turn, Const(i + 1)), (slot, Fresh("s"))) for i, slot in enumerate(slots)]
    for seed, ordered in product(range(3), (True, False)):
        draws = seeded(seed)
        copies = [
            step(0, turn.eq(80), *((draws.of(slots), draws.of((Fresh("s"), *slots[:4], *slots[76:]))) for _ in "ab"))
            for _ in range(9)
        ]
        compares = step(0, slots[0].lt(slots[79]) if ordered else slots[0].eq(slots[79]), (slots[40], slots[7]))
        answers = same_search(tables_of((*renews, *copies, compares)), Question(bounds=Bounds(states=250)))
        assert answers["figures"][3] == "250 states"


def test_a_process_loops_alone_where_the_reference_finds_a_loop():
    """`spins` asks the native engine first, and looks for itself where the answer is yes: a wrong yes costs time."""
    answers = Counter()
    for seed in range(150):
        tables = TableGrammar(breaks=False, observes=False).tables(seeded(seed))
        if tables.invariants:
            continue
        expected, found = (
            run_search(tables, Bounds(states=MOST), Goals(keep_graph=True), False, None, engine)
            for engine in (REFERENCE, NATIVE)
        )
        for p, table in enumerate(tables.processes):
            slots = {tables.index[each] for move in table.all_moves() for each in (*move.reads(), *move.writes())
                     if isinstance(each, Slot)}
            for condition in range(len(tables.conditions)):
                loops = found.loops(p, condition, sorted({p, *slots}))
                assert (seed, p, loops) == (seed, p, spins(expected, p, condition) is not None)
                answers[loops] += 1
    assert min(answers.values()) > 50

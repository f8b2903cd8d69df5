"""Partial deadlock on 1,500 random systems: the reduced search against the full one."""

from __future__ import annotations

import pytest
from naive_interpreter import Naive
from random_systems import Grammar, Program, model_of, seeded

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
SMALL = Bounds(states=2500)
GRAMMARS = (
    Grammar(("lock", "var"), nested=True),
    Grammar(("lock", "lock", "var", "stamp"), depth=3, length=2, nested=True),
    Grammar(("var",), length=4),
)


@pytest.mark.parametrize("chunk", range(10))
def test_reduced_and_full_search_agree_on_150_random_systems(chunk):
    verdicts = {"holds": 0, "violated": 0, "incomplete": 0}
    for i in range(150):
        seed = 150 * chunk + i
        programs = GRAMMARS[seed % 3].system(seeded(10_000 + seed))
        model = model_of(programs)
        full = verify(model, "deadlock", SMALL, FULL)
        verdicts[full.verdict] += 1
        if full.verdict == "incomplete":
            continue
        reduced = verify(model, "deadlock")
        assert (seed, reduced.verdict) == (seed, full.verdict)
        if full.verdict == "violated":
            stuck_for_ever(model, programs, reduced)
    assert verdicts["holds"] >= 30 and verdicts["violated"] >= 20 and verdicts["incomplete"] <= 40


def stuck_for_ever(model, programs, outcome) -> None:
    """After the counterexample's steps the processes it names can never step again, by the reference semantics."""
    run = Run(System(model, frozenset({"deadlock"})))
    for process, choice in outcome.steps:
        edge = run.find(process, choice)
        assert edge is not None
        run.take(edge)
    assert outcome.stuck
    for process in outcome.stuck:
        assert not run.enabled(process)


def test_a_process_may_be_stuck_while_another_runs_for_ever():
    stuck = (Program((("wait", 0, 2),)), Program((("forever", (("set", 1, 1), ("set", 1, 0))),)))
    assert Naive(stuck, False).explore(100)
    for options in (Options(), FULL):
        outcome = verify(model_of(stuck), "deadlock", options=options)
        assert (outcome.verdict, outcome.stuck, outcome.steps) == ("violated", (0,), ())

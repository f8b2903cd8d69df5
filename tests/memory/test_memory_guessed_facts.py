"""A comparison that is guessed ahead of its loads tells z3 what they load in the end, not what was there before."""

from __future__ import annotations

from modelcheck import Area, Model, equal, fresh, observe
from modelcheck.explore.run import Run
from modelcheck.smt.values import Seen, SeenFact
from modelcheck.system.link import System


def guessing() -> Model:
    m = Model("guessing", compiler="free")
    area, version = m.area(Area("key", 1)), m.stamp("shadow")

    def writer():
        yield fresh(version)
        yield area.store(0, 1, version, "", "plain", text="key = new")

    def reader():
        first = yield area.load(0, 1, "once", "k1 = key")
        again = yield area.load(0, 1, "once", "k2 = key")
        if (yield equal(first, again).as_("k1 == k2?")):
            later = yield area.load(0, 1, "plain", "copy = key")
            yield observe("seen", later=later)

    m.process("writer", writer)
    m.process("reader", reader)
    return m


def facts(*choices: tuple[int, str]) -> list[tuple[int, SeenFact]]:
    run = Run(System(guessing(), frozenset({"seen"})))
    for process, choice in choices:
        edge = run.find(process, choice)
        assert edge is not None, choice
        run.take(edge)
    return run.facts


def key(version: int) -> Seen:
    return Seen("", 0, 1, ((0, version, ""),))


def test_a_guess_is_a_fact_when_its_last_load_is_performed():
    guessed = [
        (1, "k1 = key bytes 0-0"),
        (1, "k1 == k2? -> True"),
        (0, "shadow = new update"),
        (0, "key = new bytes 0-0"),
    ]
    assert facts(*guessed) == []
    assert facts(*guessed, (1, "k2 = key bytes 0-0")) == [(4, SeenFact("equal", (key(0), key(1)), True))]


def test_a_comparison_of_what_was_loaded_is_a_fact_at_once():
    loaded = [(1, "k1 = key bytes 0-0"), (1, "k2 = key bytes 0-0"), (1, "k1 == k2? -> True")]
    assert facts(*loaded) == [(2, SeenFact("equal", (key(0), key(0)), True))]

"""Which bytes, and which pairs of bytes, stand for the others in a projection."""

from __future__ import annotations

from typing import Any

import pytest

from modelcheck import Area, Model, Observation, Values, equal, fresh, observe, witness_classes, witness_pairs
from modelcheck.explore.confirm import whole_observation
from modelcheck.explore.run import Run
from modelcheck.explore.verify import verify
from modelcheck.smt.values import Seen
from modelcheck.system.link import System

FIELDS = (("time", 0, 2), ("word[0]", 2, 4), ("word[1]", 4, 6))
SIZE = 6


def words(copied: tuple[int, ...] | None = None, word: int = 2) -> Model:
    """A time and two words of two bytes that are stored and copied word by word; the time comes twice to a reader.

    A version keeps the time of the one before, so that a reader cannot tell the two by it.
    """
    model = Model("words")
    carried = None if copied is None else frozenset({0, 1, *copied})
    area = model.area(Area("area", SIZE, word=word, tear="copies", fields=FIELDS, carried=carried))
    shadow = model.stamp("shadow")

    def writer():  # type: ignore[no-untyped-def]
        yield fresh(shadow).as_("words change")
        yield area.store(0, 2, shadow, text="store time")
        yield area.store(2, SIZE, shadow, mode="copy", text="store words")

    def reader():  # type: ignore[no-untyped-def]
        first = yield area.load(0, 2, text="e1")
        parts = ()
        for lo, hi in ((2, SIZE),) if copied is None else tuple((byte, byte + 1) for byte in copied):
            part = yield area.load(lo, hi, "copy", "copy")
            parts = (*parts, part)
        second = yield area.load(0, 2, text="e2")
        if (yield equal(first, second)):
            named = {f"copy.{i}": part for i, part in enumerate(parts)}
            yield observe("whole", e1=first, **named).reaching("accepted")

    model.process("writer", writer)
    model.process("reader", reader)
    model.observation("whole", values(), witnesses=("accepted",))
    return model


def values() -> Values:
    """A copy is torn that equals no version; the time may be anything."""

    def byte(z3: Any, version: dict[str, Any], offset: int, form: str) -> Any:
        name, lo = next((name, lo) for name, lo, hi in FIELDS if lo <= offset < hi)
        return z3.Extract(8 * (offset - lo) + 7, 8 * (offset - lo), version[name])

    def violated(z3: Any, versions: list[dict[str, Any]], observation: Observation, byte: Any) -> Any:
        seen = [(o, j) for part in observation.seen if part.name != "e1" for o, j, _ in part.bytes if j >= 0]
        return z3.And(*(
            z3.Or(*(byte(j, o, "") != byte(k, o, "") for o, j in seen if j != k)) for k in range(len(versions))
        ))  # fmt: skip

    return Values("words", FIELDS, byte, lambda z3, v: [], violated, lambda z3, v: [], lambda o, n, b: ("", ()))


def test_bytes_of_one_word_are_no_pair() -> None:
    of = {byte: name.split("[")[0] for name, lo, hi in FIELDS for byte in range(lo, hi)}
    assert witness_classes(words(), "area", range(SIZE), frozenset({0, 1}), of.get) == [[0, 1], [2, 3, 4, 5]]
    assert witness_pairs(words(), "area", range(SIZE), frozenset({0, 1}), of.get) == [(0, 2), (2, 4)]


def test_where_words_are_torn_too_their_bytes_are_a_pair() -> None:
    of = {byte: name.split("[")[0] for name, lo, hi in FIELDS for byte in range(lo, hi)}
    assert witness_pairs(words(word=1), "area", range(SIZE), frozenset({0, 1}), of.get) == [(0, 2), (2, 3)]


def test_pairs_are_tried_in_the_order_given() -> None:
    of = {byte: name.split("[")[0] for name, lo, hi in FIELDS for byte in range(lo, hi)}
    assert witness_pairs(words(), "area", (1, 5, 3, 2, 4), frozenset({0, 1}), of.get) == [(1, 5), (3, 5)]


def test_a_pair_of_two_words_is_torn_in_the_full_model_too() -> None:
    assert verify(words(), "whole").verdict == "violated"
    assert verify(words((2, 4)), "whole", full=words).verdict == "violated"


def test_bytes_of_one_word_seem_to_come_apart_where_they_are_carried_alone() -> None:
    """What no projection may do: each is loaded by itself, and no run of the full model has such a copy."""
    outcome = verify(words((2, 3)), "whole", full=words)
    assert outcome.verdict == "incomplete"
    assert "no whole path to one was found" in outcome.bound


@pytest.mark.parametrize("times", [1, 2])
def test_a_whole_path_tells_which_step_made_each_version(times: int) -> None:
    model = Model("made")
    area = model.area(Area("area", 1, fields=(("time", 0, 1),)))
    shadow, reading = model.stamp("shadow"), model.stamp("reading")

    def writer():  # type: ignore[no-untyped-def]
        yield fresh(reading).as_("the clock is read")
        for _ in range(times):
            yield fresh(shadow).as_("a time is set")
        yield area.store(0, 1, shadow, text="store")
        seen = yield area.load(0, 1, text="load")
        yield observe("seen", seen=seen)

    model.process("writer", writer)
    model.observation("seen", values())
    run = Run(System(model, frozenset({"seen"})))
    while run.enabled(0):
        run.take(run.enabled(0)[0])
    observation = whole_observation(run)
    assert observation is not None and observation.whole
    made = (("", -1), ("the clock is read", 0), ("a time is set", 0), ("a time is set", 2))
    assert observation.made == made[: times + 2]
    assert observation.seen == (Seen("seen", 0, 1, ((0, times + 1, ""),)),)

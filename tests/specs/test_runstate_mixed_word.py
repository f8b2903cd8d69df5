"""MIXED_WORD of specs/runstate/expected.py: get64() mixes two updates where a word itself is loaded or stored in parts.

The schedule is driven by hand on the full model, so that it does not rest on the search.  That 4088 holds with whole
words is a test of the findings.
"""

from __future__ import annotations

from typing import Any

import pytest
import z3
from runstate_cases import FEW, V7, setting

from modelcheck.explore.confirm import whole_observation
from modelcheck.explore.run import Run
from modelcheck.smt.solver import Solver
from modelcheck.system.link import System
from specs.runstate.expected import expected
from specs.runstate.scene import build


class ByHand:
    """A run of the full model at compat offset 4088, one step at a time by the text of its choice."""

    def __init__(self, tear: str) -> None:
        self.model = build(setting(V7, "torn-read", abi="32", offset=4088, tear=tear, **FEW))
        self.run = Run(System(self.model, frozenset({"torn-read"})))
        self.process = {process.name: i for i, process in enumerate(self.model.processes)}

    def take(self, who: str, text: str) -> bool:
        """Takes the first enabled step with that text."""
        edge = next((e for e in self.run.enabled(self.process[who]) if text in e.choice), None)
        if edge is not None:
            self.run.take(edge)
        return edge is not None

    def must(self, who: str, *texts: str) -> None:
        """Takes those steps one after the other."""
        for text in texts:
            there = [e.choice for e in self.run.enabled(self.process[who])]
            assert self.take(who, text), (text, there)

    def until(self, who: str, text: str) -> None:
        """Lets a process run by itself up to and with that step."""
        while not self.take(who, text):
            self.run.take(self.run.enabled(self.process[who])[0])

    def mixed_low_word(self) -> None:
        """The schedule of MIXED_WORD: the low word mixes updates 0 and 1 and is the entry time of update 2."""
        self.must("reader", "e1: h = ")
        self.until("vcpu", "bytes 11-11")  # the flag of update 1 is set
        self.must("vcpu", "bytes 5-5")  # one byte of its low word
        self.until("reader", "e1: l =")
        self.until("vcpu", "vcpu_run()")  # update 1 is complete
        self.must("reader", "e1: h again", "e1: h == h again? -> True")
        self.must("reader", "*res = *state bytes 0-")  # the state, of update 1
        self.until("vcpu", "vcpu_run()")  # update 2
        while self.take("reader", "*res"):  # the rest, of update 2
            pass
        self.until("reader", "e2: h = ")
        self.until("reader", "e2: h again")
        self.must("reader", "-> True", "-> True", "-> True", "-> False", "accepted")


def numbers(byhand: ByHand) -> list[dict[str, int]] | None:
    observation = whole_observation(byhand.run)
    assert observation is not None and byhand.model.values is not None
    return Solver(byhand.model.values).concrete(observation)


def test_a_low_word_stored_byte_by_byte_can_be_the_entry_time_of_a_later_update() -> None:
    byhand = ByHand("bytes")
    byhand.mixed_low_word()
    found = numbers(byhand)
    assert found is not None
    before, middle, later = (version["state_entry_time"] for version in found)
    assert before < middle < later
    mixed = before & ~0xFF00 | middle & 0xFF00  # byte 5 of the struct is the second of the low word
    assert mixed == later


def test_the_mixture_of_0x1ff_and_0x200_is_0x2ff() -> None:
    one, two = (0x1FF).to_bytes(8, "little"), (0x200).to_bytes(8, "little")
    assert int.from_bytes(bytes([one[0], *two[1:]]), "little") == 0x2FF
    assert 0x1FF < 0x200 < 0x2FF


def test_those_very_entry_times_satisfy_the_schedule() -> None:
    byhand = ByHand("bytes")
    byhand.mixed_low_word()
    observation, values = whole_observation(byhand.run), byhand.model.values
    assert observation is not None and values is not None
    known = values.assume

    def assume(module: Any, versions: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        fixed = zip(versions, (0x1FF, 0x200, 0x2FF), strict=True)
        return [*known(module, versions), *(("fixed", version["state_entry_time"] == time) for version, time in fixed)]

    from dataclasses import replace

    found = Solver(replace(values, assume=assume)).concrete(observation)
    assert found is not None
    assert [version["state_entry_time"] for version in found] == [0x1FF, 0x200, 0x2FF]


def test_the_same_schedule_does_not_exist_where_words_are_stored_whole() -> None:
    byhand = ByHand("copies")
    with pytest.raises(AssertionError, match="bytes 5-5"):
        byhand.mixed_low_word()
    assert not any("bytes 5-5" in e.choice for e in byhand.run.enabled(0))
    assert any("bytes 4-7" in e.choice for e in byhand.run.enabled(0))


@pytest.mark.parametrize("offset", [53, 54, 55, 57, 58, 59])  # in the high word, then in the low one
def test_a_cut_inside_a_word_is_expected_to_tear(offset: int) -> None:
    found = expected(setting(V7, "torn-read", abi="32", offset=offset, **FEW))
    assert found is not None and found.verdict == "violated" and "MIXED_WORD" in found.source


def test_a_cut_between_the_words_is_expected_to_hold() -> None:
    """`test_get64_is_immune_to_an_entry_time_cut_between_its_words` decides both."""
    for offset in (56, 4088):
        found = expected(setting(V7, "torn-read", abi="32", offset=offset, **FEW))
        assert found is not None and found.verdict == "holds"


@pytest.mark.parametrize(
    ("offset", "tear", "verdict"),
    [
        (4088, "bytes", "violated"),
        (4064, "bytes", "violated"),  # the copies of G10 store the low word byte by byte
        (0, "bytes", "holds"),  # G9 stores the entry time in one piece
        (0, "plain", "violated"),
        (4088, "none", "holds"),
    ],
)
def test_what_is_expected_where_the_compiler_tears_otherwise(offset: int, tear: str, verdict: str) -> None:
    found = expected(setting(V7, "torn-read", abi="32", offset=offset, tear=tear, **FEW))
    assert found is not None and found.verdict == verdict


def test_a_mixture_of_two_words_may_exceed_both() -> None:
    """For z3: exactly the mixtures that take the new high byte with the old low ones can be larger than both."""
    old, new = z3.BitVecs("old new", 32)
    mixture = z3.Concat(z3.Extract(31, 8, new), z3.Extract(7, 0, old))
    solver = z3.Solver()
    solver.add(z3.ULT(old, new), z3.UGT(mixture, new))
    assert solver.check() == z3.sat
    solver.add(z3.Extract(7, 0, old) == z3.Extract(7, 0, new))
    assert solver.check() == z3.unsat

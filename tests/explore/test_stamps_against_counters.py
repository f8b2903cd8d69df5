"""Stamps against bounded counters: a writer that updates for ever, and a reader that sees the same orders of versions.

The counters count 0 to 3, which is enough here: the reader loads three times, so it can tell at most four versions.
"""

from __future__ import annotations

import pytest

from modelcheck import Model, assign, choose, fresh, shared
from modelcheck.action import test as ask
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.search import Goals, search
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.expression import evaluate
from modelcheck.system.link import System


def seqlock(stamps: bool, retry: bool = True) -> tuple[Model, tuple]:
    """`low` and `high` are written under an odd `sequence`; the reader copies sequence, low, high, and looks again."""
    m = Model("seqlock")

    def slot(name: str):
        return m.stamp(name) if stamps else m.range(name, 0, 3)

    newest, low, high, sequence = (slot(name) for name in ("newest", "low", "high", "sequence"))
    odd, done = m.bool("odd"), m.bool("done")
    seen = tuple(slot(f"seen {name}") for name in ("sequence", "low", "high"))
    renew = fresh(newest) if stamps else shared("newest++", (newest, newest + 1), when=newest.lt(3))

    def writes():
        while True:
            yield renew
            yield assign(odd, 1)
            yield assign(low, newest)
            yield assign(high, newest)
            yield shared("even", (sequence, newest), (odd, 0))

    def reads():
        while True:
            if (yield ask(odd)):
                continue
            yield assign(seen[0], sequence)
            yield assign(seen[1], low)
            yield assign(seen[2], high)
            if not retry or (yield ask(sequence.eq(seen[0]) & ~odd)):
                yield assign(done, 1)
                yield assign(done, 0)

    m.process("writes", writes)
    m.process("reads", reads)
    m.invariant("all read", done.eq(0) | done.eq(1) | seen[0].lt(seen[1]) | seen[1].lt(seen[2]))
    m.invariant("whole", ~done | seen[1].eq(seen[2]))
    return m, (done, *seen)


def orders(stamps: bool, retry: bool) -> set:
    """The ranks of what the reader holds in every state in which it is done."""
    model, (done, *seen) = seqlock(stamps, retry)
    tables = build_tables(System(model, frozenset()), (("all read", model.properties["all read"].condition),))
    found = search(tables, Bounds(), Goals(), ample=False)
    assert not found.bound
    patterns = set()
    for state in found.states:
        values = dict(zip(tables.slots, state, strict=True))
        if evaluate(done, values):
            held = [values[slot] for slot in seen]
            patterns.add(tuple(sorted(set(held)).index(value) for value in held))
    return patterns


def test_a_reader_with_retry_sees_one_version_by_stamps_and_by_counters():
    assert orders(stamps=True, retry=True) == orders(stamps=False, retry=True) == {(0, 0, 0)}


def test_a_reader_without_retry_sees_the_same_orders_by_stamps_and_by_counters():
    assert (
        orders(stamps=True, retry=False)
        == orders(stamps=False, retry=False)
        == {(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, 2), (0, 2, 1)}
    )


@pytest.mark.parametrize("stamps", [True, False])
def test_the_verdicts_agree_with_and_without_reductions(stamps):
    for retry, verdict in ((True, "holds"), (False, "violated")):
        for options in (Options(), Options(without=frozenset(REDUCTIONS))):
            assert verify(seqlock(stamps, retry)[0], "whole", options=options).verdict == verdict


@pytest.mark.parametrize("slots", [2, 3, 4])
def test_renewing_and_copying_for_ever_reaches_every_order_and_no_more(slots):
    """The weak orders of n stamps: 3, 13, 75 (OEIS A000670)."""
    m = Model("orders")
    stamps = tuple(m.stamp(f"t{i}") for i in range(slots))

    def moves():
        while True:
            to = yield choose("to", *range(slots))
            source = yield choose("from", *range(-1, slots))
            yield fresh(stamps[to]) if source < 0 else assign(stamps[to], stamps[source])

    m.process("moves", moves)
    condition = stamps[0].lt(stamps[1]) | stamps[1].le(stamps[0])
    tables = build_tables(System(m, frozenset()), (("ordered", condition),))
    found = search(tables, Bounds(), Goals(), ample=False)
    assert len({state[1:] for state in found.states}) == {2: 3, 3: 13, 4: 75}[slots]

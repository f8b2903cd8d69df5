"""A property is decided part by part, and equal parts once: the verdict and the evidence are those of the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelcheck import Area, Model, Mutex, SpinLock, Values, assign, check, fresh, observe, shared, smp_wmb
from modelcheck.action import test as ask
from modelcheck.explore.table import build_tables
from modelcheck.explore.tables_key import tables_key
from modelcheck.explore.verify import Options, verify
from modelcheck.system.link import System

WHOLE = Options(without=frozenset({"split"}))
APART = Options(without=frozenset({"symmetry"}))


def counter(slot, most):
    while True:
        yield shared("count++", (slot, slot + 1), when=slot.lt(most))


def watcher(slot, never, times):
    for _ in range(times):
        yield ask(slot.eq(0))
        yield check(slot.ne(never), "never")


def watched(*never: int, most: int = 3) -> Model:
    """A counter up to `most`, and for each of `never` a watcher that calls that count a violation."""
    m = Model("watched")
    count = m.range("count", 0, most)
    m.process("counter", counter, count, most)
    for number, each in enumerate(never):
        m.process(f"watcher{number}", watcher, count, each, 2)
    m.assertion("never")
    return m


def test_watchers_that_do_not_disturb_one_another_are_parts_of_their_own():
    one, two = verify(watched(4), "never"), verify(watched(4, 5), "never")
    together = verify(watched(4, 5), "never", options=WHOLE)
    assert (one.verdict, two.verdict, together.verdict) == ("holds",) * 3
    assert two.states == 2 * one.states < together.states
    assert (two.searched, two.spared, together.searched) == (2, 0, 1)


def test_the_cost_does_not_grow_with_equal_watchers():
    outcomes = [verify(watched(*[4] * readers), "never") for readers in (1, 2, 5)]
    assert [(o.verdict, o.states, o.searched, o.spared) for o in outcomes] == [
        ("holds", outcomes[0].states, 1, spared) for spared in (0, 1, 4)
    ]
    assert outcomes[2].covered == outcomes[0].covered


@pytest.mark.parametrize("options", [Options(), WHOLE, APART])
def test_a_violation_is_found_in_whichever_part_it_is(options: Options):
    for never in ((2, 9), (9, 2), (9, 9, 2)):
        outcome = verify(watched(*never), "never", options=options)
        assert outcome.verdict == "violated"
        assert (len(outcome.steps), outcome.steps[-1][0]) == (4, never.index(2) + 1)


def test_of_two_parts_violations_the_shorter_is_shown():
    for never in ((3, 1), (1, 3)):
        outcome = verify(watched(*never), "never")
        assert (outcome.verdict, len(outcome.steps), outcome.steps[-1][0]) == ("violated", 3, never.index(1) + 1)


def same_versions() -> Values:
    """A violation where the two loads saw different versions."""
    return Values(
        "pair",
        (("a", 0, 1),),
        lambda z3, version, offset, form: version["a"],
        lambda z3, versions: [],
        lambda z3, versions, observation, byte: z3.BoolVal(
            observation.seen[0].bytes[0][1] != observation.seen[1].bytes[0][1]
        ),
        lambda z3, versions: [],
        lambda *args: ("", ()),
    )


def test_a_process_that_observes_goes_on_in_the_parts_of_others():
    """The first process observes before it publishes; for the second to see a new version, that step must be there."""
    m = Model("chain")
    area, newest, other = m.area(Area("mem", 1)), m.stamp("newest"), m.area(Area("quiet", 1))

    def observes_then_publishes():
        first = yield other.load(0, 1)
        second = yield other.load(0, 1)
        yield observe("same", first=first, second=second)
        yield fresh(newest)
        yield area.store(0, 1, newest)
        yield smp_wmb()

    def looks_twice():
        first = yield area.load(0, 1)
        yield smp_wmb()
        second = yield area.load(0, 1)
        yield observe("same", first=first, second=second)

    m.process("first", observes_then_publishes)
    m.process("second", looks_twice)
    m.observation("same", same_versions())
    for options in (Options(), WHOLE):
        assert verify(m, "same", options=options).verdict == "violated"


def test_what_equal_parts_of_another_model_came_to_is_not_searched_again():
    known: dict = {}
    first, again, other = (verify(m, "never", known=known) for m in (watched(4), watched(4), watched(5)))
    assert [(o.searched, o.spared) for o in (first, again, other)] == [(1, 0), (0, 1), (1, 0)]
    assert (again.verdict, again.states, again.depth, again.reached) == (
        first.verdict, first.states, first.depth, first.reached)


def test_a_violation_is_not_handed_on():
    known: dict = {}
    first, again = (verify(watched(2), "never", known=known) for _ in range(2))
    assert (again.searched, again.steps) == (1, first.steps)
    assert not known


def loaded_twice(offset: int, torn: frozenset[int]) -> Model:
    """A reader that loads byte `offset` twice; two versions seen are a violation if the byte is among `torn`."""
    m = Model("loaded twice")
    area, newest = m.area(Area("mem", 8)), m.stamp("newest")

    def publishes():
        while True:
            yield fresh(newest)
            yield area.store(0, 8, newest)
            yield smp_wmb()

    def looks_twice():
        first = yield area.load(offset, offset + 1)
        yield smp_wmb()
        second = yield area.load(offset, offset + 1)
        yield observe("same", first=first, second=second).reaching("seen")

    def violated(z3, versions, observation, byte):
        (first,), (second,) = (tuple(b for b in seen.bytes if b[1] >= 0) for seen in observation.seen)
        return z3.BoolVal(first[1] != second[1] and first[0] in torn)

    m.process("publishes", publishes)
    m.process("looks", looks_twice)
    m.observation("same", replace(same_versions(), key=("bytes", torn), violated=violated), witnesses=("seen",))
    return m


def test_an_equal_graph_that_shows_other_bytes_is_not_searched_again():
    known: dict = {}
    first, other = (verify(loaded_twice(offset, frozenset()), "same", known=known) for offset in (3, 5))
    alone = verify(loaded_twice(5, frozenset()), "same")
    assert [(o.searched, o.spared) for o in (first, other, alone)] == [(1, 0), (0, 1), (1, 0)]
    shown = [(o.verdict, o.states, o.transitions, o.depth, o.observations, o.reached) for o in (other, alone)]
    assert shown[0] == shown[1]
    assert (other.verdict, other.observations) == ("holds", 2)


def test_what_an_equal_graph_shows_is_judged_by_its_own_bytes():
    known: dict = {}
    verify(loaded_twice(3, frozenset({5})), "same", known=known)
    other, alone = verify(loaded_twice(5, frozenset({5})), "same", known=known), verify(
        loaded_twice(5, frozenset({5})), "same")
    assert (other.verdict, other.searched, other.spared) == ("violated", 1, 0)
    assert other.steps == alone.steps
    again = verify(loaded_twice(4, frozenset({5})), "same", known=known)
    assert (again.verdict, again.searched, again.spared) == ("holds", 0, 1)


def keyed(name: str = "x", initial: int = 0, limit: int = 2, step: int = 1, witness: str = "w") -> object:
    m = Model("keyed")
    slot = m.range(name, 0, 5, initial)

    def runs():
        while True:
            yield shared(f"{name} grows", (slot, slot + step), when=slot.lt(limit)).reaching(witness)
            yield assign(slot, 0)

    m.process(f"p-{name}", runs)
    return tables_key(build_tables(System(m, frozenset())))


def test_equal_tables_under_other_names_have_one_key():
    assert keyed("x") == keyed("y")


@pytest.mark.parametrize("changed", [{"initial": 1}, {"limit": 3}, {"step": 2}, {"witness": "v"}])
def test_a_key_tells_apart_what_a_search_or_its_evidence_tells_apart(changed):
    assert keyed() != keyed(**changed)


def two_locks(crossed: bool) -> Model:
    """Two processes that take two locks, in one order or crossed; where crossed, a gate lets one in at a time."""
    m = Model("two locks")
    a, b, gate, outer = SpinLock("a"), SpinLock("b"), SpinLock("gate"), Mutex("outer")

    def takes(first, second):
        yield outer.lock()
        yield gate.lock()
        yield first.lock()
        yield second.lock()
        yield second.unlock()
        yield first.unlock()
        yield gate.unlock()
        yield outer.unlock()

    m.process("one", takes, a, b)
    m.process("two", takes, *((b, a) if crossed else (a, b)))
    m.deadlock()
    m.lock_order()
    m.sleep_in_atomic()
    return m


@pytest.mark.parametrize("crossed", [False, True])
def test_one_search_speaks_for_the_properties_of_locks_that_its_graph_has(crossed: bool):
    known: dict = {}
    outcomes = [verify(two_locks(crossed), name, known=known) for name in ("deadlock", "lock-order", "sleep-in-atomic")]
    alone = [verify(two_locks(crossed), name) for name in ("deadlock", "lock-order", "sleep-in-atomic")]
    assert [o.verdict for o in outcomes] == ["holds", "violated" if crossed else "holds", "holds"]
    assert [o.searched for o in outcomes] == [1, int(crossed), 0]
    assert [(o.verdict, o.states, o.transitions, o.steps) for o in outcomes] == [
        (o.verdict, o.states, o.transitions, o.steps) for o in alone
    ]

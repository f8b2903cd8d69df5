"""The order in which accesses perform, against a brute-force oracle over all orders and interleavings.

A writer of a few stores and a reader of a few loads: the set of observations is computed by permuting the pieces of
each side in every way that its constraints allow and interleaving the two in every way.
"""

from __future__ import annotations

import random
from itertools import combinations, permutations

import pytest

from modelcheck import (
    Area,
    Model,
    SpecError,
    SpinLock,
    Values,
    assign,
    check,
    equal,
    fresh,
    observe,
    reach,
    smp_rmb,
    smp_wmb,
    wait,
)
from modelcheck.action import Access
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))


class Recorder:
    unknown = 0

    def __init__(self) -> None:
        self.seen = set()

    def possible(self, observation) -> bool:
        self.seen.add(tuple(tuple(version for _, version, _ in seen.bytes) for seen in observation.seen))
        return False


def observed(model: Model, options: Options = FULL) -> set:
    model.observation("seen", Values("none", (), None, None, None, None, None))
    recorder = Recorder()
    verify(model, "seen", options=options, solver=recorder)
    return recorder.seen


def racing(area: Area, stores, loads, compiler: str) -> Model:
    """A writer with `stores` of one new version, a reader with `loads`; entries are (lo, hi, mode), None a barrier."""
    m = Model("race", compiler=compiler)
    m.area(area)
    s = m.stamp("s")

    def writes():
        yield fresh(s)
        for entry in stores:
            yield smp_wmb() if entry is None else area.store(entry[0], entry[1], s, "", entry[2])

    def reads():
        a = yield area.load(*loads[0])
        if loads[1] is None:
            yield smp_rmb()
        b = yield area.load(*loads[-1])
        yield observe("seen", a=a, b=b)

    m.process("writes", writes)
    m.process("reads", reads)
    return m


def orders(area: Area, entries, store: bool, free: bool):
    """Every order of the pieces of a list of accesses; a piece is (entry, lo, hi)."""
    pieces, epoch = [], 0
    for number, entry in enumerate(entries):
        if entry is None:
            epoch += 1
        else:
            access = Access("mem", entry[0], entry[1], store, entry[2])
            pieces += [(number, epoch, lo, hi, entry[2]) for lo, hi in area.pieces(access)]

    def kept(a, b) -> bool:
        """Whether the piece `a` of an earlier entry must come before `b`."""
        if a[1] != b[1] or not free:
            return True
        return (store and a[2] < b[3] and b[2] < a[3]) or a[4] == b[4] == "once"

    for order in permutations(pieces):
        place = {piece: i for i, piece in enumerate(order)}
        if all(place[a] < place[b] for a in pieces for b in pieces if a[0] < b[0] and kept(a, b)):
            yield order


def oracle(area: Area, stores, loads, free: bool) -> set:
    found = set()
    names = [i for i, entry in enumerate(loads) if entry is not None]
    for written in set(orders(area, stores, True, free)):
        for read in set(orders(area, loads, False, free)):
            total = len(written) + len(read)
            for places in combinations(range(total), len(written)):
                memory, loaded = [0] * area.size, {i: {} for i in names}
                w, r = iter(written), iter(read)
                for i in range(total):
                    number, _, lo, hi, _ = next(w) if i in places else next(r)
                    for o in range(lo, hi):
                        if i in places:
                            memory[o] = 1
                        else:
                            loaded[number][o] = memory[o]
                values = tuple(tuple(loaded[i][o] for o in range(loads[i][0], loads[i][1])) for i in names)
                flat = {v for value in values for v in value}
                found.add(values if len(flat) > 1 else tuple(tuple(0 for _ in value) for value in values))
    return found


@pytest.mark.parametrize("compiler", ["free", "program"])
@pytest.mark.parametrize("seed", range(40))
def test_observations_are_those_of_every_allowed_order(seed, compiler):
    draw = random.Random(seed)
    area = Area(
        "mem", 4, base=draw.choice((0, 2)), line=4, word=2, tear=draw.choice(("none", "copies", "bytes", "plain"))
    )

    def entry(modes):
        lo = draw.randrange(4)
        return lo, min(4, lo + draw.choice((1, 1, 2))), draw.choice(modes)

    stores = [
        entry(("plain", "once", "copy")),
        *([None] if draw.random() < 0.4 else []),
        entry(("plain", "once", "copy")),
    ]
    loads = [entry(("plain", "once")), *([None] if draw.random() < 0.4 else []), entry(("plain", "once"))]
    model = racing(area, tuple(stores), tuple(loads), compiler)
    expected = oracle(area, stores, loads, compiler == "free")
    assert observed(model) == expected
    assert observed_again(area, stores, loads, compiler) == expected


def observed_again(area, stores, loads, compiler) -> set:
    return observed(racing(area, tuple(stores), tuple(loads), compiler), Options())


OLD_NEW, NEW_OLD = ((0,), (1,)), ((1,), (0,))
BYTES = Area("mem", 2)
PLAIN = ((0, 1, "plain"), (1, 2, "plain"))
SECOND_FIRST = ((1, 2, "once"), (0, 1, "once"))  # loads byte 1, then byte 0


@pytest.mark.parametrize(
    ("stores", "compiler", "seen"),
    [
        (PLAIN, "free", True),
        (PLAIN, "program", False),
        ((PLAIN[0], None, PLAIN[1]), "free", False),
        (((0, 1, "once"), (1, 2, "once")), "free", False),
        (((0, 1, "once"), (1, 2, "plain")), "free", True),
        (((0, 1, "plain"), (0, 2, "plain")), "free", False),
        (((0, 2, "plain"), (1, 2, "plain")), "free", False),
        (((1, 2, "plain"), (0, 1, "plain")), "program", True),
    ],
)
def test_the_later_store_is_seen_without_the_earlier_only_where_nothing_orders_them(stores, compiler, seen):
    assert (NEW_OLD in observed(racing(BYTES, stores, SECOND_FIRST, compiler))) is seen


@pytest.mark.parametrize("compiler", ["free", "program"])
def test_a_misaligned_load_sees_its_halves_separately(compiler):
    def halves(base: int) -> set:
        m = Model("halves", compiler=compiler)
        area, s = m.area(Area("mem", 8, base=base, tear="none")), m.stamp("s")

        def writes():
            yield fresh(s)
            yield area.store(0, 8, s, mode="once")

        def reads():
            a = yield area.load(0, 8)
            yield observe("seen", a=a)

        m.process("writes", writes)
        m.process("reads", reads)
        return {tuple(sorted(set(value[:4]))) + tuple(sorted(set(value[4:]))) for (value,) in observed(m)}

    assert halves(0) == {(0, 0)}
    assert halves(60) == {(0, 0), (0, 1), (1, 0)}  # old, or new throughout; first half old; first half new


def test_overlapping_stores_keep_their_order():
    m = Model("overlap")
    area, s, t, done = m.area(Area("mem", 2)), m.stamp("s"), m.stamp("t"), m.bool("done")

    def writes():
        yield fresh(s)
        yield fresh(t)
        yield area.store(0, 2, s)
        yield area.store(1, 2, t)
        yield smp_wmb()
        yield assign(done, 1)

    def reads():
        yield wait(done)
        a = yield area.load(0, 2)
        yield observe("seen", a=a)

    m.process("writes", writes)
    m.process("reads", reads)
    assert observed(m) == {((0, 1),)}


def test_a_compare_waits_for_its_loads():
    m = Model("compare")
    area, s, asked = m.area(Area("mem", 1)), m.stamp("s"), m.bool("asked")

    def writes():
        yield wait(asked)
        yield fresh(s)
        yield area.store(0, 1, s)

    def reads():
        a = yield area.load(0, 1, "plain")
        yield equal(a, a)
        yield assign(asked, 1)
        b = yield area.load(0, 1, "plain")
        yield observe("seen", a=a, b=b)

    m.process("writes", writes)
    m.process("reads", reads)
    assert observed(m) == {((0,), (0,)), ((0,), (1,))}


@pytest.mark.parametrize("kind", ["assign", "lock", "check"])
def test_what_a_process_shows_others_comes_after_its_accesses(kind):
    """Shared steps, lock operations and checks wait for an empty window."""
    m = Model("flag")
    area, s, done, lock = m.area(Area("mem", 2)), m.stamp("s"), m.bool("done"), SpinLock("lock")

    def writes():
        yield fresh(s)
        yield area.store(1, 2, s)
        yield smp_wmb()
        yield area.store(0, 1, s)
        if kind == "assign":
            yield assign(done, 1)
        elif kind == "lock":
            yield lock.lock()
        else:
            yield check(s.eq(s), "other")
            yield reach()

    def reads():
        yield wait({"assign": done, "lock": lock.owner.eq(1), "check": done.eq(0)}[kind])
        a = yield area.load(0, 1)
        b = yield area.load(1, 2)
        yield observe("seen", a=a, b=b)

    m.process("writes", writes)
    m.process("reads", reads)
    if kind == "check":
        m.assertion("other")
        writer = System(m, frozenset({"other"})).spaces[0]
        (edge,) = writer.edges(writer.start)  # s = new
        (first,) = writer.edges(edge.target)
        (second,) = writer.edges(first.target)
        assert [e.kind for e in writer.edges(second.target)] == ["check", "check"]
        assert second.kind == "perform"
    else:
        assert observed(m) == {((0,), (0,))}  # both new: one version


def test_a_projection_carries_what_it_is_told_and_sees_no_more():
    def model(carried):
        area = Area("mem", 4, tear="bytes", carried=carried)
        return racing(area, ((0, 4, "copy"),), ((0, 4, "copy"), None, (0, 1, "once")), "free")

    whole, projected = observed(model(None)), observed(model(frozenset({0, 3})))
    assert projected == {((a[0], -1, -1, a[3]), b) for a, b in renamed(whole)}


def renamed(observations) -> set:
    """Versions by rank among bytes 0 and 3 of the first value and the second value."""
    found = set()
    for a, b in observations:
        order = sorted({a[0], a[3], *b})
        found.add(((order.index(a[0]), 0, 0, order.index(a[3])), tuple(order.index(v) for v in b)))
    return found


def test_stores_outside_the_area_break_its_bounds_and_inside_do_not():
    def verdict(lo: int, hi: int) -> str:
        m = Model("bounds")
        area, s = m.area(Area("mem", 4, bounds="inside")), m.stamp("s")

        def writes():
            yield area.store(lo, hi, s)

        m.process("writes", writes)
        m.assertion("inside")
        return verify(m, "inside", options=FULL).verdict

    assert [verdict(0, 4), verdict(2, 5), verdict(-1, 1), verdict(4, 5)] == [
        "holds",
        "violated",
        "violated",
        "violated",
    ]


def test_every_performed_piece_checks_what_the_store_requires():
    m = Model("requires")
    area, s, valid = m.area(Area("mem", 2, tear="bytes")), m.stamp("s"), m.bool("valid", True)

    def writes():
        yield area.store(0, 2, s, mode="copy", requires=((valid, "mapped"),))

    def unmaps():
        yield assign(valid, 0)

    m.process("writes", writes)
    m.process("unmaps", unmaps)
    m.assertion("mapped")
    outcome = verify(m, "mapped", options=FULL)
    assert outcome.steps == ((1, "valid = 0"), (0, "store mem[0:2] bytes 0-0 breaks mapped"))


def endless(memory: str, compiler: str, *offsets: int, between=()) -> Model:
    m = Model("endless", memory=memory, compiler=compiler)
    area, s = m.area(Area("mem", 4)), m.stamp("s")

    def writes():
        while True:
            for offset in offsets:
                yield area.store(offset, offset + 1, s)
                yield from between

    m.process("writes", writes)
    m.deadlock()
    return m


@pytest.mark.parametrize("memory", ["sc", "tso", "weak"])
def test_a_loop_without_a_fence_whose_accesses_may_overtake_each_other_ends_incomplete(memory):
    outcome = verify(endless(memory, "free", 0, 1), "deadlock", options=FULL)
    assert outcome.verdict == "incomplete"
    assert outcome.bound.startswith("the window of writes: an access is pending at most 2 times at once, and the loop")
    assert outcome.bound.endswith(" has no fence or lock operation")
    fenced = verify(endless(memory, "free", 0, 1, between=(smp_wmb(),)), "deadlock", options=FULL)
    assert (fenced.verdict, fenced.bound) == ("holds", "")


@pytest.mark.parametrize("memory", ["sc", "tso", "weak"])
def test_a_loop_without_a_fence_is_whole_where_all_its_accesses_keep_their_order(memory):
    assert verify(endless(memory, "free", 0), "deadlock", options=FULL).verdict == "holds"
    two = verify(endless(memory, "program", 0, 1), "deadlock", options=FULL)
    assert two.verdict == ("incomplete" if memory == "weak" else "holds")


def test_an_unknown_memory_model_is_refused_with_those_there_are():
    m = Model("m", memory="alpha")
    m.process("p", lambda: iter(()))
    m.deadlock()
    there = "no memory model 'alpha' with compiler 'free'; there are sc/free, sc/program, tso/free"
    with pytest.raises(SpecError, match=there):
        verify(m, "deadlock")

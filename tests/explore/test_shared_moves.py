"""Tables are the same whether their moves were made for them or kept from a like system."""

from __future__ import annotations

import pytest

from modelcheck import Area, Model, SpinLock, assign, check, fresh, has_variant, shared, sleep_point, smp_wmb, wait
from modelcheck import test as ask
from modelcheck.explore import sharing
from modelcheck.explore.table import Tables, build_tables
from modelcheck.system.link import System


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_kept", {})


BODY = Area("mem", 4)
ORDER = Model("slots")
SHADOW, BUSY, MINE = ORDER.stamp("shadow"), ORDER.bool("busy"), ORDER.local(ORDER.bool("mine"))
LOCK = SpinLock("lock")


def writer():
    while True:
        yield fresh(SHADOW)
        if (yield ask(BUSY)):
            yield BODY.store(0, 4, SHADOW, mode="copy")
            yield smp_wmb()
        yield BODY.store(1, 2, SHADOW, "marked")
        yield smp_wmb()
        yield shared("busy = !busy", (BUSY, ~BUSY))
        yield assign(MINE, 1)
        yield check(MINE, "holds")
        yield LOCK.lock()
        yield sleep_point("may sleep")
        yield LOCK.unlock()


def reader():
    while True:
        yield wait(BUSY.eq(0))
        found = yield BODY.load(0, 2)
        if (yield has_variant(found, "marked")):
            yield wait(BUSY)


def model(
    carried: frozenset[int] = frozenset(),
    base: int = 0,
    nested: tuple[str, ...] = (),
    first: str = "",
    name: str = "w",
    awake: str = "awake",
) -> Model:
    m = Model("m")
    m.area(Area("mem", 4, base, line=2, tear="bytes", carried=carried))
    if first == "reader":
        m.process("reader", reader)
    m.process(name, writer)
    if first != "reader":
        m.process("reader", reader)
    for i, where in enumerate(nested):
        m.process(f"nested{i}", reader, host=name, where=where)  # type: ignore[arg-type]  # a Where
    m.assertion("holds")
    m.sleep_in_atomic(awake)
    return m


CASES = [
    *((model(frozenset(carried)), "holds") for carried in ((), (0,), (1,), (3,), (0, 1), (0, 3), range(4))),
    (model(frozenset(range(4)), base=1), "holds"),
    (model(first="reader"), "holds"),
    (model(name="another"), "holds"),
    (model(nested=("anywhere",)), "holds"),
    (model(nested=("sleeps",)), "holds"),
    (model(nested=("anywhere", "anywhere")), "holds"),
    (model(), "awake"),
    (model(), "nothing"),
    (model(awake="nothing"), "nothing"),
]


def tables(case: tuple[Model, str]) -> Tables:
    return build_tables(System(case[0], frozenset({case[1]})))


def test_tables_are_the_same_whatever_was_built_before(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = []
    for case in CASES:
        monkeypatch.setattr(sharing, "_kept", {})
        alone.append(tables(case))
    assert len({repr(each) for each in alone}) == len(CASES)
    order = [*range(len(CASES))]
    for numbers in (order, order[::-1], [i for i in order for _ in range(2)]):
        monkeypatch.setattr(sharing, "_kept", {})
        for i in numbers:
            assert tables(CASES[i]) == alone[i], i


def test_moves_that_touch_no_memory_are_shared_and_others_are_not() -> None:
    one, other = (tables((model(frozenset(carried)), "holds")) for carried in ((0,), (1,)))
    known = {id(move) for table in one.processes for move in table.all_moves()}
    shared_moves = [move for table in other.processes for move in table.all_moves() if id(move) in known]
    assert {move.edge.choice for move in shared_moves} >= {"busy = !busy", "mine = 1"}
    assert all(move.edge.piece is None and not move.edge.source.window for move in shared_moves)
    assert not any(move.edge.kind == "compare" for move in shared_moves)


def test_as_many_processes_are_kept_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_KEPT", 2)
    for case in CASES:
        tables(case)
    assert len(sharing._kept) == 2

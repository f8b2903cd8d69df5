"""A register holds nothing before its first load and after a step that forgets it: its stamp is -1, its form the first.

`full` is the whole graph of a model, nothing reduced, as dictionaries from slot names to values.
"""

from __future__ import annotations

import pytest

from modelcheck import (
    Area,
    Model,
    SpecError,
    SpinLock,
    Values,
    assign,
    check,
    choose,
    equal,
    fence,
    fresh,
    has_variant,
    observe,
    reach,
    rmb,
    shared,
)
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.search import Goals, search
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

ACCOUNT = Values("none", (), None, None, None, None, None)


class Recorder:
    unknown = 0

    def __init__(self) -> None:
        self.seen = set()

    def possible(self, observation) -> bool:
        self.seen.add(observation)
        return False


def updates_for_ever(area: Area, newest) -> object:
    """A writer that stores the whole area with a mark and again without."""
    while True:
        yield fresh(newest)
        yield area.store(0, area.size, newest, "marked")
        yield fence("smp_wmb")
        yield area.store(0, area.size, newest)
        yield fence("smp_wmb")


def beside_a_writer(reader) -> Model:
    m = Model("forgetting")
    area = m.area(Area("a", 1))
    m.process("writer", updates_for_ever, area, m.stamp("newest"))
    m.process("reader", reader, area)
    m.observation("seen", ACCOUNT)
    return m


def full(model: Model) -> list[dict[str, int]]:
    """Every reachable state, nothing reduced, by slot name."""
    tables = build_tables(System(model, frozenset({"seen"})))
    found = search(tables, Bounds(), Goals(keep_graph=True), ample=False)
    assert not found.bound
    return [{slot.name: value for slot, value in zip(tables.slots, state, strict=True)} for state in found.states]


def observations(model: Model, options: Options) -> set:
    recorder = Recorder()
    verify(model, "seen", options=options, solver=recorder)
    return recorder.seen


def once(area):
    while True:
        a = yield area.load(0, 1)
        yield observe("seen", a=a)


def once_and_forgets(area):
    while True:
        a = yield area.load(0, 1)
        yield observe("seen", a=a).forgetting(a)


def test_a_register_holds_nothing_before_its_first_load():
    tables = build_tables(System(beside_a_writer(once), frozenset({"seen"})))
    start = {slot.name: value for slot, value in zip(tables.slots, tables.initial, strict=True)}
    assert start["reader.r0.a[0:1]"] == -1
    assert start["reader.r0.a[0:1].form"] == 0
    assert start["a[0:1]"] == 0


def test_a_register_that_was_not_loaded_is_older_than_nothing():
    # Once it is stored the new stamp is the only one, so of rank 0: an empty register that counted would make it 1.
    m = Model("unloaded")
    area, newest, go = m.area(Area("a", 1)), m.stamp("newest"), m.bool("go")

    def reader():
        yield shared("waits for ever", when=go)
        a = yield area.load(0, 1)
        yield observe("seen", a=a)

    def writer():
        yield fresh(newest)
        yield area.store(0, 1, newest)

    m.process("writer", writer)
    m.process("reader", reader)
    m.observation("seen", ACCOUNT)
    assert {(s["reader.r0.a[0:1]"], s["a[0:1]"], s["newest"]) for s in full(m)} == {(-1, 0, 0), (-1, 0, 1)}


def test_forgetting_leaves_the_register_empty_until_the_next_load():
    kept, forgotten = full(beside_a_writer(once)), full(beside_a_writer(once_and_forgets))
    resting = [s for s in forgotten if s["reader.pc"] == 0]
    assert {(s["reader.r0.a[0:1]"], s["reader.r0.a[0:1].form"]) for s in resting} == {(-1, 0)}
    # The writer is about to make a version, to store it marked, or to store it again.
    assert {(s["writer.pc"], s["a[0:1]"], s["a[0:1].form"], s["newest"]) for s in resting} == {
        (0, 0, 0, 0), (1, 0, 0, 1), (2, 0, 1, 0)}
    # Everywhere else it holds what was loaded, in the same states as without forgetting.
    loaded = [{frozenset(s.items()) for s in states if s["reader.pc"] != 0} for states in (kept, forgotten)]
    assert loaded[0] == loaded[1]
    assert len(loaded[0]) == 11
    assert len(forgotten) == 3 + 11
    assert len(kept) == 3 + 11 + 11  # at rest it keeps what it observed


@pytest.mark.parametrize("options", [Options(), Options(without=frozenset(REDUCTIONS))], ids=["reduced", "full"])
def test_what_the_same_step_observes_is_still_seen(options):
    kept = observations(beside_a_writer(once), options)
    assert observations(beside_a_writer(once_and_forgets), options) == kept
    assert {observation.seen[0].bytes for observation in kept} == {((0, 0, ""),), ((0, 0, "marked"),)}


def test_a_comparison_looks_before_it_forgets_in_either_answer():
    def reader(area):
        a = yield area.load(0, 1)
        yield rmb()
        b = yield area.load(0, 1)
        if (yield equal(a, b).forgetting(a, b)):
            yield reach("equal")
        else:
            yield reach("different")
        c = yield area.load(0, 1)
        if (yield has_variant(c, "marked").forgetting(c)):
            yield reach("marked")

    m = beside_a_writer(reader)
    m.properties.clear()
    m.observation("seen", ACCOUNT, witnesses=("equal", "different", "marked"))
    tables = build_tables(System(m, frozenset({"seen"})))
    found = search(tables, Bounds(), Goals(), ample=False)
    reached = set()
    for state in found.states:
        values = {slot.name: value for slot, value in zip(tables.slots, state, strict=True)}
        table = tables.processes[1]
        for step in table.steps[values["reader.pc"]]:
            if step.moves[0].reaches:
                reached.update(step.moves[0].reaches)
                assert [values[f"reader.r{i}.a[0:1]"] for i in (0, 1)] == [-1, -1]
                assert [values[f"reader.r{i}.a[0:1].form"] for i in (0, 1)] == [0, 0]
    assert reached == {"equal", "different", "marked"}


def test_forgetting_waits_for_the_load():
    def reader(area):
        a = yield area.load(0, 1)
        yield reach("dropped").forgetting(a)
        yield reach("end")

    m = beside_a_writer(reader)
    space = System(m, frozenset()).spaces[1]
    assert [edge.kind for edge in space.edges(space.start)] == ["perform"]
    (load,) = space.edges(space.start)
    (drop,) = space.edges(load.target)
    assert [(slot.name, value.value) for slot, value in drop.updates] == [
        ("reader.r0.a[0:1]", -1), ("reader.r0.a[0:1].form", 0)]


def test_a_register_is_not_given_away_before_it_is_forgotten():
    def reader(area):
        a = yield area.load(0, 1)
        yield rmb()
        b = yield area.load(0, 1)  # a is only forgotten below, never compared, and still keeps its register
        yield rmb()
        yield reach("dropped").forgetting(a, b)
        c = yield area.load(0, 1)
        yield rmb()
        yield reach("again").forgetting(c)

    machine = System(beside_a_writer(reader), frozenset()).spaces[1].machine
    assert [node.register for node in machine.nodes if node.register >= 0] == [0, 1, 0]


def test_several_calls_of_forgetting_add_up():
    def reader(area):
        a = yield area.load(0, 1)
        b = yield area.load(0, 1)
        yield reach("dropped").forgetting(a).forgetting(b, a)

    machine = System(beside_a_writer(reader), frozenset()).spaces[1].machine
    action = next(node.action for node in machine.nodes if node.action is not None and node.action.reaches)
    assert [register.index for register in action.forgets] == [0, 1]


def test_shared_and_observe_may_forget_and_others_may_not():
    area = Area("a", 1)
    lock = SpinLock("lock")
    slot = Model("x").bool("x")
    for refused in (lock.lock(), fence("smp_wmb"), area.load(0, 1), check(slot, "p"), choose("c", 1, 2)):
        with pytest.raises(SpecError, match="cannot forget"):
            refused.forgetting()
    for allowed in (assign(slot, 1), reach("x")):
        assert allowed.forgetting() == allowed
    with pytest.raises(SpecError, match=r"forgetting\(\) takes loaded values, and got 3"):
        assign(slot, 1).forgetting(3)


def test_a_value_used_after_it_was_forgotten_is_an_error_of_the_spec():
    def reader(area):
        a = yield area.load(0, 1)
        yield reach("dropped").forgetting(a)
        yield observe("seen", a=a)

    with pytest.raises(SpecError, match=r"test_forgetting.py:\d+: process 'reader' forgets a loaded value at"):
        build_tables(System(beside_a_writer(reader), frozenset({"seen"})))


def test_only_what_started_as_nothing_may_be_set_to_nothing():
    m = Model("numbers")
    newest = m.stamp("newest")

    def body():
        yield assign(newest, -1)

    m.process("p", body)
    m.assertion("x")
    with pytest.raises(SpecError, match="newest is a stamp"):
        build_tables(System(m, frozenset({"x"})))

"""Summaries: observers beside one see what they see beside the sources, and a path beside one replays beside them."""

from __future__ import annotations

from modelcheck import Area, Model, Values, assign, check, fresh, observe, progress, smp_wmb, wait
from modelcheck.action import test as ask
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.expression import Const
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
SUMMARY = Options(without=frozenset(REDUCTIONS) - {"summary"})


def violated_where(condition) -> Values:
    """Calls an observation a violation by the versions of its loaded bytes, oldest 0; values do not matter."""

    def violated(z3, versions, observation, byte):
        return z3.BoolVal(condition(*(seen.bytes[0][1] for seen in observation.seen)))

    return Values(
        "test",
        (("a", 0, 1),),
        lambda z3, version, offset, form: version["a"],
        lambda z3, versions: [],
        violated,
        lambda z3, versions: [],
        lambda *args: ("", ()),
    )


def replayed(model: Model, outcome) -> Run:
    run = Run(System(model, frozenset(model.properties)))
    for process, choice in outcome.steps:
        run.take(run.find(process, choice))
    return run


def two_stores(label: str = "look", texts: tuple[str, str] = ("one", "two"), witnesses: tuple[str, ...] = ()) -> Model:
    """Two sources with equal updates; the reader breaks the property when it sees a new version after the old."""
    m = Model("s")
    area, never, s = m.area(Area("mem", 1)), m.bool("never"), m.stamp("s")

    def blocked():
        yield wait(never)
        yield area.store(0, 1, s, text=texts[0])
        yield smp_wmb()
        yield wait(never)

    def writes():
        yield ask(never, label)
        yield fresh(s)
        yield ask(never, label)
        yield area.store(0, 1, s, text=texts[1]).reaching("stored")
        yield smp_wmb()
        yield wait(never)

    def reads():
        before = yield area.load(0, 1)
        after = yield area.load(0, 1)
        yield observe("fresh", before=before, after=after)

    m.process("blocked", blocked)
    m.process("writes", writes)
    m.process("reads", reads)
    m.observation("fresh", violated_where(lambda before, after: before != after), witnesses=witnesses)
    return m


def test_undo_gives_a_path_of_the_sources_that_replays():
    model = two_stores(texts=("store", "store"))
    outcome = verify(model, "fresh", options=SUMMARY)
    assert outcome.verdict == "violated"
    assert replayed(model, outcome).steps[-1].edge.kind == "observe"
    assert next(choice for process, choice in outcome.steps if process == 1) == "look -> False"


def test_a_second_system_with_equal_control_is_told_with_its_own_labels():
    for label in ("first", "second"):
        model = two_stores(label, texts=("store", "store"))
        outcome = verify(model, "fresh")
        assert (label, outcome.verdict) == (label, "violated")
        assert f"{label} -> False" in [choice for _, choice in outcome.steps]


def test_two_sources_with_equal_updates_keep_their_own_texts():
    model = two_stores("texts")
    outcome = verify(model, "fresh")
    assert outcome.verdict == "violated"
    assert "two bytes 0-0" in [choice for _, choice in outcome.steps]


def test_a_witness_inside_a_region_is_found():
    m = Model("w")
    flag, never = m.bool("flag"), m.bool("never")

    def blocked():
        yield wait(never)
        yield assign(flag, 1)

    def sets():
        yield assign(flag, 1).reaching("set")

    def other():
        yield assign(never, 0)

    def polls():
        while not (yield ask(flag)):
            yield progress()

    for body in (blocked, sets, other, polls):
        m.process(body.__name__, body)
    m.terminates("ends", "polls", Const(1), witnesses=("set",))
    for options in (FULL, SUMMARY, Options()):
        assert verify(m, "ends", options=options).verdict == "holds"


def test_an_observer_that_waits_for_a_slot_the_sources_decide_on_is_not_cut_off():
    m = Model("c")
    area, ready, s = m.area(Area("mem", 1)), m.bool("ready"), m.stamp("s")

    def writes():
        yield assign(ready, 1)
        yield ask(ready)
        yield fresh(s)
        yield area.store(0, 1, s)

    def reads():
        yield wait(ready)
        before = yield area.load(0, 1)
        after = yield area.load(0, 1)
        yield observe("fresh", before=before, after=after)

    m.process("writes", writes)
    m.process("reads", reads)
    m.observation("fresh", violated_where(lambda before, after: before != after))
    for options in (FULL, SUMMARY, Options()):
        assert verify(m, "fresh", options=options).verdict == "violated"


def test_what_another_source_does_in_the_midst_of_a_region_is_seen():
    m = Model("r", compiler="program")
    area, s = m.area(Area("mem", 2)), m.stamp("s")

    def stores():
        yield area.store(0, 1, s)
        yield area.store(1, 2, s)
        yield smp_wmb()
        yield wait(Const(0))

    def renews():
        yield fresh(s)

    def reads():
        high = yield area.load(1, 2)
        low = yield area.load(0, 1)
        yield observe("same", high=high, low=low)

    for body in (stores, renews, reads):
        m.process(body.__name__, body)
    m.observation("same", violated_where(lambda high, low: high > low))
    for options in (FULL, SUMMARY, Options()):
        assert verify(m, "same", options=options).verdict == "violated"


def test_a_witness_in_a_process_of_no_influence_is_found():
    m = Model("w")
    x, y = m.bool("x"), m.bool("y")

    def checks():
        yield assign(x, 1)
        yield check(x, "set")

    def apart():
        yield assign(y, 1).reaching("apart")

    m.process("checks", checks)
    m.process("apart", apart)
    m.assertion("set", witnesses=("apart",))
    assert [verify(m, "set", options=o).verdict for o in (FULL, Options())] == ["holds", "holds"]


def test_a_summary_is_not_made_where_what_is_written_is_also_decided_on():
    m = Model("s")
    area, newest, old = m.area(Area("mem", 1)), m.stamp("newest"), m.stamp("old")

    def writes():
        while True:
            yield fresh(newest)
            yield ask(newest.eq(old))
            yield area.store(0, 1, newest)
            yield smp_wmb()

    def reads():
        before = yield area.load(0, 1)
        yield smp_wmb()
        after = yield area.load(0, 1)
        yield observe("same", before=before, after=after)

    m.process("writes", writes)
    m.process("reads", reads)
    m.observation("same", violated_where(lambda before, after: before < after))
    assert [verify(m, "same", options=options).verdict for options in (FULL, SUMMARY, Options())] == ["violated"] * 3

"""What each action does, as a tiny model that a search decides; and what misuse of it says."""

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
    sleep_point,
    smp_mb,
    smp_rmb,
    smp_wmb,
    wait,
)
from modelcheck.action import test as ask
from modelcheck.explore.verify import REDUCTIONS, Options, verify

FULL = Options(without=frozenset(REDUCTIONS))


@pytest.fixture(params=[Options(), FULL], ids=["reduced", "full"])
def options(request):
    return request.param


def one(body, *args) -> Model:
    m = Model("one")
    m.process("p", body, *args)
    m.assertion("ok")
    m.deadlock()
    m.sleep_in_atomic()
    return m


class Recorder:
    unknown = 0

    def __init__(self) -> None:
        self.seen = set()

    def possible(self, observation) -> bool:
        self.seen.add(observation)
        return False


def observations(model: Model, name: str, options: Options) -> set:
    """The versions by loaded value of each distinct observation, with its facts' outcomes."""
    model.observation(name, Values("none", (), None, None, None, None, None))
    recorder = Recorder()
    verify(model, name, options=options, solver=recorder)
    return {
        (tuple(tuple(b[1:] for b in seen.bytes) for seen in o.seen), tuple(f.outcome for f in o.facts))
        for o in recorder.seen
    }


def test_assign_sets_one_slot_and_leaves_the_others(options):
    m = Model("assign")
    x, y = m.range("x", 0, 5, 1), m.range("y", 0, 5, 2)

    def body():
        yield assign(x, y + 3)
        yield check(x.eq(5) & y.eq(2), "ok")
        yield check(x.eq(4), "not")

    m.process("p", body)
    m.assertion("ok")
    m.assertion("not")
    assert verify(m, "ok", options=options).verdict == "holds"
    assert verify(m, "not", options=options).verdict == "violated"


def test_shared_reads_everything_before_it_writes(options):
    m = Model("swap")
    x, y = m.range("x", 0, 5, 1), m.range("y", 0, 5, 2)

    def body():
        yield shared("swap", (x, y), (y, x))
        yield check(x.eq(2) & y.eq(1), "ok")

    m.process("p", body)
    m.assertion("ok")
    assert verify(m, "ok", options=options).verdict == "holds"


def test_shared_waits_until_its_condition_holds(options):
    m = Model("when")
    x, go = m.bool("x"), m.bool("go")

    def body():
        yield shared("x", (x, 1), when=go)
        yield check(go, "ok")

    def starts():
        yield assign(go, 1)

    m.process("p", body)
    m.process("q", starts)
    m.assertion("ok", witnesses=())
    m.invariant("later", ~x | go)
    assert [verify(m, name, options=options).verdict for name in ("ok", "later")] == ["holds", "holds"]


def test_a_local_slot_exists_once_for_each_process(options):
    m = Model("local")
    mine = m.local(m.range("mine", 0, 1))

    def body():
        yield check(mine.eq(0), "ok")
        yield assign(mine, 1)

    m.process("p", body)
    m.process("q", body)
    m.assertion("ok")
    assert verify(m, "ok", options=options).verdict == "holds"


def test_fresh_stamps_are_newer_than_every_live_one_of_their_sort(options):
    m = Model("fresh")
    a, b, other = m.stamp("a"), m.stamp("b"), m.stamp("other", "else")

    def body():
        while True:
            yield fresh(a)
            yield check(b.lt(a), "newer")
            yield assign(b, a)
            yield check(b.eq(a), "newer")

    def elsewhere():
        yield fresh(other)

    m.process("p", body)
    m.process("q", elsewhere)
    m.assertion("newer")
    assert verify(m, "newer", options=options).verdict == "holds"


def test_fresh_names_differ_from_every_live_one(options):
    m = Model("names")
    a, b = m.name_of("a", "seq"), m.name_of("b", "seq")

    def body():
        yield check(a.eq(b), "new")
        while True:
            yield fresh(a)
            yield check(a.ne(b), "new")
            yield assign(b, a)

    m.process("p", body)
    m.assertion("new")
    outcome = verify(m, "new", options=FULL)
    assert (outcome.verdict, outcome.bound) == ("holds", "")


def test_ask_answers_what_holds_at_its_step(options):
    m = Model("ask")
    x = m.bool("x")

    def body():
        if (yield ask(x)):
            yield check(x, "ok")
        else:
            yield check(~x, "stale")

    def sets():
        yield assign(x, 1)

    m.process("p", body)
    m.process("q", sets)
    m.assertion("ok")
    m.assertion("stale")
    assert verify(m, "ok", options=options).verdict == "holds"
    assert len(verify(m, "stale", options=options).steps) == 3  # asked, set, checked


def test_wait_blocks_until_and_unless(options):
    m = Model("wait")
    x = m.bool("x")

    def body():
        yield wait(x)
        yield check(x, "ok")

    m.process("p", body)
    m.assertion("ok", witnesses=())
    m.deadlock()
    assert verify(m, "deadlock", options=options).stuck == (0,)
    assert verify(m, "ok", options=options).verdict == "holds"


def test_a_check_of_another_property_stops_nobody(options):
    def body():
        yield check(x.eq(1), "ok")
        yield check(x.eq(2), "other")

    m = one(body)
    x = m.range("x", 0, 2)
    m.assertion("other")
    assert len(verify(m, "other", options=options).steps) == 2  # the first passes, the second breaks
    assert len(verify(m, "ok", options=options).steps) == 1
    assert verify(m, "deadlock", options=options).verdict == "holds"


def test_choose_explores_every_answer(options):
    m = Model("choose")
    x = m.range("x", 0, 3)

    def body():
        answer = yield choose("which", 0, 1, 3)
        yield assign(x, answer)

    m.process("p", body)
    for value in range(4):
        m.invariant(f"not {value}", x.ne(value))
    assert [verify(m, f"not {value}", options=options).verdict for value in (1, 2, 3)] == [
        "violated",
        "holds",
        "violated",
    ]


def test_reach_is_evidence_and_does_nothing_else(options):
    m = Model("reach")
    x = m.bool("x")

    def body():
        yield reach("begun")
        if (yield ask(x)):
            yield reach("gone")

    m.process("p", body)
    m.assertion("a", witnesses=("begun",))
    m.assertion("b", witnesses=("begun", "gone"))

    def checks():
        yield check(x.eq(0), "a")
        yield check(x.eq(0), "b")

    m.process("q", checks)
    assert (verify(m, "a", options=FULL).verdict, verify(m, "b", options=FULL).verdict) == ("holds", "vacuous")
    assert verify(m, "b", options=options).verdict == "vacuous"


def test_sleep_point_is_forbidden_while_atomic(options):
    lock = SpinLock("s")

    def body():
        yield sleep_point("fine")
        yield lock.lock()
        yield sleep_point("wrong")
        yield lock.unlock()

    outcome = verify(one(body), "sleep-in-atomic", options=options)
    assert outcome.steps[-1] == (0, "wrong sleeps")
    assert verify(one(body), "deadlock", options=options).verdict == "holds"


@pytest.mark.parametrize("barrier", [smp_wmb(), smp_rmb(), smp_mb(), rmb(), fence("barrier")], ids=lambda a: a.fence)
def test_every_fence_waits_for_the_accesses_before_it(barrier, options):
    def model(*between):
        m = Model("fence")
        area, s = m.area(Area("mem", 2)), m.stamp("s")

        def writes():
            yield fresh(s)
            yield area.store(0, 1, s)
            yield from between
            yield area.store(1, 2, s)

        def reads():
            second = yield area.load(1, 2)
            first = yield area.load(0, 1)
            yield observe("seen", second=second, first=first)

        m.process("w", writes)
        m.process("r", reads)
        return {versions for versions, _ in observations(m, "seen", options)}

    torn = (((1, ""),), ((0, ""),))  # the second is new, the first still old
    assert torn in model()
    assert torn not in model(barrier)


def test_equal_explores_both_outcomes_of_different_versions_and_one_of_equal_ones(options):
    m = Model("equal")
    area, s = m.area(Area("mem", 1)), m.stamp("s")

    def writes():
        yield fresh(s)
        yield area.store(0, 1, s)

    def reads():
        a = yield area.load(0, 1)
        b = yield area.load(0, 1)
        yield equal(a, b)
        yield observe("seen", a=a, b=b)

    m.process("w", writes)
    m.process("r", reads)
    same, differ = (((0, ""),), ((0, ""),)), (((0, ""),), ((1, ""),))
    assert observations(m, "seen", options) == {(same, (True,)), (differ, (True,)), (differ, (False,))}


def test_has_variant_is_the_form_a_store_gave(options):
    m = Model("variant")
    area, s = m.area(Area("mem", 2, marked=frozenset({0}))), m.stamp("s")

    def writes():
        yield area.store(0, 1, s, "flag")
        yield smp_wmb()
        yield area.store(1, 2, s, "flag")

    def reads():
        a = yield area.load(0, 1)
        b = yield area.load(1, 2)
        yield has_variant(a, "flag")
        yield has_variant(b, "flag")
        yield observe("seen", a=a, b=b)

    m.process("w", writes)
    m.process("r", reads)
    plain, flagged = (((0, ""),), ((0, ""),)), (((0, "flag"),), ((0, ""),))
    assert {versions for versions, _ in observations(m, "seen", options)} == {plain, flagged}


def test_observe_hands_over_the_bytes_by_name_and_keeps_their_order(options):
    m = Model("observe")
    area = m.area(Area("mem", 4))

    def reads():
        high = yield area.load(2, 4)
        low = yield area.load(0, 1)
        yield observe("seen", high=high, low=low)

    m.process("r", reads)
    recorder = Recorder()
    m.observation("seen", Values("none", (), None, None, None, None, None))
    verify(m, "seen", options=options, solver=recorder)
    (observation,) = recorder.seen
    assert [(s.name, s.lo, s.hi) for s in observation.seen] == [("high", 2, 4), ("low", 0, 1)]
    assert observation.named("high").bytes == ((2, 0, ""), (3, 0, ""))


# -- misuse -----------------------------------------------------------------------------------------------------


def test_misuse_is_told_in_one_sentence():
    area, stamp = Area("mem", 4), Model("m").stamp("s")
    with pytest.raises(SpecError, match=r"choose\('which'\) has no options; give at least one"):
        choose("which")
    with pytest.raises(SpecError, match=r"a load of bytes 3\.\.5 of mem, which has 4; load inside the area"):
        area.load(3, 5)
    with pytest.raises(SpecError, match=r"a store of bytes 2\.\.2 of mem stores nothing; give the smaller end first"):
        area.store(2, 2, stamp)
    for who, act in (
        ("equal", lambda: equal(1, 2)),
        ("has_variant", lambda: has_variant(None, "f")),
        ("observe", lambda: observe("o", a=3)),
    ):
        with pytest.raises(
            SpecError, match=rf"{who}\(\) takes loaded values, and got .*; pass what a yielded load answered"
        ):
            act()


def test_a_loaded_value_has_no_truth():
    m = Model("truth")
    area = m.area(Area("mem", 1))

    def body():
        if (yield area.load(0, 1)):
            yield reach("never")

    m.process("p", body)
    m.deadlock()
    with pytest.raises(SpecError, match=r"a loaded value has no truth value; yield equal\(a, b\) or has_variant"):
        verify(m, "deadlock")


@pytest.mark.parametrize(
    "declared",
    [
        "mem",
        "",
    ],
)
def test_an_access_to_an_undeclared_area_is_refused(declared):
    m = Model("area")
    if declared:
        m.area(Area(declared, 1))

    def body():
        yield Area("elsewhere", 1).load(0, 1)

    m.process("p", body)
    m.deadlock()
    with pytest.raises(
        SpecError, match=r"an access to area 'elsewhere', which is not declared; there are " + (declared or "none")
    ):
        verify(m, "deadlock")


def test_declarations_come_once_and_hosts_first():
    m = Model("twice")
    m.area(Area("mem", 1))
    m.process("p", lambda: iter(()))
    m.deadlock()
    for again, text in (
        (lambda: m.area(Area("mem", 1)), "area 'mem'"),
        (lambda: m.process("p", lambda: iter(())), "process 'p'"),
        (m.deadlock, "property 'deadlock'"),
    ):
        with pytest.raises(SpecError, match=f"{text} is declared twice; give the second another name"):
            again()
    with pytest.raises(SpecError, match="process 'q' preempts 'r', which is not declared; declare the host first"):
        m.process("q", lambda: iter(()), host="r")


def test_labels_name_step_and_function_without_changing_what_is_done():
    action = assign(Model("m").bool("x"), 1)
    named = action.at("G8", "update").as_("x is set").reaching("set", "done")
    assert (named.step, named.function, named.label, named.reaches) == ("G8", "update", "x is set", ("set", "done"))
    assert (named.branches, named.kind) == (action.branches, action.kind)

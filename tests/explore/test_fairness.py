"""`eventually`: what every run that is weakly fair to some processes comes to."""

from __future__ import annotations

import pytest
from naive_interpreter import IDLE, Naive
from random_systems import TOP, Grammar, model_of, seeded

from modelcheck import Area, Model, SpecError, SpinLock, assign, choose, decide, fresh, reach, sleep_point, wait
from modelcheck import value as value_of
from modelcheck.action import test as ask
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import Engine, native_missing
from modelcheck.explore.lasso import Lasso, lasso_of
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
WITHOUT = [frozenset(), *(frozenset({r}) for r in REDUCTIONS), *(frozenset(REDUCTIONS) - {r} for r in REDUCTIONS)]
ENGINES = [Engine(), *([] if native_missing() else [Engine("native")])]


def shown(outcome) -> tuple[list[str], int]:
    return [choice for _, choice in outcome.steps], outcome.loop


def reach_once():
    yield reach("guest")


def flag_model(fair: tuple[str, ...], clears: bool = True, steps: int = 0) -> Model:
    """One process sets a flag and clears it, for ever; another spins beside it."""
    m = Model("flag")
    flag, other = m.bool("flag"), m.bool("other")

    def writer():
        while True:
            yield assign(flag, 1)
            if clears:
                yield assign(flag, 0)

    def spinner():
        while True:
            yield assign(other, 1)
            yield assign(other, 0)

    m.process("writer", writer)
    m.process("spinner", spinner)
    m.eventually("cleared", flag.eq(0), "the flag is cleared", fair=fair, when=flag.eq(1))
    return m


def test_a_fair_process_that_can_clear_the_flag_does():
    assert verify(flag_model(("writer",)), "cleared").verdict == "holds"


def test_a_process_that_is_not_fair_may_stop_with_the_flag_set():
    outcome = verify(flag_model(()), "cleared")
    assert (outcome.verdict, *shown(outcome), outcome.stuck) == ("violated", ["flag = 1"], 0, ())


def test_fairness_to_another_process_does_not_help():
    outcome = verify(flag_model(("spinner",)), "cleared")
    assert (outcome.verdict, *shown(outcome)) == ("violated", ["flag = 1", "other = 1", "other = 0"], 2)


def test_a_fair_process_that_never_clears_the_flag_is_a_loop():
    outcome = verify(flag_model(("writer",), clears=False), "cleared")
    assert (outcome.verdict, *shown(outcome)) == ("violated", ["flag = 1", "flag = 1"], 1)


def handshake(lock: bool) -> Model:
    """A waiter spins on a flag; a setter takes a lock that a hog holds again and again."""
    m = Model("starve")
    flag, held = m.bool("flag"), SpinLock("lock")

    def waiter():
        while not (yield ask(flag)):
            pass

    def setter():
        if lock:
            yield held.lock()
        yield assign(flag, 1)

    def hog():
        while True:
            yield held.lock()
            yield held.unlock()

    for body in (waiter, setter, hog):
        m.process(body.__name__, body)
    m.eventually("set", flag.eq(1), fair=("waiter", "setter", "hog"))
    return m


def test_weak_fairness_lets_a_lock_be_taken_by_another_for_ever():
    assert verify(handshake(False), "set").verdict == "holds"
    outcome = verify(handshake(True), "set")
    assert (outcome.verdict, *shown(outcome)) == (
        "violated", ["flag? -> False", "spin_lock(lock)", "spin_unlock(lock)"], 3)


def test_a_fair_process_that_waits_for_ever_may_be_left_waiting():
    m = Model("wait")
    gate, done = m.bool("gate"), m.bool("done")

    def waits():
        yield wait(gate)
        yield assign(done, 1)

    m.process("waits", waits)
    m.eventually("done", done.eq(1), fair=("waits",))
    outcome = verify(m, "done")
    assert (outcome.verdict, *shown(outcome), outcome.stuck) == ("violated", [], 0, (0,))


def test_only_states_where_when_holds_ask_for_the_goal():
    m = Model("when")
    asked, goal = m.bool("asked"), m.bool("goal")

    def goes():
        if (yield choose("ask?", True, False)):
            yield assign(asked, 1)
            yield assign(goal, 1)

    m.process("goes", goes)
    m.eventually("asked", goal.eq(1), fair=("goes",), when=asked.eq(1))
    m.eventually("always", goal.eq(1), fair=("goes",))
    assert verify(m, "asked").verdict == "holds"
    assert verify(m, "always").verdict == "violated"


def test_the_goal_need_be_reached_once_only():
    m = Model("once")
    goal = m.bool("goal")

    def goes():
        yield assign(goal, 1)
        yield assign(goal, 0)

    m.process("goes", goes)
    m.eventually("first", goal.eq(1), fair=("goes",))  # asked again where it is 0 again
    outcome = verify(m, "first")
    assert (outcome.verdict, *shown(outcome)) == ("violated", ["goal = 1", "goal = 0"], 0)


def nested(fair: tuple[str, ...], ends: bool = True) -> Model:
    """The host raises a flag, may be preempted with it up, and clears it; the guest needs the host for nothing."""
    m = Model("nested")
    up, never = m.bool("up"), m.bool("never")

    def host():
        while True:
            yield assign(up, 1)
            yield sleep_point("point", preemptible=True)
            yield assign(up, 0)

    def guest():
        yield reach("guest")
        if not ends:
            yield wait(never)

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.eventually("down", up.eq(0), fair=fair, when=up.eq(1))
    return m


def test_a_host_that_stands_still_is_not_enabled_and_its_guest_may_stop():
    outcome = verify(nested(("host",)), "down")
    assert (outcome.verdict, *shown(outcome), outcome.stuck) == ("violated", ["up = 1", "preempt"], 0, (0,))


def test_limit_a_host_preempted_at_one_point_again_and_again_is_owed_no_step():
    """Weak fairness owes a step to who stays enabled; a host does not while its guest runs."""
    outcome = verify(nested(("host", "guest")), "down")
    assert (outcome.verdict, *shown(outcome)) == ("violated", ["up = 1", "preempt", "reach guest", "resume"], 3)


def test_a_host_and_guest_that_cannot_be_preempted_meanwhile_go_on():
    m = Model("irq")
    up, lock = m.bool("up"), SpinLock("lock")

    def host():
        while True:
            yield sleep_point("point", preemptible=True)
            yield lock.lock()
            yield assign(up, 1)
            yield assign(up, 0)
            yield lock.unlock()

    m.process("host", host)
    m.process("guest", reach_once, host="host", where="anywhere")
    m.eventually("down", up.eq(0), fair=("host", "guest"), when=up.eq(1))
    assert verify(m, "down").verdict == "holds"


def test_a_fair_guest_that_waits_for_ever_stops_its_host():
    outcome = verify(nested(("host", "guest"), ends=False), "down")
    assert (outcome.verdict, shown(outcome)[0][:2]) == ("violated", ["up = 1", "preempt"])


def test_a_guest_owes_no_start():
    """A process that a host waits for is not made to preempt it, though it could all the time."""
    m = Model("start")
    flag = m.bool("flag")

    def host():
        while not (yield ask(flag)):
            yield sleep_point("point", preemptible=True)

    def guest():
        yield assign(flag, 1)

    m.process("host", host)
    m.process("guest", guest, host="host")
    m.eventually("set", flag.eq(1), fair=("host", "guest"))
    outcome = verify(m, "set")
    assert (outcome.verdict, *shown(outcome)) == ("violated", ["flag? -> False", "point"], 2)


def test_a_loop_that_makes_versions_for_ever_closes_up_to_their_names():
    m = Model("versions")
    newest, kept, flag = m.stamp("newest"), m.stamp("kept"), m.bool("flag")

    def renews():
        while True:
            yield fresh(newest)
            if (yield ask(kept.lt(newest))):
                yield assign(kept, newest)

    m.process("renews", renews)
    m.eventually("set", flag.eq(1), fair=("renews",))
    outcome = verify(m, "set")
    assert (outcome.verdict, outcome.loop) == ("violated", 3)


@pytest.mark.parametrize(("fair", "verdict"), [((), "violated"), (("stores",), "holds")])
def test_a_buffered_store_is_a_step_of_its_process(fair, verdict):
    m = Model("buffer", memory="tso")
    flag, seen = m.number("flag", 0, 1), m.bool("seen")

    def stores():
        yield flag.write(1)

    def looks():
        while not (yield ask(seen)):
            value = yield flag.read()
            if (yield decide(value_of(value).eq(1))):
                yield assign(seen, 1)

    m.process("stores", stores)
    m.process("looks", looks)
    m.eventually("seen", seen.eq(1), fair=(*fair, "looks"))
    assert verify(m, "seen").verdict == verdict


def test_a_witness_never_reached_makes_the_verdict_vacuous():
    m = flag_model(("writer",))
    m.eventually("again", m.bool("flag").eq(0), fair=("writer",), when=m.bool("flag").eq(1), witnesses=("gone",))
    assert verify(m, "again").verdict == "vacuous"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_condition_that_never_holds_makes_the_verdict_vacuous(engine):
    m = flag_model(("writer",), clears=False)
    up, never = m.bool("flag"), m.bool("never")
    m.eventually("never asked", up.eq(0), fair=("writer",), when=never.eq(1))
    m.eventually("asked at the goal", up.eq(0), fair=("writer",), when=up.eq(0))
    assert verify(m, "never asked", options=Options(engine=engine)).verdict == "vacuous"
    assert m.properties["never asked"].witnesses == ("a state that asks for the goal",)
    assert verify(m, "asked at the goal", options=Options(engine=engine)).verdict == "holds"


def test_fairness_to_no_process_of_the_model_is_refused():
    with pytest.raises(SpecError, match="is fair to 'writr', which is no process; there are writer, spinner"):
        verify(flag_model(("writr",)), "cleared")


def test_the_loop_of_a_projection_closes_in_the_full_model():
    """What the search leaves out, bytes and a slot that nobody reads, takes a turn to come to what repeats."""
    def model(carried=None) -> Model:
        m = Model("bytes")
        m.area(Area("mem", 8, carried=carried))
        version, kept, flag = m.stamp("version"), m.stamp("kept", "update"), m.bool("flag")

        def stores():
            area = Area("mem", 8)
            yield assign(kept, version)
            while True:
                yield fresh(version)
                yield area.store(0, 8, version)

        m.process("stores", stores)
        m.eventually("set", flag.eq(1), fair=("stores",))
        return m

    outcome = verify(model(frozenset()), "set", full=model)
    assert outcome.verdict == "violated"
    run = Run(System(model(), frozenset({"set"})))
    for process, choice in outcome.steps:
        run.take(run.find(process, choice))
    assert lasso_of(run, model().properties["set"]) == Lasso(len(outcome.steps), outcome.loop)
    assert (len(outcome.steps), outcome.loop) == (5, 2)


def test_a_bound_is_incomplete_also_after_the_search():
    class Late:
        """Time is up when the search is over."""

        def __init__(self, calls: int) -> None:
            self.calls = calls

        def __call__(self) -> float:
            self.calls -= 1
            return 0.0 if self.calls > 0 else 2.0

    outcome = verify(flag_model(()), "cleared", Bounds(deadline=1.0, clock=Late(2)), FULL)
    assert (outcome.verdict, outcome.bound) == ("incomplete", "the time bound")


# -- against an oracle of its own -------------------------------------------------------------------------------


def naive_verdict(naive: Naive, fair: tuple[int, ...], goal, when) -> str:
    """The verdict by a greatest fixed point on states as they are: runs fair to `fair`, from where `when` holds.

    Stopping is a step of nobody, so every run is infinite; a fair process steps or is not enabled again and again.
    """
    states = list(naive.states)

    def value(state, name):
        return state[2][naive.names[name]] if name in naive.names else 0

    def enabled(n, p):
        return states[n][0][p] != IDLE and any(q == p for q, _ in naive.edges[n])

    stay = {n for n in range(len(states)) if not goal(lambda name, n=n: value(states[n], name))}
    asked = {n for n in stay if when(lambda name, n=n: value(states[n], name))}
    while True:
        kept = set(stay)
        for p in fair:
            good = {n for n in stay if not enabled(n, p) or any(q == p and t in stay for q, t in naive.edges[n])}
            grown = True
            while grown:
                more = {n for n in stay - good if any(t in good for _, t in naive.edges[n])}
                good |= more
                grown = bool(more)
            kept &= good
        if kept == stay:
            break
        stay = kept
    todo, met = list(asked), set(asked)
    while todo:
        n = todo.pop()
        if n in stay:
            return "violated"
        avoiding = {t for _, t in naive.edges[n] if not goal(lambda name, t=t: value(states[t], name))}
        todo += avoiding - met
        met |= avoiding
    return "holds" if any(when(lambda name, s=s: value(s, name)) for s in states) else "vacuous"


@pytest.mark.parametrize("chunk", range(3))
def test_every_reduction_and_engine_gives_the_oracles_verdict_on_random_systems(chunk):
    grammar = Grammar(("var", "lock", "stamp", "sleep") if chunk % 2 else ("var", "lock"), nested=True)
    seen = []
    for seed in range(8000 + 40 * chunk, 8040 + 40 * chunk):
        programs = grammar.system(seeded(seed))
        naive = Naive(programs, checks=False)
        if not naive.explore(3000):
            continue
        m = model_of(programs)
        v0, v1 = m.range("v0", 0, TOP), m.range("v1", 0, TOP)
        fair = [tuple(range(len(programs))), (0,), (1,)][seed % 3]
        m.eventually("set", v0.eq(1), fair=tuple(f"p{i}" for i in fair), when=v1.eq(seed % 2))
        wanted = naive_verdict(naive, fair, lambda get: get("v0") == 1, lambda get, seed=seed: get("v1") == seed % 2)
        lengths = set()
        for engine in ENGINES:
            for without in WITHOUT if engine == ENGINES[0] else WITHOUT[:1]:
                outcome = verify(m, "set", options=Options(without=without, engine=engine))
                assert (seed, sorted(without), outcome.verdict) == (seed, sorted(without), wanted)
                if wanted == "violated":
                    run = Run(System(m, frozenset({"set"})))
                    for process, choice in outcome.steps:
                        run.take(run.find(process, choice))
                    assert lasso_of(run, m.properties["set"]) == Lasso(len(outcome.steps), outcome.loop)
                if without == frozenset():
                    lengths.add((outcome.steps, outcome.loop))
        assert len(lengths) == 1  # both engines show the same
        seen.append((outcome.verdict, bool(outcome.loop)))
    assert {("holds", False), ("violated", False), ("violated", True)} <= set(seen)


def test_equal_tables_with_other_fair_processes_are_searched_again():
    known: dict = {}
    assert verify(flag_model(("writer", "spinner")), "cleared", known=known).verdict == "holds"
    again = verify(flag_model(("writer", "spinner")), "cleared", known=known)
    assert (again.verdict, again.searched, again.spared) == ("holds", 0, 1)

    def twins(fair: str) -> Model:
        """Two processes alike but for what they set, so that only who is fair tells the tables apart."""
        m = Model("twins")
        flag, other = m.bool("flag"), m.bool("other")

        def sets(slot):
            yield assign(slot, 1)

        m.process("first", sets, flag)
        m.process("second", sets, other)
        m.eventually("set", flag.eq(1) & other.eq(0) | other.eq(1), fair=(fair,))
        m.eventually("flag", flag.eq(1) | flag.eq(1) & other.eq(1), fair=(fair,))
        return m

    known = {}
    named = [Model(name) for name in ("one", "two")]
    for m, name in zip(named, ("up", "raised"), strict=True):
        slot = m.bool(name)

        def raises(slot=slot):
            yield assign(slot, 1)
            yield assign(slot, 0)

        m.process(name, raises, slot)
        m.eventually("down", slot.eq(0), fair=(name,), when=slot.eq(1))
    assert [verify(m, "down", known=known).verdict for m in named] == ["holds", "holds"]
    assert len(known) == 1  # equal up to names, the witness too

    known = {}
    options = Options(without=frozenset({"slice"}))
    assert verify(twins("first"), "flag", options=options, known=known).verdict == "holds"
    assert verify(twins("second"), "flag", options=options, known=known).verdict == "violated"


def test_a_branch_that_would_be_guessed_is_not_taken_for_the_end_of_a_run():
    """A refuted guess drops the run, which would look as if the process could not go on."""
    m = Model("guess", memory="weak")
    flag, other, done = m.number("flag", 0, 1), m.number("other", 0, 1), m.bool("done")

    def looks():
        seen = yield flag.read()
        if (yield decide(value_of(seen).eq(1))):
            yield reach("one")
        seen = yield other.read()
        if (yield decide(value_of(seen).eq(1))):
            yield reach("two")
        yield assign(done, 1)

    m.process("looks", looks)
    m.eventually("done", done.eq(1), fair=("looks",))
    outcome = verify(m, "done")
    assert outcome.verdict == "incomplete"
    assert "is not guessed ahead of its loads" in outcome.bound

"""Loops that spin though nobody disturbs them (`terminates`)."""

from __future__ import annotations

import pytest

from modelcheck import Model, assign, choose, fresh, progress, reach, sleep_point, wait
from modelcheck.action import test as ask
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.expression import Const
from modelcheck.system.link import System

FULL = Options(without=frozenset(REDUCTIONS))
EACH = [Options(without=frozenset(REDUCTIONS) - {r}) for r in REDUCTIONS]


def polling(when=None, mark: bool = False, witnesses: tuple[str, ...] = ()) -> Model:
    """One process waits for a flag in a loop, another sets it."""
    m = Model("poll")
    flag = m.bool("flag")

    def polls():
        while not (yield ask(flag)):
            if mark:
                yield progress()

    def sets():
        yield assign(flag, 1)

    m.process("polls", polls)
    m.process("sets", sets)
    m.terminates("ends", "polls", Const(1) if when is None else when(flag), witnesses=witnesses)
    return m


def test_a_loop_that_only_another_process_can_end_spins():
    outcome = verify(polling(), "ends")
    assert (outcome.verdict, outcome.steps, outcome.loop) == ("violated", ((0, "flag? -> False"),), 1)


def test_the_same_loop_ends_where_the_flag_is_set():
    assert verify(polling(lambda flag: flag.eq(1)), "ends").verdict == "holds"


def test_a_loop_that_passes_a_progress_mark_does_not_spin():
    assert verify(polling(mark=True), "ends").verdict == "holds"


def test_a_loop_bounded_by_its_own_counter_ends():
    m = Model("count")
    n = m.range("n", 0, 5)

    def counts():
        while (yield ask(n.lt(5))):
            yield assign(n, n + 1)

    m.process("counts", counts)
    m.terminates("ends", "counts", Const(1))
    assert verify(m, "ends").verdict == "holds"


def test_a_witness_never_reached_makes_the_verdict_vacuous():
    assert verify(polling(lambda flag: flag.eq(1), witnesses=("gone",)), "ends").verdict == "vacuous"
    assert verify(polling(witnesses=("gone",)), "ends").verdict == "violated"


def unread_condition() -> Model:
    """The process spins from anywhere once `b` is set; the condition is a slot it never reads, set and cleared."""
    m = Model("when")
    a, b, f = m.bool("a"), m.bool("b"), m.bool("f")

    def toggles():
        yield assign(a, 1)
        yield assign(a, 0)

    def opens():
        yield assign(b, 1)

    def spins():
        yield wait(b)
        while not (yield ask(f)):
            pass

    for body in (toggles, opens, spins):
        m.process(body.__name__, body)
    m.terminates("ends", "spins", a.eq(1))
    return m


def own_condition() -> Model:
    """The condition is a slot of the process itself, set and cleared by local steps that merging joins."""
    m = Model("own")
    x, b, f = m.bool("x"), m.bool("b"), m.bool("f")

    def spins():
        yield wait(b)
        yield assign(x, 1)
        yield choose("go on", 1)
        yield assign(x, 0)
        yield wait(f)
        while True:
            yield ask(f)

    def opens():
        yield assign(b, 1)
        yield assign(f, 1)

    m.process("spins", spins)
    m.process("opens", opens)
    m.terminates("ends", "spins", x.eq(1))
    return m


@pytest.mark.parametrize("build", [unread_condition, own_condition])
def test_no_reduction_hides_the_states_the_condition_speaks_of(build):
    for options in (FULL, *EACH, Options()):
        assert verify(build(), "ends", options=options).verdict == "violated"


def test_a_condition_on_a_slot_no_process_mentions_has_its_initial_value():
    m = Model("poll")
    flag, mode = m.bool("flag"), m.bool("mode", True)

    def polls():
        while not (yield ask(flag)):
            pass

    m.process("polls", polls)
    m.terminates("ends", "polls", mode.eq(1))
    m.terminates("never", "polls", mode.eq(0))
    assert verify(m, "ends").verdict == "violated"
    assert verify(m, "never").verdict == "holds"


def test_the_loop_is_only_what_repeats():
    m = Model("stem")
    x, flag = m.bool("x"), m.bool("flag")

    def polls():
        yield assign(x, 1)
        while not (yield ask(flag)):
            pass

    m.process("polls", polls)
    m.terminates("ends", "polls", Const(1))
    outcome = verify(m, "ends")
    assert (outcome.steps, outcome.loop) == (((0, "x = 1"), (0, "flag? -> False")), 1)
    run = Run(System(m, frozenset({"ends"})))
    for process, choice in (*outcome.steps, *outcome.steps[-outcome.loop :]):
        run.take(run.find(process, choice))


def test_the_condition_may_compare_stamps_by_order():
    m = Model("order")
    first, second, never = m.stamp("first"), m.stamp("second"), m.bool("never")

    def renews():
        yield assign(second, second)  # the first slot mentioned gets the first name

    def spins():
        if (yield ask(first.ne(second))):
            return
        yield fresh(second)
        while not (yield ask(never)):
            pass

    m.process("renews", renews)
    m.process("spins", spins)
    m.terminates("newer", "spins", second.lt(first))
    m.terminates("older", "spins", first.lt(second))
    assert (verify(m, "newer").verdict, verify(m, "older").verdict) == ("holds", "violated")


def several() -> Model:
    """A host that spins on one flag, its guest on another, and a process that spins on none; each has a property."""
    m = Model("several")
    mine, its, up = m.bool("mine"), m.bool("its"), m.bool("up")

    def host():
        yield assign(up, 1)
        while not (yield ask(mine)):
            yield sleep_point("point", preemptible=True)

    def guest():
        while not (yield ask(its)):
            pass

    def ends():
        yield reach("ends")

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.process("ends", ends)
    for name in ("host", "guest", "ends"):
        m.terminates(f"{name} ends", name, up.eq(1))
        m.terminates(f"{name} ends early", name, up.eq(0))
    return m


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_several_properties_of_one_model_are_each_about_their_own_process(options):
    found = {name: verify(several(), name, options=options) for name in several().properties}
    assert {name: outcome.verdict for name, outcome in found.items()} == {
        "host ends": "violated",
        "host ends early": "violated",  # it sets the flag itself, alone, and spins then
        "guest ends": "violated",
        "guest ends early": "holds",  # it starts only where the flag is set
        "ends ends": "holds",
        "ends ends early": "holds",
    }
    assert (found["guest ends"].steps[-1], found["guest ends"].loop) == ((1, "its? -> False"), 1)
    assert {process for process, _ in found["host ends"].steps} == {0}


@pytest.mark.parametrize("options", [Options(), FULL], ids=["reduced", "full"])
def test_a_guest_that_starts_again_and_again_does_not_spin(options):
    m = Model("again")
    up = m.bool("up")

    def host():
        while True:
            yield sleep_point("point", preemptible=True)

    def guest():
        yield assign(up, 1)

    m.process("host", host)
    m.process("guest", guest, host="host", where="points")
    m.terminates("ends", "guest", Const(1))
    assert verify(m, "ends", options=options).verdict == "holds"

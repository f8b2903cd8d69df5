"""Two branches of one action that are enabled at once under one text: refused where they lead to different states."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modelcheck import Action, Branch, Model, Slot, SpecError, assign, check, choose, lift
from modelcheck.explore.engine import best_engine
from modelcheck.explore.run import Run, replay
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

OPTIONS = [Options(), Options(without=frozenset(REDUCTIONS)), Options(engine=best_engine())]
every_search = pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full", "best"])
Makes = Callable[[Slot, Slot], tuple[Branch, ...]]


def model(branches: Makes, kind: str = "shared") -> Model:
    """A process that may set `ready`, goes on by one of the branches, and then asks whether `taken` is 2."""
    m = Model("two ways")
    ready, taken = m.bool("ready"), m.range("taken", 0, 2)

    def goes():
        if (yield choose("get ready", True, False)):
            yield assign(ready, 1)
        yield Action(kind, "go?", branches(ready, taken))
        yield check(taken.ne(2), "not-two", "taken is not 2")

    m.process("goes", goes)
    m.assertion("not-two")
    m.assertion("broken")
    return m


def equal_guards(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
    return (Branch(True, ready, ((taken, lift(1)),)), Branch(True, ready, ((taken, lift(2)),)),
            Branch(False, ~ready))  # fmt: skip


def overlapping(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
    return Branch(True, taken.eq(0), ((taken, lift(1)),)), Branch(True, ready, ((taken, lift(2)),))


@every_search
def test_branches_under_one_guard_and_one_text_are_refused(options):
    with pytest.raises(SpecError) as raised:
        verify(model(equal_guards), "broken", options=options)  # which is never broken
    assert raised.value.where.rpartition(":")[0] == __file__
    assert str(raised.value).partition(": ")[2] == (
        "process 'goes' can do 'go? -> True' in two ways at once, branch 1 (where ready) and branch 2 (where ready) of "
        "the action, which lead to different states; give them different responses or exclusive guards")  # fmt: skip


@every_search
def test_branches_that_turn_out_enabled_at_once_on_the_path_that_is_shown_are_refused(options):
    with pytest.raises(SpecError, match=r"branch 1 \(where \(taken == 0\)\) and branch 2 \(where ready\) of"):
        verify(model(overlapping), "not-two", options=options)


def test_a_replay_takes_neither_of_two_ways_and_the_one_way_where_there_is_one():
    system = System(model(overlapping), frozenset({"not-two"}))
    with pytest.raises(SpecError, match="different responses or exclusive guards"):
        replay(system, [(0, "get ready -> True"), (0, "ready = 1"), (0, "go? -> True")], {})
    run = replay(system, [(0, "get ready -> False"), (0, "go? -> True")], {})
    assert [change[2] for change in run.steps[-1].changes] == [1]


@every_search
def test_branches_that_lead_to_one_state_are_allowed(options):
    def same(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
        return Branch(True, ready, ((taken, lift(2)),)), Branch(True, taken.eq(0), ((taken, ready + 1),))

    outcome = verify(model(same), "not-two", options=options)
    assert (outcome.verdict, [choice for _, choice in outcome.steps]) == (
        "violated", ["get ready -> True", "ready = 1", "go? -> True", "taken is not 2 -> None"])  # fmt: skip


@every_search
def test_limit_what_no_shown_path_passes_is_searched_both_ways_and_not_refused(options):
    assert verify(model(overlapping), "broken", options=options).verdict == "holds"


def checked(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
    """Three ways: on with a 2, on with a 2 and `broken`, or past."""
    done = ((taken, lift(2)),)
    return (Branch(True, ready & taken.eq(0), done), Branch(True, ready & taken.ne(0), done, breaks="broken"),
            Branch(False, ~ready))  # fmt: skip


def test_a_check_of_another_property_is_passed_by_what_answers_the_same_and_by_nothing_else():
    for name in ("not-two", "broken"):
        for ready, choices in ((1, ["go? -> True"]), (0, ["go? -> False"])):
            run = Run(System(model(checked, "check"), frozenset({name})))
            run.take(next(edge for edge in run.enabled(0) if edge.choice == f"get ready -> {bool(ready)}"))
            if ready:
                run.take(run.enabled(0)[0])
            assert [edge.choice for edge in run.enabled(0)] == choices
            run.values[next(slot for slot in run.values if slot.name == "taken")] = 1
            assert [edge.breaks for edge in run.enabled(0)] == (["broken"] if ready and name == "broken" else [""])


def twice(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
    """One way on, and two properties that may be violated there."""
    return (Branch(True, ready & taken.eq(0)), Branch(True, ready & taken.ne(0), breaks="broken"),
            Branch(True, ~ready, breaks="not-two"))  # fmt: skip


def test_where_one_of_two_checked_properties_is_asked_a_violation_of_the_other_passes():
    for name, ready in (("broken", 0), ("not-two", 1)):
        run = Run(System(model(twice, "check"), frozenset({name})))
        run.take(next(edge for edge in run.enabled(0) if edge.choice == f"get ready -> {bool(ready)}"))
        if ready:
            run.take(run.enabled(0)[0])
        assert run.enabled(0)
        run.values[next(slot for slot in run.values if slot.name == "taken")] = ready
        assert [edge.breaks for edge in run.enabled(0)] == [""], name


def stuck(ready: Slot, taken: Slot) -> tuple[Branch, ...]:
    """A violation with an answer that no other branch has."""
    other = Branch("what", ~ready & taken.ne(0), breaks="broken")
    return Branch(True, ready), Branch(False, ~ready & taken.eq(0)), other


def test_a_violation_with_an_answer_of_its_own_is_refused_where_another_property_is_asked():
    said = "no way to go on from 'go\\?' where broken is violated and another property is asked; give that branch"
    with pytest.raises(SpecError, match=said):
        verify(model(stuck, "check"), "not-two")
    assert verify(model(stuck, "check"), "broken").verdict in ("holds", "violated")

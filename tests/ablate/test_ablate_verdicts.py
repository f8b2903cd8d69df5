"""What ablation says of small protocols, piece by piece, against what is known by hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Hashable

from ablate_specs import (
    answers,
    both,
    cached,
    counter,
    message,
    message_without_barrier,
    row,
    spec_of,
    taken_apart,
    twice,
)

from modelcheck import Model, PropertyInfo, Setting, Spec, reach
from modelcheck.ablate import AblationRequest, ablate
from modelcheck.results import Limits

FRESH, NEVER, NO = "fresh", "never flag seen", "not-needed"


def test_a_barrier_is_needed_where_the_machine_moves_accesses_and_an_order_everywhere() -> None:
    found = answers(taken_apart(message, "sc", "tso", "weak"))
    assert found == {
        "store: WRITE_ONCE(data, 1)": (FRESH,) * 3,
        "order: WRITE_ONCE(flag, 1) moved before WRITE_ONCE(data, 1)": (FRESH,) * 3,
        "barrier: smp_wmb()": (NO, NO, NO),  # the one behind the flag, since it is the last of its text
        "store: WRITE_ONCE(flag, 1)": (NEVER,) * 3,
        "order: READ_ONCE(data) moved before READ_ONCE(flag)": (FRESH,) * 3,
        "barrier: smp_rmb()": (NO, NO, FRESH),
        "test: (flag == 1) taken as true": (FRESH,) * 3,
        "test: (flag == 1) taken as false": (NEVER,) * 3,
    }


def test_two_barriers_of_one_text_are_two_pieces() -> None:
    found = taken_apart(message, "weak")
    first, last = [each for each in found.rows if each.text == "smp_wmb()"]
    assert (first.cells[0].verdict, last.cells[0].verdict) == ("needed", "not-needed")
    assert last.line == first.line + 2  # the store of the flag is between them


def test_a_lock_is_left_out_where_it_is_taken_with_its_release() -> None:
    found = answers(taken_apart(counter))
    assert found["lock: spin_lock(lock)"] == ("exclusive",)
    assert found["lock: spin_trylock(lock)"] == ("exclusive",)
    assert found["lock: spin_lock(own) [nobody else takes it]"] == ("not-needed",)


def test_a_trylock_that_waits_is_asked_apart() -> None:
    assert answers(taken_apart(counter))["trylock: spin_trylock(lock) waits instead of giving up"] == ("not-needed",)


def test_the_first_property_that_breaks_ends_the_asking_unless_all_are_wanted() -> None:
    first, every = taken_apart(twice), taken_apart(twice, every=True)
    assert answers(first)["lock: spin_lock(lock)"] == ("one",)
    assert answers(every)["lock: spin_lock(lock)"] == ("one, two",)
    assert [row(found, "lock", "spin_lock(lock)").cells[0].asked for found in (first, every)] == [1, 2]


def test_what_broke_under_one_memory_model_is_asked_first_under_the_next() -> None:
    cells = row(taken_apart(counter, "sc", "tso"), "lock", "spin_lock(lock)").cells
    assert [(cell.asked, dict(cell.held)) for cell in cells] == [(2, {"deadlock": 1}), (1, {})]


def test_what_is_not_needed_names_the_properties_that_were_proved() -> None:
    cell = row(taken_apart(counter), "lock", "spin_lock(own) [nobody else takes it]").cells[0]
    assert (cell.verdict, dict(cell.held)) == ("not-needed", {"deadlock": 1, "exclusive": 1})


def test_a_check_a_retry_and_the_invalidation_itself() -> None:
    assert answers(taken_apart(cached)) == {
        "U1 lock: read_lock(lock)": ("valid",),
        "U2 test: valid taken as true": ("valid",),
        "U2 test: valid taken as false": ("never used",),
        "U2 retry: valid not asked again after it failed": ("valid",),
        "U4 lock: write_lock(lock)": ("not-needed",),
        "U4 order: valid = 1 moved before write_lock(lock)": ("not-needed",),
        "U5 store: valid = 1": ("not-needed",),
        "U5 order: write_unlock(lock) moved before valid = 1": ("not-needed",),
        "U8 lock: read_lock(lock)": ("valid",),
        "I1 lock: write_lock(lock)": ("valid",),
        "I1 order: valid = 0 moved before write_lock(lock)": ("valid",),
        "I2 store: valid = 0": ("never U3, U4, U5, U6, U7, U8",),
        "I2 order: write_unlock(lock) moved before valid = 0": ("valid",),
    }


def test_a_condition_of_a_test_and_a_slot_of_a_step_are_pieces() -> None:
    assert answers(taken_apart(both)) == {
        "store: ready in 'make'": ("never taken",),
        "store: other in 'make'": ("never taken",),
        "order: set up = 1 moved before make": ("not-needed",),
        "store: set up = 1": ("never taken",),
        "test: both taken as true": ("whole",),
        "test: both taken as false": ("never taken",),
        "clause: both without asking ready": ("not-needed",),
        "clause: both without asking (other == 1)": ("not-needed",),
        "clause: both without asking set up": ("whole",),
        "store: seen = 1": ("not-needed",),
    }


def test_steps_on_two_sides_of_an_assertion_are_no_neighbours() -> None:
    orders = [text for text in answers(taken_apart(counter)) if text.startswith("order")]
    assert orders == [
        "order: inside = (inside + 1) moved before spin_lock(own)",
        "order: spin_unlock(own) moved before inside = (inside - 1)",
        "order: spin_unlock(lock) moved before inside = (inside - 1)",
    ]  # fmt: skip


def test_a_number_out_of_its_range_is_told_in_place_of_a_property() -> None:
    found = row(taken_apart(leaving), "store", "n = (n - 1)").cells[0]
    assert [(b.property, b.short) for b in found.broken] == [("a range", "n became 3, outside 0..2")]
    assert found.verdict == "needed"


def leaving():  # type: ignore[no-untyped-def]
    """A count that stays in its range because it is taken back."""
    from modelcheck import Model, assign

    model = Model("leaving")
    n = model.range("n", 0, 2)

    def only():  # type: ignore[no-untyped-def]
        while True:
            yield assign(n, n + 1)
            yield assign(n, n - 1)

    model.process("only", only)
    model.invariant("small", n.ne(7))
    return model


def test_what_is_broken_already_is_not_asked_and_named() -> None:
    found = taken_apart(message_without_barrier, "tso", "weak")
    assert found.skipped == ("fresh (weak) is violated with nothing left out: not asked there",)
    cells = row(found, "barrier", "smp_rmb()").cells
    assert [(cell.verdict, cell.asked) for cell in cells] == [("not-needed", 1), ("not-asked", 0)]
    assert found.complete


def test_a_bound_in_the_protocol_as_it_is_leaves_nothing_decided() -> None:
    found = taken_apart(counter, properties=("exclusive",), limits=Limits(states=2))
    assert (found.complete, found.bound) == (False, "2 states")
    cells = [cell for each in found.rows for cell in each.cells]
    assert {(cell.verdict, cell.bound, cell.decided) for cell in cells} == {("incomplete", "2 states", 0)}


def test_a_signal_keeps_the_pieces_that_are_finished() -> None:
    calls: list[float] = []

    def progress(what: str, states: int, depth: int, frontier: int, share: float) -> None:
        calls.append(share)
        if sum(map(bool, calls)) == 3:  # the protocol as it is has none
            os.kill(os.getpid(), signal.SIGINT)

    request = AblationRequest(spec_of(cached), "only", memories=("sc",))
    whole, found = ablate(request), ablate(request, progress)
    done, left = found.rows[:3], found.rows[3:]
    assert [each.cells[0].verdict for each in done] == [each.cells[0].verdict for each in whole.rows[:3]]
    assert {(each.cells[0].verdict, each.cells[0].bound) for each in left} == {("incomplete", "stopped by SIGINT")}
    assert not found.complete and whole.complete


def test_workers_change_no_answer() -> None:
    alone, shared_out = taken_apart(cached), taken_apart(cached, workers=2)
    assert answers(alone) == answers(shared_out)
    assert [[c.states for c in r.cells] for r in alone.rows] == [[c.states for c in r.cells] for r in shared_out.rows]


def test_a_projection_that_lacks_the_piece_proves_nothing() -> None:
    def build(setting: Setting, projection: Hashable) -> Model:
        return message() if projection is None else message_without_flag()

    properties = (PropertyInfo("fresh", ""),)
    spec = Spec("small", "", build, properties=properties, ablate_projections=lambda setting, dropped: ("small",))
    found = ablate(AblationRequest(spec, "only", memories=("weak",)))
    assert row(found, "barrier", "smp_rmb()").cells[0].verdict == "not-needed"  # it has this one, and is believed
    assert answers(found)["store: WRITE_ONCE(data, 1)"] == (FRESH,)


def message_without_flag() -> Model:
    """A writer that does nothing, and the reader."""
    model, whole = Model("message"), message()
    model.areas.update(whole.areas)
    reader = whole.processes[1]

    def idle():  # type: ignore[no-untyped-def]
        yield reach("flag seen")

    model.process("writer", idle)
    model.processes.append(reader)
    model.assertion("fresh", "", ("flag seen",))
    return model

"""What the extension module answers, whoever calls it, whenever: figures, or an exception that says what is wrong."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from grids import all_are, counters, grid, seen, stamped_grid, stamps, step, tables_of
from twins import weight

from modelcheck.explore.native import _engine
from modelcheck.explore.native.program import program_of
from modelcheck.expression import TRUE

HUGE = grid(8, 9)
SMALL = grid(3, 4)
SLOTS = counters(1, 2)
METHODS: dict[str, tuple[Any, ...]] = {
    "state": (0,), "path": (0,), "edges": (0,), "taken": (), "goals": (), "to_goals": (), "alive": (0,),
    "loops": (0, 0, [0]), "distinct": ([0], -1), "figures": (),
}


def never(*arguments: int) -> int:
    return 0


def a_search(tables: Any = SMALL, **how: bool) -> _engine.Search:
    return program_of(tables).search(**how)


def finished(tables: Any = SMALL, **how: bool) -> _engine.Search:
    search = a_search(tables, **how)
    assert search.run(never, never, 1, 0, 0) == _engine.COMPLETE
    return search


# -- before, after, and twice ---------------------------------------------------------------------------------------


def test_a_search_that_has_not_run_has_nothing_to_say():
    search = a_search(keep_graph=True)
    assert (search.taken(), search.goals(), search.to_goals()) == (b"", [], b"")
    assert {name: search.figures()[name] for name in ("states", "transitions", "depth", "bytes")} == {
        "states": 0, "transitions": 0, "depth": 0, "bytes": 0
    }
    for name in ("state", "path", "edges"):
        with pytest.raises(IndexError, match=r"^state 0: there are 0$"):
            getattr(search, name)(0)
    with pytest.raises(RuntimeError, match=r"^this search kept no graph$"):
        search.alive(0)
    with pytest.raises(RuntimeError, match=r"^this search has not run$"):
        search.distinct([0], -1)


def test_a_search_runs_once():
    search = finished()
    with pytest.raises(RuntimeError, match=r"^this search has ended$"):
        search.run(never, never, 1, 0, 0)
    assert search.figures()["states"] == 125


@pytest.mark.parametrize("arguments", [(0, 1, 1), (1, 0, 1), (3, 3, 0)])
def test_threads_are_between_1_and_64(arguments):
    for threads in (0, 65, 1 << 32, (1 << 32) + 1):
        with pytest.raises(ValueError, match=f"^{threads} threads: there are 1 to 64$"):
            a_search().run(never, never, threads, *arguments[1:])


def test_a_number_that_does_not_fit_is_refused_and_not_cut_off():
    search = finished(keep_graph=True)
    for name in ("state", "path", "edges", "alive"):
        for number in (-1, 1 << 64):
            with pytest.raises(OverflowError):
                getattr(search, name)(number)
        with pytest.raises(IndexError):
            getattr(search, name)(1 << 32)
        with pytest.raises(TypeError):
            getattr(search, name)("0")
    for arguments in ((1 << 32, 0, []), (0, 1 << 20, [])):
        with pytest.raises(IndexError):
            search.loops(*arguments)
    with pytest.raises(OverflowError):
        a_search().run(never, never, 1, -1, 0)
    for slot in (-1, 6):
        with pytest.raises(IndexError, match=f"^slot {slot}: there are 6$"):
            search.distinct([slot], -1)
    with pytest.raises(IndexError, match=r"^condition -2: there are 0$"):
        search.distinct([0], -2)


def test_conditions_and_slots_are_sequences_of_numbers():
    search = finished()
    for wrong in (None, 7, ["x"], [None]):
        with pytest.raises(TypeError):
            search.distinct(wrong, -1)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        search.distinct([1 << 70], -1)


def test_parts_are_buffers_of_32_bit_numbers():
    program = program_of(SMALL)
    search = _engine.Search(**program.parts, invariants=0, keep_graph=False, layered=False)
    assert search.run(never, never, 1, 0, 0) == _engine.COMPLETE
    odd = memoryview(b"x" + program.parts["code"].tobytes())[1:]  # not aligned
    search = _engine.Search(**{**program.parts, "code": odd}, invariants=0, keep_graph=False, layered=False)
    assert search.run(never, never, 1, 0, 0) == _engine.COMPLETE
    for wrong, error in ((b"123", ValueError), (None, TypeError), ([1, 2], TypeError), (array("i"), ValueError)):
        with pytest.raises(error):
            _engine.Search(**{**program.parts, "slots": wrong}, invariants=0, keep_graph=False, layered=False)
    for invariants in (-1, 1, 1 << 40):
        with pytest.raises(ValueError, match="invariants"):
            _engine.Search(**program.parts, invariants=invariants, keep_graph=False, layered=False)


# -- callbacks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [-1, 3, 1 << 70, None, "0", 0.0])
def test_decide_answers_one_of_three_numbers(answer):
    with pytest.raises((ValueError, TypeError, OverflowError)):
        a_search(stamped_grid(3, 2)).run(lambda *asked: answer, never, 1, 0, 0)


def test_a_callback_may_look_at_what_is_there_and_not_run_the_search():
    search = a_search(tables_of((step(0, TRUE),), (step(1, SLOTS[0].lt(2), (SLOTS[0], SLOTS[0] + 1),
                                                       observes=seen(stamps(1))),), invariant=TRUE))
    looked = []

    def decide(number: int, step: int) -> int:
        looked.append((search.state(number)[2], len(search.path(number))))
        with pytest.raises(IndexError):
            search.state(1 << 40)
        for name in sorted(set(METHODS) - {"state", "path"}):
            with pytest.raises(RuntimeError, match=r"^this search is running$"):
                getattr(search, name)(*METHODS[name])
        with pytest.raises(RuntimeError, match=r"^this search is running$"):
            search.run(never, never, 1, 0, 0)
        return 2  # to be asked again

    assert search.run(decide, never, 1, 0, 0) == _engine.COMPLETE
    assert looked == [(0, 0), (1, 1)]


class Failed(Exception):
    """What a callback raises."""


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_callback_raises_ends_the_search_for_good(threads):
    def fails(*arguments: int) -> int:
        raise Failed

    for tables, callbacks in ((stamped_grid(5, 3), (fails, never)), (HUGE, (never, fails))):
        search = a_search(tables)
        with pytest.raises(Failed):
            search.run(*callbacks, threads, 0, 0)
        with pytest.raises(RuntimeError, match=r"^this search has ended$"):
            search.run(never, never, threads, 0, 0)
        assert search.state(search.figures()["states"] - 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_another_thread_may_not_look_while_states_are_added(threads):
    search, begun, refused, wrong = a_search(HUGE), threading.Event(), [], []
    stop = threading.Event()

    def tick(states: int, depth: int, frontier: int) -> bool:
        begun.set()
        return stop.is_set()

    def looks() -> None:
        begun.wait(30)
        while len(refused) < 50 and not wrong:
            for name in ("state", "path", "figures", "taken", "edges", "goals"):
                try:
                    getattr(search, name)(*METHODS[name])
                except RuntimeError as error:
                    refused.append(str(error))
                except BaseException as error:
                    wrong.append(error)
        stop.set()

    thread = threading.Thread(target=looks)
    thread.start()
    try:
        assert search.run(never, tick, threads, 0, 0) == _engine.STOPPED
    finally:
        stop.set()
        thread.join()
    assert (wrong, set(refused)) == ([], {"this search is running"})


def test_two_searches_run_side_by_side():
    ended: list[object] = []

    def runs() -> None:
        search = a_search(grid(5, 5))
        ended.append((search.run(never, never, 2, 0, 0), search.figures()["states"]))

    threads = [threading.Thread(target=runs) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [(_engine.COMPLETE, 6**5)] * 3


# -- what is left behind --------------------------------------------------------------------------------------------


def used(call: Callable[[], object], times: int = 30) -> int:
    """Bytes of Python objects that `times` calls leave behind."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            call()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def everything() -> None:
    """A search of every kind, everything asked of it, and every refusal."""
    program = program_of(stamped_grid(3, 2))
    for how in ({}, {"keep_graph": True}, {"layered": True}):
        search = program.search(**how)
        while search.run(lambda number, step: weight((number, step)) % 3, never, 1, 0, 0) == _engine.LAYER:
            search.goals()
            search.to_goals()
        for name, arguments in METHODS.items():
            for given in (arguments, (), (None,) * len(arguments), (1 << 70,) * len(arguments)):
                try:
                    getattr(search, name)(*given)
                except (TypeError, ValueError, IndexError, RuntimeError, OverflowError):
                    continue
    for parts in ({"code": b"123"}, {"slots": array("i", [1])}, {"ample": None}):
        try:
            _engine.Search(**{**program.parts, **parts}, invariants=0, keep_graph=False, layered=False)
        except (TypeError, ValueError):
            continue


def test_nothing_is_left_behind():
    assert used(everything) < 2_000
    objects = sys.getrefcount(None), len(gc.get_objects())
    for _ in range(30):
        everything()
    gc.collect()
    assert len(gc.get_objects()) - objects[1] < 20
    if sys.version_info < (3, 12):  # None is immortal from then on
        assert abs(sys.getrefcount(None) - objects[0]) < 20


class Holder:
    """Something with a search."""

    search: Any = None


def test_a_search_in_a_cycle_is_kept_while_it_runs_and_then_let_go():
    holder = Holder()
    holder.search = a_search(HUGE)
    alive = weakref.ref(holder)

    def run(mine: Holder) -> int:
        def tick(*figures: int) -> bool:
            gc.collect()
            return mine.search is not None

        return int(mine.search.run(never, tick, 1, 0, 0))

    assert run(holder) == _engine.STOPPED
    assert alive() is holder
    del holder
    assert alive() is None  # at once: the callbacks are let go when it ends


# -- a graph that was left half expanded ----------------------------------------------------------------------------


def test_a_graph_that_a_violation_cut_short_can_be_asked():
    """The edges of the state where it ended were kept as far as they came: they are not counted."""
    slots = counters(3, 4)
    tables = grid(3, 4, step(3, all_are(slots, 2), breaks="broken"), step(3, TRUE))
    search = a_search(tables, keep_graph=True)
    assert search.run(never, never, 1, 0, 0) == _engine.BROKEN
    figures = search.figures()
    assert search.edges(figures["end_state"]) == []
    for process in range(4):
        alive = search.alive(process)
        assert len(alive) == figures["states"]
        assert set(alive[figures["expanded"]:]) == {0}
        assert alive[0] == 1

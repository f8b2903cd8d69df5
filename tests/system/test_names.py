"""Names that start different: equal only where they were copied, in every engine and when replayed."""

from __future__ import annotations

import pytest

from modelcheck import Model, SpecError, assign, check, fresh, reach, shared
from modelcheck.explore.engine import Engine, best_engine
from modelcheck.explore.run import Run
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.system.link import System

OPTIONS = [Options(), Options(without=frozenset(REDUCTIONS)), Options(engine=best_engine())]


def model(first: int, second: int) -> Model:
    """Two names, and a third that takes one of them or a new one."""
    m = Model("names")
    flag = m.bool("beside")
    left, right, third = (m.name_of(name, "page", n) for name, n in (("left", first), ("right", second), ("third", 0)))

    def compares():
        yield check(left.ne(right), "different")
        yield fresh(third)
        yield check(third.ne(left) & third.ne(right), "new")
        yield shared("third = right", (third, right))
        yield check(third.eq(right) & third.ne(left), "copied")
        yield reach("compared")

    def beside():
        yield assign(flag, 1)

    m.process("compares", compares)
    m.process("beside", beside)
    for name in ("different", "new", "copied"):
        m.assertion(name, witnesses=("compared",))
    return m


@pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full", "best"])
@pytest.mark.parametrize("numbers", [(0, 1), (1, 2), (7, 3), (5, 0)])
def test_names_with_different_numbers_start_different(numbers, options):
    for name in ("different", "new", "copied"):
        outcome = verify(model(*numbers), name, options=options)
        assert (outcome.verdict, outcome.fallback) == ("holds", "")


@pytest.mark.parametrize("options", OPTIONS, ids=["reduced", "full", "best"])
@pytest.mark.parametrize("number", [0, 4])
def test_names_with_one_number_start_equal(number, options):
    assert verify(model(number, number), "different", options=options).verdict == "violated"


def test_a_new_name_of_a_replayed_run_is_like_none_there_is():
    run = Run(System(model(1, 2), frozenset({"new"})))
    for choice in ("check (left != right)", "third = new page"):
        run.take(next(edge for edge in run.enabled(0) if edge.choice.startswith(choice)))
    assert [edge.breaks for edge in run.enabled(0)] == [""]


def test_a_name_starts_at_nothing_below_0():
    with pytest.raises(SpecError, match="start a name at 0 or above"):
        Model("names").name_of("page", "pfn", -1)


def test_numbers_alone_do_not_matter():
    found = [verify(model(*numbers), "new", options=Options(engine=Engine())).states for numbers in ((1, 2), (7, 3))]
    assert found[0] == found[1]

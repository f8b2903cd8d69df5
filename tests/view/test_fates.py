"""Why a trace failed, as the text views tell it: the false part, the fate and the schedule that passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_traces import torn_read

from modelcheck.trace.trace import Fate, Passing
from modelcheck.view import render
from modelcheck.view.fates import sentences

PASSING = Passing(3, -2, "Moving the switch from a to b before step 4 two steps earlier: b starts over.", (("a", "x"),))


def explained(**fields: object):
    given = {"conjunct": "the copy equals an update", "fate": Fate(1, 20), "passing": PASSING, **fields}
    return replace(torn_read(), **given)


def test_a_trace_that_was_not_explained_says_nothing() -> None:
    assert sentences(torn_read()) == []


def test_all_three_are_told_in_order() -> None:
    trace = explained()
    step = trace.steps[1]
    assert sentences(trace) == [
        "False: the copy equals an update.",
        f"From step 2 ({trace.processes[step.process].name}: {step.label}) on no schedule avoids it.",
        "Moving the switch from a to b before step 4 two steps earlier: b starts over.",
    ]


def test_a_failure_without_a_way_out_and_one_with_a_bound() -> None:
    assert sentences(explained(fate=Fate(-1, 3)))[1] == "No schedule avoids it, from the start."
    assert sentences(explained(fate=Fate(1, 3, "a bound")))[1].endswith(
        "on no schedule avoids it, and perhaps from an earlier one: a bound."
    )


@pytest.mark.parametrize("form", ["paste", "table"])
def test_text_views_end_with_them(form: str) -> None:
    lines = render(explained(), form).splitlines()
    after = lines[next(i for i, line in enumerate(lines) if line.lstrip().startswith("=> ")):]
    text = " ".join(" ".join(after).split())
    assert all(sentence in text for sentence in sentences(explained()))


def test_paste_stays_in_75_columns() -> None:
    long = explained(conjunct="x" * 200, passing=replace(PASSING, text="é" * 300))
    text = render(long, "paste")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 75

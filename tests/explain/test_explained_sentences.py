"""What a small model's counterexample says of itself, word for word: what is false, the fate, what would pass."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from explained_models import (
    crossed,
    late_check,
    late_check_for_good,
    never_quiet,
    plain_trace,
    sleeper,
    torn_pair,
    trace_of,
    two_counters,
)

from modelcheck import Observation
from modelcheck.errors import UsageError
from modelcheck.explain import explained, passes_again
from modelcheck.explore.engine import Engine, native_missing
from modelcheck.explore.verdict import Options
from modelcheck.smt.concrete import looks_at_makers
from modelcheck.smt.values import Seen
from modelcheck.trace.file import from_json, to_json
from modelcheck.trace.trace import Fate
from modelcheck.view.fates import sentences

NO_WAY = "there are no values for more updates than were tried from before it"
SAID = {
    (late_check, "still-there"): (
        "False: there is true: it is false.",
        "From step 4 (user: uses it) on no schedule avoids it.",
        "Moving the switch from owner to user before step 3 one step later: "
        "user comes to 'uses it', and there is true.",
    ),
    (late_check_for_good, "still-there"): (
        "False: what it uses is there: there is false.",
        "From step 2 (owner: takes it away) on no schedule avoids it.",
        "Moving the switch from owner to user before step 3 one step earlier: "
        "user comes to 'uses it', and what it uses is there.",
    ),
    (crossed, "deadlock"): (
        "False: b gets one: a holds it.",
        "From step 2 (b: mutex_lock(two)) on no schedule avoids it.",
        "Moving the switch from a to b before step 2 one step earlier: b gets one.",
    ),
    (crossed, "lock-order"): (
        "False: nobody asks for one while holding two: b does.",
        "From step 1 (a: mutex_lock(one)) on no schedule avoids it.",
    ),
    (torn_pair, "torn"): (
        "False: it is one of 2: it is not.",
        "From step 5 (reader: k2 = key) on no schedule avoids it.",
        "Moving the switch from writer to reader before step 3 one step later: "
        "reader comes to 'pair accepted', and it is one of 2.",
    ),
    (never_quiet, "quiet"): (
        "False: busy is false in the end.",
        "Moving the switch from other to worker before step 3 one step earlier: busy is false in the end.",
    ),
    (sleeper, "sleep-in-atomic"): (
        "False: msleep() runs where it may sleep: lock is held, interrupts are off.",
        "From step 1 (sets: slow = true) on no schedule avoids it.",
        "Moving the switch from sets to works before step 2 one step earlier: works gets False from 'slow?' and ends.",
    ),
    (two_counters, "apart"): (
        "False: (a < 2) or (b < 2): a is 2, b is 2.",
        "From step 3 (one: a = 2) on no schedule avoids it.",
    ),
}


@pytest.mark.parametrize(("make", "name"), list(SAID), ids=lambda each: getattr(each, "__name__", each))
def test_a_small_model_says_why_it_failed(make, name):
    trace = trace_of(make(), name)
    assert tuple(sentences(trace)) == SAID[make, name]
    passes_again(trace, make(), name)
    assert from_json(to_json(trace)) == trace


def test_a_reader_that_sees_the_flag_starts_over():
    trace = trace_of(torn_pair("free", True), "torn")
    assert sentences(trace)[1:] == [
        f"From step 9 (reader: k2 = key) on no schedule avoids it, and perhaps from an earlier one: {NO_WAY}.",
        "Moving the switch from writer to reader before step 6 one step earlier: "
        "reader gets True from 'k1 & flag?' and starts over.",
    ]


def test_the_passing_schedule_is_given_whole():
    passing = trace_of(late_check(), "still-there").passing
    assert passing is not None
    assert (passing.switch, passing.by) == (2, 1)
    assert passing.steps == (
        ("user", "there? -> True"),
        ("owner", "takes it away"),
        ("owner", "gives it back"),
        ("user", "prepares"),
        ("user", "uses it -> None"),
    )


def by_makers(model, other="another"):
    """The pairs' model, whose property holds of versions that some step of another text made."""
    values = model.values

    def violated(z3, versions, observation, byte):
        whole = all(text != other for text, _ in observation.made)
        return z3.And(z3.BoolVal(whole), values.violated(z3, versions, observation, byte))

    model.values = replace(values, violated=violated)
    return model


def test_a_spec_that_looks_at_who_made_versions_is_explained_alike():
    trace = trace_of(by_makers(torn_pair()), "torn")
    assert tuple(sentences(trace)) == SAID[torn_pair, "torn"]


def test_looking_at_who_made_versions_is_noticed():
    model = torn_pair()
    observation = Observation("torn", (Seen("pair", 0, 2, ((0, 1, ""), (1, 0, ""))),), (), 2, whole=True)
    texts = ["a new pair", "another"]
    assert not looks_at_makers(model.values, observation, texts)
    assert looks_at_makers(by_makers(model).values, observation, texts)


def test_what_is_undecided_by_any_step_has_no_fate():
    assert trace_of(never_quiet(), "quiet").fate is None


def test_without_values_of_updates_only_the_property_is_told():
    trace = replace(plain_trace(torn_pair(), "torn"), updates=())
    told = explained(trace, torn_pair(), "torn")
    assert (told.conjunct, told.fate, told.passing) == ("an accepted pair is one that was published", None, None)


def test_a_bound_is_told_and_is_no_answer(monkeypatch):
    monkeypatch.setattr("modelcheck.explain.fate.Search.__init__.__defaults__", (None, 1))
    trace = trace_of(late_check_for_good(), "still-there")
    assert trace.fate == Fate(1, 4, "1 states from before it showed no way out")
    assert sentences(trace)[1] == (
        "From step 2 (owner: takes it away) on no schedule avoids it, and perhaps from an earlier one: "
        "1 states from before it showed no way out."
    )


@pytest.mark.skipif(bool(native_missing()), reason="no native engine")
@pytest.mark.parametrize(("make", "name"), [(late_check, "still-there"), (torn_pair, "torn"), (crossed, "deadlock")])
def test_each_engine_explains_alike(make, name):
    native = trace_of(make(), name, Options(engine=Engine("native")))
    assert to_json(native) == to_json(trace_of(make(), name))


def test_hash_seeds_explain_alike():
    here = Path(__file__).parent
    code = (
        "from explained_models import *; from modelcheck.view.fates import sentences; "
        "cases = ((late_check, 'still-there'), (torn_pair, 'torn')); "
        "print([sentences(trace_of(make(), name)) for make, name in cases])"
    )
    paths = [str(here), str(here.parents[1]), str(here.parent / "smt")]
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(paths)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


DAMAGES = {
    "cannot do step 2": lambda steps: (*steps[:2], ("user", "nothing"), *steps[3:]),
    "does not bring user past its deciding step": lambda steps: steps[:-1],
    "cannot do step 0": lambda steps: (("nobody", "there? -> True"), *steps[1:]),
}


@pytest.mark.parametrize("said", list(DAMAGES))
def test_a_passing_schedule_that_does_not_pass_is_damage(said):
    trace = trace_of(late_check(), "still-there")
    assert trace.passing is not None
    damaged = replace(trace, passing=replace(trace.passing, steps=DAMAGES[said](trace.passing.steps)))
    with pytest.raises(UsageError, match=said):
        passes_again(damaged, late_check(), "still-there")


def test_a_passing_schedule_that_fails_is_damage():
    trace = trace_of(late_check(), "still-there")
    assert trace.passing is not None
    failing = tuple((trace.processes[step.process].name, step.choice) for step in trace.steps)
    with pytest.raises(UsageError, match="fails at step 3"):
        passes_again(replace(trace, passing=replace(trace.passing, steps=failing)), late_check(), "still-there")

"""The saved counterexamples, explained anew: known bugs whose reasons a reviewer has read and found to be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelcheck.explain import explained, passes_again
from modelcheck.trace.file import read_trace
from modelcheck.trace.replay import setting_of
from modelcheck.view.fates import sentences
from specs import long_mode, pfncache, runstate

FOLDER = Path(__file__).parents[2] / "traces"
SPECS = {spec.name: spec for spec in (runstate.SPEC, pfncache.SPEC, long_mode.SPEC)}
SAID = {
    # 6.1, B4: the flag is in the half of the word that was not stored yet
    ("B4", "torn-read"): (
        "False: the copy equals an update: from the nearest, update 0, it differs in state_entry_time bytes 0-1 "
        "(0x7d0 for 0x3e8).",
        "From step 25 (reader: e2: h again = READ_ONCE(p[1])) on no schedule avoids it.",
        "Moving the switch from vcpu to reader before step 8 one step later: reader gets True from "
        "'e1 & XEN_RUNSTATE_UPDATE?' and starts over.",
    ),
    # 7.3, D2: decided once sched_out comes between the clock and the entry time
    ("D2", "monotonic"): (
        "False: guest entry_time <= entry_time: guest entry_time is 1110, entry_time is 1100.",
        "From step 6 (sched_out: preempt) on no schedule avoids it.",
        "Moving the switch from vcpu to sched_out before step 6 one step earlier: "
        "vcpu comes to 'the guest gets entry_time and time[]', and guest entry_time <= entry_time.",
    ),
    # 7.3 on PREEMPT_RT, D4: the last read_unlock wakes the writer that queued
    ("D4", "deadlock"): (
        "False: sched_out gets rq->__lock: sched_out itself holds it.",
        "From step 18 (notifier: write_lock(gpc1->lock)) on no schedule avoids it.",
        "Moving the switch from sched_out to notifier before step 12 one step earlier: "
        "sched_out gets False from 'read_trylock(gpc1->lock)' and starts over.",
    ),
}


def find(case: str, name: str):
    return next(
        trace
        for path in sorted(FOLDER.glob(f"*-{name}-*.json"))
        for trace in (read_trace(path),)
        if trace.case == case
    )


@pytest.mark.parametrize(("case", "name"), list(SAID))
def test_a_saved_counterexample_says_why(case, name):
    trace = find(case, name)
    spec = SPECS[trace.spec]
    model = spec.model(setting_of(trace, spec), None)
    told = explained(trace, model, name)
    assert tuple(sentences(told)) == SAID[case, name]
    passes_again(told, model, name)

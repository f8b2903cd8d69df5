"""What the test in sched_out is for where a switch of the mode may come between two registrations."""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from specs.long_mode import SPEC


def test_d1_is_back_where_sched_out_does_not_ask_for_kvm_run() -> None:
    preempted = "runstate_cache.active, and preempted"
    asked = AblationRequest(
        SPEC, SPEC.newest, properties=("second-page",), memories=("tso",), keep=lambda row: preempted in row.text
    )
    told = {row.text: answer(row.cells[0]) for row in ablate(asked).rows}
    assert told.pop(f"{preempted} taken as false").startswith("never atomic path gave up")
    assert told == {
        f"{preempted} taken as true": "second-page",
        f"{preempted} without asking gpc1->active": "not-needed",
        f"{preempted} without asking in KVM_RUN": "second-page",
    }

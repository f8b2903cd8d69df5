"""What the pieces of an event's way are for, with a cache by user address."""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from specs.shared_info import SPEC


def test_what_each_line_of_the_fast_path_is_for() -> None:
    function = "kvm_xen_set_evtchn_fast"
    found = ablate(AblationRequest(SPEC, SPEC.newest, keep=lambda row: row.function == function, memories=("sc",)))
    assert found.complete
    told = {f"{row.kind}: {row.text}": answer(row.cells[0]) for row in found.rows}
    assert told == {}

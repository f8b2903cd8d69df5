"""What the pieces of an event's fast path are for, with a cache by user address."""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from specs.shared_info import SPEC


def test_what_each_line_of_the_fast_path_is_for() -> None:
    function = "kvm_xen_set_evtchn_fast"
    found = ablate(AblationRequest(SPEC, SPEC.newest, keep=lambda row: row.function == function, memories=("sc",)))
    assert found.complete
    assert {f"{row.kind}: {row.text}": answer(row.cells[0]) for row in found.rows} == {
        "lock: srcu_read_lock(kvm->srcu)": "not-needed",  # a cache by user address looks at no memslot
        "lock: read_lock(shinfo->lock)": "one-page",
        "test: kvm->arch.xen.long_mode taken as true": "not-needed",  # old-layout is violated with nothing left out
        "test: kvm->arch.xen.long_mode taken as false": "not-needed",
        "store: the pending bit is set": "delivered",
        "order: read_unlock(shinfo->lock) moved before the pending bit is set": "not-needed",
    }

"""What the pieces of deactivation are for, in every set of actors that the cache is taken apart with."""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from specs.pfncache import SPEC


def test_what_each_line_of_deactivation_is_for() -> None:
    function = "kvm_gpc_deactivate"
    found = ablate(AblationRequest(SPEC, SPEC.newest, keep=lambda row: row.function == function))
    assert found.complete and found.memories == ("sc", "tso", "weak")
    told = {f"{row.kind}: {row.text}": [answer(cell) for cell in row.cells] for row in found.rows}
    assert {len(set(answers)) for answers in told.values()} == {1}  # nothing of the cache lies in memory
    assert {name: answers[0] for name, answers in told.items()} == {
        "lock: mutex_lock(gpc->refresh_lock)": "type",
        "test: gpc->active taken as true": "not-needed",
        "test: gpc->active taken as false": "stale-mapping",
        "lock: write_lock(gpc->lock)": "stale-mapping",
        "store: gpc->active = false, valid = false, khva = NULL, pfn = error": "type",
        "store: gpc_unmap_khva(gpc's old mapping)": "not-needed",
        "lock: spin_lock(kvm->gpc_lock)": "not-needed",
        "store: list_del(gpc)": "not-needed",
    }

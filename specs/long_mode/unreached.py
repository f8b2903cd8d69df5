"""Why some lines are reached in no check of the newest version: the reasons behind the report's coverage."""

from __future__ import annotations

OLDER = "only in versions before the newest"
SLOTS = "memslots stay as they are here"
OWN = "the task that refreshes a cache is the one that deactivates it"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ('yield gpc.refresh_lock.unlock().at("", ACTIVATE)', "after KVM_BUG_ON(), see pfncache's inactive-valid"),
        ("activate", OLDER),
        ("enlist", OLDER),
        ("deactivate", OLDER),
        ('yield gpc.refresh_lock.lock().at("R1", ACTIVATE)', OLDER),
        ('yield in_progress(kvm, overlaps(pages, caches)).at("N3", START)', OLDER),
        ('yield seq_moves(kvm, overlaps(pages, caches)).at("E1", END)', OLDER),
        ("__kvm_gpc_refresh R4", OWN),
        ("__kvm_gpc_refresh R10", SLOTS),
        ("__kvm_gpc_refresh R11", SLOTS),
        ('yield unmapped(gpc, gpc.mapping).at("R12", REFRESH)', OLDER),
        ('yield reach("no slot")', SLOTS),
    )

"""Why some lines are reached in no check: the reasons behind the report's coverage."""

from __future__ import annotations

OLDER = "only in versions before the newest"
FAULTS = "only with gup=may-fail"
ONE = "there is one page, and one thing to do"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ("activate", OLDER),
        ("enlist", OLDER),
        ("deactivate", OLDER),
        ("set_up", OLDER),
        ("refresh_locked", OLDER),
        ("hva_to_pfn_retry", FAULTS),
        ("mmu_notifier", ONE),
        ("kvm_gpc_activate", "after KVM_BUG_ON(), see inactive-valid"),
        ("set_evtchn", "only where xen_lock is taken, in older versions"),
        ("set_vcpu_info", "only before 5831fb3e6b39"),
    )

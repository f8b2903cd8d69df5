"""Why some lines are reached in no check of the newest version: the reasons behind the report's coverage.

Each is of one line's text, so that it hides no other line of its function.
"""

from __future__ import annotations

OLDER = "only in versions before the newest"
BEFORE = "in no version here: 52491a38b2c2, the oldest, is later"
XEN_LOCK = "only up to b9220d32799a, where an event takes xen_lock"
TWICE = "only before 5831fb3e6b39, where long_mode is read twice"
FAULTS = "only with gup=may-fail"
RANGES = "there is one range to invalidate, but where a cache by guest frame moves"
BUG = "after KVM_BUG_ON(), see inactive-valid"


def unreached() -> tuple[tuple[str, str], ...]:
    """(the text of a line, why it need not be reached)."""
    return (
        ('yield gpc.refresh_lock.unlock().at("", ACTIVATE)', BUG),
        ('yield check(idle, "lock-init", f"rwlock_init({gpc.name}->lock)").at("", ACTIVATE)', BEFORE),
        ('yield unmapped(gpc, gpc.mapping).at("R12", REFRESH)', BEFORE),
        ('yield in_progress(kvm, overlaps(pages, caches)).at("N3", START)', BEFORE),
        ('yield seq_moves(kvm, overlaps(pages, caches)).at("E1", END)', OLDER),
        ('yield gpc.refresh_lock.lock().at("R1", ACTIVATE)', OLDER),
        ('yield reset(gpc).at("", ACTIVATE)', OLDER),
        ('yield shared(f"{gpc.name}->active = true", *reopened(gpc), (gpc.active, 1)).at("", ACTIVATE)', OLDER),
        ('yield gpc.lock.write_lock(irq="off").at("", DEACTIVATE)', OLDER),
        ('yield assign(gpc.active, 0).as_(f"{gpc.name}->active = false").at("", DEACTIVATE)', OLDER),
        ('yield gpc.lock.write_unlock(irq="on").at("", DEACTIVATE)', OLDER),
        ('yield scene.xen_lock.lock().at("E", SLOW)', XEN_LOCK),
        ('yield scene.xen_lock.unlock().at("E", SLOW)', XEN_LOCK),
        ('now = yield test(scene.long_mode, "kvm->arch.xen.long_mode?").at("E", FAST)', TWICE),
        ('if kvm.faults and (yield choose("hva_to_pfn()", "pfn", "error").at("H4", RETRY)) == "error":', FAULTS),
        ('yield gpc.lock.write_lock(irq="off").at("H4", RETRY)', FAULTS),
        ('yield invalid(gpc).at("R10", RETRY)', FAULTS),
        ('yield gpc.lock.write_unlock(irq="on").at("R11", RETRY)', FAULTS),
        ('yield reach("refresh failed")', FAULTS),
        ('yield shared("the ioctl returns an error", (scene.enabled, 0), *gone).at("M3", SET_ATTR)', FAULTS),
        (
            'which = yield choose("invalidate", *range(len(chosen))).at("", "mmu_notifier_invalidate_range_start")',
            RANGES,
        ),
    )

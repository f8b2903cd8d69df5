"""Why some lines are reached in no check of the newest version: the reasons behind the report's coverage.

Each is of one line's text, so that it hides no other line of its function; but for the reader's copy, whose lines
differ in how many bytes they carry alone.
"""

from __future__ import annotations

OLDER = "only in versions before the newest"
BEFORE = "in no version here: the cache of a795cd43, the oldest, is later"
BUG = "after KVM_BUG_ON(), see pfncache's inactive-valid"
OWN = "the task that refreshes a cache is the one that deactivates it"
REFRESHED = "a refresh follows a failed check, and nobody else makes this cache valid (refresher=second)"
RT = "only with preemption=rt"
FIX = "only with fix=accounting"
RUNNABLE = "only with ioctls=runnable or adjust: else the atomic path is sched_out's, with interrupts off already"


def unreached() -> tuple[tuple[str, str], ...]:
    """(the text of a line, or the function of several, and why it need not be reached)."""
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
        ('yield gpc.lock.write_unlock(irq="on").at("R4", REFRESH)', OWN),
        ("__kvm_gpc_refresh R11", REFRESHED),
        ("__kvm_gpc_refresh R12", REFRESHED),
        ('page = yield choose("new page", *range(1, len(place.pages) + 1)).at("", SET)', "a slot has one page here"),
        (
            'if scene.long_mode is not None and not (yield test(scene.long_mode, "long_mode?").at("C1", SET_ATTR)):',
            "only with mode=switches",
        ),
        ('yield shared("entry_time = runstate_entry_time", (scene.entry_time, scene.shadow)).at("G8", GUEST)', RT),
        (
            'yield shared("rs = {current_runstate, entry_time, runstate_times[]}", (scene.rs, scene.shadow))'
            '.at("G9", GUEST)',
            RT,
        ),
        ('yield preempt_disable().at("A1", ACCOUNTING)', FIX),
        ('yield preempt_enable().at("A11", ACCOUNTING)', FIX),
        ('yield local_irq_save().at("G2", GUEST)', RUNNABLE),
        ('yield local_irq_restore().at("G2", GUEST)', RUNNABLE),
        (
            'yield check(lift(0), "own-read", "the flag is clear?").at("", "xen_get_runstate_snapshot")',
            "what own-read proves: the vCPU itself never sees the flag",
        ),
        ("copies", "a projection carries one byte of the copy, two where entry times may repeat"),
        ("no_retry", "only where without=retry leaves a guard out"),
    )

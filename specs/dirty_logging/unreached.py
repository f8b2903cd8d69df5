"""Why some lines are reached in no check: the reasons behind the report's coverage."""

from __future__ import annotations

OLDER = "only in versions before the newest"
FORM = "only in a form that no kernel has"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ('yield log.mark(page, path.in_slot and logging).at("F8", ABORT)', FORM),
        ('yield log.mark(page, False).at("F8", ABORT)', OLDER),
        ('yield log.mark(page, path.in_slot).at("F8", ABORT)', OLDER),
        (
            'yield check(s2.pmd.eq(TABLE), "block-intact", "pte_offset_kernel(pmd) of a block").at("F7", fn)',
            "a block that is met without the logging flag, which is block-intact (L5)",
        ),
        ("stage2_set_pte", OLDER),
        ("stage2_set_pmd_huge", OLDER),
        ("stage2_dissolve_pmd", OLDER),
        ("kvm_set_spte_handler", OLDER),
        ("kvm_mmu_notifier_change_pte", OLDER),
    )

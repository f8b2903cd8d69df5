"""Why some lines are reached in no check: the reasons behind the report's coverage."""

from __future__ import annotations

OLDER = "only in versions before the newest"
GHOST = "a ghost of refresh-ends"
MOVING = "only where the cache moves: actors=all-moving"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ('yield gpc.refresh_lock.unlock().at("", ACTIVATE)', "after KVM_BUG_ON(), see inactive-valid"),
        ('yield unmapped(gpc, gpc.mapping).at("R12", REFRESH)', OLDER),
        ('yield assign(busy, 1).as_("a refresh begins").at("R1", fn)', GHOST),
        ('yield assign(busy, 0).as_("the refresh has ended").at("R12", fn)', GHOST),
        ("activate", OLDER),
        ("enlist", OLDER),
        ("deactivate", OLDER),
        ('yield in_progress(kvm, overlaps(pages, caches)).at("N3", START)', OLDER),
        ('yield seq_moves(kvm, overlaps(pages, caches)).at("E1", END)', OLDER),
        ('if moves and (yield choose("ioctl", "move", "deactivate")) == "move":', MOVING),
        ('yield reach("moved")', MOVING),
        (
            'which = yield choose("invalidate", *range(len(chosen))).at("", "mmu_notifier_invalidate_range_start")',
            "there is one page",
        ),
        ('page = yield choose("new page", *range(1, len(place.pages) + 1)).at("", SET)', "there is one page"),
    )

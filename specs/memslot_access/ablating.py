"""Where the pieces of the emulation are left out one by one: one page in RAM beside one whose memslot changes.

Both orders are asked, and both who change memslots.  Two pages that change have a million states, and nothing was found
to need both.
"""

from __future__ import annotations

Values = tuple[tuple[str, int | str], ...]


def ablate_settings(version: str, name: str) -> tuple[Values, ...]:
    """Where a property is asked; the spec refuses those in which nothing could break it."""
    kinds = [("rw", "rw")]
    if not name.startswith("seen"):
        kinds = [("rw", "changes"), ("changes", "rw"), ("readonly", "changes")]
    return tuple(
        (("first", first), ("second", second), ("vmm", vmm)) for first, second in kinds for vmm in ("thread", "handler")
    )

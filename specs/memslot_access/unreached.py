"""Why some lines are reached in no check of the newest version: the reasons behind the report's coverage."""

from __future__ import annotations

FORM = "only in a broken form: srcu=dropped, or order=by-address"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ('yield machine.srcu.read_unlock().at("V2", "tlb_to_io")', FORM),
        ('yield machine.srcu.read_lock().at("V4", "run_iolist")', FORM),
        ("yield from exits(machine, one)", FORM),
    )

"""Why some lines are reached in no check: the reasons behind the report's coverage."""

from __future__ import annotations


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    refreshed = "a refresh follows a failed check, and nobody else makes this cache valid"
    return (
        ("__kvm_gpc_refresh R11", refreshed),
        ("__kvm_gpc_refresh R12", refreshed),
        ("copies", "a projection carries one byte of the copy, two where entry times may repeat"),
        ("no_retry", "only where without=retry leaves a guard out"),
    )

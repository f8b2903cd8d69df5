"""What tells the forms apart: the checks that show each, and those that show it gone.

T1 and T3 to T5 are B5, D10, the second read of 12.1 item 10, and D1 of protocol.md, seen from the mode; T2 and T6 are
forms that the mail of 2022-11-14 weighs and no kernel had.

Beyond protocol.md 8.4: T5 breaks I1 as it does I3, where the new tail is longer; its trace is an area over two pages in
one mode, a switch, and a registration in the other (6.3 has that as a remark).  And where the mode stays (Xen's rule),
G6 need not activate the second cache: a refresh does.
"""

from __future__ import annotations

from modelcheck import Case, Trial

V2, V3, V6, V6S, V7P = "a795cd43", "5ec3289b", "4438355e", "11896456", "da260bcb"
SEED = '5ec3289b31ab "KVM: x86/xen: Compatibility fixes for shared runstate area"'


def tries(version: str, name: str, area: str, verdict: str = "violated", **values: str) -> Trial:
    """One check, of the merged form where nothing else is said."""
    chosen = {"caches": "two", "area": area, "latched": "no"} | values
    return Trial(version, name, tuple(chosen.items()), verdict=verdict)


CASES = (
    Case(
        "T1",
        "an area is refused for the layout that it does not have",
        "5.18 to 6.1 (a795cd43)",
        "fixed",
        "One cache maps one page, and asks for 48 bytes whatever the mode is: a compat area of 44 bytes that ends with "
        "its page is refused. Asking for the size of the mode only moves the refusal to areas that cross.",
        before=(
            tries(V2, "registered", "between", caches="one"),
            tries(V2, "registered", "across", caches="one"),
            tries(V7P, "registered", "between", caches="one"),
        ),
        after=(
            tries(V3, "registered", "between", "holds"),
            tries(V3, "registered", "across", "holds"),
            tries(V7P, "registered", "across", "holds", caches="one-over-two-pages"),
        ),
        fixed_by=SEED,
        conditions="an area whose 64-bit layout crosses its page",
        trace="long_mode-registered-e3db074284.json",
    ),
    Case(
        "T2",
        "one cache of the exact size is stuck once the guest enters long mode",
        "none: a form that was weighed",
        "control",
        "A compat area that ends with its page is registered, and the guest enters long mode. Each update then fails "
        "the length check and its refresh is refused, and the guest keeps the compat layout for ever.",
        before=(tries(V7P, "converted", "between", caches="one"),),
        after=(
            tries(V7P, "converted", "between", "holds"),
            tries(V7P, "converted", "between", "holds", caches="one-over-two-pages"),
            tries(V7P, "converted", "between", "holds", caches="one", latched="yes"),
        ),
        conditions="a switch from compat to 64-bit mode with an area that is mapped",
        trace="long_mode-converted-37c036fbf5.json",
    ),
    Case(
        "T3",
        "the layout changes between its look and the stores",
        "all",
        "confirmed",
        "long_mode is read without a lock, and the guest leaves long mode before the stores. The 64-bit layout is "
        "stored, 4 bytes beyond the compat struct; the next update has the new layout.",
        before=tuple(tries(V7P, "overrun", area) for area in ("inside", "between", "across")),
        after=tuple(tries(V7P, "overrun", area, "holds", latched="yes") for area in ("inside", "between", "across")),
        conditions="a switch from 64-bit to compat mode while an update runs; not with Xen's rule (latched=yes)",
        trace="long_mode-overrun-a55e0ddf49.json",
    ),
    Case(
        "T4",
        "48 bytes are stored where 44 were checked",
        "5.18 to 6.1 (a795cd43)",
        "fixed",
        "The length is checked in one mode, and the layout taken from a second look at it. What is stored beyond the "
        "check stays in the page only because the registration asked for 48 bytes in either mode.",
        before=(
            tries(V2, "checked", "inside", caches="one"),
            tries(V7P, "checked", "between", caches="one", reads="twice"),
            tries(V7P, "checked", "between", reads="twice"),
        ),
        after=(
            tries(V3, "checked", "inside", "holds"),
            tries(V7P, "checked", "between", "holds"),
            tries(V7P, "checked", "between", "holds", reads="twice", latched="yes"),
        ),
        fixed_by=SEED,
        conditions="a switch from compat to 64-bit mode while an update runs",
        trace="long_mode-checked-2b07360a52.json",
    ),
    Case(
        "T5",
        "the tail goes to the second page of the old area",
        "6.2 to 6.10",
        "fixed",
        "RUNSTATE_ADDR has moved gpc1 and not yet gpc2, and is preempted; kvm_gpc_check() compares no addresses, and "
        "sched_out stores through both. A mapping of both pages at once has no such gap.",
        before=(
            tries(V3, "second-page", "across"),
            tries(V6, "second-page", "across"),
            tries(V6, "inside", "across"),
            tries(V6, "second-page", "between"),
        ),
        after=(
            tries(V6S, "second-page", "across", "holds"),
            tries(V6S, "inside", "across", "holds"),
            tries(V6, "inside", "across", "holds", caches="one-over-two-pages"),
        ),
        fixed_by='118964562969 "KVM: Mark a vCPU as preempted/ready iff it\'s scheduled out while running"',
        conditions="an area over a page before and after, and a preemption between the two activations (D1)",
        trace="long_mode-second-page-230983e1e6.json",
    ),
    Case(
        "T6",
        "one mapping over two pages needs pages",
        "none: a form that was weighed",
        "control",
        "vmap() takes a list of pages, and memory that the VMM mapped from a device has none. So an area over two such "
        "pages is never mapped, where two caches map each page by itself.",
        before=(
            tries(V7P, "registered", "across", caches="one-over-two-pages", pages="iomem"),
            tries(V7P, "registered", "between", caches="one-over-two-pages", pages="iomem"),
        ),
        after=(tries(V7P, "registered", "across", "holds", caches="one-over-two-pages"),),
        conditions="guest memory without struct page",
        trace="long_mode-registered-c3c64ae9ac.json",
    ),
)

"""The known bugs of event delivery: the checks that show each, and those that show it gone.

B are those of protocol.md 6.1 and 6.2 where they touch shared_info; X are the spec's own: X1, X2 and X4 are of
protocol.md 8.1, the others were found here.

B13 and B19 are none of shared_info's.  Until 7a36d680658b every refresh, activation and deactivation of its cache held
one lock (kvm->lock, later xen_lock; no tree before 6.1 was read), and that commit runs on 93984f19e7bc, which
serialises refreshes, and on 6addfcf27139, which closes B19.  `--set without=xen-lock` leaves the lock out, and B19 is
there.  B11, B12 and B15 were fixed before the oldest version here.
"""

from __future__ import annotations

from modelcheck import Case, Trial

LOCKS, OLD, DROPPED, HVA = "52491a38b2c2", "8332f0ed4f18", "9f87791d686d", "b9220d32799a"
CONTAINED, OWN_SEQ, LATCH = "7a36d680658b", "da260bcb56fe", "5831fb3e6b39"


def tries(
    name: str, vmm: str, flavour: str, *versions: str, verdict: str = "violated", **more: str
) -> tuple[Trial, ...]:
    """One check of each version."""
    values = (("flavour", flavour), ("vmm", vmm), ("invalidations", "unending"), ("vcpu_info", "valid"))
    chosen = tuple((key, more.get(key, value)) for key, value in values)
    chosen += tuple((key, value) for key, value in more.items() if key not in dict(values))
    return tuple(Trial(version, name, chosen, verdict=verdict) for version in versions)


CASES = (
    Case(
        "X1",
        "an event is lost while the overlay is away",
        "all, by guest frame (52491a38b2c2 is the oldest checked)",
        "fixed",
        "The VMM has deleted the slot of the overlay, and nothing lies at its frame. The slow path of an event that is "
        "raised then refreshes the cache, finds no slot, and gives the event up with -EFAULT.",
        before=tries("lost", "moves", "gpa", LOCKS, DROPPED, LATCH),
        after=tries("lost", "moves", "hva", HVA, LATCH, verdict="holds"),
        fixed_by='b9220d32799a "KVM: x86/xen: allow shared_info to be mapped by fixed HVA"',
        conditions="shared_info set by guest frame, and one event between M1 and M2; no invalidation. A VMM that sets "
        "it by address is safe",
        trace="shared_info-lost-510e4b002f.json",
    ),
    Case(
        "X2",
        "an event is set in the guest's memory under the old overlay",
        "all, by guest frame (52491a38b2c2 is the oldest checked)",
        "fixed",
        "The overlay has left, and the guest's memory is at the old frame again, where the cache still is. An event "
        "that is raised then refreshes it, and sets a bit of that memory.",
        before=tries("one-page", "moves", "gpa", LOCKS, DROPPED, LATCH),
        after=tries("one-page", "moves", "hva", OWN_SEQ, LATCH, verdict="holds"),
        fixed_by='b9220d32799a "KVM: x86/xen: allow shared_info to be mapped by fixed HVA"',
        conditions="shared_info set by guest frame, and one event between M2 and M3; no invalidation. A cache by "
        "address has one page only",
        trace="shared_info-one-page-d343417fbd.json",
    ),
    Case(
        "X3",
        "an event is lost where the page of shared_info cannot be had",
        "all",
        "known, not fixed",
        "The notifier has invalidated the cache, and hva_to_pfn() fails (no memory, a signal). The slow path gives the "
        "event up, in either flavour, and irqfd_inject() drops the error.",
        before=tries("lost", "disables", "hva", LATCH, gup="may-fail"),
        after=tries("lost", "disables", "hva", LATCH, verdict="holds"),
        conditions="one invalidation of its page, and one lookup that fails; nothing moves. A failure that the VMM is "
        "told of (KVM_XEN_HVM_EVTCHN_SEND) loses nothing",
        trace="shared_info-lost-6d4437429e.json",
    ),
    Case(
        "X4",
        "the two halves of an event are in two layouts",
        "5.17 to 7.3 (52491a38b2c2 is the oldest checked)",
        "fixed",
        "long_mode is read for the shared_info half and again for the vcpu_info half. A switch in between has the word "
        "counted in one layout and its selector bit set in the other, and the guest looks at another word.",
        before=tries("one-layout", "switches", "gpa", LOCKS, OWN_SEQ),
        after=tries("one-layout", "switches", "gpa", LATCH, verdict="holds"),
        fixed_by='5831fb3e6b39 "KVM: x86/xen: Latch shinfo mode in kvm_xen_set_evtchn_fast()"',
        conditions="one event, and one switch of long_mode between its two reads of it",
        trace="shared_info-one-layout-370a6dc001.json",
    ),
    Case(
        "X5",
        "a word that is left to the vCPU is injected in another layout",
        "all",
        "known, not fixed",
        "vcpu_info cannot be reached, and the selector bit is kept in the kernel, with no note of the layout. The vCPU "
        "injects it after a switch, into the vcpu_info of the new one, and reading long_mode once does not help.",
        before=tries("one-layout", "switches", "hva", LATCH, vcpu_info="may-be-invalid"),
        after=tries("one-layout", "switches", "hva", LATCH, verdict="holds"),
        conditions="a vcpu_info that is invalid when one event comes, and one switch before the vCPU runs",
        trace="shared_info-one-layout-eeed0458ac.json",
    ),
    Case(
        "X6",
        "an event uses the old layout after the switch has returned",
        "all",
        "known, not fixed",
        "An event has read long_mode when the mode is switched, and nothing waits for it. It goes on in the old layout "
        "after the ioctl has returned; by design, it may be said, since a guest that switches expects no events.",
        before=tries("old-layout", "switches", "hva", HVA, LATCH),
        after=tries("wall-clock", "switches", "hva", HVA, LATCH, verdict="holds"),
        conditions="one event, and one switch of long_mode that begins and returns between its read and its stores",
        trace="shared_info-old-layout-7fea69a33a.json",
    ),
    Case(
        "X7",
        "a switch leaves the wall clock where the old layout has it",
        "up to 6.8 (52491a38b2c2 is the oldest checked)",
        "fixed",
        "LONG_MODE changes the mode and nothing else. A guest of the new mode finds no wall clock where it looks.",
        before=tries("wall-clock", "switches", "gpa", LOCKS, DROPPED),
        after=tries("wall-clock", "switches", "gpa", HVA, LATCH, verdict="holds"),
        fixed_by='18b99e4d6db6 "KVM: x86/xen: re-initialize shared_info if guest (32/64-bit) mode is set"',
        conditions="one switch of long_mode; no event and no race",
        trace="shared_info-wall-clock-0381ed7fd1.json",
    ),
    Case(
        "X8",
        "an event is not delivered while memslots go on changing",
        "all, by guest frame (52491a38b2c2 is the oldest checked)",
        "fixed",
        "The slow path refreshes the cache and looks at it again in another SRCU read section. A change of memslots in "
        "between, of any slot, has the cache out of date once more, and so for ever if they go on.",
        before=tries("delivered", "other-slots", "gpa", LOCKS, LATCH, invalidations="once"),
        after=tries("delivered", "moves", "hva", OWN_SEQ, LATCH, verdict="holds", invalidations="once"),
        fixed_by='b9220d32799a "KVM: x86/xen: allow shared_info to be mapped by fixed HVA"',
        conditions="shared_info set by guest frame, one event, and a change of memslots in each turn; no invalidation",
        trace="shared_info-delivered-b36f5beed5.json",
    ),
    Case(
        "B16",
        "an event makes shared_info valid again after it was disabled",
        "up to 6.1-rc2 (52491a38b2c2 is checked)",
        "fixed",
        "shared_info was disabled, and an event comes later. Its slow path refreshes the cache that is no longer "
        "active, and it sets a bit of a page that the VMM has taken back; no race at all.",
        before=tries("after-disable", "disables", "gpa", LOCKS) + tries("stale-mapping", "disables", "gpa", LOCKS),
        after=tries("after-disable", "disables", "gpa", OLD, LATCH, verdict="holds"),
        fixed_by='ecbcf030b456 "Reject attempts to consume or refresh inactive gfn_to_pfn_cache"',
        conditions="an event after disabling",
        trace="shared_info-after-disable-af7268962d.json",
    ),
    Case(
        "B24",
        "a refresh of shared_info misses an invalidation while the overlay is in no memslot",
        "6.9 to 7.3.2",
        "fixed",
        "By fixed address, and while the VMM moves the overlay, no memslot has the page. An invalidation then bumps no "
        "sequence, and a refresh installs the page that was freed.",
        before=tries("stale-mapping", "moves", "hva", HVA, CONTAINED),
        after=tries("stale-mapping", "moves", "hva", OWN_SEQ, LATCH, verdict="holds"),
        fixed_by='da260bcb56fe "use a dedicated invalidation sequence for cache refresh"',
        conditions="shared_info set by address, an event between M1 and M2, an invalidation of its page",
        trace="shared_info-stale-mapping-57ac1a9cd1.json",
    ),
    Case(
        "B28",
        "an event is not delivered while invalidations of other pages go on",
        "all",
        "known, not fixed",
        "The slow path waits for a refresh, which starts over when any page of the VM was invalidated since it looked, "
        "though no cache has that page. A stream of such invalidations keeps the event for ever.",
        before=tries("delivered", "idle", "gpa", LOCKS, LATCH, invalidations="elsewhere")
        + tries("delivered", "idle", "hva", LATCH, invalidations="elsewhere"),
        after=tries("delivered", "idle", "gpa", LOCKS, LATCH, verdict="holds", invalidations="once"),
        conditions="a cache that is not valid, one event, and an invalidation of some other page in each turn",
        trace="shared_info-delivered-eb2dff65eb.json",
    ),
)

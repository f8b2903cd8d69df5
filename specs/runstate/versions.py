"""The versions of the writer, V2 to V7 of protocol.md 0.2 and 2.3, and what differs between them.

The guest-writing half is the same from 4438355e on (protocol.md 0.2); 11896456 changed when sched_out counts as
preemption and 36a85200 the accounting, neither of which this part models apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Version


@dataclass(frozen=True, slots=True)
class Writer:
    """What one version of kvm_xen_update_runstate_guest() does.

    `two_caches`: an area may cross a page.  `byte_flag`: the update flag is stored as one byte, not in the whole word.
    `flag_optional`: the flag is used only if the guest asked for it.  `trylock`: the atomic path gives up on a
    contended lock.  `nested_class`: lockdep is told about gpc1 > gpc2.  `dirty_inside`: pages are marked dirty with
    the lock held. `read_first`: the notifier looks under the read lock before it takes the write lock (9fa336e343b2,
    6.9).
    """

    name: str
    two_caches: bool = True
    byte_flag: bool = True
    flag_optional: bool = True
    trylock: bool = True
    nested_class: bool = True
    dirty_inside: bool = True
    read_first: bool = True


WRITERS = (
    Writer(
        "a795cd43",
        two_caches=False,
        byte_flag=False,
        flag_optional=False,
        trylock=False,
        nested_class=False,
        dirty_inside=False,
        read_first=False,
    ),
    Writer("5ec3289b", flag_optional=False, trylock=False, nested_class=False, dirty_inside=False, read_first=False),
    Writer("d8ba8ba4", trylock=False, nested_class=False, dirty_inside=False, read_first=False),
    Writer("bbe17c62", dirty_inside=False, read_first=False),
    Writer("4438355e"),
    Writer("11896456"),
    Writer("36a85200"),
)

VERSIONS = (
    Version("a795cd43", ("6.1",), "V2, one gfn_to_pfn cache, 64-bit stores of the flag"),
    Version("5ec3289b", ("seed",), "V3, two caches, byte-wide update flag"),
    Version("d8ba8ba4", (), "V4, the flag only if the guest asked for it"),
    Version("bbe17c62", ("6.2",), "V5, trylock in the atomic path"),
    Version("4438355e", ("6.9",), "V6, pages marked dirty with the lock held"),
    Version("11896456", ("6.11",), "V6s, sched_out counts only inside KVM_RUN"),
    Version("36a85200", ("7.3",), "V7, accounting clamped; guest half as V6"),
)


_BY_NAME = {each.name: each for each in WRITERS}


def writer(version: str) -> Writer:
    """The writer of a version by its name."""
    return _BY_NAME[version]

"""The versions of the writer, V2 to V7p of protocol.md 0.2 and 2.3, and what differs between them.

The guest-writing half is the same from 4438355e on (protocol.md 0.2); 11896456 changed when sched_out counts as
preemption, 36a85200 the accounting, da260bcb the cache alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelcheck import Version


@dataclass(frozen=True, slots=True)
class Writer:
    """What one version of the vCPU task's code does.

    `two_caches`: an area may cross a page.  `byte_flag`: the update flag is stored as one byte, not in the whole word.
    `flag_optional`: the flag is used only if the guest asked for it.  `trylock`: the atomic path gives up on a
    contended lock.  `nested_class`: lockdep is told about gpc1 > gpc2.  `xen_lock`: the attribute ioctls take
    kvm->arch.xen.xen_lock, before it kvm->lock (310bc39546a4).  `dirty_inside`: pages are marked dirty with the lock
    held.  `ioctls_write`: RUNSTATE_ADDR, CURRENT and ADJUST write the area.  `only_in_run`: sched_out counts as
    preemption only inside KVM_RUN (118964562969).  `clamped`: the accounting never books a negative time.
    `mode_twice`: long_mode is read for the length, and again for the layout that is stored.
    `cache` names the version of gfn_to_pfn_cache (`cache_versions`).
    """

    name: str
    two_caches: bool = True
    byte_flag: bool = True
    flag_optional: bool = True
    trylock: bool = True
    nested_class: bool = True
    xen_lock: bool = True
    dirty_inside: bool = True
    ioctls_write: bool = True
    only_in_run: bool = True
    clamped: bool = True
    mode_twice: bool = False
    cache: str = "6addfcf27139"


V7 = Writer("36a85200")
V6S = replace(V7, name="11896456", clamped=False)
V6 = replace(V6S, name="4438355e", only_in_run=False)
V5 = replace(V6, name="bbe17c62", dirty_inside=False, cache="9f87791d686d")
V4 = replace(V5, name="d8ba8ba4", trylock=False, nested_class=False, xen_lock=False)
V3 = replace(V4, name="5ec3289b", flag_optional=False)
V2 = replace(
    V3, name="a795cd43", two_caches=False, byte_flag=False, ioctls_write=False, mode_twice=True, cache="8332f0ed4f18"
)
V7P = replace(V7, name="da260bcb", cache="da260bcb56fe")
WRITERS = (V2, V3, V4, V5, V6, V6S, V7, V7P)

VERSIONS = (
    Version("a795cd43", ("6.1",), "V2, one gfn_to_pfn cache, 64-bit stores of the flag"),
    Version("5ec3289b", ("seed",), "V3, two caches, byte-wide update flag"),
    Version("d8ba8ba4", (), "V4, the flag only if the guest asked for it"),
    Version("bbe17c62", ("6.2",), "V5, trylock in the atomic path"),
    Version("4438355e", ("6.9",), "V6, pages marked dirty with the lock held"),
    Version("11896456", ("6.11",), "V6s, sched_out counts only inside KVM_RUN"),
    Version("36a85200", ("7.3",), "V7, accounting clamped; guest half as V6"),
    Version("da260bcb", ("7.3.3",), "V7p, the cache has an invalidation sequence of its own; writer as V7"),
)


_BY_NAME = {each.name: each for each in WRITERS}


def writer(version: str) -> Writer:
    """The writer of a version by its name."""
    return _BY_NAME[version]

"""Where the runstate area lies and how the writer cuts it: protocol.md sections 1 and 2.3 (G0, G1).

Sources: struct vcpu_runstate_info and struct compat_vcpu_runstate_info (include/xen/interface/vcpu.h,
arch/x86/kvm/xen.h); kvm_xen_update_runstate_guest() in arch/x86/kvm/xen.c for the two lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE_SIZE = 4096
LINE = 64
RUNSTATES = ("running", "runnable", "blocked", "offline")
UPDATE = "XEN_RUNSTATE_UPDATE"  # the form of a store whose last entry-time byte has bit 7 set


@dataclass(frozen=True, slots=True)
class Struct:
    """The struct of one ABI (64 or 32); all lengths in bytes.  This much of a layout a reader looks at."""

    abi: int

    @property
    def size(self) -> int:
        """sizeof the struct: 48, or 44 without the 4 bytes of padding."""
        return 48 if self.abi == 64 else 44

    @property
    def entry(self) -> int:
        """offsetof state_entry_time, the writer's times_ofs."""
        return 8 if self.abi == 64 else 4

    @property
    def times(self) -> int:
        """offsetof time[0]."""
        return self.entry + 8

    @property
    def update_byte(self) -> int:
        """The byte with XEN_RUNSTATE_UPDATE: the last of state_entry_time (little endian)."""
        return self.entry + 7

    @property
    def fields(self) -> tuple[tuple[str, int, int], ...]:
        """(name, first byte, end) of every field; the padding of the 64-bit struct is none."""
        t = self.times
        times = tuple((f"time[{i}]", t + 8 * i, t + 8 * i + 8) for i in range(4))
        return (("state", 0, 4), ("state_entry_time", self.entry, self.entry + 8), *times)


@dataclass(frozen=True, slots=True)
class Parts(Struct):
    """The struct as the writer addresses it: `user_len1` bytes on the first page, the rest on the second."""

    user_len1: int

    @property
    def user_len2(self) -> int:
        """G1: bytes on the second page, 0 when there is none."""
        return self.size - self.user_len1

    @property
    def split(self) -> bool:
        """Whether the writer needs the second cache (G4, G5)."""
        return self.user_len2 != 0


@dataclass(frozen=True, slots=True)
class Layout(Struct):
    """The struct of one ABI at one offset (0..4095) in its page."""

    offset: int

    @property
    def user_len1(self) -> int:
        """G1: bytes on the first page.  The writer tests with >=, so the exact fit computes it the split way."""
        if self.offset + self.size >= PAGE_SIZE:
            return PAGE_SIZE - self.offset
        return self.size

    @property
    def parts(self) -> Parts:
        """What the writer sees of it: not where in its page the area lies, nor its line cuts."""
        return Parts(self.abi, self.user_len1)

    @property
    def user_len2(self) -> int:
        """As in Parts."""
        return self.parts.user_len2

    @property
    def split(self) -> bool:
        """As in Parts."""
        return self.parts.split

    @property
    def cuts(self) -> tuple[tuple[int, str], ...]:
        """The cuts inside the struct as (first byte after the cut, "line" or "page")."""
        inside = range(LINE - self.offset % LINE, self.size, LINE)
        return tuple((byte, "line" if (self.offset + byte) % PAGE_SIZE else "page") for byte in inside)

    @property
    def entry_cut(self) -> tuple[int, str] | None:
        """The cut inside state_entry_time as (bytes before it, "line" or "page"), None when it is in one line."""
        for byte, kind in self.cuts:
            if self.entry < byte < self.entry + 8:
                return byte - self.entry, kind
        return None

    def describe(self) -> str:
        """The class of this offset in a table."""
        cut = self.entry_cut
        if cut is None:
            return "entry time in one line"
        return f"entry time across a {cut[1]}"

"""An area of memory: where it lies, and the accesses processes make to it.

Its one invariant: byte 0 of the area lies at address `base`, and an access names bytes of the area, never addresses.
Which update wrote a byte is a stamp, and values are z3's; only an area with a `domain` holds one number, always
accessed whole, as the locations of a litmus test do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.action import LOADED, Access, Action, Branch, LoadMode, Register, StoreMode, UpdateMode
from modelcheck.errors import SpecError
from modelcheck.expression import TRUE, Domain, Expr, lift, to_text

Tear = Literal["none", "copies", "bytes", "plain"]


@dataclass(frozen=True, slots=True)
class Area:
    """`size` bytes at address `base`; `sort` is the stamp sort of its versions.

    `line` and `page` are in bytes.  `fields` are (name, lo, hi) for people.  `tear` says where the compiler may cut an
    access beside the hardware's cuts at lines: `none`; `copies` (at each `word` of a copy, counted from the area's
    start); `bytes` (a copy at every byte, as `rep movsb` may); `plain` (copies and plain accesses at every byte).
    `carried` are the bytes whose provenance the state carries, None for all: a projection.  `beyond` are the bytes
    outside the area whose stores are steps, None for all: a projection needs one of each store that leaves.  `marked`
    are the bytes whose value a store's form changes (the byte with a flag), None for all.  `bounds` names the property
    that a store outside the area violates.
    """

    name: str
    size: int
    base: int = 0
    sort: str = "update"
    line: int = 64
    page: int = 4096
    word: int = 4
    fields: tuple[tuple[str, int, int], ...] = ()
    tear: Tear = "copies"
    carried: frozenset[int] | None = None
    beyond: frozenset[int] | None = None
    marked: frozenset[int] | None = None
    bounds: str = ""
    domain: Domain | None = None
    initial: int = 0

    def load(
        self,
        lo: int,
        hi: int,
        mode: LoadMode = "once",
        text: str = "",
        addr: tuple[Register, ...] = (),
        when: Expr = TRUE,
    ) -> Action:
        """Loads bytes `lo` to `hi` (excluded); answers an opaque register."""
        if lo < 0 or hi > self.size or lo >= hi:
            raise SpecError(f"a load of bytes {lo}..{hi} of {self.name}, which has {self.size}; load inside the area")
        self._check_whole(lo, hi)
        text = text or f"load {self.name}[{lo}:{hi}]"
        access = Access(self.name, lo, hi, False, mode, text=text, when=when, addr=addr)
        return Action("load", access.text, (Branch(LOADED),), access=access)

    def store(
        self,
        lo: int,
        hi: int,
        version: Expr,
        variant: str = "",
        mode: StoreMode = "plain",
        requires: tuple[tuple[Expr, str], ...] = (),
        text: str = "",
        addr: tuple[Register, ...] = (),
        ctrl: tuple[Register, ...] = (),
    ) -> Action:
        """Stores bytes `lo` to `hi` (excluded) of `version` in form `variant`.

        Each performed piece checks `requires`; bytes outside the area violate `bounds`.
        """
        if lo >= hi:
            raise SpecError(f"a store of bytes {lo}..{hi} of {self.name} stores nothing; give the smaller end first")
        self._check_whole(lo, hi)
        text = text or f"store {self.name}[{lo}:{hi}]"
        access = Access(self.name, lo, hi, True, mode, version, variant, requires, text, addr=addr, ctrl=ctrl)
        return Action("store", access.text, (Branch(),), access=access)

    def rmw(
        self,
        lo: int,
        hi: int,
        version: Expr,
        mode: UpdateMode = "full",
        when: Expr = TRUE,
        text: str = "",
        addr: tuple[Register, ...] = (),
        ctrl: tuple[Register, ...] = (),
    ) -> Action:
        """An atomic read-modify-write; answers a register with what was there.

        In `version` and `when`, `OLD` is the value found; the access performs only where `when` holds.
        """
        if lo < 0 or hi > self.size or lo >= hi:
            raise SpecError(f"an update of bytes {lo}..{hi} of {self.name}, which has {self.size}; stay inside it")
        self._check_whole(lo, hi)
        text = text or f"update {self.name}[{lo}:{hi}]"
        access = Access(
            self.name, lo, hi, True, mode, version, text=text, update=True, when=when, addr=addr, ctrl=ctrl
        )
        return Action("update", access.text, (Branch(LOADED),), access=access)

    def read(self, mode: LoadMode = "once", text: str = "") -> Action:
        """Loads all of it: READ_ONCE() of a number; answers a register, see `value`."""
        return self.load(0, self.size, mode, text or f"READ_ONCE({self.name})")

    def write(self, version: Expr | int, mode: StoreMode = "once", text: str = "") -> Action:
        """Stores all of it: WRITE_ONCE() of a number."""
        new = lift(version)
        return self.store(0, self.size, new, mode=mode, text=text or f"WRITE_ONCE({self.name}, {to_text(new)})")

    def _check_whole(self, lo: int, hi: int) -> None:
        if self.domain is not None and (lo, hi) != (0, self.size):
            raise SpecError(f"bytes {lo}..{hi} of {self.name}, which holds one number; access bytes 0..{self.size}")

    def pieces(self, access: Access, natural: bool = False) -> tuple[tuple[int, int], ...]:
        """The single-copy-atomic parts of an access as (lo, hi), in address order.

        Cut at lines (so at pages), and where the compiler may tear (design.md section 4; Intel SDM vol. 3A, "Guaranteed
        Atomic Operations", for the line).  With `natural`, as on weak hosts, also into the largest naturally aligned
        parts of at most 8 bytes (Arm ARM B2.2.1, "Requirements for single-copy atomicity").
        """
        if access.update or self.domain is not None:
            return ((access.lo, access.hi),)  # a locked access is atomic, whatever it crosses
        plain = access.mode in ("plain", "copy")
        byte = self.tear == "plain" and plain or self.tear == "bytes" and access.mode == "copy"
        word = self.tear == "copies" and access.mode == "copy"
        aligned = self._aligned(access) if natural else frozenset[int]()
        cuts = [access.lo]
        cuts += [
            offset
            for offset in range(access.lo + 1, access.hi)
            if byte or (self.base + offset) % self.line == 0 or word and offset % self.word == 0 or offset in aligned
        ]
        return tuple(zip(cuts, [*cuts[1:], access.hi], strict=True))

    def _aligned(self, access: Access) -> frozenset[int]:
        """Where an access is cut into the largest naturally aligned parts, from its lower end on."""
        found, offset = set(), access.lo
        while offset < access.hi:
            found.add(offset)
            address = self.base + offset
            offset += next(size for size in (8, 4, 2, 1) if address % size == 0 and offset + size <= access.hi)
        return frozenset(found)

    def carries(self, offset: int) -> bool:
        """Whether the state carries this byte, or, of one outside the area, whether storing it is seen."""
        kept = self.carried if 0 <= offset < self.size else self.beyond
        return kept is None or offset in kept

"""An area of memory: where it lies, and the accesses processes make to it.

Its one invariant: byte 0 of the area lies at address `base`, and an access names bytes of the area, never addresses.
Which update wrote a byte is a stamp; an area never holds values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.action import LOADED, Access, AccessMode, Action, Branch
from modelcheck.errors import SpecError
from modelcheck.expression import Expr

Tear = Literal["none", "copies", "bytes", "plain"]


@dataclass(frozen=True, slots=True)
class Area:
    """`size` bytes at address `base`; `sort` is the stamp sort of its versions.

    `line` and `page` are in bytes.  `fields` are (name, lo, hi) for people.  `tear` says where the compiler may cut an
    access beside the hardware's cuts at lines: `none`; `copies` (at each `word` of a copy, counted from the area's
    start); `bytes` (a copy at every byte, as `rep movsb` may); `plain` (copies and plain accesses at every byte).
    `carried` are the bytes whose provenance the state carries, None for all: a projection.  `marked` are the bytes
    whose value a store's form changes (the byte with a flag), None for all.  `bounds` names the property that a store
    outside the area violates.
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
    marked: frozenset[int] | None = None
    bounds: str = ""

    def load(self, lo: int, hi: int, mode: AccessMode = "once", text: str = "") -> Action:
        """Loads bytes `lo` to `hi` (excluded); answers an opaque register."""
        if lo < 0 or hi > self.size or lo >= hi:
            raise SpecError(f"a load of bytes {lo}..{hi} of {self.name}, which has {self.size}; load inside the area")
        access = Access(self.name, lo, hi, False, mode, text=text or f"load {self.name}[{lo}:{hi}]")
        return Action("load", access.text, (Branch(LOADED),), access=access)

    def store(
        self,
        lo: int,
        hi: int,
        version: Expr,
        variant: str = "",
        mode: AccessMode = "plain",
        requires: tuple[tuple[Expr, str], ...] = (),
        text: str = "",
    ) -> Action:
        """Stores bytes `lo` to `hi` (excluded) of `version` in form `variant`.

        Each performed piece checks `requires`; bytes outside the area violate `bounds`.
        """
        if lo >= hi:
            raise SpecError(f"a store of bytes {lo}..{hi} of {self.name} stores nothing; give the smaller end first")
        access = Access(
            self.name, lo, hi, True, mode, version, variant, requires, text or f"store {self.name}[{lo}:{hi}]"
        )
        return Action("store", access.text, (Branch(),), access=access)

    def pieces(self, access: Access) -> tuple[tuple[int, int], ...]:
        """The single-copy-atomic parts of an access as (lo, hi), in address order.

        Cut at lines (so at pages), and where the compiler may tear (design.md section 4; Intel SDM vol. 3A, "Guaranteed
        Atomic Operations", for the line).
        """
        byte = self.tear == "plain" and access.mode != "once" or self.tear == "bytes" and access.mode == "copy"
        word = self.tear == "copies" and access.mode == "copy"
        cuts = [access.lo]
        cuts += [
            offset
            for offset in range(access.lo + 1, access.hi)
            if byte or (self.base + offset) % self.line == 0 or word and offset % self.word == 0
        ]
        return tuple(zip(cuts, [*cuts[1:], access.hi], strict=True))

    def carries(self, offset: int) -> bool:
        """Whether the state carries this byte; bytes outside the area always count, so that storing them is seen."""
        return self.carried is None or offset in self.carried or not 0 <= offset < self.size

"""How the area is mapped, where it lies, and what protocol.md 8.4 leaves open: the forms that are compared.

`one`: one cache, for an area in one page (a795cd43, and the "no page splits" of the mail of 2022-11-14); it asks for
the size of the mode since 5ec3289b, before that for the 64-bit size.  `two`: the two caches that were merged.
`one-over-two-pages`: one cache that maps both pages with vmap(), which the mail weighs and drops, since vmap() takes
pages and IOMEM has none.

What matters of an offset is which layouts cross the page: none ("inside"), the 64-bit one alone ("between"), or both
("across").  `obligations` proves that the three are all there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelcheck import Obligation, Setting
from specs.runstate.layout import PAGE_SIZE, Layout
from specs.runstate.versions import writer

CACHES = ("two", "one", "one-over-two-pages")
AREAS = {"between": 4052, "across": 4081, "inside": 0}  # offsets in the page, one of each class


@dataclass(frozen=True, slots=True)
class Form:
    """One form: see the module.  `twice`: long_mode is read for the length, and again for what is stored.

    `latched`: a mode that something is mapped in never changes (Xen's rule).  `most`: a registration asks for
    the 64-bit size whatever the mode is.  `iomem`: the guest's pages have no struct page.  `without` is
    what is left out on purpose.
    """

    caches: str
    latched: bool
    twice: bool
    most: bool
    iomem: bool
    without: str


def form_of(setting: Setting) -> Form:
    """The form of a setting."""
    version, reads = writer(setting.version), setting.text("reads")
    return Form(
        setting.text("caches"),
        setting.text("latched") == "yes",
        version.mode_twice if reads == "as-merged" else reads == "twice",
        not version.two_caches,
        setting.text("pages") == "iomem",
        setting.text("without"),
    )


def crosses(area: str) -> bool:
    """Whether some layout of the area crosses the page."""
    return area != "inside"


def area_class(offset: int) -> str:
    """The class of an offset."""
    compat, native = (Layout(abi, offset).split for abi in (32, 64))
    return "across" if compat else "between" if native else "inside"


def obligations() -> tuple[Obligation, ...]:
    """The three classes are all, each with one way to cut the struct; and what is stored past a page in which mode."""
    return (
        Obligation("an area whose compat layout crosses its page crosses it in the 64-bit layout too", _no_fourth),
        Obligation("an area that was asked for with 48 bytes is in one page in either layout", _asked),
        Obligation("the second cache's address is the page after the first one's, in either layout", _next_page),
    )


def _cut(z3: Any, offset: Any, size: int) -> Any:
    """user_len1 as the writer computes it (G1)."""
    return z3.If(z3.UGE(offset + size, PAGE_SIZE), PAGE_SIZE - offset, z3.BitVecVal(size, 32))


def _no_fourth(z3: Any) -> Any:
    offset = z3.BitVec("offset", 32)
    compat, native = (size - _cut(z3, offset, size) != 0 for size in (44, 48))
    return z3.And(z3.ULT(offset, PAGE_SIZE), compat, z3.Not(native))


def _asked(z3: Any) -> Any:
    offset = z3.BitVec("offset", 32)
    past = z3.Or(*(z3.UGT(offset + size, PAGE_SIZE) for size in (44, 48)))
    return z3.And(z3.ULT(offset, PAGE_SIZE), z3.ULE(offset + 48, PAGE_SIZE), past)


def _next_page(z3: Any) -> Any:
    gpa = z3.BitVec("gpa", 32)
    offset = gpa & (PAGE_SIZE - 1)
    wrong = [
        z3.And(size - _cut(z3, offset, size) != 0, gpa + _cut(z3, offset, size) != gpa - offset + PAGE_SIZE)
        for size in (44, 48)
    ]
    return z3.Or(*wrong)

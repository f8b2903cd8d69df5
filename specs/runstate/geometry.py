"""What z3 proves of the layout for all 4096 offsets and both ABIs at once (protocol.md 1.2, 2.3 G1 and G7).

The writer's arithmetic is written out in bit-vectors as the C has it; nothing is taken from `layout`, except for the
classes, which `layout` computed one by one and which are proved to be the classes of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from modelcheck import Obligation
from specs.runstate.layout import LINE, PAGE_SIZE, Layout


def offset_class(layout: Layout) -> Hashable:
    """What tells two offsets of one ABI apart: the cuts, and whether lengths are computed the split way."""
    exact = layout.offset + layout.size == PAGE_SIZE
    return layout.abi, layout.cuts, exact


def classes(abi: int) -> dict[Hashable, list[int]]:
    """The offsets of each class, in order of the first: 96 for the 64-bit struct, 88 for the compat one."""
    found: dict[Hashable, list[int]] = {}
    for offset in range(PAGE_SIZE):
        found.setdefault(offset_class(Layout(abi, offset)), []).append(offset)
    return found


def obligations() -> tuple[Obligation, ...]:
    """All of them."""
    return (
        Obligation("user_len1 + user_len2 is the length of the struct", lambda z3: _lengths(z3, _sum_wrong)),
        Obligation("neither part reaches past the end of its page", lambda z3: _lengths(z3, _past_page)),
        Obligation(
            "the update byte lies in the part it is addressed in, at its place", lambda z3: _lengths(z3, _flag_wrong)
        ),
        Obligation("an area that a795cd43 registers is in one page, in whichever mode it is stored", _registered),
        Obligation("the second part is empty unless the struct crosses the page", lambda z3: _lengths(z3, _needless)),
        *(
            Obligation(
                f"the {len(classes(abi))} classes of offsets cover all 4096 of abi {abi}, each once",
                _uncovered(abi),
            )
            for abi in (64, 32)
        ),
    )


def _lengths(z3: Any, wrong: Callable[..., Any]) -> Any:
    """G1 for an arbitrary page offset and ABI; `wrong` says what must never be."""
    offset, length, times_ofs = z3.BitVecs("offset user_len times_ofs", 32)
    abi = z3.Or(z3.And(length == 48, times_ofs == 8), z3.And(length == 44, times_ofs == 4))
    crosses = z3.UGE(offset + length, PAGE_SIZE)
    len1 = z3.If(crosses, PAGE_SIZE - offset, length)
    len2 = z3.If(crosses, length - len1, z3.BitVecVal(0, 32))
    return z3.And(z3.ULT(offset, PAGE_SIZE), abi, wrong(z3, offset, length, times_ofs, len1, len2))


def _sum_wrong(z3: Any, offset: Any, length: Any, times_ofs: Any, len1: Any, len2: Any) -> Any:
    return z3.Or(len1 + len2 != length, z3.UGT(len1, length), z3.UGT(len2, length), len1 == 0)


def _past_page(z3: Any, offset: Any, length: Any, times_ofs: Any, len1: Any, len2: Any) -> Any:
    return z3.Or(z3.UGT(offset + len1, PAGE_SIZE), z3.UGT(len2, PAGE_SIZE))


def _flag_wrong(z3: Any, offset: Any, length: Any, times_ofs: Any, len1: Any, len2: Any) -> Any:
    first = z3.UGE(len1, times_ofs + 8)
    byte = z3.If(first, offset + times_ofs + 7, times_ofs + 7 - len1)
    area_byte = z3.If(first, byte - offset, byte + len1)
    inside = z3.If(first, z3.ULT(byte, PAGE_SIZE), z3.And(z3.ULT(byte, len2), len2 != 0))
    return z3.Or(z3.Not(inside), area_byte != times_ofs + 7)


def _needless(z3: Any, offset: Any, length: Any, times_ofs: Any, len1: Any, len2: Any) -> Any:
    return (len2 != 0) != z3.UGT(offset + length, PAGE_SIZE)


def _registered(z3: Any, asked: int = 48) -> Any:
    """Before 5ec3289b: `asked` for at activation, checked with the length of one mode, stored in that of another."""
    offset, stored = z3.BitVecs("offset stored", 32)
    either = z3.Or(stored == 48, stored == 44)
    inside = z3.And(z3.ULT(offset, PAGE_SIZE), z3.ULE(offset + asked, PAGE_SIZE))
    return z3.And(inside, either, z3.UGT(offset + stored, PAGE_SIZE))


def _uncovered(abi: int) -> Callable[[Any], Any]:
    """An offset in no class or in two: each class as arithmetic on the offset, not as a list."""

    def never(z3: Any) -> Any:
        offset = z3.BitVec("offset", 16)
        size = Layout(abi, 0).size
        inside = []
        for members in classes(abi).values():
            layout = Layout(abi, members[0])
            exact = offset + size == PAGE_SIZE
            if layout.cuts:
                ((byte, kind),) = layout.cuts
                inside.append(
                    z3.And(
                        (offset + byte) & (LINE - 1) == 0, ((offset + byte) & (PAGE_SIZE - 1) == 0) == (kind == "page")
                    )
                )
            else:
                uncut = z3.ULE((offset & (LINE - 1)) + size, LINE)
                inside.append(z3.And(uncut, exact if layout.offset + size == PAGE_SIZE else z3.Not(exact)))
        count = z3.Sum(*(z3.If(each, 1, 0) for each in inside))
        return z3.And(z3.ULT(offset, PAGE_SIZE), count != 1)

    return never

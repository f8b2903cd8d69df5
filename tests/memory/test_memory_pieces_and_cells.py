"""Pieces, cells and forms of an area: where accesses are cut, and the coarsest partition that respects the cuts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelcheck import Area
from modelcheck.action import Access
from modelcheck.memory.cells import CellMap


def cut(area: Area, lo: int, hi: int, mode: str = "plain", store: bool = False) -> tuple[tuple[int, int], ...]:
    return area.pieces(Access(area.name, lo, hi, store, mode))


@pytest.mark.parametrize("base", [0, 5, 60, 63, 4090])
def test_an_access_is_cut_at_every_line_and_so_at_every_page(base):
    area = Area("mem", 200, base, tear="none")
    pieces = cut(area, 0, 200)
    borders = [lo for lo, _ in pieces[1:]]
    assert borders == [o for o in range(1, 200) if (base + o) % 64 == 0]
    assert (pieces[0][0], pieces[-1][1]) == (0, 200)


def test_an_access_inside_a_line_is_one_piece():
    assert cut(Area("mem", 64, tear="none"), 56, 64) == ((56, 64),)
    assert cut(Area("mem", 64, base=8, tear="none"), 52, 60) == ((52, 56), (56, 60))


@pytest.mark.parametrize(
    ("tear", "mode", "pieces"),
    [
        ("none", "plain", ((2, 7),)),
        ("none", "copy", ((2, 7),)),
        ("none", "once", ((2, 7),)),
        ("copies", "plain", ((2, 7),)),
        ("copies", "copy", ((2, 4), (4, 7))),
        ("copies", "once", ((2, 7),)),
        ("bytes", "plain", ((2, 7),)),
        ("bytes", "copy", tuple((i, i + 1) for i in range(2, 7))),
        ("bytes", "once", ((2, 7),)),
        ("plain", "plain", tuple((i, i + 1) for i in range(2, 7))),
        ("plain", "copy", tuple((i, i + 1) for i in range(2, 7))),
        ("plain", "once", ((2, 7),)),
    ],
)
def test_the_compiler_tears_what_the_option_says(tear, mode, pieces):
    assert cut(Area("mem", 16, word=4, tear=tear), 2, 7, mode) == pieces


def test_words_of_a_copy_are_counted_from_the_areas_start():
    assert cut(Area("mem", 16, base=2, word=8, tear="copies"), 4, 16, "copy") == ((4, 8), (8, 16))


def test_a_misaligned_load_is_cut_where_the_line_ends():
    assert cut(Area("mem", 16, base=60, tear="none"), 0, 8, "once") == ((0, 4), (4, 8))


ACCESSES = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.integers(1, 6),
        st.booleans(),
        st.sampled_from(("plain", "copy", "once")),
        st.sampled_from(("", "flag", "other")),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    ACCESSES,
    st.integers(0, 70),
    st.sampled_from(("none", "copies", "bytes", "plain")),
    st.one_of(st.none(), st.frozensets(st.integers(0, 11))),
    st.one_of(st.none(), st.frozensets(st.integers(0, 11))),
)
def test_cells_are_the_coarsest_partition_of_the_carried_bytes(drawn, base, tear, carried, marked):
    area = Area("mem", 12, base, line=8, word=4, tear=tear, carried=carried, marked=marked)
    accesses = [
        Access("mem", lo, min(lo + length, 12), store, mode, variant=variant if store else "")
        for lo, length, store, mode, variant in drawn
    ]
    found = CellMap(area, accesses)
    pieces = [(lo, hi, access) for access in accesses for lo, hi in area.pieces(access)]

    # the oracle: two bytes belong together exactly when no piece separates them
    def together(a: int, b: int) -> bool:
        return all((lo <= a < hi) == (lo <= b < hi) for lo, hi, _ in pieces)

    touched = [o for o in range(12) if any(lo <= o < hi for lo, hi, _ in pieces) and (carried is None or o in carried)]
    classes = {tuple(b for b in touched if together(a, b)) for a in touched}
    assert {cell.bytes for cell in found.cells} == classes
    assert [found.of(o) is not None for o in range(12)] == [o in touched for o in range(12)]
    for cell in found.cells:
        assert found.of(cell.bytes[0]) is cell
        stored = {access.variant for lo, hi, access in pieces if access.store and lo <= cell.bytes[0] < hi}
        has_marks = marked is None or not marked.isdisjoint(cell.bytes)
        assert set(cell.forms) == ({""} | stored if has_marks else {""})
        assert cell.forms[0] == ""
        assert (cell.form_slot() is None) == (len(cell.forms) == 1)
    for lo in range(12):
        for hi in range(lo + 1, 13):
            assert [c.bytes for c in found.within(lo, hi)] == sorted(c for c in classes if any(lo <= o < hi for o in c))


def test_cells_are_named_by_their_bytes():
    cells = CellMap(Area("mem", 8), [Access("mem", 0, 8, True), Access("mem", 2, 4, False)]).cells
    assert [cell.name for cell in cells] == ["mem[0, 1, 4, 5, 6, 7]", "mem[2:4]"]
    assert [cell.slot("r0.").initial for cell in cells] == [-1, -1]
    assert [cell.slot().initial for cell in cells] == [0, 0]


def test_cells_do_not_depend_on_the_order_of_accesses():
    accesses = [Access("mem", 0, 8, True, variant="x"), Access("mem", 2, 4, False), Access("mem", 3, 6, True)]
    area = Area("mem", 8)
    assert CellMap(area, accesses).cells == CellMap(area, accesses[::-1] + accesses).cells

"""The layout of both ABIs, and the writer's lengths against the kernel's arithmetic written out once more."""

from __future__ import annotations

from collections import Counter

import pytest
import z3

from modelcheck import Obligation
from modelcheck.smt.obligation import prove
from specs.runstate import SPEC, geometry
from specs.runstate.layout import LINE, PAGE_SIZE, Layout

OFFSETS = range(4096)
ABIS = (64, 32)


def kernel_lengths(offset: int, user_len: int) -> tuple[int, int]:
    """kvm_xen_update_runstate_guest(): `if ((gpc1->gpa & ~PAGE_MASK) + user_len >= PAGE_SIZE)`, protocol.md 2.3 G1."""
    if (offset & 4095) + user_len >= 4096:
        user_len1 = 4096 - (offset & 4095)
        user_len2 = user_len - user_len1
    else:
        user_len1 = user_len
        user_len2 = 0
    return user_len1, user_len2


def kernel_update_byte(offset: int, user_len: int, times_ofs: int) -> tuple[int, int]:
    """G7's pointer to the byte with XEN_RUNSTATE_UPDATE, as (page, offset in that page)."""
    user_len1, _ = kernel_lengths(offset, user_len)
    if user_len1 >= times_ofs + 8:
        return 1, offset + times_ofs + 8 - 1
    return 2, times_ofs + 8 - 1 - user_len1


@pytest.mark.parametrize(("abi", "size", "times_ofs"), [(64, 48, 8), (32, 44, 4)])
def test_lengths_are_the_kernels_at_every_offset(abi: int, size: int, times_ofs: int) -> None:
    for offset in OFFSETS:
        layout = Layout(abi, offset)
        assert (layout.user_len1, layout.user_len2) == kernel_lengths(offset, size), offset
        page = 1 if layout.update_byte < layout.user_len1 else 2
        in_page = offset + layout.update_byte - (page - 1) * 4096
        assert (page, in_page) == kernel_update_byte(offset, size, times_ofs), offset
        assert layout.split == (offset + size > 4096), offset


@pytest.mark.parametrize(("abi", "exact"), [(64, 4048), (32, 4052)])
def test_an_exact_fit_takes_the_split_branch_and_has_no_second_part(abi: int, exact: int) -> None:
    layout = Layout(abi, exact)
    assert layout.offset + layout.size >= PAGE_SIZE
    assert (layout.user_len1, layout.user_len2, layout.split) == (layout.size, 0, False)
    assert Layout(abi, exact + 1).split
    assert geometry.offset_class(layout) != geometry.offset_class(Layout(abi, exact - LINE))


@pytest.mark.parametrize(("abi", "count"), [(64, 96), (32, 88)])
def test_offsets_fall_into_classes_that_cover_them_once(abi: int, count: int) -> None:
    classes = geometry.classes(abi)
    assert len(classes) == count
    assert Counter(offset for members in classes.values() for offset in members) == Counter(OFFSETS)


def test_fields_lie_where_the_structs_have_them() -> None:
    assert Layout(64, 0).fields == (
        ("state", 0, 4),
        ("state_entry_time", 8, 16),
        ("time[0]", 16, 24),
        ("time[1]", 24, 32),
        ("time[2]", 32, 40),
        ("time[3]", 40, 48),
    )
    assert Layout(32, 0).fields == (
        ("state", 0, 4),
        ("state_entry_time", 4, 12),
        ("time[0]", 12, 20),
        ("time[1]", 20, 28),
        ("time[2]", 28, 36),
        ("time[3]", 36, 44),
    )


def test_the_update_byte_is_the_last_of_the_entry_time() -> None:
    assert (Layout(64, 0).update_byte, Layout(32, 0).update_byte) == (0x0F, 0x0B)


@pytest.mark.parametrize(
    ("abi", "offset", "cut"),
    [
        (64, 4081, (7, "page")),  # the kernel selftest's choice, page end minus 15
        (64, 49, (7, "line")),
        (64, 48, None),
        (64, 56, None),
        (32, 4088, (4, "page")),
        (32, 56, (4, "line")),
        (32, 4081, None),  # protocol.md 12.1 item 8: the compat word is whole there
        (32, 52, None),
        (32, 60, None),
    ],
)
def test_where_the_entry_time_is_cut(abi: int, offset: int, cut: tuple[int, str] | None) -> None:
    assert Layout(abi, offset).entry_cut == cut


def test_the_split_compat_words_are_those_of_the_sheet() -> None:
    """protocol.md 12.1 item 8: base 4085..4091, or base mod 64 in 53..59."""
    cut = [offset for offset in OFFSETS if Layout(32, offset).entry_cut is not None]
    assert cut == [offset for offset in OFFSETS if offset % 64 in range(53, 60)]
    pages = [offset for offset in OFFSETS if (Layout(32, offset).entry_cut or (0, ""))[1] == "page"]
    assert pages == list(range(4085, 4092))


@pytest.mark.parametrize("abi", ABIS)
def test_a_struct_has_at_most_one_cut(abi: int) -> None:
    for offset in OFFSETS:
        layout = Layout(abi, offset)
        assert layout.cuts == tuple(
            (byte, "page" if (offset + byte) % 4096 == 0 else "line")
            for byte in range(1, layout.size)
            if (offset + byte) % 64 == 0
        )
        assert len(layout.cuts) <= 1


def test_z3_proves_every_obligation() -> None:
    obligations = SPEC.obligations(())
    assert [(each.name, prove(each)) for each in obligations] == [(each.name, "") for each in obligations]
    assert len(obligations) == 7


def test_an_area_registered_with_the_length_of_the_mode_could_leave_its_page() -> None:
    """Why a795cd43, which stores in another mode than it checks, asks for 48 bytes in either."""
    assert prove(Obligation("44", lambda module: geometry._registered(module, 44))).startswith("not proved: ")


@pytest.mark.parametrize("abi", ABIS)
def test_a_class_left_out_is_noticed(abi: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = geometry.classes(abi)
    last = list(whole)[-1]
    monkeypatch.setattr(geometry, "classes", lambda abi: {k: v for k, v in whole.items() if k != last})
    (coverage,) = [each for each in geometry.obligations() if each.name.endswith(f"of abi {abi}, each once")]
    assert prove(coverage).startswith("not proved: [offset = ")


def test_a_wrong_obligation_is_refuted() -> None:
    def needless(z3: object, offset: object, length: object, times_ofs: object, len1: object, len2: object) -> object:
        return (len2 != 0) != geometry_crosses(offset, length)  # type: ignore[operator]

    def geometry_crosses(offset: z3.BitVecRef, length: z3.BitVecRef) -> z3.BoolRef:
        return z3.UGE(offset + length, 4096)  # the exact fit has no second part: this is the wrong test

    wrong = Obligation("wrong", lambda module: geometry._lengths(module, needless))
    answer = prove(wrong)
    assert answer.startswith("not proved: ")
    assert "offset = 4048" in answer or "offset = 4052" in answer

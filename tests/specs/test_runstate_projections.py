"""Projections against the full model, on a struct small enough to carry whole, and on the runstate's own readers.

The small struct has the runstate's pattern: a state (1 byte), an entry time (2 bytes, the flag in the second) and one
time (1 byte), written as V3 writes it and read as linux64 reads it.  design.md section 5 lists the projections.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from runstate_cases import FEW, V2, V3, V7, setting

from modelcheck import Area, Model, Observation, Values, equal, fresh, has_variant, observe, rmb, smp_wmb
from modelcheck.action import Register
from modelcheck.explore.verify import Options, verify
from specs.runstate import SPEC
from specs.runstate.scene import Projection, build

SIZE, ENTRY, FLAG_BYTE = 4, range(1, 3), 2
FIELDS = (("state", 0, 1), ("entry", 1, 3), ("time", 3, 4))
FLAG = "UPDATING"
PLACE = {offset: (name, lo) for name, lo, hi in FIELDS for offset in range(lo, hi)}


def small_values(clock: str) -> Values:
    """P1 for the small struct: the same formulas as specs.runstate.values, with 16-bit entry times."""

    def byte(z3: Any, version: dict[str, Any], offset: int, form: str) -> Any:
        name, lo = PLACE[offset]
        value = z3.Extract(8 * (offset - lo) + 7, 8 * (offset - lo), version[name])
        return value | 0x80 if form == FLAG and offset == FLAG_BYTE else value

    def assume(z3: Any, versions: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        found = [("top bit clear", z3.Extract(15, 15, version["entry"]) == 0) for version in versions]
        for early, late in zip(versions, versions[1:], strict=False):
            order = z3.ULT if clock == "increasing" else z3.ULE
            found.append(("order", order(early["entry"], late["entry"])))
        return found

    def violated(z3: Any, versions: list[dict[str, Any]], observation: Observation, byte: Any) -> Any:
        copy = [(offset, version) for seen in observation.seen if seen.name.startswith("copy")
                for offset, version, _ in seen.bytes if version >= 0]
        e1 = {offset: byte(version, offset, "") for offset, version, _ in observation.named("e1").bytes}
        entry = z3.Concat(*(e1[offset] for offset in sorted(e1, reverse=True)))
        clauses = []
        for k, version in enumerate(versions):
            differs = [byte(j, offset, "") != byte(k, offset, "") for offset, j in copy if j != k]
            if not observation.whole:
                differs.append(version["entry"] != entry)
            clauses.append(z3.Or(*differs) if differs else z3.BoolVal(False))
        return z3.And(*clauses)

    return Values(("small", clock), FIELDS, byte, assume, violated, lambda z3, v: [], lambda o, n, b: ("", ()))


def small(
    cut: bool, flag: bool, clock: str = "increasing", copied: tuple[int, ...] | None = None, early: bool = False
) -> Model:
    """The small protocol, whole or projected to the entry time and the bytes `copied`."""
    model = Model("small")
    carried = None if copied is None else frozenset({*ENTRY, *copied})
    area = model.area(Area("area", SIZE, base=2 if cut else 0, line=4, page=64, word=1, fields=FIELDS, carried=carried,
                           marked=frozenset({FLAG_BYTE})))
    shadow = model.stamp("shadow")
    form = FLAG if flag else ""

    def writer():  # type: ignore[no-untyped-def]
        while True:
            yield fresh(shadow)
            if flag:
                yield area.store(FLAG_BYTE, FLAG_BYTE + 1, shadow, FLAG, text="set flag")
                yield smp_wmb()
            for name, lo, hi in FIELDS:
                yield area.store(lo, hi, shadow, form, text=f"store {name}")
            yield smp_wmb()
            if flag:
                yield area.store(FLAG_BYTE, FLAG_BYTE + 1, shadow, "", text="clear flag")
                yield smp_wmb()

    def reader():  # type: ignore[no-untyped-def]
        while True:
            e1 = yield area.load(1, 3, text="e1")
            yield rmb()
            if early and (yield has_variant(e1, FLAG)):
                continue
            parts: tuple[Register, ...] = ()
            for lo, hi in ((0, SIZE),) if copied is None else tuple((byte, byte + 1) for byte in copied):
                part = yield area.load(lo, hi, "copy", "copy")
                parts = (*parts, part)
            yield rmb()
            e2 = yield area.load(1, 3, text="e2")
            if early and (yield has_variant(e2, FLAG)):
                continue
            if not (yield equal(e1, e2)):
                continue
            if (yield has_variant(e1, FLAG)):
                continue
            named = {f"copy.{i}": part for i, part in enumerate(parts)}
            yield observe("whole", e1=e1, e2=e2, **named).reaching("accepted")

    model.process("writer", writer)
    model.process("reader", reader)
    model.observation("whole", small_values(clock), witnesses=("accepted",))
    return model


def projected(cut: bool, flag: bool, clock: str = "increasing", early: bool = False) -> str:
    """The verdict that all projections give together."""
    choices = [(byte,) for byte in range(SIZE)] if clock == "increasing" else list(combinations(range(SIZE), 2))
    verdicts = set()
    for copied in choices:
        full = small(cut, flag, clock)
        verdicts.add(verify(small(cut, flag, clock, copied, early), "whole", full=lambda full=full: full).verdict)
    assert verdicts <= {"holds", "violated"}
    return "violated" if "violated" in verdicts else "holds"


CASES = [(False, True, "holds"), (True, True, "violated"), (False, False, "violated"), (True, False, "violated")]


@pytest.mark.parametrize(("cut", "flag", "verdict"), CASES)
def test_one_byte_at_a_time_proves_what_the_whole_struct_does(cut: bool, flag: bool, verdict: str) -> None:
    assert verify(small(cut, flag), "whole").verdict == verdict
    assert projected(cut, flag) == verdict


@pytest.mark.parametrize(("cut", "flag", "verdict"), CASES)
def test_starting_over_at_a_seen_flag_changes_no_verdict(cut: bool, flag: bool, verdict: str) -> None:
    assert projected(cut, flag, early=True) == verdict


@pytest.mark.parametrize("early", [False, True])
def test_two_bytes_at_a_time_prove_it_where_entry_times_may_repeat(early: bool) -> None:
    assert verify(small(False, True, "may-repeat"), "whole").verdict == "violated"
    assert projected(False, True, "may-repeat", early) == "violated"


def test_the_whole_small_struct_holds_without_merging_and_summaries_too() -> None:
    plain = Options(frozenset({"merge", "summary"}))
    assert verify(small(False, True), "whole", options=plain).verdict == "holds"
    assert verify(small(True, True), "whole", options=plain).verdict == "violated"


@pytest.mark.parametrize(
    ("version", "abi", "offset", "flag", "verdict"),
    [
        (V3, "64", 0, "on", "holds"),
        (V3, "64", 4064, "on", "holds"),
        (V3, "64", 49, "on", "violated"),
        (V7, "64", 0, "off", "violated"),
        (V2, "32", 56, "on", "violated"),
    ],
)
def test_a_reader_that_starts_over_early_proves_what_a_patient_one_does(
    version: str, abi: str, offset: int, flag: str, verdict: str
) -> None:
    one = setting(version, "torn-read", abi=abi, offset=offset, flag=flag, **FEW)
    hasty = Options(canonical_states=1)  # any counterexample will do
    verdicts: dict[bool, set[str]] = {False: set(), True: set()}
    projections = SPEC.projections(one)
    for projection in projections if verdict == "holds" else projections[:1]:
        assert isinstance(projection, Projection) and projection.early
        for early in (False, True):
            chosen = Projection(projection.carried, projection.copied, early, projection.facts)
            outcome = verify(build(one, chosen), one.property, options=hasty, full=lambda: build(one))
            verdicts[early].add(outcome.verdict)
    assert verdicts[False] == verdicts[True]
    assert ("violated" in verdicts[True]) == (verdict == "violated")


@pytest.mark.parametrize(("abi", "offset"), [("64", 0), ("64", 4081), ("64", 4090), ("32", 0), ("32", 4088)])
def test_each_byte_stands_in_one_projection_class(abi: str, offset: int) -> None:
    """Every byte of a field is alike to one that is carried: it lies in the same pieces with the entry time."""
    one = setting(V7, "torn-read", abi=abi, offset=offset, **FEW)
    from modelcheck import witness_classes
    from specs.runstate.scene import layout_of

    layout = layout_of(one)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    data = [byte for _, lo, hi in layout.fields for byte in range(lo, hi)]
    field = {byte: name.split("[")[0] for name, lo, hi in layout.fields for byte in range(lo, hi)}
    groups = witness_classes(build(one), "runstate", data, entry, field.__getitem__)
    assert sorted(byte for group in groups for byte in group) == data
    assert [projection.copied for projection in SPEC.projections(one)] == [  # type: ignore[attr-defined]
        (group[0],) for group in groups
    ]

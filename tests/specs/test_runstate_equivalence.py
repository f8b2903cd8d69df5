"""Settings that the spec calls equivalent have the same tables, up to names; settings it keeps apart need not.

One of each class is decided for all, so a wrong equivalence would be a wrong verdict.  Tables are compared whole:
every local state, guard, update and observation, with slots numbered as they appear and bytes of the area renamed.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import pytest
from runstate_cases import ALL, FEW, V2, V3, V4, V6S, V7, V7P, results, setting

from modelcheck import Expr, Setting, Slot, witness_classes
from modelcheck.explore.table import Move, Tables, build_tables
from modelcheck.expression import Const, Fresh, Op
from modelcheck.system.link import System
from modelcheck.system.witnesses import accesses
from specs.runstate import SPEC, geometry, stores
from specs.runstate.scene import Projection, build, layout_of, scene_of
from specs.runstate.setup import Scene
from specs.runstate.stores import Put, Target, Window, put, store


class Shape:
    """What is left of tables once names, labels and lines are taken away, and the processes in `without`."""

    def __init__(self, tables: Tables, carried: frozenset[int], without: str) -> None:
        self.slots: dict[Slot, int] = {}
        self.bytes = {byte: place for place, byte in enumerate(sorted(carried))}
        self.value = tuple(
            (table.start, tuple(tuple((tuple(map(self.move, s.moves)), s.target) for s in out) for out in table.steps))
            for table in tables.processes
            if table.name != without
        )

    def expr(self, expr: Expr) -> Hashable:
        if isinstance(expr, Slot):
            number = self.slots.setdefault(expr, len(self.slots))
            return "slot", number, expr.domain, expr.initial
        if isinstance(expr, Op):
            return expr.name, tuple(self.expr(arg) for arg in expr.args)
        assert isinstance(expr, Const | Fresh)
        return expr

    def move(self, move: Move) -> Hashable:
        seen: Hashable = None
        if move.observes is not None:
            cells = tuple(
                tuple((self.renamed(c.bytes), self.expr(c.slot), c.form and self.expr(c.form)) for c in value.cells)
                for value in move.observes.values
            )
            seen = (cells, move.observes.facts)
        return (
            self.expr(move.guard),
            tuple((self.expr(slot), self.expr(value)) for slot, value in move.updates),
            (move.edge.breaks, move.edge.preempts, move.edge.resumes, move.reaches, move.progress),
            seen,
        )

    def renamed(self, places: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self.bytes[byte] for byte in places if byte in self.bytes)


def shapes(one: Setting, given: tuple[Hashable, ...] = ()) -> set[Hashable]:
    """The tables of every projection (or those `given`), told with the field its copied byte is of.

    Where a property is about the writer, the reader is left out: it writes nothing, and slicing drops it.
    """
    without = "reader" if one.property in ("stale-mapping", "out-of-area") else ""
    layout = layout_of(one)
    field = {byte: name.split("[")[0] for name, lo, hi in layout.fields for byte in range(lo, hi)}
    found: set[Hashable] = set()
    for projection in given or SPEC.projections(one):
        assert isinstance(projection, Projection)
        system = System(build(one, projection), frozenset({one.property}))
        carried = projection.carried
        fields = tuple(field.get(byte, "") for byte in projection.copied)
        found.add((fields, Shape(build_tables(system), carried, without).value))
    return found


def equivalent(left: Setting, right: Setting) -> bool:
    return SPEC.equivalence(left) == SPEC.equivalence(right)


@pytest.mark.parametrize("property_name", ["torn-read", "reader-terminates"])
@pytest.mark.parametrize(
    ("abi", "left", "right"),
    [
        ("64", 0, 16),
        ("64", 0, 24),  # a line cut in time[]
        ("64", 0, 60),  # a line cut behind the state
        ("64", 0, 63),  # a line cut inside the state
        ("64", 0, 4048),  # the exact fit
        ("64", 49, 113),
        ("64", 4064, 4090),  # two pages, cut in time[] and behind the state
        ("64", 4049, 4095),  # two pages, a cut in the last byte and in the state
        ("32", 0, 28),
        ("32", 0, 4052),
        ("32", 56, 120),
        ("32", 4064, 4092),
    ],
)
def test_equivalent_settings_have_equal_tables(property_name: str, abi: str, left: int, right: int) -> None:
    one, other = (setting(V7, property_name, abi=abi, offset=offset, **FEW) for offset in (left, right))
    assert equivalent(one, other)
    assert shapes(one) == shapes(other)


@pytest.mark.parametrize("reader", ["state-only", "ignores-flag"])
@pytest.mark.parametrize(("left", "right"), [(0, 8), (0, 16), (4064, 4090)])
def test_equivalence_holds_for_the_other_readers(reader: str, left: int, right: int) -> None:
    one, other = (setting(V7, "torn-read", abi="64", offset=offset, reader=reader, **FEW) for offset in (left, right))
    assert equivalent(one, other)
    assert shapes(one) == shapes(other)


@pytest.mark.parametrize("property_name", ["flag-clears", "lost-dirty", "published"])
@pytest.mark.parametrize(("left", "right"), [(0, 49), (4081, 4090)])
def test_equivalence_holds_with_every_ioctl_and_preemption_anywhere(property_name: str, left: int, right: int) -> None:
    one, other = (setting(V7P, property_name, abi="64", offset=offset) for offset in (left, right))
    assert equivalent(one, other)
    assert shapes(one) == shapes(other)


@pytest.mark.parametrize("property_name", ["stale-mapping", "deadlock", "lock-order", "sleep-in-atomic"])
@pytest.mark.parametrize(("left", "right"), [(0, 49), (0, 4048), (4081, 4090), (4081, 4095), (4049, 4080)])
def test_equivalence_holds_for_what_only_the_writer_does(property_name: str, left: int, right: int) -> None:
    one, other = (setting(V7, property_name, abi="64", offset=offset, **FEW) for offset in (left, right))
    if property_name == "stale-mapping" and not equivalent(one, other):
        assert (layout_of(one).update_byte < layout_of(one).user_len1) != (
            layout_of(other).update_byte < layout_of(other).user_len1
        )
        return
    assert equivalent(one, other)
    assert shapes(one) == shapes(other) or shapes(one, others(one)) == shapes(other, others(other))


def others(one: Setting) -> tuple[Projection, ...]:
    """The same with the last byte of each class for the first: they stand for one another, in another order."""
    (found,) = SPEC.projections(one)
    assert isinstance(found, Projection)
    layout = layout_of(one)
    groups = witness_classes(build(one), "runstate", range(layout.size), frozenset())
    assert found.carried in (frozenset(), frozenset(group[0] for group in groups))
    return (replace(found, carried=frozenset(group[-1] for group in groups if found.carried)),)


@pytest.mark.parametrize("version", [V3, V7])
@pytest.mark.parametrize(("abi", "classes"), [("64", 96), ("32", 88)])
def test_where_no_store_leaves_the_area_only_the_number_of_pages_matters(version: str, abi: str, classes: int) -> None:
    """The tables of every class of offsets, of which one in one page and one across two are decided."""
    offsets = [members[0] for members in geometry.classes(int(abi)).values()]
    assert len(offsets) == classes
    found: dict[Hashable, set[Hashable]] = {}
    for one in (setting(version, "out-of-area", abi=abi, offset=offset, **FEW) for offset in offsets):
        found.setdefault(SPEC.equivalence(one), set()).add(frozenset(shapes(one)))
    assert [len(each) for each in found.values()] == [1, 1]


AREAS = [
    setting(version, "out-of-area", abi="64", offset=offset, flag=flag, **FEW)
    for version in (V2, V3, V7)
    for offset in (0, 4048, 4049, 4081, 4095)
    for flag in ("on", "off")
]


@pytest.mark.parametrize("one", [one for one in AREAS if not SPEC.refuse(one)], ids=str)
def test_all_stores_of_the_writer_are_asked_whether_they_leave(one: Setting) -> None:
    of_writer = {access for access in accesses(build(one)) if access.store}
    scene = scene_of(one)
    (place,) = scene.places
    (parts,) = place.parts
    second = Window(scene.gpc2, place.area, parts.user_len1) if parts.split else None
    target = Target(parts, Window(scene.gpc1, place.area), second)
    assert of_writer == {action.access for action in store(scene, target) if action.access is not None}


def test_a_store_that_leaves_the_area_at_one_offset_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(scene: Scene, target: Target, flag: str):  # type: ignore[no-untyped-def]
        cut, size = target.parts.user_len1, target.parts.size
        yield from put(scene, target, Put(cut, size + (cut == 5), "memcpy a byte too many", copy=True), flag)

    offsets = (0, 49, 4081, 4090, 4091, 4092)
    assert {each.verdict for each in results(V7, "out-of-area", abi="64", offset=offsets, **FEW)} == {"holds"}
    monkeypatch.setattr(stores, "store_split", one_more)
    found = results(V7, "out-of-area", abi="64", offset=offsets, **FEW)
    violated = [dict(each.parameters)["offset"] for each in found if each.verdict == "violated"]
    assert violated == ["4091"]
    assert sum(each.count for each in found) == len(offsets)


def test_versions_with_one_guest_half_have_equal_tables_where_the_accounting_is_not_interrupted() -> None:
    """protocol.md 0.2: the guest half is the same from 4438355e on; 36a85200 changed what preemption does to A9."""
    keys = [SPEC.equivalence(setting(name, "torn-read", abi="64", offset=0, **FEW)) for name in ALL]
    assert [keys.index(key) for key in keys] == [0, 1, 1, 3, 4, 5, 6, 7]  # d8ba8ba4 only made the flag optional
    one, other = (setting(name, "torn-read", abi="64", offset=0) for name in (V3, V4))
    assert shapes(one) == shapes(other)
    one, other = (setting(name, "torn-read", abi="64", offset=0, **FEW) for name in (V6S, V7))
    assert shapes(one) == shapes(other)
    one, other = (setting(name, "torn-read", abi="64", offset=0) for name in (V6S, V7))
    assert shapes(one) != shapes(other)


@pytest.mark.parametrize(
    ("property_name", "abi", "left", "right"),
    [
        ("torn-read", "64", 0, 49),  # entry time whole, cut at a line
        ("torn-read", "64", 0, 4081),
        ("torn-read", "64", 49, 50),  # cut at other places
        ("torn-read", "64", 49, 4081),  # a line, a page
        ("torn-read", "32", 0, 56),
        ("torn-read", "32", 56, 4088),
        ("torn-read", "64", 0, 4064),  # one page, two
        ("reader-terminates", "64", 0, 49),
        ("stale-mapping", "64", 0, 4064),  # the update byte on page 1 of both, one page and two
        ("stale-mapping", "64", 0, 4081),
        ("stale-mapping", "64", 4080, 4081),  # the update byte on page 1, on page 2
        ("deadlock", "64", 0, 4081),
        ("lock-order", "64", 4048, 4049),
        ("out-of-area", "64", 0, 4081),
    ],
)
def test_settings_with_other_cuts_are_kept_apart(property_name: str, abi: str, left: int, right: int) -> None:
    one, other = (setting(V7, property_name, abi=abi, offset=offset, **FEW) for offset in (left, right))
    assert not equivalent(one, other)


@pytest.mark.parametrize(("abi", "left", "right"), [("64", 0, 49), ("64", 49, 50), ("64", 49, 4081), ("32", 0, 56)])
def test_tables_tell_a_cut_entry_time_from_a_whole_one(abi: str, left: int, right: int) -> None:
    one, other = (setting(V3, "torn-read", abi=abi, offset=offset, **FEW) for offset in (left, right))
    assert shapes(one) != shapes(other)


@pytest.mark.parametrize(
    ("name", "values"),
    [("abi", ("64", "32")), ("flag", ("on", "off")), ("flag", ("on", "switches")), ("preemption", ("none", "full")),
     ("tear", ("copies", "bytes")), ("compiler", ("free", "program")), ("without", ("none", "update-bit")),
     ("refresher", ("own", "second"))],
)  # fmt: skip
def test_no_parameter_that_matters_is_forgotten(name: str, values: tuple[str, str]) -> None:
    one, other = (setting(V7, "stale-mapping", **(FEW | {name: value})) for value in values)
    assert not equivalent(one, other)


@pytest.mark.parametrize("name", ["reader", "clock"])
def test_reader_and_clock_matter_to_readers_only(name: str) -> None:
    values = ("linux64", "ignores-flag") if name == "reader" else ("increasing", "may-repeat")
    for property_name, same in (("stale-mapping", True), ("deadlock", True), ("torn-read", False)):
        one, other = (setting(V7, property_name, **(FEW | {name: value})) for value in values)
        assert equivalent(one, other) == same


@pytest.mark.parametrize("name", ["published", "flag-clears", "lost-dirty", "deadlock", "out-of-area", "stale-mapping"])
def test_how_the_accounting_clamps_is_seen_by_readers_alone(name: str) -> None:
    one, other = (setting(version, name, abi="64", offset=0) for version in (V6S, V7))
    assert equivalent(one, other)
    assert shapes(one) == shapes(other)

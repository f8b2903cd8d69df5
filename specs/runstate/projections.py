"""Which projections prove which property, and which settings have equal models.

torn-read, own-read: one byte of the copy at a time beside the entry time's loads (argued in `values`), one byte for
each class of alike ones; two that may be of different versions where entry times may repeat.  The reader starts over
once it has seen the flag (argued in `readers`).

stale-mapping: a store piece violates it by itself, whatever the others do: stores write only memory, which no guard
reads.  So one byte of each class of alike ones.  out-of-area: one byte outside the area of each store that leaves it,
and one that a compat struct does not have where the guest may leave long mode.  reader-terminates: the entry time
alone, since the loop's tests read nothing else, and no facts for z3.  The others look at no byte.

Equal models: with the entry time and one byte carried, a cut elsewhere than in the entry time separates nothing, and
the stores to both pages lie between the same two barriers, so only where the entry time is cut and whether there are
two pages matters; on a weak host also how the entry time lies to natural alignment.  With one byte of each class
carried, only which cache its stores go through.  With none, a store is a step only where it reaches outside an area:
which it does is asked of the stores themselves.  A test compares the tables of settings that this module calls equal.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, replace
from functools import lru_cache

from modelcheck import Setting, witness_classes, witness_pairs
from specs.runstate import data
from specs.runstate.layout import PAGE_SIZE, Layout
from specs.runstate.scene import Projection, area_name, build, layout_of, layouts_of, scene_of
from specs.runstate.stores import COMPAT_END, leaves, storing
from specs.runstate.values import adjusted, relation
from specs.runstate.versions import Writer, writer

ABOUT_READER = ("torn-read", "own-read", "reader-terminates")


def projections(setting: Setting) -> tuple[Projection | None, ...]:
    """The projections whose proofs together prove the property of a setting."""
    if setting.property in data.NAMES:
        return (None,)
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    match setting.property:
        case "torn-read" if setting.text("reader") == "state-only":
            return (Projection(frozenset(range(4))),)
        case "torn-read" | "own-read":
            # without the barrier that keeps the copy behind it, the flag is not known before the copy
            early = setting.text("reader") != "ignores-flag" and setting.text("without") != "first-rmb"
            return tuple(Projection(entry | set(chosen), chosen, early) for chosen in witnesses(setting))
        case "stale-mapping":
            model = build(setting)
            found = set[int]()
            for number, each in enumerate(layouts_of(setting)):
                groups = witness_classes(model, area_name(number), range(each.size), frozenset())
                found.update(group[0] for group in groups)
            return (Projection(frozenset(found), beyond=outside(setting)),)
        case "out-of-area":
            leaving = frozenset({COMPAT_END} if setting.text("mode") == "switches" else ())
            return (Projection(leaving, beyond=outside(setting)),)
        case "reader-terminates":
            carried = frozenset(range(4)) if setting.text("reader") == "state-only" else entry
            return (Projection(carried, facts=False),)
    return (Projection(frozenset()),)


def witnesses(setting: Setting) -> list[tuple[int, ...]]:
    """The bytes of the copy to carry: one of each class, or each pair of classes where entry times may repeat."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    field = {o: name.split("[")[0] for name, lo, hi in layout.fields for o in range(lo, hi)}
    about = (build(setting), "runstate", sorted(field), entry, field.__getitem__)
    if relation(setting) in ("increasing", "distinct") and not adjusted(setting):
        return [(group[0],) for group in witness_classes(*about)]
    place = {o: (o - lo, o) for _, lo, hi in layout.fields for o in range(lo, hi)}
    pairs = witness_pairs(about[0], about[1], sorted(field, key=place.__getitem__), *about[3:])  # of two fields first
    return list(reversed(pairs))  # the times first: they move where an entry time repeats


def equivalence(setting: Setting) -> Hashable:
    """Equal for settings whose models are equal up to names; see the module."""
    if setting.property in data.NAMES:
        return data.data_key(setting)
    elsewhere = ("offset", "abi", "steal") if setting.property in ABOUT_READER else (
        "offset", "abi", "reader", "clock", "steal")
    rest = tuple([pair for pair in setting.values if pair[0] not in elsewhere])
    layout = layout_of(setting)
    match setting.property:
        case "torn-read" | "reader-terminates" if setting.text("reader") == "state-only":
            aligned = layout.offset % 8 if setting.memory == "weak" else 0
            where: Hashable = (layout.split, next((byte for byte, _ in layout.cuts if byte < 4), 0), aligned)
        case "torn-read" | "own-read" | "reader-terminates":
            where = (layout.split, layout.entry_cut, layout.offset % 8 if setting.memory == "weak" else 0)
        case "stale-mapping":
            where = tuple((each.split, each.update_byte < each.user_len1) for each in layouts_of(setting))
        case "out-of-area":
            where = (layout.split, tuple(tuple(bool(byte) for byte in made) for made in _leaves(setting, layout)))
        case _:
            where = layout.split
    return _code(writer(setting.version), setting.property), setting.property, layout.abi, where, rest


@lru_cache(maxsize=256)  # more than there are
def _code(version: Writer, name: str) -> Hashable:
    """What of a version a property's model looks at: some versions have equal models.

    `flag_optional` says which settings there are, `nested_class` what lockdep is told; how the accounting clamps is
    seen by readers, and when pages are marked dirty by migration.
    """
    unseen = {"name", "flag_optional", "nested_class"}
    if name not in ("torn-read", "own-read"):
        unseen.add("clamped")
    if name != "lost-dirty":
        unseen.add("dirty_inside")
    return tuple(getattr(version, field.name) for field in fields(version) if field.name not in unseen)


def outside(setting: Setting) -> frozenset[int]:
    """One byte of each store that leaves its area."""
    return frozenset(byte for stores in _leaves(setting, layout_of(setting)) for byte in stores if byte)


def _leaves(setting: Setting, layout: Layout) -> tuple[tuple[int, ...], ...]:
    """Which stores of the writer reach outside an area, by the writer's own code, and a byte of each that does."""
    offset = PAGE_SIZE - layout.user_len1 if layout.split else 0  # the writer sees no more of the offset than this
    values = tuple([(name, offset if name == "offset" else value) for name, value in setting.values])
    return _which_leave(replace(setting, values=values), storing())


@lru_cache(maxsize=512)  # 92 for each version and way of storing
def _which_leave(setting: Setting, run: tuple[object, ...]) -> tuple[tuple[int, ...], ...]:
    """The same, kept; `run` is what runs, so that other code in its place is asked anew."""
    return leaves(scene_of(setting))

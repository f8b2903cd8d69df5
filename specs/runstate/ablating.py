"""Where the pieces of the protocol are left out one by one, and which projections prove that nothing needs one.

Settings: an area in one page and one over two pages, both with the entry time in one line and 8-byte aligned, so that
every property of the newest version holds with nothing left out.

Projections, beside what `projections` argues.  The reader starts over early only because its load of the flag is done
before the copy, which the first rmb() sees to: so here it never does.  Two bytes are alike only where the very same
accesses cover them: of two stores that are alike one may be left out.  One byte beside the entry time is enough
whatever is left out (`values`: the argument is about entry times alone), but for the assumption on entry times: without
that there are two.  What no other property carries, none of its processes looks at; a step less changes nothing of
that.  Every projection has a step for the copy, so that every piece of the full model is a piece of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelcheck import Setting, witness_classes
from specs.runstate.scene import Projection, build, layout_of

CLOCK = "entry time strictly increases from update to update"


def ablate_settings(version: str) -> tuple[tuple[tuple[str, int | str], ...], ...]:
    """One page, and two: the cut of the second lies between time[0] and time[1]."""
    return tuple((("abi", "64"), ("offset", offset)) for offset in (0, 4072))


def ablate_projections(setting: Setting, dropped: str) -> tuple[Projection | None, ...]:
    """The projections that prove a property whichever piece is missing, or without the assumption `dropped`."""
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    match setting.property:
        case "torn-read" if setting.text("reader") == "state-only":
            return (Projection(frozenset(range(4))),)
        case "torn-read":
            pairs = dropped == CLOCK or setting.text("clock") != "increasing"
            return tuple(Projection(entry | set(chosen), chosen) for chosen in _bytes(setting, pairs))
        case "stale-mapping":
            groups = _groups(setting, range(layout.size), frozenset())
            return tuple(Projection(frozenset({group[0]}), (0,)) for group in groups)
        case "reader-terminates":
            carried = frozenset(range(4)) if setting.text("reader") == "state-only" else entry
            return (Projection(carried, (0,), facts=False),)
        case "out-of-area" | "deadlock" | "lock-order" | "sleep-in-atomic":
            return (Projection(frozenset(), (0,)),)
    return (None,)


def _bytes(setting: Setting, pairs: bool) -> list[tuple[int, ...]]:
    layout = layout_of(setting)
    entry = frozenset(range(layout.entry, layout.entry + 8))
    groups = _groups(setting, (o for _, lo, hi in layout.fields for o in range(lo, hi)), entry)
    if not pairs:
        return [(group[0],) for group in groups]
    found = [(a[0], b[0]) for i, a in enumerate(groups) for b in groups[i + 1 :]]
    return sorted(found + [(group[0], group[1]) for group in groups if len(group) > 1])


def _groups(setting: Setting, among: Iterable[int], anchor: frozenset[int]) -> list[list[int]]:
    """Bytes that the same accesses cover and that are of one kind of field."""
    field = {o: name.split("[")[0] for name, lo, hi in layout_of(setting).fields for o in range(lo, hi)}
    return witness_classes(build(setting), "runstate", sorted(among), anchor, field.get, same=True)

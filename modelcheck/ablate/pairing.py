"""What a barrier pairs with, found from the accesses before and behind each barrier of the full model.

Two barriers of different processes pair when what one orders before itself meets, in some byte, what the other orders
behind itself, and the other way round, each time with a store on one side: then one who sees the later access of the
first sees the earlier one too.  Where several would, those that meet in most bytes are named: a barrier between a flag
and data meets the flag in a few bytes and the data in all others, and so does its partner.

The comment is for the source of the kernel: it names functions and fields, and of several barriers of one function
which one it is, but no step of a spec.

Its one invariant: accesses that a lock operation or an equal barrier cuts off are not the barrier's.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.action import Access, Action
from modelcheck.memory.area import Area
from modelcheck.memory.models import memory_model
from modelcheck.memory.ordering import FULL, Pairs
from modelcheck.process.ablation import Piece
from modelcheck.process.flow import before, onward
from modelcheck.process.reordering import Site, site_of
from modelcheck.process.step_machine import Node
from modelcheck.system.link import machine_in
from modelcheck.system.model import Model

COLUMNS = 75  # of a comment
ORDINALS = ("first", "second", "third", "fourth", "fifth")
Byte = tuple[str, int]  # area, offset


def _bytes(*accesses: Access) -> frozenset[Byte]:
    return frozenset((access.area, offset) for access in accesses for offset in range(access.lo, access.hi))


@dataclass(frozen=True, slots=True)
class Side:
    """The accesses of one direction on one side of a barrier."""

    accesses: tuple[Access, ...]

    @property
    def bytes(self) -> frozenset[Byte]:
        """Every byte they touch."""
        return _bytes(*self.accesses)


@dataclass(frozen=True, slots=True)
class Barrier:
    """One barrier: its site, text and processes, and what is before and behind it, by "load" and "store"."""

    site: Site
    label: str
    processes: tuple[str, ...]
    orders: Pairs
    earlier: dict[str, Side]
    later: dict[str, Side]


def pairs_of(model: Model, piece: Piece) -> tuple[str, ...]:
    """The comments for a barrier of the model: one for each barrier it pairs with, none where it has no partner."""
    barriers = _barriers(model)
    mine = next((barrier for barrier in barriers if barrier.site == piece.site), None)
    if mine is None:
        return ()
    scored = [(*best, other) for other in barriers if _others(mine, other) for best in (_meeting(mine, other),)]
    most = max((score for score, _, _ in scored), default=0)
    best = [(other, roles) for score, roles, other in scored if score == most and most]
    return tuple(_comment(model, mine, other, roles, _which(other, barriers)) for other, roles in best)


def _others(mine: Barrier, other: Barrier) -> bool:
    return other.site != mine.site and set(mine.processes).isdisjoint(other.processes)


def _barriers(model: Model) -> list[Barrier]:
    table = memory_model("weak", model.compiler).fences
    found: dict[Site, Barrier] = {}
    for process in model.processes:
        nodes = machine_in(model, process).nodes
        leading = before(nodes)
        for i, node in enumerate(nodes):
            action = node.action
            if action is None or action.kind != "fence":
                continue
            orders = table[action.fence] or FULL  # a compiler barrier is for all
            behind = [[node.targets[b] for b in onward(node)] for node in nodes]
            sides = [_around(nodes, i, nexts, orders, table) for nexts in (leading, behind)]
            known = found.get(site_of(node))
            if known is None:
                found[site_of(node)] = Barrier(site_of(node), action.label, (process.name,), orders, *sides)
            elif process.name not in known.processes:
                names = (*known.processes, process.name)
                found[site_of(node)] = Barrier(known.site, known.label, names, orders, known.earlier, known.later)
    return list(found.values())


def _around(
    nodes: tuple[Node, ...], start: int, nexts: Sequence[Sequence[int]], orders: Pairs, table: object
) -> dict[str, Side]:
    """What can be met from a barrier in one direction before another cuts it off."""
    found: dict[Access, None] = {}
    seen, todo = {start}, list(nexts[start])
    while todo:
        at = todo.pop(0)
        action = nodes[at].action
        if at in seen or action is None:
            continue
        seen.add(at)
        if _cuts(action, orders, table):
            continue
        if action.access is not None and not _bytes(action.access) <= _bytes(*found):
            found[action.access] = None  # else only what is nearer, as in the next round of a loop
        todo += nexts[at]
    return {
        "load": Side(tuple(access for access in found if access.loads)),
        "store": Side(tuple(access for access in found if access.store)),
    }


def _cuts(action: Action, orders: Pairs, table: object) -> bool:
    if action.kind == "fence":
        assert isinstance(table, dict)
        return bool((table[action.fence] or FULL) >= orders)
    return action.kind in ("lock", "shared", "check")


Roles = tuple[str, str, str, str]  # the directions before and behind one barrier, then before and behind the other


def _meeting(mine: Barrier, other: Barrier) -> tuple[int, Roles]:
    """In how many bytes two barriers meet at best, and in which directions; 0 where they do not on both sides."""
    best: tuple[int, Roles] = (0, ("", "", "", ""))
    for a, b in sorted(mine.orders):
        for c, d in sorted(other.orders):
            if "store" not in (a, d) or "store" not in (b, c):
                continue
            there = len(mine.earlier[a].bytes & other.later[d].bytes)
            back = len(mine.later[b].bytes & other.earlier[c].bytes)
            if there and back and there + back > best[0]:
                best = there + back, (a, b, c, d)
    return best


def _which(barrier: Barrier, barriers: Sequence[Barrier]) -> str:
    """Which of the barriers of that name in its function (where it has none, its process) it is: "first ", "second "...

    Nothing where there is one.
    """
    function = barrier.site.function
    alike = [
        each for each in barriers
        if each.label == barrier.label and each.site.function == function
        and (function or each.processes == barrier.processes)
    ]  # fmt: skip
    if len(alike) == 1:
        return ""
    number = alike.index(barrier)
    return f"{ORDINALS[number]} " if number < len(ORDINALS) else f"{number + 1}th "


def _comment(model: Model, mine: Barrier, other: Barrier, roles: Roles, which: str) -> str:
    a, b, c, d = roles
    first, many = _described(model.areas, mine.earlier[a].bytes & other.later[d].bytes)
    last, _ = _described(model.areas, mine.later[b].bytes & other.earlier[c].bytes)
    verb = {("store", "store"): "visible", ("load", "load"): "read"}.get((a, b), "done")
    where = f"in {other.site.function}()" if other.site.function else f"in {other.processes[0]}"
    be = "are" if many else "is"
    text = f"Pairs with the {which}{other.label} {where}: {first} {be} {verb} before {last}."
    if len(text) + 6 <= COLUMNS:
        return f"/* {text} */"
    lines = textwrap.wrap(text, COLUMNS - 3, break_long_words=False, break_on_hyphens=False)
    return "\n".join(["/*", *(f" * {line}" for line in lines), " */"])


def _described(areas: dict[str, Area], touched: frozenset[Byte]) -> tuple[str, bool]:
    """The fields that these bytes are of, and whether there are several."""
    names: list[str] = []
    for name, area in areas.items():
        here = sorted(offset for of, offset in touched if of == name)
        if not here:
            continue
        fields = area.fields or ((name, 0, area.size),)
        for field, lo, hi in fields:
            inside = [offset for offset in here if lo <= offset < hi]
            if inside and len(inside) == hi - lo:
                names.append(field)
            elif inside:
                names.append(f"byte {inside[0] - lo} of {field}" if len(inside) == 1 else f"part of {field}")
    return (names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"), len(names) > 1

"""Which bytes of an area stand for the others in a projection that carries one byte at a time.

Two bytes are alike when the accesses that cover one and those that cover the other are, in program order, of the same
kind and requirements, and the pieces the bytes lie in share the same bytes with the anchor (the bytes a projection
always carries).  With the anchor and one byte carried, the models of two alike bytes are equal up to the byte's name,
so one of them is checked for both.

Of two bytes that are carried it also matters which pieces have both.  Where every piece that has one has the other,
both are always of one version; carried by themselves they would seem to come apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import combinations

from modelcheck.action import Access
from modelcheck.memory.models import memory_model
from modelcheck.system.link import machine_in
from modelcheck.system.model import Model


def accesses(model: Model) -> tuple[Access, ...]:
    """Every access that some process of the model may make, each once, in order of processes and nodes."""
    return tuple(dict.fromkeys(access for p in model.processes for access in machine_in(model, p).accesses))


def witness_classes(
    model: Model,
    area_name: str,
    among: Iterable[int],
    anchor: frozenset[int],
    kind: Callable[[int], Hashable] = lambda byte: None,
    same: bool = False,
) -> list[list[int]]:
    """The bytes of `among` in classes of alike ones, each in order, classes by their first byte.

    `kind` keeps apart bytes whose values a property treats differently.  With `same` bytes are alike only where the
    very same accesses cover them, which is so in every model that leaves an access out or moves it.
    """
    pieces = _pieces(model, area_name)
    found: dict[Hashable, list[int]] = {}
    for byte in among:
        found.setdefault((_signature(pieces, (byte,), anchor, same), kind(byte)), []).append(byte)
    return list(found.values())


def witness_pairs(
    model: Model,
    area_name: str,
    among: Iterable[int],
    anchor: frozenset[int],
    kind: Callable[[int], Hashable] = lambda byte: None,
    same: bool = False,
) -> list[tuple[int, int]]:
    """The first pair of bytes of each kind of pair that may be of two versions, bytes and pairs in order.

    Two pairs are of one kind where their bytes are alike, first with first and second with second, and so are the
    pieces that have both of a pair.  Bytes that no piece tells apart are no pair.  `among` says in which order pairs
    are tried; the rest is as in `witness_classes`.
    """
    pieces = _pieces(model, area_name)
    of = {byte: (_signature(pieces, (byte,), anchor, same), kind(byte)) for byte in among}
    classes = {alike: number for number, alike in enumerate(dict.fromkeys(of.values()))}
    found: dict[Hashable, tuple[int, int]] = {}
    for first, second in combinations(of, 2):
        if any((lo <= first < hi) != (lo <= second < hi) for _, lo, hi in pieces):
            a, b = sorted((first, second), key=lambda byte: (classes[of[byte]], byte))
            key = classes[of[a]], classes[of[b]], _signature(pieces, (a, b), anchor, same)
            found.setdefault(key, (min(a, b), max(a, b)))
    return sorted(found.values())


Piece = tuple[Access, int, int]


def _pieces(model: Model, area_name: str) -> list[Piece]:
    area = model.areas[area_name]
    natural = memory_model(model.memory or "sc", model.compiler).natural
    there = (access for access in accesses(model) if access.area == area_name)
    return [(access, lo, hi) for access in there for lo, hi in area.pieces(access, natural)]


def _signature(pieces: list[Piece], chosen: tuple[int, ...], anchor: frozenset[int], same: bool) -> Hashable:
    """What the pieces that have all the chosen bytes are like."""
    return tuple(
        (access if same else (access.store, access.requires), tuple(o for o in sorted(anchor) if lo <= o < hi))
        for access, lo, hi in pieces
        if all(lo <= byte < hi for byte in chosen)
    )

"""Which bytes of an area stand for the others in a projection that carries one byte at a time.

Two bytes are alike when the accesses that cover one and those that cover the other are, in program order, of the same
kind and requirements, and the pieces the bytes lie in share the same bytes with the anchor (the bytes a projection
always carries).  With the anchor and one byte carried, the models of two alike bytes are equal up to the byte's name,
so one of them is checked for both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

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
    area = model.areas[area_name]
    natural = memory_model(model.memory or "sc", model.compiler).natural
    cuts = [(access, area.pieces(access, natural)) for access in accesses(model) if access.area == area_name]
    found: dict[Hashable, list[int]] = {}
    for byte in among:
        signature = tuple(
            (access if same else (access.store, access.requires), tuple(o for o in sorted(anchor) if lo <= o < hi))
            for access, pieces in cuts
            for lo, hi in pieces
            if lo <= byte < hi
        )
        found.setdefault((signature, kind(byte)), []).append(byte)
    return list(found.values())

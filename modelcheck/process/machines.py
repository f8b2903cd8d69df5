"""Step machines kept for the next model with an equal process, since most models of one check share theirs.

Its one invariant: a machine is handed on only where extracting again would give an equal one.  So a process is known
by its function and arguments as deeply frozen values (typed: `True` is not `1`), by the namespaces of the functions
among them and by its context, and what else its code can reach must be bound as it was (`Surroundings`).  A process
with an argument that can change, or a global that can, is extracted each time.  What extraction assumes of one process
while it runs (nothing it reads is changed behind its frame) is so assumed from one extraction to the next: a value
found by `getattr()` with a computed name, in a file or on the clock is not seen to change.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING

from modelcheck.process.extraction import extract
from modelcheck.process.frozen import Freezer, NotFrozen
from modelcheck.process.step_machine import Context, StepMachine
from modelcheck.process.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from modelcheck.process.frame_key import Process

MOST_KEPT = 512  # a protocol of seven versions has 328 different processes, one version 102; each takes about 70 KiB

_kept: dict[Hashable, tuple[Surroundings, StepMachine]] = {}  # the one used last comes last


def machine_of(factory: Callable[[], Process], name: str, initial: Context = Context()) -> StepMachine:
    """The step machine of `extract`, which is not run again for a process that is known; `name` is for its errors."""
    met: dict[FunctionType | type, None] = {}
    try:
        frozen = Freezer(numbered=False, met=met).freeze(factory, set())
    except NotFrozen:
        return extract(factory, name, initial=initial)
    key = frozen, tuple(id(each.__globals__) for each in met if isinstance(each, FunctionType)), initial
    known = _kept.pop(key, None)
    if known is None or not known[0].unchanged:
        try:
            around = Surroundings(factory)
        except NotFrozen:
            return extract(factory, name, initial=initial)
        known = around, extract(factory, name, initial=initial)
    _kept[key] = known
    if len(_kept) > MOST_KEPT:
        del _kept[next(iter(_kept))]
    return known[1]

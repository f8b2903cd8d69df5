"""Each guard that protocol.md calls necessary has a counterexample without it, and none that it calls redundant."""

from __future__ import annotations

import importlib
from functools import cache

import pytest
from guards import NECESSARY, REDUNDANT, Guard, Values

from modelcheck.ablate import AblationRequest, Row, ablate
from modelcheck.spec import Spec

EVERY = (*NECESSARY, *REDUNDANT)
Asked = tuple[str, str, tuple[str, ...], str, Values]


def asked(guard: Guard) -> Asked:
    """Guards that are asked of one protocol, for the same properties and at the same setting."""
    return guard.spec, guard.version, guard.properties, guard.memory, guard.where


def meant(guard: Guard, row: Row) -> bool:
    """Whether the row is the piece that the guard names."""
    same = (guard.kind, guard.step) == (row.kind, row.step) and row.text.startswith(guard.text)
    return same and guard.function in ("", row.function)


@cache
def rows(of: Asked) -> tuple[Row, ...]:
    """What becomes of all guards that are asked together."""
    name, version, properties, memory, where = of
    guards = [guard for guard in EVERY if asked(guard) == of]
    spec: Spec = importlib.import_module(f"specs.{name}").SPEC
    asked_of = spec.version(version or spec.newest).name
    request = AblationRequest(
        spec, asked_of, tuple((key, (value,)) for key, value in where), properties, (memory,),
        keep=lambda row: any(meant(guard, row) for guard in guards),
    )  # fmt: skip
    return ablate(request).rows


def row(guard: Guard) -> Row:
    """The one row of a guard."""
    (found,) = [each for each in rows(asked(guard)) if meant(guard, each)]
    return found


@pytest.mark.parametrize("guard", NECESSARY, ids=str)
def test_without_a_guard_that_is_called_necessary_something_breaks(guard: Guard) -> None:
    (cell,) = row(guard).cells
    assert tuple(broken.property for broken in cell.broken) == guard.broken


@pytest.mark.parametrize("guard", REDUNDANT, ids=str)
def test_without_a_guard_that_is_called_redundant_nothing_breaks(guard: Guard) -> None:
    (cell,) = row(guard).cells
    assert cell.broken == () and cell.verdict in ("not-needed", "lost")
    assert cell.decided == cell.asked == len(guard.properties)
    assert dict(cell.held) == dict.fromkeys(guard.properties, 1)


def test_every_guard_says_where_protocol_md_has_it() -> None:
    assert all(guard.source.removeprefix("not as ")[0].isdigit() for guard in EVERY)
    assert len({str(guard) + str(guard.properties) + str(guard.where) for guard in EVERY}) == len(EVERY)

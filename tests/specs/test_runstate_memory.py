"""The runstate protocol under each memory model: which barrier carries what (protocol.md 9.1, 9.3, 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runstate_cases import FEW, V2, V7, setting

from modelcheck.campaign import run
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import best_engine
from modelcheck.explore.verify import REDUCTIONS, Options, verify
from modelcheck.results import Request, Result
from modelcheck.spec import Value
from specs.runstate import SPEC

MODELS = ("sc", "tso", "weak")
BARRIERS = ("first-wmb", "second-wmb", "first-rmb", "second-rmb")


def checked(memory: str, version: str = V7, property_name: str = "torn-read", **values: Value) -> Result:
    """The one result of a setting under a memory model; where the spec expects a verdict, it is that one."""
    chosen = {"abi": "64", "offset": 0, **values}
    given = tuple((name, (value,)) for name, value in chosen.items())
    (found,) = run(Request(SPEC, (version,), given, (property_name,), memory)).results
    assert found.memory == memory
    if found.expected:
        assert found.verdict == found.expected, found
    return found


@pytest.mark.parametrize("memory", MODELS)
@pytest.mark.parametrize("offset", [0, 24, 4064])
def test_the_protocol_holds_on_every_machine_where_the_entry_time_is_aligned(memory: str, offset: int) -> None:
    for compiler in ("free", "program"):
        assert checked(memory, offset=offset, compiler=compiler, **FEW).verdict == "holds"


@pytest.mark.parametrize("memory", MODELS)
@pytest.mark.parametrize("without", BARRIERS)
@pytest.mark.parametrize("offset", [0, 4064])
def test_each_barrier_is_the_compilers_on_x86_and_the_machines_on_a_weak_host(
    memory: str, without: str, offset: int
) -> None:
    assert checked(memory, offset=offset, without=without, compiler="free", **FEW).verdict == "violated"
    held = checked(memory, offset=offset, without=without, compiler="program", **FEW)
    assert held.expected
    assert held.verdict == ("violated" if memory == "weak" else "holds")


@pytest.mark.parametrize("memory", MODELS)
def test_the_stores_inside_one_copy_may_come_in_any_order(memory: str) -> None:
    """`rep movs`: with whole words loaded it changes nothing (linux64; linux32 is MIXED_WORD).

    `rep movsb` across a page is in .ci/run, since it takes long.
    """
    for offset, tear in ((0, "none"), (0, "copies"), (0, "bytes"), (4064, "none"), (4064, "copies")):
        assert checked(memory, offset=offset, tear=tear, **FEW).verdict == "holds"


def test_a_32_bit_guest_would_need_barriers_inside_get64_on_a_weak_host() -> None:
    assert checked("weak", abi="32", **FEW).verdict == "violated"
    assert checked("tso", abi="32", **FEW).verdict == checked("sc", abi="32", **FEW).verdict == "holds"


@pytest.mark.parametrize("offset", [1, 4, 49])
def test_on_a_weak_host_an_entry_time_that_is_not_naturally_aligned_is_torn(offset: int) -> None:
    assert checked("weak", offset=offset, **FEW).verdict == "violated"
    assert checked("tso", offset=offset, **FEW).verdict == ("violated" if offset == 49 else "holds")


@pytest.mark.parametrize("memory", MODELS)
def test_the_old_flag_is_found_on_every_machine(memory: str) -> None:
    assert checked(memory, V2, offset=49, **FEW).verdict == "violated"
    assert checked(memory, V2, offset=0, **FEW).verdict == "holds"


@pytest.mark.parametrize("memory", ["tso", "weak"])
@pytest.mark.parametrize("property_name", ["torn-read", "stale-mapping", "deadlock", "reader-terminates"])
@pytest.mark.parametrize("without", ["none", "check", "first-wmb"])
def test_reductions_change_no_verdict(memory: str, property_name: str, without: str) -> None:
    one = replace(setting(V7, property_name, without=without, **FEW), memory=memory)
    verdicts = []
    for off in ((), ("ample",), ("summary", "ample"), ("merge", "dead"), tuple(REDUCTIONS)):
        if property_name == "torn-read" and off == tuple(REDUCTIONS):
            continue  # the whole graph takes minutes
        options = Options(frozenset(off), polish=False, engine=best_engine())
        found = {
            verify(SPEC.model(one, p), property_name, Bounds(), options).verdict for p in SPEC.projections(one)[:2]
        }
        verdicts.append(found)
    assert all(found == verdicts[0] for found in verdicts), verdicts


def test_a_result_says_what_it_rests_on_beside_the_memory_model() -> None:
    said = "locks and flags outside memory areas are in program order and order what is around them"
    assert said in checked("tso").assumptions
    assert said not in checked("sc").assumptions

"""The ioctls that set the shadow's times: RUNSTATE_ADJUST for readers, RUNSTATE_DATA and ADJUST in the accounting."""

from __future__ import annotations

from pathlib import Path

import pytest
from runstate_cases import ALL, V2, V3, V6, V6S, V7, V7P, report, result, setting, traced

from modelcheck.errors import UsageError
from modelcheck.explore.confirm import whole_observation
from modelcheck.explore.data import solves_again
from modelcheck.explore.run import Run, replay
from modelcheck.explore.table import build_tables
from modelcheck.explore.tables_key import tables_key
from modelcheck.explore.verify import Options, verify
from modelcheck.smt.solver import Solver
from modelcheck.spec import Setting, Value
from modelcheck.system.link import System
from specs.runstate import SPEC
from specs.runstate.data import data_model
from specs.runstate.scene import build
from specs.runstate.shadow_ioctls import DONE
from specs.runstate.values import ADJUSTED

FEW: dict[str, Value] = {"preemption": "none"}
ADJUST: dict[str, Value] = {"ioctls": "adjust", "offset": 0, **FEW}
WRITES = ALL[1:]  # an ioctl writes the area

# -- RUNSTATE_ADJUST for readers --------------------------------------------------------------------------------------


def first_pair(one: Setting) -> str:
    """What the first pair of bytes says, with any counterexample."""
    projection = SPEC.projections(one)[0]
    hasty = Options(polish=False)
    return verify(build(one, projection), one.property, options=hasty, full=lambda: build(one)).verdict  # type: ignore[arg-type]


@pytest.mark.parametrize("abi", ["64", "32"])
@pytest.mark.parametrize("version", [V3, V7P])
def test_a_remote_reader_is_torn_by_adjusted_times(version: str, abi: str) -> None:
    assert first_pair(setting(version, "torn-read", abi=abi, reader=f"linux{abi}", **ADJUST)) == "violated"


def test_every_version_that_writes_is_expected_to_tear_and_a795cd43_is_not() -> None:
    for version in ALL:
        expectation = SPEC.expected(setting(version, "torn-read", **ADJUST))
        assert expectation is not None
        assert (expectation.verdict, expectation.case) == (("violated", "D5") if version in WRITES else ("holds", ""))


@pytest.mark.parametrize("preemption", ["none", "full"])
def test_in_a795cd43_adjusted_times_come_with_the_next_updates_own_entry_time(preemption: str) -> None:
    found = result(V2, "torn-read", abi="64", **(ADJUST | {"preemption": preemption}))
    assert (found.verdict, found.expected) == ("holds", "holds")


@pytest.mark.parametrize(("name", "reader"), [("torn-read", "state-only"), ("own-read", "linux64")])
def test_the_state_and_the_own_reader_are_not_torn_by_it(name: str, reader: str) -> None:
    found = result(V7P, name, abi="64", reader=reader, **ADJUST)
    assert (found.verdict, found.expected) == ("holds", "holds")


def test_sched_out_in_every_place_changes_nothing_about_it() -> None:
    assert first_pair(setting(V6, "torn-read", abi="64", offset=0, ioctls="adjust", preemption="full")) == "violated"


def test_the_copy_mixes_times_of_one_entry_time(tmp_path: Path) -> None:
    found, trace = traced(V7P, "torn-read", tmp_path, abi="64", **ADJUST)
    assert (found.verdict, found.case, found.expected) == ("violated", "D5", "violated")
    assert "clock readings strictly increase" in found.assumptions
    assert any("repeats only by RUNSTATE_ADJUST" in text for text in found.assumptions)
    first, second = (dict(update.fields) for update in trace.updates)
    assert first["state_entry_time"] == second["state_entry_time"] == 1000
    assert first["state"] == second["state"]
    times = [[update[f"time[{i}]"] for i in range(4)] for update in (first, second)]
    assert times[0] != times[1] and sum(times[0]) == sum(times[1]) == 1000
    assert "RUNSTATE_ADJUST" in trace.consequence + " ".join(trace.why)


def told(call: str) -> list[dict[str, int]] | None:
    """A copy around one update, or around one RUNSTATE_ADJUST: values for which it is torn and accepted, if any."""
    model = build(setting(V7P, "torn-read", abi="64", **ADJUST))
    run = Run(System(model, frozenset({"torn-read"})))
    who = {process.name: i for i, process in enumerate(model.processes)}

    def until(name: str, text: str) -> None:
        while True:
            edges = run.enabled(who[name])
            edge = next((e for e in edges if text in e.choice), edges[0])
            run.take(edge)
            if text in edge.choice:
                return

    until("reader", "e1 = ")
    until("vcpu", f"the VMM calls -> {call}")
    until("vcpu", "memcpy(rs_times + 1, runstate_times) bytes 16-19")
    until("reader", "*res = *state bytes 16-19")
    until("reader", "*res = *state bytes 24-27")
    until("vcpu", "entry_time >> 56 bytes 15-15")
    until("reader", "e2 = ")
    until("reader", "e1 == e2? -> True")
    until("reader", "UPDATE? -> False")
    until("reader", "accepted")
    observation = whole_observation(run)
    assert observation is not None and model.values is not None
    made = {text for text, _ in observation.made[1:]}
    assert made == {ADJUSTED if call == "RUNSTATE_ADJUST" else "runstate_entry_time = now, times[] += delta"}
    return Solver(model.values).concrete(observation)


def test_an_entry_time_repeats_only_where_the_ioctl_made_the_version() -> None:
    assert told("RUNSTATE_ADJUST") is not None
    assert told("KVM_RUN") is None


# -- RUNSTATE_DATA for readers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V2, V6, V7P])
def test_what_the_vmm_sets_tears_no_reader(version: str) -> None:
    (found,) = report(version, "torn-read", abi="64", offset=0, ioctls="data", **FEW).results
    assert (found.verdict, found.expected) == ("holds", "holds")
    assert "RUNSTATE_DATA gets a later entry time than was published, or changes no time" in found.assumptions


def test_readers_beside_a_runstate_data_that_is_interrupted_are_refused() -> None:
    with pytest.raises(UsageError, match="sched_out may come between the stores of RUNSTATE_DATA"):
        result(V6, "torn-read", abi="64", offset=0, ioctls="data", preemption="full", fix="accounting")


def test_published_is_not_about_runstate_data() -> None:
    assert "RUNSTATE_DATA" in next(info.help for info in SPEC.properties if info.name == "published")
    assert result(V7P, "published", abi="64", offset=0, ioctls="data").verdict == "holds"


# -- the accounting ---------------------------------------------------------------------------------------------------

FORMS = (V2, V6, V6S, V7)  # a795cd43 publishes nothing in an ioctl; the others are the forms of the accounting
HOLDS, STORES, AHEAD, TWICE = ("holds", ""), ("violated", "D2"), ("violated", "B23"), ("violated", "D2")
PLAIN: dict[str, Value] = {"preemption": "voluntary"}
STORED: dict[str, Value] = {"preemption": "full", "fix": "accounting"}  # what is left is between the ioctl's stores
# What is said of each of FORMS without a preemption inside, and with none but inside the ioctl.
SAYS = {
    ("time-sum", "data"): ([HOLDS] * 4, [STORES, STORES, HOLDS, HOLDS]),
    ("time-sum", "adjust"): ([HOLDS] * 4, [STORES, STORES, HOLDS, HOLDS]),
    ("monotonic", "data"): ([HOLDS] * 4, [STORES, STORES, HOLDS, HOLDS]),
    ("monotonic", "adjust"): ([AHEAD, AHEAD, AHEAD, HOLDS], [AHEAD, AHEAD, AHEAD, HOLDS]),
}


@pytest.mark.parametrize(("name", "ioctls"), SAYS)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("version", FORMS)
def test_each_ioctl_has_its_verdict(name: str, ioctls: str, place: int, version: str) -> None:
    one = setting(version, name, ioctls=ioctls, **(PLAIN, STORED)[place])
    says = SAYS[name, ioctls][place][FORMS.index(version)]
    expectation = SPEC.expected(one)
    assert expectation is not None and (expectation.verdict, expectation.case) == says
    outcome = verify(data_model(one), name)
    assert outcome.verdict == says[0]
    if outcome.verdict == "holds":
        assert DONE in outcome.reached
        return
    system = System(data_model(one), frozenset({name}))
    run = replay(system, list(outcome.steps), {(at, slot): value for at, slot, value in outcome.words})
    assert run.steps[-1].edge.breaks == name
    assert any(f"RUNSTATE_{ioctls.upper()}" in step.edge.choice for step in run.steps)
    assert solves_again(system, run)


@pytest.mark.parametrize("name", ["time-sum", "monotonic"])
@pytest.mark.parametrize("ioctls", ["data", "adjust"])
def test_with_the_accounting_open_too_every_version_is_violated(name: str, ioctls: str) -> None:
    for version in (V6, V7):
        one = setting(version, name, ioctls=ioctls, preemption="full")
        expectation = SPEC.expected(one)
        ahead = (name, ioctls, version) == ("monotonic", "adjust", V6)
        assert expectation is not None and (expectation.verdict, expectation.case) == (AHEAD if ahead else TWICE)
        assert verify(data_model(one), name).verdict == "violated"


def every() -> list[Setting]:
    return [
        setting(version, name, ioctls=ioctls, preemption=preemption, fix=fix)
        for version in ALL
        for name in ("time-sum", "monotonic", "steal-booked")
        for ioctls in ("none", "usual", "runnable", "adjust", "data")
        for preemption in ("none", "voluntary", "full", "rt")
        for fix in ("none", "accounting")
    ]


def test_settings_of_one_key_have_equal_tables_and_others_do_not() -> None:
    """Eight versions, three properties: 24 models without the ioctls, and those with them."""
    found: dict[object, set[object]] = {}
    for key, one in {(SPEC.equivalence(one), one.version): one for one in every()}.items():
        tables = build_tables(System(data_model(one), frozenset({one.property})), words=True)
        found.setdefault(key[0], set()).add(tables_key(tables))
    assert all(len(tables) == 1 for tables in found.values())
    # data: up to 6.10, 6.11, clamped; adjust: a795cd43 too; each of two properties, two sets of points, two fixes
    assert len(found) == 24 + (3 + 4) * 2 * 2 * 2


def test_without_them_the_models_are_as_they_were() -> None:
    for one in every():
        alone = setting(one.version, one.property, **(dict(one.values) | {"ioctls": "none"}))
        same = one.text("ioctls") not in ("adjust", "data") or one.property == "steal-booked"
        assert (SPEC.equivalence(one) == SPEC.equivalence(alone)) == same


def test_a_mixed_shadow_by_hand(tmp_path: Path) -> None:
    """Entry time 1060 of the VMM and times of 1000: sched_out at 1110 adds 50, and publishes a sum of 1050."""
    _, trace = traced(V6, "time-sum", tmp_path, abi="64", offset=0, ioctls="data", **STORED)
    assert trace.consequence == "the guest reads times whose sum is 1050, 60 less than the entry time 1110"
    assert {slot: value for step, slot, value in trace.words if step < 0}["entry_time"] == 1000


def test_steal_ahead_of_the_entry_time_by_hand(tmp_path: Path) -> None:
    """90 ns of run_delay, an entry time moved from 1000 to 1060, 50 ns later: running goes back by 40."""
    _, trace = traced(V6S, "monotonic", tmp_path, abi="64", **ADJUST)
    assert trace.consequence == "for the guest, time[running] goes back from 600 to 560"
    assert trace.case == "B23"

"""The accounting half over 64-bit words: verdicts of every setting, and the schedules of protocol.md 12 by hand."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from modelcheck.explore.data import solves_again
from modelcheck.explore.run import Run, replay
from modelcheck.explore.table import build_tables
from modelcheck.explore.tables_key import tables_key
from modelcheck.explore.verify import Outcome, verify
from modelcheck.spec import Setting
from modelcheck.system.link import System
from modelcheck.trace.file import from_json, to_json
from modelcheck.trace.replay import replay as replay_trace
from modelcheck.view import render
from specs.runstate import SPEC
from specs.runstate.data import DATA, NAMES, TIMES, data_model
from tests.specs.runstate_cases import ALL, V2, V6S, V7, V7P, report, setting, traced

CLOCKS = ("increasing", "may-repeat", "may-step-back")
STEALS = ("exact", "free")
PREEMPTIONS = ("none", "voluntary", "full", "rt")
FIXES = ("none", "accounting")
HOLDS, CLOCK_BUG, TWICE, LOST, BEHIND = ("holds", ""), ("violated", "B23"), ("violated", "D2"), ("violated", "D12"), (
    "violated", "")  # fmt: skip

# What each property says where nothing nests inside the accounting: rows are CLOCKS x STEALS, in that order.
WHOLE = {
    ("time-sum", "wraps"): [HOLDS] * 6,
    ("time-sum", "clamps"): [HOLDS] * 6,
    ("monotonic", "wraps"): [HOLDS, CLOCK_BUG, HOLDS, CLOCK_BUG, CLOCK_BUG, CLOCK_BUG],
    ("monotonic", "clamps"): [HOLDS] * 6,
    ("steal-booked", "wraps"): [HOLDS, CLOCK_BUG, HOLDS, CLOCK_BUG, CLOCK_BUG, CLOCK_BUG],
    ("steal-booked", "clamps"): [HOLDS, HOLDS, HOLDS, HOLDS, BEHIND, BEHIND],
}
# And where it may be preempted anywhere.
PREEMPTED = {
    ("time-sum", "wraps"): [TWICE] * 6,
    ("time-sum", "clamps"): [TWICE] * 6,
    ("monotonic", "wraps"): [TWICE, CLOCK_BUG, TWICE, CLOCK_BUG, CLOCK_BUG, CLOCK_BUG],
    ("monotonic", "clamps"): [TWICE] * 6,
    ("steal-booked", "wraps"): [LOST, CLOCK_BUG, LOST, CLOCK_BUG, CLOCK_BUG, CLOCK_BUG],
    ("steal-booked", "clamps"): [LOST] * 6,
}
FORMS = {"wraps": V6S, "clamps": V7}


def pinned(one: Setting) -> tuple[str, str]:
    """The verdict and case this file pins for a setting."""
    form = "clamps" if one.version in (V7, V7P) else "wraps"
    inside = one.text("preemption") in ("full", "rt") and one.text("fix") == "none"
    row = CLOCKS.index(one.text("clock")) * 2 + STEALS.index(one.text("steal"))
    return (PREEMPTED if inside else WHOLE)[one.property, form][row]


def decide(one: Setting) -> Outcome:
    return verify(data_model(one), one.property)


@pytest.mark.parametrize(("name", "form"), [(name, form) for name in NAMES for form in FORMS])
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(("preemption", "fix"), [("none", "none"), ("full", "none"), ("full", "accounting")])
def test_every_accounting_has_its_verdict(name: str, form: str, clock: str, preemption: str, fix: str) -> None:
    """108 models; every other setting has the model of one of them, see the next tests."""
    for steal in STEALS:
        one = setting(FORMS[form], name, preemption=preemption, clock=clock, steal=steal, fix=fix)
        outcome = decide(one)
        assert outcome.verdict == pinned(one)[0]
        if outcome.verdict == "violated":
            system = System(data_model(one), frozenset({name}))
            run = replay(system, list(outcome.steps), {(at, slot): value for at, slot, value in outcome.words})
            assert run.steps[-1].edge.breaks == name
            assert solves_again(system, run)


def every() -> list[Setting]:
    return [
        setting(version, name, preemption=preemption, clock=clock, steal=steal, fix=fix)
        for version, name, preemption, clock, steal, fix in product(ALL, NAMES, PREEMPTIONS, CLOCKS, STEALS, FIXES)
    ]


def test_the_spec_expects_what_is_pinned_of_all_1152_settings() -> None:
    found = every()
    assert len(found) == 1152
    for one in found:
        expectation = SPEC.expected(one)
        assert expectation is not None
        assert (expectation.verdict, expectation.case) == pinned(one), one
        assert expectation.source


def test_1152_settings_are_144_models() -> None:
    """Two forms of arithmetic, three properties, two sets of preemption points, the clocks, steals and fixes."""
    assert len({SPEC.equivalence(one) for one in every()}) == 2 * 3 * 2 * 3 * 2 * 2


def test_settings_of_one_key_have_equal_tables() -> None:
    found: dict[object, dict[object, Setting]] = {}
    for one in every():
        if one.text("clock") == "increasing" and one.text("steal") == "exact":
            model = data_model(one)
            tables = build_tables(System(model, frozenset({one.property})), words=True)
            found.setdefault(SPEC.equivalence(one), {})[tables_key(tables)] = one
    assert all(len(keys) == 1 for keys in found.values())
    assert len(found) == 24


def test_how_the_guest_reads_and_where_its_area_lies_is_no_part_of_it() -> None:
    keys = {
        SPEC.equivalence(setting(V7, "time-sum", abi=abi, offset=offset, reader=reader, flag=flag, tear=tear))
        for abi, offset, reader, flag, tear in (
            ("64", 0, "linux64", "on", "copies"), ("32", 4090, "linux32", "off", "plain"),
            ("64", 7, "state-only", "on", "none"),
        )
    }  # fmt: skip
    assert len(keys) == 1


def test_all_offsets_are_one_row() -> None:
    (row,) = report(V7, "monotonic", abi="64", offset=tuple(range(0, 4096, 64)), preemption="none").results
    assert (row.verdict, row.count, row.expected) == ("holds", 64, "holds")
    assert row.solver_queries > 0
    assert row.observations == 0
    assert row.witnesses == (
        ("update published", True), ("sched_out published", True), ("updated again after the sched_out", True)
    )  # fmt: skip
    assert row.actors == ("vcpu", "sched_out")
    assert "the times add up to the entry time" in row.assumptions
    assert "each clock reading is later than the one before" in row.assumptions


def test_python_and_native_engine_say_the_same() -> None:
    from modelcheck.campaign import run
    from modelcheck.results import Request

    values = (("abi", ("64",)), ("offset", (0,)), ("preemption", ("full",)))
    found = [
        run(Request(SPEC, (V7,), values, ("time-sum",), engine=engine)).results[0] for engine in ("python", "auto")
    ]
    assert len({(each.verdict, each.states, each.transitions, each.depth, each.id) for each in found}) == 1


def test_the_properties_are_those_of_the_spec() -> None:
    assert [info.name for info in DATA] == ["time-sum", "monotonic", "steal-booked"]
    assert {info.name for info in SPEC.properties} >= set(NAMES)


# -- the numbers of protocol.md 12 ---------------------------------------------------------------------------------

START = {"entry_time": 1000, "last_steal": 50, "clock": 1090, "run_delay": 140} | dict(
    zip(TIMES, (600, 300, 0, 100), strict=True)
)
SHADOW = ("entry_time", *TIMES)


def numbers(run: Run, *names: str) -> tuple[int, ...]:
    values = {slot.name: value for slot, value in run.values.items()}
    return tuple(values[name] for name in names)


class Told:
    """A schedule told step by step, with the clock readings and the wait it takes, on the reference semantics."""

    def __init__(self, name: str, version: str = V7) -> None:
        model = data_model(setting(version, name, preemption="full"))
        self.words = {(-1, slot): value for slot, value in START.items()}
        self.run = Run(System(model, frozenset({name})), words=self.words)
        for text, condition in model.assumed:
            assert self.run.value(condition), text

    def take(self, process: int, until: str, *words: tuple[str, int]) -> None:
        """Steps of one process, the one enabled each time, up to the first whose kernel step or label is `until`."""
        given = list(words)
        while True:
            (edge,) = [
                edge for edge in self.run.enabled(process)
                if not (edge.breaks or edge.choice.startswith("the last to") and not edge.choice.endswith("runnable"))
            ] or self.run.enabled(process)  # fmt: skip
            action = self.run.system.spaces[process].machine.nodes[edge.node].action
            assert action is not None
            if given and (action.label.startswith("now =") or action.label.startswith("waits")):
                slot, value = given.pop(0)
                self.words[len(self.run.steps), slot] = value
            self.run.take(edge)
            if until in (action.step, action.label):
                assert not given
                return


def nested(told: Told, now: int, away: int) -> None:
    """sched_out at `now`, the wait, and sched_in."""
    told.take(1, "resume", ("clock", now), ("away", away))


def test_d2_by_hand() -> None:
    """protocol.md 12.2: excess 110, the entry time goes from 1110 back to 1100, and the re-run repairs neither."""
    told = Told("steal-booked")
    told.take(0, "A3", ("clock", 1100))
    assert numbers(told.run, "vcpu.delta") == (100,)
    told.take(1, "A12", ("clock", 1110))
    assert numbers(told.run, *SHADOW) == (1110, 600, 410, 0, 100)
    told.take(1, "resume", ("away", 390))
    assert numbers(told.run, "clock", "run_delay") == (1500, 530)
    told.take(0, "A12")
    assert numbers(told.run, *SHADOW, "last_steal", "current_runstate") == (1100, 600, 510, 0, 100, 140, 0)
    assert sum(numbers(told.run, *TIMES)) - 1100 == 110
    told.take(0, "A12", ("clock", 1510))
    assert numbers(told.run, *SHADOW, "last_steal") == (1510, 620, 900, 0, 100, 530)
    assert sum(numbers(told.run, *TIMES)) - 1510 == 110
    assert numbers(told.run, *(f"guest {name}" for name in SHADOW)) == (1510, 620, 900, 0, 100)


def test_d12_by_hand() -> None:
    """protocol.md 12.1 item 5: preempted after the clock and before run_delay, running 1000 and runnable 410."""
    told = Told("steal-booked")
    told.take(0, "A1", ("clock", 1100))
    nested(told, 1110, 390)
    told.take(0, "A12")
    assert numbers(told.run, *SHADOW, "last_steal", "current_runstate") == (1110, 600, 410, 0, 100, 530, 0)
    told.take(0, "A12", ("clock", 1510))
    assert numbers(told.run, *SHADOW) == (1510, 1000, 410, 0, 100)
    told.take(0, "the wait is in time[runnable]")
    assert told.run.steps[-1].edge.breaks == "steal-booked"


def test_what_d12_should_have_booked() -> None:
    """The same clocks with the preemption before the clock is read: running 608 and runnable 802."""
    told = Told("steal-booked")
    told.take(0, "vcpu_enter_guest()")
    nested(told, 1110, 390)
    told.take(0, "A12", ("clock", 1502))
    assert numbers(told.run, *SHADOW) == (1502, 600, 802, 0, 100)
    told.take(0, "A12", ("clock", 1510))
    assert numbers(told.run, *SHADOW) == (1510, 608, 802, 0, 100)
    told.take(0, "the wait is in time[runnable]")
    assert not told.run.steps[-1].edge.breaks


def cut_after(version: str, step: str) -> tuple[int, int, int]:
    """After the re-run, where the first update was preempted right after `step`: three numbers in nanoseconds.

    What the times add up to beyond the entry time, how far that went back, and what is booked of the wait of 390.
    """
    told = Told("steal-booked", version)
    told.take(0, step, ("clock", 1100))
    nested(told, 1110, 390)
    told.take(0, "A12" if version == V7 else "A10")
    (entry,) = numbers(told.run, "entry_time")
    (before,) = numbers(told.run, "time[runnable] at sched_out")
    told.take(0, "A12" if version == V7 else "A10", ("clock", 1510))
    total, runnable, last = sum(numbers(told.run, *TIMES)) % 2**64, *numbers(told.run, "time[runnable]", "entry_time")
    return total - last, 1110 - entry, runnable - before


def test_where_an_update_may_be_preempted_by_hand() -> None:
    """protocol.md 12.2: "the same 110 if cut at st, Tsteal, T; V2-V6 also at rd, L, S", and 12.1 item 5."""
    assert {f"A{k}": cut_after(V7, f"A{k}") for k in range(1, 12)} == {
        "A1": (0, 0, 0),  # run_delay is read after the wait: all of the wait is lost (D12)
        "A2": (0, 0, 390),
        "A3": (110, 10, 490),
        "A4": (110, 10, 490),
        "A5": (110, 10, 490),
        "A6": (110, 10, 490),
        "A7": (110, 10, 490),
        "A8": (110, 10, 390),
        "A9": (0, 0, 390),
        "A10": (0, 0, 400),  # from here on the state is running when sched_out comes, and runnable until the re-run
        "A11": (0, 0, 400),
    }
    assert {f"A{k}": cut_after(V6S, f"A{k}") for k in range(1, 10)} == {
        "A1": (0, 10, -10),  # delta wraps: the entry time and time[runnable] go back by 1110 - 1100
        "A2": (110, 10, 100),  # and run_delay is read after the wait: both bugs at once
        "A3": (110, 10, 490),
        "A4": (110, 10, 490),
        "A5": (110, 10, 490),
        "A6": (110, 10, 490),
        "A7": (110, 10, 390),
        "A8": (110, 10, 410),
        "A9": (0, 0, 400),
    }


@pytest.mark.parametrize(
    ("name", "case", "steps", "consequence"),
    [
        ("time-sum", "D2", 23, "the guest reads times whose sum is 1210, 100 more than the entry time 1110"),
        ("monotonic", "D2", 30, "for the guest, entry_time goes back from 1110 to 1100"),
        ("steal-booked", "D12", 42, "of the 390 the task waited for a CPU, 0 are booked as runnable"),
    ],
)
def test_a_counterexample_is_saved_shown_and_replayed(
    name: str, case: str, steps: int, consequence: str, tmp_path: Path
) -> None:
    found, trace = traced(V7, name, tmp_path, abi="64", offset=0, preemption="full")
    assert (found.case, found.steps, trace.consequence) == (case, steps, consequence)
    assert from_json(to_json(trace)) == trace
    assert {slot: value for step, slot, value in trace.words if step < 0} == START
    text = render(trace, "paste")
    assert max(map(len, text.splitlines())) <= 75
    assert "Initially: entry_time = 1000, time[running] = 600" in text
    table = render(trace, "table")
    assert "now = 1100" in table
    assert "entry_time = 1110" in table
    assert render(trace, "svg").startswith("<svg")
    how = f"{steps} steps replayed step by step and solved again as a whole"
    assert replay_trace(trace, SPEC) == f"{name} of runstate {V7} is violated: {how}."


def test_the_oldest_version_wraps_as_the_others_before_36a85200() -> None:
    one = setting(V2, "monotonic", clock="may-step-back")
    assert decide(one).verdict == "violated"
    assert SPEC.equivalence(one) == SPEC.equivalence(setting(V6S, "monotonic", clock="may-step-back"))

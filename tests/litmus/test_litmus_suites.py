"""The verdicts of whole suites: the project's own always, the field's (../shared/litmus, not copied) where it is."""

from __future__ import annotations

import functools

import pytest
from litmus_cases import MODELS, OWN, SHARED, needs_shared, rows, verdict

from modelcheck.explore.bounds import Bounds
from modelcheck.explore.engine import REFERENCE, best_engine
from modelcheck.litmus.errors import Unsupported
from modelcheck.litmus.parse import parse_file
from modelcheck.litmus.verdict import Verdict, decide

STRONGER = OWN.parent / "stronger.tsv"  # tests that lkmm allows and weak does not, with the rule of arm64's model
COLUMN = {"sc": "sc", "tso": "x86_tso", "weak": "weak"}


@pytest.mark.parametrize("memory", MODELS)
def test_own_suite_has_its_verdicts(memory: str) -> None:
    table = rows(OWN / "expected.tsv")
    assert len(table) == len(list(OWN.glob("*.litmus"))) == 30
    found = {row["file"]: verdict(parse_file(OWN / row["file"]), memory).observation for row in table}
    assert found == {row["file"]: row[COLUMN[memory]] for row in table}


@pytest.mark.parametrize("memory", MODELS)
def test_engines_agree_on_every_state(memory: str) -> None:
    for path in sorted(OWN.glob("*.litmus")):
        test = parse_file(path)
        found = [decide(test, memory, Bounds(), engine) for engine in (REFERENCE, best_engine())]
        assert found[0].states == found[1].states, path.name
        assert found[0].searched == found[1].searched, path.name


@needs_shared
@pytest.mark.parametrize(("memory", "column", "count"), [("tso", "x86_tso", 291), ("sc", "sc", 274)])
def test_x86_suite_agrees_with_herd(memory: str, column: str, count: int) -> None:
    table = [row for row in rows(SHARED / "expected.tsv") if row.get(column)]
    found = {row["file"]: verdict(parse_file(SHARED / row["file"]), memory).observation for row in table}
    assert found == {row["file"]: row[column] for row in table}
    assert len(found) == count


@functools.cache
def kernel_verdicts(memory: str) -> dict[str, Verdict]:
    """The supported tests of the kernel's suite."""
    found = {}
    for path in sorted((SHARED / "kernel").glob("*.litmus")):
        try:
            test = parse_file(path, path.name)
        except Unsupported:
            continue
        found[path.name] = verdict(test, memory)
    return found


@needs_shared
def test_every_kernel_test_without_rcu_is_supported() -> None:
    reasons = []
    for path in sorted((SHARED / "kernel").glob("*.litmus")):
        try:
            parse_file(path, path.name)
        except Unsupported as error:
            reasons.append(error.reason.partition(" (")[0])
    assert {reason: reasons.count(reason) for reason in reasons} == {"RCU": 16, "SRCU": 15}
    assert len(kernel_verdicts("sc")) == 155


@needs_shared
def test_weak_never_allows_what_the_kernels_model_forbids_and_forbids_more_only_by_a_rule_of_arm64() -> None:
    found = kernel_verdicts("weak")
    weaker, stronger = [], []
    for row in rows(SHARED / "expected.tsv"):
        name = row["file"].removeprefix("kernel/")
        expected = row["lkmm"]
        if name not in found or not expected or "data-race" in row["note"]:
            continue
        if expected != "Sometimes" and found[name].observation != expected:
            weaker.append(name)
        elif found[name].observation != expected:
            stronger.append(name)
    assert weaker == []
    rules = {row["file"].removeprefix("kernel/"): row["arm64 rule"] for row in rows(STRONGER)}
    assert sorted(stronger) == sorted(rules)
    assert all(rules.values())


@needs_shared
def test_outcomes_grow_from_sc_to_tso_to_weak() -> None:
    sc, tso, weak = (kernel_verdicts(memory) for memory in MODELS)
    assert all(sc[name].states and not weak[name].bound for name in sc)
    assert [name for name in sc if not set(sc[name].states) <= set(tso[name].states)] == []
    assert [name for name in sc if not set(tso[name].states) <= set(weak[name].states)] == []

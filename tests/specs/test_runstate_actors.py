"""What the VMM and the guest may do besides: other ioctls, a switch of long mode, a migration that does not wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runstate_cases import ALL, FEW, V2, V3, V4, V5, V7P, result, setting, traced

from modelcheck import UsageError
from modelcheck.explore.engine import best_engine
from modelcheck.explore.verify import Options, verify
from specs.runstate import SPEC, vcpu
from specs.runstate.config import destroy
from specs.runstate.properties import SLOTS
from specs.runstate.scene import build, scene_of
from specs.runstate.stores import lengths, store

SINCE_IOCTLS_WRITE = ALL[1:]
ALONE = {"preemption": "none", "ioctls": "none"}


@pytest.mark.parametrize("abi", ["64", "32"])
@pytest.mark.parametrize("version", [V2, V7P])
def test_a_switch_to_compat_between_reading_the_mode_and_storing_leaves_the_area(version: str, abi: str) -> None:
    """protocol.md D10, 12.1 item 10."""
    found = result(version, "out-of-area", abi=abi, offset=0, mode="switches", ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D10", "violated")


@pytest.mark.parametrize(("version", "looks"), [(V2, ["G0", "G7"]), (V3, ["G0"]), (V7P, ["G0"])])
def test_what_is_stored_is_the_layout_of_the_last_look_at_the_mode(
    version: str, looks: list[str], tmp_path: Path
) -> None:
    """protocol.md 12.1 item 10: a795cd43 looks twice, and the switch that harms comes after the second look."""
    _, trace = traced(version, "out-of-area", tmp_path, abi="64", offset=0, mode="switches", **ALONE)
    seen = [(number, step.step) for number, step in enumerate(trace.steps) if step.label == "long_mode?"]
    (switch,) = [n for n, step in enumerate(trace.steps) if "long_mode" in [slot for slot, *_ in step.changes]]
    assert [step for _, step in seen] == looks
    assert seen[-1][0] < switch


@pytest.mark.parametrize(("version", "there"), [(V2, [True]), (V3, [])])
def test_a795cd43_may_store_more_than_it_checked(version: str, there: list[bool]) -> None:
    found = result(version, "published", abi="64", offset=0, mode="switches", **ALONE)
    assert found.verdict == "holds"
    assert [reached for name, reached in found.witnesses if name == "48 bytes stored where 44 were checked"] == there


@pytest.mark.parametrize("name", ["torn-read", "own-read", "reader-terminates"])
def test_what_is_read_across_a_switch_of_the_mode_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"mode=switches is not decided for {name}"):
        result(V7P, name, abi="64", offset=0, mode="switches", **FEW)


@pytest.mark.parametrize("version", SINCE_IOCTLS_WRITE)
def test_an_ioctl_with_the_state_runnable_may_answer_success_and_write_nothing(version: str) -> None:
    """protocol.md D7."""
    found = result(version, "published", abi="64", offset=0, ioctls="runnable")
    assert (found.verdict, found.case, found.expected) == ("violated", "D7", "violated")


def test_no_ioctl_wrote_the_area_before_5ec3289b() -> None:
    """protocol.md B6."""
    found = result(V2, "published", abi="64", offset=0, ioctls="runnable")
    assert (found.verdict, found.case, found.expected) == ("violated", "B6", "violated")


@pytest.mark.parametrize("version", [V4, V7P])
@pytest.mark.parametrize("abi", ["64", "32"])
def test_an_update_in_progress_does_not_know_that_the_flag_was_asked_for(version: str, abi: str) -> None:
    some = {"abi": abi, "offset": 0, "flag": "switches", "preemption": "none", "ioctls": "none"}
    found = result(version, "torn-read", **some)
    assert (found.verdict, found.case, found.expected) == ("violated", "N1", "violated")
    assert result(version, "torn-read", fix="flag", **some).verdict == "holds"
    assert result(version, "torn-read", **(some | {"flag": "on"})).verdict == "holds"


def test_whoever_asks_for_the_flag_while_updates_run_gets_it_in_the_end() -> None:
    for name in ("own-read", "flag-clears", "reader-terminates", "published"):
        assert result(V7P, name, abi="64", offset=0, flag="switches", **FEW).verdict == "holds", name


@pytest.mark.parametrize("flag", ["off", "switches"])
def test_before_d8ba8ba4_nobody_is_asked_about_the_flag(flag: str) -> None:
    with pytest.raises(UsageError, match=f"flag={flag} needs d8ba8ba4 or later, {V3} always uses the flag"):
        result(V3, "torn-read", abi="64", offset=0, flag=flag)


@pytest.mark.parametrize(("version", "verdict", "case"), [(V2, "violated", "B9"), (V4, "violated", "B9"),
                                                          (V5, "holds", ""), (V7P, "holds", "")])
def test_a_second_refresher_makes_a_deadlock_of_the_cycle_of_classes(version: str, verdict: str, case: str) -> None:
    """protocol.md 7.3 and 12.1 item 1: by instance only with a task that there is not."""
    some = {"abi": "64", "offset": 0, "vmm": "moves"}
    found = result(version, "deadlock", refresher="second", **some)
    assert (found.verdict, found.case, found.expected) == (verdict, case, verdict)
    said = "no other task refreshes this vCPU's caches (else refresher=second)"
    assert said not in found.assumptions
    alone = result(version, "deadlock", **some)
    assert alone.verdict == "holds" and said in alone.assumptions


def test_a_second_refresher_finds_the_cache_valid_or_makes_it_so() -> None:
    """What the first waits for under the refresh_lock may be there when it has that."""
    one = setting(V7P, "stale-mapping", abi="64", offset=0, vmm="moves", refresher="second", preemption="none")
    (projection,) = SPEC.projections(one)
    done = verify(build(one, projection), one.property, options=Options(polish=False, engine=best_engine()))
    assert done.verdict == "holds"
    alone = setting(V7P, "stale-mapping", abi="64", offset=0, vmm="moves", ioctls="none", preemption="none")
    least = verify(build(alone, projection), one.property, options=Options(polish=False, engine=best_engine()))
    assert least.states < done.states


@pytest.mark.parametrize("version", ALL)
def test_a_vcpu_is_destroyed_and_nothing_is_stored_afterwards(version: str) -> None:
    """protocol.md 5.3: what the stores require says that deactivation has not returned."""
    found = result(version, "stale-mapping", abi="64", offset=0, vmm="moves")
    assert found.verdict == "holds"
    assert ("vCPU destroyed", True) in found.witnesses


def test_a_store_after_the_vcpu_was_destroyed_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken on purpose: kvm_xen_destroy_vcpu() writes the area when it is done."""

    def writes(scene: Any) -> Any:
        target = yield from lengths(scene)
        yield from destroy(scene)
        yield from store(scene, target)

    monkeypatch.setattr(vcpu, "destroy", writes)
    one = setting(V7P, "stale-mapping", abi="64", offset=0, vmm="moves", preemption="none")
    (projection,) = SPEC.projections(one)
    model = build(one, projection)
    assert verify(model, one.property, options=Options(polish=False, engine=best_engine())).verdict == "violated"


def test_without_a_mapping_that_is_held_the_flag_may_stay_set() -> None:
    """protocol.md B3: put_user() may fault between the stores."""
    assert result(V2, "flag-clears", abi="64", offset=0, without="mapping").verdict == "violated"
    assert result(V2, "flag-clears", abi="64", offset=0).verdict == "holds"


@pytest.mark.parametrize("name", SLOTS)
def test_vmm_both_has_who_takes_part_in_either(name: str) -> None:
    def actors(vmm: str) -> list[str]:
        return [process.name for process in build(setting(V7P, name, vmm=vmm)).processes]

    assert actors("both") == list(dict.fromkeys([*actors("moves")[:3], "memslots", *actors("moves")[3:]]))
    assert set(actors("both")) == {*actors("moves"), *actors("memslots")}
    both, moves = (scene_of(setting(V7P, name, vmm=vmm)) for vmm in ("both", "moves"))
    assert both.ioctls == moves.ioctls != ()
    assert both.gpc1.gpa is not None and both.gpc1.generation is not None and both.locks.srcu is not None
    apart = "the VMM does not call ioctls of the vCPU and change memslots at the same time"
    said = [apart in build(setting(V7P, name, vmm=vmm)).assumptions for vmm in ("moves", "memslots", "both")]
    assert said == [True, True, False]


@pytest.mark.parametrize("without", ["check", "lock"])
def test_vmm_both_finds_what_either_finds(without: str) -> None:
    one = setting(V7P, "stale-mapping", vmm="both", preemption="none", without=without)
    (projection,) = SPEC.projections(one)
    options = Options(polish=False, engine=best_engine())
    assert verify(build(one, projection), one.property, options=options).verdict == "violated"


def test_a_property_says_once_what_it_takes_for_fair() -> None:
    found = result(V7P, "flag-clears", abi="64", offset=0, **FEW)
    fair = [text for text in found.assumptions if "vcpu" in text.lower() or "fair" in text]
    assert fair == ["vcpu, sched_out: a process that can go on does (weak fairness)"]


@pytest.mark.parametrize("version", [V2, V7P])
def test_a_last_pass_that_does_not_wait_for_the_vcpu_loses_a_store(version: str) -> None:
    """protocol.md D9."""
    assert result(version, "lost-dirty", abi="64", offset=0, without="pause").verdict == "violated"

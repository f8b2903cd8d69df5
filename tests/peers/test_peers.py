"""The runner of the other checkers: what it reads in their output, and what it does with missing, failing, slow ones.

The checkers are stood in for by scripts, except in the last test, which asks the real ones where they are installed.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import peers
import pytest
from peers import Peer, PeerRun

SPIN_HOLDS = """
State-vector 56 byte, depth reached 304, errors: 0
  1747978 states, stored
  1158601 states, matched
  2906579 transitions (= stored+matched)
pan: elapsed time 2.12 seconds
"""
SPIN_VIOLATED = """
pan:1: assertion violated (((((c[1]==c[0])&&(c[3]==c[0]))&&(c[4]==c[0]))&&(c[5]==c[0]))&&(c[6]==c[0])) (at depth 20)
State-vector 56 byte, depth reached 20, errors: 1
     4319 states, stored
     6737 transitions (= stored+matched)
pan: elapsed time 0 seconds
"""
HARMONY_HOLDS = """
     611,310 states discovered so far (1,535,434 state transitions)
* Phase 3: Scan states
    * 646742 states (time 2.43s, mem=0.000GB, diameter=62)
    * 118946/1639651 computations/edges
    * **No issues found**
"""
RUMUR_VIOLATED = """<rumur_run>
<error includes_trace="true"><message>invariant &quot;torn&quot; failed</message>
<transition>Startstate 1</transition>
<transition>Rule "writer: update"</transition>
<transition>Rule "writer: read_lock gpc1"</transition>
</error>
<summary states="4426" rules_fired="10283" errors="1" duration_seconds="0"/>
"""


def named(name: str) -> Peer:
    return next(peer for peer in peers.PEERS if peer.name == name)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("spin", SPIN_HOLDS, PeerRun("", "", "holds", 1747978, 2906579, 9.0, 2.12)),
        ("spin", SPIN_VIOLATED, PeerRun("", "", "violated", 4319, 6737, 9.0, 0.5, steps=21)),
        ("spin", "max search depth too small\nerrors: 0", PeerRun("", "", "failed: its depth bound was reached")),
        ("spin", "pan: reached -DMEMLIM bound\nerrors: 0", PeerRun("", "", "failed: out of memory")),
        ("spin", "", PeerRun("", "", "failed: no verdict")),
        ("harmony", HARMONY_HOLDS, PeerRun("", "", "holds", 646742, 1639651, 9.0, 2.43)),
        ("harmony", "    * **Safety Violation**", PeerRun("", "", "violated", 0, 0, 9.0, 0.5)),
        ("harmony", "charm: out of memory", PeerRun("", "", "failed: no verdict")),
        ("rumur", RUMUR_VIOLATED, PeerRun("", "", "violated", 4426, 10283, 9.0, 0.5, steps=2)),
        ("rumur", RUMUR_VIOLATED.replace('errors="1"', 'errors="0"'), PeerRun("", "", "holds", 4426, 10283, 9.0, 0.5)),
        ("rumur", "Out of memory", PeerRun("", "", "failed: no verdict")),
    ],
)
def test_what_is_read_in_the_output(name: str, text: str, expected: PeerRun) -> None:
    found = named(name).parse(text, PeerRun("", "", "", seconds=9.0, search_seconds=0.5))
    if expected.finished:
        assert found == expected
        assert found.rate == expected.states / expected.search_seconds  # type: ignore[operator]
    else:
        assert found.outcome == expected.outcome
        assert found.rate is None


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.name)
def test_every_workload_has_a_form_for_every_checker(peer: Peer) -> None:
    model = (peers.HERE / peer.model).read_text()
    forms = {workload: (str(peer.commands(workload)), peer.edit(model, workload)) for workload in peers.WORKLOADS}
    assert len(set(forms.values())) == len(peers.WORKLOADS)
    assert "W1 to W5" in model.splitlines()[0] + model.splitlines()[1]


def scripts(directory: Path, **bodies: str) -> str:
    """A PATH with these programs and what a shell needs."""
    for name, body in bodies.items():
        program = directory / name
        program.write_text("#!/bin/sh\n" + body)
        program.chmod(0o755)
    return f"{directory}:/usr/bin:/bin"


def test_a_checker_that_is_missing_is_told(tmp_path: Path) -> None:
    for peer in peers.PEERS:
        assert peers.run(peer, "W1", 5, str(tmp_path)).outcome == "not installed"


def test_a_run_takes_all_commands_in_a_directory_that_goes_away(tmp_path: Path) -> None:
    path = scripts(
        tmp_path,
        spin='test "$1" = -a && grep -q proctype "$2" && touch pan.c',
        cc=f"test -f pan.c && cp {tmp_path}/search pan",
        search=f"pwd > {tmp_path}/where; cat <<END\n{SPIN_HOLDS}END",
    )
    run = peers.run(named("spin"), "W1", 20, path)
    assert (run.outcome, run.states, run.search_seconds) == ("holds", 1747978, 2.12)
    assert 0 < run.seconds < 20
    assert 0 < run.peak_bytes < 1 << 30
    assert not Path((tmp_path / "where").read_text().strip()).exists()


def test_a_command_that_fails_is_told_in_its_last_words(tmp_path: Path) -> None:
    path = scripts(tmp_path, spin="echo; echo syntax error near line twelve, they say; exit 1", cc="true")
    assert peers.run(named("spin"), "W1", 20, path).outcome == "failed: spin: syntax error near line twelve,"
    path = scripts(tmp_path, spin="exit 3", cc="true")
    assert peers.run(named("spin"), "W1", 20, path).outcome == "failed: spin: status 3"


def test_a_program_that_does_not_start_is_told(tmp_path: Path) -> None:
    path = scripts(tmp_path, spin="true", cc="echo '#!/no/such/shell' > pan; chmod +x pan")
    assert peers.run(named("spin"), "W1", 20, path).outcome == "failed: ./pan: No such file or directory"


def test_a_slow_checker_is_killed_with_its_children(tmp_path: Path) -> None:
    path = scripts(tmp_path, harmony=f"sleep 100 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    run = peers.run(named("harmony"), "W2", 0.5, path)
    assert run.outcome == "not finished in 0.5 s"
    assert time.monotonic() - started < 50  # not the child's 100
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split(") ")[1][0] in "ZX":
            return
        time.sleep(0.05)
    raise AssertionError("the child lives on")


def test_a_child_left_behind_is_killed(tmp_path: Path) -> None:
    path = scripts(tmp_path, harmony=f"sleep 100 & echo $! > {tmp_path}/child; echo '* **No issues found**'")
    assert peers.run(named("harmony"), "W1", 20, path).outcome == "holds"
    child = Path(f"/proc/{int((tmp_path / 'child').read_text())}/stat")
    for _ in range(100):
        if not child.exists() or child.read_text().split(") ")[1][0] in "ZX":
            return
        time.sleep(0.05)
    raise AssertionError("the child lives on")


def test_the_memory_of_a_checker_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ADDRESS_SPACE", 123 << 20)
    path = scripts(tmp_path, harmony=f"sleep 0.2; (ulimit -v) > {tmp_path}/bound; echo '* **No issues found**'")
    peers.run(named("harmony"), "W1", 20, path)
    assert (tmp_path / "bound").read_text().strip() == str(123 << 10)


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.name)
def test_the_real_checkers_agree(peer: Peer) -> None:
    path = peers.search_path()
    if any(shutil.which(program, path=path) is None for program in peer.programs):
        pytest.skip(f"{peer.name} is not installed")
    # The counts are those of `w` for Rumur, which has the same steps; the others' are recorded.
    counts = {"spin": (4319, 21), "spin -DNOREDUCE": (6910, 19), "harmony": (4325, 0), "rumur": (4426, 17)}
    run = peers.run(peer, "W4", 60, path)
    assert (run.outcome, run.states, run.steps) == ("violated", *counts[peer.name])
    assert 0 < run.peak_bytes < 1 << 30

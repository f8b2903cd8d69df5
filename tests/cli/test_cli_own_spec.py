"""A user's own file from end to end, each command a subprocess: check, show, replay, bounds and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import ROOT, modelcheck

MINE = '''"""Two tasks and a lock that one of them forgets."""
from modelcheck import Model, SpinLock, assign, check


def model():
    m = Model("counter")
    lock, inside = SpinLock("lock"), m.range("inside", 0, 2)

    def careful():
        while True:
            yield lock.lock()
            yield assign(inside, inside + 1)
            yield check(inside.eq(1), "exclusive")
            yield assign(inside, inside - 1)
            yield lock.unlock()

    def careless():
        while True:
            FORGOTTEN
            yield assign(inside, inside + 1)
            yield assign(inside, inside - 1)
            FORGOTTEN_TOO

    m.process("careful", careful)
    m.process("careless", careless)
    m.assertion("exclusive", "nobody else is inside")
    m.deadlock()
    return m
'''
FORWARDING = '''
from modelcheck import Area, Model, assign, check, fresh, smp_mb

def model():
    m = Model("forwarding")
    newest, area, done = m.stamp("newest"), m.area(Area("mem", 8)), m.bool("done")

    def one():
        yield fresh(newest)
        yield area.store(0, 8, newest)
        yield area.load(0, 4)
        yield assign(done, 1)
        yield smp_mb()
        yield check(done.eq(0), "never")

    m.process("one", one)
    m.assertion("never", "done stays clear")
    return m
'''
LARGE = '''
from modelcheck import Model, assign

def model():
    m = Model("large")
    slots = [m.range(f"x{i}", 0, 9) for i in range(8)]

    def count(slot):
        while True:
            for value in range(10):
                yield assign(slot, value)

    for slot in slots:
        m.process(slot.name, count, slot)
    total = slots[0]
    for slot in slots[1:]:
        total = total + slot
    m.invariant("small", total.le(72))
    return m
'''


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory of its own, with a broken and a right spec."""
    (tmp_path / "mine.py").write_text(MINE.replace("FORGOTTEN_TOO", "pass").replace("FORGOTTEN", "pass"))
    right = MINE.replace("FORGOTTEN_TOO", "yield lock.unlock()").replace("FORGOTTEN", "yield lock.lock()")
    (tmp_path / "right.py").write_text(right)
    return tmp_path


def test_a_broken_spec_is_violated_shown_and_replayed(here: Path) -> None:
    done = modelcheck("check", "./mine.py", cwd=here)
    assert (done.returncode, done.stderr) == (1, "")
    (trace,) = (here / "modelcheck-traces").iterdir()
    name = f"modelcheck-traces/{trace.name}"
    assert f"    saved to {name}\n    modelcheck show {name}\n" in done.stdout
    shown = modelcheck("show", name, "--as", "paste", cwd=here)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "exclusive" in shown.stdout
    replayed = modelcheck("replay", name, "./mine.py", cwd=here)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.count("\n") == 1
    assert not list(here.rglob("__pycache__"))


def test_a_right_spec_holds_and_nothing_is_written(here: Path) -> None:
    done = modelcheck("check", "./right.py", cwd=here)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("HOLDS: 2 hold (")
    assert sorted(path.name for path in here.iterdir()) == ["mine.py", "right.py"]


def test_the_json_object_is_the_same_under_two_hash_seeds(here: Path) -> None:
    found = []
    for seed in ("0", "1"):
        done = modelcheck("check", "./mine.py", "--json", cwd=here, PYTHONHASHSEED=seed)
        assert done.returncode == 1
        report = json.loads(done.stdout)
        for part in (report, *report["results"]):
            part["seconds"] = part["peak_memory_bytes"] = 0
        found.append(report)
    assert found[0] == found[1]


def test_a_bound_ends_in_incomplete(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(LARGE)
    done = modelcheck("check", "./large.py", "--max-states", "2000", "--no-reduction", "ample,summary", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "INCOMPLETE small: ended after " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("INCOMPLETE: 1 incomplete (")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_search_ends_in_an_incomplete_report(tmp_path: Path, number: signal.Signals) -> None:
    # The first call is the look at the spec, the second is in the campaign: the signal comes while that searches.
    (tmp_path / "large.py").write_text(LARGE + f'''
import os, threading
calls, plain = [], model

def model():
    calls.append(1)
    if len(calls) == 2:
        threading.Timer(0.3, os.kill, (os.getpid(), {int(number)})).start()
    return plain()
''')
    done = subprocess.run([sys.executable, "-m", "modelcheck", "check", "./large.py"], cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=50,
                          check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"stopped by {number.name}" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_load_of_a_pending_store_is_saved_shown_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "forwarding.py").write_text(FORWARDING)
    done = modelcheck("check", "./forwarding.py", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    (saved,) = (tmp_path / "modelcheck-traces").iterdir()
    text = modelcheck("show", str(saved), "--as", "text", cwd=tmp_path).stdout
    assert "loads load mem[0:4] and gets update 1 (its own store, performed in step 3).\n" in text
    rows = modelcheck("show", str(saved), cwd=tmp_path).stdout.splitlines()
    assert next(row for row in rows if "load mem" in row).split()[-2:] == ["own", "store"]
    assert modelcheck("replay", str(saved), "./forwarding.py", cwd=tmp_path).returncode == 0

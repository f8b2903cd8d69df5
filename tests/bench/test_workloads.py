"""The bench's workloads against step semantics written here from their description, and against their expectations.

The semantics below share nothing with the engine: a state is a dictionary, a process a function from a state to what
its steps change.  The sizes of the large workloads (recorded in the modules' docstrings) are `modelcheck bench`'s.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import w
import winf

from modelcheck import wait
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.search import Goals, search
from modelcheck.explore.table import build_tables
from modelcheck.explore.verify import verify
from modelcheck.expression import evaluate
from modelcheck.spec import Setting
from modelcheck.system.link import System
from modelcheck.system.model import Model

State = dict[str, Any]
Process = Callable[[State], Iterator[State]]
REFERENCE = Path(__file__).parents[3] / "shared" / "bench" / "reference.py"


# -- step semantics -------------------------------------------------------------------------------------------------


def explored(
    initial: State, processes: list[Process], bad: dict[str, Callable[[State], bool]], named: Callable[[State], State]
) -> tuple[int, int, int, dict[str, int]]:
    """States, transitions, depth, and for each condition the depth of the first state where it holds."""
    order = sorted(initial)
    seen = {tuple(initial[name] for name in order)}
    frontier, transitions, depth = [initial], 0, 0
    first: dict[str, int] = {}
    while True:
        following = []
        for state in frontier:
            for name, condition in bad.items():
                if name not in first and condition(state):
                    first[name] = depth
            for process in processes:
                for change in process(state):
                    transitions += 1
                    after = named({**state, **change})
                    key = tuple(after[name] for name in order)
                    if key not in seen:
                        seen.add(key)
                        following.append(after)
        if not following:
            return len(seen), transitions, depth, first
        frontier, depth = following, depth + 1


def w_semantics(work: w.Workload, cells: tuple[int, ...]) -> tuple[Any, ...]:
    """Workloads W1 to W5 as the bench's README tells them: each lock, check, unlock, store and load is a step."""
    locals_ = ("first 1", "first 2", "second 1", "second 2", *(f"copy {c}" for c in cells))
    initial: State = {f"cell {c}": 0 for c in cells} | {"v": 0, "atom": 0, "dirty": 0, "k": 0}
    for g in (1, 2):
        initial |= {f"valid {g}": 1, f"read {g}": 0, f"written {g}": 0}
    initial |= {"writer": "idle", "invalidator": "idle"}
    for r in range(work.readers):
        initial |= {f"{r} {name}": 0 for name in locals_} | {f"{r} at": (0, frozenset())}
    loads = [("first", c) for c in work.first], [("second", c) for c in work.second]

    def stored(s: State, c: int, flag: int) -> State:
        value = s["v"] if c != 2 else flag if work.flag_only else 2 * s["v"] + flag
        return {f"cell {c}": value}

    def after(done: frozenset[int]) -> Any:
        return ("stores", done) if len(done) < len(cells) else "clear" if work.update_bit else "unlock 2"

    def choices(done: frozenset[int]) -> list[int]:
        left = [c for c in cells if c not in done]
        return left if work.any_order else left[:1]

    def writer(s: State) -> Iterator[State]:
        match s["writer"]:
            case "idle":
                if s["v"] < work.updates:
                    yield from ({"v": s["v"] + 1, "atom": atom, "writer": ("lock", 1)} for atom in (0, 1))
            case "lock", g:
                if not s[f"written {g}"]:
                    yield {f"read {g}": 1, "writer": ("check", g)}
            case "check", g:
                whole = "set" if work.update_bit else ("stores", frozenset())
                where = ("lock", 2) if g == 1 else whole
                yield {"writer": where if s[f"valid {g}"] else ("drop", g, g)}
            case "drop", g, held:
                if held == 2:
                    yield {"read 2": 0, "writer": ("drop", g, 1)}
                elif s["atom"]:
                    yield {"read 1": 0, "atom": 0, "writer": "idle"}
                else:
                    yield {"read 1": 0, "writer": ("refresh", g)}
            case "refresh", g:
                if not s[f"written {g}"] and not s[f"read {g}"]:
                    yield {f"written {g}": 1, "writer": ("activate", g)}
            case "activate", g:
                yield {f"valid {g}": 1, "writer": ("activated", g)}
            case "activated", g:
                yield {f"written {g}": 0, "writer": ("lock", 1)}
            case "set":
                yield stored(s, 2, 1) | {"writer": ("stores", frozenset())}
            case "stores", done:
                for c in choices(done):
                    yield stored(s, c, int(work.update_bit)) | {"writer": after(done | {c})}
            case "clear":
                yield stored(s, 2, 0) | {"writer": "unlock 2"}
            case "unlock 2":
                yield {"read 2": 0, "writer": "unlock 1"}
            case "unlock 1":
                yield {"read 1": 0, "writer": "mark"}
            case "mark":
                yield {"dirty": 1, "atom": 0, "writer": "idle"}

    def invalidator(s: State) -> Iterator[State]:
        match s["invalidator"]:
            case "idle":
                if s["k"] < work.invalidations:
                    yield from ({"k": s["k"] + 1, "invalidator": ("lock", g)} for g in (1, 2))
            case "lock", g:
                if not s[f"read {g}"] and not s[f"written {g}"]:
                    yield {f"written {g}": 1, "invalidator": ("clear", g)}
            case "clear", g:
                yield {f"valid {g}": 0, "invalidator": ("unlock", g)}
            case "unlock", g:
                yield {f"written {g}": 0, "invalidator": "idle"}

    def accepts(s: State, r: int) -> bool:
        same = all(s[f"{r} first {c}"] == s[f"{r} second {c}"] for c in (1, 2))
        return same and s[f"{r} first 2"] % 2 == 0

    def reader(r: int) -> Process:
        def steps(s: State) -> Iterator[State]:
            place, done = s[f"{r} at"]
            if place in (0, 1, 3, 4):
                name, c = loads[place > 2][place % 3]
                yield {f"{r} {name} {c}": s[f"cell {c}"], f"{r} at": (place + 1, frozenset())}
            elif place == 2:
                for c in choices(done):
                    now = done | {c}
                    where = (2, now) if len(now) < len(cells) else (3, frozenset())
                    yield {f"{r} copy {c}": s[f"cell {c}"], f"{r} at": where}
            elif place == 5:
                yield {f"{r} {name}": 0 for name in locals_} | {f"{r} at": (6 * accepts(s, r), frozenset())}

        return steps

    def torn(s: State) -> bool:
        for r in range(work.readers):
            versions = {s[f"{r} copy {c}"] for c in cells if c != 2}
            if not work.flag_only:
                versions.add(s[f"{r} copy 2"] // 2)
            if s[f"{r} at"][0] == 5 and accepts(s, r) and len(versions) > 1:
                return True
        return False

    def stale(s: State) -> bool:
        storing = s["writer"] in ("set", "clear") or s["writer"][0] == "stores"
        return storing and not (s["valid 1"] and s["valid 2"])

    processes = [writer, invalidator, *(reader(r) for r in range(work.readers))]
    return initial, processes, {"torn": torn, "stale": stale}, lambda state: state


def winf_semantics(whole: bool, who: tuple[str, ...]) -> tuple[Any, ...]:
    """The unbounded form: cells 0 entry_lo, 1 entry_hi with the flag, 2 the witness; None is a stamp of nothing."""
    stamps = ("new", *(f"{where} {c}" for where in ("mem", "e1", "copy", "e2") for c in range(3)))
    nothing: State = {f"{where} {c}": None for where in ("e1", "copy", "e2") for c in range(3)}
    nothing |= {"e1 flag": 0, "e2 flag": 0}
    initial: State = {"new": 0, "mem 0": 0, "mem 1": 0, "mem 2": 0, "flag": 0, "atomic": 0} | nothing
    for g in (1, 2):
        initial |= {f"valid {g}": 1, f"lock {g}": ""}
    initial |= {"writer": "idle", "invalidator": 0, "reader": ("e1", frozenset())}

    def ranked(s: State) -> State:
        rank = {stamp: i for i, stamp in enumerate(sorted({s[n] for n in stamps} - {None}))}
        return {**s, **{n: rank[s[n]] for n in stamps if s[n] is not None}}

    def writer(s: State) -> Iterator[State]:
        match s["writer"]:
            case "idle":
                newest = max(s[n] for n in stamps if s[n] is not None)
                yield from ({"new": newest + 1, "atomic": a, "writer": ("lock", 1)} for a in (0, 1))
            case "lock", g:
                if s[f"lock {g}"] != "write":
                    yield {f"lock {g}": "read", "writer": ("check", g)}
            case "check", g:
                if s[f"valid {g}"]:
                    yield {"writer": ("lock", 2) if g == 1 else "set"}
                else:
                    yield {f"lock {h}": "" for h in range(1, g + 1)} | {"writer": ("failed", g)}
            case "failed", g:
                if s["atomic"]:
                    yield {"writer": "idle"}
                elif not s[f"lock {g}"]:
                    yield {f"valid {g}": 1, "writer": ("lock", 1)}
            case "set":
                yield {"mem 1": s["new"], "flag": 1, "writer": ("stores", frozenset())}
            case "stores", done:
                for c in {0, 1, 2} - done:
                    yield {f"mem {c}": s["new"], "writer": ("stores", done | {c})}
                if len(done) == 3:
                    yield {"writer": "clear"}
            case "clear":
                yield {"mem 1": s["new"], "flag": 0, "writer": "unlock"}
            case "unlock":
                yield {"lock 1": "", "lock 2": "", "writer": "idle"}

    def invalidator(s: State) -> Iterator[State]:
        g = s["invalidator"]
        if g:
            yield {f"valid {g}": 0, f"lock {g}": "", "invalidator": 0}
        else:
            yield from ({f"lock {h}": "write", "invalidator": h} for h in (1, 2) if not s[f"lock {h}"])

    def reader(s: State) -> Iterator[State]:
        place, done = s["reader"]
        following = {"e1": "copy", "copy": "e2", "e2": "test"}
        if place == "test":
            yield nothing | {"reader": ("e1", frozenset())}
        elif place != "copy" and whole:
            change = {f"{place} {c}": s[f"mem {c}"] for c in (0, 1)} | {f"{place} flag": s["flag"]}
            yield change | {"reader": (following[place], frozenset())}
        else:
            every = {0, 1, 2} if place == "copy" else {0, 1}
            for c in every - done:
                change = {f"{place} {c}": s[f"mem {c}"], "reader": (place, done | {c})}
                yield change | ({f"{place} flag": s["flag"]} if c == 1 and place != "copy" else {})
            if done == every:
                yield {"reader": (following[place], frozenset())}

    named = {"writer": writer, "invalidator": invalidator, "reader": reader}
    return initial, [named[name] for name in who], {}, ranked


# -- the models, searched whole -------------------------------------------------------------------------------------


def searched(model: Model, watched: str) -> tuple[int, int, int, str, int]:
    """States, transitions, depth, the property violated and the length of its path; nothing is reduced."""
    tables = build_tables(System(model, frozenset({watched})))
    found = search(tables, Bounds(), Goals(), ample=False)
    assert not found.bound
    return len(found.states), found.transitions, found.depth, found.violated, len(found.path or ())


ALL = tuple(range(len(w.CELLS)))
FEW = (0, 1, 2, 3)
SMALL = w.Workload(updates=1, invalidations=1)
VARIANTS = {
    "as W1": (SMALL, ALL),
    "as W1, two updates": (replace(SMALL, updates=2), (0, 1, 2)),
    "as W2": (replace(SMALL, invalidations=0, readers=2), (0, 1, 2)),
    "as W3": (replace(SMALL, any_order=True), FEW),
    "as W4": (replace(SMALL, update_bit=False), ALL),
    "as W4, any order": (replace(SMALL, update_bit=False, any_order=True, invalidations=0), FEW),
    "as W5a": (replace(SMALL, flag_only=True), FEW),
    "as W5a, no times": (replace(SMALL, flag_only=True), (0, 1, 2)),
    "as W5b": (replace(SMALL, flag_only=True, first=w.HIGH_LOW, second=w.HIGH_LOW), FEW),
    "as W5c": (replace(SMALL, flag_only=True, second=w.HIGH_LOW), FEW),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_whole_graph_is_that_of_the_step_semantics(name: str) -> None:
    work, cells = VARIANTS[name]
    states, transitions, depth, first = explored(*w_semantics(work, cells))
    for watched in ("torn", "stale"):
        found = searched(w.build_workload(work, cells), watched)
        if watched in first:
            assert found[3:] == (watched, first[watched])
        else:
            assert found == (states, transitions, depth, "", 0)
    assert ("torn" in first) == (name.startswith(("as W4", "as W5a", "as W5b")))
    assert "stale" not in first


@pytest.mark.parametrize(
    ("who", "workload"),
    [
        (("writer", "invalidator"), "W-inf-a"),
        (("writer", "reader"), "W-inf-a"),
        (("invalidator", "reader"), "W-inf-s"),
    ],
)
def test_the_unbounded_graph_is_that_of_the_step_semantics(who: tuple[str, ...], workload: str) -> None:
    # Without one of its three processes each time, and without the largest: the counts of all three are the bench's.
    model = winf.build_workload(workload, early=False)
    model.processes = [process for process in model.processes if process.name in who]
    states, transitions, depth, _ = explored(*winf_semantics(workload == "W-inf-a", who))
    # Where nothing is observed, stamps have no order and the engine renames them as names.
    assert searched(model, "torn" if "reader" in who else "stale") == (states, transitions, depth, "", 0)


@pytest.mark.parametrize(
    "options",
    [
        {"nupd": 1, "ninv": 1},
        {"nupd": 1, "ninv": 1, "nobit": True},
        {"nupd": 1, "ninv": 0, "flagonly": True},
        {"nupd": 1, "ninv": 0, "flagonly": True, "e0": "hilo", "e1": "hilo"},
        {"nupd": 1, "ninv": 0, "flagonly": True, "e1": "hilo"},
    ],
    ids=lambda options: " ".join(options),
)
def test_the_step_semantics_are_those_of_the_peers(options: dict[str, Any]) -> None:
    if not REFERENCE.exists():
        pytest.skip("the peers' reference is not beside this checkout")
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    assert spec is not None and spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    initial, successors, bad, _ = reference.make(**options)

    def steps(state: State) -> Iterator[State]:
        return ({"all": after} for _, after in successors(state["all"]))

    theirs = explored({"all": initial}, [steps], {"torn": lambda s: bad(s["all"]) == "torn"}, lambda s: s)
    order = {"lohi": w.LOW_HIGH, "hilo": w.HIGH_LOW}
    work = w.Workload(
        options["nupd"],
        options["ninv"],
        update_bit=not options.get("nobit"),
        flag_only=bool(options.get("flagonly")),
        first=order[options.get("e0", "lohi")],
        second=order[options.get("e1", "lohi")],
    )
    assert explored(*w_semantics(work, ALL)) == theirs


# -- the verdicts ---------------------------------------------------------------------------------------------------


def setting(workload: str, name: str, **sizes: int) -> Setting:
    values = {"workload": workload}
    if workload in w.WORKLOADS:
        for size in w.SIZES:
            values[size] = str(sizes.get(size) or w.defaults(size, (("workload", workload),))[0])
    return Setting("only", name, tuple(sorted(values.items())))


def decided(spec: Any, one: Setting) -> list[Any]:
    return [verify(spec.build(one, p), one.property, full=lambda: spec.build(one, None)) for p in spec.projections(one)]


@pytest.mark.parametrize("name", ["torn", "stale"])
@pytest.mark.parametrize("workload", ["W1", "W4", "W5a", "W5b", "W5c", *winf.BASES])
def test_verdicts_are_the_expected_ones(workload: str, name: str) -> None:
    spec = w.SPEC if workload in w.WORKLOADS else winf.SPEC
    one = setting(workload, name)
    (outcome,) = decided(spec, one)
    assert outcome.verdict == spec.expected(one).verdict
    steps = {"W4": 17, "W5a": 25, "W5b": 25}.get(workload)
    if name == "torn" and steps:
        assert len(outcome.steps) == steps
        assert outcome.steps[-1][1].endswith("-> torn")


@pytest.mark.parametrize("name", ["torn", "stale"])
def test_two_and_three_workloads_hold_in_their_small_forms(name: str) -> None:
    for workload in ("W2", "W3"):
        (outcome,) = decided(w.SPEC, setting(workload, name, updates=1, invalidations=1))
        assert outcome.verdict == "holds"


@pytest.mark.parametrize("flag_only", [False, True])
def test_torn_is_a_copy_of_no_update(flag_only: bool) -> None:
    work = w.Workload(flag_only=flag_only)
    slots = tuple(Model("w").range(w.CELLS[c], 0, 5) for c in FEW)
    locals_ = w.Locals((slots[0], slots[0]), (slots[0], slots[0]), slots)
    caches = (w.Cache("", slots[0], slots[0], slots[0]),) * 2
    condition = w.torn(w.Scene(work, FEW, slots, *caches, *slots), locals_)
    published = {(v, v, flag if flag_only else 2 * v + flag, v) for v in range(3) for flag in (0, 1)}
    for copy in product(range(3), range(3), range(2 if flag_only else 6), range(3)):
        assert evaluate(condition, dict(zip(slots, copy, strict=True))) == (copy not in published)


@pytest.mark.parametrize("unchecked", [1, 2])
@pytest.mark.parametrize("spec", [w, winf], ids=["w", "winf"])
def test_a_writer_that_leaves_a_check_out_stores_through_an_invalid_mapping(
    spec: Any, unchecked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_check(scene: Any) -> Iterator[Any]:
        yield spec.read_lock(scene.gpc1)
        yield spec.read_lock(scene.gpc2)
        yield wait((scene.gpc2 if unchecked == 1 else scene.gpc1).valid)
        return True

    monkeypatch.setattr(spec, "lock_and_check", one_check)
    model = w.build_workload(SMALL) if spec is w else winf.build_workload("W-inf-a", True)
    outcome = verify(model, "stale")
    assert (outcome.verdict, outcome.steps[-1][0]) == ("violated", 0)
    assert outcome.steps[-1][1] == f"set update byte {'-> entry_hi' if spec is w else 'bytes 7-8 breaks stale'}"


# -- the projections ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in VARIANTS if "," not in name and "W2" not in name])
def test_one_time_cell_decides_as_all_of_them_do(name: str) -> None:
    work = VARIANTS[name][0]
    whole = searched(w.build_workload(replace(work, any_order=False)), "torn")[3]
    alike = [searched(w.build_workload(replace(work, any_order=False), (0, 1, 2, c)), "torn") for c in (3, 4, 5, 6)]
    assert {found[3] for found in alike} == {whole}
    assert len(set(alike)) == 1


def test_one_time_cell_decides_as_two_do_in_any_order() -> None:
    for bit in (True, False):
        work = w.Workload(1, 0, any_order=True, update_bit=bit)
        one, two = (searched(w.build_workload(work, cells), "torn")[3] for cells in ((0, 1, 2, 3), (0, 1, 2, 3, 4)))
        assert one == two == ("" if bit else "torn")


@pytest.mark.parametrize("bit", [True, False])
def test_one_reader_decides_as_two_do(bit: bool) -> None:
    verdicts = [
        verify(w.build_workload(w.Workload(1, 0, readers, update_bit=bit), (0, 1, 2)), "torn").verdict
        for readers in (1, 2)
    ]
    assert verdicts == ["holds" if bit else "violated"] * 2


@pytest.mark.parametrize("workload", winf.BASES)
def test_starting_over_early_decides_as_the_whole_reader_does(workload: str) -> None:
    verdicts = [verify(winf.build_workload(workload, early), "torn").verdict for early in (False, True)]
    assert verdicts == [winf.expected(setting(workload, "torn")).verdict] * 2

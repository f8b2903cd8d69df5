"""Memory that runs out at any allocation ends a search in MEMORY or a question in MemoryError, and nothing is lost.

The engine's sources are compiled here once more, with an allocator that fails when it is told to and counts the blocks
that are held.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TESTS
from grids import all_are, counters, grid, stamped_grid, step
from random_systems import seeded
from random_tables import TableGrammar
from twins import NATIVE, weight

from modelcheck.explore import native
from modelcheck.explore.native.program import Program, program_of
from modelcheck.expression import TRUE

HERE = TESTS / "native"
COMPILER = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
FLAGS = ("-O1", "-g", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-DSMALL=4u", "-DCHUNK=2u", "-fPIC", "-shared",
         "-pthread", "-fvisibility=hidden")
ROUNDS = 3_000
ENOUGH = 1 << 40


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The module, and its allocator."""
    assert NATIVE.name == "native"
    compiler = COMPILER if shutil.which(COMPILER) else "cc"
    if shutil.which(compiler) is None:
        pytest.skip("no C compiler")
    file = tmp_path_factory.mktemp("failing") / "_engine.abi3.so"
    sources = sorted(Path(native.__file__).parent.glob("*.c"))
    assert len(sources) == 7
    flags = [*FLAGS, *shlex.split(os.environ.get("CFLAGS", "")), f"-I{sysconfig.get_paths()['include']}"]
    allocator = ("-include", str(HERE / "failing_allocator.h"), str(HERE / "failing_allocator.c"))
    command = [compiler, *flags, *allocator, *map(str, sources), "-o", str(file)]
    plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # a sanitizer's library
    subprocess.run(command, check=True, env=plain)
    spec = importlib.util.spec_from_file_location("modelcheck.explore.native._engine", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    library = ctypes.CDLL(str(file))
    library.allow.argtypes = library.allow_threads.argtypes = [ctypes.c_long]
    return module, library


def never(*arguments: int) -> int:
    return 0


def chance(state: int, step_number: int) -> int:
    return weight((state, step_number)) % 3


def made(module: Any, program: Program, **how: bool) -> Any:
    given = {"keep_graph": False, "layered": False, **how}
    return module.Search(**program.parts, invariants=program.invariants, **given)


def serial(module: Any) -> Any:
    search = made(module, program_of(stamped_grid(3, 3)))
    outcome = search.run(never, never, 1, 0, 0)
    return outcome, search.figures(), search.taken(), search.state(0), search.path(search.figures()["states"] - 1)


def parallel(module: Any) -> Any:
    search = made(module, program_of(stamped_grid(3, 3)))
    return search.run(never, never, 4, 0, 0), {**search.figures(), "bytes": 0}, search.taken()


def broken(module: Any) -> Any:
    tables = grid(3, 4, step(3, all_are(counters(3, 4), 3), breaks="broken"), invariant=TRUE)
    search = made(module, program_of(tables))
    return search.run(never, never, 2, 0, 0), {**search.figures(), "bytes": 0}


def graph(module: Any) -> Any:
    tables = TableGrammar(breaks=False).tables(seeded(5))
    search = made(module, program_of(tables, ample=True), keep_graph=True)
    outcome = search.run(never, never, 1, 0, 0)
    size = search.figures()["states"]
    edges = [search.edges(number) for number in range(size)]
    alive = [search.alive(p) for p in range(len(tables.processes))]
    distinct = [search.distinct([0], -1), search.distinct(list(range(len(tables.slots))), -1)]
    loops = [search.loops(0, condition, [0, 1]) for condition in range(len(tables.conditions))]
    return outcome, size, edges, alive, distinct, loops


def layers(module: Any) -> Any:
    search = made(module, program_of(stamped_grid(3, 2)), layered=True)
    found = []
    while (outcome := search.run(chance, never, 1, 0, 0)) == module.LAYER:
        found.append((search.goals(), search.to_goals()))
    return outcome, found


SCENES: list[Callable[[Any], Any]] = [serial, parallel, broken, graph, layers]


TOLD = {  # by what is raised where memory is short; the last two tell that nothing was kept
    MemoryError: "",
    ValueError: "out of memory",
    RuntimeError: "this search kept no graph",
    IndexError: "state 0: there are 0",
}


def tried(scene: Callable[[Any], Any], module: Any) -> Any:
    """What the scene comes to; None where it raises what it may."""
    try:
        return scene(module)
    except tuple(TOLD) as error:
        if str(error) != TOLD[type(error)]:
            raise
        return None


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_memory_that_runs_out_anywhere_is_told_and_nothing_is_lost(engine, scene):
    module, allocator = engine
    allocator.allow(ENOUGH)
    expected = scene(module)
    assert expected[0] in (module.COMPLETE, module.BROKEN)
    refusals = 0
    for allowed in range(ROUNDS):
        allocator.allow(allowed)
        found = tried(scene, module)
        refused = allocator.blocks_refused()
        allocator.allow(ENOUGH)
        assert found in (None, expected) or found[0] == module.MEMORY
        assert allocator.blocks_held() == 0
        if not refused:
            break
        refusals += found != expected
    assert found == expected
    assert refusals > 20


@pytest.mark.parametrize("threads", range(4))
def test_where_the_system_gives_fewer_threads_the_search_runs_with_these(engine, threads):
    module, allocator = engine
    expected = parallel(module)
    allocator.allow_threads(threads)
    try:
        assert parallel(module) == expected
    finally:
        allocator.allow_threads(ENOUGH)
    assert allocator.blocks_held() == 0

"""tso with the compiler held to program order, against a store-buffer machine that knows nothing of the engine.

The machine of Sewell, Sarkar, Owens, Zappa Nardelli, Myreen (CACM 53(7), 2010), over bytes: each process has a first-in
first-out buffer of stores; a load takes each byte from the newest buffered store that has it, else from memory; MFENCE
and locked instructions wait for an empty buffer.  An access that crosses a line is cut there: the parts of a load are
read, and those of the oldest store leave the buffer, in any order.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from memory.programs import Fence, Grammar, If, Load, Rmw, Store, byte_finals, finals, locations, row, stored, systems

from modelcheck import Area

QUICK = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
DRAINS = ("smp_mb", "mb", "mfence")
FENCES = (*DRAINS, "smp_wmb", "smp_rmb", "rmb", "wmb", "barrier")
NUMBERS = Grammar(("once", "acquire", "plain"), ("once", "release", "plain"), ("full", "relaxed"), FENCES, length=5)
SIZE = 4


class Machine:
    """All final states; `parts` cuts a location into the bytes that move together."""

    def __init__(self, processes, parts) -> None:
        self.processes, self.parts = processes, parts
        self.places = sorted({place for loc in locations(processes) for part in parts(loc) for place in part})

    def finals(self) -> set:
        """Each final state as (registers of each process, memory)."""
        # a process is what is left of it, its registers, its buffer of (parts, number), and what it read of a load
        start = tuple((block, (), (), ()) for block in self.processes), (0,) * len(self.places)
        todo, seen, ends = [start], {start}, set()
        while todo:
            running, memory = todo.pop()
            if not any(rest or buffer for rest, _, buffer, _ in running):
                ends.add((tuple(regs for _, regs, _, _ in running), memory))
            for i, one in enumerate(running):
                for after, now in (*self.flushes(one, memory), *self.steps(one, memory)):
                    state = (*running[:i], after, *running[i + 1 :]), now
                    if state not in seen:
                        seen.add(state)
                        todo.append(state)
        return ends

    def put(self, memory, places, number):
        return tuple(number if place in places else old for place, old in zip(self.places, memory, strict=True))

    def read(self, memory, buffer, place):
        for parts, number in reversed(buffer):
            if any(place in part for part in parts):
                return number
        return memory[self.places.index(place)]

    def flushes(self, one, memory):
        rest, regs, buffer, got = one
        if not buffer:
            return
        (parts, number), *newer = buffer
        for part in parts:
            left = tuple(other for other in parts if other != part)
            ahead = ((left, number),) if left else ()
            yield (rest, regs, (*ahead, *newer), got), self.put(memory, part, number)

    def steps(self, one, memory):
        rest, regs, buffer, _ = one
        if not rest:
            return
        first, left = rest[0], rest[1:]
        held = dict(regs)
        if isinstance(first, If):
            arm = first.then if held[first.reg][0][1] == first.number else first.other
            yield ((*arm, *left), regs, buffer, ()), memory
        elif isinstance(first, Fence):
            if not (first.kind in DRAINS and buffer):
                yield (left, regs, buffer, ()), memory
        elif isinstance(first, Store):
            number = stored(first, {reg: found[0][1] for reg, found in regs}, 0)
            yield (left, regs, (*buffer, (self.parts(first.loc), number)), ()), memory
        elif isinstance(first, Rmw):
            found = tuple((place, self.read(memory, (), place)) for part in self.parts(first.loc) for place in part)
            if not buffer and first.when in (-1, found[0][1]):
                number = stored(first, {}, found[0][1])
                yield (left, (*regs, (first.reg, found)), (), ()), self.put(memory, dict(found), number)
        else:
            yield from self.loads(one, first, memory)

    def loads(self, one, load, memory):
        rest, regs, buffer, got = one
        for part in self.parts(load.loc):
            if any(place in dict(got) for place in part):
                continue
            more = tuple(sorted((*got, *((place, self.read(memory, buffer, place)) for place in part))))
            if load.when not in (-1, more[0][1]):
                continue
            if len(more) == sum(map(len, self.parts(load.loc))):
                yield (rest[1:], (*regs, (load.reg, more)), buffer, ()), memory
            else:
                yield (rest, regs, buffer, more), memory


def number_finals(processes) -> set:
    """The final states of a program over numbers, where a location is one place."""
    machine = Machine(processes, lambda loc: ((loc,),))
    return {
        row(
            processes,
            [{reg: found[0][1] for reg, found in held} for held in regs],
            dict(zip(machine.places, memory, strict=True)),
        )
        for regs, memory in machine.finals()
    }


def cut(area: Area):
    """Where the machine cuts an access to the area: at lines, unless it is locked."""

    def parts(loc):
        lines: dict[int, list[int]] = {}
        for offset in range(*loc):
            lines.setdefault((area.base + offset) // area.line, []).append(offset)
        return tuple(tuple(line) for line in lines.values())

    return parts


def byte_machine_finals(processes, area: Area) -> set:
    """The same for bytes: every byte of every load, then every byte in use."""
    return {
        (*(number for held in regs for _, found in held for _, number in found), *memory)
        for regs, memory in Machine(processes, cut(area)).finals()
    }


# -- numbers ----------------------------------------------------------------------------------------------------

STORE_BUFFERING = (Store("x", 1), Load("r0", "y")), (Store("y", 1), Load("r0", "x"))
OWN_STORES_FIRST = tuple((Store(a, 1), Load("r0", a), Load("r1", b)) for a, b in (("x", "y"), ("y", "x")))


def test_the_machine_knows_store_buffering_and_forwarding():
    assert (0, 0, 1, 1) in number_finals(STORE_BUFFERING)
    assert (1, 0, 1, 0, 1, 1) in number_finals(OWN_STORES_FIRST)


@QUICK
@given(systems(NUMBERS))
@example(STORE_BUFFERING)
@example(OWN_STORES_FIRST)
def test_final_states_under_tso_are_those_of_the_store_buffer_machine(processes):
    assert finals(processes, "tso") == number_finals(processes)


@settings(QUICK, max_examples=100)
@given(systems(Grammar(fences=FENCES, length=2, accesses=2), (3,)))
def test_final_states_of_three_processes_too(processes):
    assert finals(processes, "tso") == number_finals(processes)


# -- bytes ------------------------------------------------------------------------------------------------------


@st.composite
def byte_systems(draw):
    """Two processes with accesses of one to four bytes, and an area in which some of them cross a line."""
    versions = iter(range(1, 100))

    def statement(register: int):
        kind = draw(st.sampled_from(("load", "load", "store", "store", "store", "rmw", "fence")))
        if kind == "fence":
            return Fence(draw(st.sampled_from(FENCES)))
        lo = draw(st.integers(0, SIZE - 1))
        loc = lo, draw(st.integers(lo + 1, SIZE))
        if kind == "load":
            return Load(f"r{register}", loc)
        if kind == "rmw":
            return Rmw(f"r{register}", loc, number=next(versions))
        return Store(loc, next(versions))

    blocks = tuple(tuple(statement(i) for i in range(draw(st.integers(1, 3)))) for _ in range(2))
    area = Area("mem", SIZE, base=draw(st.integers(0, 3)), line=4, tear="none")
    return (blocks if locations(blocks) else ((Store((0, 1), 1),), *blocks[1:])), area


@settings(QUICK, max_examples=200)
@given(byte_systems())
def test_mixed_sizes_and_misaligned_accesses_under_tso_are_those_of_the_machine(drawn):
    processes, area = drawn
    assert byte_finals(processes, "tso", area) == byte_machine_finals(processes, area)


@settings(QUICK, max_examples=60)
@given(byte_systems())
def test_under_sc_they_are_those_of_the_machine_that_drains_after_every_store(drawn):
    processes, area = drawn
    drained = tuple(
        tuple(one for s in block for one in ((s, Fence("mb")) if isinstance(s, Store) else (s,))) for block in processes
    )
    assert byte_finals(processes, "sc", area) == byte_machine_finals(drained, area)


ALIGNED, SPLIT = Area("mem", 4, line=4, tear="none"), Area("mem", 4, base=2, line=4, tear="none")


READ, WRITE = (Load("r", (0, 4)),), (Store((0, 4), 1),)
CASES = [
    ("a narrow store forwards into a wide load", ALIGNED, ((Store((1, 2), 1), *READ),), (0, 1, 0, 0), True),
    ("no byte of an own store is missed", ALIGNED, ((Store((1, 3), 1), *READ),), (0, 1, 0, 0), False),
    ("the newer of two wins", ALIGNED, ((Store((0, 3), 1), Store((2, 4), 2), *READ),), (1, 1, 2, 2), True),
    ("an own byte joins another's", ALIGNED, ((Store((0, 1), 1), *READ), (Store((1, 2), 2),)), (1, 2, 0, 0), True),
    ("a whole store is seen whole", ALIGNED, (READ, WRITE), (0, 0, 1, 1), False),
    ("a split store is seen upper part first", SPLIT, (READ, WRITE), (0, 0, 1, 1), True),
    ("or lower part first", SPLIT, (READ, WRITE), (1, 1, 0, 0), True),
    ("a locked access is whole", SPLIT, ((Rmw("r", (0, 4)),), (Rmw("q", (0, 4), number=2),)), (0, 0, 2, 2), False),
    ("but not to a load", SPLIT, (READ, (Rmw("q", (0, 4)),)), (0, 0, 1, 1), True),
    ("an own split store is forwarded whole", SPLIT, ((*WRITE, *READ),), (0, 0, 1, 1), False),
]


@pytest.mark.parametrize(("name", "area", "blocks", "loaded", "allowed"), CASES, ids=[case[0] for case in CASES])
def test_forwarding_and_parts_in_the_smallest_programs(name, area, blocks, loaded, allowed):
    states = byte_finals(blocks, "tso", area)
    assert any(state[: len(loaded)] == loaded for state in states) is allowed
    assert states == byte_machine_finals(blocks, area)

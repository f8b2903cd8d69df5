"""A process of a litmus test as a generator of the engine's actions: an interpreter of its statements.

Its one invariant: what a generator keeps across a yield is frozen (an environment of registers, the statements left),
so that extraction sees all that decides.  Dependencies are kept as the hardware sees them: what a value was computed
from stays mentioned in its expression, a variable assigned in an arm of an `if` carries what the condition was computed
from (its `taint`), a store inside an arm has a control dependency on the condition, and one after the join has none
(tools/memory-model/Documentation/explanation.txt, "Dependency relations: data, address, and control").
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from modelcheck.action import Action, Register, choose, decide, fence, shared, value
from modelcheck.expression import OLD, Const, Op, Slot, ite
from modelcheck.litmus.program import Assign, Body, Fence, If, Load, Rmw, Statement, Store, assigned
from modelcheck.litmus.values import NONE, Environment, Registers, Value, bind, evaluate, held, truth
from modelcheck.memory.area import Area

SIZE = 4  # bytes of every location; nothing depends on it, since accesses are whole


@dataclass(frozen=True, slots=True)
class Cell:
    """A location: its address, its area, and the values it can hold."""

    name: str
    address: int
    area: Area
    possible: frozenset[int]


@dataclass(frozen=True, slots=True)
class Memory:
    """The locations of the test; `locked` where a compare-and-exchange is locked even if it fails, as on x86."""

    cells: tuple[Cell, ...]
    locked: bool

    def among(self, addresses: frozenset[int]) -> tuple[Cell, ...]:
        """The locations with these addresses."""
        return tuple(cell for cell in self.cells if cell.address in addresses)

    def address(self, location: str) -> int:
        """The number that stands for a location."""
        return next(cell.address for cell in self.cells if cell.name == location)


@dataclass(frozen=True, slots=True)
class Wild:
    """The end of a process that dereferenced no address, at this line."""

    line: int


Steps = Generator[Action, Any, Environment | Wild]


@dataclass(frozen=True, slots=True)
class Final:
    """A slot to publish at the end, and the register it shows; "" for the line of a wild pointer, 0 for none."""

    register: str
    slot: Slot


def process(body: Body, start: Environment, memory: Memory, finals: tuple[Final, ...]) -> Generator[Action, Any, None]:
    """The process: its statements, then what it publishes."""
    end = yield from _run(body, start, NONE, memory)
    yield _publish(end, finals)


def _publish(end: Environment | Wild, finals: tuple[Final, ...]) -> Action:
    line, registers = (end.line, ()) if isinstance(end, Wild) else (0, end)
    return shared("final", *((final.slot, held(final.register, registers).expr if final.register else Const(line))
                             for final in finals))


def _run(body: Body, environment: Environment, ctrl: Registers, memory: Memory) -> Steps:
    """The environment after the statements."""
    for statement in body:
        after = yield from _step(statement, environment, ctrl, memory)
        if isinstance(after, Wild):
            return after
        environment = after
    return environment


def _step(statement: Statement, environment: Environment, ctrl: Registers, memory: Memory) -> Steps:
    match statement:
        case Assign(target=target, value=term):
            return bind(environment, target, evaluate(term, environment, memory.address))
        case Fence(kind=kind):
            yield fence(kind)
        case If():
            return (yield from _branch(statement, environment, ctrl, memory))
        case Load() | Store() | Rmw():
            pointer = evaluate(statement.pointer, environment, memory.address)
            cell = yield from _target(pointer, statement, memory)
            if isinstance(cell, Wild):
                return cell
            return (yield from _access(statement, environment, cell, _ordered(pointer.sources), ctrl, memory))
    return environment


def _branch(statement: If, environment: Environment, ctrl: Registers, memory: Memory) -> Steps:
    condition = evaluate(statement.condition, environment, memory.address)
    if condition.data:
        taken = yield decide(truth(condition.expr), f"{statement.text}?", stores_wait=False)
    else:
        taken = condition.possible != frozenset((0,))
    after = yield from _run(statement.then if taken else statement.other, environment, ctrl | condition.sources, memory)
    return after if isinstance(after, Wild) else _tainted(after, assigned((statement,)), condition.sources)


def _target(pointer: Value, statement: Load | Store | Rmw, memory: Memory) -> Generator[Action, Any, Cell | Wild]:
    """The location a pointer points to: where it is a loaded value, the engine decides which."""
    there = memory.among(pointer.possible)
    for cell in there:
        if len(pointer.possible) == 1:
            return cell
        if cell == there[-1] and len(there) == len(pointer.possible):
            return cell
        if (yield decide(pointer.expr.eq(cell.address), f"{statement.text}: to {cell.name}?", stores_wait=False)):
            return cell
    return Wild(statement.place[0])


def _access(statement: Load | Store | Rmw, environment: Environment, cell: Cell, addr: tuple[Register, ...],
            ctrl: Registers, memory: Memory) -> Steps:
    # The place makes accesses of one text different ones: the engine bounds how often one is pending, for loops' sake.
    area, text = cell.area, f"{statement.text} at {statement.place[0]}:{statement.place[1]}"
    if isinstance(statement, Load):
        register = yield area.load(0, SIZE, statement.mode, addr=addr, text=text)
        return _loaded(environment, statement, register, cell)
    stored = evaluate(statement.value, environment, memory.address, cell.possible)
    if isinstance(statement, Store):
        depends = _ordered(ctrl | stored.taint)
        yield area.store(0, SIZE, stored.expr, mode=statement.mode, addr=addr, ctrl=depends, text=text)
        return environment
    condition = evaluate(statement.when, environment, memory.address, cell.possible)
    when, depends = truth(condition.expr), _ordered(ctrl | stored.taint | condition.taint)
    if statement.otherwise == "compare" and memory.locked:
        # CMPXCHG is locked whether or not it succeeds, and then writes back what it found (Intel SDM vol. 2, CMPXCHG)
        register = yield area.rmw(0, SIZE, ite(when, stored.expr, OLD), addr=addr, ctrl=depends, text=text)
    elif statement.otherwise != "wait" and when != Const(1) and not (yield choose(f"{text} succeeds", True, False)):
        register = yield area.load(0, SIZE, "once", addr=addr, when=Op("not", (when,)), text=f"{text} fails")
    else:
        register = yield area.rmw(0, SIZE, stored.expr, mode=statement.mode, when=when, addr=addr, ctrl=depends,
                                  text=text)
    return _loaded(environment, statement, register, cell)


def _loaded(environment: Environment, statement: Load | Rmw, register: Register, cell: Cell) -> Environment:
    """The environment with what was loaded.

    It is kept under the statement's place too: were it dropped, the next load would take its register again, and have
    to wait for this one.
    """
    found = Value(value(register), cell.possible, frozenset((register,)))
    return bind(bind(environment, statement.target, found), "@{}:{}".format(*statement.place), found)


def _ordered(registers: Registers) -> tuple[Register, ...]:
    return tuple(sorted(registers, key=lambda register: register.index))


def _tainted(environment: Environment, names: frozenset[str], sources: Registers) -> Environment:
    """What an arm assigned, or might have, depends on the condition."""
    for name in sorted(names):
        before = held(name, environment)
        environment = bind(environment, name, replace(before, taint=before.taint | sources))
    return environment

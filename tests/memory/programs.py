"""Small random programs as data: one description that the engine runs as a model and an oracle runs by itself.

A process is a tuple of statements.  A location is a name (an area that holds one number) or a pair of ends, in bytes
of the one area `mem` of stamps, where stored number k is version k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st

from modelcheck import Area, Model, Slot, fence, ite, observe, shared
from modelcheck.action import decide, value
from modelcheck.explore.outcomes import outcomes
from modelcheck.expression import OLD, TRUE, Const, Domain, Expr, range_domain
from modelcheck.system.link import System

TOP = 3
NUMBERS = range_domain(0, TOP)


class Copy(NamedTuple):
    """What register `reg` holds, or with a `number` that number, though the store still depends on the register."""

    reg: str
    number: int = -1


class Load(NamedTuple):
    """`when` is the number that must be found for the load to perform, -1 for any."""

    reg: str
    loc: Any
    mode: str = "once"
    addr: tuple[str, ...] = ()
    when: int = -1


class Store(NamedTuple):
    loc: Any
    number: int | Copy
    mode: str = "once"
    addr: tuple[str, ...] = ()
    ctrl: tuple[str, ...] = ()


class Rmw(NamedTuple):
    """`kind` is "xchg" (stores `number`) or "bump" (one more than what was found, 0 after the highest)."""

    reg: str
    loc: Any
    kind: str = "xchg"
    number: int = 1
    mode: str = "full"
    addr: tuple[str, ...] = ()
    ctrl: tuple[str, ...] = ()
    when: int = -1


class Fence(NamedTuple):
    kind: str


class If(NamedTuple):
    reg: str
    number: int
    then: tuple[Any, ...] = ()
    other: tuple[Any, ...] = ()


Block = tuple[Any, ...]
Regs = tuple[tuple[str, Any], ...]


# -- what a program says, for engine and oracle alike -----------------------------------------------------------


def walk(block: Block) -> Any:
    """Every statement, those of the first arm before those of the second."""
    for statement in block:
        yield statement
        if isinstance(statement, If):
            yield from walk((*statement.then, *statement.other))


def registers(block: Block) -> list[str]:
    return [statement.reg for statement in walk(block) if isinstance(statement, (Load, Rmw))]


def locations(processes: tuple[Block, ...]) -> list[Any]:
    return sorted({s.loc for block in processes for s in walk(block) if isinstance(s, (Load, Store, Rmw))})


def stored(statement: Store | Rmw, regs: dict[str, int], old: int) -> int:
    """The number that a store leaves, given what registers hold and what was there."""
    if isinstance(statement, Rmw) and statement.kind == "bump":
        return 0 if old == TOP else old + 1
    number = statement.number
    if isinstance(number, Copy):
        return regs[number.reg] if number.number < 0 else number.number
    return number


def row(processes: tuple[Block, ...], regs: list[dict[str, int]], memory: dict[str, int]) -> tuple[int, ...]:
    """A final state as `finals` answers it: registers process by process, then locations; what was not loaded is 0."""
    loaded = [regs[i].get(reg, 0) for i, block in enumerate(processes) for reg in registers(block)]
    return (*loaded, *(memory[loc] for loc in locations(processes)))


# -- as a model -------------------------------------------------------------------------------------------------


def run(block: Block, areas: tuple[tuple[Any, Area], ...], env: Regs = ()) -> Any:
    """The statements as actions; answers the registers."""
    for statement in block:
        if isinstance(statement, If):
            taken = yield decide(value(dict(env)[statement.reg]).eq(statement.number), stores_wait=False)
            env = yield from run(statement.then if taken else statement.other, areas, env)
        elif isinstance(statement, Fence):
            yield fence(statement.kind)
        else:
            answer = yield action_of(statement, dict(areas), dict(env))
            if not isinstance(statement, Store):
                env = (*env, (statement.reg, answer))
            answer = None
    return env


def action_of(statement: Any, areas: dict[Any, Area], env: dict[str, Any]) -> Any:
    area = areas[statement.loc]
    lo, hi = statement.loc if isinstance(statement.loc, tuple) else (0, area.size)
    addr = tuple(env[reg] for reg in statement.addr)
    if isinstance(statement, Load):
        return area.load(lo, hi, statement.mode, addr=addr, when=found(statement.when))
    ctrl = tuple(env[reg] for reg in statement.ctrl)
    if isinstance(statement, Rmw):
        version = ite(OLD.eq(TOP), 0, OLD + 1) if statement.kind == "bump" else version_of(statement, env)
        return area.rmw(lo, hi, version, statement.mode, found(statement.when), addr=addr, ctrl=ctrl)
    return area.store(lo, hi, version_of(statement, env), mode=statement.mode, addr=addr, ctrl=ctrl)


def found(number: int) -> Expr:
    return TRUE if number < 0 else OLD.eq(number)


def version_of(statement: Any, env: dict[str, Any]) -> Expr:
    number = statement.number
    if isinstance(number, Copy):
        held = value(env[number.reg])
        return held if number.number < 0 else held - held + number.number
    return version(number) if isinstance(statement.loc, tuple) else Const(number)


def version(number: int) -> Slot:
    return Slot(f"v{number}", Domain("stamp", sort="update"), number)


def process(number: int, block: Block, areas: tuple[tuple[Any, Area], ...]) -> Any:
    env = yield from run(block, areas)
    if any(isinstance(loc, tuple) for loc, _ in areas):
        if env:
            yield observe("seen", **dict(env))
        yield shared("end")
    else:
        ends = tuple((reg, value(dict(env)[reg]) if reg in dict(env) else Const(0)) for reg in registers(block))
        yield shared("final", *((Slot(f"{number}:{reg}", NUMBERS), held) for reg, held in ends))


def model_of(processes: tuple[Block, ...], memory: str, compiler: str = "program", mem: Area | None = None) -> Model:
    """The model; `mem` is the area of stamps, where there is one."""
    m = Model("random", memory=memory, compiler=compiler)
    if mem is not None:
        m.area(mem)
    areas = tuple(
        (loc, mem if isinstance(loc, tuple) else m.area(Area(loc, 4, domain=NUMBERS))) for loc in locations(processes)
    )
    for i, block in enumerate(processes):
        m.process(f"P{i}", process, i, block, areas)
    return m


def names(processes: tuple[Block, ...]) -> list[str]:
    """The slots and areas of a final state, in the order of `row`."""
    return [*(f"{i}:{reg}" for i, b in enumerate(processes) for reg in registers(b)), *locations(processes)]


def finals(processes: tuple[Block, ...], memory: str, compiler: str = "program", **options: Any) -> set[Any]:
    """The final states the engine finds; fails where it did not look everywhere."""
    answer = outcomes(model_of(processes, memory, compiler), names(processes), **options)
    assert not answer.bound
    return set(answer.states)


def byte_finals(processes: tuple[Block, ...], memory: str, mem: Area, **options: Any) -> set[Any]:
    """The same for the area of stamps: the version of every byte of each load, then of every byte in use."""
    model = model_of(processes, memory, mem=mem)
    cells = System(model, frozenset()).cells["mem"]
    wanted = []
    for i, block in enumerate(processes):
        for index, load in enumerate(s for s in block if isinstance(s, (Load, Rmw))):
            wanted += [f"P{i}.r{index}.{cells.of(offset).name}" for offset in range(*load.loc)]
    wanted += [cell.name for offset in range(mem.size) for cell in (cells.of(offset),) if cell is not None]
    numbers = sorted({s.number for block in processes for s in block if isinstance(s, (Store, Rmw))})
    answer = outcomes(model, [f"v{number}" for number in numbers] + wanted, **options)
    assert not answer.bound
    states = set()
    for state in answer.states:
        rank = dict(zip(state, numbers, strict=False))  # stamps are stored as ranks; the first places hold the versions
        states.add(tuple(rank.get(each, 0) for each in state[len(numbers) :]))
    return states


# -- at random --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grammar:
    """What may appear: modes by kind of access ("if" and "when" are on or off), and how much."""

    loads: tuple[str, ...] = ("once",)
    stores: tuple[str, ...] = ("once",)
    rmws: tuple[str, ...] = ("full",)
    fences: tuple[str, ...] = ("smp_mb",)
    locs: tuple[str, ...] = ("x", "y")
    length: int = 4
    accesses: int = 4
    dependent: bool = False
    branches: bool = True
    waits: bool = True


class Writer:
    """Writes one process from draws."""

    def __init__(self, grammar: Grammar, draw: Any) -> None:
        self.grammar, self.draw = grammar, draw
        self.loaded = self.made = 0

    def of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def block(self, known: tuple[str, ...], length: int, depth: int) -> Block:
        found: list[Any] = []
        for _ in range(self.of(*range(1, length + 1))):
            statement = self.statement(known, depth)
            found.append(statement)
            if isinstance(statement, (Load, Rmw)):
                known = (*known, statement.reg)
        return tuple(found)

    def statement(self, known: tuple[str, ...], depth: int) -> Any:
        g = self.grammar
        kinds = ["load", "load", "store", "store", "rmw", "fence"]
        if known and g.branches and depth:
            kinds.append("if")
        kind = self.of(*kinds)
        if kind == "if":
            arms = [self.block(known, 2, 0), self.block(known, 2, 0) if self.of(True, False) else ()]
            return If(self.of(*known), self.of(0, 1), *arms)
        if kind == "fence" or self.made >= g.accesses:
            return Fence(self.of(*g.fences))
        self.made += 1
        addr = self.some(known)
        if kind == "load":
            return Load(self.register(), self.of(*g.locs), self.of(*g.loads), addr, self.when())
        ctrl = self.some(known)
        if kind == "rmw":
            chosen = self.of("xchg", "bump"), self.of(1, 2), self.of(*g.rmws)
            return Rmw(self.register(), self.of(*g.locs), *chosen, addr, ctrl, self.when())
        numbers: list[Any] = [1, 2, 1, 2]
        if known:
            numbers += [Copy(self.of(*known)), Copy(self.of(*known), 1)]
        return Store(self.of(*g.locs), self.of(*numbers), self.of(*g.stores), addr, ctrl)

    def register(self) -> str:
        self.loaded += 1
        return f"r{self.loaded - 1}"

    def when(self) -> int:
        return self.of(*[-1] * 7, 1) if self.grammar.waits else -1

    def some(self, known: tuple[str, ...]) -> tuple[str, ...]:
        if not known or not self.grammar.dependent or self.of(True, True, False):
            return ()
        return (self.of(*known),)


@st.composite
def systems(draw: Any, grammar: Grammar, processes: tuple[int, ...] = (2,)) -> tuple[Block, ...]:
    """Some processes of the grammar; at least one location is used."""
    count = draw(st.sampled_from(processes))
    blocks = tuple(Writer(grammar, draw).block((), grammar.length, 1) for _ in range(count))
    return blocks if locations(blocks) else ((Store(grammar.locs[0], 1),), *blocks[1:])

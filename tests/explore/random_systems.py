"""Random small systems, as data: the same program as a model for the engine and as input for a naive interpreter.

A program is a tree of statements; `flatten` makes instructions of it, `interpret` is the one generator that runs any of
them as a process.  `Draws` is where choices come from, so that a seeded generator and Hypothesis use the same grammar.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from modelcheck import (
    Action,
    Area,
    Model,
    Mutex,
    RwLock,
    SpinLock,
    assign,
    check,
    choose,
    equal,
    fresh,
    has_variant,
    ite,
    observe,
    progress,
    reach,
    shared,
    sleep_point,
    smp_wmb,
    test,
    wait,
)
from modelcheck.expression import Const

Block = tuple[tuple[Any, ...], ...]
TOP = 2  # variables hold 0..TOP


@dataclass(frozen=True)
class Program:
    """One process: its statements, whom it preempts (-1 for nobody) and where."""

    block: Block
    host: int = -1
    where: str = "anywhere"


@dataclass(frozen=True)
class Flat:
    """Instructions as (operation, arguments, targets); a target of -1 is the end.  `held` is by instruction."""

    code: tuple[tuple[str, tuple[Any, ...], tuple[int, ...]], ...]
    start: int
    held: tuple[tuple[str, ...], ...]


@dataclass
class Draws:
    """A source of choices."""

    below: Callable[[int], int]

    def of(self, options: Any) -> Any:
        return options[self.below(len(options))]


def seeded(seed: int) -> Draws:
    source = random.Random(seed)
    return Draws(source.randrange)


# -- programs ---------------------------------------------------------------------------------------------------


@dataclass
class Grammar:
    """What statements may appear: groups of "var", "stamp", "lock", "check", "progress", "sleep"."""

    groups: tuple[str, ...] = ("var", "lock")
    variables: int = 2
    stamps: int = 2
    length: int = 3
    depth: int = 2
    loops: bool = True
    nested: bool = False
    names: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "var": ("set", "copy", "bump", "test", "wait", "choose", "set", "wait"),
            "stamp": ("fresh", "scopy", "older", "same", "fresh"),
            "lock": ("spin", "try", "mutex", "read", "write", "spin", "write", "read"),
            "check": ("check", "check"),
            "progress": ("progress",),
            "sleep": ("sleep", "irq"),
        }
    )

    def block(self, draws: Draws, depth: int, held: tuple[str, ...]) -> Block:
        return tuple(self.statement(draws, depth, held) for _ in range(1 + draws.below(self.length)))

    def statement(self, draws: Draws, depth: int, held: tuple[str, ...]) -> tuple[Any, ...]:
        kind = draws.of(self.names[draws.of(self.groups)])
        var, value = draws.below(self.variables), draws.below(TOP + 1)
        inner = depth > 0
        if kind in ("test", "older", "same", "try") and not inner or kind == "choose" and not inner:
            kind = "set"
        if kind in ("spin", "mutex", "read", "write") and (not inner or lock_name(kind, var) in held):
            kind = "bump"
        if kind in ("set", "wait", "check"):
            return (kind, var, value)
        if kind == "copy":
            return (kind, var, draws.below(self.variables))
        if kind in ("bump", "fresh"):
            return (kind, draws.below(self.stamps if kind == "fresh" else self.variables))
        if kind == "scopy":
            return (kind, draws.below(self.stamps), draws.below(self.stamps))
        if kind in ("progress", "sleep"):
            return (kind,)
        if kind == "irq":
            return ("irq", self.block(draws, depth - 1, held)) if inner else ("sleep",)
        if kind in ("test", "older", "same", "choose", "try"):
            args = {"test": (var, value), "older": (0, 1), "same": (0, 1), "choose": ()}.get(kind, (var,))
            if kind == "try" and lock_name("spin", var) in held:
                return ("bump", var)
            inside = (*held, lock_name("spin", var)) if kind == "try" else held
            yes, no = self.block(draws, depth - 1, inside), self.block(draws, depth - 1, held)
            return (kind, *args, yes, no if draws.below(2) else ())
        return (kind, var, self.block(draws, depth - 1, (*held, lock_name(kind, var))))

    def program(self, draws: Draws) -> Block:
        block = self.block(draws, self.depth, ())
        kind = draws.below(4) if self.loops else 0
        if kind == 1:
            return (("forever", block),)
        if kind == 2:
            return (("while", draws.below(self.variables), draws.below(TOP + 1), block),)
        return block

    def system(self, draws: Draws) -> tuple[Program, ...]:
        programs = [Program(self.program(draws)) for _ in range(2 + (draws.below(3) == 0))]
        if self.nested and draws.below(2):
            host = draws.below(len(programs))
            programs.append(Program(self.block(draws, 1, ()), host, draws.of(("anywhere", "sleeps", "points"))))
        return tuple(programs)


def lock_name(kind: str, which: int) -> str:
    return {"spin": "s", "try": "s", "mutex": "m", "read": "r", "write": "r"}[kind] + str(which % 2)


def flatten(block: Block) -> Flat:
    code: list[Any] = []
    held_at: list[tuple[str, ...]] = []

    def put(op: str, args: tuple[Any, ...], targets: tuple[int, ...], held: tuple[str, ...]) -> int:
        code.append((op, args, targets))
        held_at.append(held)
        return len(code) - 1

    def sequence(part: Block, after: int, held: tuple[str, ...]) -> int:
        for statement in reversed(part):
            after = one(statement, after, held)
        return after

    def one(statement: tuple[Any, ...], after: int, held: tuple[str, ...]) -> int:
        kind, *args = statement
        if kind in ("test", "older", "same", "choose"):
            return put(kind, tuple(args[:-2]), (sequence(args[-2], after, held), sequence(args[-1], after, held)), held)
        if kind == "try":
            name = lock_name("spin", args[0])
            freed = put("unlock", (name,), (after,), (*held, name))
            return put(
                "trylock", (name,), (sequence(args[1], freed, (*held, name)), sequence(args[2], after, held)), held
            )
        if kind in ("spin", "mutex", "read", "write"):
            name = lock_name(kind, args[0])
            freed = put("un" + ("lock" if kind in ("spin", "mutex") else kind), (name,), (after,), (*held, name))
            taken = {"spin": "lock", "mutex": "lock"}.get(kind, kind)
            return put(taken, (name,), (sequence(args[1], freed, (*held, name)),), held)
        if kind == "irq":
            name = "i0"
            if name in held:
                return sequence(args[0], after, held)
            freed = put("unlock", (name,), (after,), (*held, name))
            return put("lock", (name,), (sequence(args[0], freed, (*held, name)),), held)
        if kind in ("forever", "while"):
            head = put("", (), (), held)
            body = sequence(args[-1], head, held)
            code[head] = ("nop", (), (body,)) if kind == "forever" else ("test", tuple(args[:2]), (body, after))
            return head
        return put(kind, tuple(args), (after,), held)

    start = sequence(block, -1, ())
    return Flat(tuple(code), start, tuple(held_at))


# -- as a model -------------------------------------------------------------------------------------------------

CODES: list[list[tuple[Action, dict[Any, int]]]] = []  # by number, so that a process holds nothing but two numbers


def interpret(number: int, start: int):
    at = start
    while at >= 0:
        answer = yield CODES[number][at][0]
        at = CODES[number][at][1][answer]


@dataclass
class Slots:
    variables: tuple[Any, ...]
    stamps: tuple[Any, ...]

    def __post_init__(self) -> None:
        self.locks = {
            "s0": SpinLock("s0"),
            "s1": SpinLock("s1", "c"),
            "m0": Mutex("m0"),
            "m1": Mutex("m1", "c"),
            "r0": RwLock("r0"),
            "r1": RwLock("r1"),
            "i0": SpinLock("i0"),
        }

    def compile(self, op: str, args: tuple[Any, ...], targets: tuple[int, ...]) -> tuple[Action, dict[Any, int]]:
        v, s = self.variables, self.stamps
        two = dict(zip((True, False), targets, strict=False))
        one = {None: targets[0]} if targets else {}
        if op == "set":
            return assign(v[args[0]], args[1]), one
        if op == "copy":
            return assign(v[args[0]], v[args[1]]), one
        if op == "bump":
            slot = v[args[0]]
            return shared(f"{slot.name}++", (slot, ite(slot.eq(TOP), 0, slot + 1))), one
        if op == "test":
            return test(v[args[0]].eq(args[1])), two
        if op == "wait":
            return wait(v[args[0]].eq(args[1])), one
        if op == "check":
            return check(v[args[0]].ne(args[1]), "asserted"), one
        if op == "choose":
            return choose("choose", *two), two
        if op == "fresh":
            return fresh(s[args[0]]), one
        if op == "scopy":
            return assign(s[args[0]], s[args[1]]), one
        if op == "older":
            return test(s[args[0]].lt(s[args[1]])), two
        if op == "same":
            return test(s[args[0]].eq(s[args[1]])), two
        if op in ("nop", "progress", "sleep"):
            return {"nop": reach, "progress": progress, "sleep": lambda: sleep_point("sleep", preemptible=True)}[
                op
            ](), one
        lock = self.locks[args[0]]
        if op == "lock":
            return lock.lock(), one
        if op == "unlock":
            return lock.unlock(), one
        if op == "trylock":
            return lock.trylock(), two
        made = {"read": "read_lock", "unread": "read_unlock", "write": "write_lock", "unwrite": "write_unlock"}[op]
        return getattr(lock, made)(), one


def slots_for(model: Model, variables: int = 2, stamps: int = 2) -> Slots:
    return Slots(
        tuple(model.range(f"v{i}", 0, TOP) for i in range(variables)),
        tuple(model.stamp(f"t{i}", "sort") for i in range(stamps)),
    )


def body_of(flat: Flat, slots: Slots) -> Callable[[], Any]:
    """The generator function of a program; actions are told apart by place, so that no two local states merge."""
    CODES.append(
        [
            (action.at(str(i)), nexts)
            for i, (action, nexts) in enumerate(slots.compile(*instruction) for instruction in flat.code)
        ]
    )
    number, start = len(CODES) - 1, flat.start
    return lambda: interpret(number, start)


def model_of(programs: tuple[Program, ...], order: tuple[int, ...] = ()) -> Model:
    """The system with every property it can be asked for: asserted, bounded, deadlock, lock-order, sleep-in-atomic."""
    m = Model("random")
    slots = slots_for(m)
    for i in order or range(len(programs)):
        program = programs[i]
        host = f"p{program.host}" if program.host >= 0 else ""
        m.process(f"p{i}", body_of(flatten(program.block), slots), host=host, where=program.where)
    m.assertion("asserted")
    m.invariant("bounded", slots.variables[0].ne(2) | slots.variables[1].ne(1))
    m.deadlock()
    m.lock_order()
    m.sleep_in_atomic()
    m.terminates("ends", "p0", Const(1))
    m.terminates("ends-when", "p0", slots.variables[1].eq(1))
    return m


# -- readers and writers of memory ------------------------------------------------------------------------------

SIZE = 8


def memory_body(number: int, start: int):
    """Runs code whose instructions may load into two registers; `CODES` entries are functions of the registers."""
    at, a, b = start, None, None
    while at >= 0:
        answer = yield CODES[number][at][0](a, b)
        into, targets = CODES[number][at][1]
        if into == 0:
            a = answer
        elif into == 1:
            b = answer
        elif into == 2:
            a = b = None
        at = targets[answer if isinstance(answer, bool) else None]


def memory_system(draws: Draws, control_read: bool = False) -> Model:
    """One or two writers that publish stamped data, maybe behind locks and flags, and a reader that observes it.

    With `control_read` the reader also waits for a variable that writers decide on.
    """
    tear = draws.of(("none", "bytes", "plain", "copies"))
    marked = frozenset({1}) if draws.below(2) else None
    m = Model("memory", compiler=draws.of(("free", "program")))
    area = m.area(Area("mem", SIZE, line=4, word=2, tear=tear, marked=marked))
    slots = Slots(tuple(m.range(f"v{i}", 0, TOP) for i in range(2)), (m.stamp("t0"), m.stamp("t1")))

    def add(name: str, code: list[Any]) -> None:
        CODES.append(code)
        number = len(CODES) - 1
        m.process(name, lambda: memory_body(number, 0))

    def plain(action: Action, after: int) -> tuple[Any, Any]:
        return (lambda a, b: action), (-1, {None: after})

    for w in range(1 + draws.below(2)):
        code: list[Any] = []
        locked = draws.below(3) == 0
        if locked:
            code.append(plain(slots.locks["s0"].lock(), len(code) + 1))
        loop = draws.below(2)
        entry = len(code)
        for _ in range(1 + draws.below(3)):
            at = len(code)
            kind = draws.below(8)
            lo = draws.below(SIZE - 1)
            hi = lo + 1 + draws.below(min(4, SIZE - lo))
            if kind <= 2:
                mode = draws.of(("plain", "copy", "once"))
                variant = draws.of(("", "", "flagged"))
                code.append(plain(area.store(lo, hi, slots.stamps[draws.below(2)], variant, mode), at + 1))
            elif kind == 3:
                code.append(plain(smp_wmb(), at + 1))
            elif kind == 4:
                code.append(plain(fresh(slots.stamps[draws.below(2)]), at + 1))
            elif kind == 5:
                code.append(plain(assign(slots.variables[0], draws.below(TOP + 1)), at + 1))
            elif kind == 6:
                skip = test(slots.variables[0].eq(draws.below(TOP + 1)), f"test {w}.{at}")
                code.append(((lambda a, b, skip=skip: skip), (-1, {True: at + 1, False: at + 1 + draws.below(2)})))
                code.append(plain(reach(), at + 2))
            else:
                code.append(plain(assign(slots.stamps[1], slots.stamps[0]), at + 1))
        code.append(plain(smp_wmb(), len(code) + 1))
        if loop:
            code.append(plain(fresh(slots.stamps[0]), entry))
        elif locked:
            code.append(plain(slots.locks["s0"].unlock(), -1))
        else:
            code[-1] = plain(smp_wmb(), -1)
        add(f"w{w}", code)

    for r in range(1 + (draws.below(4) == 0)):
        reader: list[Any] = []
        locked = draws.below(3) == 0
        if control_read:
            reader.append(plain(wait(slots.variables[0].eq(draws.below(TOP + 1))), len(reader) + 1))
        if locked:
            reader.append(plain(slots.locks["s0"].lock(), len(reader) + 1))
        lo, hi = draws.of(((0, 1), (0, 4), (3, 5), (1, 7)))
        mode = draws.of(("once", "plain", "copy"))
        again = draws.below(2)
        other = (lo, hi) if again else draws.of(((4, 5), (0, 2)))
        first, second = area.load(lo, hi, mode, f"first {r}"), area.load(*other, mode, f"second {r}")
        reader.append(((lambda a, b, first=first: first), (0, {None: len(reader) + 1})))
        reader.append(((lambda a, b, second=second: second), (1, {None: len(reader) + 1})))
        end = len(reader) + 2
        if again:
            differ = end if draws.below(2) else len(reader) + 1
            reader.append(((lambda a, b: equal(a, b)), (-1, {True: len(reader) + 1, False: differ})))
        else:
            reader.append(((lambda a, b: has_variant(a, "flagged")), (-1, {True: end, False: len(reader) + 1})))
        reader.append(((lambda a, b: observe("seen", a=a, b=b)), (2, {None: len(reader) + 1})))
        reader.append(plain(slots.locks["s0"].unlock() if locked else reach(), -1))
        add(f"r{r}", reader)
    return m

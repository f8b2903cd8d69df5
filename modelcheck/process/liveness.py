"""What a suspended generator frame may still read, and how much lies on its operand stack: bytecode dataflow.

Its one invariant: a name left out of `live_locals` cannot be read before it is written again, so two frames that
differ only there behave alike.  It looks at code objects alone, never at a frame, and knows CPython 3.11 to 3.14.
Liveness is the textbook backward analysis (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5) with the edges of the
exception table added; stack depth is what the compiler itself computes (`dis.stack_effect`), forward.
"""

from __future__ import annotations

import dis
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_ONE_READ = {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"}
_TWO_READS = {"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"}
_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"}
_JUMPS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_ABSOLUTE", "JUMP", "JUMP_NO_INTERRUPT"}
# Without these a `try` around a yield would keep alive whatever its handler reads, though nothing raises there.
# YIELD_VALUE is among them because extraction never throws into a generator.
_NEVER_RAISE = _JUMPS | {
    "YIELD_VALUE", "RESUME", "NOP", "NOT_TAKEN", "CACHE", "POP_TOP", "POP_ITER", "END_FOR", "END_SEND", "PUSH_NULL",
    "COPY", "SWAP", "LOAD_CONST", "LOAD_SMALL_INT", "RETURN_CONST", "LOAD_FAST", "LOAD_FAST_BORROW",
    "LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "STORE_FAST", "STORE_FAST_STORE_FAST",
    "STORE_FAST_LOAD_FAST"}
# These look at their caller's frame, so every local of a code that names one counts as read.
_FRAME_READERS = {"locals", "vars", "dir", "eval", "exec", "super", "_getframe", "currentframe"}


@dataclass(frozen=True, slots=True)
class YieldPoint:
    """One YIELD_VALUE of a code: its line, what is live after it, and the depth of the stack below it.

    `delegates` where it belongs to a `yield from`, whose iterator is then the top of that stack; `loops_only` where
    everything else there is the iterator of a `for` loop around.
    """

    line: int
    live: frozenset[str]
    depth: int
    delegates: bool
    loops_only: bool


def live_locals(code: CodeType, offset: int) -> frozenset[str]:
    """The locals, cells and free variables that may be read once a frame suspended at `offset` goes on."""
    return yield_points(code)[offset].live


def stack_depth(code: CodeType, offset: int) -> int:
    """How many items lie on the operand stack below the value yielded at `offset`."""
    return yield_points(code)[offset].depth


@cache
def yield_points(code: CodeType) -> dict[int, YieldPoint]:
    """Every YIELD_VALUE of `code` by the `f_lasti` of a frame that rests there.

    That is its own offset, and from 3.13 on the offset of the RESUME after it; both are keys.
    """
    flow = _Flow(code)
    live, stacks = flow.live_in(), flow.stacks()
    cells = frozenset(code.co_cellvars + code.co_freevars)
    points = {}
    line = code.co_firstlineno
    for i, instruction in enumerate(flow.instructions):
        position = instruction.positions.lineno if instruction.positions else None
        line = position if position is not None else line
        stack = stacks[i]
        if instruction.opname == "YIELD_VALUE" and stack is not None:
            names = {name for n, name in enumerate(code.co_varnames) if live[i + 1] >> n & 1}
            resume = flow.instructions[i + 1]
            delegates = (resume.arg or 0) & 3 == 2
            below = stack[:-2] if delegates else stack[:-1]
            point = YieldPoint(line, cells | names, len(stack) - 1, delegates, all(below))
            points[instruction.offset] = points[resume.offset] = point
    return points


class _Flow:
    """The control flow graph of one code, by instruction number."""

    def __init__(self, code: CodeType) -> None:
        bytecode = dis.Bytecode(code)
        self.code = code
        self.instructions = list(bytecode)
        self.number = {instruction.offset: i for i, instruction in enumerate(self.instructions)}
        self.handlers: list[list[tuple[int, int, int]]] = [[] for _ in self.instructions]
        entries: list[Any] = bytecode.exception_entries  # type: ignore[attr-defined]  # not in typeshed
        for entry in entries:
            for i, instruction in enumerate(self.instructions):
                if entry.start <= instruction.offset < entry.end:
                    self.handlers[i].append((self.number[entry.target], entry.depth, entry.lasti + 1))
        self.all = (1 << len(code.co_varnames)) - 1
        self.reads_all = bool(_FRAME_READERS.intersection(code.co_names))

    def successors(self, i: int) -> Iterator[tuple[int, bool]]:
        """The instructions that may follow instruction `i`, with whether by a jump; handlers are left out."""
        instruction = self.instructions[i]
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            yield self.number[instruction.argval], True
        if instruction.opname not in _ENDS and instruction.opname not in _JUMPS and i + 1 < len(self.instructions):
            yield i + 1, False

    def live_in(self) -> list[int]:
        """The locals live before each instruction, as bit masks."""
        effects = [self._reads_and_writes(instruction) for instruction in self.instructions]
        after = [[target for target, _ in self.successors(i)] for i in range(len(effects))]
        for i, instruction in enumerate(self.instructions):
            if instruction.opname not in _NEVER_RAISE:
                after[i] += [target for target, _, _ in self.handlers[i]]
        live = [0] * len(effects)
        changed = True
        while changed:
            changed = False
            for i in range(len(effects) - 1, -1, -1):
                reads, writes = effects[i]
                # A handler sees the locals from before a failed write; a store itself never raises, so one rule does.
                out = 0
                for target in after[i]:
                    out |= live[target]
                new = reads | out & ~writes
                if new != live[i]:
                    live[i] = new
                    changed = True
        return live

    def _reads_and_writes(self, instruction: dis.Instruction) -> tuple[int, int]:
        name, arg = instruction.opname, instruction.arg or 0
        if self.reads_all:
            return self.all, 0
        if "FAST" not in name:
            return 0, 0
        if name in _ONE_READ or name == "DELETE_FAST":  # deleting fails on an unbound name, so it looks
            return self._bit(arg), 0
        if name in _TWO_READS:
            return self._bit(arg >> 4) | self._bit(arg & 15), 0
        if name == "STORE_FAST":
            return 0, self._bit(arg)
        if name == "STORE_FAST_STORE_FAST":
            return 0, self._bit(arg >> 4) | self._bit(arg & 15)
        if name == "STORE_FAST_LOAD_FAST":
            return self._bit(arg & 15) & ~self._bit(arg >> 4), self._bit(arg >> 4)
        if name == "LOAD_FAST_AND_CLEAR":  # an inlined comprehension saves the name and restores it
            return self._bit(arg), 0
        return self.all, 0

    def _bit(self, index: int) -> int:
        return 1 << index & self.all  # indexes past the locals are cells, which are always live

    def stacks(self) -> list[tuple[bool, ...] | None]:
        """The operand stack before each instruction, None where it is unreachable: per item, whether a loop's iterator.

        Only net effects are known, which is enough: a loop leaves its iterator alone until it is done with it.
        """
        stacks: list[tuple[bool, ...] | None] = [None] * len(self.instructions)
        todo: list[tuple[int, tuple[bool, ...]]] = []
        for i, instruction in enumerate(self.instructions):
            if instruction.opname == "RESUME" and (instruction.arg or 0) & 3 == 0:
                todo.append((i, ()))  # where the body begins: before it 3.11 counts the stack in a way of its own
        while todo:
            i, stack = todo.pop()
            if stacks[i] is not None:
                continue
            stacks[i] = stack
            instruction = self.instructions[i]
            for handler, depth, pushed in self.handlers[i]:
                todo.append((handler, stack[:depth] + (False,) * pushed))
            for target, jump in self.successors(i):
                effect = dis.stack_effect(instruction.opcode, instruction.arg, jump=jump)
                if instruction.opname == "FOR_ITER" and not jump:
                    todo.append((target, (*stack[:-1], True, False)))
                else:
                    todo.append((target, stack[:effect] if effect < 0 else stack + (False,) * effect))
        return stacks

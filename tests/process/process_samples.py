"""What the tests of processes share: a few actions, and random programs as source text."""

from __future__ import annotations

import linecache
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from modelcheck.action import LOADED, Access, Action, Branch, Hold, assign, choose
from modelcheck.errors import SpecError
from modelcheck.expression import BOOL, Slot
from modelcheck.process import extract
from modelcheck.process.run import close

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

FLAG = Slot("flag", BOOL)
GPC1 = Hold("gpc1", "gpc", "exclusive", True)
GPC2 = Hold("gpc2", "gpc", "exclusive", True)
MUTEX = Hold("mutex", "mutex", "exclusive", False)


def take(hold: Hold = GPC1) -> Action:
    """Takes a lock."""
    return Action("lock", f"lock {hold.lock}", (Branch(acquires=hold),), lock=hold, blocking=True)


def try_take(hold: Hold = GPC1) -> Action:
    """Takes a lock or answers False."""
    return Action("lock", f"trylock {hold.lock}", (Branch(True, acquires=hold), Branch(False)), lock=hold)


def release(hold: Hold = GPC1) -> Action:
    """Releases a lock."""
    return Action("lock", f"unlock {hold.lock}", (Branch(releases=hold.lock),))


def load(lo: int = 0, hi: int = 8) -> Action:
    """Loads bytes of the area."""
    access = Access("area", lo, hi, False)
    return Action("load", f"load {lo}..{hi}", (Branch(LOADED),), access=access)


def a(label: str = "a") -> Action:
    """An action that does nothing of interest; different labels are different actions."""
    return assign(Slot(label, BOOL), 1).as_(label)


def refused(factory: Callable[[], Any], line: int | None, *parts: str, cap: int = 20000) -> str:
    """The text of the error that extracting `factory` raises; it names `line` (counted from the `def`) and `parts`."""
    with pytest.raises(SpecError) as caught:
        extract(factory, "P", cap=cap)
    text = str(caught.value)
    if line is not None:
        code = factory.__code__
        assert caught.value.where == f"{code.co_filename}:{code.co_firstlineno + line}", text
        assert text.startswith(caught.value.where + ": ")
    for part in ("process P", *parts):
        assert part in text, text
    assert "\n" not in text
    assert not re.search(r"[^`.]\. [A-Z]", text), f"more than one sentence: {text}"
    return text


class Programs:
    """Random generator functions as source text, one yield a line.

    Variables hold 0 to 2, so the machines are finite.  A line that yields is `act = choose(...)` and then
    `x = yield act`, so that a test may write to variables between them.
    """

    def __init__(self, seed: int, size: int = 14) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.left = size
        self.labels = 0
        self.subs: list[str] = []
        for name in ("sub0", "sub1")[:self.random.randrange(3)]:
            self._function(name, "x, y", "z = x")
            self.subs.append(name)
            self.left = size
        self._function("process", "", "x = 0; y = 1; z = 2")

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    def _function(self, name: str, parameters: str, first: str) -> None:
        self.lines.append(f"def {name}({parameters}):")
        self._line(1, "if False: yield")
        self._line(1, first)
        self._block(1, False)
        if name != "process":
            self._line(1, f"return {self._variable()}")
        else:
            self._yield(1)

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _variable(self) -> str:
        return self.random.choice("xyz")

    def _yield(self, depth: int) -> None:
        self.labels += 1
        self._line(depth, f"act = choose(f's{self.labels}:{{{self._variable()}}}', 0, 1, 2)")
        self._line(depth, f"{self._variable()} = yield act")

    def _block(self, depth: int, loop: bool) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.left -= 1
            kinds = [self._yield, self._yield, self._assign]
            if self.left > 0 and depth < 5:
                kinds += [self._if, self._for, self._while, self._try, self._comprehension, self._sub, self._delete]
            self.random.choice(kinds)(depth)
            if loop and self.random.random() < 0.3:
                self._line(depth, f"if {self._variable()} == {self.random.randrange(3)}: "
                           f"{self.random.choice(('break', 'continue'))}")

    def _assign(self, depth: int) -> None:
        self._line(depth, f"{self._variable()} = ({self._variable()} + {self.random.randrange(3)}) % 3")

    def _if(self, depth: int) -> None:
        self._line(depth, f"if {self._variable()} == {self.random.randrange(3)}:")
        self._block(depth + 1, False)
        if self.random.random() < 0.5:
            self._line(depth, "else:")
            self._block(depth + 1, False)

    def _for(self, depth: int) -> None:
        over = self.random.choice((f"range({self._variable()})", f"({self._variable()}, {self._variable()})"))
        self._line(depth, f"for {self._variable()} in {over}:")
        self._block(depth + 1, True)

    def _while(self, depth: int) -> None:
        self._line(depth, "while True:")
        self._yield(depth + 1)
        self._line(depth + 1, f"if {self._variable()} == 0: break")
        self._yield(depth + 1)
        self._line(depth + 1, f"if {self._variable()} != 1: break")
        self._block(depth + 1, True)

    def _try(self, depth: int) -> None:
        self._line(depth, "try:")
        self._block(depth + 1, False)
        self._line(depth + 1, f"if {self._variable()} == 1: raise KeyError")
        self._block(depth + 1, False)
        self._line(depth, "except KeyError:")
        self._line(depth + 1, f"{self._variable()} = {self._variable()}")
        if self.random.random() < 0.5:
            self._line(depth, "finally:")
            self._line(depth + 1, f"{self._variable()} = ({self._variable()} + 1) % 3")
            self._yield(depth + 1)

    def _comprehension(self, depth: int) -> None:
        self._line(depth, f"{self._variable()} = sum([{self._variable()} for {self._variable()} in (0, 1)]) % 3")

    def _sub(self, depth: int) -> None:
        if not self.subs:
            self._assign(depth)
        else:
            called = self.random.choice(self.subs)
            self._line(depth, f"{self._variable()} = yield from {called}({self._variable()}, {self._variable()})")

    def _delete(self, depth: int) -> None:
        name = self._variable()
        self._line(depth, f"{name} = 1; del {name}; {name} = 2")


def compiled(source: str, name: str) -> dict[str, Any]:
    """The namespace of a program, whose source tracebacks can show."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    space: dict[str, Any] = {"choose": choose}
    exec(compile(source, name, "exec"), space)
    return space


def answers(process: Generator[Action, Any, Any], responses: list[int]) -> list[Action | None]:
    """The actions a process yields to the responses, each an index into the branches; None once it has ended."""
    seen: list[Action | None] = []
    try:
        action = process.send(None)
        seen.append(action)
        for response in responses:
            branches = action.branches
            action = process.send(branches[response % len(branches)].response)
            seen.append(action)
    except StopIteration:
        seen.append(None)
    close(process)
    return seen

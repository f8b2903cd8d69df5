"""Message passing: a flag says that the data is there.  The second barrier of the writer is for nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from modelcheck import Action, Model, check, decide, reach, smp_rmb, smp_wmb, value

Steps = Generator[Action, Any, None]


def model(barrier: bool = True) -> Model:
    """The model, with or without the barrier between data and flag."""
    m = Model("message")
    data, flag = m.number("data", 0, 1), m.number("flag", 0, 1)

    def writer() -> Steps:
        yield data.write(1)
        if barrier:
            yield smp_wmb()
        yield flag.write(1)
        yield smp_wmb()

    def reader() -> Steps:
        f = yield flag.read()
        yield smp_rmb()
        d = yield data.read()
        if (yield decide(value(f).eq(1))):
            yield reach("flag seen")
            yield check(value(d).eq(1), "fresh")

    m.process("writer", writer)
    m.process("reader", reader)
    m.assertion("fresh", "who sees the flag sees the data", ("flag seen",))
    return m

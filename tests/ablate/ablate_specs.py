"""Small protocols for the tests of ablation, each with pieces whose use is known by hand."""

from __future__ import annotations

from collections.abc import Callable

import message_passing

from modelcheck import (
    Model,
    PropertyInfo,
    RwLock,
    Spec,
    SpinLock,
    assign,
    check,
    reach,
    shared,
    sleep_point,
    test,
)
from modelcheck.ablate import Ablation, AblationRequest, Row, ablate


def spec_of(build: Callable[[], Model]) -> Spec:
    """A spec of one model."""
    properties = tuple(PropertyInfo(name, text) for name, text in build().property_names())
    return Spec(build.__name__, "", lambda setting, projection: build(), properties=properties)


def taken_apart(build: Callable[[], Model], *memories: str, **fields: object) -> Ablation:
    """What ablation says of the model, by default under sc alone."""
    return ablate(AblationRequest(spec_of(build), "only", memories=memories or ("sc",), **fields))  # type: ignore[arg-type]


def answers(found: Ablation) -> dict[str, tuple[str, ...]]:
    """For each piece, as "step kind: text", what each cell says: what breaks, what is lost, or that nothing does."""
    return {f"{row.step} {row.kind}: {row.text}".strip(): tuple(map(answer, row.cells)) for row in found.rows}


def answer(cell) -> str:  # type: ignore[no-untyped-def]
    """A cell in short."""
    broken = ", ".join(broken.property for broken in cell.broken)
    return broken or (f"never {', '.join(cell.lost)}" if cell.verdict == "lost" else cell.verdict)


def row(found: Ablation, kind: str, text: str) -> Row:
    """The row of that piece."""
    return next(row for row in found.rows if (row.kind, row.text) == (kind, text))


def message() -> Model:
    """Message passing: a flag says that the data is there."""
    return message_passing.model()


def message_without_barrier() -> Model:
    """Message passing whose writer has no barrier before the flag."""
    return message_passing.model(barrier=False)


def counter() -> Model:
    """Two tasks count under a lock; one of them only if it gets it at once.  A second lock is nobody else's."""
    model = Model("counter")
    lock, own, inside = SpinLock("lock"), SpinLock("own"), model.range("inside", 0, 2)

    def patient():  # type: ignore[no-untyped-def]
        while True:
            yield lock.lock()
            yield own.lock()
            yield assign(inside, inside + 1)
            yield check(inside.eq(1), "exclusive")
            yield assign(inside, inside - 1)
            yield own.unlock()
            yield lock.unlock()

    def trying():  # type: ignore[no-untyped-def]
        while True:
            if (yield lock.trylock()):
                yield assign(inside, inside + 1)
                yield check(inside.eq(1), "exclusive")
                yield reach("got it")
                yield assign(inside, inside - 1)
                yield lock.unlock()

    model.process("patient", patient)
    model.process("trying", trying)
    model.assertion("exclusive", "nobody else is inside", ("got it",))
    model.deadlock()
    return model


def twice() -> Model:
    """Two tasks under a lock that two properties ask for."""
    model = Model("twice")
    lock, inside, other = SpinLock("lock"), model.range("inside", 0, 2), model.range("other", 0, 2)

    def task():  # type: ignore[no-untyped-def]
        while True:
            yield lock.lock()
            for slot, name in ((inside, "one"), (other, "two")):
                yield assign(slot, slot + 1)
                yield check(slot.eq(1), name)
            yield assign(inside, inside - 1)
            yield assign(other, other - 1)
            yield reach("been inside")
            yield lock.unlock()

    model.process("left", task)
    model.process("right", task)
    model.assertion("one", "nobody else is in the first", ("been inside",))
    model.assertion("two", "nobody else is in the second", ("been inside",))
    return model


def cached() -> Model:
    """A cache that another process makes invalid: whoever finds it so makes it valid again and asks once more."""
    model = Model("cached")
    lock, valid = RwLock("lock"), model.bool("valid", True)

    def user():  # type: ignore[no-untyped-def]
        while True:
            yield lock.read_lock().at("U1", "use")
            while not (yield test(valid, "valid?").at("U2", "use")):
                yield lock.read_unlock().at("U3", "use")
                yield lock.write_lock().at("U4", "refresh")
                yield assign(valid, 1).at("U5", "refresh")
                yield lock.write_unlock().at("U6", "refresh")
                yield sleep_point("schedule()").at("U7", "refresh")
                yield lock.read_lock().at("U8", "use")
            yield check(valid.eq(1), "valid").at("U9", "use")
            yield reach("used")
            yield lock.read_unlock().at("U10", "use")

    def invalidator():  # type: ignore[no-untyped-def]
        while True:
            yield lock.write_lock().at("I1", "invalidate")
            yield assign(valid, 0).at("I2", "invalidate")
            yield lock.write_unlock().at("I3", "invalidate")
            yield assign(valid, valid)  # the world: it has no step

    model.process("user", user)
    model.process("invalidator", invalidator)
    model.assertion("valid", "what is used is valid", ("used",))
    return model


def both() -> Model:
    """A test of three conditions of which the last says it all, and a step that sets two slots before it is made so."""
    model = Model("both")
    ready, other, set_up, seen = (model.bool(name) for name in ("ready", "other", "set up", "seen"))

    def maker():  # type: ignore[no-untyped-def]
        yield shared("make", (ready, 1), (other, 1))
        yield assign(set_up, 1)

    def taker():  # type: ignore[no-untyped-def]
        if (yield test(ready & other.eq(1) & set_up, "both?")):
            yield check(ready & other & set_up, "whole")
            yield assign(seen, 1)
            yield reach("taken")

    model.process("maker", maker)
    model.process("taker", taker)
    model.assertion("whole", "both are there", ("taken",))
    return model

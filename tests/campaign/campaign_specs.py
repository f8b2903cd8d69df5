"""A toy spec for the tests of campaigns: two tasks meet, and whether that breaks anything depends on the parameters."""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import (
    Expectation,
    Model,
    Obligation,
    Parameter,
    PropertyInfo,
    Setting,
    Spec,
    SpinLock,
    Version,
    assign,
    check,
    reach,
)

built: list[Setting] = []  # every setting a model was built of, in order


def build(setting: Setting, projection: Hashable = None) -> Model:
    """`room` places for two tasks; careful ones take a lock.  An even room is bounded at 2, an odd one at 3."""
    built.append(setting)
    model = Model("toy")
    inside, lock = model.range("inside", 0, 3), SpinLock("lock")

    def task():  # type: ignore[no-untyped-def]
        for _ in range(2 + setting.number("room") % 2):
            if setting.text("lock") == "on":
                yield lock.lock()
            yield assign(inside, inside + 1)
            yield check(inside.eq(1), "exclusive")
            yield reach("inside")
            yield assign(inside, inside - 1)
            if setting.text("lock") == "on":
                yield lock.unlock()

    model.process("left", task)
    model.process("right", task)
    model.assertion("exclusive", "nobody else is inside", ("inside",) if setting.number("room") < 8 else ("never",))
    model.deadlock()
    return model


def equivalence(setting: Setting) -> Hashable:
    """Rooms of one parity are equal, but for 8 and more, which ask for a witness that cannot be reached."""
    room = setting.number("room")
    return setting.property, setting.text("lock"), room % 2, room >= 8, setting.version == "broken"


def expected(setting: Setting) -> Expectation | None:
    """Right for locks; nothing is known of room 4 and more."""
    if setting.number("room") >= 4:
        return None
    broken = setting.text("lock") == "off" and setting.property == "exclusive"
    return Expectation("violated", "T1", "by hand") if broken else Expectation("holds", "", "by hand")


def refuse(setting: Setting) -> str:
    """Room 7 does not exist in the old version."""
    return "room=7 does not exist before `new`" if setting.version == "old" and setting.number("room") == 7 else ""


TOY = Spec(
    name="toy",
    summary="two tasks",
    build=build,
    versions=(Version("old", ("1",)), Version("new", ("2",))),
    parameters=(
        Parameter("lock", "whether they lock", ("on", "off"), default=("on",)),
        Parameter("room", "a number", lo=0, hi=9, default=tuple(range(10))),
    ),
    properties=(PropertyInfo("exclusive", "nobody else is inside"), PropertyInfo("deadlock", "no process is stuck")),
    equivalence=equivalence,
    expected=expected,
    refuse=refuse,
    label=lambda setting: "even" if setting.number("room") % 2 == 0 else "odd",
)


def unprovable(z3: object) -> object:
    """A negation that z3 satisfies."""
    return z3.Int("x") > 3  # type: ignore[attr-defined]


WRONG = Obligation("x is at most 3", unprovable)

"""Actions as data: what a process yields.

An action is a guard and updates over slots with a finite set of responses; each way it can go is a *branch*.
Its one invariant: an action is frozen and hashable, so two steps that do the same are equal.  Who runs an action
(the engine, a replay, a native twin) and in which order memory accesses perform is not decided here.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Literal

from modelcheck.errors import SpecError
from modelcheck.expression import TRUE, Arbitrary, Expr, Fresh, Slot, lift, parts_of, to_text, width_of

ActionKind = Literal[
    "local", "shared", "lock", "fence", "load", "store", "update", "compare", "observe", "choose", "check"
]
AccessMode = Literal["plain", "copy", "once", "acquire", "release", "relaxed", "full"]
LoadMode = Literal["plain", "copy", "once", "acquire"]
StoreMode = Literal["plain", "copy", "once", "release"]
UpdateMode = Literal["relaxed", "acquire", "release", "full"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A lock held: its instance, its lockdep class, how (`read`, `write`, `exclusive`), and whether holders spin."""

    lock: str
    lock_class: str
    mode: str
    spins: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """One way an action can go.

    `stay` leaves the process where it is (a writer that queues); `breaks` names the property this branch violates;
    `acquires` and `releases` change the held locks, `irq` is "off", "on" or "".
    """

    response: Hashable = None
    guard: Expr = TRUE
    updates: tuple[tuple[Slot, Expr], ...] = ()
    stay: bool = False
    breaks: str = ""
    acquires: Hold | None = None
    releases: str = ""
    irq: Literal["", "off", "on"] = ""


@dataclass(frozen=True, slots=True)
class Access:
    """A memory access: bytes `lo` to `hi` (excluded) of `area`, counted from the area's start.

    A store writes the bytes of version `version` in form `variant` (two forms of one version differ in value, as a
    word with and without a flag bit does).  `requires` are conditions on each performed piece: (condition, property).
    A read-modify-write (`update`) loads and stores in one step, and `version` may speak of the old value.  It and a
    load perform only where `when` holds of the value found.  `addr` and `ctrl` are loaded values that the address, or
    whether the access happens at all, depends on; what the stored value depends on is in `version`.
    """

    area: str
    lo: int
    hi: int
    store: bool
    mode: AccessMode = "plain"
    version: Expr | None = None
    variant: str = ""
    requires: tuple[tuple[Expr, str], ...] = ()
    text: str = ""
    update: bool = False
    part: Literal["", "load", "store"] = ""  # of an update that is performed in two parts
    when: Expr = TRUE
    addr: tuple[Register, ...] = ()
    ctrl: tuple[Register, ...] = ()

    def __hash__(self) -> int:
        return hash((self.area, self.lo, self.hi, self.store, self.text))  # enough to tell most apart

    @property
    def parts(self) -> tuple[Access, Access]:
        """An update as a load and a store: acquire is the load's, release the store's."""
        load = replace(
            self, store=False, update=False, part="load", mode="acquire" if self.mode == "acquire" else "once",
            version=None, ctrl=(),
        )  # fmt: skip
        store = replace(
            self, update=False, part="store", mode="release" if self.mode == "release" else "once", when=TRUE
        )
        return load, store

    @property
    def loads(self) -> bool:
        """Whether it answers a value."""
        return self.update or not self.store

    @property
    def data(self) -> tuple[Register, ...]:
        """The loaded values that the stored one depends on."""
        return () if self.version is None else registers_of(self.version)


@dataclass(frozen=True, slots=True)
class Register:
    """The opaque value of a load: compare or observe it, do not look inside.  `index` is reused once it is dead."""

    index: int
    access: Access

    def __bool__(self) -> bool:
        raise SpecError(
            "a loaded value has no truth value; yield equal(a, b) or has_variant(a, ...) and branch on the answer"
        )


@dataclass(frozen=True, slots=True)
class Loaded(Expr):
    """The number that a load of an area of numbers answered."""

    register: Register

    def __str__(self) -> str:
        return self.register.access.area


def value(register: Register) -> Expr:
    """What was loaded, to compute with: for areas of numbers (`Area.domain`); a stamp's value is z3's business."""
    _registers("value", register)
    return Loaded(register)


def registers_of(expr: Expr) -> tuple[Register, ...]:
    """The loaded values an expression mentions, each once."""
    return tuple(dict.fromkeys(part.register for part in parts_of(expr) if isinstance(part, Loaded)))


@dataclass(frozen=True, slots=True)
class Action:
    """One atomic action.  `label` is its text, `step` and `function` name the kernel step and function it models."""

    kind: ActionKind
    label: str
    branches: tuple[Branch, ...]
    lock: Hold | None = None  # what a lock action asks for
    blocking: bool = False  # a lock action that waits; what lockdep learns an order from
    sleeps: bool = False  # may not run while atomic
    fence: str = ""
    access: Access | None = None
    registers: tuple[Register, ...] = ()  # loaded values this action looks at: it waits for their loads
    forgets: tuple[Register, ...] = ()  # loaded values dropped by this step, once it has looked: it waits for them too
    test: str = ""  # a compare: "equal", "variant:NAME", or "value" and "value:free" (see decide)
    observes: str = ""  # an observation's name; its registers are named by `names`
    names: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()  # witnesses this step is evidence for
    progress: bool = False  # passing here ends a retry loop
    preemptible: bool = False  # a point at which the scheduler may run, whatever the preemption model
    step: str = ""
    function: str = ""

    def at(self, step: str, function: str = "") -> Action:
        """The same action, labelled with the kernel step (`G8`) and function it models."""
        return replace(self, step=step, function=function or self.function)

    def reaching(self, *witnesses: str) -> Action:
        """The same action, as evidence for the named witnesses."""
        return replace(self, reaches=self.reaches + witnesses)

    def as_(self, label: str) -> Action:
        """The same action under another text."""
        return replace(self, label=label)

    def forgetting(self, *registers: Register) -> Action:
        """The same action, after which these loaded values are held no more, whichever way it goes.

        What the step itself observes or compares is still seen.  Without this a value stays in the state until the next
        load of its register, or until a reduction finds it dead.
        """
        if self.kind not in FORGETTING:
            raise SpecError(
                f"{self.label!r} is a {self.kind} action and cannot forget; "
                f"of the kinds of action, {', '.join(FORGETTING)} can"
            )
        _registers("forgetting", *registers)
        return replace(self, forgets=tuple(dict.fromkeys((*self.forgets, *registers))))

    @property
    def awaits(self) -> tuple[Register, ...]:
        """The loaded values that this action waits for: those it looks at, and those it forgets."""
        return (*self.registers, *(register for register in self.forgets if register not in self.registers))


FORGETTING: tuple[ActionKind, ...] = ("compare", "observe", "local", "shared")  # kinds that may forget loaded values
LOADED = "<loaded>"  # the response of a load as declared; extraction puts the register in its place


def shared(label: str, *updates: tuple[Slot, Expr | int], when: Expr = TRUE) -> Action:
    """Does all `updates` at once; waits until `when` holds, and until what was issued before has been performed.

    >>> shared("count++", (Slot("count", range_domain(0, 3)), Slot("count", range_domain(0, 3)) + 1)).label
    'count++'
    """
    done = _updates(updates)
    used = tuple(dict.fromkeys(r for expr in (when, *(value for _, value in done)) for r in registers_of(expr)))
    return Action("shared", label, (Branch(guard=when, updates=done),), registers=used)


def assign(slot: Slot, value: Expr | int) -> Action:
    """Sets one slot."""
    return shared(f"{slot.name} = {to_text(lift(value))}", (slot, value))


def fresh(slot: Slot) -> Action:
    """Sets a stamp or name slot to a new member of its sort."""
    return shared(f"{slot.name} = new {slot.domain.sort}", (slot, Fresh(slot.domain.sort)))


def any_word(
    slot: Slot, label: str, when: Expr = TRUE, also: tuple[Slot, ...] = (), prefer: tuple[Expr, ...] = ()
) -> Action:
    """Sets a word, and those in `also` with it, to an arbitrary value for which `when` holds.

    In `when` the slot is the new value and OLD the one it had; what the step reads of a clock, say.  `prefer` are
    conditions of the same kind, which make a counterexample easier to read where they cost no answer.  The step waits
    where there is no such value.
    """
    if not width_of(slot):
        raise SpecError(f"any_word({slot.name!r}): it is a {slot.domain.kind}; declare it with Model.word()")
    value = Arbitrary(slot, when, prefer)
    return Action("shared", label, (Branch(updates=tuple((each, value) for each in (slot, *also))),))


def test(condition: Expr, label: str = "", then: tuple[tuple[Slot, Expr | int], ...] = ()) -> Action:
    """Answers True or False: whether the condition holds at this step; where it does, does the updates in `then`."""
    branches = (Branch(True, condition, _updates(then)), Branch(False, ~condition))
    return Action("shared", label or f"{to_text(condition)}?", branches)


def wait(condition: Expr, label: str = "") -> Action:
    """Blocks until the condition holds."""
    return Action("shared", label or f"wait until {to_text(condition)}", (Branch(guard=condition),))


def check(
    condition: Expr, property_name: str, label: str = "", then: tuple[tuple[Slot, Expr | int], ...] = ()
) -> Action:
    """An assertion: going on where the condition does not hold violates the named property.

    Does the updates in `then` either way; the condition speaks of what was before.
    """
    done = _updates(then)
    branches = (Branch(guard=condition, updates=done), Branch(guard=~condition, updates=done, breaks=property_name))
    return Action("check", label or f"check {to_text(condition)}", branches)


def choose(label: str, *options: Hashable) -> Action:
    """Answers any of the options; the search explores each."""
    if not options:
        raise SpecError(f"choose({label!r}) has no options; give at least one")
    return Action("choose", label, tuple(Branch(option) for option in options))


def reach(*witnesses: str) -> Action:
    """A local step that is evidence for the named witnesses."""
    return Action("local", "reach " + ", ".join(witnesses), (Branch(),), reaches=witnesses)


def progress(label: str = "progress") -> Action:
    """Marks the end of a retry loop: a cycle without such a mark spins."""
    return Action("local", label, (Branch(),), progress=True)


def sleep_point(label: str, preemptible: bool = False) -> Action:
    """A call that may sleep (`might_sleep()`); with `preemptible`, one at which the running task may be preempted."""
    return Action("local", label, (Branch(),), sleeps=True, preemptible=preemptible)


def fence(kind: str) -> Action:
    """A memory barrier, named as the kernel names it; `modelcheck.memory.ordering.FENCES` has them."""
    return Action("fence", f"{kind}()", (Branch(),), fence=kind)


def barrier() -> Action:
    """A compiler barrier: the machine may still reorder."""
    return fence("barrier")


def smp_wmb() -> Action:
    """Orders earlier stores before later ones; on x86 a compiler barrier."""
    return fence("smp_wmb")


def smp_rmb() -> Action:
    """Orders earlier loads before later ones; on x86 a compiler barrier."""
    return fence("smp_rmb")


def smp_mb() -> Action:
    """Orders everything."""
    return fence("smp_mb")


def rmb() -> Action:
    """The mandatory read barrier (LFENCE on x86-64)."""
    return fence("rmb")


def wmb() -> Action:
    """The mandatory write barrier (SFENCE on x86-64)."""
    return fence("wmb")


def mb() -> Action:
    """The mandatory full barrier (MFENCE on x86-64)."""
    return fence("mb")


def equal(left: Register, right: Register) -> Action:
    """Answers whether two loaded values are equal.

    Equal stamps compare equal; different stamps explore both outcomes, since two updates can share any byte.
    The guards depend on the cells of both and are put in at linking.
    """
    _registers("equal", left, right)
    return Action("compare", "equal", (Branch(True), Branch(False)), registers=(left, right), test="equal")


def decide(condition: Expr, label: str = "", stores_wait: bool = True) -> Action:
    """Answers whether a condition on loaded numbers holds: a branch, which a weak machine may guess before it knows.

    Later stores wait until it is known.  Without `stores_wait` only those do that say so by `ctrl`: a process must
    then name it for every store that happens on one of the ways only, as a litmus test's does.
    """
    branches = (Branch(True, condition), Branch(False, ~condition))
    used, test = registers_of(condition), "value" if stores_wait else "value:free"
    return Action("compare", label or f"{to_text(condition)}?", branches, registers=used, test=test)


def has_variant(register: Register, variant: str) -> Action:
    """Answers whether any byte of a loaded value is of the named form, which a store gave it (a flag bit, say)."""
    _registers("has_variant", register)
    return Action(
        "compare", f"{variant} set?", (Branch(True), Branch(False)), registers=(register,), test=f"variant:{variant}"
    )


def observe(name: str, **registers: Register) -> Action:
    """Hands the named loaded values to the property `name`, decided over all values; ends a retry loop."""
    _registers("observe", *registers.values())
    return Action(
        "observe",
        f"{name}: accepted",
        (Branch(),),
        registers=tuple(registers.values()),
        observes=name,
        names=tuple(registers),
        progress=True,
    )


def _updates(updates: tuple[tuple[Slot, Expr | int], ...]) -> tuple[tuple[Slot, Expr], ...]:
    return tuple((slot, lift(value)) for slot, value in updates)


def _registers(who: str, *values: object) -> None:
    for value in values:
        if not isinstance(value, Register):
            raise SpecError(f"{who}() takes loaded values, and got {value!r}; pass what a yielded load answered")

"""A model: areas, processes and properties as a spec states them, before anything is extracted or linked.

Its one invariant: it is only a description; building one runs no process.  Properties are named, and each name has one
kind, which decides how a search looks for a violation.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from modelcheck.action import Action, Hold
from modelcheck.errors import SpecError
from modelcheck.expression import TRUE, Domain, Expr, Slot, range_domain, word_domain
from modelcheck.memory.area import Area
from modelcheck.process.step_machine import Context, StepMachine
from modelcheck.smt.values import Values

Body = Callable[..., Generator[Action, Any, Any]]
PropertyKind = Literal[
    "invariant", "assertion", "observation", "deadlock", "lock-order", "sleep-in-atomic", "terminates", "eventually",
    "data",
]
Where = Literal["anywhere", "sleeps", "points"]
Numbers = dict[str, int]  # values of words, by the slot's linked name
Explain = Callable[[Numbers, Numbers], tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name, its kind, and what must be reachable for it to mean anything (`witnesses`).

    `condition` is the invariant, or for `terminates` when the process must end undisturbed; `process` is the process
    a `terminates` property is about.  For `eventually` it is when `goal` must be reached, by every run that is fair to
    the processes named in `fair`.  `explain(before, after)`, of a `data` property, gives the consequence in one
    sentence and why nothing noticed, from the values of all words before and after the step that violates it.
    """

    name: str
    kind: PropertyKind
    help: str = ""
    witnesses: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    condition: Expr | None = None
    process: str = ""
    goal: Expr | None = None
    fair: tuple[str, ...] = ()
    explain: Explain | None = None

    @property
    def asked(self) -> str:
        """The witness of an `eventually` property that its `when` holds somewhere, "" where it always does.

        One text for all, since a search is shared by models that are equal up to names.
        """
        return "a state that asks for the goal" if self.kind == "eventually" and self.condition != TRUE else ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process: a generator function, and where it runs.

    `cpu` is its column in a table.  `host` names the process it preempts (design.md section 6): it starts only while
    the host may be preempted, and the host stands still until it is done.  `where` is where that may be: "anywhere"
    that is not atomic, only where the host may sleep ("sleeps"), or only at its scheduling points ("points").
    `context` is what it holds when it starts.  A nested process starts at most `times` times, 0 for any number.
    """

    name: str
    body: Callable[[], Generator[Action, Any, Any]]
    title: str = ""
    cpu: int = 0
    host: str = ""
    where: Where = "anywhere"
    context: Context = Context()
    times: int = 0


class Model:
    """A builder for one system: declare areas, processes and properties, then hand it to a search.

    `compiler` is "free" (plain accesses between two barriers in any order) or "program"; `memory` is the memory model,
    "" for the one that is asked for (sc where none is).  `edit` changes the step machine of the process of that name
    before it is linked; nothing else of a model depends on it.
    """

    def __init__(self, name: str, memory: str = "", compiler: str = "free") -> None:
        self.name = name
        self.memory = memory
        self.compiler = compiler
        self.areas: dict[str, Area] = {}
        self.processes: list[Process] = []
        self.properties: dict[str, Property] = {}
        self.values: Values | None = None
        self.words: dict[str, Slot] = {}
        self.arbitrary: list[Slot] = []  # words that start with any value
        self.assumed: list[tuple[str, Expr]] = []  # of those values
        self.preferred: list[Expr] = []
        self.initially: list[str] = []
        self.assumptions: list[str] = []
        self.said: list[tuple[Expr, str]] = []  # conditions and what they say
        self.edit: Callable[[str, StepMachine], StepMachine] | None = None

    def bool(self, name: str, initial: bool = False) -> Slot:
        """A flag."""
        return Slot(name, Domain("bool", 0, 1), int(initial))

    def range(self, name: str, lo: int, hi: int, initial: int | None = None) -> Slot:
        """A whole number from `lo` to `hi`; leaving that range in a search is an error of the spec."""
        start = lo if initial is None else initial
        if not lo <= start <= hi:
            raise SpecError(f"{name} starts at {start}, outside {lo}..{hi}; start inside the range")
        return Slot(name, range_domain(lo, hi), start)

    def enum(self, name: str, *names: str) -> Slot:
        """One of the given names; starts as the first."""
        from modelcheck.expression import enum_domain

        return Slot(name, enum_domain(*names), 0)

    def stamp(self, name: str, sort: str = "update") -> Slot:
        """An ordered, unbounded version number; all of one sort start equal."""
        return Slot(name, Domain("stamp", sort=sort), 0)

    def name_of(self, name: str, sort: str, initial: int = 0) -> Slot:
        """A name: only ever copied, compared for equality and freshly created.

        Those of one sort that have the same `initial` start equal, others start different.
        """
        if initial < 0:
            raise SpecError(f"{name} starts as {initial}; start a name at 0 or above")
        return Slot(name, Domain("name", sort=sort), initial)

    def word(self, name: str, bits: int = 64, initial: int | None = None) -> Slot:
        """A word of so many bits, whose arithmetic wraps; without `initial` it starts with any value (see `assume`).

        Only `data` properties are decided in a model that has words.
        """
        if name in self.words:
            raise SpecError(f"word {name!r} is declared twice; give the second another name")
        slot = Slot(name, word_domain(bits), initial or 0)
        self.words[name] = slot
        if initial is None:
            self.arbitrary.append(slot)
        return slot

    def assume(self, name: str, condition: Expr) -> None:
        """Assumes a condition of the words' initial values; `name` is listed among the assumptions of each result."""
        self.assumed.append((name, condition))
        if name not in self.assumptions:
            self.assumptions.append(name)

    def prefer(self, *conditions: Expr) -> None:
        """Conditions of the words' initial values that make a counterexample readable, the most wanted first.

        Each is kept only where it costs no answer.
        """
        self.preferred += conditions

    def say(self, condition: Expr, text: str) -> None:
        """Words for a condition that a property consists of, which a counterexample then has where it is false."""
        self.said.append((condition, text))

    def local(self, slot: Slot) -> Slot:
        """The same slot, once for each process that uses it."""
        return Slot(slot.name, slot.domain, slot.initial, own=True)

    def area(self, area: Area) -> Area:
        """Declares an area of memory."""
        if area.name in self.areas:
            raise SpecError(f"area {area.name!r} is declared twice; give the second another name")
        self.areas[area.name] = area
        return area

    def number(self, name: str, lo: int, hi: int, initial: int = 0, size: int = 4) -> Area:
        """A variable in memory that holds a whole number from `lo` to `hi`: an area of `size` bytes.

        Unlike a slot (`bool`, `range`) it is loaded and stored as the memory model has it: see `Area.read`, `write`.
        """
        if not lo <= initial <= hi:
            raise SpecError(f"{name} starts at {initial}, outside {lo}..{hi}; start inside the range")
        return self.area(Area(name, size, domain=range_domain(lo, hi), initial=initial))

    def process(
        self,
        name: str,
        body: Body,
        *args: object,
        title: str = "",
        cpu: int | None = None,
        host: str = "",
        where: Where = "anywhere",
        holds: tuple[Hold, ...] = (),
        irq_off: builtins.bool = False,
        times: int = 0,
    ) -> None:
        """Declares a process that runs `body(*args)`; see Process for the rest."""
        if any(process.name == name for process in self.processes):
            raise SpecError(f"process {name!r} is declared twice; give the second another name")
        if host and not any(process.name == host for process in self.processes):
            raise SpecError(f"process {name!r} preempts {host!r}, which is not declared; declare the host first")
        column = len(self.processes) if cpu is None else cpu
        context = Context(holds, irq_off)
        self.processes.append(Process(name, partial(body, *args), title or name, column, host, where, context, times))

    def _declare(self, prop: Property) -> None:
        if prop.name in self.properties:
            raise SpecError(f"property {prop.name!r} is declared twice; give the second another name")
        self.properties[prop.name] = prop

    def invariant(self, name: str, condition: Expr, help: str = "", witnesses: tuple[str, ...] = ()) -> None:
        """A condition that every reachable state satisfies."""
        self._declare(Property(name, "invariant", help, witnesses, condition=condition))

    def assertion(self, name: str, help: str = "", witnesses: tuple[str, ...] = ()) -> None:
        """A property that `check` actions and the requirements of accesses name."""
        self._declare(Property(name, "assertion", help, witnesses))

    def observation(
        self,
        name: str,
        values: Values,
        help: str = "",
        witnesses: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
    ) -> None:
        """A property of what `observe` actions of that name hand over, decided by `values` over all values."""
        self.values = values
        self._declare(Property(name, "observation", help, witnesses, assumptions))

    def deadlock(self, name: str = "deadlock", help: str = "", witnesses: tuple[str, ...] = ()) -> None:
        """No process that has not finished can be left unable ever to move again, though others may run on."""
        self._declare(Property(name, "deadlock", help or "no process is stuck for ever", witnesses))

    def lock_order(self, name: str = "lock-order", help: str = "", witnesses: tuple[str, ...] = ()) -> None:
        """The order in which lock classes are taken has no cycle, as lockdep sees it."""
        self._declare(Property(name, "lock-order", help or "no cycle of lock classes", witnesses))

    def sleep_in_atomic(self, name: str = "sleep-in-atomic", help: str = "", witnesses: tuple[str, ...] = ()) -> None:
        """No action that may sleep runs with a spinning lock held or interrupts off."""
        self._declare(Property(name, "sleep-in-atomic", help or "nothing sleeps while atomic", witnesses))

    def terminates(
        self,
        name: str,
        process: str,
        when: Expr,
        help: str = "",
        witnesses: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
    ) -> None:
        """The process, run alone from any reachable state where `when` holds, cannot loop without progress."""
        self._declare(Property(name, "terminates", help, witnesses, assumptions, when, process))

    def eventually(
        self,
        name: str,
        goal: Expr,
        help: str = "",
        witnesses: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
        fair: tuple[str, ...] = (),
        when: Expr = TRUE,
    ) -> None:
        """From every reachable state where `when` holds, `goal` is reached by every run weakly fair to `fair`.

        A fair process that stays enabled takes a step; the others may stop for ever or run for ever.  What "enabled"
        means, above all for nested processes and their hosts, is said in `explore.fairness`.  That `when` holds
        somewhere is a witness of the property, `Property.asked`.
        """
        fairly = (f"{', '.join(fair)}: a process that can go on does (weak fairness)",) if fair else ()
        assumptions = (*assumptions, *fairly)
        prop = Property(name, "eventually", help, witnesses, assumptions, when, goal=goal, fair=fair)
        self._declare(replace(prop, witnesses=(*witnesses, prop.asked)) if prop.asked else prop)

    def data(
        self,
        name: str,
        help: str = "",
        witnesses: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
        explain: Explain | None = None,
    ) -> None:
        """A property of words that `check` actions name: decided by z3 for all values along every schedule."""
        self._declare(Property(name, "data", help, witnesses, assumptions, explain=explain))

    def property_names(self) -> list[tuple[str, str]]:
        """The properties as (name, what it says)."""
        return [(prop.name, prop.help) for prop in self.properties.values()]

"""A litmus test as a model of the engine: one area a location, one process a process, nothing else.

Its one invariant: every verdict is the engine's.  What a final state consists of is published by the processes
themselves, as their last action.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.expression import Const, Slot, range_domain
from modelcheck.litmus.condition import Observable
from modelcheck.litmus.errors import Unsupported
from modelcheck.litmus.interpreter import SIZE, Cell, Final, Memory, process
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.possible import Possible, constant, possible_values
from modelcheck.litmus.program import assigned, walk
from modelcheck.litmus.values import Environment, Value
from modelcheck.memory.area import Area
from modelcheck.system.model import Model

FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Observed:
    """Where a final value is: in slot or area `name`, or, where that is "", always `constant`."""

    observable: Observable
    name: str
    constant: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A test with what the model needs to be told: possible values, and what is observed."""

    test: LitmusTest
    possible: Possible
    observed: tuple[Observed, ...]
    faults: tuple[str, ...]  # slots with the line at which a process dereferenced no address, 0 where it did not

    @property
    def names(self) -> tuple[str, ...]:
        """The slots and areas of a final state, for `outcomes`."""
        return (*(o.name for o in self.observed if o.name), *self.faults)


def prepare(test: LitmusTest) -> Prepared:
    """What the test can do at all; raises Unsupported where its values cannot be bounded."""
    try:
        possible = possible_values(test)
    except Unsupported as error:
        raise Unsupported(error.reason, ":".join(filter(None, (test.path, error.where)))) from None
    observed = []
    for observable in sorted({o for o in (*test.all_operands, *test.observed) if isinstance(o, Observable)},
                             key=lambda o: o.order):
        if observable.process < 0:
            there = observable.name in possible.accessed
            initial = possible.initial[observable.name]
        else:
            there = observable.name in assigned(test.processes[observable.process])
            initial = constant(dict(test.registers).get(observable), possible.addresses)
        observed.append(Observed(observable, observable.slot if there else "", initial))
    faults = tuple(f"{number}:{FAULT}" for number in sorted(possible.wild))
    return Prepared(test, possible, tuple(observed), faults)


def model_of(test: LitmusTest, memory: str, prepared: Prepared | None = None) -> Model:
    """The model; x86 has no compiler between the test and the machine, C has."""
    ready = prepared or prepare(test)
    model = Model(test.name, memory=memory, compiler="free" if test.arch == "C" else "program")
    cells = []
    for name, address in ready.possible.addresses.items():
        values = ready.possible.locations[name]
        domain = range_domain(min(values), max(values))
        area = Area(name, SIZE, domain=domain, initial=ready.possible.initial[name])
        cells.append(Cell(name, address, model.area(area) if name in ready.possible.accessed else area, values))
    for number, body in enumerate(test.processes):
        finals = []
        for observed in ready.observed:
            if observed.observable.process == number and observed.name:
                values = ready.possible.registers[observed.observable] | {0}
                slot = Slot(observed.name, range_domain(min(values), max(values)))
                finals.append(Final(observed.observable.name, slot))
        if number in ready.possible.wild:
            last = max(statement.place[0] for statement in walk(body))
            finals.append(Final("", Slot(f"{number}:{FAULT}", range_domain(0, last))))
        model.process(f"P{number}", process, body, _start(test, ready.possible, number),
                      Memory(tuple(cells), locked=memory == "tso"), tuple(finals))
    return model


def _start(test: LitmusTest, possible: Possible, number: int) -> Environment:
    """The registers that the initial state gives a value, in order of their names."""
    found = {}
    for observable, term in test.registers:
        if observable.process == number:
            value = constant(term, possible.addresses)
            found[observable.name] = Value(Const(value), frozenset((value,)))
    return tuple(sorted(found.items()))

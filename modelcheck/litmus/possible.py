"""The values that every location and register of a test can have: what their domains must hold.

Its one invariant: no execution has a value that is not in the sets.  It is a fixpoint over the program that takes
branches both ways; since every statement is executed at most once, a value passes through each store at most once, so
that as many rounds as there are stores are enough even where the sets still grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.litmus.condition import Observable
from modelcheck.litmus.errors import Unsupported
from modelcheck.litmus.litmus_test import LitmusTest
from modelcheck.litmus.operators import bounded, combine
from modelcheck.litmus.program import (
    Address,
    Assign,
    Binary,
    Body,
    If,
    Load,
    Num,
    Old,
    Pick,
    Reg,
    Rmw,
    Statement,
    Store,
    Term,
    terms_of,
    walk,
)

Values = frozenset[int]
_FIRST_ADDRESS = 0x1000


@dataclass(frozen=True, slots=True)
class Possible:
    """The address of each location, what it can hold, and what each register of each process can end with.

    `accessed` are the locations that some process may access, `wild` the processes that may dereference no address.
    """

    addresses: dict[str, int]
    initial: dict[str, int]
    locations: dict[str, Values]
    registers: dict[Observable, Values]
    accessed: frozenset[str]
    wild: frozenset[int]


def possible_values(test: LitmusTest) -> Possible:
    """The fixpoint."""
    addresses = _addresses(test)
    initial = {name: constant(test.initial_value(name), addresses) for name in addresses}
    locations: dict[str, Values] = {name: frozenset((value,)) for name, value in initial.items()}
    stores = sum(isinstance(s, (Store, Rmw)) for body in test.processes for s in walk(body))
    walks: list[_Walk] = []
    for taken in range(stores + 1):
        walks = [_Walk(addresses, locations) for _ in test.processes]
        for number, (walked, body) in enumerate(zip(walks, test.processes, strict=True)):
            for observable, value in test.registers:
                if observable.process == number:
                    walked.registers[observable.name] = frozenset((constant(value, addresses),))
            walked.body(body)
        stored = {name: bounded(locations[name].union(*(w.stored.get(name, Values()) for w in walks)))
                  for name in locations}
        if stored == locations or taken == stores:
            break
        locations = stored
    registers = {Observable(name, number): values for number, walked in enumerate(walks)
                 for name, values in walked.registers.items()}
    accessed = frozenset[str]().union(*(walked.accessed for walked in walks))
    wild = frozenset(number for number, walked in enumerate(walks) if walked.wild)
    return Possible(addresses, initial, locations, registers, accessed, wild)


def _addresses(test: LitmusTest) -> dict[str, int]:
    """A number for each location, above every number that the test writes down."""
    numbers = [abs(n) for body in test.processes for s in walk(body) for n in _numbers(s)]
    numbers += [abs(value.value) for _, value in (*test.initial, *test.registers) if isinstance(value, Num)]
    numbers += [abs(value) for value in test.all_operands if isinstance(value, int)]
    first = _FIRST_ADDRESS
    while first <= max(numbers, default=0):
        first *= 2
    return {name: first + i for i, name in enumerate(test.locations_named)}


def _numbers(value: object) -> tuple[int, ...]:
    """The constants in a statement or term."""
    match value:
        case Num(number):
            return (number,)
        case Binary(_, left, right):
            return (*_numbers(left), *_numbers(right))
        case Pick(condition, then, other):
            return (*_numbers(condition), *_numbers(then), *_numbers(other))
        case Statement():
            return tuple(number for term in terms_of(value) for number in _numbers(term))
        case _:
            return ()


def constant(term: Term | None, addresses: dict[str, int]) -> int:
    """The number that an initial value stands for; 0 where none is given."""
    match term:
        case Num(value):
            return value
        case Address(location):
            return addresses[location]
        case _:
            return 0


class _Walk:
    """One process, both ways at every branch; `registers` are those along the way."""

    def __init__(self, addresses: dict[str, int], locations: dict[str, Values]) -> None:
        self.addresses = addresses
        self.names = {number: name for name, number in addresses.items()}
        self.locations = locations
        self.registers: dict[str, Values] = {}
        self.stored: dict[str, Values] = {}
        self.accessed: set[str] = set()
        self.wild = False

    def body(self, body: Body) -> None:
        for statement in body:
            try:
                self.statement(statement)
            except Unsupported as error:
                line, column = statement.place
                raise Unsupported(error.reason, error.where or f"{line}:{column}") from None

    def statement(self, statement: Statement) -> None:
        match statement:
            case Assign(target=target, value=value):
                self.registers[target] = self.value(value)
            case Load(target=target, pointer=pointer):
                self.registers[target] = self.loaded(pointer)
            case Store(pointer=pointer, value=value):
                self.store(pointer, self.value(value))
            case Rmw(target=target, pointer=pointer, value=value):
                old = self.loaded(pointer)
                self.store(pointer, self.value(value, old))
                self.registers[target] = old
            case If(then=then, other=other):
                before = dict(self.registers)
                self.body(then)
                after = self.registers
                self.registers = before
                self.body(other)
                zero = frozenset((0,))
                self.registers = {name: after.get(name, zero) | self.registers.get(name, zero)
                                  for name in dict.fromkeys((*after, *self.registers))}
            case _:
                pass

    def targets(self, pointer: Term) -> list[str]:
        numbers = self.value(pointer)
        found = [self.names[number] for number in sorted(numbers) if number in self.names]
        self.accessed.update(found)
        self.wild |= len(found) < len(numbers)
        return found

    def loaded(self, pointer: Term) -> Values:
        return Values().union(*(self.locations[name] for name in self.targets(pointer)))

    def store(self, pointer: Term, values: Values) -> None:
        for name in self.targets(pointer):
            self.stored[name] = self.stored.get(name, Values()) | values

    def value(self, term: Term, old: Values = frozenset()) -> Values:
        match term:
            case Num(number):
                return frozenset((number,))
            case Address(location):
                return frozenset((self.addresses[location],))
            case Reg(name):
                return self.registers.get(name, frozenset((0,)))
            case Old():
                return old
            case Binary(op, left, right):
                return combine(op, self.value(left, old), self.value(right, old), left == right)
            case Pick(_, then, other):
                return self.value(then, old) | self.value(other, old)

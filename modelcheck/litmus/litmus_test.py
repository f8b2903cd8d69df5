"""A litmus test as a value, independent of the engine and of the format it was written in."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.litmus.condition import AddressOf, Condition, Observable, Operand, Quantifier, operands
from modelcheck.litmus.program import Body, Term, addresses_of, terms_of, walk


@dataclass(frozen=True, slots=True)
class LitmusTest:
    """A test: one body a process, initial values (0 where not given), and a question about final states.

    `condition` is what the quantifier is about; executions whose final state does not satisfy `filter` do not count.
    `locations` are observables to print beside those the condition names.
    """

    name: str
    arch: str
    processes: tuple[Body, ...]
    initial: tuple[tuple[str, Term], ...]
    registers: tuple[tuple[Observable, Term], ...]
    quantifier: Quantifier
    condition: Condition
    filter: Condition | None = None
    locations: tuple[Observable, ...] = ()
    path: str = ""

    @property
    def all_operands(self) -> tuple[Operand, ...]:
        """Whatever the condition, the filter and the list of locations name, with repeats."""
        named: list[Operand] = [*operands(self.condition), *self.locations]
        if self.filter is not None:
            named += operands(self.filter)
        return tuple(named)

    @property
    def observed(self) -> tuple[Observable, ...]:
        """What a final state consists of, in the order in which it is printed: the filter alone adds nothing to it."""
        named = [*operands(self.condition), *self.locations]
        return tuple(sorted({o for o in named if isinstance(o, Observable)}, key=lambda o: o.order))

    @property
    def locations_named(self) -> tuple[str, ...]:
        """Every location that the test names anywhere, sorted."""
        terms = [term for body in self.processes for statement in walk(body) for term in terms_of(statement)]
        terms += [term for _, term in (*self.initial, *self.registers)]
        found = {name for term in terms for name in addresses_of(term)} | {name for name, _ in self.initial}
        for operand in self.all_operands:
            if isinstance(operand, AddressOf):
                found.add(operand.location)
            elif isinstance(operand, Observable) and operand.process < 0:
                found.add(operand.name)
        return tuple(sorted(found))

    def initial_value(self, location: str) -> Term | None:
        """The initial value that the test gives a location, None for the default."""
        return dict(self.initial).get(location)

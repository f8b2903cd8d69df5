"""The settings that one check asks for, in groups that are decided and told as one.

A sweep over a whole number has thousands of settings and few groups, so settings come and go one at a time, and a group
keeps its first one and the numbers.  Its one invariant: every setting that exists is counted in exactly one group.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from modelcheck.errors import UsageError
from modelcheck.results import Request
from modelcheck.spec import Expectation, Parameter, Setting, Value

Values = tuple[tuple[str, Value], ...]
Row = tuple[str, str, Values, str, Expectation | None]


@dataclass(slots=True)
class Group:
    """Settings of one version and property with equal models and one expectation, but for numbers pinned alike.

    `key` is what the spec calls equivalent.  `row` is where they stand in a table: version, property, the values that
    are no numbers, label, expectation; a verdict may part them further.  `numbers` are by parameter, one a setting.
    """

    first: Setting
    key: Hashable
    row: Row
    expectation: Expectation | None
    numbers: dict[str, list[int]]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Combinations:
    """All groups in the order asked for, and what was left out, in words ("" for nothing)."""

    groups: tuple[Group, ...]
    left_out: str = ""


def combinations(request: Request) -> Combinations:
    """Everything that a request asks for; raises UsageError where none of it exists."""
    spec = request.spec
    wide = tuple(sorted(p.name for p in spec.parameters if p.numeric))  # shown as ranges in one row
    classes: dict[Hashable, dict[Expectation | None, Group]] = {}
    refused: dict[str, int] = {}
    for setting in settings(request):
        why = spec.refuse(setting)
        if why:
            refused[why] = refused.get(why, 0) + 1
            continue
        key = spec.equivalence(setting)
        pinned = tuple([pair for pair in setting.values if pair[0] not in wide])
        members = classes.setdefault((setting.version, setting.property, key, pinned), {})
        expectation = spec.expected(setting)
        group = members.get(expectation)
        if group is None:
            label = next((each.row[3] for each in members.values()), None)
            label = spec.label(setting) if label is None else label
            row = setting.version, setting.property, pinned, label, expectation
            group = members[expectation] = Group(setting, key, row, expectation, {name: [] for name in wide})
        group.count += 1
        for name, numbers in group.numbers.items():
            numbers.append(setting.number(name))
    if not classes:
        raise UsageError(next(iter(refused), "none of the combinations asked for exists"))
    groups = tuple(group for members in classes.values() for group in members.values())
    if not refused:
        return Combinations(groups)
    left_out = f"{sum(refused.values())} combinations do not exist and were left out, such as: {next(iter(refused))}"
    return Combinations(groups, left_out)


def settings(request: Request) -> Iterator[Setting]:
    """The settings asked for, also those that do not exist: versions, properties, then values as parameters come."""
    spec = request.spec
    names = [parameter.name for parameter in spec.parameters]
    order = sorted(range(len(names)), key=names.__getitem__)
    for version in request.versions:
        for name in request.properties or tuple(info.name for info in spec.properties):
            for values in _choices(request, name):
                yield Setting(version, name, tuple([values[i] for i in order]), request.memory)


def values_of(request: Request, parameter: Parameter, name: str) -> tuple[Value, ...]:
    """The values of a parameter for property `name`: those given, else the usual ones; () where the spec decides."""
    usual = parameter.default if not parameter.only or name in parameter.only else parameter.default[:1]
    return tuple(dict(request.values).get(parameter.name) or usual)


def _choices(request: Request, name: str) -> Iterator[Values]:
    """Every combination of values for property `name`, as (parameter, value) in the order of the parameters."""
    offered: list[tuple[str, Values]] = []  # pairs are made once: there are many settings
    for parameter in request.spec.parameters:
        pairs = tuple((parameter.name, value) for value in values_of(request, parameter, name))
        offered.append((parameter.name, pairs))
    alone: list[Values] = [()]  # from each parameter on, those that have one value, up to the first that has not
    for _, pairs in reversed(offered):
        alone.append((*pairs, *alone[-1]) if len(pairs) == 1 else ())
    alone.reverse()

    def rest(chosen: Values) -> Iterator[Values]:
        chosen = (*chosen, *alone[len(chosen)])
        if len(chosen) == len(offered):
            yield chosen
            return
        parameter, pairs = offered[len(chosen)]
        for pair in pairs or [(parameter, value) for value in request.spec.defaults(parameter, chosen)]:
            yield from rest((*chosen, pair))

    return rest(())

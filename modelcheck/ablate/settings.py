"""Where a spec is taken apart: a few settings, chosen by the spec or one of each class of equal models.

Its one invariant: what was set on the command line is taken as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from modelcheck.ablate.results import AblationRequest
from modelcheck.errors import UsageError
from modelcheck.memory.models import MODELS
from modelcheck.spec import Setting, Spec, Value

Values = tuple[tuple[str, Value], ...]
Given = dict[str, tuple[Value, ...]]


def settings_of(request: AblationRequest) -> tuple[Setting, ...]:
    """What is asked, under no memory model yet: for each setting of parameters that exists, the properties asked there.

    The values of every parameter are sorted by name; raises UsageError for no setting.
    """
    found: dict[Values, dict[str, None]] = {}
    refused = ""
    for name in names(request):
        for values in _values_of(request, name):
            setting = Setting(request.version, name, tuple(sorted(values)))
            why = request.spec.refuse(setting)
            refused = refused or why
            if not why:
                found.setdefault(setting.values, {})[name] = None
    if not found:
        raise UsageError(refused or "none of the settings asked for exists")
    return tuple(Setting(request.version, name, values) for values, asked in found.items() for name in asked)


def _values_of(request: AblationRequest, name: str) -> Iterator[Values]:
    """The values at which a property is asked: those the spec chooses, with what was set in their place."""
    given = dict(request.values)
    chosen = request.spec.ablate_settings(request.version, name)
    if not chosen:
        yield from _defaults(request, given)
    for start in chosen:
        yield from _combinations(request.spec, {each: (value,) for each, value in start} | given, ())


def names(request: AblationRequest) -> tuple[str, ...]:
    """The properties asked for."""
    return request.properties or tuple(info.name for info in request.spec.properties)


def memories(request: AblationRequest, setting: Setting) -> tuple[str, ...]:
    """The memory models asked for, or those that the spec's model may be asked for."""
    if request.memories:
        return request.memories
    every = {name: request.spec.build(replace(setting, memory=name), None).memory for name in MODELS}
    return tuple(name for name, own in every.items() if own in ("", name))


def _defaults(request: AblationRequest, given: Given) -> list[Values]:
    """The default values, one of each class that the spec calls equivalent for some property; one that does not exist
    where none does.
    """
    seen: set[Hashable] = set()
    found: dict[Values, None] = {}
    refused: list[Values] = []
    spec = request.spec
    for values in _combinations(spec, given, ()):
        for name in names(request):
            setting = Setting(request.version, name, tuple(sorted(values)))
            if spec.refuse(setting):
                refused = refused or [setting.values]
                continue
            key = spec.equivalence(setting)
            if key not in seen:
                seen.add(key)
                found[setting.values] = None
    return list(found) or refused


def _combinations(spec: Spec, given: Given, chosen: Values) -> Iterator[Values]:
    if len(chosen) == len(spec.parameters):
        yield chosen
        return
    parameter = spec.parameters[len(chosen)]
    for value in given.get(parameter.name) or parameter.default or spec.defaults(parameter.name, chosen):
        yield from _combinations(spec, given, (*chosen, (parameter.name, value)))

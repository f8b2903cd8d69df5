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


def settings_of(request: AblationRequest) -> tuple[Values, ...]:
    """The values of every parameter, sorted by name, for each setting that exists; raises UsageError for none."""
    spec = request.spec
    chosen = spec.ablate_settings(request.version)
    found: dict[Values, None] = {}
    refused = ""
    for start in chosen or [()]:
        given = {name: (value,) for name, value in start} | dict(request.values)
        every = _combinations(spec, given, ()) if chosen else iter(_defaults(request, given))
        for values in every:
            setting = Setting(request.version, names(request)[0], tuple(sorted(values)))
            why = spec.refuse(setting)
            refused = refused or why
            if not why:
                found[setting.values] = None
    if not found:
        raise UsageError(refused or "none of the settings asked for exists")
    return tuple(found)


def names(request: AblationRequest) -> tuple[str, ...]:
    """The properties asked for."""
    return request.properties or tuple(info.name for info in request.spec.properties)


def memories(request: AblationRequest, values: Values) -> tuple[str, ...]:
    """The memory models asked for, or those that the spec's model may be asked for."""
    if request.memories:
        return request.memories
    setting = Setting(request.version, names(request)[0], values)
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

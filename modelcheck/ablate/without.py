"""A spec without one piece: each of its models edited as it is built.

Its one invariant: the full model and every projection of it are without the same piece of the same processes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from modelcheck.ablate.pieces import Part, parts_of
from modelcheck.errors import UsageError
from modelcheck.expression import TRUE
from modelcheck.process import StepMachine
from modelcheck.process.ablation import without
from modelcheck.smt.values import Values
from modelcheck.spec import Setting, Spec
from modelcheck.system.link import machine_in
from modelcheck.system.model import Model


class Without:
    """A spec without one piece: an edit of its models, which keeps the machines it made."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._kept: dict[int, tuple[StepMachine, StepMachine]] = {}

    def __call__(self, process: str, machine: StepMachine) -> StepMachine:
        assert self.part.piece is not None
        if id(machine) not in self._kept:
            self._kept[id(machine)] = machine, without(machine, self.part.piece)
        return self._kept[id(machine)][1]

    def spec(self, spec: Spec) -> Spec:
        """The spec, every model of which is without the piece."""

        def build(setting: Setting, projection: Hashable) -> Model:
            return self._edited(spec.build(setting, projection), setting)

        def projections(setting: Setting) -> tuple[Hashable, ...]:
            chosen = spec.ablate_projections(setting, self.part.assumption)
            whole = self._changes(spec, setting, None)
            return chosen if all(self._changes(spec, setting, p) == whole for p in chosen) else (None,)

        return replace(spec, build=build, projections=projections)

    def _changes(self, spec: Spec, setting: Setting, projection: Hashable) -> tuple[bool, ...]:
        """Which processes have the piece: a projection in which fewer do says nothing of the full model."""
        if self.part.piece is None:
            return ()
        model = spec.build(setting, projection)
        machines = ((p.name, machine_in(model, p)) for p in model.processes)
        return tuple(self(name, machine) is not machine for name, machine in machines)

    def _edited(self, model: Model, setting: Setting) -> Model:
        name = self.part.assumption
        if self.part.piece is not None:
            model.edit = self
        elif model.values is not None and model.properties[setting.property].kind == "observation":
            model.values = _without_assumption(model.values, name)
        else:
            prop = model.properties[setting.property]
            model.properties[prop.name] = replace(prop, condition=TRUE, assumptions=())
        return model


def _without_assumption(values: Values, name: str) -> Values:
    def assume(z3: Any, versions: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        return [each for each in values.assume(z3, versions) if each[0] != name]

    return replace(values, assume=assume, key=(values.key, name))


def spec_without(spec: Spec, setting: Setting, key: str) -> Spec:
    """The spec without the piece of that key; raises UsageError where it has none at this setting."""
    part = next((part for part in parts_of(spec, [setting]) if part.key == key), None)
    if part is None:
        raise UsageError(f"the trace is of {spec.name!r} without {key!r}, which it does not have here (any more)")
    return Without(part).spec(spec)

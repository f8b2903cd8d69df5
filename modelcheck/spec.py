"""What a spec is to the command line: its versions, parameters and properties, and how to build a model of one setting.

A user's own file needs none of this: a function `model()` that returns a `Model` is wrapped into a `Spec`.
The engine asks a spec; it never knows what the spec is about.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from modelcheck.errors import SpecError, UsageError

if TYPE_CHECKING:
    from modelcheck.smt.obligation import Obligation
    from modelcheck.system.model import Model

Value = int | str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the protocol: its name (a commit), its aliases, and what it is in one line."""

    name: str
    aliases: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: either `choices` of text, or all whole numbers `lo..hi`.

    `default` are the values a check takes when the parameter is not set; an empty default leaves the choice to
    `Spec.defaults`.  Where several values are taken by default, only the properties in `only` take them all, others the
    first; empty means all properties.  One that came `later` than saved traces is left out of a trace at its default,
    which must be one value and what was before: so the traces there are keep their ids, and replay.
    """

    name: str
    help: str
    choices: tuple[str, ...] = ()
    lo: int = 0
    hi: int = -1
    default: tuple[Value, ...] = ()
    only: tuple[str, ...] = ()
    later: bool = False

    @property
    def numeric(self) -> bool:
        """Whether values are whole numbers from `lo` to `hi`."""
        return not self.choices

    def describe(self) -> str:
        """What there is to choose from, as text."""
        return f"{self.lo}..{self.hi}" if self.numeric else "|".join(self.choices)


@dataclass(frozen=True, slots=True)
class PropertyInfo:
    """A property's name and what it says in one line."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One combination to check: version, property, a value for every parameter, sorted by name, and memory model."""

    version: str
    property: str
    values: tuple[tuple[str, Value], ...] = ()
    memory: str = "sc"

    def __getitem__(self, name: str) -> Value:
        for key, value in self.values:
            if key == name:
                return value
        raise KeyError(name)

    def number(self, name: str) -> int:
        """The value of a numeric parameter."""
        return int(self[name])

    def text(self, name: str) -> str:
        """The value of a parameter as text."""
        return str(self[name])


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the spec's author expects: a verdict, the known bug it shows ("" if none), and where that is known from."""

    verdict: str
    case: str = ""
    source: str = ""


CaseStatus = Literal["fixed", "known, not fixed", "confirmed", "refuted", "control"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A check that a case asks for, and the verdict that tells it: what `values` leaves out takes its defaults."""

    version: str
    property: str
    values: tuple[tuple[str, Value], ...] = ()
    memory: str = "tso"
    verdict: str = "violated"


@dataclass(frozen=True, slots=True)
class Case:
    """A known bug of the protocol, or what was taken for one.

    `versions` and `conditions` (the fewest under which it shows) are text; `fixed_by` is a commit with its subject, ""
    where there is none; `story` is two sentences.  `before` are checks that show it, `after` that it is gone or what it
    is not.  `trace` is the name of a saved counterexample ("" where there is none).  `report` is longer text that can
    be mailed.
    """

    id: str
    title: str
    versions: str
    status: CaseStatus
    story: str
    before: tuple[Trial, ...] = ()
    after: tuple[Trial, ...] = ()
    fixed_by: str = ""
    conditions: str = ""
    trace: str = ""
    report: str = ""


def _no_projection(setting: Setting) -> tuple[Hashable, ...]:
    return (None,)


def _nothing(setting: Setting) -> str:
    return ""


def _no_expectation(setting: Setting) -> Expectation | None:
    return None


def _itself(setting: Setting) -> Hashable:
    return setting


def _no_obligations(values: tuple[Setting, ...]) -> tuple[Obligation, ...]:
    return ()


def _no_reasons() -> tuple[tuple[str, str], ...]:
    return ()


def _no_defaults(name: str, chosen: tuple[tuple[str, Value], ...]) -> tuple[Value, ...]:
    return ()


def _no_settings(version: str, name: str) -> tuple[tuple[tuple[str, Value], ...], ...]:
    return ()


def _whole_model(setting: Setting, dropped: str) -> tuple[Hashable, ...]:
    return (None,)


@dataclass(frozen=True, slots=True)
class Spec:
    """A protocol that can be checked.

    `build(setting, projection)` makes the model of one setting; projection None is the full model.
    `projections(setting)` lists the projections whose proofs together prove the property (each argued for in the
    spec).  `refuse(setting)` says in one sentence why a setting does not exist, or "".  `equivalence(setting)` is a
    key: settings with one key have equal models up to names, and one is checked for all.  `label(setting)` names the
    group a setting belongs to in a table.  `obligations(settings)` are side conditions z3 proves before a verdict
    counts.  `unreached()` says why lines need not be reached, as (what, why): a kernel function, `function step`, or
    the text of a line.  `cases` are the known bugs.

    `ablate_settings(version, property)` are the values at which a property is asked with each piece of the protocol
    left out in turn, other parameters at their defaults; none leaves all to the defaults.  `ablate_projections(setting,
    dropped)` are projections that prove the property whichever piece is missing, or without the assumption named
    `dropped`; the arguments of `projections` need not hold then.
    """

    name: str
    summary: str
    build: Callable[[Setting, Hashable], Model]
    versions: tuple[Version, ...] = (Version("only"),)
    parameters: tuple[Parameter, ...] = ()
    properties: tuple[PropertyInfo, ...] = ()
    projections: Callable[[Setting], tuple[Hashable, ...]] = _no_projection
    refuse: Callable[[Setting], str] = _nothing
    equivalence: Callable[[Setting], Hashable] = _itself
    label: Callable[[Setting], str] = _nothing
    expected: Callable[[Setting], Expectation | None] = _no_expectation
    obligations: Callable[[tuple[Setting, ...]], tuple[Obligation, ...]] = _no_obligations
    defaults: Callable[[str, tuple[tuple[str, Value], ...]], tuple[Value, ...]] = _no_defaults
    unreached: Callable[[], tuple[tuple[str, str], ...]] = _no_reasons
    cases: tuple[Case, ...] = ()
    ablate_settings: Callable[[str, str], tuple[tuple[tuple[str, Value], ...], ...]] = _no_settings
    ablate_projections: Callable[[Setting, str], tuple[Hashable, ...]] = _whole_model
    path: str = ""
    digest: str = ""

    @property
    def newest(self) -> str:
        """The version a check takes when none is asked for: the last in the list."""
        return self.versions[-1].name

    def told(self, setting: Setting) -> tuple[tuple[str, str], ...]:
        """The parameters of a setting that a trace names, as text."""
        silent = {(p.name, p.default[0]) for p in self.parameters if p.later and len(p.default) == 1}
        return tuple((name, str(value)) for name, value in setting.values if (name, value) not in silent)

    def model(self, setting: Setting, projection: Hashable) -> Model:
        """The model of a setting under its memory model; raises SpecError where the spec itself takes another."""
        model = self.build(setting, projection)
        if not model.memory:
            model.memory = setting.memory
        elif model.memory != setting.memory:
            raise SpecError(
                f"spec {self.name!r} asks for memory={model.memory} in Model(), and --memory is {setting.memory}; "
                "leave one of them out"
            )
        return model

    def version(self, name: str) -> Version:
        """The version of that name or alias; raises UsageError with what there is."""
        for version in self.versions:
            if name == version.name or name in version.aliases:
                return version
        known = ", ".join("=".join((v.name, *v.aliases)) for v in self.versions)
        raise UsageError(f"spec {self.name!r} has no version {name!r}; there are {known}, and 'all'")

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name; raises UsageError with what there is."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(f"{p.name}={p.describe()}" for p in self.parameters) or "none"
        raise UsageError(f"spec {self.name!r} has no parameter {name!r}; there are {known}")

    def case(self, id: str) -> Case:
        """The known bug of that id; raises UsageError with what there is."""
        for case in self.cases:
            if case.id == id:
                return case
        known = ", ".join(case.id for case in self.cases) or "none"
        raise UsageError(f"spec {self.name!r} has no bug {id!r}; there are {known}")

"""At which settings a spec is taken apart."""

from __future__ import annotations

import pytest

from modelcheck import Model, Parameter, PropertyInfo, Spec, UsageError
from modelcheck.ablate import AblationRequest
from modelcheck.ablate.settings import Values, memories, settings_of
from specs.runstate import SPEC


def toy(memory: str = "") -> Spec:
    """Two parameters; settings whose `n` is alike modulo 3 are equal, and n=5 does not exist."""
    return Spec(
        "toy", "", lambda setting, projection: Model("toy", memory),
        parameters=(
            Parameter("kind", "", ("a", "b"), default=("a",)),
            Parameter("n", "", lo=0, hi=9, default=tuple(range(10))),
        ),
        properties=(PropertyInfo("one", ""), PropertyInfo("two", "")),
        equivalence=lambda setting: (setting.property, setting.text("kind"), setting.number("n") % 3),
        refuse=lambda setting: "n=5 does not exist" if setting.number("n") == 5 else "",
    )  # fmt: skip


def chosen(spec: Spec, **values: tuple[int | str, ...]) -> list[Values]:
    """The settings, with these parameters set."""
    return list(settings_of(AblationRequest(spec, spec.newest, tuple(values.items()))))


def test_one_of_each_class_of_the_defaults() -> None:
    assert chosen(toy()) == [(("kind", "a"), ("n", n)) for n in (0, 1, 2)]


def test_what_is_set_is_taken_with_the_defaults_of_the_rest() -> None:
    assert chosen(toy(), n=(7,)) == [(("kind", "a"), ("n", 7))]
    assert chosen(toy(), n=(4,), kind=("a", "b")) == [(("kind", "a"), ("n", 4)), (("kind", "b"), ("n", 4))]


def test_a_setting_that_does_not_exist_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="n=5 does not exist"):
        chosen(toy(), n=(5,))


def test_runstate_is_taken_apart_in_one_page_and_over_two() -> None:
    assert [(dict(v)["abi"], dict(v)["offset"], dict(v)["reader"]) for v in chosen(SPEC)] == [
        ("64", 0, "linux64"), ("64", 4072, "linux64")
    ]  # fmt: skip


def test_another_abi_brings_its_own_reader() -> None:
    assert [(dict(v)["offset"], dict(v)["reader"]) for v in chosen(SPEC, abi=("32",))] == [
        (0, "linux32"), (4072, "linux32")
    ]  # fmt: skip


@pytest.mark.parametrize(("own", "asked", "expected"), [
    ("", (), ("sc", "tso", "weak")), ("tso", (), ("tso",)), ("", ("weak",), ("weak",)), ("tso", ("weak",), ("weak",)),
])  # fmt: skip
def test_all_memory_models_unless_the_model_names_its_own(
    own: str, asked: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    spec = toy(own)
    request = AblationRequest(spec, spec.newest, memories=asked)
    assert memories(request, settings_of(request)[0]) == expected

"""At which settings a spec is taken apart."""

from __future__ import annotations

import pytest

from modelcheck import Model, Parameter, PropertyInfo, Spec, UsageError
from modelcheck.ablate import AblationRequest
from modelcheck.ablate.settings import Values, memories, settings_of
from modelcheck.spec import Setting, Value
from specs.pfncache import SPEC as PFNCACHE
from specs.pfncache.scenarios import SCENARIOS
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
    """The settings of parameters, with these set."""
    return list(dict.fromkeys(each.values for each in asked(spec, **values)))


def asked(spec: Spec, **values: tuple[int | str, ...]) -> tuple[Setting, ...]:
    """What is asked, with these parameters set."""
    return settings_of(AblationRequest(spec, spec.newest, tuple(values.items())))


def test_one_of_each_class_of_the_defaults() -> None:
    assert chosen(toy()) == [(("kind", "a"), ("n", n)) for n in (0, 1, 2)]


def test_what_is_set_is_taken_with_the_defaults_of_the_rest() -> None:
    assert chosen(toy(), n=(7,)) == [(("kind", "a"), ("n", 7))]
    assert chosen(toy(), n=(4,), kind=("a", "b")) == [(("kind", "a"), ("n", 4)), (("kind", "b"), ("n", 4))]


def test_a_setting_that_does_not_exist_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="n=5 does not exist"):
        chosen(toy(), n=(5,))


def test_each_property_of_runstate_is_asked_where_it_can_break() -> None:
    moves, slots = ("voluntary", "none", "usual", "moves"), ("full", "none", "usual", "memslots")
    stays, repaired = ("full", "none", "none", "moves"), ("full", "accounting", "none", "moves")
    both = {(0, *stays), (4072, *stays)}
    names = ("preemption", "fix", "ioctls", "vmm")
    found: dict[str, set[tuple[Value, ...]]] = {}
    clocks: dict[str, set[tuple[Value, ...]]] = {}
    for each in asked(SPEC):
        assert (each["abi"], each["reader"], each["flag"]) == ("64", "linux64", "on")
        clocks.setdefault(each.property, set()).add((each["clock"], each["steal"]))
        found.setdefault(each.property, set()).add((each["offset"], *(each[name] for name in names)))
    calls = ("full", "none", "usual", "moves")
    assert found == {
        "torn-read": both, "flag-clears": both, "reader-terminates": both, "own-read": {(0, *stays)},
        "lock-order": both | {(0, *slots)}, "sleep-in-atomic": both | {(0, *slots)},
        "deadlock": both | {(0, *moves), (0, *slots)}, "stale-mapping": both | {(0, *moves), (0, *slots)},
        "out-of-area": {(4072, *moves)}, "published": {(0, *calls), (4072, *calls)}, "lost-dirty": {(0, *calls)},
        "time-sum": {(0, *repaired)}, "monotonic": {(0, *repaired)}, "steal-booked": {(0, *repaired)},
    }  # fmt: skip
    assert set(found) == {info.name for info in SPEC.properties}
    usual = ("increasing", "exact")
    backwards = {usual, ("may-step-back", "exact"), ("increasing", "free")}
    assert clocks == {name: {usual} for name in found} | {"monotonic": backwards}


def test_another_abi_brings_its_own_reader() -> None:
    found = {(each["offset"], each["reader"]) for each in asked(SPEC, abi=("32",)) if each.property == "torn-read"}
    assert found == {(0, "linux32"), (4072, "linux32")}


@pytest.mark.parametrize(("own", "asked", "expected"), [
    ("", (), ("sc", "tso", "weak")), ("tso", (), ("tso",)), ("", ("weak",), ("weak",)), ("tso", ("weak",), ("weak",)),
])  # fmt: skip
def test_all_memory_models_unless_the_model_names_its_own(
    own: str, asked: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    spec = toy(own)
    request = AblationRequest(spec, spec.newest, memories=asked)
    assert memories(request, settings_of(request)[0]) == expected


def test_the_cache_is_taken_apart_with_every_set_of_actors_but_those_with_all() -> None:
    found: dict[str, set[tuple[Value, ...]]] = {}
    for each in asked(PFNCACHE):
        found.setdefault(each.property, set()).add((each["actors"], each["invalidations"]))
    every = set(SCENARIOS) - {"all", "all-moving"}
    assert found["stale-mapping"] == {(name, "unending") for name in every}
    assert found["refresh-ends"] == {("owner-elsewhere", "once"), ("owner-notifier", "once"), ("hva-outside", "once")}
    assert found["out-of-area"] == {("same-page-move", "unending")}
    assert set(found) == {info.name for info in PFNCACHE.properties}

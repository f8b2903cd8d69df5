"""A guest that switches long mode while its runstate area is updated: one cache, two, or one over two pages.

Encodes protocol.md 8.4 and the mail of 2022-11-14 that it is about (SEED4), with 2.3, 5.1 and 5.2: `forms` are what was
weighed, `actors` who takes part, `update` what is stored in which layout, `over_two` the form that maps two pages at
once, `scene` and `model` put them together, `properties` are I1 to I4 and what else tells the forms apart, `expected`
says what should come out, `cases` which bugs.  The two-cache form runs on the steps of `specs.runstate`.

There are no areas of memory in it, so every memory model gives one answer: the locks order all that is modelled.
"""

from __future__ import annotations

from modelcheck import Obligation, Parameter, Setting, Spec
from specs.long_mode import forms
from specs.long_mode.ablating import ablate_settings
from specs.long_mode.cases import CASES
from specs.long_mode.expected import expected
from specs.long_mode.forms import AREAS, CACHES, crosses, form_of
from specs.long_mode.model import build
from specs.long_mode.properties import PROPERTIES, registers
from specs.long_mode.scene import world_of
from specs.long_mode.unreached import unreached
from specs.runstate.versions import VERSIONS, writer

PARAMETERS = (
    Parameter(
        "caches",
        "what maps the area: the merged form is two, that of a795cd43 one",
        CACHES,
        default=CACHES,
        only=("converted", "registered", "overrun", "stale-mapping"),
    ),
    Parameter(
        "area",
        "which layouts cross the page: the 64-bit one alone, both, or none",
        tuple(AREAS),
        default=tuple(AREAS),
        only=("converted", "registered", "overrun"),
    ),
    Parameter(
        "latched",
        "whether the mode stays while anything is mapped: Xen's rule",
        ("no", "yes"),
        default=("no", "yes"),
        only=("converted", "overrun"),
    ),
    Parameter("reads", "how often an update reads long_mode", ("as-merged", "once", "twice"), default=("as-merged",)),
    Parameter("pages", "what the guest put the area into", ("ram", "iomem"), default=("ram",)),
    Parameter(
        "writers",
        "tasks that update the area; a second one is a fiction",
        ("one", "two"),
        default=("one", "two"),
        only=("deadlock",),
    ),
    Parameter(
        "preemption",
        "where sched_out may nest on the vCPU task: where it may sleep, or anywhere",
        ("voluntary", "full"),
        default=("voluntary",),
    ),
    Parameter(
        "without",
        "left out on purpose: the activation of the second cache by an update, or its user address in the notifier",
        ("none", "activation", "second-range"),
        default=("none",),
    ),
)


def refuse(setting: Setting) -> str:
    """Why a setting does not exist, "" where it does: a property that nothing in it could break says nothing."""
    name, form, area = setting.property, form_of(setting), setting.text("area")
    if not writer(setting.version).two_caches and form.caches != "one":
        return f"caches={form.caches}: {setting.version} has one cache; take 5ec3289b or later"
    if form.without == "activation" and (form.caches != "two" or area != "between"):
        return "without=activation is about a second cache that only one layout needs; take caches=two, area=between"
    if form.without == "second-range" and (form.caches != "one-over-two-pages" or not crosses(area)):
        return "without=second-range is about a mapping of two pages; take caches=one-over-two-pages, area=across"
    if form.iomem and (form.caches != "one-over-two-pages" or not crosses(area) or name != "registered"):
        return "pages=iomem is about mapping two pages at once; take caches=one-over-two-pages and registered"
    if setting.text("writers") == "two" and (form.caches != "two" or name != "deadlock"):
        return "writers=two is about the order of two read locks; take caches=two and deadlock"
    if name == "second-page" and (form.caches != "two" or not crosses(area)):
        return f"second-page with caches={form.caches}, area={area}: no second cache is used; take two and across"
    if name != "registered" and not registers(setting, world_of(setting)):
        return f"{name} with caches={form.caches}, area={area}: no area is registered there; take registered"
    if name == "overrun" and form.caches == "one" and area == "between" and not form.twice:
        return "overrun with caches=one, area=between: the 64-bit layout is never stored there; take two"
    return ""


def label(setting: Setting) -> str:
    """What crosses the page."""
    return {
        "inside": "no layout crosses the page",
        "between": "the 64-bit layout crosses the page",
        "across": "both layouts cross the page",
    }[setting.text("area")]


def obligations(settings: tuple[Setting, ...]) -> tuple[Obligation, ...]:
    """The geometry behind the classes of areas."""
    return forms.obligations()


SPEC = Spec(
    name="long_mode",
    summary="a switch of long mode beside Xen runstate updates in KVM: one cache, two, or one over two pages",
    build=build,
    versions=VERSIONS,
    parameters=PARAMETERS,
    properties=PROPERTIES,
    refuse=refuse,
    label=label,
    expected=expected,
    obligations=obligations,
    unreached=unreached,
    cases=CASES,
    ablate_settings=ablate_settings,
)

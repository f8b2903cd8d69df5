"""The model of one setting: the vCPU, who changes memslots and page tables, and who looks on."""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import Model, Setting
from specs.kvm.memslots import memslot_updater
from specs.memslot_access.guest import observer, scheduler, unmapper, vcpu
from specs.memslot_access.machine import Form, make_machine
from specs.memslot_access.properties import declare, words

BOUND = "a store has two pages; one vCPU stores, one unmaps and one looks on, each again and again"


def form_of(setting: Setting) -> Form:
    """How the store is emulated in a setting."""
    return Form(
        setting.version,
        setting.text("srcu"),
        setting.text("order") == "by-address",
        setting.text("intent") == "write",
        setting.text("vmm") == "handler",
    )


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; there are no projections."""
    kinds = setting.text("first"), setting.text("second")
    return build_form(form_of(setting), kinds, setting.property)


def build_form(form: Form, kinds: tuple[str, str], asked: str) -> Model:
    """A store over two pages of these kinds, emulated so, with the steps that this property looks at."""
    model = Model("memslot_access")
    machine = make_machine(model, form, kinds, asked)
    model.process("vcpu", vcpu, machine, title="vCPU that stores")
    if not form.handler:
        for number, place in enumerate(machine.changing, 1):
            title = f"memslot update of {place.name}"
            model.process(f"memslots{number}", memslot_updater, machine.kvm, place, ("delete", "create"), title=title)
    model.process("unmapper", unmapper, machine, title="vCPU that unmaps")
    if machine.preempted is not None:
        model.process("scheduler", scheduler, machine, title="host scheduler")
    model.process("observer", observer, machine, title="vCPU that looks on")
    model.assumptions.append(BOUND)
    for condition, text in words(machine):
        model.say(condition, text)
    declare(model, machine)
    return model

"""The model of one huge page of a VM: its state, the actors of a scenario, the properties."""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import Model, Setting
from specs.dirty_logging.faults import vcpu
from specs.dirty_logging.forms import FORMS, Form
from specs.dirty_logging.harvest import migration
from specs.dirty_logging.notifier import invalidator
from specs.dirty_logging.properties import declare
from specs.dirty_logging.scenarios import SCENARIOS, Actors
from specs.dirty_logging.slots import Vm, make_log, stores
from specs.dirty_logging.stage2 import make_stage2
from specs.dirty_logging.versions import path
from specs.kvm.cache_versions import cache
from specs.kvm.pfncache import make_kvm

IN_PROGRESS = cache("982ed0de4753")  # the pieces of the notifier that count mmu_invalidate_in_progress
BOUND = "stage 2 is one huge page of at most two pages, and at most two vCPUs fault at a time"
TLB = "the last store through a translation is done when its TLBI is, and set_bit() is seen by the next harvest"


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; there are no projections."""
    return build_scenario(SCENARIOS[setting.text("actors")], setting.version, FORMS[setting.text("form")])


def build_scenario(actors: Actors, version: str, form: Form) -> Model:
    """Stage 2 of that version, or another form of it, with these actors."""
    model, how = Model("dirty_logging"), path(version)
    kvm = make_kvm(model, IN_PROGRESS, memslots=True, notifiers=1)
    s2 = make_stage2(model, actors.pages, actors.blocks, actors.splits, how.parallel)
    log = make_log(model, actors.pages, actors.vcpus, actors.migrates and not actors.toggles)
    vm = Vm(kvm, s2, log)
    for number in range(1, actors.vcpus + 1):
        model.process(f"vcpu{number}", vcpu, vm, how, form, title=f"vCPU {number}, in faults")
    for page in s2.pages:
        model.process(f"guest{page}", stores, vm, page, title=f"guest's stores to page {page}")
    if actors.migrates:
        model.process("migration", migration, vm, form, actors.toggles, title="migration thread")
    if actors.invalidates:
        changes = actors.splits and how.change_pte
        model.process("notifier", invalidator, vm, actors.splits, changes, title="MMU notifier")
    model.assumptions += [BOUND, TLB]
    for page in s2.pages:
        model.say(log.unsaved[page].eq(0), f"page {page} was not written since it was last copied")
    declare(model, actors, vm)
    return model

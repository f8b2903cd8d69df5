"""The model: one VM with its overlay, its shared_info cache, sources of events, a notifier, and a VMM."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from modelcheck import Model, Setting
from specs.kvm.gpc import Gpc, Place
from specs.kvm.invalidators import mmu_notifier
from specs.kvm.pfncache import Kvm, make_gpc, make_kvm, make_page, make_place
from specs.shared_info.events import inject, source
from specs.shared_info.forms import form
from specs.shared_info.properties import declare
from specs.shared_info.scene import Scene
from specs.shared_info.vmm import vmm

KINDS = {
    "idle": (), "moves": ("moves",), "disables": ("disables",), "switches": ("switches",),
    "all": ("moves", "disables", "switches"), "other-slots": ("other-slots",),
}  # fmt: skip


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; there are no projections."""
    model = Model("shared_info")
    kinds, version = KINDS[setting.text("vmm")], form(setting.version)
    moves, hva = "moves" in kinds, setting.text("flavour") == "hva"
    kvm = make_kvm(model, version.cache, moves or "other-slots" in kinds, tracked=True, notifiers=1)
    kvm = replace(kvm, faults=setting.text("gup") == "may-fail")
    elsewhere = setting.text("invalidations") == "elsewhere"
    gpc = make_cache(model, kvm, hva, kinds, not elsewhere)
    switches, lazy = "switches" in kinds, setting.text("vcpu_info") == "may-be-invalid"
    scene = Scene(
        version,
        kvm,
        gpc,
        model.bool("shared_info is enabled", True),
        hva,
        setting.text("without"),
        model.bool("kvm->arch.xen.long_mode", True) if switches else None,
        model.bool("a switch is under way") if switches else None,
        model.bool("the wall clock has the 64-bit layout", True) if switches else None,
        (model.bool("compat bit of evtchn_pending_sel"), model.bool("64-bit bit of evtchn_pending_sel"))
        if switches and lazy
        else (),
    )
    names = [f"event{number}" for number in range(1, setting.number("sources") + 1)]
    owed = tuple(model.bool(f"{name} must not get lost") for name in names)
    for number, each in enumerate(owed, 1):
        model.process(f"event{number}", source, scene, each, title=f"event source {number}")
    if kinds:
        model.process("vmm", vmm, scene, kinds, owed, title="VMM")
    shared_page, memory = gpc.pages[:1], gpc.pages[1:]
    ranges = ((),) if elsewhere else (shared_page, memory) if memory else (shared_page,)
    once = setting.text("invalidations") == "once"
    model.process("notifier", mmu_notifier, kvm, (gpc,), None, ranges, once, title="MMU notifier")
    if scene.selector:
        model.process("vcpu", inject, scene, title="vCPU")
    declare(model, scene, setting, owed, kinds)
    return model


def make_cache(model: Model, kvm: Kvm, hva: bool, kinds: tuple[str, ...], valid: bool) -> Gpc:
    """The cache; the overlay is at frame a first, and frame b then has the guest's memory.

    Of a cache by user address only the page matters, and whether some memslot has it.
    """
    shared, disables = make_page(model, "shared_info", 1), "disables" in kinds
    if "other-slots" in kinds:
        place = make_place(model, "frame a", (shared,), memslots=True)
        return make_gpc(model, "shinfo", (place,), kvm, disables, valid)
    if "moves" not in kinds:
        return make_gpc(model, "shinfo", (Place("frame a", (shared,)),), kvm, disables, valid, hva=hva)
    invalid = model.bool("memslot of frame a is INVALID")
    if hva:
        overlay = Place("the overlay", (shared,), 0, model.range("memslot of the overlay", 0, 1, 1), invalid)
        return make_gpc(model, "shinfo", (overlay,), kvm, disables, valid, hva=True)
    memory = make_page(model, "guest memory a", 2), make_page(model, "guest memory b", 3)
    places = (
        Place("frame a", (shared, memory[0]), 0, model.range("memslot of frame a", 0, 2, 1), invalid),
        Place("frame b", (shared, memory[1]), 0, model.range("memslot of frame b", 0, 2, 2),
              model.bool("memslot of frame b is INVALID")),
    )  # fmt: skip
    return make_gpc(model, "shinfo", places, kvm, disables, valid)

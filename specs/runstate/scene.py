"""One model of one setting: who runs, on what, and which bytes the state carries.

A projection says what a model leaves out: `carried` are the bytes of the area whose provenance is kept, `copied` those
of them the reader's copy hands over, `early` whether the reader starts over at once when it has seen the flag, `facts`
whether it holds on to what only z3 looks at.  The full model is the projection None.  Which projections prove which
property, and why, is in `projections`.

The processes get the area's name and size alone, and as much of the layout as they look at: where the area lies and
what the state carries of it concerns the model's own area.  So settings and projections share their processes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import cast

from modelcheck import Area, Model, Setting, Tear, Where
from specs.runstate import data
from specs.runstate.invalidators import mmu_notifier
from specs.runstate.layout import LINE, PAGE_SIZE, Layout, Struct
from specs.runstate.pfncache import make_gpc, make_kvm
from specs.runstate.properties import declare
from specs.runstate.readers import READERS, View
from specs.runstate.versions import writer
from specs.runstate.writer import Scene, sched_out, vcpu

READ_BARRIERS = ("first-rmb", "second-rmb")
WHERE: dict[str, Where] = {"none": "points", "voluntary": "sleeps", "full": "anywhere"}


@dataclass(frozen=True, slots=True)
class Projection:
    """What a projected model carries; see the module."""

    carried: frozenset[int]
    copied: tuple[int, ...] = ()
    early: bool = False
    facts: bool = True


def layout_of(setting: Setting) -> Layout:
    """The layout of a setting."""
    return Layout(setting.number("abi"), setting.number("offset"))


def scene_of(setting: Setting) -> Scene:
    """What the writer of a setting works on."""
    model, layout = Model("slots"), layout_of(setting)
    return Scene(
        writer(setting.version),
        layout.parts,
        Area("runstate", layout.size),
        make_kvm(model),
        make_gpc(model, "gpc1"),
        make_gpc(model, "gpc2"),
        model.stamp("shadow"),
        model.bool("writer idle", True) if setting.property == "reader-terminates" else None,
        setting.text("flag") == "on",
        setting.text("without"),
    )


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting, full or projected."""
    if setting.property in data.NAMES:
        return data.data_model(setting)
    assert projection is None or isinstance(projection, Projection)
    layout, version = layout_of(setting), writer(setting.version)
    model = Model("runstate", setting.memory, compiler=setting.text("compiler"))
    model.area(
        Area(
            "runstate",
            layout.size,
            layout.offset,
            line=LINE,
            page=PAGE_SIZE,
            fields=layout.fields,
            tear=cast(Tear, setting.text("tear")),
            carried=projection.carried if projection else None,
            marked=frozenset({layout.update_byte}),
            bounds="out-of-area",
        )
    )
    scene = scene_of(setting)
    model.process("vcpu", vcpu, scene, title="KVM, vCPU task", cpu=0)
    where = WHERE[setting.text("preemption")]
    model.process(
        "sched_out", sched_out, scene, title="KVM, sched_out on the vCPU task", cpu=0, host="vcpu", where=where
    )
    caches = (scene.gpc1, scene.gpc2) if layout.split else (scene.gpc1,)
    model.process("notifier", mmu_notifier, scene.kvm, caches, version.read_first, title="MMU notifier", cpu=2)
    without = setting.text("without")
    missing = without if without in READ_BARRIERS else ""
    view = (
        View(scene.area, Struct(layout.abi), without=missing)
        if projection is None
        else View(scene.area, Struct(layout.abi), projection.copied, projection.early, projection.facts, missing)
    )
    reader = setting.text("reader")
    model.process("reader", READERS[reader], view, title=f"guest, {reader} reader", cpu=1)
    model.initially += ["update 0 complete, flag clear, both caches valid"]
    declare(model, setting, layout, scene.idle)
    return model

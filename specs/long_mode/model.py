"""The model of one setting: the vCPU task with its sched_out, the switch of the mode, the MMU notifier.

Pages are freed only where `stale-mapping` asks which page is behind a mapping; elsewhere an invalidation makes a cache
fail its check, and the page stays.  Invalidations are of either page of the area, or of none.
"""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import Model, Setting, Where
from specs.kvm.gpc import Gpc
from specs.kvm.invalidators import mmu_notifier, ranges_of
from specs.kvm.pfncache import Page
from specs.long_mode.actors import mode_switch, sched_out, vcpu, writer
from specs.long_mode.properties import declare
from specs.long_mode.scene import World, world_of


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting; there are no projections."""
    world = world_of(setting)
    model = Model("long_mode")
    model.process("vcpu", vcpu, world, title="KVM, vCPU task", cpu=0)
    where: Where = "sleeps" if setting.text("preemption") == "voluntary" else "anywhere"
    model.process(
        "sched_out", sched_out, world, title="KVM, sched_out on the vCPU task", cpu=0, host="vcpu", where=where
    )
    model.process("mode", mode_switch, world, title="KVM, long mode switch", cpu=1)
    if setting.text("writers") == "two":
        model.process("writer", writer, world, title="another task that updates the area", cpu=3)
    seen, every = caches_of(world)
    frees = setting.property == "stale-mapping"
    ranges = ranges_of(every) if frees else tuple(gpc.pages for gpc in every)
    model.process(
        "notifier", mmu_notifier, world.scene.kvm, seen, None, named(ranges), False, frees, title="MMU notifier", cpu=2
    )
    for gpc in every:
        for condition, text in gpc.words():
            model.say(condition, text)
    model.initially.append("compat mode, no area registered")
    declare(model, setting, world)
    return model


def caches_of(world: World) -> tuple[tuple[Gpc, ...], tuple[Gpc, ...]]:
    """What the notifier looks at, and all that is mapped; left out on purpose may be the second page's user address."""
    scene = world.scene
    if world.twin is not None:
        both = scene.gpc1, world.twin.page
        return (both[:1] if world.form.without == "second-range" else both), both
    every: tuple[Gpc, ...] = (scene.gpc1, scene.gpc2) if world.form.caches == "two" else (scene.gpc1,)
    return every, every


def named(ranges: tuple[tuple[Page, ...], ...]) -> tuple[tuple[Page, ...], ...]:
    """Each range once."""
    return tuple(dict.fromkeys(ranges))

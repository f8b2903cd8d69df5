"""What the processes work on: the runstate writer's own scene, the second page of a mapping over two, and ghosts.

The scene is `specs.runstate.scene`'s, with an area that moves between two places and a mode that switches, so that the
writer's steps G0 to G6 and G13 and the ioctl's C1 to C4 are the ones of that spec.  Here nothing is registered at the
start, and the guest is in compat mode, as KVM has it until the hypercall page is written.  Its locks are those for
`deadlock`, whatever is asked: a switch takes the lock that ioctls of the vCPU hold, and so comes before or after one.

The area moves between a place of the class that is asked for and one that both layouts cross, where the form can have
that; so a registration may come from either, in either mode.

Each lock is a lock class of its own, so that `lock-order` is of instances: with no cycle in it, no number of vCPUs,
updates, invalidations and ioctls can wait for each other in a ring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelcheck import Model, Mutex, RwLock, Setting, Slot
from specs.kvm.pfncache import Gpc
from specs.long_mode.forms import AREAS, Form, form_of
from specs.runstate import scene as runstate
from specs.runstate.setup import Scene

COMPAT, NATIVE = 1, 0  # numbers of the layouts of a place

FIXED = {
    "ioctls": "usual", "vmm": "moves", "preemption": "full", "mode": "switches", "fix": "none", "flag": "on",
    "clock": "increasing", "steal": "exact", "tear": "copies", "compiler": "free", "reader": "linux64",
    "refresher": "own",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Twin:
    """What a cache over two pages has beside `gpc1`: the second page, and whether the mapping has it.

    `page` shares all of gpc1 but its pfn; `new_pfn` is the local of a refresh.
    """

    page: Gpc
    both: Slot
    new_pfn: Slot


@dataclass(frozen=True, slots=True)
class Ghosts:
    """`steady`: a sleeping update is under way, and the mode did not change since it began.

    `stored`: since then, and in the layout of the mode, the bytes of the area on the first page, and on the second.
    All are 0 while no sleeping update is under way.
    """

    steady: Slot
    stored: tuple[Slot, Slot]


@dataclass(frozen=True, slots=True)
class World:
    """The writer's scene, the form, and what only `converted` looks at."""

    scene: Scene
    form: Form
    twin: Twin | None
    ghosts: Ghosts | None

    @property
    def long_mode(self) -> Slot:
        """kvm->arch.xen.long_mode."""
        assert self.scene.long_mode is not None
        return self.scene.long_mode

    @property
    def active(self) -> Slot:
        """runstate_cache.active."""
        assert self.scene.gpc1.active is not None
        return self.scene.gpc1.active


def world_of(setting: Setting) -> World:
    """What the processes of a setting work on."""
    form, area = form_of(setting), setting.text("area")
    moved = "last" if form.caches != "one" and area != "inside" else "same"
    without = "activation" if form.without == "activation" else "none"
    values: dict[str, int | str] = {**FIXED, "abi": "32", "offset": AREAS[area], "to": moved, "without": without}
    scene = runstate.scene_of(replace(setting, property="deadlock", values=tuple(sorted(values.items()))))
    gpc1, gpc2 = unregistered(scene.gpc1), unregistered(scene.gpc2)
    version = replace(scene.version, two_caches=form.caches == "two", mode_twice=False)  # the form says
    model = Model("slots")
    twin = None
    if form.caches == "one-over-two-pages":
        twin = Twin(
            replace(gpc1, name="gpc1's second page", pfn=gpc2.pfn, places=gpc2.places),
            model.bool("gpc1 maps both pages"),
            model.local(replace(scene.kvm.new_pfn, name="second new_pfn")),
        )
    ghosts = None
    if setting.property == "converted":
        first, second = (model.bool(f"the area on page {page} is in the new layout") for page in (1, 2))
        ghosts = Ghosts(model.bool("no switch since the update began"), (first, second))
    return World(replace(scene, version=version, gpc1=gpc1, gpc2=gpc2), form, twin, ghosts)


def unregistered(gpc: Gpc) -> Gpc:
    """The cache before its first activation, with locks that are lock classes of their own."""
    assert gpc.active is not None and gpc.listed is not None and gpc.mapping is not None

    def off(slot: Slot) -> Slot:
        return replace(slot, initial=0)

    return replace(
        gpc,
        lock=RwLock(gpc.lock.name, gpc.lock.name),
        refresh_lock=Mutex(gpc.refresh_lock.name, gpc.refresh_lock.name),
        valid=off(gpc.valid),
        pfn=off(gpc.pfn),
        active=off(gpc.active),
        listed=off(gpc.listed),
        mapping=replace(gpc.mapping, khva=off(gpc.mapping.khva), map=off(gpc.mapping.map)),
    )

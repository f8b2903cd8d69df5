"""One model of one setting: who runs, on what, and which bytes the state carries.

A projection says what a model leaves out: `carried` are the bytes of the area whose provenance is kept, `copied` those
of them the reader's copy hands over, `early` whether the reader starts over at once when it has seen the flag, `facts`
whether it holds on to what only z3 looks at, `beyond` the bytes outside the area whose stores are steps.  The full
model is the projection None.  Which projections prove which property, and why, is in `projections`.

Who takes part depends on the property; whoever can break it does:

- Readers change nothing that others look at, so they are there where a property is about them.
- The memslot updater does to the bytes in memory what the notifier does, it makes a cache fail its check; it has harms
  of its own (an old slot, locks, a grace period), and is there where those count.
- An area that moves between two places, or is unregistered, is there where stores could miss it (`out-of-area`,
  `stale-mapping`).  While it moves, a reader has nothing that it may rely on, so elsewhere the area is registered again
  where it was.
- The VMM calls ioctls of the vCPU, which move the area, or changes memslots while the others run: each by default, and
  both in one search on demand (`vmm`; `BOTH` says why they come to no more).  Where locks are looked at, one kind of
  memslot update speaks for all.
- The vCPU is destroyed where its caches are deactivated: then nothing is written any more, and elsewhere a writer that
  does no more steps is among the schedules anyway.
- The attributes of the VM are set by another task: in the lock searches always, with what they say on demand (`mode`,
  `flag`).
- The guest reads its own area only after an update in KVM_RUN, so an ioctl before it changes nothing (`own-read`).
- Where memslots change, invalidations are of the page behind that slot, or of none of the area's.
- Which page is behind a cache decides no lock: where locks are looked at, an invalidation is of all pages or none, and
  the pages stay.
- A second refresher of the vCPU's caches is a fiction, and has an area that stays where it is.
- Locks that only one process of a model takes are left out of it.

The processes get the area's name and size alone, and as much of the layout as they look at: where the area lies and
what the state carries of it concerns the model's own area.  So settings and projections share their processes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import cast

from modelcheck import Area, Model, Mutex, Setting, Srcu, Tear
from specs.kvm.cache_versions import cache
from specs.kvm.invalidators import mmu_notifier
from specs.kvm.making import make_gpc, make_kvm, make_page, make_place
from specs.kvm.memslots import memslot_updater
from specs.runstate import data
from specs.runstate.layout import LINE, PAGE_SIZE, Layout, Struct
from specs.runstate.migration import make_dirty, migration
from specs.runstate.others import flag_attribute, once_asked, other_cpu, second_refresher, vm_attributes
from specs.runstate.properties import LOCKING, SLOTS, declare
from specs.runstate.readers import READERS, View
from specs.runstate.setup import Ghosts, Locks, Place, Scene
from specs.runstate.values import by_readings, interrupted
from specs.runstate.vcpu import sched_out, vcpu
from specs.runstate.versions import writer

BOTH = """\
vmm=both lets ioctls of the vCPU and memslot updates run in one search.  It is no default because of its size: for the
newest version and a 64-bit area in one page it has 32,597,320 states for lock-order and for deadlock, which hold, where
vmm=moves has 755,987 and vmm=memslots 598,757; stale-mapping and areas over two pages have more, and were not searched
to their end.  Why the two should add no interference to each other that neither search has:

What a memslot update does to the others is that a cache's generation is out of date, and that a look-up finds another
page or none.  So kvm_gpc_check() fails, as after an invalidation, or a refresh or activation fails, as where
hva_to_pfn() does; vmm=moves has both at every point of every ioctl, since the notifier never stops.  What an ioctl does
to the updater is a read section of kvm->srcu, which ends if the task goes on; vmm=memslots has one in KVM_RUN.

stale-mapping: a store goes through one cache, whose own check passed with its own lock held, in the same read section.
Where the other cache leads, or in which ioctl this is, does not matter to it; so an area that is half moved (D1) is no
new case, and with a generation that is out of date in one cache only, the check of that one fails.

deadlock, lock-order: the updater waits for the notifiers' count and for the readers of kvm->srcu, with slots_lock held
alone.  None of the others takes slots_lock, and none waits for anything that the updater holds, so that it is in no
cycle, and stuck only behind one who is stuck without it.  The ioctls' xen_lock is taken outside of the read section.

sleep-in-atomic: whether a step may sleep depends on what its own task holds, and each step is in one of the two.
"""

READ_BARRIERS = ("first-rmb", "second-rmb")
READING = ("torn-read", "reader-terminates")
IOCTLS = {
    "none": (),
    "usual": ("RUNSTATE_ADDR", "RUNSTATE_CURRENT"),
    "runnable": ("RUNSTATE_ADDR", "RUNSTATE_CURRENT"),
    "adjust": ("RUNSTATE_ADDR", "RUNSTATE_CURRENT", "RUNSTATE_ADJUST"),
    "data": ("RUNSTATE_ADDR", "RUNSTATE_CURRENT", "RUNSTATE_DATA"),
}


@dataclass(frozen=True, slots=True)
class Projection:
    """What a projected model carries; see the module."""

    carried: frozenset[int]
    copied: tuple[int, ...] = ()
    early: bool = False
    facts: bool = True
    beyond: frozenset[int] = frozenset()


def layout_of(setting: Setting) -> Layout:
    """The layout of a setting."""
    return Layout(setting.number("abi"), setting.number("offset"))


def moves(setting: Setting) -> bool:
    """Whether RUNSTATE_ADDR moves the area between two places."""
    able = setting.property in ("out-of-area", *SLOTS) and setting.text("ioctls") != "none"
    able = able and setting.text("refresher") == "own"
    return able and setting.text("vmm") != "memslots"


def slots_change(setting: Setting) -> bool:
    """Whether the memslot updater runs."""
    return setting.property in SLOTS and setting.text("vmm") != "moves"


def layouts_of(setting: Setting) -> tuple[Layout, ...]:
    """The places where the area may be, the setting's own first."""
    here = layout_of(setting)
    if not moves(setting):
        return (here,)
    last = PAGE_SIZE - (1 if writer(setting.version).two_caches else 48)
    return here, Layout(here.abi, last if setting.text("to") == "last" else here.offset)


def area_name(place: int) -> str:
    """The name of the area at a place."""
    return "runstate" if place == 0 else "runstate at B"


def place_of(setting: Setting, number: int, layout: Layout) -> Place:
    """What the writer sees of one place."""
    both = tuple(Layout(abi, layout.offset).parts for abi in (64, 32))
    return Place(Area(area_name(number), layout.size), (layout.parts,) if setting.text("mode") == "fixed" else both)


def locks_of(setting: Setting) -> Locks:
    """The locks that others want too."""
    waits = setting.text("flag") == "switches" and setting.text("fix") == "flag"
    if setting.property not in SLOTS:
        return Locks(srcu=Srcu("kvm->srcu") if waits else None)
    attributes = Mutex("kvm->arch.xen.xen_lock" if writer(setting.version).xen_lock else "kvm->lock")
    srcu = Srcu("kvm->srcu") if slots_change(setting) or waits else None
    shared = setting.property in LOCKING and (moves(setting) or setting.text("flag") == "switches")
    return Locks(attributes=attributes if shared else None, srcu=srcu)


def scene_of(setting: Setting) -> Scene:
    """What the writer of a setting works on."""
    model, layout, name = Model("slots"), layout_of(setting), setting.property
    version, rt = writer(setting.version), setting.text("preemption") == "rt"
    own = name == "own-read"
    moving, slots = moves(setting), slots_change(setting)
    ioctls = () if own or slots and not moving else IOCTLS[setting.text("ioctls")]
    kvm = make_kvm(model, cache(version.cache), memslots=slots, tracked=moving, sleeping=rt)
    caches = [
        make_gpc(
            model,
            f"gpc{number}",
            tuple(
                make_place(
                    model, f"{place}'s page {number}", (make_page(model, f"page {place}{number}", i),), memslots=slots
                )
                for i, place in enumerate("AB" if moving else "A", 1)
            ),
            kvm,
            deactivates=moving,
            valid=number == 1 or layout.split,
            active=number == 1 or layout.split,
        )
        for number in (1, 2)
    ]
    ghosts = Ghosts(
        model.bool("writer idle", True) if name == "reader-terminates" else None,
        model.bool("update flag set") if name == "flag-clears" else None,
        model.local(model.bool("update stored")) if name in ("published", "own-read") else None,
        model.range("current_runstate", 0, 3) if own else None,
        model.range("state in the guest's copy", 0, 3) if own else None,
        make_dirty(model, 2 if layout.split else 1) if name == "lost-dirty" else None,
        model.bool("the guest asked for the flag") if setting.text("flag") == "switches" else None,
    )
    return Scene(
        version,
        tuple(place_of(setting, number, each) for number, each in enumerate(layouts_of(setting))),
        kvm,
        caches[0],
        caches[1],
        model.stamp("shadow"),
        model.local(model.stamp("now")),
        model.local(model.stamp("entry_time")),
        model.local(model.stamp("rs")),
        model.bool("in KVM_RUN"),
        model.bool("KVM_REQ_STEAL_UPDATE"),
        model.bool("long_mode", setting.number("abi") == 64) if setting.text("mode") == "switches" else None,
        model.bool("runstate_update_flag") if setting.text("flag") == "switches" else None,
        setting.text("flag") == "on",
        moving,
        (*ioctls, "other") if name == "lost-dirty" else ioctls,
        setting.text("ioctls") in ("runnable", "adjust"),
        interrupted(setting),
        by_readings(setting),
        rt,
        own,
        setting.text("without"),
        setting.text("fix"),
        locks_of(setting),
        ghosts,
    )


def build(setting: Setting, projection: Hashable = None) -> Model:
    """The model of one setting, full or projected."""
    if setting.property in data.NAMES:
        return data.data_model(setting)
    assert projection is None or isinstance(projection, Projection)
    model = Model("runstate", setting.memory, compiler=setting.text("compiler"))
    for number, layout in enumerate(layouts_of(setting)):
        model.area(
            Area(
                area_name(number),
                layout.size,
                layout.offset,
                line=LINE,
                page=PAGE_SIZE,
                fields=layout.fields,
                tear=cast(Tear, setting.text("tear")),
                carried=projection.carried if projection else None,
                beyond=projection.beyond if projection else None,
                marked=frozenset({layout.update_byte}),
                bounds="out-of-area",
            )
        )
    scene = scene_of(setting)
    tasks(model, setting, scene, projection)
    others(model, setting, scene)
    both = layout_of(setting).split
    model.initially.append(f"update 0 complete, flag clear, {'both caches' if both else 'gpc1'} valid")
    declare(model, setting, layout_of(setting), scene)
    return model


def tasks(model: Model, setting: Setting, scene: Scene, projection: Projection | None) -> None:
    """The vCPU task, what nests on it, and the guest that reads."""
    own = view_of(setting, projection) if scene.own_reader else None
    model.process("vcpu", vcpu, scene, own, title="KVM, vCPU task", cpu=0)
    where = data.WHERE[setting.text("preemption")]
    model.process(
        "sched_out", sched_out, scene, title="KVM, sched_out on the vCPU task", cpu=0, host="vcpu", where=where
    )
    if setting.property in READING:
        reader = setting.text("reader")
        view, title = view_of(setting, projection), f"guest, {reader} reader"
        if scene.ghosts.asked is None:
            model.process("reader", READERS[reader], view, title=title, cpu=1)
        else:
            model.process("reader", once_asked, scene.ghosts.asked, READERS[reader], view, title=title, cpu=1)


def view_of(setting: Setting, projection: Projection | None) -> View:
    """What a reader looks at."""
    without = setting.text("without")
    area, layout = Area("runstate", layout_of(setting).size), Struct(setting.number("abi"))
    missing = without if without in READ_BARRIERS else ""
    if projection is None:
        return View(area, layout, without=missing)
    return View(area, layout, projection.copied, projection.early, projection.facts, missing)


def others(model: Model, setting: Setting, scene: Scene) -> None:
    """Everybody else that the property's cast has."""
    kvm, dirty, name = scene.kvm, scene.ghosts.dirty, setting.property
    caches = (scene.gpc1, scene.gpc2) if any(p.split for place in scene.places for p in place.parts) else (scene.gpc1,)
    every = tuple(dict.fromkeys(page for gpc in caches for page in gpc.pages))
    ranges, frees = ((every, ()), False) if name in LOCKING else (None, True)
    if slots_change(setting) and not moves(setting) and name not in LOCKING:
        ranges = (caches[-1].pages, ())
    model.process("notifier", mmu_notifier, kvm, caches, None, ranges, False, frees, title="MMU notifier", cpu=2)
    if slots_change(setting):
        slot = caches[-1].places[0]
        kinds = ("flags",) if name in LOCKING else ("delete", "create")
        model.process("memslots", memslot_updater, kvm, slot, kinds, title="KVM_SET_USER_MEMORY_REGION", cpu=3)
    if name in LOCKING:
        other = make_gpc(model, "vcpu 1's gpc1", kvm=kvm)
        title = "another vCPU's task, wakeups, attributes of the VM"
        model.process("other", other_cpu, other, kvm, scene.locks, title=title, cpu=4)
    if scene.long_mode is not None:
        model.process("vm", vm_attributes, scene.long_mode, scene.locks, title="KVM, long mode switch", cpu=4)
    if scene.update_flag is not None and scene.ghosts.asked is not None:
        flag = scene.update_flag, scene.ghosts.asked, scene.locks, scene.fix == "flag"
        model.process("vm_flag", flag_attribute, *flag, title="KVM, RUNSTATE_UPDATE_FLAG", cpu=4)
    if setting.text("refresher") == "second":
        model.process("refresher", second_refresher, caches, kvm, scene.locks, title="second refresher", cpu=5)
    if dirty is not None:
        stops = setting.text("without") != "pause"
        model.process("migration", migration, dirty, stops, title="migration thread", cpu=3)

"""What the vCPU task works on: addresses, caches, the shadow, and what only properties look at.

No more than a process looks at, so that the tasks of all areas with equal parts are one process (see `scene`).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Area, Irq, Mutex, Slot, Srcu
from specs.kvm.pfncache import Gpc, Kvm, Steps
from specs.runstate.layout import Parts
from specs.runstate.migration import Dirty
from specs.runstate.versions import Writer


@dataclass(frozen=True, slots=True)
class Place:
    """Where the area may be registered: the bytes there, and how the writer cuts them, for each layout it may use."""

    area: Area
    parts: tuple[Parts, ...]


@dataclass(frozen=True, slots=True)
class Ghosts:
    """What only properties look at, None where the property is another one.

    `idle`: the writer stores nothing now.  `flagged`: the update flag is set in the guest's copy.  `stored`: this
    task's update has reached the guest whole.  `state` and `shown`: the runstate in the shadow, and in the guest's
    copy.  `dirty`: what migration keeps of each page.  `asked`: the guest may rely on the update flag.
    """

    idle: Slot | None = None
    flagged: Slot | None = None
    stored: Slot | None = None
    state: Slot | None = None
    shown: Slot | None = None
    dirty: Dirty | None = None
    asked: Slot | None = None


@dataclass(frozen=True, slots=True)
class Locks:
    """What the vCPU task holds around an update, each None where nobody else wants it (protocol.md 5.5).

    vcpu->mutex is left out: nobody else in any model wants it.
    """

    attributes: Mutex | None = None
    srcu: Srcu | None = None


def lock(mutex: Mutex | None, function: str) -> Steps:
    """Takes a mutex that somebody else may want."""
    if mutex is not None:
        yield mutex.lock().at("", function)


def unlock(mutex: Mutex | None, function: str) -> Steps:
    """Releases it."""
    if mutex is not None:
        yield mutex.unlock().at("", function)


def enter(srcu: Srcu | None, function: str) -> Steps:
    """srcu_read_lock(&kvm->srcu), where somebody waits for its readers."""
    if srcu is not None:
        yield srcu.read_lock().at("", function)


def leave(srcu: Srcu | None) -> Steps:
    """srcu_read_unlock(&kvm->srcu)."""
    if srcu is not None:
        yield srcu.read_unlock()


@dataclass(frozen=True, slots=True)
class Scene:
    """What the writer works on, no more than it looks at: writers of areas with equal parts are one process (`scene`).

    `long_mode` is None where it never changes, and so is `update_flag`; then `flag` says whether the guest has asked
    for XEN_RUNSTATE_UPDATE.  `destroys`: the vCPU is destroyed in the end.  `now` is the clock reading of one call,
    `entry_time` and `rs` what it has taken of the shadow (`stores`).  `interrupted`: sched_out may come in the middle
    of the accounting; `readings`: versions are then in the order of their clock readings, else in the order in which
    they are made (`writer`).  `rt`: PREEMPT_RT.  `without` names what is left out on purpose (the parameter's help has
    them), `fix` what is put in.
    """

    version: Writer
    places: tuple[Place, ...]
    kvm: Kvm
    gpc1: Gpc
    gpc2: Gpc
    shadow: Slot
    now: Slot
    entry_time: Slot
    rs: Slot
    in_run: Slot
    request: Slot
    long_mode: Slot | None
    update_flag: Slot | None
    flag: bool
    destroys: bool
    ioctls: tuple[str, ...]
    runnable: bool
    interrupted: bool
    readings: bool
    rt: bool
    own_reader: bool
    without: str
    fix: str
    locks: Locks = Locks()
    ghosts: Ghosts = Ghosts()


@dataclass(frozen=True, slots=True)
class Call:
    """How kvm_xen_update_runstate() was called: `state`, and whether interrupts are off already (in sched_out).

    `atomic` is computed from the state, as the kernel does (protocol.md 2.1).
    """

    state: str
    nested: bool = False

    @property
    def atomic(self) -> bool:
        """The atomic path gives up where the sleeping one waits."""
        return self.state == "runnable"

    @property
    def off(self) -> Irq:
        """What locking does to interrupts."""
        return "" if self.nested else "off"

    @property
    def on(self) -> Irq:
        """What unlocking does to interrupts."""
        return "" if self.nested else "on"

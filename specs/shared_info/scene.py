"""What the processes share: the cache of shared_info, the layout it is written in, and ghosts of what was promised.

Places are guest frames, and a page's number in the cache's `pages` is 1 for the VMM's one shared_info page; 2 and
more are the guest's memory that lies at a frame while the overlay does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck import Action, Expr, Mutex, Slot
from modelcheck import check as require
from specs.kvm.pfncache import Gpc, Kvm, Steps
from specs.shared_info.forms import Form

SHARED = 1  # the shared_info page, among the pages of the cache


@dataclass(frozen=True, slots=True)
class Scene:
    """One VM.  What no process of a model writes is None.

    `long_mode` is there where it switches, `selector` are bits of vcpu->arch.xen.evtchn_pending_sel, by the layout in
    which their word was counted (compat, 64-bit), where vcpu_info may be invalid.  Ghosts: `enabled` (SET_ATTR has
    returned and no disabling has begun since), `switching` (LONG_MODE is under way), `clock` (the layout the wall clock
    was last written in).  `without` is a guard that is left out on purpose.
    """

    form: Form
    kvm: Kvm
    gpc: Gpc
    enabled: Slot
    hva: bool
    without: str = "none"
    long_mode: Slot | None = None
    switching: Slot | None = None
    clock: Slot | None = None
    selector: tuple[Slot, ...] = ()

    @property
    def xen_lock(self) -> Mutex:
        """kvm->arch.xen.xen_lock (kvm->lock until 310bc39546a4)."""
        return Mutex("kvm->arch.xen.xen_lock", "xen_lock")


def read_section(kvm: Kvm, function: str) -> Steps:
    """srcu_read_lock(&kvm->srcu), where memslots change."""
    if kvm.srcu is not None:
        yield kvm.srcu.read_lock().at("E", function)


def read_section_ends(kvm: Kvm, function: str) -> Steps:
    """srcu_read_unlock(&kvm->srcu)."""
    if kvm.srcu is not None:
        yield kvm.srcu.read_unlock().at("E", function)


def sound(gpc: Gpc) -> Expr:
    """khva leads to the page that was looked up, which was not taken away, and the mapping is there (I2)."""
    found = gpc.mapped()
    if gpc.mapping is not None:
        found = found & gpc.mapping.khva.ne(0) & gpc.mapping.gone.eq(0)
    return found


def in_shared_page(gpc: Gpc) -> Expr:
    """khva leads to the page that is shared_info's now, and not to the guest's memory or to one that was freed."""
    same = gpc.pfn.eq(gpc.pages[SHARED - 1].pfn)
    return same if gpc.uhva is None else gpc.uhva.eq(SHARED) & same


def stores(scene: Scene, what: str, function: str) -> Steps:
    """What a store through khva requires (I2, I1, I3)."""
    gpc = scene.gpc
    yield require(sound(gpc), "stale-mapping", what).at("E", function)
    yield require(in_shared_page(gpc), "one-page", what).at("E", function)
    if gpc.closed is not None:
        yield require(gpc.closed.eq(0), "after-disable", what).at("E", function)


def in_layout(scene: Scene, mode: bool, what: str, function: str) -> Action:
    """A store in the layout of `mode`: it must be the VM's, unless a switch is under way."""
    assert scene.long_mode is not None and scene.switching is not None
    good = scene.long_mode.eq(int(mode)) | scene.switching
    return require(good, "old-layout", what).at("E", function)

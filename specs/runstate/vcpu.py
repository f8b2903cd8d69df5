"""The vCPU task: KVM_RUN, the ioctls that the VMM issues on the vCPU, and sched_out nested on it (protocol.md 2.1).

All writers of one vCPU's area are this task: the holder of vcpu->mutex, or its own sched_out.  record_steal_time() is
taken at any time, where the kernel takes it after each sched_in, so there are more updates here than in a kernel; only
the own reader is strict about it, since it may read only once no request is left.
"""

from __future__ import annotations

from modelcheck import (
    Action,
    Branch,
    assign,
    check,
    choose,
    has_variant,
    lift,
    local_irq_restore,
    local_irq_save,
    observe,
    reach,
    sleep_point,
    test,
)
from specs.kvm.pfncache import Steps
from specs.runstate.config import destroy, ioctl, published
from specs.runstate.layout import RUNSTATES, UPDATE
from specs.runstate.migration import Dirty
from specs.runstate.readers import View, copies
from specs.runstate.setup import Call, Scene, enter, leave
from specs.runstate.writer import update_runstate


def vcpu(scene: Scene, own: View | None = None) -> Steps:
    """The thread of one vCPU: KVM_RUN or another ioctl, one at a time, for ever, or until its last file is closed.

    While migration's last pass runs, the VMM issues no ioctl that is meant to write the area, and not KVM_RUN.
    """
    dirty = scene.ghosts.dirty
    while True:
        calls = ("KVM_RUN", *scene.ioctls, *(("close()",) if scene.destroys else ()))
        called = yield choose("the VMM calls", *calls).at("", "kvm_vcpu_ioctl")
        if called == "close()":
            yield from destroy(scene)
            return
        if dirty is not None and called != "other" and (yield stopped(dirty).at("", "kvm_vcpu_ioctl")):
            continue
        if own is not None:
            yield assign(scene.request, 1).as_("KVM_REQ_STEAL_UPDATE").at("", "kvm_arch_vcpu_load")
        if called == "KVM_RUN":
            yield from kvm_run(scene, own)
        else:
            yield from ioctl(scene, called)
        if dirty is not None and called != "other":
            yield assign(dirty.busy, 0).as_("the vCPU's thread is idle").at("", "kvm_vcpu_ioctl")


def stopped(dirty: Dirty) -> Action:
    """Whether the VMM has stopped the vCPU; if not, its thread is at work from here on."""
    busy = Branch(False, ~dirty.stopped, ((dirty.busy, lift(1)),))
    return Action("shared", "did the VMM stop the vCPU?", (Branch(True, dirty.stopped), busy))


def kvm_run(scene: Scene, own: View | None) -> Steps:
    """KVM_RUN up to the next exit to user space: record_steal_time() makes a sleeping update."""
    yield assign(scene.in_run, 1).as_("wants_to_run = true").at("", "kvm_arch_vcpu_ioctl_run")
    yield from enter(scene.locks.srcu, "kvm_arch_vcpu_ioctl_run")
    yield sleep_point("vcpu_run()", preemptible=True).at("", "vcpu_run")
    if own is None:
        outcome = yield from update_runstate(scene, Call("running"))
        yield from published(scene, outcome, "")
    else:
        yield from enter_guest(scene, own)
    yield from leave(scene.locks.srcu)
    yield assign(scene.in_run, 0).as_("wants_to_run = false").at("", "kvm_arch_vcpu_ioctl_run")


def enter_guest(scene: Scene, own: View) -> Steps:
    """vcpu_enter_guest(): requests, looked at once more with preemption off; then the guest reads its area."""
    fn = "vcpu_enter_guest"
    while (yield test(scene.request, "KVM_REQ_STEAL_UPDATE?").at("", fn)):
        yield assign(scene.request, 0).as_("KVM_REQ_STEAL_UPDATE is taken").at("", fn)
        yield from update_runstate(scene, Call("running"))
        yield local_irq_save().at("", fn)
        if not (yield test(scene.request, "kvm_vcpu_exit_request?").at("", fn)):
            yield from own_read(scene, own)
        yield local_irq_restore().at("", fn)


def own_read(scene: Scene, own: View) -> Steps:
    """The guest on this vCPU copies its own area: one atomic step against its writer, which is not running (P2).

    Nothing is claimed where the last update did not reach the guest, since a refresh failed.
    """
    ghosts, area, entry = scene.ghosts, own.area, own.layout.entry
    assert ghosts.stored is not None and ghosts.shown is not None
    if not (yield test(ghosts.stored, "did the last update reach the guest?")):
        return
    running = ghosts.shown.eq(RUNSTATES.index("running"))
    yield check(running, "own-read", "the state is running?").at("", "xen_get_runstate_snapshot")
    first = yield area.load(entry, entry + 8, "plain", "e1 = state_entry_time").at("", "xen_get_runstate_snapshot")
    if (yield has_variant(first, UPDATE).as_("e1 & XEN_RUNSTATE_UPDATE?")):
        yield check(lift(0), "own-read", "the flag is clear?").at("", "xen_get_runstate_snapshot")
    copy = yield from copies(own)
    named = {"e1.0": first} | {f"copy.{i}": register for i, register in enumerate(copy)}
    yield observe("own-read", **named).as_("own snapshot used").reaching("own snapshot used")


def sched_out(scene: Scene) -> Steps:
    """kvm_sched_out() from __schedule(): the atomic update, under the run-queue lock with interrupts off.

    Only a task that is preempted counts, not one that sleeps; since 118964562969 only inside KVM_RUN.  The task is
    scheduled in again at the end, which asks for an update.
    """
    rq = scene.kvm.rq_lock
    yield rq.lock(irq="off").at("", "__schedule")
    if not scene.version.only_in_run or (yield test(scene.in_run, "wants_to_run?").at("", "kvm_sched_out")):
        yield from enter(scene.locks.srcu, "kvm_sched_out")
        yield from update_runstate(scene, Call("runnable", nested=True))
        yield from leave(scene.locks.srcu)
    else:
        yield reach("preempted outside KVM_RUN")
    yield rq.unlock(irq="on").at("", "finish_task_switch")
    if scene.own_reader:
        yield assign(scene.request, 1).as_("KVM_REQ_STEAL_UPDATE").at("", "kvm_arch_vcpu_load")

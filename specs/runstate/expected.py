"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.runstate import data
from specs.runstate.scene import layout_of
from specs.runstate.values import adjusted, interrupted, relation
from specs.runstate.versions import writer

MIXED_WORD = """\
linux32 at an offset that no sane guest uses: the cut lies inside the low or the high word of the entry time, so that
word itself is loaded in two parts.  get64() compares only the high words.  The low word (cut after 1 to 3 bytes) may
mix update 1 with update 2 when it is loaded around update 2's stores: the high words loaded before and after agree,
since they change every 4 seconds.  The mixture may be larger than both entry times, and so be the entry time of a later
update 3: mix(0x1ff, 0x200) is 0x2ff.  The reader copies while update 3 is written and loads 0x2ff again, rightly this
time. Both entry times are equal, no flag was seen, and the copy mixes updates 2 and 3.  A cut inside the high word
mixes bytes of it in the same way.  protocol.md 4.4 calls get64() immune; that holds where the words are whole (a cut
after 4 bytes or none), which is what 4-byte alignment gives.  With tear=bytes (rep movsb in G10) the same happens at
aligned offsets too once the area crosses a page, since the low word is then copied byte by byte.
"""


WEAK_GET64 = """\
linux32 on a weak machine, at every offset: get64() loads hi, lo, hi again with READ_ONCE() and no barrier between, so
lo may be performed last, while both hi are of update 0.  The rmb() at S2 comes after the whole of get64(); lo is then
of an update that had begun when the copy had not, and the flag, which lies in hi, was clear when it was loaded.  The
second get64() may be all of the new update, whose hi is the same, since hi changes every 4 seconds.  On x86 loads stay
in order, and marked loads are the compiler's to keep in order, so this takes a 32-bit guest on a weak host: KVM has
none (protocol.md 9.3).
"""


PREEMPTED_WORDS = """\
linux32 at any offset, aligned too, where sched_out may come in the middle of the accounting (D2).  get64() is immune
because two equal high words, loaded around a low word, belong to entry times between which nothing older comes.  With
D2 an older entry time is published after newer ones: an update reads the clock (7d0), is preempted, and while it
waits its nested updates publish bb8 and then, more than 2^32 ns later, 1000003e8; then it publishes 7d0.  A reader
that has e1 = 3e8 loads h = 0 from bb8, l = 3e8 from 1000003e8 and h = 0 again from 7d0: e2 = 3e8 too.  The copy
between the two may be torn.  It takes two preemptions in one update and 4.3 s between two of the reader's loads, so
it is rare; but a guest's CPU may be preempted that long.  The fix of D2 ends it (fix=accounting).
"""


ADJUSTED_TIMES = """\
RUNSTATE_ADJUST with state -1, an entry time delta of 0 and deltas of the times that cancel out passes the ioctl's tests
(the deltas add up to the entry time's), adds the deltas and, from 5ec3289b on, runs the guest half alone.  What it
publishes has the entry time, state and sum of times of the update before it, and other times.  The entry times that a
reader loads around its copy are equal then, whichever of the two versions each is of; it saw no flag if its first load
was before the ioctl set it and its second after the ioctl cleared it; and the copy in between may have old times and
new ones.  No reader can tell, so every remote reader of time[] is torn, at every offset, in every version since
5ec3289b, with any preemption.  The contract that a reader relies on (protocol.md 2.4: the entry time differs after
every update) is the VMM's to keep here: it may adjust while the vCPU is stopped and no other CPU reads, or move the
entry time too.  In a795cd43 no ioctl writes the area; the adjusted times come with the next update, whose entry time is
its own, so nothing is torn that was not.  The state alone stays whole: ADJUST does not touch it.
"""


FLAG_ON_THE_FLY = """\
KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG sets kvm->arch.xen.runstate_update_flag under xen_lock; the writer looks at it
once for each update (G7), without that lock.  An update that has looked before the ioctl stores without the flag, and
nothing makes the ioctl wait for it.  When it has returned, and with it the guest's HYPERVISOR_vm_assist(), the guest
may read other vCPUs' areas and rely on the flag; it loads the new entry time with no flag in it, copies the state or
the times from before, and loads the same entry time again.  No preemption is needed, and no alignment helps.
synchronize_srcu() on kvm->srcu after the flag is set is enough (fix=flag), since every update runs in a read section of
it: KVM_RUN, the vCPU's ioctls, and sched_out.  It must not be called with xen_lock held, which the hypercall page's MSR
takes in KVM_RUN.  What it takes in practice: a guest that turns the flag on while other vCPUs run, and reads one of
them at once.  Linux turns it on when it boots, before the others are up.
"""


def expected(setting: Setting) -> Expectation | None:
    """The expectation of one setting, None where nothing is known."""
    if setting.property in data.NAMES:
        return data.data_expected(setting)
    if setting.text("without") in BARRIERS:
        return _without_barrier(setting)
    if setting.text("without") != "none":
        return _sibling(setting)
    match setting.property:
        case "torn-read" | "own-read" if setting.text("preemption") == "rt":
            return _under_rt(setting)
        case "torn-read":
            return _torn_read(setting)
        case "out-of-area":
            return _out_of_area(setting)
        case "lost-dirty":
            return _lost_dirty(setting)
        case "published":
            return _published(setting)
        case "deadlock":
            return _deadlock(setting)
        case "lock-order":
            return _lock_order(setting)
        case "sleep-in-atomic":
            return _sleeps(setting)
    return Expectation("holds", "", "protocol.md 10: expected verdicts")


def _out_of_area(setting: Setting) -> Expectation:
    version, layout = writer(setting.version), layout_of(setting)
    if setting.text("mode") == "switches":
        return Expectation("violated", "D10", "protocol.md D10: 64-bit layout written after a switch to compat")
    beyond = setting.text("to") == "last" and layout.split and layout.user_len2 < layout.size - 1
    stays = setting.text("vmm") == "memslots" or setting.text("refresher") == "second"
    moves = setting.text("ioctls") != "none" and not stays
    nests = setting.text("preemption") != "none"  # C4's mutex_lock() is a preemption point with voluntary too
    open_to_it = version.two_caches and not version.only_in_run and setting.text("fix") != "address"
    if open_to_it and beyond and moves and nests:
        return Expectation("violated", "D1", "protocol.md D1, 12.1 item 3, 12.3: gpc2 still maps the old second page")
    return Expectation("holds", "", "protocol.md 12.1 item 3: only a longer tail than the old area's, up to 6.10")


def _lost_dirty(setting: Setting) -> Expectation:
    if not writer(setting.version).only_in_run:  # cond_resched() in the ioctl is enough
        return Expectation("violated", "B22", "protocol.md B22, 12.1 item 4: an ioctl preempted after the last harvest")
    return Expectation("holds", "", "protocol.md 10: since 11896456 only KVM_RUN counts, and the VMM stopped that")


def _published(setting: Setting) -> Expectation:
    if setting.text("ioctls") == "none":
        return Expectation("holds", "", "protocol.md P11: a sleeping update that ends well has stored everything")
    if not writer(setting.version).ioctls_write:
        return Expectation("violated", "B6", "protocol.md B6: no ioctl writes the area before 5ec3289b")
    if setting.text("ioctls") in ("runnable", "adjust"):
        return Expectation("violated", "D7", "protocol.md D7: CURRENT(runnable) takes the atomic path, which gives up")
    return Expectation("holds", "", "protocol.md P11")


def _deadlock(setting: Setting) -> Expectation:
    if setting.text("preemption") == "rt":
        return Expectation("violated", "D4", "protocol.md D4: the last reader's unlock wakes a writer under rq->__lock")
    if setting.text("refresher") == "second" and not writer(setting.version).trylock:
        return Expectation("violated", "B9", "protocol.md 7.3, 12.1 item 1: B9 by instance, with a fictional refresher")
    return Expectation("holds", "", "protocol.md 12.1 item 1 and B8: by lock instance, every version")


def _lock_order(setting: Setting) -> Expectation:
    if not writer(setting.version).trylock:
        return Expectation("violated", "B9", "protocol.md B9, 12.1 item 1: a cycle of lock classes, V2 to V4")
    return Expectation("holds", "", "protocol.md 12.1 item 1: none from V5, a trylock adds no waiting edge")


def _sleeps(setting: Setting) -> Expectation:
    if setting.text("preemption") != "rt":
        return Expectation("holds", "", "protocol.md 10: expected verdicts")
    if not writer(setting.version).trylock:
        return Expectation("violated", "D4", "protocol.md 7.2: a sleeping lock under the raw rq->__lock, V2 to V4")
    if setting.text("ioctls") in ("runnable", "adjust") and setting.text("vmm") != "memslots":
        return Expectation("violated", "D4", "protocol.md D4 (b): read_unlock_irqrestore() does not turn IRQs on again")
    return Expectation("holds", "", "protocol.md 7.2: V5+ is not fatal on PREEMPT_RT")


def _under_rt(setting: Setting) -> Expectation | None:
    if setting.property == "own-read":
        return Expectation("holds", "", "protocol.md 4.3: the own reader is never beside its own writer")
    if setting.text("reader") == "state-only":
        return Expectation("holds", "", "protocol.md 4.2: it wants only an untorn int, and a state is one byte wide")
    return Expectation("violated", "D3", "protocol.md D3: a nested writer clears the flag of the one it interrupts")


def _torn_read(setting: Setting) -> Expectation | None:
    layout, version, reader = layout_of(setting), writer(setting.version), setting.text("reader")
    cut = layout.entry_cut
    if reader == "state-only":
        return Expectation("holds", "", "protocol.md 4.2: it wants only an untorn int, and a state is one byte wide")
    known = relation(setting)
    if adjusted(setting):
        return Expectation("violated", "D5", "protocol.md D5, 12.1 item 2, see ADJUSTED_TIMES in expected.py")
    if known in ("repeat", "steal", "free"):
        return Expectation("violated", "D5", "protocol.md 4.4, 12.1 item 2: times change and the entry time does not")
    if setting.memory == "weak" and reader == "linux32" and setting.text("flag") != "off":
        return Expectation("violated", "", "found by this checker, see WEAK_GET64 in expected.py")
    if setting.text("flag") == "off":
        return Expectation("violated", "D11", "protocol.md D11: the documented limitation, a positive control")
    if setting.text("flag") == "switches" and setting.text("fix") != "flag":
        return Expectation("violated", "N1", "found by this checker, see FLAG_ON_THE_FLY in expected.py")
    if reader == "ignores-flag":
        return Expectation("violated", "", "protocol.md 2.4: the contract is both the entry time and the flag")
    torn_words = setting.text("tear") == "plain" or setting.text("tear") == "bytes" and layout.split
    if reader == "linux32" and torn_words:
        return Expectation("violated", "", "found by this checker, see MIXED_WORD in expected.py")
    if not version.byte_flag and setting.text("tear") == "plain":
        return Expectation("violated", "B4", "protocol.md B4: the flag's store is a plain word, torn by the compiler")
    if setting.memory == "weak" and layout.offset % 8 and reader == "linux64":
        return Expectation("violated", "", "D6 at every offset: a load that is not naturally aligned comes in parts")
    late = interrupted(setting) and known == "increasing"
    if late and reader == "linux32" and (cut is None or cut[0] == 4 and version.byte_flag):
        return Expectation("violated", "D2", "found by this checker, see PREEMPTED_WORDS in expected.py")
    if cut is None:
        return Expectation("holds", "", "protocol.md 4.4, controls: V2 and V3 aligned")
    if not version.byte_flag:
        return Expectation("violated", "B4", "protocol.md B4: the flag's store is torn across a line")
    if reader == "linux64":
        return Expectation("violated", "D6", "protocol.md D6, 12.1 item 9: a load that crosses a line, either order")
    if cut[0] == 4:
        return Expectation("holds", "", "protocol.md 4.4: get64 on both loads is immune; 12.1 item 8")
    return Expectation("violated", "", "found by this checker, see MIXED_WORD in expected.py")


BARRIERS = ("first-wmb", "second-wmb", "first-rmb", "second-rmb")


def _without_barrier(setting: Setting) -> Expectation | None:
    """protocol.md 9.1, 9.3, 10: on x86 each is the compiler's barrier, on a weak host the machine's."""
    aligned = layout_of(setting).offset % 8 == 0 and layout_of(setting).entry_cut is None
    if setting.property != "torn-read" or setting.text("reader") != "linux64" or setting.text("flag") != "on":
        return None
    if not aligned or setting.text("clock") != "increasing" or setting.text("tear") in ("plain", "bytes"):
        return None
    if not writer(setting.version).byte_flag:
        return None
    if setting.text("compiler") == "free" or setting.memory == "weak":
        return Expectation("violated", "", "protocol.md 10: no barrier between the flag and the data")
    return Expectation("holds", "", "protocol.md 9.1: machine and compiler both keep stores, and loads, in order")


def _sibling(setting: Setting) -> Expectation | None:
    without = setting.text("without")
    if without == "update-bit" and setting.property == "torn-read" and setting.text("reader") in ("linux64", "linux32"):
        return Expectation("violated", "", "broken sibling: no update bit")
    if without == "mapping" and setting.property == "flag-clears" and not writer(setting.version).byte_flag:
        return Expectation("violated", "B3", "protocol.md B3: put_user() faults between the first store and the last")
    if without == "pause" and setting.property == "lost-dirty":
        return Expectation("violated", "D9", "protocol.md D9: safe only if the writer is quiescent at the last copy")
    if without in ("check", "lock") and setting.property == "stale-mapping":
        return Expectation("violated", "", f"broken sibling: no {without}")
    if without == "retry" and setting.property == "stale-mapping" and layout_of(setting).split:
        return Expectation("violated", "", "broken sibling: gpc1 is not checked again")
    return None
